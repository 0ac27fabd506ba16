"""What a network costs and sees: summaries, multiply-adds and receptive fields of any Keras model."""

from cnnkit.insight.axes import register_field
from cnnkit.insight.cost import multiply_adds, register_cost
from cnnkit.insight.drawing import drawing
from cnnkit.insight.measured import MeasuredField, measured_receptive_field
from cnnkit.insight.receptive_field import ReceptiveField, receptive_field
from cnnkit.insight.roofline import Machine, RooflineRow, machine, roofline
from cnnkit.insight.shifts import equivariance_error, shift_consistency, shifted
from cnnkit.insight.summary import Summary, SummaryRow, summary

__all__ = [
    "Machine",
    "MeasuredField",
    "ReceptiveField",
    "RooflineRow",
    "Summary",
    "SummaryRow",
    "drawing",
    "equivariance_error",
    "machine",
    "measured_receptive_field",
    "multiply_adds",
    "receptive_field",
    "register_cost",
    "register_field",
    "roofline",
    "shift_consistency",
    "shifted",
    "summary",
]

"""Training any Keras model, and what it is worth: recipes, devices, checkpoints that resume exactly, calibration, intervals.

>>> from cnnkit import training
>>> training.recipe("steady").but(epochs=3)
Recipe(weight_decay=0.0005, warmup=0.05, epochs=3)
>>> training.top_k([0, 1], [[0.9, 0.1], [0.7, 0.3]], k=1)
0.5
"""

from cnnkit.training.backends import Device, device, devices_at_hand
from cnnkit.training.checkpoints import CheckpointError
from cnnkit.training.comparing import Interval, McNemar, bootstrap, k_fold, mcnemar
from cnnkit.training.evaluation import (
    Bin,
    Calibration,
    Conformal,
    Temperature,
    calibration,
    conformal,
    temperature,
    top_k,
)
from cnnkit.training.fitting import Run, TrainingError, fit, order
from cnnkit.training.hosts import HostError, launch, rank
from cnnkit.training.recipes import Recipe, exempt_from_decay, recipe, recipes, schedule
from cnnkit.training.transfer import (
    features,
    freeze,
    freeze_norms,
    rates_by_depth,
    restate_norms,
    shuffle_weights,
)

__all__ = [
    "Bin",
    "Calibration",
    "CheckpointError",
    "Conformal",
    "Device",
    "HostError",
    "Interval",
    "McNemar",
    "Recipe",
    "Run",
    "Temperature",
    "TrainingError",
    "bootstrap",
    "calibration",
    "conformal",
    "device",
    "devices_at_hand",
    "exempt_from_decay",
    "features",
    "fit",
    "freeze",
    "freeze_norms",
    "k_fold",
    "launch",
    "mcnemar",
    "order",
    "rank",
    "rates_by_depth",
    "recipe",
    "recipes",
    "restate_norms",
    "schedule",
    "shuffle_weights",
    "temperature",
    "top_k",
]

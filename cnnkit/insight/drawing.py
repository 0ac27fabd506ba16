"""A network drawn from the network itself: stacks of maps, drawn to scale, and columns of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from cnnkit.insight.summary import SummaryRow, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drawing"]

_SILENT = ("Flatten", "Dropout", "InputLayer", "ReLU", "Activation", "BatchNormalization")


def drawing(model: keras.Model, input_shape: Any = None, width: float = 7.0) -> Figure:
    """Draw a network as a row of stacks, one for each layer that makes maps or units, read from the model.

    A stack's squares have the side of the maps (its square root, so that small ones can still be seen) and
    at most eight are drawn; vectors become columns.  Under each stand its name, what it holds, and its
    parameters.  Layers that only reshape or squash are left out.

    Args:
        model: any functional or sequential Keras model whose layers follow one another.
        input_shape: shape without the batch, in place of the model's own.
        width: of the figure, in inches.

    Chapter: models/lenet.
    """
    import matplotlib.pyplot as plt

    rows = [row for row in summary(model, input_shape).rows if row.kind == "InputLayer" or _speaks(row)]
    figure, axes = plt.subplots(figsize=(width, 0.4 * width), layout="constrained")
    tallest = max((max(_sides(row)) for row in rows if len(row.output_shape) > 2), default=1)
    x, colours = 0.0, plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for number, row in enumerate(rows):
        colour = "0.6" if number == 0 else colours[0 if row.parameters else 1]
        breadth = _stack(axes, row, x, tallest, colour)
        axes.text(x + breadth / 2, -0.06, _label(row), ha="center", va="top", fontsize=10.5, linespacing=1.3)
        x += max(breadth, 0.5) + 0.16
    axes.set(xlim=(-0.05, x), ylim=(-0.68, 1.15))
    axes.axis("off")
    return figure


def _speaks(row: SummaryRow) -> bool:
    return row.kind not in _SILENT


def _sides(row: SummaryRow) -> tuple[int, int]:
    """Height and width of the maps, whichever axis the channels are on; unknown sides count as 1."""
    _, height, width, *_ = (*row.output_shape, 1)
    return height or 1, width or 1


def _stack(axes: Any, row: SummaryRow, x: float, tallest: int, colour: Any) -> float:
    """Draw one layer from x on; returns how broad it came out."""
    from matplotlib.patches import Rectangle

    shape = row.output_shape
    if len(shape) < 4 or _sides(row) == (1, 1):
        units = shape[-1] or 1
        height = min(1.0, 0.25 + 0.75 * (units / 120) ** 0.5)
        axes.add_patch(Rectangle((x + 0.15, 0), 0.1, height, facecolor=colour, alpha=0.75, edgecolor="none"))
        return 0.4
    maps = min(shape[-1], 8)
    side = [(length / tallest) ** 0.5 * 0.75 for length in _sides(row)]
    for k in reversed(range(maps)):
        corner = (x + 0.035 * k, 0.035 * k)
        axes.add_patch(
            Rectangle(
                corner, side[1], side[0], facecolor=colour, edgecolor="white", linewidth=0.8, alpha=0.85
            )
        )
    return side[1] + 0.035 * (maps - 1)


def _label(row: SummaryRow) -> str:
    shape = row.output_shape
    if len(shape) >= 4 and _sides(row) != (1, 1):
        holds = f"{shape[-1]} of\n{_sides(row)[0]}×{_sides(row)[1]}"
    else:
        holds = f"{shape[-1]}"
    return (
        f"{row.layer}\n{holds}\n{row.parameters:,}" if row.kind != "InputLayer" else f"{row.layer}\n{holds}"
    )

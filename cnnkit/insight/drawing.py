"""A network drawn from the network itself: stacks of maps, drawn to scale, and columns of units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from cnnkit._names import needed
from cnnkit.insight.graph import read
from cnnkit.insight.summary import SummaryRow, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drawing"]

_SILENT = ("Flatten", "Dropout", "InputLayer", "ReLU", "Activation", "BatchNormalization")


def drawing(model: keras.Model, input_shape: Any = None, width: float = 7.0) -> Figure:
    """Draw a network as a row of stacks, one for each layer that makes maps or units, read from the model.

    A stack's squares have the side of the maps (its square root, so that small ones can still be seen) and
    at most eight are drawn; vectors become columns, sequences flat stacks, volumes show their last two sides.
    Under each stand its name, what it holds, and its parameters.  Layers that only reshape or squash are left out.

    Args:
        model: any functional or sequential Keras model whose layers follow one another.
        input_shape: shape without the batch, in place of the model's own.
        width: of the figure, in inches.

    Returns:
        A matplotlib figure; without matplotlib an error says how to install it.

    Chapter: models/lenet.
    """
    plt = needed("matplotlib.pyplot", "plots")
    first = read(model, input_shape).channels_first
    stacks = [
        _Stack.of(row, first)
        for row in summary(model, input_shape).rows
        if row.kind == "InputLayer" or row.kind not in _SILENT
    ]
    figure, axes = plt.subplots(figsize=(width, 0.4 * width), layout="constrained")
    tallest = max((side for stack in stacks for side in stack.sides[-2:]), default=1)
    x, colours = 0.0, plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for number, stack in enumerate(stacks):
        colour = "0.6" if number == 0 else colours[0 if stack.row.parameters else 1]
        breadth = stack.draw(axes, x, tallest, colour)
        axes.text(x + breadth / 2, -0.06, stack.label, ha="center", va="top", fontsize=10.5, linespacing=1.3)
        x += max(breadth, 0.5) + 0.16
    axes.set(xlim=(-0.05, x), ylim=(-0.68, 1.15))
    axes.axis("off")
    return figure


@dataclass(frozen=True)
class _Stack:
    """What one layer holds: so many maps of these sides, or units without a place."""

    row: SummaryRow
    maps: int
    sides: tuple[int, ...]

    @classmethod
    def of(cls, row: SummaryRow, channels_first: bool) -> _Stack:
        """Read off a row; unknown sides count as 1, and maps of one place are units."""
        known = [size or 1 for size in row.output_shape[1:]] or [1]
        *sides, maps = known if not channels_first else [*known[1:], known[0]]
        return cls(row, maps, tuple(sides) if max(sides, default=1) > 1 else ())

    @property
    def label(self) -> str:
        holds = f"{self.maps} of\n{'×'.join(map(str, self.sides))}" if self.sides else f"{self.maps}"
        if self.row.kind == "InputLayer":
            return f"{self.row.layer}\n{holds}"
        return f"{self.row.layer}\n{holds}\n{self.row.parameters:,}"

    def draw(self, axes: Any, x: float, tallest: int, colour: Any) -> float:
        """Draw the stack from x on; returns how broad it came out."""
        rectangle = needed("matplotlib.patches", "plots").Rectangle
        if not self.sides:
            height = min(1.0, 0.25 + 0.75 * (self.maps / 120) ** 0.5)
            axes.add_patch(
                rectangle((x + 0.15, 0), 0.1, height, facecolor=colour, alpha=0.75, edgecolor="none")
            )
            return 0.4
        height, width = _drawn(self.sides, tallest)
        shown = min(self.maps, 8)
        for k in reversed(range(shown)):
            corner = (x + 0.035 * k, 0.035 * k)
            axes.add_patch(
                rectangle(
                    corner, width, height, facecolor=colour, edgecolor="white", linewidth=0.8, alpha=0.85
                )
            )
        return width + 0.035 * (shown - 1)


def _drawn(sides: Sequence[int], tallest: int) -> tuple[float, float]:
    """Height and width on paper: of a sequence a flat strip, of a volume its last two sides."""
    height, width = sides[-2:] if len(sides) > 1 else (1, sides[0])
    return tuple((length / tallest) ** 0.5 * 0.75 for length in (height, width))

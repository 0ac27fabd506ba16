"""One look for every figure: a palette that colour-blind readers can tell apart, on white and on near-black pages."""

from __future__ import annotations

import re
from pathlib import Path

from cnnkit._names import needed, unknown

__all__ = ["PALETTE", "apply_style", "colour"]

DPI = 120

_SHEET = re.sub(r"/\*.*?\*/", "", Path(__file__).with_name("palette.css").read_text("utf-8"), flags=re.DOTALL)
_LIGHT = dict(re.findall(r"--([\w-]+): ([^;]+);", _SHEET.partition("}")[0]))


def colour(name: str) -> str:
    """A colour of `palette.css`, as it is on a light page.

    >>> colour("blue") == PALETTE["blue"]
    True
    """
    if name not in _LIGHT:
        raise KeyError(unknown("colour", name, _LIGHT))
    return _LIGHT[name]


#: The series of a plot, in their order.
PALETTE = {name: colour(name) for name in ("blue", "orange", "green", "red", "purple", "grey")}


def apply_style() -> None:
    """Set Matplotlib's defaults to the book's: palette, one font size, transparent ground, grey ink.

    Registers the colour maps `cnn_maps`, for feature maps, and `cnn_weights`, for weights around zero.
    """
    mpl, colours = needed("matplotlib", "plots"), needed("matplotlib.colors", "plots")
    ink = PALETTE["grey"]
    for name, tones in (("cnn_maps", colour("maps")), ("cnn_weights", colour("weights"))):
        if name not in mpl.colormaps:
            mpl.colormaps.register(colours.LinearSegmentedColormap.from_list(name, tones.split()))
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=list(PALETTE.values())),
            "axes.edgecolor": ink,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "figure.figsize": (7.0, 3.4),
            "figure.constrained_layout.use": True,
            "figure.dpi": DPI,
            "font.family": "DejaVu Sans",
            "font.size": 11,
            "grid.color": ink,
            "grid.alpha": 0.3,
            "image.cmap": "cnn_maps",
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "legend.labelcolor": ink,
            "lines.linewidth": 2,
            "savefig.facecolor": "none",
            "text.color": ink,
            "xtick.color": ink,
            "ytick.color": ink,
        }
    )

"""One look for every figure: a palette that colour-blind readers can tell apart, on white and on near-black pages."""

from __future__ import annotations

import base64
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cnnkit.course import notebook

__all__ = ["PALETTE", "apply_style", "figure"]

# After Okabe and Ito, the tones moved until each has contrast 3:1 or more on white and on #121212.
PALETTE = {
    "blue": "#2f86c8",
    "orange": "#d4730f",
    "green": "#0b9468",
    "red": "#d9544d",
    "purple": "#a869b5",
    "grey": "#7d7d7d",
}
_INK = "#7d7d7d"
_DPI = 120


def apply_style() -> None:
    """Set Matplotlib's defaults to the book's: palette, one font size, transparent ground, grey ink.

    Chapter: orientation.
    """
    for name, colours in {
        "cnn_maps": ["#16202b", "#1f4e79", "#2f86c8", "#8fc3ea", "#f4f8fb"],
        "cnn_weights": ["#b34a00", "#f0a35c", "#f2f2f2", "#6fb1e0", "#0a5a99"],
    }.items():
        if name not in mpl.colormaps:
            mpl.colormaps.register(LinearSegmentedColormap.from_list(name, colours))
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=list(PALETTE.values())),
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "axes.titlecolor": _INK,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "figure.figsize": (7.0, 3.4),
            "figure.constrained_layout.use": True,
            "figure.dpi": _DPI,
            "font.family": "DejaVu Sans",
            "font.size": 11,
            "grid.color": _INK,
            "grid.alpha": 0.3,
            "image.cmap": "cnn_maps",
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "legend.labelcolor": _INK,
            "lines.linewidth": 2,
            "savefig.facecolor": "none",
            "text.color": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
        }
    )


def figure(fig: Figure, alt: str) -> None:
    """Show a figure with the text that a reader hears who cannot see it, then close it.

    Chapter: orientation.
    """
    if len(alt.split()) < 5:
        raise ValueError(f"alt={alt!r} does not say what is seen; write a sentence")
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=_DPI, transparent=True, bbox_inches="tight")
    width = round(fig.get_size_inches()[0] * 96)
    plt.close(fig)
    notebook.show(
        {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": f"[figure: {alt}]"},
        metadata={"image/png": {"alt": alt, "width": width}, "alt": alt},
    )

"""The figure of a race."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._names import needed
from cnnkit.trials import rules

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]


def draw(race: Any, width: float) -> Figure:
    """A line for each arm and, below them, for each rival, so that no two names can collide.

    A rival's score is drawn up through the arms; one that lies far from them, as the majority may, is told at the edge.
    """
    plt = needed("matplotlib.pyplot", "plots")

    names = [*race.arms, *race.rivals]
    fig, ax = plt.subplots(figsize=(width, 1.1 + 0.5 * len(race.arms) + 0.28 * len(race.rivals)))
    rows = {arm: race.verdict_rows(arm) for arm in race.arms}
    places = np.cumsum([0.0, *[0.5] * len(race.arms), *[0.28] * len(race.rivals)])[:-1]
    for place, arm in zip(places, race.arms, strict=False):
        _arm(
            ax,
            place,
            *(
                race.score.scale * np.array([getattr(r, part) for r in rows[arm]])
                for part in ("train", "test")
            ),
        )
    seen = race.score.scale * np.array(
        [score for arm in rows.values() for r in arm for score in (r.train, r.test)]
    )
    seen = seen[np.isfinite(seen)] if np.isfinite(seen).any() else np.zeros(1)
    span = np.ptp(seen) or 0.01 * race.score.scale
    tests = {name: row.test * race.score.scale for name, row in race.rivals.items()}
    near = [test for test in tests.values() if seen.min() - span <= test <= seen.max() + span]
    low, high = min([*seen, *near]), max([*seen, *near])
    ax.set_xlim(low - 0.06 * (high - low or span), high + 0.06 * (high - low or span))
    for place, test in zip(places[len(race.arms) :], tests.values(), strict=True):
        if test in near:
            ax.plot([test, test], [-0.25, place], color="C5", linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
            ax.plot(test, place, "D", color="C5", markersize=5)
        else:
            left = not test > high
            told = f"{race.told(test / race.score.scale)}"
            ax.annotate(
                f"◂ {told}" if left else f"{told} ▸", (0 if left else 1, place), xytext=(3 if left else -3, 0),
                xycoords=("axes fraction", "data"), textcoords="offset points", color="C5", fontsize=9,
                ha="left" if left else "right", va="center",
            )  # fmt: skip
    ax.set_yticks(places, names)
    for label in ax.get_yticklabels()[len(race.arms) :]:
        label.set(fontsize=9, color="C5")
    ax.set_ylim(places[-1] + 0.25, -0.3)
    ax.set_xlabel(f"{race.score.name}, %" if race.score.unit == "points" else race.score.name)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=9, borderaxespad=0.2)
    return fig


def _arm(ax: Axes, place: float, train: np.ndarray, test: np.ndarray) -> None:
    """Every seed, training score hollow and test score full, and the interval of the mean as a bar."""
    first = int(place == 0)
    if np.isfinite(test).all():
        low, high = rules.interval(test)
        ax.plot(
            [low, high], [place, place], color="C0", linewidth=6, alpha=0.3, solid_capstyle="butt",
            label="95 % of the mean" * first,
        )  # fmt: skip
    else:
        ax.annotate("◂ exploded", (0, place), xytext=(3, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                    color="C0", fontsize=9, va="center")  # fmt: skip
    shift = np.linspace(-0.11, 0.11, len(test))
    ax.plot(
        train, place + shift, "o", color="C0", markerfacecolor="none", markersize=6, label="training" * first
    )
    ax.plot(test, place + shift, "o", color="C0", markersize=5, label="test" * first)

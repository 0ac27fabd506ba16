"""The rules of a fair race, as functions of its rows: which rate is best, what has settled, when seeds fall apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from scipy import stats

__all__ = ["at_edge", "best_rate", "grid", "interval", "moved", "two_groups"]

#: A difference of scores that nobody would speak of: a tenth of a point.
NEGLIGIBLE = 1e-3
#: Seeds fall into two groups when the widest gap between them is this many times the spread inside either group.
#: Five seeds of one group, normally distributed, look like two in fewer than two of a hundred trials.
APART = 5.0
#: A gap between two groups of seeds matters from here on: one point of a hundred.
NOTABLE = 0.01


class Scored(Protocol):
    """A row, as far as the rules look at it."""

    rate: float | None
    seed: int
    epochs: int
    train: float
    validation: float


def best_rate(search: Sequence[Scored]) -> float:
    """The rate whose mean validation score is largest; of equals the one farthest from the edges, then the smallest."""
    means = _means(search)
    tried = sorted(means)
    return max(
        tried, key=lambda rate: (means[rate], min(tried.index(rate), len(tried) - 1 - tried.index(rate)))
    )


def at_edge(search: Sequence[Scored]) -> str | None:
    """ "lowest" or "highest" where the best rate has no neighbour on that side, else None."""
    tried, best = sorted(_means(search)), best_rate(search)
    if best == tried[-1]:
        return "highest"
    return "lowest" if best == tried[0] else None


def grid(rates: Sequence[float], search: Sequence[Scored], widenings: int) -> list[float]:
    """The rates to try: those that were asked for, and one more on the side where the best of the tried ones lies.

    At most `widenings` are added on each side.
    """
    tried = sorted({*rates, *(row.rate for row in search)})
    if {row.rate for row in search} < set(rates):
        return tried
    ratio = rates[1] / rates[0] if len(rates) > 1 else 3.0
    edge = at_edge(search)
    if edge == "highest" and sum(rate > rates[-1] for rate in tried) < widenings:
        tried.append(float(f"{tried[-1] * ratio:.2g}"))
    if edge == "lowest" and sum(rate < rates[0] for rate in tried) < widenings:
        tried.insert(0, float(f"{tried[0] / ratio:.2g}"))
    return tried


def moved(rows: Iterable[Scored], budget: int, double: int) -> tuple[str, ...]:
    """Which scores doubling a budget moved by more than the seeds differ: of "train" and "validation", or nothing.

    How much seeds differ is the range of their scores, the mean of both budgets'.
    """
    rows = list(rows)
    found = []
    for part in ("train", "validation"):
        short = np.array([getattr(row, part) for row in rows if row.epochs == budget])
        long = np.array([getattr(row, part) for row in rows if row.epochs == double])
        if not (np.isfinite(short).all() and np.isfinite(long).all()) or abs(
            long.mean() - short.mean()
        ) > max((np.ptp(short) + np.ptp(long)) / 2, NEGLIGIBLE):
            found.append(part)
    return tuple(found)


def two_groups(scores: Sequence[float], notable: float = NOTABLE) -> tuple[list[float], list[float]] | None:
    """The lower and the upper group of scores that fall into two, farther apart than what is notable, or None.

    >>> two_groups([0.97, 0.48, 0.96, 0.98, 0.47])
    ([0.47, 0.48], [0.96, 0.97, 0.98])
    """
    ordered = sorted(scores)
    gaps = np.diff(ordered)
    if len(ordered) < 3:
        return None
    cut = int(np.argmax(gaps)) + 1
    low, high = ordered[:cut], ordered[cut:]
    inside = max(np.ptp(low), np.ptp(high))
    return (low, high) if gaps[cut - 1] > max(APART * inside, notable) else None


def interval(differences: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The interval in which the mean difference lies with this confidence: Student's, for few seeds.

    A percentile bootstrap over five seeds covers the truth in 84 % of cases where it promises 95; Student's interval keeps its word.
    """
    values = np.asarray(differences, dtype="float64")
    if len(values) < 2 or np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _means(search: Sequence[Scored]) -> dict[float, float]:
    ordered = sorted(search, key=lambda row: row.rate)
    return {
        rate: float(np.mean([row.validation for row in rows]))
        for rate, rows in itertools.groupby(ordered, key=lambda row: row.rate)
    }

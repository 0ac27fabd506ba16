"""Tuning curves: show a cell a family of stimuli, write down how it fires, and put a number on the shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Cell", "TuningCurve", "measure_tuning"]

Cell = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class TuningCurve:
    """Firing against one property of the stimulus.

    `period` is 180 for orientations, None where nothing wraps.

    Chapter: origins/hubel-wiesel.
    """

    values: NDArray[np.float64]
    responses: NDArray[np.float64]
    period: float | None = None

    @property
    def preferred(self) -> float:
        """The value that fires the cell most, between samples where the curve is round there."""
        peak = int(np.argmax(self.responses))
        left, middle, right = self._neighbours(peak)
        bend = left - 2 * middle + right
        step = float(np.median(np.diff(self.values)))
        offset = 0.5 * (left - right) / bend if bend < 0 else 0.0
        value = float(self.values[peak] + offset * step)
        return value % self.period if self.period else value

    @property
    def bandwidth(self) -> float:
        """Full width of the curve at half its height, by straight lines between samples.

        Infinite where a side never falls to one half: such a cell is not tuned.
        """
        peak = int(np.argmax(self.responses))
        half = self.responses[peak] / 2
        if half <= 0:
            return math.nan
        return self._reach(peak, +1, half) + self._reach(peak, -1, half)

    @property
    def half_width(self) -> float:
        """Half of the bandwidth."""
        return self.bandwidth / 2

    @property
    def selectivity(self) -> float:
        """One minus the circular variance: 0 for a cell that answers alike to all, 1 for one that answers to
        a single value."""
        if self.period is None:
            raise ValueError(
                "selectivity is defined on a circle: give the curve a period (180 for orientations)"
            )
        total = self.responses.sum()
        if total <= 0:
            return 0.0
        return float(abs(np.sum(self.responses * np.exp(2j * np.pi * self.values / self.period))) / total)

    def _neighbours(self, peak: int) -> tuple[float, float, float]:
        count = len(self.responses)
        if self.period is None and peak in (0, count - 1):
            return 0.0, 0.0, 0.0
        r = self.responses
        return float(r[(peak - 1) % count]), float(r[peak]), float(r[(peak + 1) % count])

    def _reach(self, peak: int, direction: int, level: float) -> float:
        count, travelled, here = len(self.responses), 0.0, peak
        for _ in range(count - 1):
            following = here + direction
            if self.period is None and not 0 <= following < count:
                return math.inf
            following %= count
            step = abs(self.values[following] - self.values[here])
            if self.period is not None:
                step = min(step, self.period - step)
            high, low = self.responses[here], self.responses[following]
            if low <= level:
                return travelled + step * float((high - level) / (high - low))
            travelled, here = travelled + step, following
        return math.inf


def measure_tuning(
    cell: Cell, stimuli: ArrayLike, values: ArrayLike, period: float | None = None
) -> TuningCurve:
    """Show `stimuli`, `(n, height, width, 1)`, to a cell, and pair its n answers with `values`.

    Stimuli of shape `(n, frames, height, width, 1)` are films, and the loudest frame of each counts.

    >>> curve = measure_tuning(lambda x: x.sum(axis=(1, 2, 3)), np.ones((3, 2, 2, 1)), [0, 60, 120], period=180)
    >>> curve.responses.tolist(), curve.bandwidth
    ([4.0, 4.0, 4.0], inf)

    Chapter: origins/hubel-wiesel.
    """
    stimuli, values = np.asarray(stimuli, np.float64), np.asarray(values, np.float64)
    if len(stimuli) != len(values):
        raise ValueError(f"{len(stimuli)} stimuli but {len(values)} values: one value for each stimulus")
    if stimuli.ndim == 5:
        films, frames = stimuli.shape[:2]
        answers = np.asarray(cell(stimuli.reshape(-1, *stimuli.shape[2:]))).reshape(films, frames)
        return TuningCurve(values, answers.max(axis=1), period)
    return TuningCurve(values, np.asarray(cell(stimuli), np.float64), period)

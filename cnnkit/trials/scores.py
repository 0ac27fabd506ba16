"""How well outputs meet their targets: one number, larger is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["ACCURACY", "R2", "Score"]


@dataclass(frozen=True)
class Score:
    """A measure of outputs against targets.

    Args:
        name: as the table and the axes call it.
        measure: `(targets, outputs) -> number`, larger is better and 1 is perfect: a thousandth is negligible in what the
            rules of a fair race say of it, a hundredth is not.
        scale: what one unit is multiplied by when it is told.
        unit: its word, "points" of a hundred.
    """

    name: str
    measure: Callable[[np.ndarray, np.ndarray], float]
    scale: float = 1.0
    unit: str = ""


def accuracy(targets: np.ndarray, outputs: np.ndarray) -> float:
    """The share of targets that are met: the largest of the outputs' last axis, or the label itself, must be the target.

    >>> accuracy(np.array([1, 0]), np.array([[0.2, 0.8], [0.1, 0.9]]))
    0.5
    """
    if outputs.ndim == targets.ndim + 1:
        outputs = np.argmax(outputs, axis=-1)
    return float(np.mean(outputs == targets))


def explained(targets: np.ndarray, outputs: np.ndarray) -> float:
    """The share of the targets' variance that the outputs explain (R squared): 1 is perfect, the mean alone gives 0.

    >>> explained(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    0.0
    """
    outputs = np.reshape(outputs, targets.shape).astype("float64")
    left = np.sum((targets - outputs) ** 2)
    return float(1 - left / np.sum((targets - targets.mean(axis=0)) ** 2))


ACCURACY = Score("accuracy", accuracy, scale=100.0, unit="points")
R2 = Score("R²", explained)

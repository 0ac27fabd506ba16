"""Weights and branches that are dropped by chance, with the chance given: what the draws do, example by example."""

from __future__ import annotations

import numpy as np

__all__ = ["drop_connect", "drop_connect_moments", "stochastic_depth"]


def drop_connect(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, kept_w: np.ndarray, kept_b: np.ndarray, rate: float
) -> np.ndarray:
    """A dense layer in which each example has lost connections of its own; the others grow by 1 / (1 - rate).

    Args:
        x: `(batch, inputs)`.
        w: `(inputs, outputs)`.
        b: `(outputs,)`.
        kept_w: `(batch, inputs, outputs)`, 1 where a weight is kept for this example and 0 where it is dropped.
        kept_b: `(batch, outputs)`, the same of the biases.
        rate: the share that is dropped on average.

    Example:
        >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
        >>> drop_connect(x, w, np.array([5.0]), np.array([[[1], [0]]]), np.array([[1]]), rate=0.5)
        array([[16.]])

    Chapter: training/regularization.
    """
    y = np.zeros((len(x), w.shape[1]))
    for i in range(len(x)):
        y[i] = x[i] @ (kept_w[i] * w / (1 - rate)) + kept_b[i] * b / (1 - rate)
    return y


def drop_connect_moments(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of `drop_connect` over all draws: a weight of variance w^2 rate / (1 - rate) for each weight.

    Example:
        >>> drop_connect_moments(np.array([[2.0]]), np.array([[3.0]]), np.array([1.0]), rate=0.5)
        (array([[7.]]), array([[37.]]))

    Chapter: training/regularization.
    """
    return x @ w + b, rate / (1 - rate) * (x**2 @ w**2 + b**2)


def stochastic_depth(branch: np.ndarray, kept: np.ndarray, survival: float) -> np.ndarray:
    """The branch of each example as it is, over its chance, or nothing at all.

    Example:
        >>> stochastic_depth(np.array([[1.0], [2.0]]), np.array([1, 0]), survival=0.5)
        array([[2.],
               [0.]])

    Chapter: training/regularization.
    """
    y = np.zeros(branch.shape)
    for i in range(len(branch)):
        if kept[i]:
            y[i] = branch[i] / survival
    return y

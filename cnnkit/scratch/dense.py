"""The layer in which everything is joined to everything."""

from __future__ import annotations

import numpy as np

__all__ = ["dense", "dense_backward"]


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """`y = x w + b`, every output reads every input: `x` is `(batch, inputs)`, `w` is `(inputs, outputs)`.

    >>> dense(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    array([[11.5]])

    Chapter: origins/learned-kernels.
    """
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError(
            f"x has shape {x.shape} and w {w.shape}; needed are (batch, inputs) and (inputs, outputs), "
            "with the same number of inputs: flatten images with x.reshape(len(x), -1)"
        )
    return x @ w if b is None else x @ w + b


def dense_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry the gradient `dy` of `dense` back to the input, the weights and the bias.

    >>> dense_backward(np.ones((1, 1)), np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))[0]
    array([[3., 4.]])

    Chapter: origins/learned-kernels.
    """
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)

"""Locally connected layers in plain NumPy: the loop over positions that a convolution lets us forget."""

from __future__ import annotations

import numpy as np

__all__ = ["locally_connected1d", "locally_connected2d"]


def locally_connected2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, stride: int | tuple[int, int] = 1
) -> np.ndarray:
    """A "convolution" with another kernel at each position: `w[i, j]` belongs to output row i, column j.

    `x` is `(n, h, w, c)`, `w` is `(rows, columns, k, k, c, filters)`, `b` is `(rows, columns, filters)`; the result
    is `(n, rows, columns, filters)`.

    Chapter: layers/convolution.
    """
    rows, columns, kh, kw, _, filters = w.shape
    down, right = (stride, stride) if isinstance(stride, int) else stride
    y = np.zeros((len(x), rows, columns, filters), dtype=np.result_type(x, w))
    for i in range(rows):
        for j in range(columns):
            window = x[:, i * down : i * down + kh, j * right : j * right + kw]
            y[:, i, j] = np.tensordot(window, w[i, j], axes=3)
    return y if b is None else y + b


def locally_connected1d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, stride: int = 1
) -> np.ndarray:
    """The same along one axis: x `(n, length, c)`, w `(positions, k, c, filters)`, b `(positions, filters)`.

    Chapter: layers/convolution.
    """
    y = locally_connected2d(x[:, None], w[None, :, None], None, (1, stride))[:, 0]
    return y if b is None else y + b

"""Looking at an image through a movable window, in plain NumPy."""

from __future__ import annotations

import numpy as np

__all__ = ["affine_grid", "bilinear_sample"]


def affine_grid(theta: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where each output pixel looks: `(x, y) = A (column, row, 1)`, on an image that spans -1 to 1.

    `theta` is `(batch, 2, 3)`, and the result `(batch, rows, columns, 2)`.  Pixels are squares, so the centres of
    n pixels lie at `(2 i + 1) / n - 1`.

    >>> identity = np.array([[[1.0, 0, 0], [0, 1, 0]]])
    >>> affine_grid(identity, (1, 2))[0, 0].tolist()
    [[-0.5, 0.0], [0.5, 0.0]]

    Chapter: layers/invariance.
    Paper: arXiv:1506.02025.
    """
    rows, columns = ((2 * np.arange(n) + 1) / n - 1 for n in size)
    row, column = np.meshgrid(rows, columns, indexing="ij")
    places = np.stack([column, row, np.ones_like(row)], axis=-1)
    return np.einsum("bij,hwj->bhwi", theta, places)


def bilinear_sample(x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Read an image between its pixels: each value is a weighted mean of the four around it, zero outside.

    `x` is `(batch, height, width, channels)`, `grid` as `affine_grid` gives it.

    >>> x = np.array([[0.0, 1.0], [2.0, 3.0]]).reshape(1, 2, 2, 1)
    >>> bilinear_sample(x, np.zeros((1, 1, 1, 2))).item()
    1.5

    Chapter: layers/invariance.
    Paper: arXiv:1506.02025.
    """
    batch, height, width, _ = x.shape
    column = ((grid[..., 0] + 1) * width - 1) / 2
    row = ((grid[..., 1] + 1) * height - 1) / 2
    example = np.arange(batch)[:, None, None]
    total = 0.0
    for below in (0, 1):
        for right in (0, 1):
            i, j = np.floor(row) + below, np.floor(column) + right
            weight = (1 - abs(row - i)) * (1 - abs(column - j))
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            i, j = (np.clip(p, 0, n - 1).astype(int) for p, n in ((i, height), (j, width)))
            total = total + (weight * inside)[..., None] * x[example, i, j]
    return total

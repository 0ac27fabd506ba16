"""Convolution with fewer multiplications: Winograd's minimal filtering, by tiles."""

from __future__ import annotations

import numpy as np

__all__ = ["convolve2d_winograd", "winograd_kernels", "winograd_transforms"]

#: Where the polynomials are evaluated, in this order; infinity is always the last point.
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


def winograd_transforms(m: int, r: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matrices B', G and A' of F(m, r): m outputs of a filter with r taps by m + r - 1 multiplications.

    With d the m + r - 1 inputs and g the filter::

        y = A' ((G g) * (B' d))

    Two polynomials are multiplied by evaluating both at m + r - 1 points, here 0, 1, -1, 2, -2, 1/2, -1/2 in turn and
    infinity, multiplying the values, and interpolating (Toom and Cook).  A filter is the transpose of that product:
    A' and G evaluate, and B' is the interpolation turned round, freed of its denominators, which G takes.

    >>> winograd_transforms(2)[0].astype(int)
    array([[-1,  0,  1,  0],
           [ 0,  1,  1,  0],
           [ 0, -1,  1,  0],
           [ 0, -1,  0,  1]])

    Chapter: training/hardware.
    Paper: arXiv:1509.09308.
    """
    n = m + r - 1
    if not (m >= 1 and r >= 1 and n - 1 <= len(_POINTS)):
        raise ValueError(
            f"winograd_transforms(m={m}, r={r}) needs {n - 1} points, and {len(_POINTS)} are known here: "
            f"choose m from 1 to {len(_POINTS) + 2 - r} for {r} taps."
        )
    points = np.array(_POINTS[: n - 1])
    b, g, a = np.zeros((n, n)), np.zeros((n, r)), np.zeros((m, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        b[i, : n - 1] = np.atleast_1d(np.poly(others))[::-1]
        g[i] = point ** np.arange(r) / np.prod(point - others)
        a[:, i] = point ** np.arange(m)
    b[-1] = np.atleast_1d(np.poly(points))[::-1]
    g[-1, -1] = a[-1, -1] = 1.0
    return b, g, a


def winograd_kernels(w: np.ndarray, m: int = 2) -> np.ndarray:
    """The kernels as the tiles need them, G w G', of shape `(m + k - 1, m + k - 1, c_in, c_out)`.

    >>> winograd_kernels(np.ones((3, 3, 2, 5))).shape
    (4, 4, 2, 5)

    Chapter: training/hardware.
    """
    return _both_ways(winograd_transforms(m, w.shape[0])[1].astype(w.dtype), w)


def convolve2d_winograd(
    x: np.ndarray, w: np.ndarray, m: int = 2, kernels: np.ndarray | None = None
) -> np.ndarray:
    """Convolve (stride 1, "valid") by tiles of m x m outputs, each with `(m + k - 1) ** 2` products a pair of channels.

    A direct sum needs `(m * k) ** 2`.  What is saved is paid for in additions, in copies of overlapping tiles, and in
    digits: large m have large numbers in their matrices.

    Args:
        x: images, `(batch, height, width, c_in)`.
        w: square kernels, `(k, k, c_in, c_out)`.
        m: side of a tile of outputs.
        kernels: what `winograd_kernels` makes of w, where it is kept from call to call, as at inference.

    >>> convolve2d_winograd(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8))).shape
    (1, 3, 3, 8)

    Chapter: training/hardware.
    Paper: arXiv:1509.09308.
    """
    (batch, height, width, c_in), k = x.shape, w.shape[0]
    if w.shape[1] != k:
        raise ValueError(f"convolve2d_winograd needs square kernels, got {w.shape[:2]}.")
    b, _, a = (matrix.astype(x.dtype) for matrix in winograd_transforms(m, k))
    rows, columns, n = -(-(height - k + 1) // m), -(-(width - k + 1) // m), m + k - 1
    padded = np.pad(x, ((0, 0), (0, rows * m + k - 1 - height), (0, columns * m + k - 1 - width), (0, 0)))
    tiles = np.empty((n, n, batch, rows, columns, c_in), x.dtype)
    for i, j in np.ndindex(n, n):
        tiles[i, j] = padded[:, i : i + rows * m : m, j : j + columns * m : m]
    products = _both_ways(b, tiles).reshape(n, n, -1, c_in) @ (
        winograd_kernels(w, m) if kernels is None else kernels
    )
    y = _both_ways(a, products).reshape(m, m, batch, rows, columns, -1).transpose(2, 3, 0, 4, 1, 5)
    return y.reshape(batch, rows * m, columns * m, -1)[:, : height - k + 1, : width - k + 1]


def _both_ways(matrix: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """`matrix @ block @ matrix.T` for blocks whose rows and columns are the first two axes."""
    flat = blocks.reshape(*blocks.shape[:2], -1)
    turned = (matrix @ (matrix @ flat).swapaxes(0, 1)).swapaxes(0, 1)
    return turned.reshape(*turned.shape[:2], *blocks.shape[2:])

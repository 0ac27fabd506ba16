"""The other poolings in plain NumPy: one function of a window each, and one walk over the windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnkit.scratch.convolution import both, plan
from cnnkit.scratch.geometry import Padding

__all__ = [
    "channel_max_pool",
    "lp_pool2d",
    "mixed_pool2d",
    "pool_windows",
    "softmax_pool2d",
    "stochastic_pool2d",
]

Size = int | tuple[int, int]


def pool_windows(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    size: Size = 2,
    stride: Size | None = None,
    padding: Padding = 0,
) -> np.ndarray:
    """Apply a function to each window: from `(pixels, batch, channels)` to `(batch, channels)`.

    Padding is never shown to the function: a window at the border has fewer pixels.

    >>> pool_windows(lambda a: a.min(axis=0), np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 0.,  2.],
           [ 8., 10.]])

    Chapter: layers/pooling.
    """
    window = both(size)
    geometry = plan(x.shape[1:3], window, window if stride is None else stride, padding)
    (top, _), (left, _) = geometry.padding
    y = np.zeros((len(x), *geometry.size, x.shape[-1]), np.result_type(x, np.float32))
    for i, j in np.ndindex(*geometry.size):
        row, column = i * geometry.stride[0] - top, j * geometry.stride[1] - left
        seen = x[:, max(row, 0) : row + window[0], max(column, 0) : column + window[1]]
        y[:, i, j] = function(seen.reshape(len(x), -1, x.shape[-1]).swapaxes(0, 1))
    return y


def lp_pool2d(
    x: np.ndarray, p: float = 2.0, size: Size = 2, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """(mean |a|^p)^(1/p), for p >= 1: the mean of |a| at 1, its maximum at infinity.

    >>> lp_pool2d(np.array([1.0, 2, 2, 4]).reshape(1, 2, 2, 1), p=2).item()
    2.5

    Chapter: layers/pooling.
    Paper: arXiv:2009.07485.
    """
    if not p >= 1:
        raise ValueError(f"p must be at least 1, not {p}: below 1 it is no norm")

    def norm(a: np.ndarray) -> np.ndarray:
        largest = np.abs(a).max(axis=0)
        if np.isinf(p):
            return largest
        unit = np.where(largest > 0, largest, 1)  # so that no power overflows
        return unit * np.mean((np.abs(a) / unit) ** p, axis=0) ** (1 / p)

    return pool_windows(norm, x, size, stride, padding)


def mixed_pool2d(
    x: np.ndarray, share: float = 0.5, size: Size = 2, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """share * max + (1 - share) * mean.

    >>> mixed_pool2d(np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1), share=0.5).item()
    3.25

    Chapter: layers/pooling.
    Paper: arXiv:1509.08985.
    """
    return pool_windows(
        lambda a: share * a.max(axis=0) + (1 - share) * a.mean(axis=0), x, size, stride, padding
    )


def stochastic_pool2d(
    x: np.ndarray,
    size: Size = 2,
    stride: Size | None = None,
    padding: Padding = 0,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """One activation of each window, drawn with p_i = a_i / sum(a); without `rng`, its expectation.

    The expectation is sum(a_i^2) / sum(a_i).  Negative activations count as zero.

    >>> stochastic_pool2d(np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1)).item()
    3.0

    Chapter: layers/pooling.
    Paper: arXiv:1301.3557.
    """

    def draw(a: np.ndarray) -> np.ndarray:
        a = np.maximum(a, 0)
        total = a.sum(axis=0)
        p = a / np.where(total > 0, total, 1)
        if rng is None:
            return np.sum(p * a, axis=0)
        winner = (rng.random(total.shape) >= np.cumsum(p, axis=0)).sum(axis=0)
        return np.take_along_axis(a, np.minimum(winner, len(a) - 1)[None], axis=0)[0]

    return pool_windows(draw, x, size, stride, padding)


def softmax_pool2d(
    x: np.ndarray, beta: float = 1.0, size: Size = 2, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """sum e^(beta a) a / sum e^(beta a): the mean at beta = 0, the maximum as beta grows.

    >>> softmax_pool2d(np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1), beta=0).item()
    2.5

    Chapter: layers/pooling.
    Paper: arXiv:2009.07485.
    """

    def mean(a: np.ndarray) -> np.ndarray:
        weight = np.exp(beta * a - (beta * a).max(axis=0))  # the shift cancels, and nothing overflows
        return np.sum(weight * a, axis=0) / np.sum(weight, axis=0)

    return pool_windows(mean, x, size, stride, padding)


def channel_max_pool(x: np.ndarray, size: int = 2) -> np.ndarray:
    """The maximum over groups of `size` neighbouring channels, at each place.

    >>> channel_max_pool(np.array([[1.0, 5, 2, 3]]), size=2)
    array([[5., 3.]])

    Chapter: layers/pooling.
    Paper: doi:10.1109/tvt.2019.2899972.
    """
    if x.shape[-1] % size:
        raise ValueError(f"{x.shape[-1]} channels cannot be cut into groups of {size}")
    return x.reshape(*x.shape[:-1], -1, size).max(axis=-1)

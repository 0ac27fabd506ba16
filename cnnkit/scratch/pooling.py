"""Pooling in plain NumPy: maximum and average forward and backward by the walk over offsets that convolution takes, and
the other poolings as a function of one window each, with one walk over the windows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnkit.scratch.convolution import Plan, both, plan
from cnnkit.scratch.geometry import Padding, each_axis, output_size, padding_amount

__all__ = [
    "average_pool2d",
    "average_pool2d_backward",
    "channel_max_pool",
    "lp_pool2d",
    "max_pool2d",
    "max_pool2d_backward",
    "mixed_pool2d",
    "pool_windows",
    "softmax_pool2d",
    "stochastic_pool2d",
]

Size = int | tuple[int, int]
Sizes = int | tuple[int, ...]


def max_pool2d(x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: Padding = 0) -> np.ndarray:
    """The largest value of each window, channel by channel; padding never wins.

    >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])

    Chapter: layers/pooling.
    """
    return _largest(x, _geometry(x, size, stride, padding))[0]


def max_pool2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    size: Size = 2,
    stride: Size | None = None,
    padding: Padding = 0,
) -> np.ndarray:
    """Send each gradient back to the pixel that won; the first one, row by row, where several tie.

    >>> max_pool2d_backward(np.ones((1, 1, 1, 1)), np.array([1.0, 3, 2, 3]).reshape(1, 2, 2, 1))[0, :, :, 0]
    array([[0., 1.],
           [0., 0.]])

    Chapter: layers/pooling.
    """
    geometry = _geometry(x, size, stride, padding)
    _, winner = _largest(x, geometry)
    dpadded = _padded(np.zeros(x.shape, dy.dtype), geometry, 0)
    for number, (_, _, rows, columns) in enumerate(geometry.windows()):
        dpadded[:, rows, columns] += dy * (winner == number)
    return _cropped(dpadded, x, geometry)


def average_pool2d(
    x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """The mean of the real pixels of each window, channel by channel; padding is not counted.

    >>> average_pool2d(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])

    Chapter: layers/pooling.
    """
    geometry = _geometry(x, size, stride, padding)
    padded = _padded(x, geometry, 0)
    total = sum(padded[:, rows, columns] for _, _, rows, columns in geometry.windows())
    return total / _real_pixels(x, geometry)


def average_pool2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    size: Size = 2,
    stride: Size | None = None,
    padding: Padding = 0,
) -> np.ndarray:
    """Share each gradient equally among the real pixels of its window.

    >>> average_pool2d_backward(np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 1)))[0, :, :, 0]
    array([[0.25, 0.25],
           [0.25, 0.25]])

    Chapter: layers/pooling.
    """
    geometry = _geometry(x, size, stride, padding)
    share = dy / _real_pixels(x, geometry)
    dpadded = _padded(np.zeros(x.shape, share.dtype), geometry, 0)
    for _, _, rows, columns in geometry.windows():
        dpadded[:, rows, columns] += share
    return _cropped(dpadded, x, geometry)


def pool_windows(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    size: Sizes = 2,
    stride: Sizes | None = None,
    padding: Padding = 0,
) -> np.ndarray:
    """Apply a function to each window: from `(pixels, batch, channels)` to `(batch, channels)`.

    `x` is `(batch, ..., channels)`: a signal, an image or a volume. Padding is never shown to the function: a
    window at the border has fewer pixels.

    >>> pool_windows(lambda a: a.min(axis=0), np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 0.,  2.],
           [ 8., 10.]])

    Chapter: layers/pooling.
    """
    space = x.shape[1:-1]
    sizes = each_axis(size, len(space))
    strides = sizes if stride is None else each_axis(stride, len(space))
    sides = list(zip(space, sizes, strides, strict=True))
    before = [padding_amount(n, k, s, padding)[0] for n, k, s in sides]
    places = [output_size(n, k, s, padding) for n, k, s in sides]
    y = np.zeros((len(x), *places, x.shape[-1]), np.result_type(x, np.float32))
    for place in np.ndindex(*places):
        starts = [i * s - p for i, s, p in zip(place, strides, before, strict=True)]
        window = tuple(slice(max(start, 0), start + k) for start, k in zip(starts, sizes, strict=True))
        pixels = x[(slice(None), *window)].reshape(len(x), -1, x.shape[-1])
        y[(slice(None), *place)] = function(pixels.swapaxes(0, 1))
    return y


def lp_pool2d(
    x: np.ndarray, p: float = 2.0, size: Sizes = 2, stride: Sizes | None = None, padding: Padding = 0
) -> np.ndarray:
    """`(mean |a|^p)^(1/p)`, for `p >= 1`: the mean of `|a|` at 1, its maximum at infinity.

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
    x: np.ndarray, share: float = 0.5, size: Sizes = 2, stride: Sizes | None = None, padding: Padding = 0
) -> np.ndarray:
    """`share * max + (1 - share) * mean` of each window.

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
    size: Sizes = 2,
    stride: Sizes | None = None,
    padding: Padding = 0,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """One activation of each window, drawn with `p_i = a_i / sum(a)`; without `rng`, its expectation.

    The expectation is `sum(a_i^2) / sum(a_i)`.  Negative activations count as zero.

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
    x: np.ndarray, beta: float = 1.0, size: Sizes = 2, stride: Sizes | None = None, padding: Padding = 0
) -> np.ndarray:
    """`sum e^(beta a) a / sum e^(beta a)`: the mean at beta = 0, the maximum as beta grows.

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


def _geometry(x: np.ndarray, size: Size, stride: Sizes | None, padding: Padding) -> Plan:
    if x.ndim != 4:
        raise ValueError(f"x has shape {x.shape}; needed is (batch, height, width, channels)")
    window = both(size)
    return plan(x.shape[1:3], window, window if stride is None else stride, padding)


def _padded(x: np.ndarray, geometry: Plan, fill: float) -> np.ndarray:
    return np.pad(x, ((0, 0), *geometry.padding, (0, 0)), constant_values=fill)


def _cropped(padded: np.ndarray, x: np.ndarray, geometry: Plan) -> np.ndarray:
    (top, _), (left, _) = geometry.padding
    return padded[:, top : top + x.shape[1], left : left + x.shape[2]]


def _largest(x: np.ndarray, geometry: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The largest value of each window, and the number of the offset where it was first met."""
    padded = _padded(x.astype(np.result_type(x, np.float32), copy=False), geometry, -np.inf)
    largest = np.full((len(x), *geometry.size, x.shape[-1]), -np.inf, padded.dtype)
    winner = np.zeros(largest.shape, int)
    for number, (_, _, rows, columns) in enumerate(geometry.windows()):
        seen = padded[:, rows, columns]
        better = seen > largest
        largest, winner = np.where(better, seen, largest), np.where(better, number, winner)
    return largest, winner


def _real_pixels(x: np.ndarray, geometry: Plan) -> np.ndarray:
    ones = _padded(np.ones((1, *x.shape[1:3], 1), np.result_type(x, np.float32)), geometry, 0)
    return sum(ones[:, rows, columns] for _, _, rows, columns in geometry.windows())

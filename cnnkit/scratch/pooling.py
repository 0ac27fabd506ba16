"""Pooling in plain NumPy, forward and backward, by the same walk over offsets as convolution."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch.convolution import Plan, both, plan
from cnnkit.scratch.geometry import Padding

__all__ = ["average_pool2d", "average_pool2d_backward", "max_pool2d", "max_pool2d_backward"]


def max_pool2d(
    x: np.ndarray, size: int | tuple[int, int] = 2, stride: int | None = None, padding: Padding = 0
) -> np.ndarray:
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
    size: int | tuple[int, int] = 2,
    stride: int | None = None,
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
    x: np.ndarray, size: int | tuple[int, int] = 2, stride: int | None = None, padding: Padding = 0
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
    size: int | tuple[int, int] = 2,
    stride: int | None = None,
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


def _geometry(
    x: np.ndarray, size: int | tuple[int, int], stride: int | tuple[int, int] | None, padding: Padding
) -> Plan:
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

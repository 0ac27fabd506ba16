"""Pooling by regions in plain NumPy: pyramids, boxes rounded to cells, boxes read by interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit.scratch.convolution import both

__all__ = ["attention_pool", "roi_align", "roi_pool2d", "spatial_pyramid_pool2d"]

Size = int | tuple[int, int]


def spatial_pyramid_pool2d(x: np.ndarray, levels: Sequence[int] = (1, 2, 4)) -> np.ndarray:
    """The maximum over the bins of an n x n grid, for each level n: `(batch, sum(n * n) * channels)`.

    Bin i takes the rows from `floor(i H / n)` up to `ceil((i + 1) H / n)`, and so do the columns.

    >>> spatial_pyramid_pool2d(np.ones((2, 13, 9, 8))).shape
    (2, 168)

    Chapter: layers/pooling.
    Paper: arXiv:1406.4729.
    """
    height, width = x.shape[1:3]
    parts = []
    for n in levels:
        for i, j in np.ndindex(n, n):
            bin_ = x[:, slice(*_bin(height, n, i)), slice(*_bin(width, n, j))]
            parts.append(bin_.max(axis=(1, 2)))
    return np.concatenate(parts, axis=-1)


def roi_pool2d(x: np.ndarray, boxes: np.ndarray, size: Size = 7, scale: float = 1.0) -> np.ndarray:
    """The maximum over a grid of bins in each box, its edges rounded to whole cells.

    Args:
        x: maps, `(batch, height, width, channels)`.
        boxes: `(batch, boxes, 4)` with x1, y1, x2, y2; one without area, or outside the map, gives zeros.
        size: how many bins, a number or `(rows, columns)`.
        scale: what the boxes' coordinates are multiplied with to be those of the map.

    Returns:
        `(batch, boxes, rows, columns, channels)`.

    >>> boxes = np.array([[[0, 0, 4, 2]]])
    >>> roi_pool2d(np.arange(16.0).reshape(1, 4, 4, 1), boxes, size=2)[0, 0, :, :, 0]
    array([[1., 3.],
           [5., 7.]])

    Chapter: tasks/detection.
    Paper: arXiv:1504.08083.
    """
    rows, columns = both(size)
    height, width = x.shape[1:3]
    y = np.zeros((*boxes.shape[:2], rows, columns, x.shape[-1]), x.dtype)
    for n, m in np.ndindex(*boxes.shape[:2]):
        x1, y1, x2, y2 = boxes[n, m] * scale
        top, bottom = _cells(y1, y2, height)
        left, right = _cells(x1, x2, width)
        if x2 <= x1 or y2 <= y1 or top >= bottom or left >= right:
            continue
        crop = x[n, top:bottom, left:right]
        for i, j in np.ndindex(rows, columns):
            a = crop[slice(*_bin(bottom - top, rows, i)), slice(*_bin(right - left, columns, j))]
            y[n, m, i, j] = a.max(axis=(0, 1))
    return y


def roi_align(
    x: np.ndarray, boxes: np.ndarray, size: Size = 7, scale: float = 1.0, samples: int = 2
) -> np.ndarray:
    """The mean of `samples` x `samples` interpolated values in each bin of each box: nothing is rounded.

    Arguments and shape as in `roi_pool2d`.  A cell's centre stands at +0.5; a sample up to one cell outside
    reads the border, one further out is zero.

    >>> boxes = np.array([[[0, 0, 4, 2]]])
    >>> roi_align(np.arange(16.0).reshape(1, 4, 4, 1), boxes, size=2)[0, 0, :, :, 0]
    array([[1. , 3. ],
           [4.5, 6.5]])

    Chapter: tasks/detection.
    Paper: arXiv:1703.06870.
    """
    rows, columns = both(size)
    y = np.zeros((*boxes.shape[:2], rows, columns, x.shape[-1]), np.result_type(x, np.float32))
    for n, m in np.ndindex(*boxes.shape[:2]):
        x1, y1, x2, y2 = boxes[n, m] * scale
        if x2 <= x1 or y2 <= y1:
            continue
        for i, j, u, v in np.ndindex(rows, columns, samples, samples):
            down = y1 + (y2 - y1) * (i + (u + 0.5) / samples) / rows - 0.5
            right = x1 + (x2 - x1) * (j + (v + 0.5) / samples) / columns - 0.5
            y[n, m, i, j] += _interpolate(x[n], down, right) / samples**2
    return y


def attention_pool(
    x: np.ndarray,
    query: np.ndarray,
    wq: np.ndarray,
    wk: np.ndarray,
    wv: np.ndarray,
    wo: np.ndarray,
) -> np.ndarray:
    """Ask each place how well it answers a query, and average the answers by the softmax of that.

    Args:
        x: `(batch, places, channels)`.
        query: `(queries, channels)`.
        wq: what turns queries into questions, `(channels, heads, width)`.
        wk: what turns places into keys, of the same shape.
        wv: what turns places into values, of the same shape.
        wo: what puts the heads together, `(heads, width, channels)`.

    Returns:
        `(batch, queries, channels)`.

    >>> eye = np.eye(2)[:, None]
    >>> x = np.array([[[0.0, 4.0], [2.0, 0.0]]])
    >>> attention_pool(x, np.zeros((1, 2)), eye, eye, eye, np.eye(2)[None])[0, 0]  # no question: the mean
    array([1., 2.])

    Chapter: models/attention.
    Paper: arXiv:1810.00825.
    """
    q = np.einsum("qc,chd->qhd", query, wq) / np.sqrt(wq.shape[-1])
    k, v = np.einsum("npc,chd->nphd", x, wk), np.einsum("npc,chd->nphd", x, wv)
    scores = np.einsum("qhd,nphd->nhqp", q, k)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("nhqp,nphd,hdc->nqc", weights, v, wo)


def _bin(length: int, n: int, i: int) -> tuple[int, int]:
    """Where bin i of n begins and ends: floor and ceiling, so that none is empty."""
    return i * length // n, -(-(i + 1) * length // n)


def _cells(low: float, high: float, side: int) -> tuple[int, int]:
    """Edges rounded to cells, at least one cell, clipped to the map."""
    start = int(np.floor(low + 0.5))
    end = max(int(np.floor(high + 0.5)), start + 1)
    return max(start, 0), min(end, side)


def _interpolate(image: np.ndarray, down: float, right: float) -> np.ndarray:
    """The value between the four nearest cells."""
    height, width, channels = image.shape
    if not (-1 <= down <= height and -1 <= right <= width):
        return np.zeros(channels, image.dtype)
    down, right = np.clip(down, 0, height - 1), np.clip(right, 0, width - 1)
    top, left = min(int(down), max(height - 2, 0)), min(int(right), max(width - 2, 0))
    bottom, after = min(top + 1, height - 1), min(left + 1, width - 1)
    u, v = down - top, right - left
    above = (1 - v) * image[top, left] + v * image[top, after]
    below = (1 - v) * image[bottom, left] + v * image[bottom, after]
    return (1 - u) * above + u * below

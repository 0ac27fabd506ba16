"""Blurring before subsampling, and padding that wraps around, in plain NumPy."""

from __future__ import annotations

from math import comb
from typing import Literal

import numpy as np

__all__ = ["binomial_kernel", "blur_pool2d", "wrap_pad2d"]

Border = Literal["same", "reflect", "circular"]
_MODES = {"same": "constant", "reflect": "reflect", "circular": "wrap"}


def binomial_kernel(k: int) -> np.ndarray:
    """The k x k blur whose rows and columns are a line of Pascal's triangle, and whose sum is 1.

    It is what remains of averaging two neighbours k - 1 times, and for k of 3 or more it falls smoothly to
    zero at the highest frequency that a grid can hold.

    >>> (16 * binomial_kernel(3)).astype(int).tolist()
    [[1, 2, 1], [2, 4, 2], [1, 2, 1]]

    Chapter: layers/invariance.
    Paper: arXiv:1904.11486.
    """
    if k < 1:
        raise ValueError(f"k is {k}; a blur needs a side of at least 1")
    line = np.array([comb(k - 1, i) for i in range(k)]) / 2 ** (k - 1)
    return np.outer(line, line)


def blur_pool2d(x: np.ndarray, k: int = 3, stride: int = 2, padding: Border = "same") -> np.ndarray:
    """Blur each channel with a binomial kernel, then keep every stride-th pixel, beginning with the first.

    The image is padded by (k - 1) // 2 before and k // 2 after: with zeros ("same"), its own mirror image
    ("reflect"), or its opposite side ("circular").

    >>> stripes = np.tile([0.0, 1.0], 4).reshape(1, 1, 8, 1).repeat(4, axis=1)
    >>> blur_pool2d(stripes, padding="circular")[0, 0, :, 0], stripes[0, 0, ::2, 0]
    (array([0.5, 0.5, 0.5, 0.5]), array([0., 0., 0., 0.]))

    Chapter: layers/invariance.
    Paper: arXiv:1904.11486.
    """
    side = ((k - 1) // 2, k // 2)
    padded = np.pad(x, ((0, 0), side, side, (0, 0)), mode=_MODES[padding])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    return np.einsum("nhwcij,ij->nhwc", windows, binomial_kernel(k))[:, ::stride, ::stride]


def wrap_pad2d(x: np.ndarray, padding: int) -> np.ndarray:
    """Pad height and width with the pixels of the opposite side, as if the image were drawn on a torus.

    >>> wrap_pad2d(np.array([[1.0, 2], [3, 4]])[None, :, :, None], 1)[0, :, :, 0].astype(int).tolist()
    [[4, 3, 4, 3], [2, 1, 2, 1], [4, 3, 4, 3], [2, 1, 2, 1]]

    Chapter: layers/invariance.
    """
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode="wrap")

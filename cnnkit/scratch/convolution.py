"""Convolution in plain NumPy, forward and backward.

Every function walks over the offsets (i, j) of the kernel, not over the positions of the
image: for one offset, the pixels under that kernel entry form a strided slice of the padded
image, and one matrix product serves all positions at once.  Each function can be read by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from cnnkit.scratch.geometry import Padding, output_size, padding_amount

Sides = tuple[Padding, Padding]

__all__ = ["convolve1d", "convolve2d", "convolve2d_backward", "true_convolve2d"]


class Plan(NamedTuple):
    """Where the kernel goes: zeros to add, places it fits, and how far apart they are."""

    padding: tuple[tuple[int, int], tuple[int, int]]
    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    kernel: tuple[int, int]

    def windows(self) -> Iterator[tuple[int, int, slice, slice]]:
        """For each kernel offset (i, j): the rows and columns of the padded image that it meets."""
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                (top, left), (s, t) = (i * self.dilation[0], j * self.dilation[1]), self.stride
                rows = slice(top, top + s * (self.size[0] - 1) + 1, s)
                columns = slice(left, left + t * (self.size[1] - 1) + 1, t)
                yield i, j, rows, columns


def both(value: Any) -> tuple:
    """A number or a word counts for height and for width; a pair says one for each."""
    return (value, value) if isinstance(value, Integral | str) else tuple(value)


def plan(
    image: tuple[int, int],
    kernel: tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: Padding | Sides = 0,
    dilation: int | tuple[int, int] = 1,
) -> Plan:
    """Work out the geometry of a convolution or a pooling, height and width in turn."""
    sides = list(zip(image, kernel, both(stride), both(padding), both(dilation), strict=True))
    return Plan(
        padding=tuple(padding_amount(*side) for side in sides),
        size=tuple(output_size(*side) for side in sides),
        stride=both(stride),
        dilation=both(dilation),
        kernel=tuple(kernel),
    )


def convolve2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int | tuple[int, int] = 1,
    padding: Padding | Sides = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> np.ndarray:
    """Convolve images as a Keras layer does, by cross-correlation: slide, multiply, sum, add the bias.

    With stride s, dilation d and padding p ::

        y[i, j, f] = b[f] + sum over m, n, c of w[m, n, c, f] x[s i + d m - p, s j + d n - p, c]

    Args:
        x: images, `(batch, height, width, c_in)`.
        w: kernels, `(k, k, c_in / groups, c_out)`.
        b: biases, `(c_out,)`, zero if None.
        stride: how far the kernel moves, a number or `(down, right)`.
        padding: "same", "valid", a number for every side, or one entry for height and one for width, each again a
            number or a pair `(before, after)`.
        dilation: how far the taps of the kernel stand apart.
        groups: into how many equal parts that never meet the channels are cut.

    >>> convolve2d(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8))).shape
    (1, 3, 3, 8)

    Chapter: layers/convolution.
    Paper: arXiv:1603.07285.
    """
    _check(x, w, groups)
    if groups > 1:  # a grouped convolution is several small ones side by side
        parts = zip(np.split(x, groups, axis=-1), np.split(w, groups, axis=-1), strict=True)
        y = np.concatenate([convolve2d(u, v, None, stride, padding, dilation) for u, v in parts], axis=-1)
    else:
        geometry = plan(x.shape[1:3], w.shape[:2], stride, padding, dilation)
        padded = np.pad(x, ((0, 0), *geometry.padding, (0, 0)))
        y = np.zeros((len(x), *geometry.size, w.shape[-1]), np.result_type(x, w))
        for i, j, rows, columns in geometry.windows():
            y += padded[:, rows, columns] @ w[i, j]
    return y if b is None else y + b


def convolve2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    stride: int | tuple[int, int] = 1,
    padding: Padding | Sides = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry the gradient `dy` of `convolve2d` back to the image, the kernel and the bias.

    The forward pass copies a pixel to each place that uses it and sums; so the backward pass
    sums over those places.  For one kernel offset, `y` gains `u w`, hence `dw = u' dy` and `du = dy w'`.

    >>> x, w = np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8))
    >>> [gradient.shape for gradient in convolve2d_backward(np.ones((1, 3, 3, 8)), x, w)]
    [(1, 5, 5, 3), (3, 3, 3, 8), (8,)]

    Chapter: layers/convolution.
    Paper: doi:10.1162/neco.1989.1.4.541.
    """
    _check(x, w, groups)
    if groups > 1:
        parts = zip(*(np.split(a, groups, axis=-1) for a in (dy, x, w)), strict=True)
        slopes = zip(*(convolve2d_backward(*part, stride, padding, dilation) for part in parts), strict=True)
        return tuple(np.concatenate(slope, axis=-1) for slope in slopes)
    geometry = plan(x.shape[1:3], w.shape[:2], stride, padding, dilation)
    _check_gradient(dy, (len(x), *geometry.size, w.shape[-1]))
    padded = np.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    dpadded, dw = np.zeros(padded.shape, np.result_type(dy, w)), np.zeros(w.shape, np.result_type(dy, x))
    for i, j, rows, columns in geometry.windows():
        dw[i, j] = np.tensordot(padded[:, rows, columns], dy, axes=((0, 1, 2), (0, 1, 2)))
        dpadded[:, rows, columns] += dy @ w[i, j].T
    (top, _), (left, _) = geometry.padding
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]], dw, dy.sum(axis=(0, 1, 2))


def convolve1d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int = 1,
    padding: Padding = 0,
    dilation: int = 1,
    groups: int = 1,
) -> np.ndarray:
    """Convolve sequences: pictures one pixel high.

    Args:
        x: sequences, `(batch, time, c_in)`.
        w: kernels, `(k, c_in / groups, c_out)`.
        b: biases, `(c_out,)`, zero if None.
        stride: how far the kernel moves.
        padding: as in `convolve2d`, of the one side.
        dilation: how far the taps of the kernel stand apart.
        groups: into how many equal parts that never meet the channels are cut.

    >>> convolve1d(np.ones((2, 10, 4)), np.ones((3, 4, 6)), dilation=2).shape
    (2, 6, 6)

    Chapter: layers/convolution.
    """
    if x.ndim != 3 or w.ndim != 3:
        raise ValueError(
            f"x has shape {x.shape} and w {w.shape}; needed are (batch, time, c_in) "
            "and (k, c_in / groups, c_out)"
        )
    return convolve2d(x[:, None], w[None], b, (1, stride), (0, padding), (1, dilation), groups)[:, 0]


def true_convolve2d(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve as mathematics does, with the kernel turned by 180 degrees.

    With image I and kernel K ::

        (I * K)(i, j) = sum over m, n of I(m, n) K(i - m, j - n)

    Both arguments are plain matrices, and the sum runs over all places where they touch, so the
    result has one side less than the sum of the two sides.

    >>> true_convolve2d(np.array([[1, 2, 3]]), np.array([[0, 1, 10]]))
    array([[ 0,  1, 12, 23, 30]])

    Chapter: layers/convolution.
    """
    if image.ndim != 2 or kernel.ndim != 2:
        raise ValueError(f"image has shape {image.shape} and kernel {kernel.shape}; both must be matrices")
    full = tuple((k - 1, k - 1) for k in kernel.shape)
    return convolve2d(image[None, :, :, None], kernel[::-1, ::-1, None, None], padding=full)[0, :, :, 0]


def _check(x: np.ndarray, w: np.ndarray, groups: int) -> None:
    if x.ndim != 4 or w.ndim != 4:
        raise ValueError(
            f"x has shape {x.shape} and w {w.shape}; needed are (batch, height, width, c_in) "
            "and (k, k, c_in / groups, c_out): for one grey picture write picture[None, :, :, None]"
        )
    if groups < 1 or w.shape[-1] % groups or x.shape[-1] % groups:
        raise ValueError(
            f"groups is {groups}; it must divide the {x.shape[-1]} input channels "
            f"and the {w.shape[-1]} output channels"
        )
    if x.shape[-1] != w.shape[2] * groups:
        raise ValueError(
            f"x has {x.shape[-1]} channels, and a kernel of shape {w.shape} with {groups} group(s) reads "
            f"{w.shape[2] * groups}; give the kernel the shape "
            f"{(*w.shape[:2], x.shape[-1] // groups, w.shape[3])}"
        )


def _check_gradient(dy: np.ndarray, needed: tuple[int, ...]) -> None:
    if dy.shape != needed:
        raise ValueError(
            f"dy has shape {dy.shape}; the output of this convolution is {needed}, "
            "and its gradient must have the same shape"
        )

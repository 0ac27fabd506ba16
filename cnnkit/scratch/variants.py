"""The relatives of convolution in plain NumPy: spread kernels, enlarged maps, pixels that are hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit.scratch.convolution import both, convolve2d, plan
from cnnkit.scratch.geometry import Padding

__all__ = [
    "bed_of_nails2d",
    "checkerboard_strength",
    "dilate_kernel",
    "masked_convolve2d",
    "max_pool2d_switches",
    "max_unpool2d",
    "multi_dilation_convolve2d",
    "patch_mask",
    "transposed_convolve2d",
    "upsample2d",
]


def dilate_kernel(w: np.ndarray, dilation: int) -> np.ndarray:
    """Put dilation - 1 zeros between the taps: a kernel of side k comes to cover `k + (k - 1)(dilation - 1)`.

    `w` is `(k, k, ...)`.  An ordinary convolution with the result is the dilated convolution with `w`.

    >>> dilate_kernel(np.ones((3, 3)), 2).shape, int(dilate_kernel(np.ones((3, 3)), 2).sum())
    ((5, 5), 9)

    Chapter: layers/convolution-variants.
    Paper: arXiv:1511.07122.
    """
    if dilation < 1:
        raise ValueError(f"dilation is {dilation}; it is the step between taps, so it must be at least 1")
    k, width = w.shape[:2]
    spread = np.zeros(
        (k + (k - 1) * (dilation - 1), width + (width - 1) * (dilation - 1), *w.shape[2:]), w.dtype
    )
    spread[::dilation, ::dilation] = w
    return spread


def multi_dilation_convolve2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    dilations: Sequence[int] = (1, 2, 4),
    filters: Sequence[int] | None = None,
    padding: str = "same",
) -> np.ndarray:
    """Convolve with kernels of one size and several reaches: `filters[i]` of them at `dilations[i]`.

    `w` is `(k, k, c_in, c_out)`; its output channels are cut into runs, by default as even as can be.
    With "valid" all maps are cut to the size of the furthest reaching one, centred.

    >>> multi_dilation_convolve2d(np.ones((1, 8, 8, 2)), np.ones((3, 3, 2, 6))).shape
    (1, 8, 8, 6)

    Chapter: layers/convolution-variants.
    """
    runs = np.array_split(np.arange(w.shape[-1]), len(dilations)) if filters is None else None
    counts = [len(run) for run in runs] if runs is not None else list(filters)
    if sum(counts) != w.shape[-1]:
        raise ValueError(
            f"filters {counts} add up to {sum(counts)}, and the kernel has {w.shape[-1]} outputs"
        )
    parts, start, furthest = [], 0, max(dilations)
    for count, dilation in zip(counts, dilations, strict=True):
        kernel = w[..., start : start + count]
        start += count
        crop = (
            [(furthest - dilation) * (side - 1) // 2 for side in w.shape[:2]]
            if padding == "valid"
            else (0, 0)
        )
        more = [(furthest - dilation) * (side - 1) for side in w.shape[:2]] if padding == "valid" else (0, 0)
        inner = x[:, crop[0] : x.shape[1] - more[0] + crop[0], crop[1] : x.shape[2] - more[1] + crop[1]]
        parts.append(convolve2d(inner, kernel, padding=padding, dilation=dilation))
    y = np.concatenate(parts, axis=-1)
    return y if b is None else y + b


def transposed_convolve2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int = 1,
    padding: Padding = "valid",
    size: tuple[int, int] | None = None,
) -> np.ndarray:
    """Let every pixel paint a copy of the kernel, `stride` apart, and add up where they overlap.

    The result is what carries gradients back through a convolution of that stride and padding: its matrix is the
    transposed matrix of the convolution.

    Args:
        x: images, `(batch, height, width, c_in)`.
        w: kernels, `(k, k, c_out, c_in)`, as in Keras.
        stride: how far apart the copies are painted.
        padding: "valid" gives a side of `max(k - s, 0) + s n`, "same" gives `s n`.
        size: another of the sizes that the convolution would take to `x`.

    >>> transposed_convolve2d(np.ones((1, 2, 2, 1)), np.ones((3, 3, 1, 1)), stride=2)[0, :, :, 0]
    array([[1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.],
           [2., 2., 4., 2., 2.],
           [1., 1., 2., 1., 1.],
           [1., 1., 2., 1., 1.]])

    Chapter: layers/upsampling.
    Paper: arXiv:1603.07285.
    """
    if x.ndim != 4 or w.ndim != 4 or x.shape[-1] != w.shape[-1]:
        raise ValueError(
            f"x has shape {x.shape} and w {w.shape}; needed are (batch, height, width, c_in) and "
            "(k, k, c_out, c_in): the output channels stand before the input channels"
        )
    k = w.shape[:2]
    if size is None:
        if isinstance(padding, str):
            size = tuple(
                s * stride + (max(side - stride, 0) if padding == "valid" else 0)
                for s, side in zip(x.shape[1:3], k, strict=True)
            )
        else:
            pads = (padding, padding) if isinstance(padding, int) else padding
            size = tuple((s - 1) * stride - sum(pads) + side for s, side in zip(x.shape[1:3], k, strict=True))
    geometry = plan(size, k, stride, padding)
    if geometry.size != x.shape[1:3]:
        raise ValueError(
            f"a convolution with this kernel, stride and padding takes {size} to {geometry.size}, "
            f"and x is {x.shape[1:3]}: give a size that leads there"
        )
    (top, bottom), (left, right) = geometry.padding
    y = np.zeros((len(x), size[0] + top + bottom, size[1] + left + right, w.shape[2]), np.result_type(x, w))
    for i, j, rows, columns in geometry.windows():
        y[:, rows, columns] += x @ w[i, j].T
    y = y[:, top : top + size[0], left : left + size[1]]
    return y if b is None else y + b


def upsample2d(x: np.ndarray, factor: int = 2) -> np.ndarray:
    """Copy each entry to a whole block of factor x factor: nearest-neighbour unpooling.

    >>> upsample2d(np.array([[1, 2]]).reshape(1, 1, 2, 1))[0, :, :, 0]
    array([[1, 1, 2, 2],
           [1, 1, 2, 2]])

    Chapter: layers/upsampling.
    """
    return x.repeat(factor, axis=1).repeat(factor, axis=2)


def bed_of_nails2d(x: np.ndarray, factor: int = 2) -> np.ndarray:
    """Put each entry into the top left corner of its block and zeros around it.

    >>> bed_of_nails2d(np.array([[1, 2]]).reshape(1, 1, 2, 1))[0, :, :, 0]
    array([[1, 0, 2, 0],
           [0, 0, 0, 0]])

    Chapter: layers/upsampling.
    """
    n, height, width, channels = x.shape
    y = np.zeros((n, height * factor, width * factor, channels), x.dtype)
    y[:, ::factor, ::factor] = x
    return y


def max_pool2d_switches(x: np.ndarray, size: int | tuple[int, int] = 2) -> tuple[np.ndarray, np.ndarray]:
    """Max pooling over tiles, with the place of each winner: `row * width + column` within its own tile.

    Rows and columns that fill no tile are left out; of equals the first in reading order wins.

    >>> y, switches = max_pool2d_switches(np.array([[1, 5], [2, 4]]).reshape(1, 2, 2, 1))
    >>> y.item(), switches.item()
    (5, 1)

    Chapter: layers/upsampling.
    Paper: arXiv:1311.2901.
    """
    tiles = _tiles(x, both(size))
    return tiles.max(axis=3), tiles.argmax(axis=3)


def max_unpool2d(
    x: np.ndarray,
    switches: np.ndarray,
    size: int | tuple[int, int] = 2,
    output_size: tuple[int, int] | None = None,
) -> np.ndarray:
    """Put each maximum back where it was found, and zeros elsewhere.

    `output_size` adds the rows and columns that the pooling left out, as zeros at the end.

    >>> max_unpool2d(np.array([[[[5]]]]), np.array([[[[1]]]]))[0, :, :, 0]
    array([[0, 5],
           [0, 0]])

    Chapter: layers/upsampling.
    Paper: arXiv:1511.00561.
    """
    kh, kw = both(size)
    n, height, width, channels = x.shape
    y = np.zeros((n, *(output_size or (height * kh, width * kw)), channels), x.dtype)
    image, row, column, channel = np.indices(x.shape)
    y[image, row * kh + switches // kw, column * kw + switches % kw, channel] = x
    return y


def masked_convolve2d(
    x: np.ndarray, visible: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, groups: int = 1
) -> np.ndarray:
    """Convolve ("same", stride 1) what is visible, and write only where it is visible.

    `visible` is `(batch, height, width, 1)`, 1 for a pixel that may be seen and 0 for a hidden one.

    >>> visible = np.array([1, 0, 0]).reshape(1, 1, 3, 1)
    >>> masked_convolve2d(np.ones((1, 1, 3, 1)), visible, np.ones((1, 3, 1, 1)))[0, 0, :, 0]
    array([1., 0., 0.])

    Chapter: layers/convolution-variants.
    Paper: arXiv:2301.00808.
    """
    return convolve2d(x * visible, w, b, padding="same", groups=groups) * visible


def patch_mask(
    count: int, height: int, width: int, patch: int = 2, ratio: float = 0.6, seed: int = 0
) -> np.ndarray:
    """Masks `(count, height, width, 1)` that hide `ratio` of the patches of each image, drawn without order.

    Exactly `round(ratio * patches)` patches of each image are 0, the others 1.

    >>> patch_mask(5, 8, 8).mean(axis=(1, 2, 3)).tolist()
    [0.375, 0.375, 0.375, 0.375, 0.375]

    Chapter: layers/convolution-variants.
    Paper: arXiv:2301.00808.
    """
    if height % patch or width % patch or not 0 <= ratio <= 1:
        raise ValueError(
            f"patches of {patch} and a ratio of {ratio} do not suit {height} x {width}: the patch must divide "
            "both sides, and the ratio lie between 0 and 1"
        )
    rows, columns = height // patch, width // patch
    chance = np.random.default_rng(seed).random((count, rows * columns))
    hidden = chance.argsort(axis=1).argsort(axis=1) < round(ratio * rows * columns)
    return upsample2d((~hidden).astype(np.float32).reshape(count, rows, columns, 1), patch)


def _tiles(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(batch, rows, columns, kh * kw, channels): the pixels of each tile in reading order."""
    (n, height, width, channels), (kh, kw) = x.shape, size
    rows, columns = height // kh, width // kw
    if min(rows, columns) < 1:
        raise ValueError(f"an image of {height} x {width} holds no tile of {kh} x {kw}: use a smaller size")
    tiles = x[:, : rows * kh, : columns * kw].reshape(n, rows, kh, columns, kw, channels)
    return tiles.transpose(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, kh * kw, channels)


def checkerboard_strength(pictures: np.ndarray) -> float:
    """Energy at a period of two pixels, along one axis or both, over that of the frequencies beside it: 1 is no checkerboard.

    `pictures` is `(n, side, side)`, the side even and 6 or more; the energies are means over the n.

    >>> board = 1.0 - 2 * (np.indices((1, 8, 8)).sum(axis=0) % 2)
    >>> pictures = board + np.random.default_rng(0).normal(size=(9, 8, 8))
    >>> checkerboard_strength(pictures) > 10 > 3 > checkerboard_strength(pictures - board)
    True

    Chapter: layers/upsampling.
    Paper: doi:10.23915/distill.00003.
    """
    if (
        pictures.ndim != 3
        or pictures.shape[1] != pictures.shape[2]
        or len(pictures[0]) < 6
        or len(pictures[0]) % 2
    ):
        raise ValueError(
            f"pictures (n, side, side) of an even side, 6 or more, are needed; got shape {pictures.shape}"
        )
    inner = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    spectrum = (np.abs(np.fft.fft2(inner)) ** 2).mean(axis=0)
    m = len(spectrum) // 2  # the highest frequency: a period of two
    peaks = [(m, m), (m, 0), (0, m)]
    beside = [(m + 1, m + 1), (m + 1, m - 1), (m + 1, 0), (m - 1, 0), (0, m + 1), (0, m - 1)]
    return float(np.mean([spectrum[p] for p in peaks]) / np.mean([spectrum[b] for b in beside]))

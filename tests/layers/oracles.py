"""A convolution over any number of axes in plain NumPy, for layers whose ranks `cnnkit.scratch` does not write out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def each(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def pads(
    sides: Sequence[int], reach: Sequence[int], strides: Sequence[int], padding: str
) -> list[tuple[int, int]]:
    """Zeros before and after each axis: the odd one goes after."""
    if padding == "valid":
        return [(0, 0) for _ in sides]
    total = [max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(sides, reach, strides, strict=True)]
    return [(t // 2, t - t // 2) for t in total]


def convolve(
    x: np.ndarray,
    w: np.ndarray,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlate `(batch, *space, channels)` with `(*k, channels / groups, filters)`, window by window."""
    rank = x.ndim - 2
    k, strides, dilation = w.shape[:rank], each(strides, rank), each(dilation, rank)
    reach = [d * (n - 1) + 1 for n, d in zip(k, dilation, strict=True)]
    padded = np.pad(x, [(0, 0), *pads(x.shape[1:-1], reach, strides, padding), (0, 0)])
    size = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:-1], reach, strides, strict=True)]
    y = np.zeros((len(x), *size, w.shape[-1]))
    filters = w.shape[-1] // groups
    for place in np.ndindex(*size):
        corner = [i * s for i, s in zip(place, strides, strict=True)]
        window = padded[
            (slice(None), *(slice(c, c + r, d) for c, r, d in zip(corner, reach, dilation, strict=True)))
        ]
        for group, part in enumerate(np.split(window, groups, axis=-1)):
            own = slice(group * filters, (group + 1) * filters)
            y[(slice(None), *place, own)] = np.tensordot(part, w[..., own], axes=rank + 1)
    return y

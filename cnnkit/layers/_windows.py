"""What the layers with windows share: every window at once, without a loop over positions."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import WindowLayer, layout, sizes, tuple_of

__all__ = ["layout", "tuple_of"]


def windows(
    x: Any, size: Sequence[int], strides: Sequence[int], dilation_rate: Sequence[int] | None = None
) -> list[Any]:
    """The windows of `(batch, *space, channels)`, as one tensor `(batch, *positions, channels)` for each offset.

    In two dimensions tensor number u * kw + v holds what all windows have in row u, column v; together they are
    `prod(size)` outputs. Windows that do not fit are left out ("valid").
    """
    found = [x]
    for axis, (k, s, d) in enumerate(
        zip(size, strides, dilation_rate or (1,) * len(size), strict=True), start=1
    ):
        found = [part for one in found for part in along(one, axis, k, s, d)]
    return found


def along(x: Any, axis: int, k: int, s: int, d: int = 1) -> list[Any]:
    """The k slices `x[i d], x[i d + s], x[i d + 2s], ...` of one axis.

    Strided slices are slow on some backends, so the axis is folded into blocks of s first: then each slice
    is a run of blocks.
    """
    before = (slice(None),) * axis
    n, reach = sizes(x)[axis], d * (k - 1)
    if s == 1:
        return [x[(*before, slice(i, i - reach or None))] for i in range(0, reach + 1, d)]
    out, extra = (n - reach - 1) // s + 1, reach // s
    length = (out + extra) * s  # reaches at most s - 1 beyond the end, and not at all where tiles meet
    if reach + 1 != s:
        x = ops.pad(x, [(0, s - 1) if i == axis else (0, 0) for i in range(len(x.shape))])
    shape = sizes(x)
    blocks = ops.reshape(x[(*before, slice(0, length))], (*shape[:axis], out + extra, s, *shape[axis + 1 :]))
    return [blocks[(*before, slice(i // s, i // s + out), i % s)] for i in range(0, reach + 1, d)]


def pad_same(x: Any, size: Sequence[int], strides: Sequence[int], value: float = 0.0) -> Any:
    """Zeros, or another value, around `(batch, *space, channels)` by Keras's "same" rule: the odd one goes after."""
    pads = []
    for axis, (k, s) in enumerate(zip(size, strides, strict=True), start=1):
        n = sizes(x)[axis]
        total = (-(-n // s) - 1) * s + k - n
        total = max(total, 0) if isinstance(total, int) else ops.maximum(total, 0)
        pads.append((total // 2, total - total // 2))
    return ops.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)


def average(x: Any, size: Sequence[int], strides: Sequence[int], padding: str = "valid") -> Any:
    """The mean of each window of `(batch, *space, channels)`; padding is not counted."""
    size, strides = tuple(size), tuple(strides)  # Keras on JAX adds them to tuples
    if not _by_hand(x):
        if padding == "valid":
            return ops.average_pool(x, size, strides, data_format="channels_last")
        # Keras on PyTorch counts padding that is not the same on both sides, so the share of real pixels is divided out.
        mean, real = (
            ops.average_pool(pad_same(one, size, strides), size, strides, data_format="channels_last")
            for one in (x, ops.ones_like(x[:1, ..., :1]))
        )
        return mean / real
    if padding == "valid":
        return reduce(operator.add, windows(x, size, strides)) / math.prod(size)
    parts, real = (windows(pad_same(one, size, strides), size, strides) for one in (x, ops.ones_like(x)))
    return reduce(operator.add, parts) / reduce(operator.add, real)


def largest(x: Any, size: Sequence[int], strides: Sequence[int], padding: str = "valid") -> Any:
    """The maximum of each window of `(batch, *space, channels)`; padding never wins."""
    size, strides = tuple(size), tuple(strides)  # Keras on JAX adds them to tuples
    if not _by_hand(x):
        return ops.max_pool(x, size, strides, padding, data_format="channels_last")
    x = pad_same(x, size, strides, -math.inf) if padding == "same" else x
    return reduce(ops.maximum, windows(x, size, strides))


def _by_hand(x: Any) -> bool:
    """Whether it is a volume in float64, of which TensorFlow has no pooling on CPUs."""
    return len(x.shape) == 5 and keras.backend.standardize_dtype(x.dtype) == "float64"


class WindowPooling(WindowLayer):
    """Windows whose numbers become one, channel by channel; a family says how in `compute`."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        window = tuple_of(pool_size, self.rank, "pool_size")
        super().__init__(
            window, window if strides is None else strides, padding, data_format=data_format, **kwargs
        )

    @property
    def pool_size(self) -> tuple[int, ...]:
        """The sides of a window."""
        return self.window

    def average(self, x: Any) -> Any:
        """The mean of each window; padding is not counted."""
        return average(x, self.window, self.strides, self.padding)

    def largest(self, x: Any) -> Any:
        """The maximum of each window; padding never wins."""
        return largest(x, self.window, self.strides, self.padding)

    def windows(self, x: Any) -> list[Any]:
        """One tensor for each offset in the window; padding is zero."""
        if self.padding == "same":
            x = pad_same(x, self.window, self.strides)
        return windows(x, self.window, self.strides)

    def real(self, x: Any) -> list[Any]:
        """For each offset 1 where the window has a pixel there, 0 where it has padding."""
        if self.padding == "valid":
            return [1.0] * math.prod(self.window)
        return self.windows(ops.ones_like(x[:1, ..., :1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}

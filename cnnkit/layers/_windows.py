"""What the layers with windows share: every window at once, without a loop over positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

__all__: list[str] = []

Shape = tuple[int | None, ...]


def windows(x: Any, size: Sequence[int], strides: Sequence[int]) -> list[Any]:
    """The windows of `(batch, *space, channels)`, as one tensor `(batch, *positions, channels)` for each offset.

    Tensor number u * kw + v holds what all windows have in row u, column v; together they are `prod(size)`
    outputs. Windows that do not fit are left out ("valid").
    """
    found = [x]
    for along, (k, s) in enumerate(zip(size, strides, strict=True), start=1):
        found = [part for one in found for part in _along(one, along, k, s)]
    return found


def _along(x: Any, axis: int, k: int, s: int) -> list[Any]:
    """The k slices `x[i], x[i + s], x[i + 2s], ...` of one axis.

    Strided slices are slow on some backends, so the axis is folded into blocks of s first: then each slice
    is a run of blocks.
    """
    before = (slice(None),) * axis
    if s == 1:
        return [x[(*before, slice(i, i - k + 1 or None))] for i in range(k)]
    n = x.shape[axis] if x.shape[axis] is not None else ops.shape(x)[axis]
    out, extra = (n - k) // s + 1, (k - 1) // s
    length = (out + extra) * s  # reaches at most s - 1 beyond the end
    if extra:
        x = ops.pad(x, [(0, s - 1) if i == axis else (0, 0) for i in range(len(x.shape))])
    shape = [known if known is not None else ops.shape(x)[i] for i, known in enumerate(x.shape)]
    blocks = ops.reshape(x[(*before, slice(0, length))], (*shape[:axis], out + extra, s, *shape[axis + 1 :]))
    return [blocks[(*before, slice(i // s, i // s + out), i % s)] for i in range(k)]


def pad_same(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
    """Zeros around `(batch, height, width, channels)` by Keras's "same" rule: the odd one goes after."""
    pads = []
    for axis, (k, s) in enumerate(zip(size, strides, strict=True), start=1):
        n = x.shape[axis] if x.shape[axis] is not None else ops.shape(x)[axis]
        total = (-(-n // s) - 1) * s + k - n
        total = max(total, 0) if isinstance(total, int) else ops.maximum(total, 0)
        pads.append((total // 2, total - total // 2))
    return ops.pad(x, [(0, 0), *pads, (0, 0)])


def tuple_of(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """`value` once for each axis, or an error that names the argument."""
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(int(v) for v in value)
    except TypeError:
        values = ()
    if len(values) != rank or min(values) < 1:
        wanted = f" or {rank} of them" if rank > 1 else ""
        raise ValueError(f"{name} must be a positive integer{wanted}, not {value!r}")
    return values


def layout(data_format: str | None) -> str:
    """`data_format`, or Keras's default for None, or an error that lists the two layouts."""
    value = data_format or keras.config.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first', not {data_format!r}")
    return value


class WindowPooling2D(keras.Layer):
    """Windows over height and width, channel by channel; a subclass says what becomes of a window."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if padding not in ("valid", "same"):
            raise ValueError(f"padding must be 'valid' or 'same', not {padding!r}")
        self.pool_size = tuple_of(pool_size, 2, "pool_size")
        self.strides = self.pool_size if strides is None else tuple_of(strides, 2, "strides")
        self.padding = padding
        self.data_format = layout(data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # for its errors

    def pool(self, x: Any, training: bool) -> Any:
        """The pooled `(batch, height, width, channels)`."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        if self.data_format == "channels_last":
            return self.pool(inputs, training)
        return ops.moveaxis(self.pool(ops.moveaxis(inputs, 1, -1), training), -1, 1)

    def average(self, x: Any) -> Any:
        return ops.average_pool(x, self.pool_size, self.strides, self.padding, data_format="channels_last")

    def largest(self, x: Any) -> Any:
        return ops.max_pool(x, self.pool_size, self.strides, self.padding, data_format="channels_last")

    def windows(self, x: Any) -> list[Any]:
        """One tensor for each offset in the window; padding is zero."""
        if self.padding == "same":
            x = pad_same(x, self.pool_size, self.strides)
        return windows(x, self.pool_size, self.strides)

    def real(self, x: Any) -> list[Any]:
        """For each offset 1 where the window has a pixel there, 0 where it has padding."""
        if self.padding == "valid":
            return [1.0] * math.prod(self.pool_size)
        return self.windows(ops.ones_like(x[:1, :, :, :1]))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        batch, *rest = input_shape
        space = rest[:2] if self.data_format == "channels_last" else rest[1:]
        channels = rest[2] if self.data_format == "channels_last" else rest[0]
        size = [
            n if n is None else self._outputs(n, k, s)
            for n, k, s in zip(space, self.pool_size, self.strides, strict=True)
        ]
        return (batch, *size, channels) if self.data_format == "channels_last" else (batch, channels, *size)

    def _outputs(self, n: int, k: int, s: int) -> int:
        if self.padding == "same":
            return -(-n // s)
        if n < k:
            raise ValueError(
                f"a side of {n} is smaller than the window of {k}: use a smaller pool_size or padding='same'"
            )
        return (n - k) // s + 1

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }

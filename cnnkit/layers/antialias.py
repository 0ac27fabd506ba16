"""Subsampling that does not alias, and padding that keeps a convolution equivariant up to the border."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout, tuple_of
from cnnkit.layers.registry import register_layer
from cnnkit.scratch.antialias import binomial_kernel

__all__ = ["BlurPool2D", "CircularPadding2D"]

Shape = tuple[int | None, ...]


def wrap(x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Pad axes 1 and 2 of `(batch, height, width, channels)` with pixels of the opposite side."""
    for axis, (before, after) in enumerate(pads, start=1):
        side = (slice(None),) * axis
        parts = [x[(*side, slice(-before, None))]] if before else []
        parts += [x, x[(*side, slice(0, after))]] if after else [x]
        x = ops.concatenate(parts, axis=axis)
    return x


def _long_enough(shape: Sequence[int | None], pads: Sequence[tuple[int, int]], least: int, what: str) -> None:
    for n, pad in zip(shape, pads, strict=True):
        if n is not None and n < max(pad) + least:
            raise ValueError(
                f"a side of {n} is too short for {what} padding by {max(pad)}: it needs at least {max(pad) + least}"
            )


@register_layer(chapter="layers/receptive-fields", paper="arXiv:1904.11486")
class BlurPool2D(keras.Layer):
    """Blur with a fixed binomial kernel, then keep every second pixel: a stride that does not alias.

    y[i, j] = sum over u, v of b[u] b[v] x[s i + u - p, s j + v - p],  b a line of Pascal's triangle over its sum

    Put it where a stride was: a strided convolution becomes the convolution without stride and this layer, max
    pooling becomes max pooling with `strides=1` and this layer.

    Arguments: `kernel_size`, the side of the blur (2 to 7 are usual); `strides`; `padding`, "same" (zeros),
    "reflect" or "circular"; `data_format`.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, ceil(height / s), ceil(width / s), channels)`.

    >>> x = ops.reshape(ops.array([0.0, 1.0] * 4), (1, 1, 8, 1))
    >>> y = BlurPool2D(3, padding="circular")(ops.repeat(x, 8, axis=1))
    >>> ops.convert_to_numpy(y)[0, 0, :, 0].tolist()
    [0.5, 0.5, 0.5, 0.5]

    Chapter: layers/receptive-fields.
    Paper: arXiv:1904.11486.
    """

    def __init__(
        self,
        kernel_size: int = 3,
        strides: int | Sequence[int] = 2,
        padding: str = "same",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if padding not in ("same", "reflect", "circular"):
            raise ValueError(f"padding must be 'same', 'reflect' or 'circular', not {padding!r}")
        self.kernel_size = tuple_of(kernel_size, 1, "kernel_size")[0]
        self.strides = tuple_of(strides, 2, "strides")
        self.padding = padding
        self.data_format = layout(data_format)
        self.input_spec = keras.InputSpec(ndim=4)
        self._pads = [((self.kernel_size - 1) // 2, self.kernel_size // 2)] * 2

    def call(self, inputs: Any) -> Any:
        x = inputs if self.data_format == "channels_last" else ops.moveaxis(inputs, 1, -1)
        if self.padding == "circular":
            _long_enough(x.shape[1:3], self._pads, 0, self.padding)
            x = wrap(x, self._pads)
        elif self.kernel_size > 1:
            if self.padding == "reflect":
                _long_enough(x.shape[1:3], self._pads, 1, self.padding)
            x = ops.pad(
                x, [(0, 0), *self._pads, (0, 0)], mode="constant" if self.padding == "same" else "reflect"
            )
        channels = x.shape[-1]
        blur = ops.cast(binomial_kernel(self.kernel_size)[:, :, None, None], x.dtype)
        kernel = ops.tile(blur, (1, 1, channels, 1))
        rows, columns = self.strides
        alike = rows == columns  # TensorFlow has no depthwise convolution with two strides
        y = ops.depthwise_conv(x, kernel, rows if alike else 1, "valid", data_format="channels_last")
        y = y if alike else y[:, ::rows, ::columns]
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        first = 1 if self.data_format == "channels_last" else 2
        shape = list(input_shape)
        for axis, s in enumerate(self.strides, start=first):
            shape[axis] = None if shape[axis] is None else -(-shape[axis] // s)
        return tuple(shape)

    def multiply_adds(self, input_shape: Shape) -> int:
        """Sums of products of one example: a k x k window for each output."""
        return math.prod(self.compute_output_shape(input_shape)[1:]) * self.kernel_size**2

    def receptive_field_window(self, input_shape: Shape) -> dict[str, Any]:
        """What one output sees, for `cnnkit.insight`."""
        return {"kernel_size": self.kernel_size, "strides": self.strides, "padding": self._pads[0][0]}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


@register_layer(chapter="layers/receptive-fields", paper="arXiv:2003.07064")
class CircularPadding2D(keras.Layer):
    """Pad an image with its own opposite side, as if it were drawn on a torus.

    Before a convolution with `padding="valid"` it takes the border away, and with it the clue to position that
    zeros leave: the two together commute with every circular shift.

    Arguments: `padding`, pixels on each side, a number or `(rows, columns)`; `data_format`.
    Input shape: `(batch, height, width, channels)`. Output shape: height and width grown by twice the padding.

    >>> x = ops.reshape(ops.array([1.0, 2.0, 3.0]), (1, 1, 3, 1))
    >>> ops.convert_to_numpy(CircularPadding2D((0, 1))(x))[0, 0, :, 0].tolist()
    [3.0, 1.0, 2.0, 3.0, 1.0]

    Chapter: layers/receptive-fields.
    Paper: arXiv:2003.07064.
    """

    def __init__(
        self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        amounts = (padding, padding) if isinstance(padding, int) else tuple(padding)
        if len(amounts) != 2 or min(amounts) < 0:
            raise ValueError(f"padding must be a number or two, none below 0, not {padding!r}")
        self.padding = tuple(int(p) for p in amounts)
        self.data_format = layout(data_format)
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        pads = [(p, p) for p in self.padding]
        x = inputs if self.data_format == "channels_last" else ops.moveaxis(inputs, 1, -1)
        _long_enough(x.shape[1:3], pads, 0, "circular")
        y = wrap(x, pads)
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        first = 1 if self.data_format == "channels_last" else 2
        shape = list(input_shape)
        for axis, p in enumerate(self.padding, start=first):
            shape[axis] = None if shape[axis] is None else shape[axis] + 2 * p
        return tuple(shape)

    def receptive_field_window(self, input_shape: Shape) -> dict[str, Any]:
        """What one output sees, for `cnnkit.insight`: one pixel, counted on beyond the border."""
        return {"kernel_size": 1, "padding": self.padding}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}

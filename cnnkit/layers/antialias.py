"""Subsampling that does not alias, and padding that keeps a convolution equivariant up to the border."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from keras import ops

from cnnkit.layers._spatial import Shape, SpatialLayer, WindowLayer, sizes, tuple_of
from cnnkit.layers._windows import along
from cnnkit.layers.registry import register_layer

__all__ = [
    "BlurPool1D",
    "BlurPool2D",
    "BlurPool3D",
    "CircularPadding1D",
    "CircularPadding2D",
    "CircularPadding3D",
]


def wrap(x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    """Pad the space of `(batch, *space, channels)` with what stands at the opposite side."""
    for axis, (before, after) in enumerate(pads, start=1):
        side = (slice(None),) * axis
        parts = [x[(*side, slice(-before, None))]] if before else []
        parts += [x, x[(*side, slice(0, after))]] if after else [x]
        x = ops.concatenate(parts, axis=axis)
    return x


def _long_enough(space: Shape, pads: Sequence[tuple[int, int]], least: int, what: str) -> None:
    """Refuse a side that has not as many places as its padding takes from it."""
    for n, pad in zip(space, pads, strict=True):
        if n is not None and n < max(pad) + least:
            raise ValueError(
                f"a side of {n} is too short for {what} padding by {max(pad)}: it needs at least {max(pad) + least}"
            )


class _BlurPool(WindowLayer):
    """A binomial blur and a stride over any number of axes."""

    paddings = ("same", "reflect", "circular")

    def __init__(
        self,
        kernel_size: int | Sequence[int] = 3,
        strides: int | Sequence[int] = 2,
        padding: str = "same",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        window = tuple_of(kernel_size, self.rank, "kernel_size")
        super().__init__(window, strides, padding, data_format=data_format, **kwargs)
        self._pads = tuple(((k - 1) // 2, k // 2) for k in window)
        self._lines = tuple(tuple(math.comb(k - 1, i) / 2 ** (k - 1) for i in range(k)) for k in window)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """The sides of the blur."""
        return self.window

    def output_space(self, space: Shape) -> Shape:
        if self.padding != "same":
            _long_enough(space, self._pads, int(self.padding == "reflect"), self.padding)
        return tuple(None if n is None else -(-n // s) for n, s in zip(space, self.strides, strict=True))

    def compute(self, x: Any, training: bool = False) -> Any:
        x = self._padded(x)
        if self.rank < 3:
            return self._blur(x, self._lines, self.strides)
        # No backend has a depthwise convolution of volumes: the planes are mixed first, then each is blurred.
        line, (step, *strides) = self._lines[0], self.strides
        parts = along(x, 1, len(line), step)
        mixed = reduce(operator.add, (weight * part for weight, part in zip(line, parts, strict=True)))
        _, depth, *plane = sizes(mixed)
        blurred = self._blur(ops.reshape(mixed, (-1, *plane)), self._lines[1:], strides)
        return ops.reshape(blurred, (-1, depth, *sizes(blurred)[1:]))

    def _blur(self, x: Any, lines: Sequence[Sequence[float]], strides: Sequence[int]) -> Any:
        """Convolve each channel with the product of one or two lines of Pascal's triangle."""
        kernel = [math.prod(weights) for weights in itertools.product(*lines)]
        kernel = ops.reshape(ops.convert_to_tensor(kernel, x.dtype), (*map(len, lines), 1, 1))
        kernel = ops.tile(kernel, (*[1] * len(lines), x.shape[-1], 1))
        alike = len(set(strides)) == 1  # TensorFlow has no depthwise convolution with two strides
        y = ops.depthwise_conv(x, kernel, strides[0] if alike else 1, "valid", data_format="channels_last")
        return y if alike else y[(slice(None), *(slice(None, None, s) for s in strides))]

    def _padded(self, x: Any) -> Any:
        if self.padding == "circular":
            return wrap(x, self._pads)
        if max(self.window) == 1:
            return x
        mode = "constant" if self.padding == "same" else "reflect"
        return ops.pad(x, [(0, 0), *self._pads, (0, 0)], mode=mode)

    def products(self, channels: int) -> int:
        return math.prod(self.window)

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any]:
        before = tuple(before for before, _ in self._pads)
        return {"kernel_size": self.window, "strides": self.strides, "padding": before}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernel_size": self.kernel_size}


@register_layer(chapter="layers/invariance", paper="arXiv:1904.11486")
class BlurPool1D(_BlurPool):
    """Blur a signal with a fixed binomial kernel, then keep every second step: `BlurPool2D` along one axis.

    Args:
        kernel_size, strides, padding, data_format: as for `BlurPool2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, ceil(steps / s), channels)`.

    Example:
        >>> x = ops.reshape(ops.array([0.0, 1.0] * 4), (1, 8, 1))
        >>> ops.convert_to_numpy(BlurPool1D(3, padding="circular")(x))[0, :, 0].tolist()
        [0.5, 0.5, 0.5, 0.5]
    """

    rank = 1


@register_layer(chapter="layers/invariance", paper="arXiv:1904.11486")
class BlurPool2D(_BlurPool):
    """Blur with a fixed binomial kernel, then keep every second pixel: a stride that does not alias.

    ::

        y[i, j] = sum over u, v of b[u] b[v] x[s i + u - p, s j + v - p],  b a line of Pascal's triangle over its sum

    Put it where a stride was: a strided convolution becomes the convolution without stride and this layer, max
    pooling becomes max pooling with `strides=1` and this layer.

    Args:
        kernel_size: sides of the blur, one number or one an axis; 2 to 7 are usual.
        strides: the step that is made safe.
        padding: `"same"` (zeros), `"reflect"` or `"circular"`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, ceil(height / s), ceil(width / s), channels)`.

    Example:
        >>> x = ops.reshape(ops.array([0.0, 1.0] * 4), (1, 1, 8, 1))
        >>> y = BlurPool2D(3, padding="circular")(ops.repeat(x, 8, axis=1))
        >>> ops.convert_to_numpy(y)[0, 0, :, 0].tolist()
        [0.5, 0.5, 0.5, 0.5]
    """

    rank = 2


@register_layer(chapter="layers/invariance", paper="arXiv:1904.11486")
class BlurPool3D(_BlurPool):
    """Blur a volume with a fixed binomial kernel, then keep every second plane, row and column.

    Args:
        kernel_size, strides, padding, data_format: as for `BlurPool2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, ceil(depth / s), ceil(height / s), ceil(width / s), channels)`.

    Example:
        >>> float(BlurPool3D(2, padding="circular")(ops.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


class _CircularPadding(SpatialLayer):
    """Padding from the opposite side over any number of axes."""

    widens = False

    def __init__(
        self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = tuple_of(padding, self.rank, "padding", least=0)

    def output_space(self, space: Shape) -> Shape:
        _long_enough(space, [(p, p) for p in self.padding], 0, "circular")
        return tuple(None if n is None else n + 2 * p for n, p in zip(space, self.padding, strict=True))

    def compute(self, x: Any, training: bool = False) -> Any:
        return wrap(x, [(p, p) for p in self.padding])

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any]:
        return {"kernel_size": 1, "padding": self.padding}  # one place, counted on beyond the border

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


@register_layer(chapter="layers/invariance", paper="arXiv:2003.07064")
class CircularPadding1D(_CircularPadding):
    """Pad a signal with its own opposite end, as if it were drawn on a ring: `CircularPadding2D` along one axis.

    Args:
        padding: steps at each end.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, steps + 2 padding, channels)`.

    Example:
        >>> x = ops.reshape(ops.array([1.0, 2.0, 3.0]), (1, 3, 1))
        >>> ops.convert_to_numpy(CircularPadding1D(1)(x))[0, :, 0].tolist()
        [3.0, 1.0, 2.0, 3.0, 1.0]
    """

    rank = 1


@register_layer(chapter="layers/invariance", paper="arXiv:2003.07064")
class CircularPadding2D(_CircularPadding):
    """Pad an image with its own opposite side, as if it were drawn on a torus.

    Before a convolution with `padding="valid"` it takes the border away, and with it the clue to position that
    zeros leave: the two together commute with every circular shift.

    Args:
        padding: pixels on each side, a number or `(rows, columns)`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The same, height and width grown by twice the padding.

    Example:
        >>> x = ops.reshape(ops.array([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(CircularPadding2D((0, 1))(x))[0, 0, :, 0].tolist()
        [3.0, 1.0, 2.0, 3.0, 1.0]
    """

    rank = 2


@register_layer(chapter="layers/invariance", paper="arXiv:2003.07064")
class CircularPadding3D(_CircularPadding):
    """Pad a volume with its own opposite sides: `CircularPadding2D` along three axes.

    Args:
        padding: places on each side, a number or `(planes, rows, columns)`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        The same, all three sides grown by twice the padding.

    Example:
        >>> tuple(CircularPadding3D((0, 1, 2))(ops.ones((1, 4, 4, 4, 1))).shape)
        (1, 4, 6, 8, 1)
    """

    rank = 3

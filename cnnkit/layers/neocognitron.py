"""The S- and C-cells of Fukushima's neocognitron as Keras layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer
from cnnkit.scratch.neocognitron import fading_mask

__all__ = ["CCell", "SCell"]

Shape = tuple[int | None, ...]


class _Cell(keras.Layer):
    """What S- and C-cells share: a square window, zero padding, and either order of the axes."""

    def _set_window(self, kernel_size: int, strides: int, padding: int, data_format: str | None) -> None:
        if kernel_size < 1 or strides < 1 or padding < 0:
            raise ValueError(
                f"{type(self).__name__} needs kernel_size >= 1, strides >= 1 and padding >= 0; "
                f"got {kernel_size}, {strides} and {padding}"
            )
        self.kernel_size, self.strides, self.padding = kernel_size, strides, padding
        self.data_format = layout(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def _channels(self, shape: Shape) -> int:
        channels = shape[-1 if self.data_format == "channels_last" else 1]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__} needs the number of channels; the shape {shape} leaves it open"
            )
        return channels

    def _last_and_padded(self, x: Any) -> Any:
        if self.data_format == "channels_first":
            x = ops.transpose(x, (0, 2, 3, 1))
        around = (self.padding, self.padding)
        return ops.pad(x, ((0, 0), around, around, (0, 0))) if self.padding else x

    def _back(self, x: Any) -> Any:
        return ops.transpose(x, (0, 3, 1, 2)) if self.data_format == "channels_first" else x

    def _output_shape(self, shape: Shape, planes: int) -> Shape:
        sides = shape[1:3] if self.data_format == "channels_last" else shape[2:]
        if any(n is not None and n + 2 * self.padding < self.kernel_size for n in sides):
            raise ValueError(
                f"{type(self).__name__}: a window of {self.kernel_size} does not fit into sides of {sides} with a "
                f"padding of {self.padding}; use a smaller kernel_size, or more padding"
            )
        sides = tuple(
            None if n is None else (n + 2 * self.padding - self.kernel_size) // self.strides + 1
            for n in sides
        )
        return (
            (shape[0], *sides, planes) if self.data_format == "channels_last" else (shape[0], planes, *sides)
        )


@register_layer(chapter="origins/neocognitron", paper="doi:10.1007/BF00344251")
class SCell(_Cell):
    """Planes of S-cells: shared excitatory weights against one shunting inhibitory cell at each place.

    With e the weighted sum of the inputs, v their weighted root mean square over all planes (fixed weights
    that fade from the middle), and b the inhibitory weight of the plane,

        u = r * max(0, (1 + e) / (1 + 2 r / (1 + r) * b * v) - 1).

    The inhibition divides, so that a grown cell compares shapes and not strengths: it fires where the
    likeness to what it has learned exceeds about r / (r + 1).  Both kinds of weight stay non-negative.

    Arguments:
        planes: the number of planes.
        kernel_size: side of the window.
        padding: rings of zeros around the image.
        selectivity: r, above 0.
        falloff: by how much the fixed weights of v fade with each pixel from the middle, above 0 and at most 1.
        data_format: "channels_last" or "channels_first"; Keras's setting when None.

    Input `(batch, height, width, channels)`, output `(batch, height', width', planes)`.

    >>> tuple(SCell(24, padding=2)(keras.ops.ones((1, 16, 16, 1))).shape)
    (1, 16, 16, 24)

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """

    def __init__(
        self,
        planes: int,
        kernel_size: int = 5,
        padding: int = 0,
        selectivity: float = 4.0,
        falloff: float = 0.9,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._set_window(kernel_size, 1, padding, data_format)
        if planes < 1 or selectivity <= 0:
            raise ValueError(f"SCell needs planes >= 1 and selectivity > 0; got {planes} and {selectivity}")
        self.planes, self.selectivity, self.falloff = planes, selectivity, falloff

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that is too small
        channels, size = self._channels(input_shape), self.kernel_size
        self._mask = fading_mask(size, self.falloff)[:, :, None, None] / channels
        most = 0.01 * float(self._mask.max())
        self.excitatory = self.add_weight(
            name="excitatory",
            shape=(size, size, channels, self.planes),
            initializer=keras.initializers.RandomUniform(0, most),
            constraint=keras.constraints.NonNeg(),
        )
        self.inhibitory = self.add_weight(
            name="inhibitory",
            shape=(self.planes,),
            initializer="zeros",
            constraint=keras.constraints.NonNeg(),
        )

    def call(self, inputs: Any) -> Any:
        x = self._last_and_padded(inputs)
        e = ops.conv(x, self.excitatory, data_format="channels_last")
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        mask = ops.convert_to_tensor(self._mask, dtype=x.dtype)
        # The small number keeps the slope of the root finite where the picture is blank.
        v = ops.sqrt(ops.conv(squares, mask, data_format="channels_last") + 1e-7)
        brake = 2 * self.selectivity / (1 + self.selectivity) * self.inhibitory * v
        return self._back(self.selectivity * ops.relu((1 + e) / (1 + brake) - 1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self._output_shape(input_shape, self.planes)

    def get_config(self) -> dict[str, Any]:
        own = ("planes", "kernel_size", "padding", "selectivity", "falloff", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


@register_layer(chapter="origins/neocognitron", paper="doi:10.1007/BF00344251")
class CCell(_Cell):
    """Planes of C-cells: each blurs one plane of S-cells with fixed weights, and saturates.

    With e the blurred plane times `strength`, and v the mean of e over all planes (which inhibits),
    t = max(0, (1 + e) / (1 + v) - 1) and the answer is t / (saturation + t), below 1 whatever comes in.
    Nothing is learned here.

    Arguments:
        kernel_size: side of the window.
        strides: the step from one cell to the next.
        padding: rings of zeros around each plane.
        strength: what the blurred plane is multiplied with.
        falloff: by how much the weights of the blur fade with each pixel from the middle, above 0 and at most 1.
        saturation: the t at which half of the strongest answer is reached.
        rule: "sum", or "max" for the largest value of the window in place of the blur, as the cresceptron had it.
        data_format: "channels_last" or "channels_first"; Keras's setting when None.

    Input `(batch, height, width, planes)`, output `(batch, height', width', planes)`.

    >>> tuple(CCell(5, strides=2, padding=4)(keras.ops.ones((1, 16, 16, 24))).shape)
    (1, 10, 10, 24)

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """

    def __init__(
        self,
        kernel_size: int = 5,
        strides: int = 2,
        padding: int = 4,
        strength: float = 10.0,
        falloff: float = 0.8,
        saturation: float = 0.5,
        rule: str = "sum",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._set_window(kernel_size, strides, padding, data_format)
        if rule not in ("sum", "max"):
            raise ValueError(
                f"rule must be 'sum' (the neocognitron) or 'max' (the cresceptron); got {rule!r}"
            )
        self.strength, self.falloff, self.saturation, self.rule = strength, falloff, saturation, rule

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that is too small
        planes = self._channels(input_shape)
        self._mask = fading_mask(self.kernel_size, self.falloff)[:, :, None, None].repeat(planes, axis=2)

    def call(self, inputs: Any) -> Any:
        x = self._last_and_padded(inputs)
        if self.rule == "max":
            e = ops.max_pool(x, self.kernel_size, self.strides, padding="valid", data_format="channels_last")
        else:
            mask = ops.convert_to_tensor(self._mask, dtype=x.dtype)
            e = ops.depthwise_conv(x, mask, self.strides, padding="valid", data_format="channels_last")
        e = self.strength * e
        t = ops.relu((1 + e) / (1 + ops.mean(e, axis=-1, keepdims=True)) - 1)
        return self._back(t / (self.saturation + t))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self._output_shape(input_shape, self._channels(input_shape))

    def get_config(self) -> dict[str, Any]:
        own = (
            "kernel_size",
            "strides",
            "padding",
            "strength",
            "falloff",
            "saturation",
            "rule",
            "data_format",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

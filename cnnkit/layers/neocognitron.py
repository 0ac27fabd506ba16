"""The S- and C-cells of Fukushima's neocognitron as Keras layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._kernels import RingLayer, constant
from cnnkit.layers._spatial import tuple_of
from cnnkit.layers._windows import largest
from cnnkit.layers.registry import register_layer
from cnnkit.scratch.neocognitron import fading_mask

__all__ = ["CCell", "SCell"]


class _Cell(RingLayer):
    """What S- and C-cells share: a square window with a ring of zeros around the map.

    They divide and square, so weights and inputs are not rounded to the dtype of the policy: the answer is.
    """

    rank = 2

    def __init__(
        self, kernel_size: int, strides: int, padding: int, data_format: str | None, **kwargs: Any
    ) -> None:
        sides, (step,), (rings,) = (
            tuple_of(kernel_size, 1, "kernel_size") * 2,
            tuple_of(strides, 1, "strides"),
            tuple_of(padding, 1, "padding", least=0),
        )
        super().__init__(sides, step, rings, data_format, autocast=False, **kwargs)

    @property
    def kernel_size(self) -> int:
        """Side of the window."""
        return self.window[0]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides[0],
            "padding": self.padding[0],
        }


@register_layer(chapter="origins/neocognitron", paper="doi:10.1007/BF00344251")
class SCell(_Cell):
    """Planes of S-cells: shared excitatory weights against one shunting inhibitory cell at each place.

    With e the weighted sum of the inputs, v their weighted root mean square over all planes (fixed weights
    that fade from the middle), and b the inhibitory weight of the plane::

        u = r * max(0, (1 + e) / (1 + 2 r / (1 + r) * b * v) - 1)

    The inhibition divides, so that a grown cell compares shapes and not strengths: it fires where the
    likeness to what it has learned exceeds about r / (r + 1).  Both kinds of weight stay non-negative.

    Args:
        planes: the number of planes.
        kernel_size: side of the window.
        padding: rings of zeros around the image.
        selectivity: r, above 0.
        falloff: by how much the fixed weights of v fade with each pixel from the middle, above 0 and at most 1.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        excitatory_regularizer: a penalty on the excitatory weights.
        inhibitory_regularizer: a penalty on the inhibitory weights.
        excitatory_constraint: what holds the excitatory weights; the rule of the paper by default.
        inhibitory_constraint: what holds the inhibitory weights.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height', width', planes)`.

    Example:
        >>> tuple(SCell(24, padding=2)(keras.ops.ones((1, 16, 16, 1))).shape)
        (1, 16, 16, 24)
    """

    def __init__(
        self,
        planes: int,
        kernel_size: int = 5,
        padding: int = 0,
        selectivity: float = 4.0,
        falloff: float = 0.9,
        data_format: str | None = None,
        excitatory_regularizer: Any = None,
        inhibitory_regularizer: Any = None,
        excitatory_constraint: Any = "non_neg",
        inhibitory_constraint: Any = "non_neg",
        **kwargs: Any,
    ) -> None:
        super().__init__(kernel_size, 1, padding, data_format, **kwargs)
        (self.planes,) = tuple_of(planes, 1, "planes")
        if not selectivity > 0:
            raise ValueError(f"selectivity must be above 0, not {selectivity!r}")
        self.selectivity, self.falloff = selectivity, falloff
        self._mask = constant(fading_mask(self.kernel_size, falloff)[:, :, None, None])
        self.excitatory_regularizer = keras.regularizers.get(excitatory_regularizer)
        self.inhibitory_regularizer = keras.regularizers.get(inhibitory_regularizer)
        self.excitatory_constraint = keras.constraints.get(excitatory_constraint)
        self.inhibitory_constraint = keras.constraints.get(inhibitory_constraint)

    def output_channels(self, channels: int | None) -> int | None:
        return self.planes

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that is too small
        _, channels = self.fix(input_shape)
        most = 0.01 * float(fading_mask(self.kernel_size, self.falloff).max()) / channels
        self.excitatory = self.add_weight(
            name="excitatory",
            shape=(*self.window, channels, self.planes),
            initializer=keras.initializers.RandomUniform(0, most),
            regularizer=self.excitatory_regularizer,
            constraint=self.excitatory_constraint,
        )
        self.inhibitory = self.add_weight(
            name="inhibitory",
            shape=(self.planes,),
            initializer="zeros",
            regularizer=self.inhibitory_regularizer,
            constraint=self.inhibitory_constraint,
        )

    def compute(self, x: Any, training: bool = False) -> Any:
        x = self.padded(x)
        excitatory, inhibitory = (ops.cast(w, x.dtype) for w in (self.excitatory, self.inhibitory))
        e = ops.conv(x, excitatory, data_format="channels_last")
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True) / x.shape[-1]
        mask = ops.convert_to_tensor(self._mask, dtype=x.dtype)
        # The small number keeps the slope of the root finite where the picture is blank.
        v = ops.sqrt(ops.conv(squares, mask, data_format="channels_last") + 1e-7)
        brake = 2 * self.selectivity / (1 + self.selectivity) * inhibitory * v
        return self.selectivity * ops.relu((1 + e) / (1 + brake) - 1)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        # One kernel for each plane, and one of one plane for the cell that inhibits them all.
        space, channels = self.split(input_shape)
        return math.prod((*self.output_space(space), *self.window)) * (channels * self.planes + 1)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "planes": self.planes,
            "selectivity": self.selectivity,
            "falloff": self.falloff,
            "excitatory_regularizer": keras.regularizers.serialize(self.excitatory_regularizer),
            "inhibitory_regularizer": keras.regularizers.serialize(self.inhibitory_regularizer),
            "excitatory_constraint": keras.constraints.serialize(self.excitatory_constraint),
            "inhibitory_constraint": keras.constraints.serialize(self.inhibitory_constraint),
        }
        del config["strides"]
        return config


@register_layer(chapter="origins/neocognitron", paper="doi:10.1007/BF00344251")
class CCell(_Cell):
    """Planes of C-cells: each blurs one plane of S-cells with fixed weights, and saturates.

    With e the blurred plane times `strength`, and v the mean of e over all planes (which inhibits)::

        t = max(0, (1 + e) / (1 + v) - 1),   u = t / (saturation + t)

    so the answer is below 1 whatever comes in. Nothing is learned here.

    Args:
        kernel_size: side of the window.
        strides: the step from one cell to the next.
        padding: rings of zeros around each plane.
        strength: what the blurred plane is multiplied with.
        falloff: by how much the weights of the blur fade with each pixel from the middle, above 0 and at most 1.
        saturation: the t at which half of the strongest answer is reached.
        rule: `"sum"`, or `"max"` for the largest value of the window in place of the blur, as the cresceptron
            had it.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, planes)`.

    Output shape:
        `(batch, height', width', planes)`.

    Example:
        >>> tuple(CCell(5, strides=2, padding=4)(keras.ops.ones((1, 16, 16, 24))).shape)
        (1, 10, 10, 24)
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
        super().__init__(kernel_size, strides, padding, data_format, **kwargs)
        if rule not in ("sum", "max"):
            raise ValueError(
                f"rule must be 'sum' (the neocognitron) or 'max' (the cresceptron); got {rule!r}"
            )
        self.strength, self.falloff, self.saturation, self.rule = strength, falloff, saturation, rule
        self._mask = constant(fading_mask(self.kernel_size, falloff)[:, :, None, None])

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that is too small
        self.fix(input_shape)

    def compute(self, x: Any, training: bool = False) -> Any:
        x = self.padded(x)
        if self.rule == "max":
            e = largest(x, self.window, self.strides)
        else:
            mask = ops.repeat(ops.convert_to_tensor(self._mask, dtype=x.dtype), x.shape[-1], axis=2)
            e = ops.depthwise_conv(x, mask, self.strides, padding="valid", data_format="channels_last")
        e = self.strength * e
        t = ops.relu((1 + e) / (1 + ops.sum(e, axis=-1, keepdims=True) / e.shape[-1]) - 1)
        return t / (self.saturation + t)

    def products(self, channels: int) -> int:
        return math.prod(self.window) if self.rule == "sum" else 0

    def get_config(self) -> dict[str, Any]:
        own = ("strength", "falloff", "saturation", "rule")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

"""Simple and complex cells as Keras layers, and the cascade that Hubel and Wiesel drew.

Channels are kept orientation by orientation: channel `o * phases + p` of a simple layer is orientation o at
phase p, and a complex layer folds the phases, so that it has one channel an orientation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import WindowLayer, sizes, tuple_of
from cnnkit.layers._windows import average, largest
from cnnkit.layers.registry import register_layer
from cnnkit.origins._building import channels_last
from cnnkit.origins.gabor import gabor_bank

__all__ = ["ComplexCells", "SimpleCells", "cortex"]


@register_layer(chapter="origins/hubel-wiesel", paper="doi:10.1113/jphysiol.1962.sp006837")
class SimpleCells(WindowLayer):
    """A fixed bank of Gabor filters, each followed by a half-wave rectifier, `max(0, x * w - threshold)`.

    Args:
        orientations: how many, equally spaced over 180 degrees.
        phases: how many, over 360 degrees (4: bright bar, edge, dark bar, opposite edge).
        wavelength: of the stripes, in pixels.
        size: odd side of the kernels; by default wide enough for the envelope.
        aspect: of the envelope, below 1 longer than wide.
        threshold: of the rectifier.
        padding: `"valid"`, because a border of zeros is an edge that is not in the picture, or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        trainable: whether the kernels are trained.
        kernel_regularizer, kernel_constraint: of the kernels, where they are trained.

    Input shape:
        `(batch, height, width, 1)`.

    Output shape:
        `(batch, height', width', orientations * phases)`.

    Example:
        >>> tuple(SimpleCells(orientations=8, phases=4)(keras.ops.ones((1, 32, 32, 1))).shape)
        (1, 18, 18, 32)
    """

    rank = 2

    def __init__(
        self,
        orientations: int = 8,
        phases: int = 4,
        wavelength: float = 6.0,
        size: int | None = None,
        aspect: float = 0.5,
        threshold: float = 0.0,
        padding: str = "valid",
        data_format: str | None = None,
        trainable: bool = False,
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if size is None:
            size = 2 * math.ceil(1.15 * wavelength) + 1
        (self.size,) = tuple_of(size, 1, "size")
        super().__init__(
            (size, size), 1, padding, data_format=data_format, trainable=trainable, autocast=False, **kwargs
        )
        (self.orientations,) = tuple_of(orientations, 1, "orientations")
        (self.phases,) = tuple_of(phases, 1, "phases")
        self.wavelength, self.aspect, self.threshold = wavelength, aspect, threshold
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    def output_channels(self, channels: int | None) -> int | None:
        return self.orientations * self.phases

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        _, channels = self.split(input_shape)
        if channels != 1:
            raise ValueError(
                f"{self.name} looks at grey pictures with 1 channel; got {channels}. "
                "Average the colours first, for example with keras.layers.Lambda or skimage.color.rgb2gray"
            )
        self.compute_output_shape(input_shape)  # refuses a picture that is too small
        self.fix(input_shape)
        bank = gabor_bank(
            self.size, self.orientations, self.phases, wavelength=self.wavelength, aspect=self.aspect
        )
        self.kernel = self.add_weight(
            name="kernel",
            shape=bank.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(bank, dtype=dtype),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def compute(self, x: Any, training: bool = False) -> Any:
        kernel = ops.cast(self.kernel, x.dtype)
        x = ops.conv(x, kernel, padding=self.padding, data_format="channels_last")
        return ops.relu(x - self.threshold)

    def products(self, channels: int) -> int:
        return self.size**2

    def get_config(self) -> dict[str, Any]:
        own = ("orientations", "phases", "wavelength", "size", "aspect", "threshold")
        config = {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }
        del config["strides"]
        return config


@register_layer(chapter="origins/hubel-wiesel", paper="doi:10.1364/JOSAA.2.000284")
class ComplexCells(WindowLayer):
    """Fold the phases of each orientation, and then a neighbourhood of places, into one answer.

    `rule="energy"` adds the squares of the phases (four rectified phases give what two unrectified
    filters a quarter wave apart would: `max(0, r)^2 + max(0, -r)^2 = r^2`) and averages over the window;
    `rule="max"` keeps the largest, over phases and window.

    Args:
        phases: how many neighbouring channels are folded into one.
        rule: `"energy"` or `"max"`.
        pool_size: side of the window; 1 stays in place.
        strides: from one window to the next, 1 so that the map keeps every position.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, orientations * phases)`, as `SimpleCells` gives it.

    Output shape:
        `(batch, height', width', orientations)`.

    Example:
        >>> tuple(ComplexCells(phases=4, rule="max", pool_size=3)(keras.ops.ones((1, 9, 9, 32))).shape)
        (1, 7, 7, 8)
    """

    rank = 2
    paddings = ("valid",)

    def __init__(
        self,
        phases: int = 4,
        rule: str = "energy",
        pool_size: int | Sequence[int] = 1,
        strides: int | Sequence[int] = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuple_of(pool_size, 2, "pool_size"), strides, data_format=data_format, **kwargs)
        if rule not in ("energy", "max"):
            raise ValueError(f"rule must be 'energy' or 'max'; got {rule!r}")
        self.rule = rule
        (self.phases,) = tuple_of(phases, 1, "phases")

    @property
    def pool_size(self) -> tuple[int, ...]:
        """The sides of the window."""
        return self.window

    def output_channels(self, channels: int | None) -> int | None:
        if channels is None or channels % self.phases:
            raise ValueError(
                f"{self.name} folds {self.phases} phases into one; {channels} channels cannot be divided "
                f"by {self.phases}. Give it the same number of phases as the SimpleCells below"
            )
        return channels // self.phases

    def compute(self, x: Any, training: bool = False) -> Any:
        _, height, width, channels = sizes(x)
        x = ops.reshape(x, (-1, height, width, channels // self.phases, self.phases))
        x = ops.amax(x, axis=-1) if self.rule == "max" else ops.sum(ops.square(x), axis=-1)
        if max(*self.window, *self.strides) == 1:
            return x
        return (largest if self.rule == "max" else average)(x, self.window, self.strides)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "phases": self.phases,
            "rule": self.rule,
            "pool_size": self.pool_size,
        }
        del config["padding"]
        return config


@channels_last
def cortex(
    input_shape: tuple[int | None, int | None, int] = (None, None, 1),
    orientations: int = 8,
    wavelength: float = 6.0,
    rule: str = "energy",
    pool_size: int = 1,
    threshold: float = 0.0,
) -> keras.Model:
    """A two-layer model of the striate cortex: picture, simple cells, complex cells.

    >>> cortex((32, 32, 1), orientations=4).output_shape
    (None, 18, 18, 4)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    picture = keras.Input(input_shape, name="picture")
    simple = SimpleCells(orientations, wavelength=wavelength, threshold=threshold, name="simple")(picture)
    folded = ComplexCells(rule=rule, pool_size=pool_size, name="complex")(simple)
    return keras.Model(picture, folded, name="cortex")

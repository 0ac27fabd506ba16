"""Simple and complex cells as Keras layers, and the cascade that Hubel and Wiesel drew.

Channels are kept orientation by orientation: channel `o * phases + p` of a simple layer is orientation o at
phase p, and a complex layer folds the phases, so that it has one channel an orientation.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer
from cnnkit.origins.gabor import gabor_bank

__all__ = ["ComplexCells", "SimpleCells", "corner_cells", "cortex"]


@register_layer(chapter="origins/hubel-wiesel", paper="doi:10.1113/jphysiol.1962.sp006837")
class SimpleCells(keras.layers.Layer):
    """A fixed bank of Gabor filters, each followed by a half-wave rectifier, `max(0, x * w - threshold)`.

    Arguments: `orientations` equally spaced over 180 degrees, `phases` over 360 (4: bright bar, edge, dark
    bar, opposite edge), `wavelength` of the stripes in pixels, odd `size` of the kernels (by default wide
    enough for the envelope), `aspect` (below 1: longer than wide), `threshold`, `padding` ("valid", because
    a border of zeros is an edge that is not in the picture, or "same"), `data_format`.  The kernels are not
    trained unless `trainable=True` asks for it.

    Input `(batch, height, width, 1)`, output `(batch, height', width', orientations * phases)`.

    >>> tuple(SimpleCells(orientations=8, phases=4)(keras.ops.ones((1, 32, 32, 1))).shape)
    (1, 18, 18, 32)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """

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
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, **kwargs)
        if padding not in ("valid", "same"):
            raise ValueError(f"padding must be 'valid' or 'same'; got {padding!r}")
        if size is None:
            size = 2 * math.ceil(1.15 * wavelength) + 1
        self.orientations, self.phases, self.wavelength = orientations, phases, wavelength
        self.size, self.aspect, self.threshold, self.padding = size, aspect, threshold, padding
        self.data_format = layout(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if channels != 1:
            raise ValueError(
                f"SimpleCells looks at grey pictures with 1 channel; got {channels}. "
                "Average the colours first, for example with keras.layers.Lambda or skimage.color.rgb2gray"
            )
        if self.padding == "valid":
            _check_room("SimpleCells", input_shape, self.data_format, self.size)
        bank = gabor_bank(
            self.size, self.orientations, self.phases, wavelength=self.wavelength, aspect=self.aspect
        )
        self.kernel = self.add_weight(
            name="kernel", shape=bank.shape, initializer=lambda shape, dtype=None: ops.cast(bank, dtype)
        )

    def call(self, inputs: Any) -> Any:
        x = _to_last(inputs, self.data_format)
        x = ops.conv(x, self.kernel, padding=self.padding, data_format="channels_last")
        return _from_last(ops.relu(x - self.threshold), self.data_format)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width = _batch_height_width(input_shape, self.data_format)
        if self.padding == "valid":
            height, width = (None if side is None else side - self.size + 1 for side in (height, width))
        return _shape(batch, height, width, self.orientations * self.phases, self.data_format)

    def get_config(self) -> dict[str, Any]:
        own = (
            "orientations",
            "phases",
            "wavelength",
            "size",
            "aspect",
            "threshold",
            "padding",
            "data_format",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


@register_layer(chapter="origins/hubel-wiesel", paper="doi:10.1364/JOSAA.2.000284")
class ComplexCells(keras.layers.Layer):
    """Fold the phases of each orientation, and then a neighbourhood of places, into one answer.

    `rule="energy"` adds the squares of the phases (four rectified phases give what two unrectified
    filters a quarter wave apart would: `max(0, r)^2 + max(0, -r)^2 = r^2`) and averages over the window;
    `rule="max"` keeps the largest, over phases and window.  `pool_size` 1 stays in place; `strides`
    defaults to 1, so that the map keeps every position.  `data_format` says where the channels stand.

    Input `(batch, height, width, orientations * phases)`, as `SimpleCells` gives it; output has
    `orientations` channels.

    >>> tuple(ComplexCells(phases=4, rule="max", pool_size=3)(keras.ops.ones((1, 9, 9, 32))).shape)
    (1, 7, 7, 8)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1364/JOSAA.2.000284.
    """

    def __init__(
        self,
        phases: int = 4,
        rule: str = "energy",
        pool_size: int = 1,
        strides: int = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if rule not in ("energy", "max"):
            raise ValueError(f"rule must be 'energy' or 'max'; got {rule!r}")
        if min(phases, pool_size, strides) < 1:
            raise ValueError(
                f"phases, pool_size and strides must be at least 1; got {phases}, {pool_size} and {strides}"
            )
        self.phases, self.rule, self.pool_size, self.strides = phases, rule, pool_size, strides
        self.data_format = layout(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if channels is None or channels % self.phases:
            raise ValueError(
                f"ComplexCells folds {self.phases} phases into one; {channels} channels cannot be divided "
                f"by {self.phases}. Give it the same number of phases as the SimpleCells below"
            )
        _check_room("ComplexCells", input_shape, self.data_format, self.pool_size)

    def call(self, inputs: Any) -> Any:
        x = _to_last(inputs, self.data_format)
        _, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (-1, height, width, channels // self.phases, self.phases))
        x = ops.max(x, axis=-1) if self.rule == "max" else ops.sum(ops.square(x), axis=-1)
        if self.pool_size > 1 or self.strides > 1:
            pool = ops.max_pool if self.rule == "max" else ops.average_pool
            x = pool(x, self.pool_size, self.strides, padding="valid", data_format="channels_last")
        return _from_last(x, self.data_format)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width = _batch_height_width(input_shape, self.data_format)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        height, width = (
            None if side is None else (side - self.pool_size) // self.strides + 1 for side in (height, width)
        )
        return _shape(batch, height, width, channels // self.phases, self.data_format)

    def get_config(self) -> dict[str, Any]:
        own = ("phases", "rule", "pool_size", "strides", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


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


def corner_cells(
    input_shape: tuple[int | None, int | None, int] = (None, None, 1),
    wavelength: float = 4.0,
    pool_size: int = 5,
    threshold: float = 3.2,
) -> keras.Model:
    """A third stage on top of the cascade: it fires where a lying and a standing contour meet.

    Simple cells of two orientations, complex cells that forgive `pool_size` pixels, and then a simple cell
    again: it adds the two maps and has a threshold that neither reaches alone. All weights are set by hand.

    >>> corner_cells((32, 32, 1)).output_shape
    (None, 18, 18, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    picture = keras.Input(input_shape, name="picture")
    simple = SimpleCells(2, wavelength=wavelength, name="simple")(picture)
    lying_and_standing = ComplexCells(rule="max", pool_size=pool_size, name="complex")(simple)
    both = keras.layers.Conv2D(
        1,
        1,
        activation="relu",
        kernel_initializer="ones",
        bias_initializer=keras.initializers.Constant(-threshold),
        trainable=False,
        name="corner",
    )
    return keras.Model(picture, both(lying_and_standing), name="corner_cells")


def _to_last(x: Any, data_format: str) -> Any:
    return x if data_format == "channels_last" else ops.transpose(x, (0, 2, 3, 1))


def _from_last(x: Any, data_format: str) -> Any:
    return x if data_format == "channels_last" else ops.transpose(x, (0, 3, 1, 2))


def _batch_height_width(shape: tuple[int | None, ...], data_format: str) -> tuple[int | None, ...]:
    return shape[:3] if data_format == "channels_last" else (shape[0], *shape[2:])


def _check_room(who: str, shape: tuple[int | None, ...], data_format: str, window: int) -> None:
    _, *sides = _batch_height_width(shape, data_format)
    if any(side is not None and side < window for side in sides):
        raise ValueError(
            f"{who}: a window of {window} pixels does not fit into a picture of {sides[0]} x {sides[1]}; "
            "use a larger picture or a smaller window"
        )


def _shape(
    batch: int | None, height: int | None, width: int | None, channels: int, data_format: str
) -> tuple[int | None, ...]:
    if data_format == "channels_last":
        return (batch, height, width, channels)
    return (batch, channels, height, width)

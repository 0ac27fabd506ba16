"""The way back from a pooling: to the place where the maximum was found, or to the corner of the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import Shape, SpatialLayer, WindowLayer, sizes, tuple_of
from cnnkit.layers._windows import largest, windows
from cnnkit.layers.registry import register_layer

__all__ = [
    "BedOfNailsUnpooling1D",
    "BedOfNailsUnpooling2D",
    "BedOfNailsUnpooling3D",
    "MaxPoolingWithSwitches1D",
    "MaxPoolingWithSwitches2D",
    "MaxPoolingWithSwitches3D",
    "MaxUnpooling1D",
    "MaxUnpooling2D",
    "MaxUnpooling3D",
]


# -- there --------------------------------------------------------------------------------------------------


class _MaxPoolingWithSwitches(WindowLayer):
    """The maximum of each tile, and its place, over any number of axes."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        return_switches: bool = True,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        tile = tuple_of(pool_size, self.rank, "pool_size")
        super().__init__(tile, tile, data_format=data_format, **kwargs)
        self.return_switches = return_switches

    @property
    def pool_size(self) -> tuple[int, ...]:
        """The sides of a tile."""
        return self.window

    def call(self, inputs: Any) -> Any:
        self.shape_of_each(inputs.shape)
        x = self.last(inputs)
        y = largest(x, self.window, self.window)
        if not self.return_switches:
            return self.as_given(y)
        # How many places of the tile, from the first on, hold less than the maximum: counted from the last back.
        switches = None
        for part in reversed(windows(x, self.window, self.window)[:-1]):
            less = ops.cast(part < y, "float32")
            switches = less if switches is None else less * (1 + switches)
        switches = ops.zeros_like(y) if switches is None else switches
        return self.as_given(y), self.as_given(switches, "int32")

    def shape_of_each(self, input_shape: Sequence[int | None]) -> Shape:
        """The shape that maxima and switches both have."""
        return super().compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Any:
        shape = self.shape_of_each(input_shape)
        return (shape, shape) if self.return_switches else shape

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.shape_of_each(inputs.shape)
        maxima = keras.KerasTensor(shape, self.compute_dtype)
        return (maxima, keras.KerasTensor(shape, "int32")) if self.return_switches else maxima

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "pool_size": self.pool_size,
            "return_switches": self.return_switches,
        }
        return {key: value for key, value in config.items() if key not in ("strides", "padding")}


@register_layer(chapter="layers/upsampling", paper="arXiv:1311.2901")
class MaxPoolingWithSwitches1D(_MaxPoolingWithSwitches):
    """Max pooling of a signal that also says where each maximum stood: `MaxPoolingWithSwitches2D` along one axis.

    Args:
        pool_size, return_switches, data_format: as for `MaxPoolingWithSwitches2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        Maxima and switches, both `(batch, steps // k, channels)`.

    Example:
        >>> y, switches = MaxPoolingWithSwitches1D(3)(ops.reshape(ops.array([1.0, 2.0, 4.0]), (1, 3, 1)))
        >>> float(y[0, 0, 0]), int(switches[0, 0, 0])
        (4.0, 2)
    """

    rank = 1


@register_layer(chapter="layers/upsampling", paper="arXiv:1311.2901")
class MaxPoolingWithSwitches2D(_MaxPoolingWithSwitches):
    """Max pooling over tiles that also says where in its tile each maximum stood.

    ::

        y[i, j, c] = max over u, v of x[i k + u, j k + v, c],   switch[i, j, c] = u k + v at the maximum

    The switches are integers from 0 to k * k - 1, so they survive any data type, and a network can be fed with
    images of any size. Of equal values the first in reading order wins. Rows and columns that fill no tile
    are left out, as by "valid" pooling.

    Args:
        pool_size: sides k of the tiles, one number or one an axis.
        return_switches: False for the maxima alone.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Maxima and switches, both `(batch, height // k, width // k, channels)`.

    Example:
        >>> y, switches = MaxPoolingWithSwitches2D(2)(ops.reshape(ops.array([1.0, 5.0, 2.0, 4.0]), (1, 2, 2, 1)))
        >>> float(ops.sum(y)), int(ops.sum(switches))
        (5.0, 1)
    """

    rank = 2


@register_layer(chapter="layers/upsampling", paper="arXiv:1311.2901")
class MaxPoolingWithSwitches3D(_MaxPoolingWithSwitches):
    """Max pooling of a volume that also says where each maximum stood: `MaxPoolingWithSwitches2D` along three axes.

    Args:
        pool_size, return_switches, data_format: as for `MaxPoolingWithSwitches2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        Maxima and switches, both `(batch, depth // k, height // k, width // k, channels)`.

    Example:
        >>> y, switches = MaxPoolingWithSwitches3D(2)(ops.reshape(ops.arange(8.0), (1, 2, 2, 2, 1)))
        >>> float(ops.sum(y)), int(ops.sum(switches))
        (7.0, 7)
    """

    rank = 3


# -- and back -----------------------------------------------------------------------------------------------


def _apart(x: Any) -> Any:
    """`(batch, n, m, channels)` as `(batch, n, 1, m, 1, channels)`: room for tiles, along one axis or two."""
    _, *space, channels = sizes(x)
    return ops.reshape(x, (-1, *[side for n in space for side in (n, 1)], channels))


def _together(tiles: Any) -> Any:
    """`(batch, n, k, m, l, channels)` as `(batch, n k, m l, channels)`: tiles, joined."""
    _, *space, channels = sizes(tiles)
    return ops.reshape(tiles, (-1, *[n * k for n, k in zip(space[::2], space[1::2], strict=True)], channels))


def _put(x: Any, switches: Any, tile: Sequence[int]) -> Any:
    """Each number at the place of its tile that its switch names, along one axis or two."""
    shape = (1, *[side for k in tile for side in (1, k)], 1)
    places = ops.reshape(ops.arange(math.prod(tile), dtype="int32"), shape)
    return _together(ops.where(_apart(switches) == places, _apart(x), ops.zeros((), x.dtype)))


def _nail(x: Any, tile: Sequence[int]) -> Any:
    """Each number at the first place of its tile, along one axis or two."""
    holes = [pair for k in tile for pair in ((0, 0), (0, k - 1))]
    return _together(ops.pad(_apart(x), [(0, 0), *holes, (0, 0)]))


class _Unpooling(SpatialLayer):
    """Tiles of `pool_size` in place of single numbers, over any number of axes."""

    widens = False

    def __init__(
        self, pool_size: int | Sequence[int] = 2, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.pool_size = tuple_of(pool_size, self.rank, "pool_size")

    def output_space(self, space: Shape) -> Shape:
        return tuple(None if n is None else n * k for n, k in zip(space, self.pool_size, strict=True))

    def receptive_field_window(self, input_shape: Any) -> dict[str, Any]:
        return {"kernel_size": self.pool_size, "strides": self.pool_size, "transposed": True}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}


class _MaxUnpooling(_Unpooling):
    """Each maximum back at its place, over any number of axes."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        output_size: int | Sequence[int] | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, data_format, autocast=False, **kwargs)  # switches are never rounded
        self.output_size = None if output_size is None else tuple_of(output_size, self.rank, "output_size")
        self.input_spec = [self.input_spec, self.input_spec]

    def output_space(self, space: Shape) -> Shape:
        if self.output_size is None:
            return super().output_space(space)
        for had, k, n in zip(space, self.pool_size, self.output_size, strict=True):
            if had is not None and not 0 <= n - had * k < k:
                raise ValueError(
                    f"{self.name}: {had} tiles of {k} come from a side of {had * k} to {had * k + k - 1}, "
                    f"not from output_size {n}"
                )
        return self.output_size

    def compute_output_shape(self, input_shape: Any) -> Shape:
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(
                f"{self.name} is called on a list of two, [maxima, switches]; it was given {input_shape}"
            )
        one, other = map(tuple, input_shape)
        if any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=False)):
            raise ValueError(
                f"{self.name}: the maxima have shape {one} and the switches {other}; they must be those of one "
                "pooling"
            )
        return super().compute_output_shape(one)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape([tuple(one.shape) for one in inputs])
        x, switches = map(self.last, inputs)
        x, switches = ops.cast(x, self.compute_dtype), ops.cast(switches, "int32")
        if self.rank < 3:
            y = _put(x, switches, self.pool_size)
        else:  # first into their planes, then within these: no backend compares along eight axes
            (deep, *tile), (_, depth, *plane) = self.pool_size, sizes(x)
            area = math.prod(tile)
            places = ops.reshape(ops.arange(deep, dtype="int32"), (1, 1, deep, 1, 1, 1))
            x = ops.where(switches[:, :, None] // area == places, x[:, :, None], ops.zeros((), x.dtype))
            switches = ops.repeat(switches[:, :, None] % area, deep, axis=2)
            y = _put(ops.reshape(x, (-1, *plane)), ops.reshape(switches, (-1, *plane)), tile)
            y = ops.reshape(y, (-1, depth * deep, *sizes(y)[1:]))
        if self.output_size is not None:
            more = [n - had for n, had in zip(self.output_size, y.shape[1:-1], strict=True)]
            y = ops.pad(y, [(0, 0), *((0, n) for n in more), (0, 0)])
        return self.as_given(y)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size}


@register_layer(chapter="layers/upsampling", paper="arXiv:1511.00561")
class MaxUnpooling1D(_MaxUnpooling):
    """Put each maximum of a signal back to where the pooling found it: `MaxUnpooling2D` along one axis.

    Args:
        pool_size, output_size, data_format: as for `MaxUnpooling2D`.

    Input shape:
        `(batch, steps, channels)`, twice.

    Output shape:
        `(batch, k steps, channels)`.

    Example:
        >>> y = MaxUnpooling1D(3)([5.0 * ops.ones((1, 1, 1)), ops.ones((1, 1, 1), "int32")])
        >>> ops.convert_to_numpy(y)[0, :, 0].tolist()
        [0.0, 5.0, 0.0]
    """

    rank = 1


@register_layer(chapter="layers/upsampling", paper="arXiv:1511.00561")
class MaxUnpooling2D(_MaxUnpooling):
    """Put each maximum back to the place where the pooling found it, and zeros elsewhere.

    ::

        y[i k + u, j k + v, c] = x[i, j, c] if switch[i, j, c] = u k + v, else 0

    Called on `[maxima, switches]`, the two outputs of `MaxPoolingWithSwitches2D`; the maxima may have been
    changed on the way, the switches not. No gradient reaches the switches.

    Args:
        pool_size: sides k of the tiles, as in the pooling.
        output_size: height and width of the result, where the pooling left rows or columns out; they come
            back as zeros. At most k - 1 more than whole tiles.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`, twice.

    Output shape:
        `(batch, k height, k width, channels)`.

    Example:
        >>> y = MaxUnpooling2D(2)([5.0 * ops.ones((1, 1, 1, 1)), ops.ones((1, 1, 1, 1), "int32")])
        >>> ops.convert_to_numpy(y)[0, :, :, 0].tolist()
        [[0.0, 5.0], [0.0, 0.0]]
    """

    rank = 2


@register_layer(chapter="layers/upsampling", paper="arXiv:1511.00561")
class MaxUnpooling3D(_MaxUnpooling):
    """Put each maximum of a volume back to where the pooling found it: `MaxUnpooling2D` along three axes.

    Args:
        pool_size, output_size, data_format: as for `MaxUnpooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`, twice.

    Output shape:
        `(batch, k depth, k height, k width, channels)`.

    Example:
        >>> y = MaxUnpooling3D(2)([5.0 * ops.ones((1, 1, 1, 1, 1)), 7 * ops.ones((1, 1, 1, 1, 1), "int32")])
        >>> float(y[0, 1, 1, 1, 0])
        5.0
    """

    rank = 3


class _BedOfNailsUnpooling(_Unpooling):
    """Each number at the first place of its tile, over any number of axes."""

    def compute(self, x: Any, training: bool = False) -> Any:
        if self.rank < 3:
            return _nail(x, self.pool_size)
        (deep, *tile), (_, depth, *plane) = self.pool_size, sizes(x)  # no backend pads eight axes
        y = _nail(ops.reshape(x, (-1, *plane)), tile)
        y = ops.pad(y[:, None], [(0, 0), (0, deep - 1), (0, 0), (0, 0), (0, 0)])
        return ops.reshape(y, (-1, depth * deep, *sizes(y)[2:]))


@register_layer(chapter="layers/upsampling")
class BedOfNailsUnpooling1D(_BedOfNailsUnpooling):
    """Put each entry of a signal first in its tile, and zeros after it: `BedOfNailsUnpooling2D` along one axis.

    Args:
        pool_size, data_format: as for `BedOfNailsUnpooling2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, k steps, channels)`.

    Example:
        >>> ops.convert_to_numpy(BedOfNailsUnpooling1D(2)(ops.ones((1, 2, 1))))[0, :, 0].tolist()
        [1.0, 0.0, 1.0, 0.0]
    """

    rank = 1


@register_layer(chapter="layers/upsampling")
class BedOfNailsUnpooling2D(_BedOfNailsUnpooling):
    """Put each entry into the top left corner of its tile, and zeros around it.

    ::

        y[i k, j k, c] = x[i, j, c], and 0 elsewhere

    What a stride of k dropped comes back as zeros: this is the transpose of keeping every k-th pixel. A
    convolution after it is a transposed convolution of stride k.

    Args:
        pool_size: sides k of the tiles, one number or one an axis.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, k height, k width, channels)`.

    Example:
        >>> ops.convert_to_numpy(BedOfNailsUnpooling2D(2)(ops.ones((1, 1, 2, 1))))[0, :, :, 0].tolist()
        [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """

    rank = 2


@register_layer(chapter="layers/upsampling")
class BedOfNailsUnpooling3D(_BedOfNailsUnpooling):
    """Put each entry of a volume into the first corner of its tile: `BedOfNailsUnpooling2D` along three axes.

    Args:
        pool_size, data_format: as for `BedOfNailsUnpooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, k depth, k height, k width, channels)`.

    Example:
        >>> y = BedOfNailsUnpooling3D(2)(ops.ones((1, 1, 1, 1, 1)))
        >>> tuple(y.shape), float(ops.sum(y))
        ((1, 2, 2, 2, 1), 1.0)
    """

    rank = 3

"""The way back from a pooling: to the place where the maximum was found, or to the corner of the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout, tuple_of, windows
from cnnkit.layers.registry import register_layer

__all__ = ["BedOfNailsUnpooling2D", "MaxPoolingWithSwitches2D", "MaxUnpooling2D"]

Shape = tuple[int | None, ...]


class _Tiles(keras.Layer):
    """Tiles of `pool_size` that do not overlap, and the two layouts."""

    def __init__(
        self, pool_size: int | Sequence[int] = 2, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = tuple_of(pool_size, 2, "pool_size")
        self.data_format = layout(data_format)

    @property
    def _space(self) -> tuple[int, int]:
        return (1, 2) if self.data_format == "channels_last" else (2, 3)

    def _last(self, x: Any) -> Any:
        return x if self.data_format == "channels_last" else ops.moveaxis(x, 1, -1)

    def _as_given(self, y: Any) -> Any:
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def _images(self, shape: Sequence[int | None]) -> Sequence[int | None]:
        """The shape, if it is one of images with something in them."""
        if len(shape) != 4 or 0 in shape[1:]:
            raise ValueError(
                f"{self.name} takes images of four axes, none of them empty; it was given {tuple(shape)}"
            )
        return shape

    def _sized(self, shape: Sequence[int | None], *size: int | None) -> Shape:
        """The shape with another height and width."""
        new = list(shape)
        for axis, n in zip(self._space, size, strict=True):
            new[axis] = n
        return tuple(new)

    def receptive_field_window(self, input_shape: Any) -> dict[str, Any]:
        """What a unit sees: its tile, or on the way back the entry whose tile it stands in."""
        back = not isinstance(self, MaxPoolingWithSwitches2D)
        return {"kernel_size": self.pool_size, "strides": self.pool_size, "transposed": back}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size, "data_format": self.data_format}


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1311.2901")
class MaxPoolingWithSwitches2D(_Tiles):
    """Max pooling over tiles that also says where in its tile each maximum stood.

    y[i, j, c] = max over u, v of x[i k + u, j k + v, c],   switch[i, j, c] = u k + v at the maximum

    The switches are integers from 0 to k * k - 1, so they survive any data type, and a network can be fed with
    images of any size.  Of equal values the first in reading order wins.  Rows and columns that fill no tile
    are left out, as by "valid" pooling.

    Arguments: `pool_size`, the side k of the tiles; `return_switches`, False for the maxima alone; `data_format`.
    Input shape: `(batch, height, width, channels)`. Output: maxima and switches, both
    `(batch, height // k, width // k, channels)`.

    >>> y, switches = MaxPoolingWithSwitches2D(2)(ops.reshape(ops.array([1.0, 5.0, 2.0, 4.0]), (1, 2, 2, 1)))
    >>> float(ops.sum(y)), int(ops.sum(switches))
    (5.0, 1)

    Chapter: layers/convolution-variants.
    Paper: arXiv:1311.2901.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        return_switches: bool = True,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, data_format, **kwargs)
        self.return_switches = return_switches

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that holds no tile

    def call(self, inputs: Any) -> Any:
        x = self._last(inputs)
        y = ops.max_pool(x, self.pool_size, self.pool_size, "valid", data_format="channels_last")
        if not self.return_switches:
            return self._as_given(y)
        # How many places of the tile, from the first on, hold less than the maximum: counted from the last back.
        switches = None
        for part in reversed(windows(x, self.pool_size, self.pool_size)[:-1]):
            less = ops.cast(part < y, "float32")
            switches = less if switches is None else less * (1 + switches)
        switches = ops.zeros_like(y) if switches is None else switches
        return self._as_given(y), self._as_given(ops.cast(switches, "int32"))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Any:
        sides = [self._images(input_shape)[axis] for axis in self._space]
        for n, k in zip(sides, self.pool_size, strict=True):
            if n is not None and n < k:
                raise ValueError(f"a side of {n} holds no tile of {k}: use a smaller pool_size")
        shape = self._sized(
            input_shape, *(n if n is None else n // k for n, k in zip(sides, self.pool_size, strict=True))
        )
        return (shape, shape) if self.return_switches else shape

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        if not self.return_switches:
            return keras.KerasTensor(shape, self.compute_dtype)
        return keras.KerasTensor(shape[0], self.compute_dtype), keras.KerasTensor(shape[1], "int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "return_switches": self.return_switches}


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1511.00561")
class MaxUnpooling2D(_Tiles):
    """Put each maximum back to the place where the pooling found it, and zeros elsewhere.

    y[i k + u, j k + v, c] = x[i, j, c] if switch[i, j, c] = u k + v, else 0

    Called on `[maxima, switches]`, the two outputs of `MaxPoolingWithSwitches2D`; the maxima may have been
    changed on the way, the switches not.  No gradient reaches the switches.

    Arguments:
        pool_size: side k of the tiles, as in the pooling.
        output_size: height and width of the result, where the pooling left rows or columns out; they come
            back as zeros.  At most k - 1 more than whole tiles.
        data_format: "channels_last" or "channels_first"; Keras's setting when None.

    Input shapes: `(batch, height, width, channels)`, twice.
    Output shape: `(batch, k height, k width, channels)`.

    >>> y = MaxUnpooling2D(2)([5.0 * ops.ones((1, 1, 1, 1)), ops.ones((1, 1, 1, 1), "int32")])
    >>> ops.convert_to_numpy(y)[0, :, :, 0].tolist()
    [[0.0, 5.0], [0.0, 0.0]]

    Chapter: layers/convolution-variants.
    Paper: arXiv:1511.00561.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        output_size: int | Sequence[int] | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, data_format, **kwargs)
        self.output_size = None if output_size is None else tuple_of(output_size, 2, "output_size")

    def _check(self, shapes: Any) -> Sequence[int | None]:
        if len(shapes) != 2 or not isinstance(shapes[0], list | tuple):
            raise ValueError(
                f"{self.name} is called on a list of two, [maxima, switches]; it was given {shapes}"
            )
        one, other = (tuple(self._images(shape)) for shape in shapes)
        if any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=False)):
            raise ValueError(
                f"{self.name}: the maxima have shape {one} and the switches {other}; they must be those of one "
                "pooling"
            )
        for axis, k, n in zip(self._space, self.pool_size, self.output_size or (None, None), strict=True):
            if n is not None and one[axis] is not None and not 0 <= n - one[axis] * k < k:
                raise ValueError(
                    f"{self.name}: {one[axis]} tiles of {k} come from a side of {one[axis] * k} to "
                    f"{one[axis] * k + k - 1}, not from output_size {n}"
                )
        return one

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)

    def call(self, inputs: Any) -> Any:
        x, switches = (self._last(one) for one in inputs)
        (kh, kw), switches = self.pool_size, ops.cast(switches, "int32")
        _, height, width, channels = (n if n is not None else ops.shape(x)[i] for i, n in enumerate(x.shape))
        # (batch, height, 1, width, 1, channels) against the numbers of the places in a tile.
        x = ops.reshape(x, (-1, height, 1, width, 1, channels))
        switches = ops.reshape(switches, (-1, height, 1, width, 1, channels))
        places = ops.reshape(ops.arange(kh * kw, dtype="int32"), (1, 1, kh, 1, kw, 1))
        y = ops.where(switches == places, x, ops.zeros((), x.dtype))
        y = ops.reshape(y, (-1, height * kh, width * kw, channels))
        if self.output_size is not None:
            more = [n - had for n, had in zip(self.output_size, (height * kh, width * kw), strict=True)]
            y = ops.pad(y, [(0, 0), (0, more[0]), (0, more[1]), (0, 0)])
        return self._as_given(y)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shape = self._check(input_shape)
        size = self.output_size or tuple(
            None if shape[axis] is None else shape[axis] * k
            for axis, k in zip(self._space, self.pool_size, strict=True)
        )
        return self._sized(shape, *size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size}


@register_layer(chapter="layers/convolution-variants")
class BedOfNailsUnpooling2D(_Tiles):
    """Put each entry into the top left corner of its tile, and zeros around it.

    y[i k, j k, c] = x[i, j, c], and 0 elsewhere

    What a stride of k dropped comes back as zeros: this is the transpose of keeping every k-th pixel.  A
    convolution after it is a transposed convolution of stride k.

    Arguments: `pool_size`, the side k of the tiles; `data_format`.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, k height, k width, channels)`.

    >>> ops.convert_to_numpy(BedOfNailsUnpooling2D(2)(ops.ones((1, 1, 2, 1))))[0, :, :, 0].tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]

    Chapter: layers/convolution-variants.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        self._images(input_shape)

    def call(self, inputs: Any) -> Any:
        x, (kh, kw) = self._last(inputs), self.pool_size
        _, height, width, channels = (n if n is not None else ops.shape(x)[i] for i, n in enumerate(x.shape))
        y = ops.reshape(x, (-1, height, 1, width, 1, channels))
        y = ops.pad(y, [(0, 0), (0, 0), (0, kh - 1), (0, 0), (0, kw - 1), (0, 0)])
        return self._as_given(ops.reshape(y, (-1, height * kh, width * kw, channels)))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape = self._images(input_shape)
        size = (
            None if shape[axis] is None else shape[axis] * k
            for axis, k in zip(self._space, self.pool_size, strict=True)
        )
        return self._sized(shape, *size)

"""What all layers of signals, images and volumes share: layout, sizes, channels, precision, masks, cost and field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import keras
from keras import ops

__all__: list[str] = []

Shape = tuple[int | None, ...]


def tuple_of(value: int | Sequence[int], rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """`value` once for each axis as whole numbers, or an error that names the argument.

    Neither `2.7` nor `"23"` nor `True` is a whole number here, though `int` would take them.
    """
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        entries = tuple(value) if hasattr(value, "__iter__") else (value,) * rank
        if any(isinstance(entry, bool) for entry in entries):
            raise TypeError
        values = tuple(map(index, entries))
    except TypeError:
        values = ()
    if len(values) != rank or min(values) < least:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"{name} must be {kind}{f' or {rank} of them' if rank > 1 else ''}, not {value!r}")
    return values


def layout(data_format: str | None) -> str:
    """`data_format`, or Keras's default for None, or an error that lists the two layouts."""
    value = data_format or keras.config.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first', not {data_format!r}")
    return value


def sizes(x: Any) -> list[Any]:
    """The sides of a tensor: numbers where they are known, else scalars of the backend."""
    return [n if n is not None else ops.shape(x)[axis] for axis, n in enumerate(x.shape)]


class SpatialLayer(keras.Layer):
    """A layer of `(batch, *space, channels)`, or of `(batch, channels, *space)` under "channels_first".

    A thin class says how many axes of space there are, and its family says the rest in four places:

    - `output_space` and `output_channels`, where they are not those of the input: the shape, and its errors;
    - `compute`, which takes and gives channels last, in float32 or wider whatever the policy: the values;
    - `products`, the multiplications behind one number of the output: the cost;
    - `receptive_field_window`, what one place of the output sees: the field.
    """

    rank: int | None = None
    """Axes of space; None for a layer that takes any number of them."""

    least_axes = 2
    """Axes that the input has at least, with batch and channels, where `rank` is None."""

    widens = True
    """Whether `compute` needs float32 at least; False for what only moves numbers about."""

    keeps_mask = False
    """Whether the mask of the input is the mask of the output; else an input with a mask is refused."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = layout(data_format)
        self.input_spec = self._spec()

    def _spec(self, axes: dict[int, int] | None = None) -> keras.InputSpec:
        if self.rank is None:
            return keras.InputSpec(min_ndim=self.least_axes, axes=axes)
        return keras.InputSpec(ndim=self.rank + 2, axes=axes)

    # -- shapes ---------------------------------------------------------------------------------------------

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, in the layout that the layer was given."""
        return -1 if self.data_format == "channels_last" else 1

    def split(self, shape: Sequence[int | None]) -> tuple[Shape, int | None]:
        """The space and the channels of a shape with a batch, in either layout."""
        shape = tuple(shape)
        if len(shape) < self.least_axes:
            raise ValueError(
                f"{self.name} needs images, signals or volumes, shapes of at least {self.least_axes} numbers, but was "
                f"given {shape}"
            )
        if self.data_format == "channels_last":
            return shape[1:-1], shape[-1]
        return shape[2:], shape[1]

    def join(self, batch: int | None, space: Sequence[int | None], channels: int | None) -> Shape:
        """The shape with this batch, space and channels: what `split` takes apart."""
        if self.data_format == "channels_last":
            return (batch, *space, channels)
        return (batch, channels, *space)

    def output_space(self, space: Shape) -> Shape:
        """The sides of the output for these sides of the input, or an error if they are too small."""
        return space

    def output_channels(self, channels: int | None) -> int | None:
        """The channels of the output for these of the input."""
        return channels

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        if 0 in tuple(input_shape)[1:]:
            raise ValueError(
                f"{self.name} was given the shape {tuple(input_shape)}, in which there is nothing"
            )
        space, channels = self.split(input_shape)
        return self.join(input_shape[0], self.output_space(space), self.output_channels(channels))

    def fix(self, input_shape: Sequence[int | None], space: bool = False) -> tuple[Shape, int]:
        """Take from now on only these channels, and with `space` only these sides; give space and channels.

        For the `build` of a layer whose weights depend on them. What is fixed must be known.
        """
        sides, channels = self.split(input_shape)
        if channels is None or (space and None in sides):
            what = "the number of channels" if channels is None else "the size of the image"
            raise ValueError(
                f"{self.name} has weights for which it must know {what}, and the input shape "
                f"{tuple(input_shape)} leaves it open: give Input a full shape"
            )
        first = 1 if self.data_format == "channels_last" else 2
        axes = dict(enumerate(sides, start=first)) if space else {}
        self.input_spec = self._spec({**axes, self.channel_axis: channels})
        return sides, channels

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # for its errors

    # -- values ---------------------------------------------------------------------------------------------

    def compute(self, x: Any, training: bool = False) -> Any:
        """The output for `(batch, *space, channels)`, in the same layout."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.compute_output_shape(inputs.shape)  # another size than at `build` may be too small
        return self.as_given(self.compute(self.last(inputs), training))

    def last(self, x: Any) -> Any:
        """The input with its channels last, in float32 or wider if the layer asks for it."""
        x = ops.cast(x, self.wide_dtype) if self.widens else x
        return x if self.data_format == "channels_last" else ops.moveaxis(x, 1, -1)

    def as_given(self, y: Any, dtype: str | None = None) -> Any:
        """The output in the layout of the input, and in the dtype of the policy or another."""
        y = y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)
        return ops.cast(y, dtype or self.compute_dtype)

    @property
    def wide_dtype(self) -> str:
        """The dtype of the policy, but float32 at least: in it sums neither overflow nor stall."""
        # The wider of both, which Keras's result_type would not give on PyTorch and JAX.
        return "float64" if self.compute_dtype == "float64" else "float32"

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if self.keeps_mask or all(mask is None for mask in _flat(previous_mask)):
            return previous_mask
        raise ValueError(
            f"{self.name} mixes masked places with others and cannot keep a mask. If the masked places may count, "
            "drop the mask: keras.ops.copy(x)"
        )

    # -- cost and field -------------------------------------------------------------------------------------

    def products(self, channels: int) -> int:
        """Multiplications by a weight behind one number of the output; comparing and averaging is none."""
        return 0

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        """Multiply-adds of one example, for `cnnkit.insight`."""
        each = self.products(self.split(input_shape)[1])
        return each and each * math.prod(self.compute_output_shape(input_shape)[1:])

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any] | str:
        """What one place of the output sees, for `cnnkit.insight`."""
        return "elementwise"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


def _flat(masks: Any) -> list[Any]:
    """One mask, or those of several inputs, as a list."""
    return list(masks) if isinstance(masks, list | tuple) else [masks]


class WindowLayer(SpatialLayer):
    """Windows laid over the space: how large, how far apart, how far spread, and what is done at the border."""

    paddings: tuple[str, ...] = ("valid", "same")
    """What may be done at the border."""

    def __init__(
        self,
        window: tuple[int, ...],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        dilation_rate: int | Sequence[int] = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        if padding not in self.paddings:
            *others, last = map(repr, self.paddings)
            raise ValueError(f"padding must be {', '.join(others)} or {last}, not {padding!r}")
        self.window = window
        self.strides = tuple_of(strides, self.rank, "strides")
        self.dilation_rate = tuple_of(dilation_rate, self.rank, "dilation_rate")
        self.padding = padding

    def output_space(self, space: Shape) -> Shape:
        sides = zip(space, self.window, self.strides, self.dilation_rate, strict=True)
        return tuple(None if n is None else self._places(n, k, s, d) for n, k, s, d in sides)

    def _places(self, n: int, k: int, s: int, d: int) -> int:
        """How many windows find place along a side."""
        reach = d * (k - 1) + 1
        if self.padding == "same":
            return -(-n // s)
        if n < reach:
            raise ValueError(
                f"{self.name}: a side of {n} is smaller than the window of {reach}: use a larger image, a smaller "
                f"window{' or padding=' + repr('same') if 'same' in self.paddings else ''}"
            )
        return (n - reach) // s + 1

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any] | str:
        return {
            "kernel_size": self.window,
            "strides": self.strides,
            "dilation_rate": self.dilation_rate,
            "padding": self.padding,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strides": self.strides, "padding": self.padding}

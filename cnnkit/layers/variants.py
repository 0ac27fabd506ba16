"""Convolutions that Keras lacks: several dilations at once, enlarge-then-convolve, and one that skips hidden pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from cnnkit.layers._kernels import KernelLayer2D, Shape
from cnnkit.layers._windows import tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["MaskedConv2D", "MultiDilationConv2D", "ResizeConv2D"]


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1511.07122")
class MultiDilationConv2D(KernelLayer2D):
    """Kernels of one size, some of them spread wider: one layer that sees near and far at once.

    y[i, j, f] = b[f] + sum over u, v, c of w[u, v, c, f] x[i + d_f (u - m), j + d_f (v - m), c],  m = (k - 1) / 2

    Filter f has the dilation d_f of its run: the first filters take the first rate, and so on.  Parameters and
    multiply-adds are those of an ordinary convolution of `filters` kernels; only the reach differs, from k to
    k + (k - 1)(max d - 1).

    Arguments:
        filters: the number of output maps, cut as evenly as can be, the earlier rates getting more.
        kernel_size: side k.
        dilation_rates: one rate for each run of filters.
        padding: "same", or "valid", which cuts all maps to the size of the furthest reaching one, centred.
        groups, data_format, activation, use_bias, initializers, regularizers: as in `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, height', width', filters)`.

    >>> layer = MultiDilationConv2D(6, 3, dilation_rates=(1, 2, 4))
    >>> tuple(layer(ops.ones((1, 16, 16, 2))).shape), layer.count_params(), layer.reach
    ((1, 16, 16, 6), 114, (9, 9))

    Chapter: layers/convolution-variants.
    Paper: arXiv:1511.07122.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        dilation_rates: Sequence[int] = (1, 2, 4),
        padding: str = "same",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        if padding not in ("valid", "same"):
            raise ValueError(f"padding must be 'valid' or 'same', not {padding!r}")
        self.dilation_rates = tuple_of(dilation_rates, len(tuple(dilation_rates)), "dilation_rates")
        if self.groups != 1:
            raise ValueError(f"groups must be 1, not {self.groups}: groups and runs of filters would cross")
        if filters < len(self.dilation_rates):
            raise ValueError(
                f"{filters} filters cannot be shared by {len(self.dilation_rates)} dilation_rates: "
                "use more filters or fewer rates"
            )
        self.padding = padding
        each, more = divmod(filters, len(self.dilation_rates))
        self.run_lengths = tuple(each + (i < more) for i in range(len(self.dilation_rates)))

    @property
    def reach(self) -> tuple[int, int]:
        """Sides of the field of the furthest reaching kernel."""
        return tuple(k + (k - 1) * (max(self.dilation_rates) - 1) for k in self.kernel_size)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # refuses an image that is too small
        super().build(input_shape)

    def convolve(self, x: Any) -> Any:
        parts, start, furthest = [], 0, max(self.dilation_rates)
        for length, rate in zip(self.run_lengths, self.dilation_rates, strict=True):
            kernel = self.kernel[..., start : start + length]
            start += length
            spare = [(furthest - rate) * (k - 1) if self.padding == "valid" else 0 for k in self.kernel_size]
            inner = (slice(s // 2, -(s - s // 2) or None) for s in spare)
            part = x[(slice(None), *inner)] if any(spare) else x
            parts.append(
                ops.conv(part, kernel, padding=self.padding, data_format="channels_last", dilation_rate=rate)
            )
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        sides = self._sides(input_shape)[:2]
        if self.padding == "valid":
            for n, reach in zip(sides, self.reach, strict=True):
                if n is not None and n < reach:
                    raise ValueError(
                        f"a side of {n} is shorter than the reach of {reach}: use smaller dilation_rates or "
                        "padding='same'"
                    )
            sides = [n if n is None else n - reach + 1 for n, reach in zip(sides, self.reach, strict=True)]
        return self._shaped(input_shape[0], *sides)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        """As an ordinary convolution: k * k * channels for each output number."""
        numbers = math.prod(self.compute_output_shape(input_shape)[1:])
        return numbers * math.prod(self.kernel_size) * self._sides(input_shape)[2]

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any]:
        """What the furthest reaching units see."""
        return {
            "kernel_size": self.kernel_size,
            "dilation_rate": max(self.dilation_rates),
            "padding": self.padding,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dilation_rates": self.dilation_rates, "padding": self.padding}


@register_layer(chapter="layers/convolution-variants", paper="doi:10.23915/distill.00003")
class ResizeConv2D(KernelLayer2D):
    """Enlarge the map, then convolve it: upsampling that treats every output pixel alike.

    y = w * enlarge(x, s) + b

    A transposed convolution whose kernel side is no multiple of its stride adds up more terms in some output
    pixels than in others, hence the checkerboard.  Here each output pixel of the interior gets k * k terms.
    With "nearest" it is itself a transposed convolution, of kernel side k + s - 1, whose kernel is w blurred by
    a box of side s.

    Arguments:
        filters: the number of output maps.
        kernel_size: side k.
        factor: s, how many times larger each side becomes.
        interpolation: "nearest" or "bilinear".
        groups, data_format, activation, use_bias, initializers, regularizers: as in `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, s height, s width, filters)`.

    >>> tuple(ResizeConv2D(4, 3)(ops.ones((1, 5, 7, 2))).shape)
    (1, 10, 14, 4)

    Chapter: layers/convolution-variants.
    Paper: doi:10.23915/distill.00003.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        factor: int | Sequence[int] = 2,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.factor = tuple_of(factor, 2, "factor")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f"interpolation must be 'nearest' or 'bilinear', not {interpolation!r}")
        self.interpolation = interpolation

    def convolve(self, x: Any) -> Any:
        if self.interpolation == "nearest":
            for axis, factor in enumerate(self.factor, start=1):
                x = ops.repeat(x, factor, axis=axis) if factor > 1 else x
        else:
            sides = [n if n is not None else ops.shape(x)[axis] for axis, n in enumerate(x.shape)]
            size = tuple(n * factor for n, factor in zip(sides[1:3], self.factor, strict=True))
            x = ops.image.resize(x, size, interpolation="bilinear", data_format="channels_last")
        return ops.conv(x, self.kernel, padding="same", data_format="channels_last")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        sides = self._sides(input_shape)[:2]
        sides = [n if n is None else n * factor for n, factor in zip(sides, self.factor, strict=True)]
        return self._shaped(input_shape[0], *sides)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        """Those of the convolution of the enlarged map."""
        numbers = math.prod(self.compute_output_shape(input_shape)[1:])
        return numbers * math.prod(self.kernel_size) * self._sides(input_shape)[2] // self.groups

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any]:
        """As the transposed convolution that it is."""
        # A pixel is spread over s outputs by "nearest", over 2s (2s - 1 for odd s) by "bilinear".
        spread = [s if self.interpolation == "nearest" else 2 * s - s % 2 for s in self.factor]
        kernel = tuple(k - 1 + n for k, n in zip(self.kernel_size, spread, strict=True))
        before = [
            k // 2 + (n - s) // 2 for k, n, s in zip(self.kernel_size, spread, self.factor, strict=True)
        ]
        return {"kernel_size": kernel, "strides": self.factor, "padding": tuple(before), "transposed": True}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "interpolation": self.interpolation}


@register_layer(chapter="layers/convolution-variants", paper="arXiv:2301.00808")
class MaskedConv2D(KernelLayer2D):
    """A convolution that neither reads nor writes hidden pixels: what is masked stays exactly zero.

    y = m f(w * (m x) + b),  m = 1 where a pixel is visible and 0 where it is hidden

    The layer is called on `[image, visible]`.  In a stack, the visible region keeps its shape, where an ordinary
    convolution would grow a rim of half-seen pixels at each layer.  This is what a sparse convolution computes
    that lists visible pixels only; it is done densely, so it costs what `Conv2D` costs, and two products.

    Arguments:
        filters: the number of output maps.
        kernel_size: side k; stride 1, padding "same".
        groups: as in `Conv2D`; `groups=channels` is the depthwise convolution of the ConvNeXt block.
        data_format, activation, use_bias, initializers, regularizers: as in `keras.layers.Conv2D`.

    Input shapes: `(batch, height, width, channels)` and `(batch, height, width, 1)`.
    Output shape: `(batch, height, width, filters)`.

    >>> visible = ops.reshape(ops.array([1.0, 0.0, 0.0, 0.0]), (1, 2, 2, 1))
    >>> y = MaskedConv2D(1, 3, bias_initializer="ones")([ops.ones((1, 2, 2, 3)), visible])
    >>> (ops.convert_to_numpy(y)[0, :, :, 0] != 0).tolist()
    [[True, False], [False, False]]

    Chapter: layers/convolution-variants.
    Paper: arXiv:2301.00808.
    """

    def _pair(self, shapes: Any) -> tuple[Sequence[int | None], Sequence[int | None]]:
        if len(shapes) != 2 or not isinstance(shapes[0], list | tuple):
            raise ValueError(
                f"{self.name} is called on a list of two, [image, visible]; it was given {shapes}"
            )
        if self._sides(shapes[1])[2] != 1:
            raise ValueError(
                f"{self.name}: the mask must have one channel, and its shape is {tuple(shapes[1])}: "
                "add the axis with visible[..., None]"
            )
        return shapes[0], shapes[1]

    def build(self, input_shape: Any) -> None:
        self._make_weights(self._sides(self._pair(input_shape)[0])[2])

    def call(self, inputs: Any) -> Any:
        x, visible = (self.last(one) for one in inputs)
        visible = ops.cast(visible, x.dtype)
        y = ops.conv(x * visible, self.kernel, padding="same", data_format="channels_last")
        return self.as_given(self.finish(y) * visible)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shape = self._pair(input_shape)[0]
        return self._shaped(shape[0], *self._sides(shape)[:2])

    def multiply_adds(self, input_shape: Any) -> int:
        """As dense as it is computed; a sparse implementation saves the hidden share."""
        height, width, channels = self._sides(self._pair(input_shape)[0])
        return height * width * self.filters * math.prod(self.kernel_size) * channels // self.groups

    def receptive_field_window(self, input_shape: Any) -> dict[str, Any]:
        """As an ordinary convolution, in the image and in the mask."""
        return {"kernel_size": self.kernel_size, "padding": "same"}

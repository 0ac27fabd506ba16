"""Convolutions that Keras lacks: several dilations at once, and enlarge-then-convolve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from cnnkit.layers._kernels import KernelLayer
from cnnkit.layers._spatial import Shape, sizes, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = [
    "MultiDilationConv1D",
    "MultiDilationConv2D",
    "MultiDilationConv3D",
    "ResizeConv1D",
    "ResizeConv2D",
    "ResizeConv3D",
]


# -- several dilations ---------------------------------------------------------------------------------------


class _MultiDilationConv(KernelLayer):
    """Kernels of one size at several dilations, over any number of axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        dilation_rates: Sequence[int] = (1, 2, 4),
        padding: str = "same",
        data_format: str | None = None,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.dilation_rates = _rates(dilation_rates)
        super().__init__(
            filters,
            kernel_size,
            padding=padding,
            data_format=data_format,
            dilation_rate=max(
                self.dilation_rates
            ),  # of the furthest reaching filters: shape and field are theirs
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        if filters < len(self.dilation_rates):
            raise ValueError(
                f"{filters} filters cannot be shared by {len(self.dilation_rates)} dilation_rates: "
                "use more filters or fewer rates"
            )
        each, more = divmod(filters, len(self.dilation_rates))
        self.run_lengths = tuple(each + (i < more) for i in range(len(self.dilation_rates)))
        if any(length % groups for length in self.run_lengths):
            raise ValueError(
                f"groups={groups} must divide each run of filters, and the runs of {filters} filters at "
                f"{len(self.dilation_rates)} dilation_rates are {self.run_lengths}"
            )

    @property
    def reach(self) -> tuple[int, ...]:
        """Sides of the field of the furthest reaching kernel."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    def output_space(self, space: Shape) -> Shape:
        for n, reach in zip(space, self.reach, strict=True):
            if self.padding == "valid" and n is not None and n < reach:
                raise ValueError(
                    f"{self.name}: a side of {n} is shorter than the reach of {reach}: use smaller dilation_rates or "
                    "padding='same'"
                )
        return super().output_space(space)

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

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "dilation_rates": self.dilation_rates}
        del config["dilation_rate"], config["strides"]
        return config


def _rates(values: Any) -> tuple[int, ...]:
    if isinstance(values, int | str) or not len(values):
        raise ValueError(f"dilation_rates must be a sequence such as (1, 2, 4), not {values!r}")
    return tuple_of(values, len(values), "dilation_rates")


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1511.07122")
class MultiDilationConv1D(_MultiDilationConv):
    """Kernels of one size along a signal, some of them spread wider: `MultiDilationConv2D` along one axis.

    Args:
        filters, kernel_size, dilation_rates, padding, groups: as for `MultiDilationConv2D`.
        data_format, activation, use_bias: as for `keras.layers.Conv1D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, steps', filters)`.

    Example:
        >>> MultiDilationConv1D(6, 3, dilation_rates=(1, 8)).reach
        (17,)
    """

    rank = 1


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1511.07122")
class MultiDilationConv2D(_MultiDilationConv):
    """Kernels of one size, some of them spread wider: one layer that sees near and far at once.

    ::

        y[i, j, f] = b[f] + sum over u, v, c of w[u, v, c, f] x[i + d_f (u - m), j + d_f (v - m), c],  m = (k - 1) / 2

    Filter f has the dilation d_f of its run: the first filters take the first rate, and so on.  Parameters and
    multiply-adds are those of an ordinary convolution of `filters` kernels; only the reach differs, from k to
    k + (k - 1)(max d - 1).

    Args:
        filters: the number of output maps, cut as evenly as can be, the earlier rates getting more.
        kernel_size: sides of the kernels, one number or one an axis.
        dilation_rates: one rate for each run of filters.
        padding: `"same"`, or `"valid"`, which cuts all maps to the size of the furthest reaching one, centred.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        groups: as in `keras.layers.Conv2D`, within each run, whose number of filters it must divide.
        activation, use_bias: as for `keras.layers.Conv2D`, as are initializers, regularizers and constraints.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height', width', filters)`.

    Example:
        >>> layer = MultiDilationConv2D(6, 3, dilation_rates=(1, 2, 4))
        >>> tuple(layer(ops.ones((1, 16, 16, 2))).shape), layer.count_params(), layer.reach
        ((1, 16, 16, 6), 114, (9, 9))
    """

    rank = 2


@register_layer(chapter="layers/convolution-variants", paper="arXiv:1511.07122")
class MultiDilationConv3D(_MultiDilationConv):
    """Kernels of one size in a volume, some of them spread wider: `MultiDilationConv2D` along three axes.

    Args:
        filters, kernel_size, dilation_rates, padding, groups: as for `MultiDilationConv2D`.
        data_format, activation, use_bias: as for `keras.layers.Conv3D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, depth', height', width', filters)`.

    Example:
        >>> layer = MultiDilationConv3D(4, 3, dilation_rates=(1, 2), padding="valid")
        >>> tuple(layer(ops.ones((1, 6, 7, 8, 2))).shape)
        (1, 2, 3, 4, 4)
    """

    rank = 3


# -- enlarge, then convolve ----------------------------------------------------------------------------------


class _ResizeConv(KernelLayer):
    """Enlargement by whole factors and a convolution, over any number of axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        size: int | Sequence[int] = 2,
        interpolation: str = "nearest",
        data_format: str | None = None,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            padding="same",
            data_format=data_format,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.size = tuple_of(size, self.rank, "size")
        linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[self.rank]
        if interpolation not in ("nearest", linear):
            raise ValueError(f"interpolation must be 'nearest' or {linear!r}, not {interpolation!r}")
        self.interpolation = interpolation

    def output_space(self, space: Shape) -> Shape:
        return tuple(None if n is None else n * s for n, s in zip(space, self.size, strict=True))

    def convolve(self, x: Any) -> Any:
        enlarge = ops.repeat if self.interpolation == "nearest" else _interpolated
        for axis, factor in enumerate(self.size, start=1):
            x = enlarge(x, factor, axis=axis) if factor > 1 else x
        return ops.conv(x, self.kernel, padding="same", data_format="channels_last")

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> dict[str, Any]:
        # As the transposed convolution that it is: a pixel is spread over s outputs by "nearest", over 2s (2s - 1
        # for odd s) by interpolation.
        spread = [s if self.interpolation == "nearest" else 2 * s - s % 2 for s in self.size]
        kernel = tuple(k - 1 + n for k, n in zip(self.kernel_size, spread, strict=True))
        before = [k // 2 + (n - s) // 2 for k, n, s in zip(self.kernel_size, spread, self.size, strict=True)]
        return {"kernel_size": kernel, "strides": self.size, "padding": tuple(before), "transposed": True}

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "size": self.size, "interpolation": self.interpolation}
        del config["strides"], config["padding"], config["dilation_rate"]
        return config


def _interpolated(x: Any, factor: int, axis: int) -> Any:
    """One axis enlarged: pixel centres at `(i + 1/2) / factor - 1/2`, the ends repeated."""
    before, n = (slice(None),) * axis, sizes(x)[axis]
    lower = ops.concatenate([x[(*before, slice(0, 1))], x[(*before, slice(0, n - 1))]], axis=axis)
    upper = ops.concatenate([x[(*before, slice(1, None))], x[(*before, slice(n - 1, None))]], axis=axis)
    phases = []
    for phase in range(factor):
        off = (2 * phase + 1 - factor) / (2 * factor)
        phases.append(x * (1 - abs(off)) + (upper if off > 0 else lower) * abs(off) if off else x)
    shape = sizes(x)
    y = ops.stack(phases, axis=axis + 1)
    return ops.reshape(y, (-1, *shape[1:axis], n * factor, *shape[axis + 1 :]))


@register_layer(chapter="layers/upsampling", paper="doi:10.23915/distill.00003")
class ResizeConv1D(_ResizeConv):
    """Enlarge a signal, then convolve it: `ResizeConv2D` along one axis.

    Args:
        filters, kernel_size, size, groups: as for `ResizeConv2D`.
        interpolation: `"nearest"` or `"linear"`.
        data_format, activation, use_bias: as for `keras.layers.Conv1D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, size * steps, filters)`.

    Example:
        >>> tuple(ResizeConv1D(4, 3, size=4, interpolation="linear")(ops.ones((1, 5, 2))).shape)
        (1, 20, 4)
    """

    rank = 1


@register_layer(chapter="layers/upsampling", paper="doi:10.23915/distill.00003")
class ResizeConv2D(_ResizeConv):
    """Enlarge the map, then convolve it: upsampling that treats every output pixel alike.

    ::

        y = w * enlarge(x, s) + b

    A transposed convolution whose kernel side is no multiple of its stride adds up more terms in some output
    pixels than in others, hence the checkerboard.  Here each output pixel of the interior gets k * k terms.
    With "nearest" it is itself a transposed convolution, of kernel side k + s - 1, whose kernel is w blurred by
    a box of side s.

    Args:
        filters: the number of output maps.
        kernel_size: sides of the kernels, one number or one an axis.
        size: s, how many times larger each side becomes, as in `keras.layers.UpSampling2D`.
        interpolation: `"nearest"` or `"bilinear"`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        groups, activation, use_bias: as for `keras.layers.Conv2D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, s * height, s * width, filters)`.

    Example:
        >>> tuple(ResizeConv2D(4, 3)(ops.ones((1, 5, 7, 2))).shape)
        (1, 10, 14, 4)
    """

    rank = 2


@register_layer(chapter="layers/upsampling", paper="doi:10.23915/distill.00003")
class ResizeConv3D(_ResizeConv):
    """Enlarge a volume, then convolve it: `ResizeConv2D` along three axes.

    Args:
        filters, kernel_size, size, groups: as for `ResizeConv2D`.
        interpolation: `"nearest"` or `"trilinear"`.
        data_format, activation, use_bias: as for `keras.layers.Conv3D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, size * depth, size * height, size * width, filters)`.

    Example:
        >>> tuple(ResizeConv3D(4, 3, size=(1, 2, 2))(ops.ones((1, 3, 4, 5, 2))).shape)
        (1, 3, 8, 10, 4)
    """

    rank = 3

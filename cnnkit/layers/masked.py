"""A convolution that skips what a mask hides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import InputSpec, ops

from cnnkit.layers._kernels import KernelLayer
from cnnkit.layers._spatial import Shape
from cnnkit.layers._windows import largest, pad_same
from cnnkit.layers.registry import register_layer

__all__ = ["MaskedConv1D", "MaskedConv2D", "MaskedConv3D"]


class _MaskedConv(KernelLayer):
    """A convolution of what a mask leaves visible, over any number of axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "same",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
            strides,
            padding,
            data_format,
            dilation_rate,
            groups,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
        self.input_spec = None  # a list of two, which is looked at in `compute_output_shape`

    def compute_output_shape(self, input_shape: Any) -> Shape:
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(
                f"{self.name} is called on a list of two, [image, visible]; it was given {input_shape}"
            )
        image, visible = map(tuple, input_shape)
        if len(image) != self.rank + 2 or len(visible) != len(image):
            raise ValueError(
                f"{self.name}: image and mask must have {self.rank + 2} axes each, and their shapes are {image} and "
                f"{visible}"
            )
        if self.split(visible)[1] != 1:
            raise ValueError(
                f"{self.name}: the mask must have one channel, and its shape is {visible}: "
                "add the axis with visible[..., None]"
            )
        sides = zip(self.split(image)[0], self.split(visible)[0], strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in sides):
            raise ValueError(f"{self.name}: an image of shape {image} cannot have a mask of shape {visible}")
        return super().compute_output_shape(image)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)  # for its errors
        _, channels = self.fix(input_shape[0])
        self.input_spec = [self.input_spec, InputSpec(ndim=self.rank + 2, axes={self.channel_axis: 1})]
        self.add_shared_kernel(channels)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape([tuple(one.shape) for one in inputs])  # for its errors
        x, visible = map(self.last, inputs)
        visible = ops.cast(visible, x.dtype)
        y = self.finish(self.convolve(x * visible))
        return self.as_given(y * ops.cast(self._pooled(visible), y.dtype))

    def convolve(self, x: Any) -> Any:
        return ops.conv(
            x,
            self.kernel,
            self.strides,
            self.padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
        )

    def pool_mask(self, visible: Any) -> Any:
        """The mask of the output, for the next layer: 1 where one of the middle `strides` places of a window is.

        Without strides that is the mask itself, or with padding "valid" its inner part.

        Args:
            visible: the mask of the input, in its layout.

        Returns:
            The mask of the output, in the same layout.
        """
        visible = ops.convert_to_tensor(visible)
        return self.as_given(self._pooled(self.last(visible)), visible.dtype)

    def _pooled(self, visible: Any) -> Any:
        reach = [d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]
        block = [min(n, s) for n, s in zip(reach, self.strides, strict=True)]
        if self.padding == "same":
            if max(self.strides) == 1:
                return visible
            visible = pad_same(visible, reach, self.strides)
        middle = [(n - b) // 2 for n, b in zip(reach, block, strict=True)]
        ends = [-(n - b - m) or None for n, b, m in zip(reach, block, middle, strict=True)]
        inner = visible[(slice(None), *map(slice, middle, ends))]
        if max(self.strides) == 1:
            return inner
        return largest(
            ops.cast(inner, "float32"), block, self.strides
        )  # the one dtype that all pool volumes in

    def multiply_adds(self, input_shape: Any) -> int:
        # As dense as it is computed; a sparse implementation saves the hidden share.
        shape = self.compute_output_shape(input_shape)
        return self.products(self.split(input_shape[0])[1]) * math.prod(shape[1:])


@register_layer(chapter="layers/convolution-variants", paper="arXiv:2301.00808")
class MaskedConv1D(_MaskedConv):
    """A convolution along a signal that neither reads nor writes hidden steps: `MaskedConv2D` along one axis.

    Args:
        filters, kernel_size, strides, padding: as for `MaskedConv2D`.
        data_format, dilation_rate, groups, activation, use_bias: as for `keras.layers.Conv1D`, as are initializers,
            regularizers and constraints.

    Input shape:
        `[(batch, steps, channels), (batch, steps, 1)]`.

    Output shape:
        `(batch, steps', filters)`.

    Example:
        >>> visible = ops.reshape(ops.array([1.0, 0.0, 0.0, 0.0]), (1, 4, 1))
        >>> layer = MaskedConv1D(1, 3, strides=2)
        >>> ops.convert_to_numpy(layer.pool_mask(visible)).ravel().tolist()
        [1.0, 0.0]
    """

    rank = 1


@register_layer(chapter="layers/convolution-variants", paper="arXiv:2301.00808")
class MaskedConv2D(_MaskedConv):
    """A convolution that neither reads nor writes hidden pixels: what is masked stays exactly zero.

    ::

        y = m' f(w * (m x) + b),  m = 1 where a pixel is visible and 0 where it is hidden

    The layer is called on `[image, visible]`.  In a stack, the visible region keeps its shape, where an ordinary
    convolution would grow a rim of half-seen pixels at each layer.  This is what a sparse convolution computes
    that lists visible pixels only; it is done densely, so it costs what `Conv2D` costs, and two products.

    Without strides m' is m.  With strides s it is pooled: a place of the output is visible where one of the
    middle s x s pixels of its window is, the block of pixels that it stands for. `pool_mask` gives m' to the
    next layer.

    Args:
        filters: the number of output maps.
        kernel_size: sides of the kernels, one number or one an axis.
        strides: from one window to the next.
        padding: `"same"` or `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`, of both inputs; Keras's setting when None.
        dilation_rate: as in `keras.layers.Conv2D`; above 1 only without strides.
        groups: as in `keras.layers.Conv2D`; `groups=channels` is the depthwise convolution of the ConvNeXt block.
        activation, use_bias: as for `keras.layers.Conv2D`, as are initializers, regularizers and constraints.

    Input shape:
        `[(batch, height, width, channels), (batch, height, width, 1)]`.

    Output shape:
        `(batch, height', width', filters)`.

    Example:
        >>> visible = ops.reshape(ops.array([1.0, 0.0, 0.0, 0.0]), (1, 2, 2, 1))
        >>> y = MaskedConv2D(1, 3, bias_initializer="ones")([ops.ones((1, 2, 2, 3)), visible])
        >>> (ops.convert_to_numpy(y)[0, :, :, 0] != 0).tolist()
        [[True, False], [False, False]]
    """

    rank = 2


@register_layer(chapter="layers/convolution-variants", paper="arXiv:2301.00808")
class MaskedConv3D(_MaskedConv):
    """A convolution in a volume that neither reads nor writes hidden places: `MaskedConv2D` along three axes.

    Args:
        filters, kernel_size, strides, padding: as for `MaskedConv2D`.
        data_format, dilation_rate, groups, activation, use_bias: as for `keras.layers.Conv3D`, as are initializers,
            regularizers and constraints.

    Input shape:
        `[(batch, depth, height, width, channels), (batch, depth, height, width, 1)]`.

    Output shape:
        `(batch, depth', height', width', filters)`.

    Example:
        >>> nothing = ops.zeros((1, 2, 3, 4, 1))
        >>> y = MaskedConv3D(2, 3, bias_initializer="ones")([ops.ones((1, 2, 3, 4, 5)), nothing])
        >>> ops.convert_to_numpy(y).max().item()
        0.0
    """

    rank = 3

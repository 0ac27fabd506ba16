"""Locally connected layers: a convolution whose kernel is not shared, the ablation of weight sharing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._kernels import KernelLayer
from cnnkit.layers._spatial import Shape
from cnnkit.layers.registry import register_layer

__all__ = ["LocallyConnected1D", "LocallyConnected2D", "LocallyConnected3D"]


class _LocallyConnected(KernelLayer):
    """A kernel and a bias for each position, over any number of axes."""

    paddings = ("valid",)

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
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
        if padding != "valid":
            raise ValueError(
                f"padding must be 'valid', not {padding!r}: pad the image first, with ZeroPadding{self.rank}D"
            )
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
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

    def output_space(self, space: Shape) -> Shape:
        positions = super().output_space(space)
        if self.built and positions != tuple(self.kernel.shape[: self.rank]):
            raise ValueError(
                f"{self.name} has a kernel for each of {tuple(self.kernel.shape[: self.rank])} positions, and an image "
                f"of sides {space} has {positions}: make another layer for it"
            )
        return positions

    def build(self, input_shape: Sequence[int | None]) -> None:
        space, channels = self.fix(input_shape, space=True)
        positions = self.output_space(space)
        self.add_kernel_and_bias(
            (*positions, *self.kernel_size, channels, self.filters),
            (*positions, self.filters),
            self._one_kernel_at_a_time(math.prod(positions)),
        )

    def _one_kernel_at_a_time(self, positions: int) -> Any:
        """The initialiser, with the variance that it would give one kernel rather than the whole bank."""
        initializer = self.kernel_initializer
        if not isinstance(initializer, keras.initializers.VarianceScaling):
            return initializer
        # Keras counts the positions as part of the field, in the fan-in and in the fan-out alike.
        return lambda shape, dtype=None: initializer(shape, dtype=dtype) * math.sqrt(positions)

    def convolve(self, x: Any) -> Any:
        # Positions first and the batch last, so that a pixel with all its images is one row to gather.
        x = ops.transpose(x, (*range(1, self.rank + 2), 0))
        space, positions = tuple(x.shape[: self.rank]), tuple(self.kernel.shape[: self.rank])
        rows, number = math.prod(self.kernel_size) * x.shape[self.rank], math.prod(positions)
        patches = ops.take(ops.reshape(x, (math.prod(space), -1)), self._cells(space, positions), axis=0)
        # One product for each position: (k * k * C, batch), turned, times (k * k * C, filters).
        patches = ops.transpose(ops.reshape(patches, (number, rows, -1)), (0, 2, 1))
        y = ops.matmul(patches, ops.reshape(self.kernel, (number, rows, self.filters)))
        return ops.reshape(ops.transpose(y, (1, 0, 2)), (-1, *positions, self.filters))

    def _cells(self, space: Shape, positions: Shape) -> Any:
        """Which pixels, numbered row by row, each position reads: `(positions, k * k)`."""
        cells = ops.zeros((1,) * (2 * self.rank), "int32")
        for axis, (n, count, k, s) in enumerate(
            zip(space, positions, self.kernel_size, self.strides, strict=True)
        ):
            shape = [1] * (2 * self.rank)
            shape[axis], shape[self.rank + axis] = count, k
            corners = ops.arange(count, dtype="int32")[:, None] * s
            cells = cells * n + ops.reshape(corners + ops.arange(k, dtype="int32"), shape)
        return ops.reshape(cells, (math.prod(positions), math.prod(self.kernel_size)))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["dilation_rate"], config["groups"]
        return config


@register_layer(chapter="layers/convolution")
class LocallyConnected1D(_LocallyConnected):
    """A one-dimensional convolution with its own kernel and bias at each position.

    ::

        y[i, f] = b[i, f] + sum over u, c of w[i, u, c, f] * x[i * s + u, c]

    Local like a convolution, but nothing is shared: the parameters grow with the length of the input.

    Args:
        filters, kernel_size, strides: as for `keras.layers.Conv1D`.
        padding: only `"valid"`.
        data_format, activation, use_bias: as for `keras.layers.Conv1D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, length, channels)`, the length known.

    Output shape:
        `(batch, positions, filters)`.

    Example:
        >>> tuple(LocallyConnected1D(4, kernel_size=3)(keras.ops.ones((1, 8, 2))).shape)
        (1, 6, 4)
    """

    rank = 1


@register_layer(chapter="layers/convolution")
class LocallyConnected2D(_LocallyConnected):
    """A two-dimensional convolution with its own kernel and bias at each position.

    ::

        y[i, j, f] = b[i, j, f] + sum over u, v, c of w[i, j, u, v, c, f] * x[i * s + u, j * s + v, c]

    Local like a convolution, but nothing is shared: positions * (k * k * C + 1) * filters parameters,
    and what one position learns the next has to learn again. `kernel[i, j]` is the kernel at one position.

    Args:
        filters, kernel_size, strides: as for `keras.layers.Conv2D`.
        padding: only `"valid"`.
        data_format, activation, use_bias: as for `keras.layers.Conv2D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, height, width, channels)`, height and width known.

    Output shape:
        `(batch, rows, columns, filters)`; with `channels_first` the channels come second in both.

    Example:
        >>> layer = LocallyConnected2D(4, kernel_size=3)
        >>> tuple(layer(keras.ops.ones((1, 8, 8, 2))).shape), layer.count_params()
        ((1, 6, 6, 4), 2736)
    """

    rank = 2


@register_layer(chapter="layers/convolution")
class LocallyConnected3D(_LocallyConnected):
    """A three-dimensional convolution with its own kernel and bias at each position.

    Args:
        filters, kernel_size, strides, padding: as for `LocallyConnected2D`.
        data_format, activation, use_bias: as for `keras.layers.Conv3D`, as are initializers, regularizers and
            constraints.

    Input shape:
        `(batch, depth, height, width, channels)`, the sides known.

    Output shape:
        `(batch, planes, rows, columns, filters)`.

    Example:
        >>> tuple(LocallyConnected3D(4, kernel_size=2)(keras.ops.ones((1, 3, 4, 5, 2))).shape)
        (1, 2, 3, 4, 4)
    """

    rank = 3

"""Locally connected layers: a convolution whose kernel is not shared, the ablation of weight sharing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._kernels import KernelLayer, Shape
from cnnkit.layers._windows import tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]


class _LocallyConnected(KernelLayer):
    """What the one- and the two-dimensional layer share; `rank` is the number of spatial axes."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        if padding != "valid":
            raise ValueError(
                f"padding must be 'valid', not {padding!r}: pad the image first, with ZeroPadding{self.rank}D"
            )
        self.strides = tuple_of(strides, self.rank, "strides")
        self.padding = padding
        self.input_spec = keras.InputSpec(ndim=self.rank + 2)

    def _split(self, shape: Sequence[int | None]) -> tuple[Shape, int | None]:
        """An image's shape as (space, channels)."""
        shape = tuple(shape)
        return (shape[1:-1], shape[-1]) if self.data_format == "channels_last" else (shape[2:], shape[1])

    def _positions(self, shape: Sequence[int | None]) -> tuple[int, ...]:
        space, _ = self._split(shape)
        if None in space:
            raise ValueError(
                f"{type(self).__name__} has weights for each position, so it needs the size of the image; "
                f"the input shape {tuple(shape)} leaves it open: give Input a full shape"
            )
        if any(n < k for n, k in zip(space, self.kernel_size, strict=True)):
            raise ValueError(
                f"an image of {' x '.join(map(str, space))} is smaller than the kernel of "
                f"{' x '.join(map(str, self.kernel_size))}: use a smaller kernel or a larger image"
            )
        return tuple((n - k) // s + 1 for n, k, s in zip(space, self.kernel_size, self.strides, strict=True))

    def build(self, input_shape: Sequence[int | None]) -> None:
        positions = self._positions(input_shape)
        channels = self._split(input_shape)[1]
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

    def call(self, inputs: Any) -> Any:
        # Positions first and the batch last, so that a pixel with all its images is one row to gather.
        places = range(1, self.rank + 1) if self.data_format == "channels_last" else range(2, self.rank + 2)
        channels = self.rank + 1 if self.data_format == "channels_last" else 1
        x = ops.transpose(inputs, (*places, channels, 0))
        space, positions = tuple(x.shape[: self.rank]), self.kernel.shape[: self.rank]
        rows, number = math.prod(self.kernel_size) * x.shape[self.rank], math.prod(positions)
        patches = ops.take(ops.reshape(x, (math.prod(space), -1)), self._cells(space, positions), axis=0)
        # One product for each position: (k * k * C, batch), turned, times (k * k * C, filters).
        patches = ops.transpose(ops.reshape(patches, (number, rows, -1)), (0, 2, 1))
        y = ops.matmul(patches, ops.reshape(self.kernel, (number, rows, self.filters)))
        y = ops.reshape(ops.transpose(y, (1, 0, 2)), (-1, *positions, self.filters))
        return self.as_given(self.finish(y))

    def _cells(self, space: Sequence[int], positions: Sequence[int]) -> np.ndarray:
        """Which pixels, numbered row by row, each position reads: `(positions, k * k)`."""
        strides = np.reshape(self.strides, (self.rank, 1, 1))
        corners = np.indices(positions).reshape(self.rank, -1, 1) * strides
        offsets = np.indices(self.kernel_size).reshape(self.rank, 1, -1)
        return np.ravel_multi_index(tuple(corners + offsets), space).astype("int32")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        positions = self._positions(input_shape)
        if self.data_format == "channels_last":
            return (input_shape[0], *positions, self.filters)
        return (input_shape[0], self.filters, *positions)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strides": self.strides, "padding": self.padding}


@register_layer(chapter="layers/convolution")
class LocallyConnected1D(_LocallyConnected):
    """A one-dimensional convolution with its own kernel and bias at each position.

    y[i, f] = b[i, f] + sum over u, c of w[i, u, c, f] * x[i * s + u, c]

    Local like a convolution, but nothing is shared: the parameters grow with the length of the input.

    Arguments: as `keras.layers.Conv1D`, with `padding="valid"` only.
    Input shape: `(batch, length, channels)`, the length known. Output shape: `(batch, positions, filters)`.

    >>> tuple(LocallyConnected1D(4, kernel_size=3)(keras.ops.ones((1, 8, 2))).shape)
    (1, 6, 4)

    Chapter: layers/convolution.
    """

    rank = 1


@register_layer(chapter="layers/convolution")
class LocallyConnected2D(_LocallyConnected):
    """A two-dimensional convolution with its own kernel and bias at each position.

    y[i, j, f] = b[i, j, f] + sum over u, v, c of w[i, j, u, v, c, f] * x[i * s + u, j * s + v, c]

    Local like a convolution, but nothing is shared: positions * (k * k * C + 1) * filters parameters,
    and what one position learns the next has to learn again. `kernel[i, j]` is the kernel at one position.

    Arguments: as `keras.layers.Conv2D`, with `padding="valid"` only.
    Input shape: `(batch, height, width, channels)`, height and width known.
    Output shape: `(batch, rows, columns, filters)`; with `channels_first` the channels come second in both.

    >>> layer = LocallyConnected2D(4, kernel_size=3)
    >>> tuple(layer(keras.ops.ones((1, 8, 8, 2))).shape), layer.count_params()
    ((1, 6, 6, 4), 2736)

    Chapter: layers/convolution.
    """

    rank = 2

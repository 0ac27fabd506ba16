"""Convolution with a connection table: not every output map looks at every input map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._kernels import RingLayer, constant
from cnnkit.layers._spatial import tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["PartiallyConnected1D", "PartiallyConnected2D", "PartiallyConnected3D"]


class _PartiallyConnected(RingLayer):
    """A kernel for each pair of maps that a table joins, over any number of axes."""

    widens = False

    def __init__(
        self,
        connections: Sequence[Sequence[int]] | np.ndarray,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        data_format: str | None = None,
        pad_value: float = 0.0,
        bias: str | None = "map",
        activation: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        window = tuple_of(kernel_size, self.rank, "kernel_size")
        super().__init__(
            window,
            strides,
            padding,
            data_format,
            pad_value,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        table = np.asarray(connections)
        if table.ndim != 2 or not np.isin(table, (0, 1)).all() or not table.any(axis=0).all():
            raise ValueError(
                "connections needs a table (input maps, output maps) of 0 and 1 in which every output map "
                f"has an input, but was given shape {table.shape} with {int(np.sum(table != 0))} joined pairs"
            )
        if bias not in ("map", "unit", None):
            raise ValueError(f"bias needs to be 'map', 'unit' or None, but was given {bias!r}")
        self.connections = table.astype("int64")
        self.bias_kind = bias
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)  # None stays None
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        # Where in the list of kernels each pair finds its own; the unjoined find the zeros at the end.
        joined = self.connections == 1
        place = np.full(table.shape, joined.sum())
        place[joined] = np.arange(joined.sum())
        self._place = constant(place)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """The sides of a kernel."""
        return self.window

    def output_channels(self, channels: int | None) -> int | None:
        return self.connections.shape[1]

    def build(self, input_shape: Sequence[int | None]) -> None:
        _, channels = self.split(input_shape)
        maps = self.connections.shape
        if channels != maps[0]:
            raise ValueError(
                f"{self.name}: the table joins {maps[0]} input maps, but the input has {channels} "
                f"(shape {tuple(input_shape)}, {self.data_format})"
            )
        self.compute_output_shape(input_shape)  # for its errors
        space, _ = self.fix(input_shape, space=self.bias_kind == "unit")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, int(self.connections.sum())),
            initializer=self._joined_kernels,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_kind is not None:
            places = self.output_space(space) if self.bias_kind == "unit" else ()
            self.bias = self.add_weight(
                name="bias",
                shape=(*places, maps[1]),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def compute(self, x: Any, training: bool = False) -> Any:
        padded = ops.pad(self.kernel, [[0, 0]] * self.rank + [[0, 1]])
        dense = ops.take(padded, ops.convert_to_tensor(self._place, dtype="int32"), axis=-1)
        y = ops.conv(self.padded(x), dense, self.strides, "valid", data_format="channels_last")
        return self.activation(y if self.bias is None else y + self.bias)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        positions = math.prod(self.output_space(self.split(input_shape)[0]))
        return positions * math.prod(self.kernel_size) * int(self.connections.sum())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "connections": self.connections.tolist(),
            "kernel_size": self.kernel_size,
            "pad_value": self.pad_value,
            "bias": self.bias_kind,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }

    def _joined_kernels(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        dense_shape, wide = (*shape[:-1], *self.connections.shape), self.wide_dtype
        if self.kernel_initializer is None:
            fan_in = math.prod(shape[:-1]) * self.connections.sum(axis=0)
            limits = ops.convert_to_tensor(2.4 / fan_in, dtype=wide)
            dense = limits * keras.initializers.RandomUniform(-1, 1)(dense_shape, dtype=wide)
        else:
            dense = self.kernel_initializer(dense_shape, dtype=wide)
        joined = np.flatnonzero(self.connections).astype("int32")
        return ops.cast(ops.take(ops.reshape(dense, (*shape[:-1], -1)), joined, axis=-1), dtype)


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class PartiallyConnected1D(_PartiallyConnected):
    """Convolve along a signal only those pairs of channels that a table joins: `PartiallyConnected2D` on one axis.

    Args:
        connections, kernel_size, strides, padding, data_format, pad_value, bias, activation: as for
            `PartiallyConnected2D`, as are initializers, regularizers and constraints.

    Input shape:
        `(batch, steps, input maps)`.

    Output shape:
        `(batch, steps', output maps)`.

    Example:
        >>> tuple(PartiallyConnected1D([[1, 0], [1, 1]], kernel_size=3)(keras.ops.ones((1, 8, 2))).shape)
        (1, 6, 2)
    """

    rank = 1


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class PartiallyConnected2D(_PartiallyConnected):
    """Convolve only those pairs of maps that a table joins.

    ::

        y_j = f(b_j + sum of x_i * w_ij over the i with connections[i, j] = 1)

    Only joined pairs have weights: LeNet-5's C3 joins 60 of 6 x 16 pairs and has 60 * 25 + 16 = 1,516 of them.
    The kernels are laid into a dense one with zeros and convolved in one operation.

    Args:
        connections: the table, `(input maps, output maps)`, of 0 and 1.
        kernel_size: sides of the kernels, one number or one an axis.
        strides: step s of the window.
        padding: pixels p added on each side, one number or one an axis.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        pad_value: what they hold (the net of 1989 went on with the background, -1).
        bias: `"map"` for one bias a map, `"unit"` for one a unit (1989), None for none.
        activation: f, any Keras activation.
        kernel_initializer: draws a dense `(k, k, input maps, output maps)`, of which the joined pairs are
            kept; None for the rule of the LeNet papers, uniform within 2.4 / fan-in of each unit.
        bias_initializer: draws the biases.
        kernel_regularizer, bias_regularizer, activity_regularizer: as in `keras.layers.Conv2D`.
        kernel_constraint, bias_constraint: as in `keras.layers.Conv2D`.

    Input shape:
        `(batch, height, width, input maps)`.

    Output shape:
        `(batch, height', width', output maps)` with `height' = (height + 2p - k) // s + 1`.

    Example:
        >>> tuple(PartiallyConnected2D([[1, 0], [1, 1]], kernel_size=3)(keras.ops.ones((1, 8, 8, 2))).shape)
        (1, 6, 6, 2)
    """

    rank = 2


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class PartiallyConnected3D(_PartiallyConnected):
    """Convolve in a volume only those pairs of maps that a table joins: `PartiallyConnected2D` along three axes.

    Args:
        connections, kernel_size, strides, padding, data_format, pad_value, bias, activation: as for
            `PartiallyConnected2D`, as are initializers, regularizers and constraints.

    Input shape:
        `(batch, depth, height, width, input maps)`.

    Output shape:
        `(batch, depth', height', width', output maps)`.

    Example:
        >>> tuple(PartiallyConnected3D([[1, 0], [1, 1]], kernel_size=2)(keras.ops.ones((1, 3, 4, 5, 2))).shape)
        (1, 2, 3, 4, 2)
    """

    rank = 3

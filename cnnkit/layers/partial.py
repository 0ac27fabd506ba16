"""Convolution with a connection table: not every output map looks at every input map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer

__all__ = ["PartiallyConnected2D"]


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class PartiallyConnected2D(keras.layers.Layer):
    """Convolve only those pairs of maps that a table joins.

    y_j = f(b_j + sum of x_i * w_ij over the i with connections[i, j] = 1).  Only joined pairs have weights:
    LeNet-5's C3 joins 60 of 6 x 16 pairs and has 60 * 25 + 16 = 1,516 of them.  The kernels are laid into a
    dense one with zeros and convolved in one operation.

    Arguments:
        connections: the table, `(input maps, output maps)`, of 0 and 1.
        kernel_size: side k of the kernels.
        strides: step s of the window.
        padding: pixels p added on each side.
        pad_value: what they hold (the net of 1989 went on with the background, -1).
        bias: "map" for one bias a map, "unit" for one a unit (1989), None for none.
        activation: f, any Keras activation.
        kernel_initializer: draws a dense `(k, k, input maps, output maps)`, of which the joined pairs are
            kept; None for the rule of the LeNet papers, uniform within 2.4 / fan-in of each unit.
        bias_initializer: draws the biases.
        data_format: "channels_last" or "channels_first"; Keras's setting when None.

    Input `(batch, height, width, input maps)`, output `(batch, height', width', output maps)` with
    height' = (height + 2p - k) // s + 1.

    >>> tuple(PartiallyConnected2D([[1, 0], [1, 1]], kernel_size=3)(keras.ops.ones((1, 8, 8, 2))).shape)
    (1, 6, 6, 2)

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]] | np.ndarray,
        kernel_size: int,
        strides: int = 1,
        padding: int = 0,
        pad_value: float = 0.0,
        bias: str | None = "map",
        activation: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        table = np.asarray(connections)
        if table.ndim != 2 or not np.isin(table, (0, 1)).all() or not table.any(axis=0).all():
            raise ValueError(
                "connections needs a table (input maps, output maps) of 0 and 1 in which every output map "
                f"has an input, but was given shape {table.shape} with {int(np.sum(table != 0))} joined pairs"
            )
        if bias not in ("map", "unit", None):
            raise ValueError(f"bias needs to be 'map', 'unit' or None, but was given {bias!r}")
        if min(kernel_size, strides) < 1 or padding < 0:
            raise ValueError(
                "kernel_size and strides need to be at least 1 and padding at least 0, "
                f"but were given {kernel_size}, {strides}, {padding}"
            )
        self.connections = table.astype("int64")
        self.kernel_size, self.strides, self.padding = kernel_size, strides, padding
        self.pad_value, self.bias_kind = pad_value, bias
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)  # None stays None
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.data_format = layout(data_format)
        # Where in the list of kernels each pair finds its own; the unjoined find the zeros at the end.
        joined = self.connections == 1
        self._place = np.full(table.shape, joined.sum(), dtype="int32")
        self._place[joined] = np.arange(joined.sum())

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one kernel for each joined pair, and the biases."""
        height, width, channels = self._sizes(input_shape)
        k, maps = self.kernel_size, self.connections.shape
        if channels != maps[0]:
            raise ValueError(
                f"{self.name}: the table joins {maps[0]} input maps, but the input has {channels} "
                f"(shape {tuple(input_shape)}, {self.data_format})"
            )
        for side in (height, width):
            if side is not None and side + 2 * self.padding < k:
                raise ValueError(
                    f"{self.name}: a {k}x{k} kernel needs an input of at least {k} pixels a side, "
                    f"but was given {height}x{width} with padding {self.padding}"
                )

        shape = (k, k, int(self.connections.sum()))
        self.kernel = self.add_weight(shape=shape, initializer=self._joined_kernels, name="kernel")
        self.bias = None
        if self.bias_kind is not None:
            shape = (maps[1],)
            if self.bias_kind == "unit":
                if None in (height, width):
                    raise ValueError(
                        f"{self.name}: one bias a unit needs a known image size, not {input_shape}"
                    )
                shape = (self._side(height), self._side(width), maps[1])
            self.bias = self.add_weight(shape=shape, initializer=self.bias_initializer, name="bias")

    def call(self, inputs: Any) -> Any:
        """Lay the kernels into a dense one, and convolve."""
        x = ops.transpose(inputs, (0, 2, 3, 1)) if self.data_format == "channels_first" else inputs
        if self.padding:
            sides = [[0, 0], [self.padding] * 2, [self.padding] * 2, [0, 0]]
            x = ops.pad(x, sides, constant_values=self.pad_value)
        padded = ops.pad(self.kernel, [[0, 0], [0, 0], [0, 1]])
        dense = ops.take(padded, self._place, axis=-1)
        y = ops.conv(x, dense, strides=self.strides, padding="valid", data_format="channels_last")
        if self.bias is not None:
            y = y + self.bias
        y = self.activation(y)
        return ops.transpose(y, (0, 3, 1, 2)) if self.data_format == "channels_first" else y

    def multiply_adds(self, input_shape: tuple[int | None, ...]) -> int:
        """Multiply-adds for one image: k * k for each joined pair at each position; biases not counted."""
        height, width, _ = self._sizes(input_shape)
        positions = self._side(height) * self._side(width)
        return positions * self.kernel_size**2 * int(self.connections.sum())

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape after the window has visited every place."""
        height, width, _ = self._sizes(input_shape)
        height, width, maps = self._side(height), self._side(width), self.connections.shape[1]
        if self.data_format == "channels_first":
            return (input_shape[0], maps, height, width)
        return (input_shape[0], height, width, maps)

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this layer again."""
        return {
            **super().get_config(),
            "connections": self.connections.tolist(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "pad_value": self.pad_value,
            "bias": self.bias_kind,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "data_format": self.data_format,
        }

    def _joined_kernels(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        dense_shape = (*shape[:2], *self.connections.shape)
        if self.kernel_initializer is None:
            fan_in = shape[0] * shape[1] * self.connections.sum(axis=0)
            limits = ops.convert_to_tensor(2.4 / fan_in, dtype="float32")
            dense = limits * keras.initializers.RandomUniform(-1, 1)(dense_shape, dtype="float32")
        else:
            dense = self.kernel_initializer(dense_shape, dtype="float32")
        joined = np.flatnonzero(self.connections).astype("int32")
        return ops.cast(ops.take(ops.reshape(dense, (*shape[:2], -1)), joined, axis=-1), dtype)

    def _sizes(self, shape: tuple[int | None, ...]) -> tuple[int | None, int | None, int | None]:
        if len(shape) != 4:
            raise ValueError(
                f"{self.name} needs a batch of images, 4 axes, but was given shape {tuple(shape)}"
            )
        order = (2, 3, 1) if self.data_format == "channels_first" else (1, 2, 3)
        return tuple(shape[axis] for axis in order)

    def _side(self, size: int | None) -> int | None:
        return None if size is None else (size + 2 * self.padding - self.kernel_size) // self.strides + 1

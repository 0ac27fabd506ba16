"""LeNet's subsampling: neither average nor maximum, but a sum with a gain and a threshold to learn."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer

__all__ = ["TrainableSubsampling2D"]


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class TrainableSubsampling2D(keras.layers.Layer):
    """Sum each window, multiply by a trainable coefficient, add a trainable bias: y = f(a_c sum(x) + b_c).

    Two parameters a map.  A small coefficient leaves the unit nearly linear, so that the map is only
    blurred; a large one, with f a sigmoid, makes it a noisy OR or AND of the window, as the bias decides.
    At the start a_c = 1 / size**2 and b_c = 0: average pooling.

    Arguments:
        pool_size: side of the windows, which do not overlap; a rest at the edge is dropped.
        activation: f, any Keras activation.
        data_format: "channels_last" or "channels_first"; Keras's setting when None.

    Input `(batch, height, width, channels)`, output `(batch, height // size, width // size, channels)`.

    >>> tuple(TrainableSubsampling2D(2)(keras.ops.ones((1, 4, 4, 3))).shape)
    (1, 2, 2, 3)

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """

    def __init__(
        self, pool_size: int = 2, activation: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if pool_size < 1:
            raise ValueError(f"pool_size needs to be at least 1, but was given {pool_size}")
        self.pool_size = pool_size
        self.activation = keras.activations.get(activation)
        self.data_format = layout(data_format)

    @property
    def strides(self) -> int:
        """The step of the window: its own side, since windows do not overlap."""
        return self.pool_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one coefficient and one bias for each map."""
        if len(input_shape) != 4:
            raise ValueError(
                f"{self.name} needs a batch of images, 4 axes, but was given shape {input_shape}"
            )
        channels = input_shape[1 if self.data_format == "channels_first" else 3]
        if channels is None or 0 in self.compute_output_shape(input_shape)[1:]:
            raise ValueError(
                f"{self.name} needs a known number of channels and sides of at least {self.pool_size} pixels, "
                f"but was given shape {tuple(input_shape)}"
            )
        average = keras.initializers.Constant(1.0 / self.pool_size**2)
        self.coefficient = self.add_weight(shape=(channels,), initializer=average, name="coefficient")
        self.bias = self.add_weight(shape=(channels,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Average, scale back to the sum, and apply gain, threshold and squashing."""
        x = ops.transpose(inputs, (0, 2, 3, 1)) if self.data_format == "channels_first" else inputs
        mean = ops.average_pool(x, self.pool_size, self.pool_size, "valid", data_format="channels_last")
        y = self.activation(mean * (self.coefficient * self.pool_size**2) + self.bias)
        return ops.transpose(y, (0, 3, 1, 2)) if self.data_format == "channels_first" else y

    def multiply_adds(self, input_shape: tuple[int | None, ...]) -> int:
        """One multiply-add for each output unit: the sum is additions alone."""
        _, *sizes = self.compute_output_shape(input_shape)
        return sizes[0] * sizes[1] * sizes[2]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Both sides divided by the window's."""
        axes = (2, 3) if self.data_format == "channels_first" else (1, 2)
        return tuple(
            size // self.pool_size if axis in axes and size is not None else size
            for axis, size in enumerate(input_shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this layer again."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }

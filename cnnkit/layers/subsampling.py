"""LeNet's subsampling: neither average nor maximum, but a sum with a gain and a threshold to learn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from cnnkit.layers._spatial import WindowLayer, tuple_of
from cnnkit.layers._windows import average
from cnnkit.layers.registry import register_layer

__all__ = ["TrainableSubsampling1D", "TrainableSubsampling2D", "TrainableSubsampling3D"]


class _TrainableSubsampling(WindowLayer):
    """A sum over tiles with a gain and a threshold for each map, over any number of axes."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        activation: Any = None,
        data_format: str | None = None,
        coefficient_regularizer: Any = None,
        bias_regularizer: Any = None,
        coefficient_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        tile = tuple_of(pool_size, self.rank, "pool_size")
        super().__init__(tile, tile, data_format=data_format, **kwargs)
        self.activation = keras.activations.get(activation)
        self.coefficient_regularizer = keras.regularizers.get(coefficient_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.coefficient_constraint = keras.constraints.get(coefficient_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    @property
    def pool_size(self) -> tuple[int, ...]:
        """The sides of a tile."""
        return self.window

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        _, channels = self.fix(input_shape)
        self.coefficient = self.add_weight(
            name="coefficient",
            shape=(channels,),
            initializer=keras.initializers.Constant(1.0 / math.prod(self.window)),
            regularizer=self.coefficient_regularizer,
            constraint=self.coefficient_constraint,
            autocast=False,
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(channels,),
            initializer="zeros",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            autocast=False,
        )

    def compute(self, x: Any, training: bool = False) -> Any:
        mean = average(x, self.window, self.window)
        return self.activation(mean * (self.coefficient * math.prod(self.window)) + self.bias)

    def products(self, channels: int) -> int:
        return 1  # the sum is additions alone

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["strides"], config["padding"]  # they follow from the tiles
        return {
            **config,
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "coefficient_regularizer": keras.regularizers.serialize(self.coefficient_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "coefficient_constraint": keras.constraints.serialize(self.coefficient_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class TrainableSubsampling1D(_TrainableSubsampling):
    """Sum each window of a signal, scale and shift it by two weights a map: `TrainableSubsampling2D` along one axis.

    Args:
        pool_size, activation, data_format: as for `TrainableSubsampling2D`.
        coefficient_regularizer, bias_regularizer, coefficient_constraint, bias_constraint: of the two weights.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, steps // k, channels)`.

    Example:
        >>> ops.convert_to_numpy(TrainableSubsampling1D(2)(np.array([[[1.0], [3.0]]]))).item()
        2.0
    """

    rank = 1


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class TrainableSubsampling2D(_TrainableSubsampling):
    """Sum each window, multiply by a trainable coefficient, add a trainable bias, squash.

    ::

        y = f(a_c sum(x) + b_c)

    Two parameters a map. A small coefficient leaves the unit nearly linear, so that the map is only
    blurred; a large one, with f a sigmoid, makes it a noisy OR or AND of the window, as the bias decides.
    At the start `a_c = 1 / k^2` and `b_c = 0`: average pooling.

    Args:
        pool_size: sides k of the windows, which do not overlap; a rest at the edge is dropped.
        activation: f, any Keras activation.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        coefficient_regularizer, bias_regularizer, coefficient_constraint, bias_constraint: of the two weights.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height // k, width // k, channels)`.

    Example:
        >>> tuple(TrainableSubsampling2D(2)(keras.ops.ones((1, 4, 4, 3))).shape)
        (1, 2, 2, 3)
    """

    rank = 2


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class TrainableSubsampling3D(_TrainableSubsampling):
    """Sum each window of a volume, scale and shift it by two weights a map: `TrainableSubsampling2D` in three axes.

    Args:
        pool_size, activation, data_format: as for `TrainableSubsampling2D`.
        coefficient_regularizer, bias_regularizer, coefficient_constraint, bias_constraint: of the two weights.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, depth // k, height // k, width // k, channels)`.

    Example:
        >>> tuple(TrainableSubsampling3D(2)(keras.ops.ones((1, 4, 4, 4, 3))).shape)
        (1, 2, 2, 2, 3)
    """

    rank = 3

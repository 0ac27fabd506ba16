"""The response normalisations that Keras lacks: AlexNet's local one and ConvNeXt V2's global one.

Both take signals, images and volumes alike, as Keras's normalisations do: what they add up has no direction.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import SpatialLayer, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["GlobalResponseNormalization", "LocalResponseNormalization"]


@register_layer(chapter="layers/normalization", paper="doi:10.1145/3065386")
class LocalResponseNormalization(SpatialLayer):
    """Each activation divided by what the channels next to it say at the same place, as in AlexNet.

    ::

        y_i = x_i / (k + alpha * S_i)^beta,  S_i the sum of x_j^2 over the n channels j around i

    At both ends of the channels the window is cut. There is nothing to learn, and nothing to gather.

    Beware of alpha: in the paper, and in `tf.nn.local_response_normalization`, it multiplies the *sum*; Caffe
    and PyTorch multiply it with the *mean*, sum / n, so that the same numbers normalise n times less.
    `average=True` is their way. (TensorFlow's `depth_radius` is n // 2.) Sums are taken in float32 at least.

    Args:
        n: channels in a window, odd, itself included.
        k: what is added to the sum, above 0.
        alpha: what the sum is multiplied by, at least 0.
        beta: the power, at least 0. The defaults of all four are AlexNet's.
        average: divide alpha by n.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, ..., channels)`, with any number of axes of space, also none.

    Output shape:
        The same.

    Example:
        >>> x = np.array([3.0, 0.0, 4.0]).reshape(1, 1, 1, 3)
        >>> layer = LocalResponseNormalization(n=5, k=11.0, alpha=1.0, beta=0.5)
        >>> [round(float(v), 3) for v in layer(x)[0, 0, 0]]
        [0.5, 0.0, 0.667]
    """

    keeps_mask = True

    def __init__(
        self,
        n: int = 5,
        k: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        average: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        (self.n,) = tuple_of(n, 1, "n")
        if self.n % 2 == 0:
            raise ValueError(
                f"n must be odd and positive, so that it has a middle, not {n!r}; AlexNet's is 5"
            )
        if not k > 0:
            raise ValueError(f"k must be above 0, not {k!r}: silent channels would be divided by zero")
        if alpha < 0 or beta < 0:
            raise ValueError(f"alpha and beta must be at least 0, not {alpha!r} and {beta!r}")
        self.k, self.alpha, self.beta = float(k), float(alpha), float(beta)
        self.average = average

    def compute(self, x: Any, training: bool = False) -> Any:
        """Square, add up along the channels, raise to the power -beta, multiply."""
        half, channels = self.n // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), [*[(0, 0)] * (len(x.shape) - 1), (half, half)])
        total = reduce(operator.add, (squares[..., i : i + channels] for i in range(self.n)))
        base = self.k + (self.alpha / self.n if self.average else self.alpha) * total
        return x * ops.exp(-self.beta * ops.log(base))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("n", "k", "alpha", "beta", "average")}
        return {**super().get_config(), **own}


@register_layer(chapter="layers/normalization", paper="arXiv:2301.00808")
class GlobalResponseNormalization(SpatialLayer):
    """Each channel weighed by its length beside the mean length of all channels, as in ConvNeXt V2.

    ::

        g_c = |x_c|, the root of the sum of squares over all places of the image
        y_c = gamma_c x_c g_c / (mean over channels of g + epsilon) + beta_c + x_c

    Loud channels get louder, quiet ones stay; gamma and beta begin at zero, where the layer changes nothing.
    Nothing depends on the other images of the batch. A silent channel stays silent, with a finite gradient.
    Lengths are taken in float32 at least.

    Args:
        epsilon: added to the mean length.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        gamma_regularizer, beta_regularizer, gamma_constraint, beta_constraint: of the two weights.

    Input shape:
        `(batch, ..., channels)`: signals, images or volumes.

    Output shape:
        The same.

    Example:
        >>> layer = GlobalResponseNormalization()
        >>> layer.build((None, 1, 1, 2))
        >>> layer.set_weights([np.ones(2), np.zeros(2)])
        >>> keras.ops.convert_to_numpy(layer(np.array([1.0, 3.0]).reshape(1, 1, 1, 2))).round(4).tolist()
        [[[[1.5, 7.5]]]]
    """

    least_axes = 3

    def __init__(
        self,
        epsilon: float = 1e-6,
        data_format: str | None = None,
        gamma_regularizer: Any = None,
        beta_regularizer: Any = None,
        gamma_constraint: Any = None,
        beta_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.epsilon = float(epsilon)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.beta_constraint = keras.constraints.get(beta_constraint)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """One gamma and one beta for each channel."""
        _, channels = self.fix(input_shape)
        self.gamma = self.add_weight(
            name="gamma",
            shape=(channels,),
            initializer="zeros",
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
            autocast=False,
        )
        self.beta = self.add_weight(
            name="beta",
            shape=(channels,),
            initializer="zeros",
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
            autocast=False,
        )

    def compute(self, x: Any, training: bool = False) -> Any:
        """Measure each channel, compare, weigh, and add the input."""
        places = tuple(range(1, len(x.shape) - 1))
        squares = ops.sum(ops.square(x), axis=places, keepdims=True)
        silent = squares == 0
        length = ops.where(silent, 0.0, ops.sqrt(ops.where(silent, 1.0, squares)))
        ratio = length / (ops.mean(length, axis=-1, keepdims=True) + self.epsilon)
        return x * (1.0 + self.gamma * ratio) + self.beta

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
        }

"""The response normalisations that Keras lacks: AlexNet's local one and ConvNeXt V2's global one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer

__all__ = ["GlobalResponseNormalization", "LocalResponseNormalization"]

Shape = tuple[int | None, ...]


class _ResponseNormalization(keras.layers.Layer):
    """What the two have in common: the shape stays, the channels' axis follows the data format."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = layout(data_format)

    @property
    def axis(self) -> int:
        """The axis of the channels."""
        return -1 if self.data_format == "channels_last" else 1

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@register_layer(chapter="layers/normalization", paper="doi:10.1145/3065386")
class LocalResponseNormalization(_ResponseNormalization):
    """Each activation divided by what the channels next to it say at the same place, as in AlexNet.

    y_i = x_i / (k + alpha * S_i)^beta,  S_i the sum of x_j^2 over the n channels j around i

    At both ends of the channels the window is cut. There is nothing to learn, and nothing to gather.

    Beware of alpha: in the paper, and in `tf.nn.local_response_normalization`, it multiplies the *sum*; Caffe
    and PyTorch multiply it with the *mean*, sum / n, so that the same numbers normalise n times less.
    `average=True` is their way. (TensorFlow's `depth_radius` is n // 2.) Sums are taken in float32.

    Arguments:
        n: channels in a window, odd, itself included.
        k, alpha, beta: as above; the defaults are AlexNet's. `k` must be above 0, `alpha` and `beta` at least 0.
        average: divide alpha by n.
        data_format: as `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`, or without height and width. Output shape: the same.

    >>> x = np.array([3.0, 0.0, 4.0]).reshape(1, 1, 1, 3)
    >>> [round(float(v), 3) for v in LocalResponseNormalization(n=5, k=11.0, alpha=1.0, beta=0.5)(x)[0, 0, 0]]
    [0.5, 0.0, 0.667]

    Chapter: layers/normalization.
    Paper: doi:10.1145/3065386.
    """

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
        if n < 1 or n % 2 == 0:
            raise ValueError(
                f"n must be odd and positive, so that it has a middle, not {n!r}; AlexNet's is 5"
            )
        if not k > 0:
            raise ValueError(f"k must be above 0, not {k!r}: silent channels would be divided by zero")
        if alpha < 0 or beta < 0:
            raise ValueError(f"alpha and beta must be at least 0, not {alpha!r} and {beta!r}")
        self.n, self.k, self.alpha, self.beta = n, float(k), float(alpha), float(beta)
        self.average = average

    def call(self, inputs: Any) -> Any:
        """Square, add up along the channels, raise to the power -beta, multiply."""
        x = ops.cast(inputs, "float32")
        total = self._around(ops.square(x))
        base = self.k + (self.alpha / self.n if self.average else self.alpha) * total
        return ops.cast(x * ops.exp(-self.beta * ops.log(base)), self.compute_dtype)

    def _around(self, x: Any) -> Any:
        """The sum of n neighbours along the channels, by n slices of the padded tensor."""
        axis, half = self.axis % len(x.shape), self.n // 2
        channels, rest = x.shape[axis], [(0, 0)] * len(x.shape)
        padded = ops.pad(x, [(half, half) if i == axis else pair for i, pair in enumerate(rest)])
        everything = (slice(None),) * axis
        return sum(padded[(*everything, slice(i, i + channels))] for i in range(self.n))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("n", "k", "alpha", "beta", "average")}
        return {**super().get_config(), **own}


@register_layer(chapter="layers/normalization", paper="arXiv:2301.00808")
class GlobalResponseNormalization(_ResponseNormalization):
    """Each channel weighed by its length beside the mean length of all channels, as in ConvNeXt V2.

    g_c = |x_c|, the root of the sum of squares over all places of the image
    y_c = gamma_c x_c g_c / (mean over channels of g + epsilon) + beta_c + x_c

    Loud channels get louder, quiet ones stay; gamma and beta begin at zero, where the layer changes nothing.
    Nothing depends on the other images of the batch. A silent channel stays silent, with a finite gradient.
    Lengths are taken in float32.

    Arguments:
        epsilon: added to the mean length.
        data_format: as `keras.layers.Conv2D`.

    Input shape: `(batch, height, width, channels)`. Output shape: the same.

    >>> layer = GlobalResponseNormalization()
    >>> layer.build((None, 1, 1, 2))
    >>> layer.set_weights([np.ones(2), np.zeros(2)])
    >>> keras.ops.convert_to_numpy(layer(np.array([1.0, 3.0]).reshape(1, 1, 1, 2))).round(4).tolist()
    [[[[1.5, 7.5]]]]

    Chapter: layers/normalization.
    Paper: arXiv:2301.00808.
    """

    def __init__(self, epsilon: float = 1e-6, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.epsilon = float(epsilon)

    def build(self, input_shape: Shape) -> None:
        """One gamma and one beta for each channel."""
        if len(input_shape) != 4:
            raise ValueError(
                f"{self.name} needs images, a shape of four numbers, but was given {tuple(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"{self.name} must know its channels; they are unknown in {tuple(input_shape)}")
        self.gamma = self.add_weight(shape=(channels,), initializer="zeros", name="gamma")
        self.beta = self.add_weight(shape=(channels,), initializer="zeros", name="beta")

    def call(self, inputs: Any) -> Any:
        """Measure each channel, compare, weigh, and add the input."""
        last = self.data_format == "channels_last"
        places, shape = ((1, 2), (1, 1, 1, -1)) if last else ((2, 3), (1, -1, 1, 1))
        x = ops.cast(inputs, "float32")
        squares = ops.sum(ops.square(x), axis=places, keepdims=True)
        silent = squares == 0
        length = ops.where(silent, 0.0, ops.sqrt(ops.where(silent, 1.0, squares)))
        ratio = length / (ops.mean(length, axis=self.axis, keepdims=True) + self.epsilon)
        gamma, beta = (ops.reshape(ops.cast(w, "float32"), shape) for w in (self.gamma, self.beta))
        return ops.cast(x * (1.0 + gamma * ratio) + beta, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}

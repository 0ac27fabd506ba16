"""The poolings that Keras lacks: between the average and the maximum, by chance, and across channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import WindowPooling2D, layout, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = [
    "ChannelMaxPooling",
    "L2Pooling2D",
    "LpPooling2D",
    "MixedPooling2D",
    "SoftmaxPooling2D",
    "StochasticPooling2D",
]

Shape = tuple[int | None, ...]


def _power(x: Any, p: float) -> Any:
    """`x^p` for x >= 0: whole powers by multiplying, others by logarithms, both faster than the general power."""
    if p.is_integer() and p <= 64:
        result, square, rest = None, x, int(p)
        while rest:
            if rest % 2:
                result = square if result is None else result * square
            square, rest = (square * square if rest > 1 else square), rest // 2
        return result
    return ops.exp(p * ops.log(ops.maximum(x, 1e-30)))


def _root(mean: Any, p: float) -> Any:
    """`mean^(1/p)` whose gradient at zero is zero and not infinite: `mean` times a power that stays finite."""
    safe = ops.maximum(mean, 2e-38)  # the smallest that no backend takes for zero
    return mean / ops.sqrt(safe) if p == 2 else mean * ops.exp((1 / p - 1) * ops.log(safe))


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
class LpPooling2D(WindowPooling2D):
    """The p-norm of a window, averaged: the mean at p = 1, the maximum as p grows.

    y = (mean over the window of |a|^p)^(1/p),  p >= 1;  p = inf is max |a|

    Below p = 1 this is no norm, and an error says so. Padding is not counted. A window of zeros gives zero,
    with a zero gradient. Powers are taken in float32, so float16 does not overflow; above p = 4 each window
    is divided by its largest value first, so that no power of a small or large activation is lost.

    Arguments: `p`, then as `keras.layers.AveragePooling2D`.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, rows, columns, channels)`.

    >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
    >>> float(LpPooling2D(p=2)(x)[0, 0, 0, 0])
    2.5

    Chapter: layers/pooling.
    Paper: arXiv:2009.07485.
    """

    def __init__(
        self,
        p: float = 2.0,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not p >= 1:
            raise ValueError(f"p must be at least 1, not {p!r}: below 1 it is no norm; p=1 is the average")
        self.p = float(p)

    def pool(self, x: Any, training: bool) -> Any:
        if math.isinf(self.p):
            return self.largest(ops.abs(x))
        x = ops.cast(x, "float32")
        if self.p == 1:
            y = self.average(x * ops.sign(x))  # |x|, whose gradient at zero is zero on every backend
        elif self.p == 2:
            y = _root(self.average(ops.square(x)), 2)
        elif self.p <= 4:
            # Whole powers first and the sign last: one pass less over the image.
            power = ops.abs(_power(x, self.p)) if self.p.is_integer() else _power(ops.abs(x), self.p)
            y = _root(self.average(power), self.p)
        else:
            y = self._scaled(x)
        return ops.cast(y, self.compute_dtype)

    def _scaled(self, x: Any) -> Any:
        """As above, each window in units of its largest value, of which the result does not depend."""
        parts = [ops.abs(part) for part in self.windows(x)]
        largest = parts[0]
        for part in parts[1:]:
            largest = ops.maximum(largest, part)
        unit = ops.stop_gradient(ops.where(largest > 0, largest, 1.0))
        total, pixels = sum(_power(part / unit, self.p) for part in parts), sum(self.real(x))
        return unit * _root(total / pixels, self.p)

    def get_config(self) -> dict[str, Any]:
        # Infinity is no JSON; a word survives the round trip.
        return {**super().get_config(), "p": "inf" if math.isinf(self.p) else self.p}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LpPooling2D:
        config = dict(config)
        if "p" in config:
            config["p"] = float(config["p"])
        return super().from_config(config)


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
class L2Pooling2D(LpPooling2D):
    """The root of the mean square of a window: Lp pooling with p = 2.

    y = sqrt(mean over the window of a^2)

    Arguments, input and output shape: as `keras.layers.AveragePooling2D`.

    >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
    >>> float(L2Pooling2D()(x)[0, 0, 0, 0])
    2.5

    Chapter: layers/pooling.
    Paper: arXiv:2009.07485.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(2.0, pool_size, strides, padding, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["p"]
        return config


@register_layer(chapter="layers/pooling", paper="arXiv:1509.08985")
class MixedPooling2D(WindowPooling2D):
    """A blend of the maximum and the average, whose proportion is learned.

    y = m max(a) + (1 - m) mean(a),  m = sigmoid(logit)

    Arguments: `mixing`, the share of the maximum (at the start, when it is learned: then strictly between
    0 and 1); `learn`; then as `keras.layers.MaxPooling2D`. The property `share` tells m as it stands.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, rows, columns, channels)`.

    >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
    >>> float(MixedPooling2D(mixing=0.25, learn=False)(x)[0, 0, 0, 0])
    2.6875

    Chapter: layers/pooling.
    Paper: arXiv:1509.08985.
    """

    def __init__(
        self,
        mixing: float = 0.5,
        learn: bool = True,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not 0 <= mixing <= 1 or (learn and mixing in (0, 1)):
            between = "strictly between 0 and 1, so that it can move" if learn else "from 0 to 1"
            raise ValueError(f"mixing must be {between}, not {mixing!r}")
        self.mixing, self.learn = float(mixing), bool(learn)

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        self.logit = None
        if self.learn:
            start = math.log(self.mixing / (1 - self.mixing))
            self.logit = self.add_weight(
                name="logit", shape=(), initializer=keras.initializers.Constant(start)
            )

    @property
    def share(self) -> float:
        """The share of the maximum as it stands."""
        if not (self.learn and self.built):
            return self.mixing
        return float(ops.convert_to_numpy(ops.sigmoid(self.logit)))

    def pool(self, x: Any, training: bool) -> Any:
        share = self.mixing if self.logit is None else ops.sigmoid(ops.cast(self.logit, x.dtype))
        average = self.average(x)
        return average + share * (self.largest(x) - average)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mixing": self.mixing, "learn": self.learn}


@register_layer(chapter="layers/pooling", paper="arXiv:1301.3557")
class StochasticPooling2D(WindowPooling2D):
    """Keep one activation of each window, drawn with probability proportional to its size.

    In training p_i = a_i / sum(a); at inference the window gives its expectation, sum(a_i^2) / sum(a),
    which is the mean only where all are equal. Negative activations have no probability: they count as
    zero, as after a ReLU, and a window without a positive one gives zero. Padding is never drawn.

    Arguments: as `keras.layers.MaxPooling2D`, and `seed`.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, rows, columns, channels)`.

    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> float(StochasticPooling2D()(x)[0, 0, 0, 0])
    3.0

    Chapter: layers/pooling.
    Paper: arXiv:1301.3557.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def pool(self, x: Any, training: bool) -> Any:
        x = ops.relu(ops.cast(x, "float32"))
        return ops.cast(self._draw(x) if training else self._expect(x), self.compute_dtype)

    def _expect(self, x: Any) -> Any:
        # In a window of zeros 0 is divided by the smallest number that there is room for.
        return self.average(ops.square(x)) / ops.maximum(self.average(x), 1e-30)

    def _draw(self, x: Any) -> Any:
        # One number a window: it falls between two running sums, and picks what lies between them.
        parts = self.windows(x)
        ends = [ops.stop_gradient(parts[0])]
        for part in parts[1:]:
            ends.append(ends[-1] + ops.stop_gradient(part))
        arrow = keras.random.uniform(ops.shape(ends[-1]), seed=self.seed_generator) * ends[-1]
        chosen = parts[0]
        for end, part in zip(ends[:-1], parts[1:], strict=True):
            chosen = ops.where(arrow >= end, part, chosen)
        return chosen

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
class SoftmaxPooling2D(WindowPooling2D):
    """A mean of the window in which large activations weigh more.

    y = sum(e^(beta a) a) / sum(e^(beta a))

    beta = 0 is the average, beta -> inf the maximum, beta -> -inf the minimum. Each window's exponents are
    shifted by their largest, so that nothing overflows. Padding is not counted.

    Arguments: `beta`, then as `keras.layers.AveragePooling2D`.
    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, rows, columns, channels)`.

    >>> x = np.array([0.0, 0.0, 0.0, 4.0]).reshape(1, 2, 2, 1)
    >>> [round(float(SoftmaxPooling2D(beta)(x)[0, 0, 0, 0]), 3) for beta in (0, 1, 10)]
    [1.0, 3.792, 4.0]

    Chapter: layers/pooling.
    Paper: arXiv:2009.07485.
    """

    def __init__(
        self,
        beta: float = 1.0,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not math.isfinite(beta):
            raise ValueError(f"beta must be finite, not {beta!r}: for the limit itself use MaxPooling2D")
        self.beta = float(beta)

    def pool(self, x: Any, training: bool) -> Any:
        if self.beta == 0:
            return self.average(x)
        shift = abs(self.beta) * ops.stop_gradient(self.largest(x if self.beta > 0 else -x))
        weights, weighted = 0.0, 0.0
        for part, real in zip(self.windows(x), self.real(x), strict=True):
            exponent = self.beta * part - shift
            if self.padding == "same":  # padding may exceed every pixel: it must not overflow
                weight = real * ops.exp(ops.where(real > 0, exponent, 0.0))
            else:
                weight = ops.exp(exponent)
            weights, weighted = weights + weight, weighted + weight * part
        return weighted / weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


@register_layer(chapter="layers/pooling", paper="doi:10.1109/tvt.2019.2899972")
class ChannelMaxPooling(keras.Layer):
    """The maximum over groups of neighbouring channels at each position: fewer channels, the same places.

    y[..., c] = max over j < k of x[..., c k + j]

    Arguments: `pool_size`, the channels k in a group, which must divide the number of channels.
    Input shape: `(batch, ..., channels)`. Output shape: `(batch, ..., channels / k)`.

    >>> tuple(ChannelMaxPooling(4)(keras.ops.ones((1, 5, 5, 32))).shape)
    (1, 5, 5, 8)

    Chapter: layers/pooling.
    Paper: doi:10.1109/tvt.2019.2899972.
    """

    def __init__(self, pool_size: int = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.pool_size,) = tuple_of(pool_size, 1, "pool_size")
        self.data_format = layout(data_format)
        self.input_spec = keras.InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        x = inputs if self.data_format == "channels_last" else ops.moveaxis(inputs, 1, -1)
        shape = [known if known is not None else ops.shape(x)[i] for i, known in enumerate(x.shape)]
        # Channels as the length of a signal: Keras's own pooling is the fastest maximum there is.
        signal = ops.reshape(x, (-1, shape[-1], 1))
        y = ops.max_pool(signal, self.pool_size, self.pool_size, data_format="channels_last")
        y = ops.reshape(y, (*shape[:-1], shape[-1] // self.pool_size))
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        axis = len(input_shape) - 1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is not None and channels % self.pool_size:
            raise ValueError(
                f"{channels} channels cannot be cut into groups of {self.pool_size}: "
                "pool_size must divide the number of channels"
            )
        pooled = None if channels is None else channels // self.pool_size
        return (*input_shape[:axis], pooled, *input_shape[axis + 1 :])

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # for its error

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size, "data_format": self.data_format}

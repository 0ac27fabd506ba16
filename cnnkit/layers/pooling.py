"""The poolings that Keras lacks: between the average and the maximum, by chance, and across channels.

A family says what becomes of a window; its three thin classes say over how many axes the windows lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import SpatialLayer, tuple_of
from cnnkit.layers._windows import WindowPooling
from cnnkit.layers.registry import register_layer

__all__ = [
    "ChannelMaxPooling",
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "LpPooling1D",
    "LpPooling2D",
    "LpPooling3D",
    "MixedPooling1D",
    "MixedPooling2D",
    "MixedPooling3D",
    "SoftmaxPooling1D",
    "SoftmaxPooling2D",
    "SoftmaxPooling3D",
    "StochasticPooling1D",
    "StochasticPooling2D",
    "StochasticPooling3D",
]

_LP, _MIXED, _STOCHASTIC = "arXiv:2009.07485", "arXiv:1509.08985", "arXiv:1301.3557"


# -- the p-norm ---------------------------------------------------------------------------------------------


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


class _LpPooling(WindowPooling):
    """The p-norm of a window over any number of axes."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        p: float = 2.0,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not float(p) >= 1:
            raise ValueError(f"p must be at least 1, not {p!r}: below 1 it is no norm; p=1 is the average")
        self.p = float(p)  # of the word "inf" too, which a configuration has for infinity

    def compute(self, x: Any, training: bool = False) -> Any:
        if math.isinf(self.p):
            return self.largest(ops.abs(x))
        if self.p == 1:
            return self.average(x * ops.sign(x))  # |x|, whose gradient at zero is zero on every backend
        if self.p == 2:
            return _root(self.average(ops.square(x)), 2)
        if self.p <= 4:
            # Whole powers first and the sign last: one pass less over the image.
            power = ops.abs(_power(x, self.p)) if self.p.is_integer() else _power(ops.abs(x), self.p)
            return _root(self.average(power), self.p)
        return self._scaled(x)

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


@register_layer(chapter="layers/pooling", paper=_LP)
class LpPooling1D(_LpPooling):
    """The p-norm of a window of a signal, averaged: `LpPooling2D` along one axis.

    Args:
        pool_size, p, strides, padding, data_format: as for `LpPooling2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, windows, channels)`.

    Example:
        >>> x = np.array([1.0, 7.0, 3.0, 4.0]).reshape(1, 4, 1)
        >>> ops.convert_to_numpy(LpPooling1D(p=2)(x))[0, :, 0].round(4).tolist()
        [5.0, 3.5355]
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper=_LP)
class LpPooling2D(_LpPooling):
    """The p-norm of a window, averaged: the mean at p = 1, the maximum as p grows.

    ::

        y = (mean over the window of |a|^p)^(1/p),  p >= 1;  p = inf is max |a|

    Below p = 1 this is no norm, and an error says so. Padding is not counted. A window of zeros gives zero,
    with a zero gradient. Powers are taken in float32 at least, so float16 does not overflow; above p = 4 each
    window is divided by its largest value first, so that no power of a small or large activation is lost.

    Args:
        pool_size: sides of a window, one number or one an axis.
        p: the power, from 1 to infinity.
        strides: from one window to the next; `pool_size` when None.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
        >>> float(LpPooling2D(p=2)(x)[0, 0, 0, 0])
        2.5
    """

    rank = 2


@register_layer(chapter="layers/pooling", paper=_LP)
class LpPooling3D(_LpPooling):
    """The p-norm of a window of a volume, averaged: `LpPooling2D` along three axes.

    Args:
        pool_size, p, strides, padding, data_format: as for `LpPooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, planes, rows, columns, channels)`.

    Example:
        >>> float(LpPooling3D(2, p=3)(-np.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


class _L2Pooling(_LpPooling):
    """Lp pooling that has chosen its power."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, 2.0, strides, padding, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["p"]
        return config


@register_layer(chapter="layers/pooling", paper=_LP)
class L2Pooling1D(_L2Pooling):
    """The root of the mean square of a window of a signal: `LpPooling1D` with p = 2.

    Args:
        pool_size, strides, padding, data_format: as for `keras.layers.AveragePooling1D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, windows, channels)`.

    Example:
        >>> float(L2Pooling1D()(np.array([1.0, 7.0]).reshape(1, 2, 1))[0, 0, 0])
        5.0
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper=_LP)
class L2Pooling2D(_L2Pooling):
    """The root of the mean square of a window: `LpPooling2D` with p = 2.

    ::

        y = sqrt(mean over the window of a^2)

    Args:
        pool_size, strides, padding, data_format: as for `keras.layers.AveragePooling2D`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
        >>> float(L2Pooling2D()(x)[0, 0, 0, 0])
        2.5
    """

    rank = 2


@register_layer(chapter="layers/pooling", paper=_LP)
class L2Pooling3D(_L2Pooling):
    """The root of the mean square of a window of a volume: `LpPooling3D` with p = 2.

    Args:
        pool_size, strides, padding, data_format: as for `keras.layers.AveragePooling3D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, planes, rows, columns, channels)`.

    Example:
        >>> float(L2Pooling3D()(-np.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


# -- a blend of maximum and average -------------------------------------------------------------------------


class _MixedPooling(WindowPooling):
    """Maximum and average of a window over any number of axes, in a proportion that is learned."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        mixing: float = 0.5,
        learn: bool = True,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        logit_regularizer: Any = None,
        logit_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not 0 <= mixing <= 1 or (learn and mixing in (0, 1)):
            between = "strictly between 0 and 1, so that it can move" if learn else "from 0 to 1"
            raise ValueError(f"mixing must be {between}, not {mixing!r}")
        self.mixing, self.learn = float(mixing), bool(learn)
        self.logit_regularizer = keras.regularizers.get(logit_regularizer)
        self.logit_constraint = keras.constraints.get(logit_constraint)
        self.logit = None

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        if self.learn:
            self.logit = self.add_weight(
                name="logit",
                shape=(),
                initializer=keras.initializers.Constant(math.log(self.mixing / (1 - self.mixing))),
                regularizer=self.logit_regularizer,
                constraint=self.logit_constraint,
                autocast=False,
            )

    @property
    def share(self) -> float:
        """The share of the maximum as it stands."""
        if self.logit is None:
            return self.mixing
        return float(ops.convert_to_numpy(ops.sigmoid(self.logit)))

    def compute(self, x: Any, training: bool = False) -> Any:
        share = self.mixing if self.logit is None else ops.sigmoid(self.logit)
        average = self.average(x)
        return average + share * (self.largest(x) - average)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mixing": self.mixing,
            "learn": self.learn,
            "logit_regularizer": keras.regularizers.serialize(self.logit_regularizer),
            "logit_constraint": keras.constraints.serialize(self.logit_constraint),
        }


@register_layer(chapter="layers/pooling", paper=_MIXED)
class MixedPooling1D(_MixedPooling):
    """A blend of the maximum and the average of a window of a signal: `MixedPooling2D` along one axis.

    Args:
        pool_size, mixing, learn, strides, padding, data_format: as for `MixedPooling2D`.
        logit_regularizer, logit_constraint: as for `MixedPooling2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, windows, channels)`.

    Example:
        >>> float(MixedPooling1D(mixing=0.25, learn=False)(np.array([1.0, 3.0]).reshape(1, 2, 1))[0, 0, 0])
        2.25
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper=_MIXED)
class MixedPooling2D(_MixedPooling):
    """A blend of the maximum and the average, whose proportion is learned.

    ::

        y = m max(a) + (1 - m) mean(a),  m = sigmoid(logit)

    The property `share` tells m as it stands.

    Args:
        pool_size: sides of a window, one number or one an axis.
        mixing: the share of the maximum; when it is learned that at the start, strictly between 0 and 1.
        learn: whether the share is a weight.
        strides, padding, data_format: as for `keras.layers.MaxPooling2D`.
        logit_regularizer, logit_constraint: of the weight, which is the logit of the share.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> x = np.array([1.0, 2.0, 2.0, 4.0]).reshape(1, 2, 2, 1)
        >>> float(MixedPooling2D(mixing=0.25, learn=False)(x)[0, 0, 0, 0])
        2.6875
    """

    rank = 2


@register_layer(chapter="layers/pooling", paper=_MIXED)
class MixedPooling3D(_MixedPooling):
    """A blend of the maximum and the average of a window of a volume: `MixedPooling2D` along three axes.

    Args:
        pool_size, mixing, learn, strides, padding, data_format: as for `MixedPooling2D`.
        logit_regularizer, logit_constraint: as for `MixedPooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, planes, rows, columns, channels)`.

    Example:
        >>> float(MixedPooling3D()(np.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


# -- one activation, by chance ------------------------------------------------------------------------------


class _StochasticPooling(WindowPooling):
    """One activation of a window over any number of axes, drawn by its size."""

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

    def compute(self, x: Any, training: bool = False) -> Any:
        x = ops.relu(x)
        return self._draw(x) if training else self._expect(x)

    def _expect(self, x: Any) -> Any:
        # In a window of zeros 0 is divided by the smallest number that there is room for.
        return self.average(ops.square(x)) / ops.maximum(self.average(x), 1e-30)

    def _draw(self, x: Any) -> Any:
        # One number a window: it falls between two running sums, and picks what lies between them.
        parts = self.windows(x)
        ends = [ops.stop_gradient(parts[0])]
        for part in parts[1:]:
            ends.append(ends[-1] + ops.stop_gradient(part))
        chance = keras.random.uniform(ops.shape(ends[-1]), dtype=self.wide_dtype, seed=self.seed_generator)
        arrow, chosen = chance * ends[-1], parts[0]
        for end, part in zip(ends[:-1], parts[1:], strict=True):
            chosen = ops.where(arrow >= end, part, chosen)
        return chosen

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


@register_layer(chapter="layers/pooling", paper=_STOCHASTIC)
class StochasticPooling1D(_StochasticPooling):
    """Keep one activation of each window of a signal, drawn by its size: `StochasticPooling2D` along one axis.

    Args:
        pool_size, strides, padding, data_format, seed: as for `StochasticPooling2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, windows, channels)`.

    Example:
        >>> float(StochasticPooling1D()(np.array([1.0, 3.0]).reshape(1, 2, 1))[0, 0, 0])
        2.5
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper=_STOCHASTIC)
class StochasticPooling2D(_StochasticPooling):
    """Keep one activation of each window, drawn with probability proportional to its size.

    ::

        training:   y = a_i with probability p_i = a_i / sum(a)
        inference:  y = sum(p_i a_i) = sum(a_i^2) / sum(a)

    The expectation is the mean only where all are equal. Negative activations have no probability: they count as
    zero, as after a ReLU, and a window without a positive one gives zero. Padding is never drawn.

    Args:
        pool_size, strides, padding, data_format: as for `keras.layers.MaxPooling2D`.
        seed: of the draws.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
        >>> float(StochasticPooling2D()(x)[0, 0, 0, 0])
        3.0
    """

    rank = 2


@register_layer(chapter="layers/pooling", paper=_STOCHASTIC)
class StochasticPooling3D(_StochasticPooling):
    """Keep one activation of each window of a volume, drawn by its size: `StochasticPooling2D` along three axes.

    Args:
        pool_size, strides, padding, data_format, seed: as for `StochasticPooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, planes, rows, columns, channels)`.

    Example:
        >>> float(StochasticPooling3D()(np.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


# -- a weighted mean ----------------------------------------------------------------------------------------


class _SoftmaxPooling(WindowPooling):
    """The mean of a window over any number of axes, in which large activations weigh more."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        beta: float = 1.0,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)
        if not math.isfinite(beta):
            raise ValueError(
                f"beta must be finite, not {beta!r}: for the limit itself use MaxPooling{self.rank}D"
            )
        self.beta = float(beta)

    def compute(self, x: Any, training: bool = False) -> Any:
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


@register_layer(chapter="layers/pooling", paper=_LP)
class SoftmaxPooling1D(_SoftmaxPooling):
    """A mean of the window of a signal in which large activations weigh more: `SoftmaxPooling2D` along one axis.

    Args:
        pool_size, beta, strides, padding, data_format: as for `SoftmaxPooling2D`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        `(batch, windows, channels)`.

    Example:
        >>> round(float(SoftmaxPooling1D(beta=1)(np.array([0.0, 4.0]).reshape(1, 2, 1))[0, 0, 0]), 3)
        3.928
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper=_LP)
class SoftmaxPooling2D(_SoftmaxPooling):
    """A mean of the window in which large activations weigh more.

    ::

        y = sum(e^(beta a) a) / sum(e^(beta a))

    beta = 0 is the average, beta -> inf the maximum, beta -> -inf the minimum. Each window's exponents are
    shifted by their largest, so that nothing overflows. Padding is not counted.

    Args:
        pool_size: sides of a window, one number or one an axis.
        beta: how much more the large ones weigh; any finite number.
        strides, padding, data_format: as for `keras.layers.AveragePooling2D`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> x = np.array([0.0, 0.0, 0.0, 4.0]).reshape(1, 2, 2, 1)
        >>> [round(float(SoftmaxPooling2D(beta=beta)(x)[0, 0, 0, 0]), 3) for beta in (0, 1, 10)]
        [1.0, 3.792, 4.0]
    """

    rank = 2


@register_layer(chapter="layers/pooling", paper=_LP)
class SoftmaxPooling3D(_SoftmaxPooling):
    """A mean of the window of a volume in which large activations weigh more: `SoftmaxPooling2D` along three axes.

    Args:
        pool_size, beta, strides, padding, data_format: as for `SoftmaxPooling2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        `(batch, planes, rows, columns, channels)`.

    Example:
        >>> float(SoftmaxPooling3D()(np.ones((1, 2, 2, 2, 1)))[0, 0, 0, 0, 0])
        1.0
    """

    rank = 3


# -- across channels ----------------------------------------------------------------------------------------


@register_layer(chapter="layers/pooling", paper="doi:10.1109/tvt.2019.2899972")
class ChannelMaxPooling(SpatialLayer):
    """The maximum over groups of neighbouring channels at each place: fewer channels, the same places.

    ::

        y[..., c] = max over j < k of x[..., c k + j]

    Args:
        pool_size: channels k in a group, which must divide the number of channels.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, ..., channels)`, with any number of axes of space, also none.

    Output shape:
        `(batch, ..., channels / k)`.

    Example:
        >>> tuple(ChannelMaxPooling(4)(keras.ops.ones((1, 5, 5, 32))).shape)
        (1, 5, 5, 8)
    """

    widens = False
    keeps_mask = True

    def __init__(self, pool_size: int = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        (self.pool_size,) = tuple_of(pool_size, 1, "pool_size")

    def output_channels(self, channels: int | None) -> int | None:
        if channels is not None and channels % self.pool_size:
            raise ValueError(
                f"{self.name}: {channels} channels cannot be cut into groups of {self.pool_size}; "
                "pool_size must divide the number of channels"
            )
        return None if channels is None else channels // self.pool_size

    def compute(self, x: Any, training: bool = False) -> Any:
        shape = [known if known is not None else ops.shape(x)[i] for i, known in enumerate(x.shape)]
        # Channels as the length of a signal: Keras's own pooling is the fastest maximum there is.
        signal = ops.reshape(x, (-1, shape[-1], 1))
        y = ops.max_pool(signal, self.pool_size, self.pool_size, data_format="channels_last")
        return ops.reshape(y, (*shape[:-1], shape[-1] // self.pool_size))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}

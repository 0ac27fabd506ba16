"""Means that lie between the average and the maximum: the p-norm of a window, and its softmax.

A family says what becomes of a window; its three thin classes say over how many axes the windows lie.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from keras import ops

from cnnkit.layers._windows import WindowPooling
from cnnkit.layers.registry import register_layer

__all__ = [
    "L2Pooling1D",
    "L2Pooling2D",
    "L2Pooling3D",
    "LpPooling1D",
    "LpPooling2D",
    "LpPooling3D",
    "SoftmaxPooling1D",
    "SoftmaxPooling2D",
    "SoftmaxPooling3D",
]


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
        largest = reduce(ops.maximum, parts)
        unit = ops.stop_gradient(ops.where(largest > 0, largest, 1.0))
        total = reduce(operator.add, (_power(part / unit, self.p) for part in parts))
        pixels = reduce(operator.add, self.real(x))
        return unit * _root(total / pixels, self.p)

    def get_config(self) -> dict[str, Any]:
        # Infinity is no JSON; a word survives the round trip.
        return {**super().get_config(), "p": "inf" if math.isinf(self.p) else self.p}


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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
        >>> [round(float(y), 3) for y in LpPooling1D(p=2)(x)[0, :, 0]]
        [5.0, 3.536]
    """

    rank = 1


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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


@register_layer(chapter="layers/pooling", paper="arXiv:2009.07485")
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

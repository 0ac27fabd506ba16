"""Mixed pooling: the maximum and the average of a window, in a proportion that is learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import WindowPooling
from cnnkit.layers.registry import register_layer

__all__ = ["MixedPooling1D", "MixedPooling2D", "MixedPooling3D"]


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


@register_layer(chapter="layers/pooling", paper="arXiv:1509.08985")
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


@register_layer(chapter="layers/pooling", paper="arXiv:1509.08985")
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


@register_layer(chapter="layers/pooling", paper="arXiv:1509.08985")
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
        >>> ops.convert_to_numpy(MixedPooling3D()(np.ones((1, 2, 2, 2, 1)))).item()
        1.0
    """

    rank = 3

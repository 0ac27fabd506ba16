"""Stochastic pooling: one activation of each window, by chance, the large ones more often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import WindowPooling
from cnnkit.layers.registry import register_layer

__all__ = ["StochasticPooling1D", "StochasticPooling2D", "StochasticPooling3D"]


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


@register_layer(chapter="layers/pooling", paper="arXiv:1301.3557")
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


@register_layer(chapter="layers/pooling", paper="arXiv:1301.3557")
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


@register_layer(chapter="layers/pooling", paper="arXiv:1301.3557")
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

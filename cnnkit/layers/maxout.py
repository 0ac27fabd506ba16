"""Maxout: an activation that is learned, as the largest of a few straight lines."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout
from cnnkit.layers.registry import register_layer

__all__ = ["Maxout"]


@register_layer(chapter="layers/activations", paper="arXiv:1302.4389")
class Maxout(keras.layers.Layer):
    """Keep the largest of each run of `pieces` neighbouring channels.

    y[..., c] = max over m of x[..., pieces c + m]

    After a linear layer that makes `pieces` times as many channels as are wanted, each output is the
    maximum of that many learned linear functions: with two it can become ReLU, or |x|; with more,
    any convex function as nearly as one likes.

    Arguments: `pieces`, at least 2, which must divide the channels; `data_format`, where the channels
    stand in inputs of rank 3 to 5 (a plain feature vector has them last).
    Input shape: (batch, ..., channels).  Output shape: (batch, ..., channels / pieces).

    >>> tuple(Maxout(2)(keras.ops.ones((1, 4))).shape)
    (1, 2)

    Chapter: layers/activations.
    Paper: arXiv:1302.4389.
    """

    def __init__(self, pieces: int = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(pieces, int) or pieces < 2:
            raise ValueError(f"pieces is {pieces!r}; maxout chooses among at least 2 channels")
        self.pieces = pieces
        self.data_format = layout(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        axis = self._axis(len(inputs.shape))
        shape = list(ops.shape(inputs))
        groups = inputs.shape[axis] // self.pieces
        return ops.max(
            ops.reshape(inputs, [*shape[:axis], groups, self.pieces, *shape[axis + 1 :]]), axis=axis + 1
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        shape, axis = list(input_shape), self._axis(len(input_shape))
        if shape[axis] is None or shape[axis] % self.pieces:
            raise ValueError(
                f"the input {tuple(input_shape)} has {shape[axis]} channels, which {self.pieces} pieces do not "
                f"divide; let the layer before make a multiple of {self.pieces}"
            )
        shape[axis] //= self.pieces
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pieces": self.pieces, "data_format": self.data_format}

    def _axis(self, rank: int) -> int:
        return 1 if self.data_format == "channels_first" and rank > 2 else rank - 1

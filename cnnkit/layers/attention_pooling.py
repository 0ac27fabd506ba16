"""Pooling by attention: a learned question is put to every place, and the answers are averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import Shape, SpatialLayer, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["AttentionPooling"]


@register_layer(chapter="models/attention", paper="arXiv:1810.00825")
class AttentionPooling(SpatialLayer):
    """Multi-head attention from learned queries to all places, in place of a global average (a MAP head).

    ::

        v_i = FFN(x_i),  y = MultiHead(Q, V, V),  Q learned

    One query gives one vector, as global average pooling does; the order of the places does not matter. A mask
    of the input hides its places from the queries. Called with `return_attention_scores=True` the layer gives its
    weights too, `(batch, num_heads, num_queries, places)`.

    Args:
        num_heads: heads, each with a part of the channels.
        num_queries: how many vectors come out.
        key_dim: width of a head; channels / num_heads when None.
        intermediate_dim: width of the feed-forward net FFN, which ends in as many channels as it began with;
            `v_i = x_i` when None.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.
        query_regularizer, query_constraint: of the queries.
        kernel_regularizer, kernel_constraint: of all matrices.

    Input shape:
        `(batch, ..., channels)`: tokens, or images whose places are the tokens.

    Output shape:
        `(batch, channels)` for one query, else `(batch, num_queries, channels)`.

    Example:
        >>> tuple(AttentionPooling(num_heads=4)(np.ones((2, 7, 7, 32))).shape)
        (2, 32)
    """

    least_axes = 3
    widens = False

    def __init__(
        self,
        num_heads: int = 1,
        num_queries: int = 1,
        key_dim: int | None = None,
        intermediate_dim: int | None = None,
        data_format: str | None = None,
        query_regularizer: Any = None,
        query_constraint: Any = None,
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        (self.num_heads,) = tuple_of(num_heads, 1, "num_heads")
        (self.num_queries,) = tuple_of(num_queries, 1, "num_queries")
        self.key_dim = None if key_dim is None else tuple_of(key_dim, 1, "key_dim")[0]
        self.intermediate_dim = (
            None if intermediate_dim is None else tuple_of(intermediate_dim, 1, "intermediate_dim")[0]
        )
        self.query_regularizer = keras.regularizers.get(query_regularizer)
        self.query_constraint = keras.constraints.get(query_constraint)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    def build(self, input_shape: Sequence[int | None]) -> None:
        _, channels = self.fix(input_shape)
        width = self._width(channels)
        self.query = self.add_weight(
            name="query",
            shape=(1, self.num_queries, channels),
            initializer="glorot_normal",
            regularizer=self.query_regularizer,
            constraint=self.query_constraint,
        )
        shared = {
            "kernel_regularizer": self.kernel_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "dtype": self.dtype_policy,
        }
        self.feed_forward = []
        if self.intermediate_dim is not None:
            self.feed_forward = [
                keras.layers.Dense(self.intermediate_dim, activation="gelu", name="hidden", **shared),
                keras.layers.Dense(channels, name="values", **shared),
            ]
            self.feed_forward[0].build((None, None, channels))
            self.feed_forward[1].build((None, None, self.intermediate_dim))
        self.attention = keras.layers.MultiHeadAttention(
            self.num_heads, width, use_bias=False, name="attention", **shared
        )
        tokens = (input_shape[0], None, channels)
        self.attention.build((input_shape[0], self.num_queries, channels), tokens, tokens)

    def _width(self, channels: int) -> int:
        """The width of a head."""
        if self.key_dim is None and channels % self.num_heads:
            raise ValueError(
                f"{self.name}: {channels} channels cannot be shared by {self.num_heads} heads: choose num_heads that "
                "divides them, or give key_dim"
            )
        return self.key_dim or channels // self.num_heads

    def call(self, inputs: Any, mask: Any = None, return_attention_scores: bool = False) -> Any:
        x = self.last(inputs)
        channels, places = x.shape[-1], x.shape[1:-1]
        number = math.prod(places) if None not in places else -1
        batch = ops.shape(x)[0]
        x = ops.reshape(x, (batch, number, channels))
        for layer in self.feed_forward:
            x = layer(x)
        query = ops.broadcast_to(ops.cast(self.query, x.dtype), (batch, self.num_queries, channels))
        seen = None if mask is None else ops.reshape(mask, (batch, number))
        y, scores = self.attention(query, x, value_mask=seen, return_attention_scores=True)
        y = y[:, 0] if self.num_queries == 1 else y
        return (y, scores) if return_attention_scores else y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        return None  # it has been used

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        _, channels = self.split(input_shape)
        batch = input_shape[0]
        return (batch, channels) if self.num_queries == 1 else (batch, self.num_queries, channels)

    def compute_output_spec(
        self, inputs: Any, mask: Any = None, return_attention_scores: bool = False
    ) -> Any:
        y = keras.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)
        space, _ = self.split(inputs.shape)
        places = None if None in space else math.prod(space)
        scores = (inputs.shape[0], self.num_heads, self.num_queries, places)
        return (y, keras.KerasTensor(scores, self.compute_dtype)) if return_attention_scores else y

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        space, channels = self.split(input_shape)
        places, heads = math.prod(space), self.num_heads * self._width(channels)
        before = places * 2 * channels * (self.intermediate_dim or 0)
        queries = (
            self.num_queries * (2 * channels + 2 * places) * heads
        )  # into and out of the heads, and inside
        return before + places * 2 * channels * heads + queries

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> str:
        return "whole"

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "num_queries": self.num_queries,
            "key_dim": self.key_dim,
            "intermediate_dim": self.intermediate_dim,
            "query_regularizer": keras.regularizers.serialize(self.query_regularizer),
            "query_constraint": keras.constraints.serialize(self.query_constraint),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }

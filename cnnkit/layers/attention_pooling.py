"""Pooling by attention: a learned question is put to every place, and the answers are averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["AttentionPooling"]

Shape = tuple[int | None, ...]


@register_layer(chapter="layers/pooling", paper="arXiv:1810.00825")
class AttentionPooling(keras.Layer):
    """Multi-head attention from learned queries to all places, in place of a global average (a MAP head).

    v_i = FFN(x_i),  y = MultiHead(Q, V, V),  Q learned

    One query gives one vector, as global average pooling does; the order of the places does not matter.

    Arguments: `heads`; `queries`, how many vectors come out; `key_dim`, the width of a head (default
    channels / heads); `hidden`, the width of the feed-forward net FFN, which ends in as many channels as it
    began with (None: v_i = x_i); `data_format`.
    Input shape: `(batch, ..., channels)`: tokens, or images whose places are the tokens.
    Output shape: `(batch, channels)` for one query, else `(batch, queries, channels)`.
    Call argument: `return_attention_scores=True` adds the weights `(batch, heads, queries, places)`.

    >>> tuple(AttentionPooling(heads=4)(np.ones((2, 7, 7, 32))).shape)
    (2, 32)

    Chapter: layers/pooling.
    Paper: arXiv:1810.00825.
    """

    def __init__(
        self,
        heads: int = 1,
        queries: int = 1,
        key_dim: int | None = None,
        hidden: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.heads,) = tuple_of(heads, 1, "heads")
        (self.queries,) = tuple_of(queries, 1, "queries")
        self.key_dim, self.hidden = key_dim, hidden
        self.data_format = layout(data_format)
        self.input_spec = keras.InputSpec(min_ndim=3)

    def build(self, input_shape: Sequence[int | None]) -> None:
        channels = input_shape[-1] if self.data_format == "channels_last" else input_shape[1]
        if self.key_dim is None and channels % self.heads:
            raise ValueError(
                f"{channels} channels cannot be shared by {self.heads} heads: choose heads that divide them, "
                "or give key_dim"
            )
        self.query = self.add_weight(
            name="query", shape=(1, self.queries, channels), initializer="glorot_normal"
        )
        self.feed_forward = []
        if self.hidden is not None:
            self.feed_forward = [
                keras.layers.Dense(self.hidden, activation="gelu", dtype=self.dtype_policy, name="hidden"),
                keras.layers.Dense(channels, dtype=self.dtype_policy, name="values"),
            ]
            self.feed_forward[0].build((None, None, channels))
            self.feed_forward[1].build((None, None, self.hidden))
        self.attention = keras.layers.MultiHeadAttention(
            self.heads,
            self.key_dim or channels // self.heads,
            use_bias=False,
            dtype=self.dtype_policy,
            name="attention",
        )
        tokens = (input_shape[0], None, channels)
        self.attention.build((input_shape[0], self.queries, channels), tokens, tokens)

    def call(self, inputs: Any, return_attention_scores: bool = False) -> Any:
        x = inputs if self.data_format == "channels_last" else ops.moveaxis(inputs, 1, -1)
        channels = x.shape[-1]
        places = x.shape[1:-1]
        number = math.prod(places) if None not in places else -1
        batch = ops.shape(x)[0]
        x = ops.reshape(x, (batch, number, channels))
        for layer in self.feed_forward:
            x = layer(x)
        query = ops.broadcast_to(ops.cast(self.query, x.dtype), (batch, self.queries, channels))
        y, scores = self.attention(query, x, return_attention_scores=True)
        y = y[:, 0] if self.queries == 1 else y
        return (y, scores) if return_attention_scores else y

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        channels = input_shape[-1] if self.data_format == "channels_last" else input_shape[1]
        return (input_shape[0], channels) if self.queries == 1 else (input_shape[0], self.queries, channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "heads": self.heads,
            "queries": self.queries,
            "key_dim": self.key_dim,
            "hidden": self.hidden,
            "data_format": self.data_format,
        }

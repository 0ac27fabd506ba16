"""Cases of cnnkit.layers.attention_pooling."""

from __future__ import annotations

import math

import numpy as np

from cnnkit.scratch.regions import attention_pool


def attend(layer, x: np.ndarray) -> np.ndarray:
    query, *feed_forward, wq, wk, wv, wo = layer.get_weights()
    x = x.reshape(len(x), -1, x.shape[-1])
    if feed_forward:
        w1, b1, w2, b2 = feed_forward
        x = x @ w1 + b1
        x = x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2 @ w2 + b2
    y = attention_pool(x, query[0], wq, wk, wv, wo)
    return y[:, 0] if layer.num_queries == 1 else y


# Keras's attention takes the root of the width of a head through float32, whatever the policy.
FLOAT32_SCALE = {"tolerance64": 1e-6}
CASES = {
    "AttentionPooling": [
        {
            "kwargs": {"num_heads": 2},
            "input_shape": (3, 5, 6),
            "oracle": attend,
            "layout_output": None,
            # keys and values of 15 places, the query, the answer; then 15 scores and 15 shares of six numbers
            "multiply_adds": 2 * 15 * 6 * 6 + 6 * 6 + 6 * 6 + 2 * 15 * 6,
            **FLOAT32_SCALE,
        },
        {
            "kwargs": {"num_heads": 3, "num_queries": 2, "key_dim": 4, "intermediate_dim": 5},
            "input_shape": (7, 6),
            "oracle": attend,
            "layout_output": None,
            **FLOAT32_SCALE,
        },
        {
            "kwargs": {"num_heads": 2},
            "input_shape": (2, 3, 2, 4),
            "oracle": attend,
            "layout_output": None,
            **FLOAT32_SCALE,
        },
    ],
}

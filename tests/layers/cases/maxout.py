"""Cases of cnnkit.layers.maxout."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import channel_max_pool, maxout


def largest(layer, x: np.ndarray) -> np.ndarray:
    return maxout(x, layer.pool_size)


def channels(layer, x: np.ndarray) -> np.ndarray:
    return channel_max_pool(x, layer.pool_size)


CASES = {
    "ChannelMaxPooling": [
        {"kwargs": {"pool_size": 3}, "input_shape": (4, 5, 6), "oracle": channels},
        {"kwargs": {}, "input_shape": (8,), "oracle": channels},
        {"kwargs": {}, "input_shape": (5, 4), "oracle": channels},
        {"kwargs": {}, "input_shape": (3, 2, 4, 4), "oracle": channels},
    ],
    "Maxout": [
        {"kwargs": {"pool_size": 2}, "input_shape": (5, 4, 6), "oracle": largest},
        {"kwargs": {"pool_size": 3}, "input_shape": (7, 6), "oracle": largest},
        {"kwargs": {}, "input_shape": (6,), "oracle": largest},
    ],
}

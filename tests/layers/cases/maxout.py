"""Cases of cnnkit.layers.maxout."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch


def largest(layer, x: np.ndarray) -> np.ndarray:
    return scratch.maxout(x, layer.pieces)


CASES = {
    "Maxout": [
        {"kwargs": {"pieces": 2}, "input_shape": (5, 4, 6), "twin": largest},
        {"kwargs": {"pieces": 3}, "input_shape": (7, 6), "twin": largest},
    ],
}

"""Cases of cnnkit.layers.normalization."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import normalization


def local(layer, x: np.ndarray) -> np.ndarray:
    return normalization.local_response_normalize(
        x.astype("float64"), layer.n, layer.k, layer.alpha, layer.beta, layer.average
    )


def global_(layer, x: np.ndarray) -> np.ndarray:
    """All places in one column: the length of a channel does not ask how they lie."""
    column = x.astype("float64").reshape(len(x), -1, 1, x.shape[-1])
    y = normalization.global_response_normalize(column, *layer.get_weights(), layer.epsilon)
    return y.reshape(x.shape)


# The lengths run over the whole map; by custom statistics are not counted as seeing it.
WHOLE = {"field": False}
CASES = {
    "LocalResponseNormalization": [
        {"kwargs": {}, "input_shape": (5, 4, 7), "oracle": local},
        {"kwargs": {"alpha": 0.5, "k": 1.0}, "input_shape": (5, 4, 7), "oracle": local},
        {"kwargs": {"alpha": 0.5, "k": 1.0, "average": True}, "input_shape": (5, 4, 7), "oracle": local},
        {"kwargs": {"n": 7, "alpha": 2.0, "beta": 0.5}, "input_shape": (3, 3, 4), "oracle": local},
        {"kwargs": {"alpha": 0.5}, "input_shape": (7,), "oracle": local},
        {"kwargs": {"alpha": 0.5}, "input_shape": (5, 7), "oracle": local},
        {"kwargs": {"alpha": 0.5}, "input_shape": (2, 3, 4, 7), "oracle": local},
    ],
    "GlobalResponseNormalization": [
        {"kwargs": {}, "input_shape": (5, 4, 6), "oracle": global_, **WHOLE},
        {"kwargs": {"epsilon": 0.1}, "input_shape": (3, 6, 1), "oracle": global_, **WHOLE},
        {"kwargs": {}, "input_shape": (7, 4), "oracle": global_, **WHOLE},
        {"kwargs": {}, "input_shape": (2, 3, 4, 5), "oracle": global_, **WHOLE},
    ],
}

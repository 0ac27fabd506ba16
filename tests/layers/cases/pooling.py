"""Cases of cnnkit.layers.pooling."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import poolings

ODD, EVEN = (7, 5, 3), (8, 6, 2)


def windows_of(layer) -> dict:
    return {"size": layer.pool_size, "stride": layer.strides, "padding": layer.padding}


def lp(layer, x: np.ndarray) -> np.ndarray:
    return poolings.lp_pool2d(x, layer.p, **windows_of(layer))


def mixed(layer, x: np.ndarray) -> np.ndarray:
    return poolings.mixed_pool2d(x, layer.share, **windows_of(layer))


def stochastic(layer, x: np.ndarray) -> np.ndarray:
    return poolings.stochastic_pool2d(x, **windows_of(layer))


def soft(layer, x: np.ndarray) -> np.ndarray:
    return poolings.softmax_pool2d(x, layer.beta, **windows_of(layer))


def channels(layer, x: np.ndarray) -> np.ndarray:
    return poolings.channel_max_pool(x, layer.pool_size)


def positive(rng: np.random.Generator, batch: int) -> np.ndarray:
    return rng.uniform(0.1, 1.0, size=(batch, *ODD))


def cases(twin, *kwargs: dict, **extra) -> list[dict]:
    """Even sides, odd sides, overlapping windows and "same" padding for each set of arguments."""
    places = [(EVEN, {}), (ODD, {"pool_size": 3, "strides": 2}), (ODD, {"padding": "same"})]
    return [
        {"kwargs": {**k, **place}, "input_shape": shape, "twin": twin, **extra}
        for k in kwargs
        for shape, place in places
    ]


CASES = {
    "LpPooling2D": [
        *cases(lp, {"p": 3}),
        {"kwargs": {"p": 12}, "input_shape": EVEN, "twin": lp},
        {
            "kwargs": {"p": 50, "pool_size": 3, "strides": 2, "padding": "same"},
            "input_shape": EVEN,
            "twin": lp,
        },
        {"kwargs": {"p": 1}, "input_shape": EVEN, "twin": lp},
        {"kwargs": {"p": 2.5}, "input_shape": EVEN, "twin": lp},
        {"kwargs": {"p": float("inf")}, "input_shape": EVEN, "twin": lp},
    ],
    "L2Pooling2D": cases(lp, {}),
    "MixedPooling2D": [
        *cases(mixed, {}),
        {"kwargs": {"mixing": 0.3, "learn": False}, "input_shape": EVEN, "twin": mixed},
    ],
    # Positive inputs for the slope: at zero the expectation has a kink.
    "StochasticPooling2D": [
        *cases(stochastic, {}, training="differs", inputs=positive),
        {
            "kwargs": {},
            "input_shape": EVEN,
            "twin": stochastic,
            "training": "differs",
            "exact_gradient": False,
        },
    ],
    "SoftmaxPooling2D": [
        *cases(soft, {"beta": 1.5}),
        {"kwargs": {"beta": -4.0, "padding": "same"}, "input_shape": ODD, "twin": soft},
        {"kwargs": {"beta": 0.0}, "input_shape": EVEN, "twin": soft},
        {"kwargs": {"beta": 200.0, "padding": "same"}, "input_shape": ODD, "twin": soft},
    ],
    "ChannelMaxPooling": [
        {"kwargs": {"pool_size": 3}, "input_shape": (4, 5, 6), "twin": channels},
        {"kwargs": {}, "input_shape": (8,), "twin": channels},
    ],
}

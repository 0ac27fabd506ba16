"""Cases of the poolings with windows, in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnkit.scratch import pooling

ODD = {1: (7, 3), 2: (7, 5, 3), 3: (5, 7, 3, 2)}
EVEN = {1: (8, 2), 2: (8, 6, 2), 3: (4, 6, 2, 2)}


def windows_of(layer) -> dict:
    return {"size": layer.pool_size, "stride": layer.strides, "padding": layer.padding}


def lp(layer, x: np.ndarray) -> np.ndarray:
    return pooling.lp_pool2d(x, layer.p, **windows_of(layer))


def mixed(layer, x: np.ndarray) -> np.ndarray:
    return pooling.mixed_pool2d(x, layer.share, **windows_of(layer))


def stochastic(layer, x: np.ndarray) -> np.ndarray:
    return pooling.stochastic_pool2d(x, **windows_of(layer))


def soft(layer, x: np.ndarray) -> np.ndarray:
    return pooling.softmax_pool2d(x, layer.beta, **windows_of(layer))


def positive(rank: int) -> Callable[[np.random.Generator, int], np.ndarray]:
    return lambda rng, batch: rng.uniform(0.1, 1.0, size=(batch, *ODD[rank]))


def cases(oracle, *kwargs: dict, rank: int = 2, **extra) -> list[dict]:
    """Even sides, odd sides, overlapping windows and "same" padding for each set of arguments."""
    places = [
        (EVEN, {}),
        (ODD, {"pool_size": 3, "strides": 2}),
        (ODD, {"pool_size": (3, 2, 1)[:rank], "padding": "same"}),
    ]
    return [
        {"kwargs": {**k, **place}, "input_shape": shapes[rank], "oracle": oracle, **extra}
        for k in kwargs
        for shapes, place in places
    ]


CASES = {
    "LpPooling2D": [
        *cases(lp, {"p": 3}),
        {"kwargs": {"p": 12}, "input_shape": EVEN[2], "oracle": lp},
        {
            "kwargs": {"p": 50, "pool_size": 3, "strides": 2, "padding": "same"},
            "input_shape": EVEN[2],
            "oracle": lp,
        },
        {"kwargs": {"p": 1}, "input_shape": EVEN[2], "oracle": lp},
        {"kwargs": {"p": 2.5}, "input_shape": EVEN[2], "oracle": lp},
        {"kwargs": {"p": float("inf")}, "input_shape": EVEN[2], "oracle": lp},
    ],
    "L2Pooling2D": cases(lp, {}),
    "MixedPooling2D": [
        *cases(mixed, {}),
        {"kwargs": {"mixing": 0.3, "learn": False}, "input_shape": EVEN[2], "oracle": mixed},
    ],
    # Positive inputs for the slope: at zero the expectation has a kink.
    "StochasticPooling2D": [
        *cases(stochastic, {}, training="differs", inputs=positive(2)),
        {
            "kwargs": {},
            "input_shape": EVEN[2],
            "oracle": stochastic,
            "training": "differs",
            "exact_gradient": False,
        },
    ],
    "SoftmaxPooling2D": [
        *cases(soft, {"beta": 1.5}),
        {"kwargs": {"beta": -4.0, "padding": "same"}, "input_shape": ODD[2], "oracle": soft},
        {"kwargs": {"beta": 0.0}, "input_shape": EVEN[2], "oracle": soft},
        {"kwargs": {"beta": 200.0, "padding": "same"}, "input_shape": ODD[2], "oracle": soft},
    ],
}
for rank in (1, 3):
    CASES |= {
        f"LpPooling{rank}D": [
            *cases(lp, {"p": 3}, rank=rank),
            {"kwargs": {"p": 12, "padding": "same"}, "input_shape": ODD[rank], "oracle": lp},
        ],
        f"L2Pooling{rank}D": cases(lp, {}, rank=rank),
        f"MixedPooling{rank}D": cases(mixed, {}, rank=rank),
        f"StochasticPooling{rank}D": cases(
            stochastic, {}, rank=rank, training="differs", inputs=positive(rank)
        ),
        f"SoftmaxPooling{rank}D": cases(soft, {"beta": 1.5}, rank=rank),
    }

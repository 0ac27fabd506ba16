"""Cases of LeNet's layers: the connection table, the trainable subsampling, the distances to bitmaps."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch
from cnnkit.layers import character_codes, scaled_tanh
from cnnkit.models import c3_table

RING = [[1, 1, 0, 0, 1], [0, 1, 1, 0, 1], [0, 0, 1, 1, 0]]


def partial(layer, x: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    return scratch.partially_connected2d(
        x,
        kernel,
        layer.connections,
        bias[0] if bias else None,
        stride=layer.strides,
        padding=layer.padding,
        pad_value=layer.pad_value,
    )


def squashed_partial(layer, x: np.ndarray) -> np.ndarray:
    return scratch.scaled_tanh(partial(layer, x))


def subsampling(layer, x: np.ndarray) -> np.ndarray:
    y = scratch.trainable_subsampling2d(x, *layer.get_weights(), size=layer.pool_size[0])
    return np.tanh(y) if layer.activation.__name__ == "tanh" else y


def summed(layer, x: np.ndarray) -> np.ndarray:
    """As above, one window after the other, for any number of axes."""
    coefficient, bias = layer.get_weights()
    return scratch.pool_windows(lambda a: a.sum(axis=0), x, layer.pool_size) * coefficient + bias


CASES = {
    "PartiallyConnected2D": [
        {"kwargs": {"connections": RING, "kernel_size": 3}, "input_shape": (7, 6, 3), "twin": partial},
        {
            "kwargs": {
                "connections": RING,
                "kernel_size": 3,
                "strides": 2,
                "padding": 1,
                "pad_value": -1.0,
                "bias": "unit",
                "activation": scaled_tanh,
                "kernel_initializer": "lecun_uniform",
            },
            "input_shape": (8, 6, 3),
            "twin": squashed_partial,
            "fixed_size": True,
        },
        {
            "kwargs": {"connections": c3_table(), "kernel_size": 5, "bias": None},
            "input_shape": (8, 8, 6),
            "twin": partial,
        },
    ],
    "TrainableSubsampling2D": [
        {"kwargs": {}, "input_shape": (6, 8, 3), "twin": subsampling, "multiply_adds": 3 * 4 * 3},
        {"kwargs": {"pool_size": 3, "activation": "tanh"}, "input_shape": (7, 9, 2), "twin": subsampling},
    ],
    "TrainableSubsampling1D": [
        {"kwargs": {"pool_size": 3}, "input_shape": (7, 2), "twin": summed},
    ],
    "TrainableSubsampling3D": [
        {"kwargs": {"pool_size": (1, 2, 3)}, "input_shape": (3, 4, 7, 2), "twin": summed},
    ],
    "RadialBasisScores": [
        {
            "kwargs": {"centres": character_codes(12)},
            "input_shape": (84,),
            "twin": lambda layer, x: scratch.radial_basis_scores(x, layer.centres),
            "layout": False,
        },
    ],
}

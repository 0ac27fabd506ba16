"""Cases of LeNet's layers: the connection table, the trainable subsampling, the distances to bitmaps."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch
from cnnkit.layers import character_codes, scaled_tanh
from cnnkit.models import c3_table
from tests.layers.oracles import convolve

RING = [[1, 1, 0, 0, 1], [0, 1, 1, 0, 1], [0, 0, 1, 1, 0]]


def partial(layer, x: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    return scratch.partially_connected2d(
        x,
        kernel,
        layer.connections,
        bias[0] if bias else None,
        stride=layer.strides[0],
        padding=layer.padding[0],
        pad_value=layer.pad_value,
    )


def pair_by_pair(layer, x: np.ndarray) -> np.ndarray:
    """One convolution for each joined pair of maps, over any number of axes."""
    kernel, bias = layer.get_weights()
    rings = [(0, 0), *((p, p) for p in layer.padding), (0, 0)]
    x = np.pad(x, rings, constant_values=layer.pad_value)
    maps = [0.0] * layer.connections.shape[1]
    for pair, (i, j) in enumerate(np.argwhere(layer.connections)):
        maps[j] = maps[j] + convolve(x[..., i : i + 1], kernel[..., pair][..., None, None], layer.strides)
    return np.concatenate(maps, axis=-1) + bias


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
    "PartiallyConnected1D": [
        {
            "kwargs": {"connections": RING, "kernel_size": 3, "strides": 2, "padding": 1},
            "input_shape": (8, 3),
            "oracle": pair_by_pair,
            "multiply_adds": 4 * 3 * 8,
        },
    ],
    "PartiallyConnected3D": [
        {
            "kwargs": {"connections": RING, "kernel_size": (1, 2, 3), "padding": (0, 1, 0), "pad_value": 2.0},
            "input_shape": (3, 4, 5, 3),
            "oracle": pair_by_pair,
        },
    ],
    "PartiallyConnected2D": [
        {"kwargs": {"connections": RING, "kernel_size": 3}, "input_shape": (7, 6, 3), "oracle": partial},
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
            "oracle": squashed_partial,
            "fixed_size": True,
        },
        {
            "kwargs": {"connections": c3_table(), "kernel_size": 5, "bias": None},
            "input_shape": (8, 8, 6),
            "oracle": partial,
        },
    ],
    "TrainableSubsampling2D": [
        {"kwargs": {}, "input_shape": (6, 8, 3), "oracle": subsampling, "multiply_adds": 3 * 4 * 3},
        {"kwargs": {"pool_size": 3, "activation": "tanh"}, "input_shape": (7, 9, 2), "oracle": subsampling},
    ],
    "TrainableSubsampling1D": [
        {"kwargs": {"pool_size": 3}, "input_shape": (7, 2), "oracle": summed},
    ],
    "TrainableSubsampling3D": [
        {"kwargs": {"pool_size": (1, 2, 3)}, "input_shape": (3, 4, 7, 2), "oracle": summed},
    ],
    "RadialBasisScores": [
        {  # few numbers first: PyTorch's compiler takes half a minute for the 840 of LeNet-5
            "kwargs": {"centres": [[1.0, -1.0, 0.5], [-2.0, 1.0, 1.0]]},
            "input_shape": (3,),
            "oracle": lambda layer, x: scratch.radial_basis_scores(x, layer.centres),
            "layout": False,
        },
        {
            "kwargs": {"centres": character_codes(12)},
            "input_shape": (84,),
            "oracle": lambda layer, x: scratch.radial_basis_scores(x, layer.centres),
            "layout": False,
        },
    ],
}

"""Cases of cnnkit.layers.neocognitron."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch.neocognitron import c_cells, s_cells


def s_oracle(layer, x: np.ndarray) -> np.ndarray:
    return s_cells(x, *layer.get_weights(), layer.selectivity, layer.padding[0], layer.falloff)[0]


def c_oracle(layer, x: np.ndarray) -> np.ndarray:
    names = ("kernel_size", "strides", "padding", "strength", "falloff", "saturation", "rule")
    config = layer.get_config()
    return c_cells(x, **{name: config[name] for name in names})


def rates(rng: np.random.Generator, batch: int) -> np.ndarray:
    """Cells give rates: none is negative, and none sits at the kink of the rectifier."""
    return rng.random((batch, 9, 8, 3)) + 0.1


def apart(rng: np.random.Generator, batch: int) -> np.ndarray:
    """Planes that differ enough for none to sit at the kink where it equals the mean of all."""
    return rates(rng, batch) + np.array([0.0, 2.0, 5.0])


def weights(rng: np.random.Generator, layer) -> list[np.ndarray]:
    return [(0.3 * rng.random(w.shape)).astype("float32") for w in layer.get_weights()]


CASES = {
    "SCell": [
        {
            "kwargs": {"planes": 4, "kernel_size": 3, "padding": 1},
            "input_shape": (9, 8, 3),
            "inputs": rates,
            "oracle": s_oracle,
            "weights": weights,
            "multiply_adds": 9 * 8 * 9 * (3 * 4 + 1),
            "tolerance64": 1e-6,  # what keeps the root's slope finite stands under it
        },
        {
            "kwargs": {"planes": 2, "kernel_size": 5, "selectivity": 1.5},
            "input_shape": (9, 8, 3),
            "inputs": rates,
            "oracle": s_oracle,
            "weights": weights,
            "tolerance64": 1e-6,
        },
    ],
    "CCell": [
        {"kwargs": {}, "input_shape": (9, 8, 3), "inputs": apart, "oracle": c_oracle},
        {
            "kwargs": {"kernel_size": 3, "strides": 1, "padding": 0, "rule": "max"},
            "input_shape": (9, 8, 3),
            "inputs": apart,
            "oracle": c_oracle,
        },
    ],
}

"""Cases of cnnkit.layers.unpooling."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import variants


def pool(layer, x: np.ndarray) -> np.ndarray:
    return variants.max_pool2d_switches(x, layer.pool_size)[0]


def unpool(layer, x: np.ndarray, switches: np.ndarray) -> np.ndarray:
    return variants.max_unpool2d(x, switches.astype(int), layer.pool_size, layer.output_size)


def nails(layer, x: np.ndarray) -> np.ndarray:
    return variants.bed_of_nails2d(x, layer.pool_size[0])


def maxima_and_switches(height: int, width: int, channels: int, places: int):
    def make(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        shape = (batch, height, width, channels)
        return [rng.normal(size=shape), rng.integers(0, places, shape)]

    return make


CASES = {
    # The pair of outputs has tests of its own, in test_unpooling.py.
    "MaxPoolingWithSwitches2D": [
        {"kwargs": {"return_switches": False}, "input_shape": (6, 8, 3), "twin": pool},
        {
            "kwargs": {"pool_size": (3, 2), "return_switches": False},
            "input_shape": (7, 5, 2),
            "twin": pool,
        },
    ],
    "MaxUnpooling2D": [
        {
            "kwargs": {},
            "input_shape": [(3, 4, 2), (3, 4, 2)],
            "inputs": maxima_and_switches(3, 4, 2, 4),
            "layout_inputs": (0, 1),
            "gradients_into": (0,),  # the switches are places, not values
            "twin": unpool,
        },
        {
            "kwargs": {"pool_size": (3, 2), "output_size": (7, 5)},
            "input_shape": [(2, 2, 2), (2, 2, 2)],
            "inputs": maxima_and_switches(2, 2, 2, 6),
            "layout_inputs": (0, 1),
            "gradients_into": (0,),
            "twin": unpool,
        },
    ],
    "BedOfNailsUnpooling2D": [
        {"kwargs": {}, "input_shape": (3, 4, 2), "twin": nails},
        {"kwargs": {"pool_size": 3}, "input_shape": (2, 3, 1), "twin": nails},
    ],
}

"""Cases of cnnkit.layers.unpooling."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import variants
from cnnkit.scratch.pooling import pool_windows


def pool(layer, x: np.ndarray) -> np.ndarray:
    return pool_windows(lambda tile: tile.max(axis=0), x, layer.pool_size)


def unpool(layer, x: np.ndarray, switches: np.ndarray) -> np.ndarray:
    return variants.max_unpool2d(x, switches.astype(int), layer.pool_size, layer.output_size)


def unpool_one_by_one(layer, x: np.ndarray, switches: np.ndarray) -> np.ndarray:
    """Each number by itself, for any number of axes."""
    size = layer.output_size or [n * k for n, k in zip(x.shape[1:-1], layer.pool_size, strict=True)]
    y = np.zeros((len(x), *size, x.shape[-1]), x.dtype)
    for image, *place, channel in np.ndindex(x.shape):
        inside = np.unravel_index(int(switches[(image, *place, channel)]), layer.pool_size)
        there = [i * k + u for i, k, u in zip(place, layer.pool_size, inside, strict=True)]
        y[(image, *there, channel)] = x[(image, *place, channel)]
    return y


def nails(layer, x: np.ndarray) -> np.ndarray:
    y = np.zeros((len(x), *np.multiply(x.shape[1:-1], layer.pool_size), x.shape[-1]), x.dtype)
    y[(slice(None), *(slice(None, None, k) for k in layer.pool_size))] = x
    return y


def maxima_and_switches(*shape: int, places: int):
    def make(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        return [rng.normal(size=(batch, *shape)), rng.integers(0, places, (batch, *shape))]

    return make


def there(*rows: tuple) -> list[dict]:
    # The pair of outputs has tests of its own, in test_unpooling.py.
    return [
        {"kwargs": {**kwargs, "return_switches": False}, "input_shape": shape, "oracle": pool}
        for kwargs, shape in rows
    ]


def back(oracle, *rows: tuple) -> list[dict]:
    return [
        {
            "kwargs": kwargs,
            "input_shape": [shape, shape],
            "inputs": maxima_and_switches(*shape, places=places),
            "layout_inputs": (0, 1),
            "gradients_into": (0,),  # the switches are places, not values
            "oracle": oracle,
        }
        for kwargs, shape, places in rows
    ]


def pinned(*rows: tuple) -> list[dict]:
    return [{"kwargs": kwargs, "input_shape": shape, "oracle": nails} for kwargs, shape in rows]


CASES = {
    "MaxPoolingWithSwitches1D": there(({}, (6, 3)), ({"pool_size": 3}, (7, 2))),
    "MaxPoolingWithSwitches2D": there(({}, (6, 8, 3)), ({"pool_size": (3, 2)}, (7, 5, 2))),
    "MaxPoolingWithSwitches3D": there(({}, (4, 6, 2, 3)), ({"pool_size": (3, 1, 2)}, (7, 2, 5, 2))),
    "MaxUnpooling1D": back(
        unpool_one_by_one, ({}, (5, 2), 2), ({"pool_size": 3, "output_size": 7}, (2, 2), 3)
    ),
    "MaxUnpooling2D": back(
        unpool, ({}, (3, 4, 2), 4), ({"pool_size": (3, 2), "output_size": (7, 5)}, (2, 2, 2), 6)
    ),
    "MaxUnpooling3D": back(
        unpool_one_by_one,
        ({}, (2, 3, 4, 2), 8),
        ({"pool_size": (3, 1, 2), "output_size": (8, 2, 5)}, (2, 2, 2, 1), 6),
    ),
    "BedOfNailsUnpooling1D": pinned(({}, (4, 2)), ({"pool_size": 3}, (3, 1))),
    "BedOfNailsUnpooling2D": pinned(({}, (3, 4, 2)), ({"pool_size": 3}, (2, 3, 1))),
    "BedOfNailsUnpooling3D": pinned(({}, (2, 3, 4, 2)), ({"pool_size": (3, 1, 2)}, (2, 3, 2, 1))),
}

"""Cases of cnnkit.layers.spatial_transformer."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch.spatial_transformer import affine_grid, bilinear_sample


def matrices(kind: str, numbers: np.ndarray) -> np.ndarray:
    if kind == "affine":
        return numbers.reshape(-1, 2, 3)
    theta = np.zeros((len(numbers), 2, 3))
    theta[:, 0, 0] = theta[:, 1, 1] = numbers[:, 0] if kind == "attention" else 1
    theta[:, :, 2] = numbers[:, -2:]
    return theta


def resampled(layer, x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    grid = affine_grid(matrices(layer.transform, numbers), layer.size or x.shape[1:3])
    return bilinear_sample(x, grid)


def case(transform: str, numbers: int, size=None) -> dict:
    shapes = [(6, 5, 2), (numbers,)]

    def inputs(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        # The slope jumps where a pixel is read exactly at a centre; these places lie off the centres.
        return [rng.normal(size=(batch, *shapes[0])), 0.4 * rng.normal(size=(batch, numbers)) + 0.03]

    return {
        "kwargs": {"transform": transform, "size": size},
        "input_shape": shapes,
        "inputs": inputs,
        "oracle": resampled,
        "fixed_size": size is None,
    }


CASES = {
    "SpatialTransformer": [
        case("affine", 6),
        case("affine", 6, (3, 8)),
        case("attention", 3, (4, 4)),
        case("translation", 2),
    ]
}

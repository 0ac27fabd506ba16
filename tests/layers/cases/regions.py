"""Cases of cnnkit.layers.regions."""

from __future__ import annotations

import keras
import numpy as np

from cnnkit.scratch import regions

# x1, y1, x2, y2: the whole map, a part, across the border, thinner than a cell, without area, outside.
BOXES = np.array(
    [
        [0, 0, 6, 8],
        [1.2, 2.7, 5.1, 6.4],
        [-2.3, 4.1, 3.2, 11.7],
        [2.1, 2.1, 2.4, 6.2],
        [3, 3, 3, 6],
        [9, 9, 12, 14],
    ]
)


def pyramid(layer, x: np.ndarray) -> np.ndarray:
    return regions.spatial_pyramid_pool2d(x, layer.levels)


def roi_pool(layer, x: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return regions.roi_pool2d(x, boxes, layer.size, layer.spatial_scale)


def roi_align(layer, x: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return regions.roi_align(x, boxes, layer.size, layer.spatial_scale, layer.sampling_ratio)


def features_and_boxes(scale: float):
    def make(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        shifts = rng.uniform(-0.3, 0.3, size=(batch, *BOXES.shape)) * (BOXES[:, 2:3] > BOXES[:, :1])
        return [rng.normal(size=(batch, 8, 6, 3)), (BOXES + shifts) / scale]

    return make


def two_boxes(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
    """Without the boxes whose result jumps, so that the slope into the boxes can be checked too."""
    features, boxes = features_and_boxes(1.0)(rng, batch)
    return [features, boxes[:, 1:3]]


CASES = {
    "SpatialPyramidPooling2D": [
        {"kwargs": {}, "input_shape": (8, 12, 2), "oracle": pyramid, "layout_output": None},
        {
            "kwargs": {"levels": (1, 2, 3, 6)},
            "input_shape": (7, 5, 2),
            "oracle": pyramid,
            "layout_output": None,
        },
    ],
    "RoIPooling": [
        {
            "kwargs": {"size": size, "spatial_scale": scale},
            "input_shape": [(8, 6, 3), (6, 4)],
            "inputs": features_and_boxes(scale),
            "oracle": roi_pool,
            "gradients_into": (0,),  # rounding hides the boxes
            "layout_output": 2,
        }
        for size, scale in ((2, 1.0), ((3, 2), 0.25))
    ],
    "RoIAlign": [
        {
            "kwargs": {"size": size, "spatial_scale": scale, "sampling_ratio": ratio},
            "input_shape": [(8, 6, 3), (6, 4)],
            "inputs": features_and_boxes(scale),
            "oracle": roi_align,
            "layout_output": 2,
            "exact_gradient": (0,),  # a box without area jumps to one with
        }
        for size, scale, ratio in ((2, 1.0, 2), ((3, 2), 0.25, 3))
    ]
    + [
        {
            "kwargs": {"size": 3},
            "input_shape": [(8, 6, 3), (2, 4)],
            "inputs": two_boxes,
            "oracle": roi_align,
            "layout_output": 2,
        }
    ],
}

# Keras multiplies matrices of float64 in float32 on PyTorch.
if keras.backend.backend() == "torch":
    for case in CASES["RoIAlign"]:
        case["tolerance64"] = 1e-6

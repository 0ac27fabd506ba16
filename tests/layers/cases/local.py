"""Cases of cnnkit.layers.local."""

from __future__ import annotations

import keras
import numpy as np

from cnnkit.scratch import local


def oracle2d(layer, x: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    y = local.locally_connected2d(x, kernel, bias[0] if bias else None, layer.strides)
    return np.maximum(y, 0) if layer.activation.__name__ == "relu" else y


def oracle1d(layer, x: np.ndarray) -> np.ndarray:
    return local.locally_connected1d(x, *layer.get_weights(), stride=layer.strides[0])


def oracle3d(layer, x: np.ndarray) -> np.ndarray:
    """Position by position."""
    kernel, bias = layer.get_weights()
    y = np.zeros((len(x), *bias.shape))
    for place in np.ndindex(*bias.shape[:3]):
        window = tuple(
            slice(i * s, i * s + k) for i, s, k in zip(place, layer.strides, layer.kernel_size, strict=True)
        )
        y[(slice(None), *place)] = np.tensordot(x[(slice(None), *window)], kernel[place], axes=4)
    return y + bias


CASES = {
    "LocallyConnected1D": [
        {
            "kwargs": {"filters": 4, "kernel_size": 3},
            "input_shape": (9, 2),
            "oracle": oracle1d,
            "fixed_size": True,
            "multiply_adds": 7 * 3 * 2 * 4,
        },
        {
            "kwargs": {"filters": 2, "kernel_size": 4, "strides": 3},
            "input_shape": (12, 3),
            "oracle": oracle1d,
            "fixed_size": True,
        },
    ],
    "LocallyConnected2D": [
        {
            "kwargs": {"filters": 4, "kernel_size": 3},
            "input_shape": (6, 5, 2),
            "oracle": oracle2d,
            "fixed_size": True,
            "multiply_adds": 4 * 3 * 9 * 2 * 4,
        },
        {
            "kwargs": {
                "filters": 3,
                "kernel_size": (2, 3),
                "strides": (2, 1),
                "activation": "relu",
                "use_bias": False,
            },
            "input_shape": (7, 6, 2),
            "oracle": oracle2d,
            "fixed_size": True,
        },
    ],
    "LocallyConnected3D": [
        {
            "kwargs": {"filters": 2, "kernel_size": (2, 3, 2), "strides": (1, 1, 2)},
            "input_shape": (3, 4, 5, 2),
            "oracle": oracle3d,
            "fixed_size": True,
            "multiply_adds": 2 * 2 * 2 * 12 * 2 * 2,
        },
    ],
}

# Keras multiplies matrices of float64 in float32 on PyTorch.
if keras.backend.backend() == "torch":
    for rows in CASES.values():
        for case in rows:
            case["tolerance64"] = 1e-6

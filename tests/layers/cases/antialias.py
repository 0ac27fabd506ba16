"""Cases of cnnkit.layers.antialias."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import antialias


def blurred(layer, x: np.ndarray) -> np.ndarray:
    return antialias.blur_pool2d(x, layer.kernel_size, layer.strides[0], layer.padding)


def wrapped(layer, x: np.ndarray) -> np.ndarray:
    rows, columns = layer.padding
    return np.pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)), mode="wrap")


CASES = {
    "BlurPool2D": [
        {
            "kwargs": {"kernel_size": k, "strides": s, "padding": padding},
            "input_shape": shape,
            "twin": blurred,
        }
        for k, s, padding, shape in (
            (3, 2, "same", (8, 6, 3)),
            (5, 2, "reflect", (7, 5, 2)),
            (4, 3, "circular", (7, 8, 2)),
            (1, 2, "circular", (5, 4, 1)),
            (2, 1, "same", (5, 4, 1)),
        )
    ],
    "CircularPadding2D": [
        {"kwargs": {"padding": padding}, "input_shape": (5, 4, 3), "twin": wrapped}
        for padding in (1, (0, 3), 0)
    ],
}

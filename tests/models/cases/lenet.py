"""Cases of cnnkit.models.lenet: each net once more in NumPy."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch
from cnnkit.models import c3_table

Weights = dict[str, np.ndarray]
RING = np.array([[(i - j) % 12 < 8 for j in range(12)] for i in range(12)])


def dense(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return scratch.dense(x, w[f"{name}/kernel"], w[f"{name}/bias"])


def convolution(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return scratch.convolve2d(x, w[f"{name}/kernel"], w[f"{name}/bias"])


def lenet_1989(w: Weights, x: np.ndarray) -> np.ndarray:
    settings = {"stride": 2, "padding": 2, "pad_value": -1.0}
    squash = scratch.scaled_tanh
    joined = [("H1", np.ones((1, 12))), ("H2", RING)]
    for name, table in joined:
        kernel, bias = w[f"{name}/kernel"], w[f"{name}/bias"]
        x = squash(scratch.partially_connected2d(x, kernel, table, bias, **settings))
    x = squash(dense(w, "H3", x.reshape(len(x), -1)))
    return squash(dense(w, "output", x))


def lenet5(w: Weights, x: np.ndarray) -> np.ndarray:
    squash = scratch.scaled_tanh
    x = squash(convolution(w, "C1", x))
    x = squash(scratch.trainable_subsampling2d(x, w["S2/coefficient"], w["S2/bias"]))
    x = squash(scratch.partially_connected2d(x, w["C3/kernel"], c3_table(), w["C3/bias"]))
    x = squash(scratch.trainable_subsampling2d(x, w["S4/coefficient"], w["S4/bias"]))
    x = squash(convolution(w, "C5", x)).reshape(len(x), -1)
    x = squash(dense(w, "F6", x))
    return scratch.radial_basis_scores(x, scratch.digit_bitmaps().reshape(10, 84))


def lenet5_modern(w: Weights, x: np.ndarray) -> np.ndarray:
    x = scratch.max_pool2d(scratch.relu(convolution(w, "C1", x)), 2)
    x = scratch.max_pool2d(scratch.relu(convolution(w, "C3", x)), 2)
    x = scratch.relu(dense(w, "C5", x.reshape(len(x), -1)))
    return dense(w, "output", scratch.relu(dense(w, "F6", x)))


CASES = {
    "lenet-1989": {"oracle": lenet_1989},
    "lenet5": {
        "oracle": lenet5,
        "options": [
            ({"connections": "full"}, 60_900),
            ({"subsampling": "average"}, 59_956),
            ({"output": "dense"}, 60_850),
            ({"connections": "full", "subsampling": "average", "output": "dense"}, 61_706),
            ({"kernel_initializer": "lecun_uniform"}, 60_000),
        ],
    },
    "lenet5-modern": {"oracle": lenet5_modern},
}

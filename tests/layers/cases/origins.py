"""Cases of cnnkit.origins: the cells of Hubel and Wiesel."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import convolve2d


def simple(layer, x: np.ndarray) -> np.ndarray:
    padding = layer.size // 2 if layer.padding == "same" else 0
    return np.maximum(convolve2d(x, layer.get_weights()[0], padding=padding) - layer.threshold, 0)


def folded(layer, x: np.ndarray) -> np.ndarray:
    phases = x.reshape(*x.shape[:3], -1, layer.phases)
    return phases.max(axis=-1) if layer.rule == "max" else (phases**2).sum(axis=-1)


def complex_(layer, x: np.ndarray) -> np.ndarray:
    (size, _), (step, _) = layer.pool_size, layer.strides
    windows = np.lib.stride_tricks.sliding_window_view(folded(layer, x), (size, size), axis=(1, 2))
    windows = windows[:, ::step, ::step]
    return windows.max(axis=(-1, -2)) if layer.rule == "max" else windows.mean(axis=(-1, -2))


def rates(rng: np.random.Generator, batch: int) -> np.ndarray:
    """Firing rates as a simple layer gives them: none negative."""
    return rng.random((batch, 9, 7, 8)) + 0.1


CASES = {
    "SimpleCells": [
        {
            "kwargs": {"orientations": 3, "wavelength": 4.0},
            "input_shape": (14, 13, 1),
            "oracle": simple,
            "multiply_adds": 4 * 3 * 11 * 11 * 12,
        },
        {
            "kwargs": {"orientations": 2, "phases": 2, "size": 7, "threshold": 0.2, "padding": "same"},
            "input_shape": (9, 8, 1),
            "oracle": simple,
        },
        {
            "kwargs": {"orientations": 2, "wavelength": 3.0, "trainable": True},
            "input_shape": (12, 12, 1),
            "oracle": simple,
        },
    ],
    "ComplexCells": [
        {"kwargs": {}, "input_shape": (9, 7, 8), "inputs": rates, "oracle": complex_},
        {"kwargs": {"pool_size": 3}, "input_shape": (9, 7, 8), "inputs": rates, "oracle": complex_},
        {
            "kwargs": {"phases": 2, "rule": "max", "pool_size": 2, "strides": 2},
            "input_shape": (9, 7, 8),
            "inputs": rates,
            "oracle": complex_,
        },
    ],
}

"""Cases of cnnkit.layers.dropping: at inference, where nothing is dropped; the draws are in tests/layers/test_dropping.py."""

from __future__ import annotations

import keras
import numpy as np

from tests.layers.oracles import convolve


def wrapping(layer: keras.Layer) -> dict:
    """The layer as a description, so that each check wraps one of its own; `data_format` is the wrapped layer's."""
    return keras.saving.serialize_keras_object(layer)


def dense(layer, x: np.ndarray) -> np.ndarray:
    w, b = layer.get_weights()
    return np.maximum(x @ w + b, 0)


def convolved(layer, x: np.ndarray) -> np.ndarray:
    inner, (w, *b) = layer.layer, layer.get_weights()
    padding = inner.padding
    if padding == "causal":
        before = inner.dilation_rate[0] * (inner.kernel_size[0] - 1)
        x, padding = np.pad(x, [(0, 0), (before, 0), (0, 0)]), "valid"
    return convolve(x, w, inner.strides, padding, inner.dilation_rate, inner.groups) + (b[0] if b else 0)


# The wrapper has no arguments for these: the wrapped layer does.
HELD = {f"{w}_{kind}": name for w in ("kernel", "bias") for kind, name in (("regularizer", "l2"), ("constraint", "non_neg"))}  # fmt: skip
CASES = {
    "DropConnect": [
        {"kwargs": kwargs, "input_shape": shape, "oracle": oracle, "training": "differs", "layout": False, **extra}
        for kwargs, shape, oracle, extra in (
            ({"layer": wrapping(keras.layers.Dense(3, "relu", **HELD))}, (5, 4), dense, {"multiply_adds": 5 * 4 * 3}),
            ({"layer": wrapping(keras.layers.Dense(3, "relu")), "per": "batch"}, (4,), dense, {"multiply_adds": 12}),
            ({"layer": wrapping(keras.layers.Conv1D(4, 3, padding="causal", dilation_rate=2))}, (9, 2), convolved, {}),
            (
                {"layer": wrapping(keras.layers.Conv2D(4, (3, 2), 2, "same", groups=2)), "rate": 0.2},
                (7, 6, 4),
                convolved,
                {"multiply_adds": 4 * 3 * 6 * 2 * 4},
            ),
            ({"layer": wrapping(keras.layers.Conv2D(3, 3, use_bias=False))}, (6, 5, 2), convolved, {}),
            ({"layer": wrapping(keras.layers.Conv3D(2, 2)), "per": "batch"}, (3, 4, 3, 2), convolved, {}),
        )
    ],
    "StochasticDepth": [
        {
            "kwargs": kwargs,
            "input_shape": shape,
            "oracle": lambda layer, x: x,
            "training": "differs",
            "layout": False,
            "multiply_adds": 0,
            **extra,
        }
        # Alone, nothing says which axis of a signal is that of its channels, so that its field has one axis too many.
        for kwargs, shape, extra in (({}, (5, 3), {"field": False}), ({}, (4, 5, 2), {}), ({}, (6,), {}))
    ],
}  # fmt: skip

"""Cases of cnnkit.layers.variants."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import variants
from cnnkit.scratch.convolution import convolve2d


def activated(layer, y: np.ndarray) -> np.ndarray:
    return np.maximum(y, 0) if layer.activation.__name__ == "relu" else y


def multi_dilation(layer, x: np.ndarray) -> np.ndarray:
    return variants.multi_dilation_convolve2d(
        x, *layer.get_weights(), dilations=layer.dilation_rates, padding=layer.padding
    )


def bilinear(x: np.ndarray, factor: int) -> np.ndarray:
    """Along each axis, pixel centres at (i + 1/2) / factor - 1/2, the ends repeated."""
    for axis in (1, 2):
        n = x.shape[axis]
        places = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        low = np.minimum(places.astype(int), n - 2)
        share = np.expand_dims(places - low, [i for i in range(4) if i != axis])
        x = x.take(low, axis) * (1 - share) + x.take(low + 1, axis) * share
    return x


def resize(layer, x: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    if layer.interpolation == "nearest":
        x = x.repeat(layer.factor[0], axis=1).repeat(layer.factor[1], axis=2)
    else:
        x = bilinear(x, layer.factor[0])
    return activated(
        layer, convolve2d(x, kernel, bias[0] if bias else None, padding="same", groups=layer.groups)
    )


def masked(layer, x: np.ndarray, visible: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    y = variants.masked_convolve2d(x, visible, kernel, bias[0] if bias else None, layer.groups)
    return activated(layer, y)


def half_hidden(height: int, width: int, channels: int):
    def make(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        visible = rng.random((batch, height, width, 1)) < 0.5
        return [rng.normal(size=(batch, height, width, channels)), visible.astype("float32")]

    return make


CASES = {
    "MultiDilationConv2D": [
        {"kwargs": {"filters": 6, "kernel_size": 3}, "input_shape": (9, 8, 2), "twin": multi_dilation},
        {
            "kwargs": {"filters": 5, "kernel_size": 3, "dilation_rates": (1, 3), "padding": "valid"},
            "input_shape": (10, 9, 2),
            "twin": multi_dilation,
        },
        {
            "kwargs": {"filters": 3, "kernel_size": 2, "dilation_rates": (3, 1, 2), "padding": "valid"},
            "input_shape": (7, 6, 2),
            "twin": multi_dilation,
        },
    ],
    "ResizeConv2D": [
        {"kwargs": {"filters": 4, "kernel_size": 3}, "input_shape": (5, 4, 2), "twin": resize},
        {
            "kwargs": {
                "filters": 4,
                "kernel_size": (2, 3),
                "factor": (3, 1),
                "groups": 2,
                "activation": "relu",
                "use_bias": False,
            },
            "input_shape": (4, 5, 2),
            "twin": resize,
        },
        {
            "kwargs": {"filters": 3, "kernel_size": 3, "interpolation": "bilinear"},
            "input_shape": (5, 4, 2),
            "twin": resize,
        },
    ],
    "MaskedConv2D": [
        {
            "kwargs": {"filters": 4, "kernel_size": 3},
            "input_shape": [(6, 5, 2), (6, 5, 1)],
            "inputs": half_hidden(6, 5, 2),
            "layout_inputs": (0, 1),
            "twin": masked,
        },
        {
            "kwargs": {"filters": 4, "kernel_size": 5, "groups": 4, "activation": "relu"},
            "input_shape": [(6, 7, 4), (6, 7, 1)],
            "inputs": half_hidden(6, 7, 4),
            "layout_inputs": (0, 1),
            "twin": masked,
            "exact_gradient": (0,),  # the rectifier bends at the masked zeros
        },
    ],
}

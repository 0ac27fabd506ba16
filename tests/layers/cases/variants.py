"""Cases of cnnkit.layers.variants."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import variants
from cnnkit.scratch.convolution import convolve2d
from tests.layers.oracles import convolve


def activated(layer, y: np.ndarray) -> np.ndarray:
    return np.maximum(y, 0) if layer.activation.__name__ == "relu" else y


def multi_dilation(layer, x: np.ndarray) -> np.ndarray:
    return variants.multi_dilation_convolve2d(
        x, *layer.get_weights(), dilations=layer.dilation_rates, padding=layer.padding
    )


def multi_dilation_by_rate(layer, x: np.ndarray) -> np.ndarray:
    """A convolution for each run of filters, all cut to the size of the smallest, centred."""
    kernel, bias = layer.get_weights()
    runs = np.array_split(kernel, len(layer.dilation_rates), axis=-1)
    parts = [
        convolve(x, run, padding=layer.padding, dilation=rate, groups=layer.groups)
        for run, rate in zip(runs, layer.dilation_rates, strict=True)
    ]
    for axis in range(1, x.ndim - 1):
        least = min(part.shape[axis] for part in parts)
        firsts = [(part.shape[axis] - least) // 2 for part in parts]
        parts = [
            part.take(np.arange(first, first + least), axis)
            for part, first in zip(parts, firsts, strict=True)
        ]
    return np.concatenate(parts, axis=-1) + bias


def interpolated(x: np.ndarray, factors) -> np.ndarray:
    """Along each axis, pixel centres at (i + 1/2) / factor - 1/2, the ends repeated."""
    for axis, factor in enumerate(factors, start=1):
        n = x.shape[axis]
        places = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        low = np.minimum(places.astype(int), max(n - 2, 0))
        share = np.expand_dims(places - low, [i for i in range(x.ndim) if i != axis])
        x = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, n - 1), axis) * share
    return x


def resize(layer, x: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    if layer.interpolation == "nearest":
        for axis, factor in enumerate(layer.size, start=1):
            x = x.repeat(factor, axis=axis)
    else:
        x = interpolated(x, layer.size)
    if layer.rank == 2:
        y = convolve2d(x, kernel, padding="same", groups=layer.groups)
    else:
        y = convolve(x, kernel, padding="same", groups=layer.groups)
    return activated(layer, y + bias[0] if bias else y)


def masked(layer, x: np.ndarray, visible: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    y = variants.masked_convolve2d(x, visible, kernel, bias[0] if bias else None, layer.groups)
    return activated(layer, y)


def strided_masked(layer, x: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Window by window: a place is visible where something in the middle of its window is."""
    kernel, bias = layer.get_weights()
    rank, k = layer.rank, layer.kernel_size
    y = convolve(x * visible, kernel, layer.strides, layer.padding, layer.dilation_rate, layer.groups)
    reach = [d * (n - 1) + 1 for n, d in zip(k, layer.dilation_rate, strict=True)]
    middle = np.zeros((*reach, 1, 1))
    block = [min(n, s) for n, s in zip(reach, layer.strides, strict=True)]
    middle[tuple(slice((n - b) // 2, (n - b) // 2 + b) for n, b in zip(reach, block, strict=True))] = 1
    seen = convolve(visible, middle, layer.strides, layer.padding) > 0
    assert seen.shape[1 : rank + 1] == y.shape[1 : rank + 1]
    return activated(layer, y + bias) * seen


def half_hidden(*shape: int):
    *space, channels = shape

    def make(rng: np.random.Generator, batch: int) -> list[np.ndarray]:
        visible = rng.random((batch, *space, 1)) < 0.5
        return [rng.normal(size=(batch, *space, channels)), visible.astype("float32")]

    return make


def masked_case(shape: tuple[int, ...], oracle=strided_masked, exact=(0,), **kwargs) -> dict:
    """Exact is the gradient into the image: into the mask it is that of a maximum among equals."""
    return {
        "kwargs": kwargs,
        "input_shape": [shape, (*shape[:-1], 1)],
        "inputs": half_hidden(*shape),
        "layout_inputs": (0, 1),
        "gradients_into": (0, 1),
        "oracle": oracle,
        "exact_gradient": exact,
    }


CASES = {
    "MultiDilationConv1D": [
        {
            "kwargs": {"filters": 5, "kernel_size": 3, "dilation_rates": (1, 4), "padding": "valid"},
            "input_shape": (14, 2),
            "oracle": multi_dilation_by_rate,
            "multiply_adds": 6 * 3 * 2 * 5,
        },
    ],
    "MultiDilationConv2D": [
        {
            "kwargs": {"filters": 6, "kernel_size": 3},
            "input_shape": (9, 10, 2),
            "oracle": multi_dilation,
            "multiply_adds": 9 * 10 * 9 * 2 * 6,
        },
        {
            "kwargs": {"filters": 5, "kernel_size": 3, "dilation_rates": (1, 3), "padding": "valid"},
            "input_shape": (10, 9, 2),
            "oracle": multi_dilation,
        },
        {
            "kwargs": {"filters": 3, "kernel_size": 2, "dilation_rates": (3, 1, 2), "padding": "valid"},
            "input_shape": (7, 6, 2),
            "oracle": multi_dilation,
        },
        {
            "kwargs": {"filters": 8, "kernel_size": 3, "dilation_rates": (1, 2), "groups": 2},
            "input_shape": (6, 7, 4),
            "oracle": multi_dilation_by_rate,
            "multiply_adds": 6 * 7 * 9 * 2 * 8,
        },
    ],
    "MultiDilationConv3D": [
        {
            "kwargs": {"filters": 3, "kernel_size": (3, 1, 3), "dilation_rates": (1, 2)},
            "input_shape": (4, 3, 5, 2),
            "oracle": multi_dilation_by_rate,
        },
    ],
    "ResizeConv1D": [
        {
            "kwargs": {"filters": 4, "kernel_size": 3, "size": 3},
            "input_shape": (5, 2),
            "oracle": resize,
            "multiply_adds": 15 * 3 * 2 * 4,
        },
        {
            "kwargs": {"filters": 2, "kernel_size": 3, "size": 4, "interpolation": "linear"},
            "input_shape": (5, 2),
            "oracle": resize,
        },
    ],
    "ResizeConv2D": [
        {"kwargs": {"filters": 4, "kernel_size": 3}, "input_shape": (5, 4, 2), "oracle": resize},
        {
            "kwargs": {
                "filters": 4,
                "kernel_size": (2, 3),
                "size": (3, 1),
                "groups": 2,
                "activation": "relu",
                "use_bias": False,
            },
            "input_shape": (4, 5, 2),
            "oracle": resize,
        },
        {
            "kwargs": {"filters": 3, "kernel_size": 3, "interpolation": "bilinear"},
            "input_shape": (5, 4, 2),
            "oracle": resize,
        },
        {
            "kwargs": {"filters": 2, "kernel_size": 1, "size": 3, "interpolation": "bilinear"},
            "input_shape": (1, 3, 2),
            "oracle": resize,
            "field": False,  # of a single row both neighbours are the row itself
        },
    ],
    "ResizeConv3D": [
        {
            "kwargs": {"filters": 2, "kernel_size": 3, "size": (1, 2, 3), "interpolation": "trilinear"},
            "input_shape": (3, 2, 3, 2),
            "oracle": resize,
        },
    ],
    "MaskedConv1D": [
        masked_case((7, 2), filters=3, kernel_size=3, strides=2),
        masked_case((9, 2), filters=3, kernel_size=3, padding="valid", dilation_rate=2),
    ],
    "MaskedConv2D": [
        masked_case((6, 5, 2), masked, True, filters=4, kernel_size=3),
        masked_case((6, 7, 4), masked, filters=4, kernel_size=5, groups=4, activation="relu"),
        masked_case((7, 6, 2), filters=3, kernel_size=3, strides=2),
        masked_case((8, 9, 2), filters=3, kernel_size=(5, 2), strides=(2, 3), padding="valid"),
        masked_case((8, 8, 2), filters=3, kernel_size=2, strides=2),
    ],
    "MaskedConv3D": [
        masked_case((4, 5, 3, 2), filters=2, kernel_size=3, strides=(1, 2, 1)),
    ],
}

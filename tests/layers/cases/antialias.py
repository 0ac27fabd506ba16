"""Cases of cnnkit.layers.antialias."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import antialias

MODES = {"same": "constant", "reflect": "reflect", "circular": "wrap"}


def blurred(layer, x: np.ndarray) -> np.ndarray:
    """The blur with a whole kernel, its sides alike, as scratch does it."""
    return antialias.blur_pool2d(x, layer.kernel_size[0], layer.strides[0], layer.padding)


def blurred_along_each_axis(layer, x: np.ndarray) -> np.ndarray:
    """The mean of two neighbours, k - 1 times over, along one axis after the other; then the stride."""
    for axis, (k, s) in enumerate(zip(layer.kernel_size, layer.strides, strict=True), start=1):
        sides = [((k - 1) // 2, k // 2) if i == axis else (0, 0) for i in range(x.ndim)]
        x = np.moveaxis(np.pad(x, sides, mode=MODES[layer.padding]), axis, 0)
        for _ in range(k - 1):
            x = (x[1:] + x[:-1]) / 2
        x = np.moveaxis(x[::s], 0, axis)
    return x


def wrapped(layer, x: np.ndarray) -> np.ndarray:
    return np.pad(x, [(0, 0), *((p, p) for p in layer.padding), (0, 0)], mode="wrap")


def blurs(oracle, *rows: tuple, **extra) -> list[dict]:
    return [
        {
            "kwargs": {"kernel_size": k, "strides": s, "padding": p},
            "input_shape": shape,
            "oracle": oracle,
            "field": p != "circular",  # it sees the other side too
            **extra,
        }
        for k, s, p, shape in rows
    ]


def paddings(shape: tuple[int, ...], *amounts) -> list[dict]:
    return [{"kwargs": {"padding": p}, "input_shape": shape, "oracle": wrapped} for p in amounts]


CASES = {
    "BlurPool1D": blurs(
        blurred_along_each_axis,
        (3, 2, "same", (8, 3)),
        (5, 2, "reflect", (7, 2)),
        (4, 3, "circular", (8, 2)),
    ),
    "BlurPool2D": blurs(
        blurred,
        (3, 2, "same", (8, 6, 3)),
        (5, 2, "reflect", (7, 5, 2)),
        (4, 3, "circular", (7, 8, 2)),
        (1, 2, "circular", (5, 4, 1)),
        (2, 1, "same", (5, 4, 1)),
    )
    + blurs(blurred_along_each_axis, ((3, 5), (1, 2), "reflect", (4, 7, 2)), multiply_adds=4 * 4 * 2 * 15),
    "BlurPool3D": blurs(
        blurred_along_each_axis,
        (3, 2, "same", (4, 6, 5, 2)),
        ((1, 3, 4), (1, 2, 3), "circular", (3, 6, 5, 2)),
    ),
    "CircularPadding1D": paddings((5, 3), 1, 0),
    "CircularPadding2D": paddings((5, 4, 3), 1, (0, 3), 0),
    "CircularPadding3D": paddings((3, 4, 3, 2), 1, (0, 3, 2)),
}

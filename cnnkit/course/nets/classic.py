"""The canonical pipeline of chapter `orientation`: [convolution, ReLU, pooling] x N, flatten, dense, dense.

Nobody's paper in particular: the layout that LeNet set (doi:10.1109/5.726791) and that most small nets still
have.  Each of its three ideas, local windows, shared kernels and pooling, can be taken out on its own.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from cnnkit._names import unknown
from cnnkit.layers.local import LocallyConnected2D

__all__ = ["classic"]

_LAST = {"data_format": "channels_last"}  # whatever Keras's own setting is
_CONNECTIONS = ("shared", "local", "dense")
_POOLINGS = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D, "stride": None, "none": None}


def classic(
    classes: int = 10,
    input_shape: tuple[int, int, int] = (8, 8, 1),
    *,
    blocks: int = 2,
    filters: int = 8,
    kernel: int = 3,
    connection: str = "shared",
    pooling: str = "max",
    dense: int = 32,
) -> keras.Model:
    """`blocks` times [convolution, ReLU, pooling], each with twice the filters of the last, then two dense layers.

    `connection="local"` gives every position its own kernel (no sharing), `"dense"` drops the window as well
    and with it all pooling.  `pooling` is `max`, `average`, `stride` (the convolution itself takes every
    second position) or `none`.  With `pooling="none"` or dense connections the images never shrink.

    Example:
        >>> classic().count_params()
        3658
    """
    _check(blocks, connection, pooling, input_shape)
    inputs = x = keras.Input(input_shape, name="image")
    if connection == "dense":
        x = layers.Flatten(**_LAST, name="flatten")(x)
    for block in range(1, blocks + 1):
        x = _block(x, f"{block}", filters * 2 ** (block - 1), kernel, connection, pooling)
    if connection != "dense":
        x = layers.Flatten(**_LAST, name="flatten")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(inputs, x, name="classic")


def _block(x: Any, number: str, filters: int, kernel: int, connection: str, pooling: str) -> Any:
    if connection == "dense":
        return layers.Dense(filters, activation="relu", name=f"dense{number}")(x)
    strides = 2 if pooling == "stride" else 1
    if connection == "shared":
        x = layers.Conv2D(filters, kernel, strides, padding="same", **_LAST, name=f"conv{number}")(x)
    else:
        before = (kernel - 1) // 2
        x = layers.ZeroPadding2D(((before, kernel - 1 - before),) * 2, **_LAST, name=f"pad{number}")(x)
        x = LocallyConnected2D(filters, kernel, strides, **_LAST, name=f"local{number}")(x)
    x = layers.ReLU(name=f"relu{number}")(x)
    pool = _POOLINGS[pooling]
    return pool(2, **_LAST, name=f"pool{number}")(x) if pool else x


def _check(blocks: int, connection: str, pooling: str, input_shape: tuple[int, int, int]) -> None:
    if connection not in _CONNECTIONS:
        raise ValueError(unknown("connection of classic", connection, _CONNECTIONS))
    if pooling not in _POOLINGS:
        raise ValueError(unknown("pooling of classic", pooling, _POOLINGS))
    if blocks < 1:
        raise ValueError(f"classic needs at least one block, not blocks={blocks}")
    shrinks = connection != "dense" and pooling != "none"
    smallest = min((size for size in input_shape[:2] if size is not None), default=None)
    if shrinks and smallest is not None and smallest < 2**blocks:
        raise ValueError(
            f"{blocks} blocks halve the image {blocks} times, so it needs {2**blocks} pixels a side and has "
            f"{smallest}: use fewer blocks, larger images, or pooling='none'"
        )

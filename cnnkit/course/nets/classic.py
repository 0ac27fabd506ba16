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
_CONNECTIONS = ("shared", "local")
_POOLINGS = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D, "stride": None, "none": None}


def classic(
    classes: int = 10,
    input_shape: tuple[int, int, int] = (8, 8, 1),
    *,
    blocks: int = 2,
    filters: int = 8,
    kernel: int | tuple[int, ...] = 3,
    connection: str = "shared",
    pooling: str = "max",
    spread: int = 1,
    dense: int = 32,
) -> keras.Model:
    """`blocks` times [convolution, ReLU, pooling], each with twice the filters of the last, then two dense layers.

    Each idea has a switch, which leaves the others as they are.  `connection="local"` gives every position its own
    kernel: no sharing.  `pooling` is `max`, `average`, `stride` (the convolution itself takes every second position,
    so that nothing is summarised) or `none` (the maps keep their size).  `spread` pulls the weights of a kernel so many
    pixels of the image apart, so that it is shared and no longer local.  `kernel` is one side for all blocks, or one each.

    Example:
        >>> classic().count_params()
        3658
    """
    _check(blocks, connection, pooling, spread, input_shape)
    sides = (kernel,) * blocks if isinstance(kernel, int) else tuple(kernel)
    if len(sides) != blocks:
        raise ValueError(
            f"kernel={kernel} names {len(sides)} sides for {blocks} blocks: give one, or one each"
        )
    inputs = x = keras.Input(input_shape, name="image")
    for block in range(1, blocks + 1):
        apart = max(
            1, spread // (1 if pooling == "none" else 2 ** (block - 1))
        )  # in pixels of this block's maps
        x = _block(x, f"{block}", filters * 2 ** (block - 1), sides[block - 1], connection, pooling, apart)
    x = layers.Flatten(**_LAST, name="flatten")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(inputs, x, name="classic")


def _block(x: Any, number: str, filters: int, kernel: int, connection: str, pooling: str, apart: int) -> Any:
    strides = 2 if pooling == "stride" else 1
    if connection == "shared":
        options = {"padding": "same", "dilation_rate": apart, **_LAST, "name": f"conv{number}"}
        x = layers.Conv2D(filters, kernel, strides, **options)(x)
    else:
        before = (kernel - 1) // 2
        x = layers.ZeroPadding2D(((before, kernel - 1 - before),) * 2, **_LAST, name=f"pad{number}")(x)
        x = LocallyConnected2D(filters, kernel, strides, **_LAST, name=f"local{number}")(x)
    x = layers.ReLU(name=f"relu{number}")(x)
    pool = _POOLINGS[pooling]
    return pool(2, **_LAST, name=f"pool{number}")(x) if pool else x


def _check(
    blocks: int, connection: str, pooling: str, spread: int, input_shape: tuple[int, int, int]
) -> None:
    if connection not in _CONNECTIONS:
        raise ValueError(unknown("connection of classic", connection, _CONNECTIONS))
    if pooling not in _POOLINGS:
        raise ValueError(unknown("pooling of classic", pooling, _POOLINGS))
    if blocks < 1:
        raise ValueError(f"classic needs at least one block, not blocks={blocks}")
    if spread < 1:
        raise ValueError(f"spread={spread} must be 1 or more: 1 leaves the weights of a kernel side by side")
    if spread > 1 and (connection == "local" or pooling == "stride"):
        raise ValueError(
            f"spread={spread} goes with shared kernels at every position: take one idea out at a time, without "
            f"connection={connection!r} and pooling={pooling!r} together with it"
        )
    smallest = min((size for size in input_shape[:2] if size is not None), default=None)
    if pooling != "none" and smallest is not None and smallest < 2**blocks:
        raise ValueError(
            f"{blocks} blocks halve the image {blocks} times, so it needs {2**blocks} pixels a side and has "
            f"{smallest}: use fewer blocks, larger images, or pooling='none'"
        )

"""One small classifier in several builds that differ in what they do to a shift of the image.

Nobody's paper: the instrument of chapter `layers/09-receptive-fields`.  Kernels and their number stay the same in
every build, so that what differs is how maps are made smaller, what lies beyond the border, and how the head reads.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from cnnkit._names import unknown
from cnnkit.layers.antialias import BlurPool2D, CircularPadding2D
from cnnkit.models.registry import register

__all__ = ["tolerant"]

_DOWNSAMPLINGS = ("stride", "max", "blur", "none")
_PADDINGS = ("zero", "circular")
_HEADS = ("dense", "average")


@register(
    "tolerant",
    year=2019,
    title="Three convolutions and a head, built to be tolerant of shifts or not",
    paper=None,
    chapter="layers/09-receptive-fields",
    classes=10,
    input_shape=(20, 20, 1),
    minimum=(8, 8),
    parameters=3_738,
    depth=4,
    note="An instrument, no published net: downsampling, padding and head can be exchanged one at a time.",
)
def tolerant(
    classes: int = 10,
    input_shape: tuple[int, int, int] = (20, 20, 1),
    *,
    downsampling: str = "none",
    padding: str = "circular",
    head: str = "average",
    filters: int = 8,
) -> keras.Model:
    """Three 3 x 3 convolutions with ReLU; the first two halve the image, or dilate what follows.

    `downsampling` is `stride` (of the convolution), `max` (pooling after it), `blur` (max pooling without stride,
    then BlurPool2D), or `none`: nothing is dropped, and later kernels are dilated to see as far as with `stride`.
    `padding` is `zero` or `circular`; `head` is `dense` (flatten) or `average` (global average pooling).  With the
    defaults the scores are the same for every circular shift of the image.

    Chapter: layers/09-receptive-fields.
    Paper: arXiv:1904.11486.
    """
    for kind, value, known in (
        ("downsampling", downsampling, _DOWNSAMPLINGS),
        ("padding", padding, _PADDINGS),
        ("head", head, _HEADS),
    ):
        if value not in known:
            raise ValueError(unknown(f"{kind} of tolerant", value, known))
    inputs = x = keras.Input(input_shape, name="image")
    for block in range(3):
        dilation = 2**block if downsampling == "none" else 1
        strides = 2 if downsampling == "stride" and block < 2 else 1
        x = _convolution(x, filters * min(2**block, 2), strides, dilation, padding, f"{block + 1}")
        if block < 2:
            x = _smaller(x, downsampling, padding, f"{block + 1}")
    if head == "dense":
        x = layers.Flatten(name="flatten")(x)
    else:
        x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(inputs, x, name="tolerant")


def _convolution(x: Any, filters: int, strides: int, dilation: int, padding: str, number: str) -> Any:
    if padding == "circular":
        x = CircularPadding2D(dilation, name=f"wrap{number}")(x)
    else:
        x = layers.ZeroPadding2D(dilation, name=f"pad{number}")(x)
    x = layers.Conv2D(filters, 3, strides, dilation_rate=dilation, name=f"conv{number}")(x)
    return layers.ReLU(name=f"relu{number}")(x)


def _smaller(x: Any, downsampling: str, padding: str, number: str) -> Any:
    if downsampling == "max":
        return layers.MaxPooling2D(2, name=f"pool{number}")(x)
    if downsampling == "blur":
        if padding == "circular":
            x = CircularPadding2D((1, 1), name=f"rim{number}")(x)
            x = layers.Cropping2D(((1, 0), (1, 0)), name=f"trim{number}")(x)
            x = layers.MaxPooling2D(2, strides=1, name=f"max{number}")(x)
        else:
            x = layers.MaxPooling2D(2, strides=1, padding="same", name=f"max{number}")(x)
        return BlurPool2D(3, padding="circular" if padding == "circular" else "same", name=f"blur{number}")(x)
    return x

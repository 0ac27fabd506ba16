"""One small classifier in several builds that differ in what they do to a shift of the image.

Nobody's paper: the instrument of chapter `layers/invariance`.  Kernels and their number stay the same in
every build, so that what differs is how maps are made smaller, what lies beyond the border, and how the head reads.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from cnnkit._names import unknown
from cnnkit.layers.antialias import BlurPool2D, CircularPadding2D
from cnnkit.layers.spatial_transformer import SpatialTransformer

__all__ = ["tolerant", "with_spatial_transformer"]

_LAST = {"data_format": "channels_last"}  # whatever Keras's own setting is
_DOWNSAMPLINGS = ("stride", "max", "wide max", "blur", "none")
_PADDINGS = ("zero", "circular")
_HEADS = ("dense", "average")


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

    `downsampling` is `stride` (of the convolution), `max` (pooling after it), `blur` (max pooling without stride, then
    BlurPool2D), `wide max` (pooling of side 4 with stride 2, which sees what `blur` sees), or
    `none`: nothing is dropped, and later kernels are dilated to see as far as with `stride`.
    `padding` is `zero` or `circular`; `head` is `dense` (flatten) or `average` (global average pooling).  With the
    defaults the scores are the same for every circular shift of the image.

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
        x = layers.Flatten(**_LAST, name="flatten")(x)
    else:
        x = layers.GlobalAveragePooling2D(**_LAST, name="average")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(inputs, x, name="tolerant")


def with_spatial_transformer(
    classifier: keras.Model, input_shape: tuple[int, int, int], transform: str = "translation"
) -> keras.Model:
    """Put a spatial transformer before a classifier: a small net finds where to look, the classifier looks there.

    The window has the size of the classifier's input, and starts as a plain resampling of the whole image.  The two
    are trained together, by the classifier's loss alone.

    Paper: arXiv:1506.02025.
    """
    window = SpatialTransformer(classifier.input_shape[1:3], transform, **_LAST, name="window")
    inputs = x = keras.Input(input_shape, name="image")
    for block, filters in enumerate((8, 16), start=1):
        x = layers.Conv2D(filters, 5, 2, padding="same", activation="relu", **_LAST, name=f"look{block}")(x)
    x = layers.Dense(32, activation="relu", name="find")(layers.Flatten(**_LAST, name="everywhere")(x))
    start = keras.initializers.Constant(window.identity)
    where = layers.Dense(
        len(window.identity),
        kernel_initializer="zeros",
        bias_initializer=start,
        dtype=keras.config.floatx(),
        name="where",
    )(x)
    return keras.Model(inputs, classifier(window([inputs, where])), name=f"{classifier.name}_with_window")


def _convolution(x: Any, filters: int, strides: int, dilation: int, padding: str, number: str) -> Any:
    if padding == "circular":
        x = CircularPadding2D(dilation, **_LAST, name=f"wrap{number}")(x)
    else:
        x = layers.ZeroPadding2D(dilation, **_LAST, name=f"pad{number}")(x)
    x = layers.Conv2D(filters, 3, strides, dilation_rate=dilation, **_LAST, name=f"conv{number}")(x)
    return layers.ReLU(name=f"relu{number}")(x)


def _smaller(x: Any, downsampling: str, padding: str, number: str) -> Any:
    if downsampling == "max":
        return layers.MaxPooling2D(2, **_LAST, name=f"pool{number}")(x)
    if downsampling == "wide max":
        if padding == "circular":
            x = CircularPadding2D(1, **_LAST, name=f"rim{number}")(x)
        kept = "valid" if padding == "circular" else "same"
        return layers.MaxPooling2D(4, strides=2, padding=kept, **_LAST, name=f"pool{number}")(x)
    if downsampling == "blur":
        if padding == "circular":
            x = CircularPadding2D((1, 1), **_LAST, name=f"rim{number}")(x)
            x = layers.Cropping2D(((1, 0), (1, 0)), **_LAST, name=f"trim{number}")(x)
            x = layers.MaxPooling2D(2, strides=1, **_LAST, name=f"max{number}")(x)
        else:
            x = layers.MaxPooling2D(2, strides=1, **_LAST, padding="same", name=f"max{number}")(x)
        around = "circular" if padding == "circular" else "same"
        return BlurPool2D(3, padding=around, **_LAST, name=f"blur{number}")(x)
    return x

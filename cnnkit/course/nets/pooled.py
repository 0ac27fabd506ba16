"""One small classifier that differs in its pooling alone.

Nobody's paper: the instrument of chapter `layers/pooling`.  Number and depth of the maps stay the same in every build,
so that what differs is how maps are made smaller, and what the head reads.
"""

from __future__ import annotations

import keras
from keras import layers

from cnnkit._names import unknown
from cnnkit.layers.stochastic_pooling import StochasticPooling2D

__all__ = ["pooled"]

_LAST = {"data_format": "channels_last"}  # whatever Keras's own setting is
_POOLINGS = {
    "max": layers.MaxPooling2D,
    "average": layers.AveragePooling2D,
    "stochastic": StochasticPooling2D,
    "stride": None,
    "wide stride": None,
    "none": None,
}
_HEADS = {"flatten": layers.Flatten, "average": layers.GlobalAveragePooling2D}


def pooled(
    classes: int = 10,
    input_shape: tuple[int, int, int] = (12, 12, 1),
    *,
    pooling: str = "max",
    head: str = "flatten",
    filters: int = 8,
) -> keras.Model:
    """Three convolutions with ReLU, each with twice the maps of the last; the first two are followed by a pooling.

    `pooling` is `max`, `average` or `stochastic`, each of 2 x 2 windows side by side; `stride` (the convolution itself
    takes every second place), `wide stride` (it has 4 x 4 weights, and so reads the pixels that a pooling of 2 x 2 above
    3 x 3 reads), or `none`: all places are kept.  `head` is `flatten` or `average` (global average pooling) before the
    scores.

    Example:
        >>> pooled().count_params(), pooled(head="average").count_params()
        (8778, 6218)
    """
    for kind, value, known in (("pooling", pooling, _POOLINGS), ("head", head, _HEADS)):
        if value not in known:
            raise ValueError(unknown(f"{kind} of pooled", value, known))
    inputs = x = keras.Input(input_shape, name="image")
    for block in (1, 2, 3):
        smaller = block < 3
        x = layers.Conv2D(
            filters * 2 ** (block - 1),
            4 if pooling == "wide stride" and smaller else 3,
            strides=2 if "stride" in pooling and smaller else 1,
            padding="same",
            activation="relu",
            **_LAST,
            name=f"conv{block}",
        )(x)
        if smaller and _POOLINGS[pooling]:
            x = _POOLINGS[pooling](2, **_LAST, name=f"pool{block}")(x)
    x = _HEADS[head](**_LAST, name=head)(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="scores")(x)
    return keras.Model(inputs, x, name="pooled")

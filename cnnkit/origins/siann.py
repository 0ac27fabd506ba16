"""Zhang's shift-invariant network: a neocognitron reduced to convolutions and one last layer, trained by backpropagation.

W. Zhang et al., Applied Optics 29(32):4790-4797, 1990, doi:10.1364/AO.29.004790 (first reported in 1988)
W. Zhang et al., Applied Optics 30(29):4211-4217, 1991, doi:10.1364/AO.30.004211: without the last layer
W. Zhang et al., Medical Physics 21(4):517-524, 1994, doi:10.1118/1.597177: on mammograms

The graph is the papers': planes of sigmoid units behind local links that are the same everywhere, nothing
pooled, and on top either a layer that sees the whole picture or none.  The numbers of planes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from cnnkit.origins._building import channels_last

__all__ = ["siann", "siann_segmenter"]


@channels_last
def siann(
    classes: int = 26,
    input_shape: tuple[int, int, int] = (16, 16, 1),
    planes: Sequence[int] = (8, 8),
    kernel_size: int = 5,
) -> keras.Model:
    """Planes of shared local links at full resolution, then one layer that sees all of the last planes.

    No pooling and no stride: a shifted letter gives the same planes, shifted, and what place means is left to
    the last layer, which must be taught it.

    >>> siann(classes=26).output_shape
    (None, 26)

    Chapter: origins/learned-kernels.
    Paper: doi:10.1364/AO.29.004790.
    """
    image = keras.Input(input_shape, name="image")
    x = _planes(image, planes, kernel_size)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="letters")(x)
    return keras.Model(image, x, name="siann")


@channels_last
def siann_segmenter(planes: Sequence[int] = (8, 8), kernel_size: int = 5, channels: int = 1) -> keras.Model:
    """The same without its last layer: one plane of answers, a number for every pixel of a picture of any size.

    The answers are logits; a sigmoid makes them the probability that the pixel belongs to what was taught.

    >>> siann_segmenter().output_shape
    (None, None, None, 1)

    Chapter: origins/learned-kernels.
    Paper: doi:10.1364/AO.30.004211.
    """
    image = keras.Input((None, None, channels), name="image")
    x = _planes(image, planes, kernel_size)
    x = layers.Conv2D(1, kernel_size, padding="same", dtype=keras.config.floatx(), name="answers")(x)
    return keras.Model(image, x, name="siann_segmenter")


def _planes(x: keras.KerasTensor, planes: Sequence[int], kernel_size: int) -> keras.KerasTensor:
    if not planes or kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f"needed are one layer of planes or more and an odd kernel, so that a window has a middle; got "
            f"planes={tuple(planes)} and kernel_size={kernel_size}"
        )
    for number, count in enumerate(planes, 1):
        x = layers.Conv2D(
            count,
            kernel_size,
            padding="same",
            activation="sigmoid",
            kernel_initializer="he_normal",
            bias_initializer=keras.initializers.Constant(-2.0),  # bare paper leaves a unit nearly silent
            name=f"planes{number}",
        )(x)
    return x

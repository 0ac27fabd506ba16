"""Kernels drawn by hand, and the recogniser of 1989 that stood on them: fixed features, a trained head.

J. S. Denker et al., Neural network recognizer for hand-written zip code digits, NIPS 1 (1988 meeting), 323-331

Faithful is the plan: a skeleton of the digit, fixed templates for pieces of strokes and their ends, what they
find counted in coarse blocks, and a small trained net on top.  The drawings, and their number, are ours.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from cnnkit._names import needed
from cnnkit.layers.squashing import scaled_tanh
from cnnkit.origins._building import channels_last

__all__ = ["drawn_kernels", "feature_recognizer", "shuffled_kernels", "skeletons"]

# A stroke lying down, a stroke aslant, and the end of each; the rest are quarter turns of these four.
_DRAWINGS = """
.....  ..-.+  .....  .....
-----  .-.+.  .---.  .---.
+++++  -.+.-  +++--  ..+-.
-----  .+.-.  .---.  .+.-.
.....  +.-..  .....  +....
"""
_TURNS = (2, 2, 4, 4)


def drawn_kernels() -> NDArray[np.float32]:
    """Twelve kernels of 5x5, drawn by hand: strokes at four angles and stroke ends in eight directions.

    Shape `(5, 5, 1, 12)`.  What should be inked adds up to 1 and what should be bare to -1, so that an even
    grey means nothing to any of them.

    >>> drawn_kernels().shape
    (5, 5, 1, 12)

    Chapter: origins/learned-kernels.
    """
    rows = [line.split() for line in _DRAWINGS.strip().splitlines()]
    kernels = []
    for drawing, turns in zip(zip(*rows, strict=True), _TURNS, strict=True):
        signs = np.array([list(row) for row in drawing])
        kernel = (signs == "+") / (signs == "+").sum() - (signs == "-") / (signs == "-").sum()
        kernels += [np.rot90(kernel, turn) for turn in range(turns)]
    return np.stack(kernels, axis=-1)[:, :, None].astype(np.float32)


def shuffled_kernels(seed: int = 0) -> NDArray[np.float32]:
    """The drawn kernels with the 25 numbers of each shuffled: as large, as balanced, and meaningless.

    The control for what the drawings know.

    >>> np.allclose(shuffled_kernels().sum(axis=(0, 1)), 0, atol=1e-6)
    True

    Chapter: origins/learned-kernels.
    """
    kernels = drawn_kernels()
    flat = np.random.default_rng(seed).permuted(kernels.reshape(25, -1), axis=0)
    return flat.reshape(kernels.shape)


def skeletons(images: NDArray, threshold: float = 0.5) -> NDArray[np.float32]:
    """Thin each digit to a line one pixel wide: 0 and 1, same shape `(n, height, width, 1)`.

    Pixels above the threshold count as ink.

    >>> int(skeletons(np.ones((1, 5, 9, 1))).sum())
    6

    Chapter: origins/learned-kernels.
    """
    skeletonize = needed("skimage.morphology", "course").skeletonize
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 1:
        raise ValueError(f"skeletons wants grey images (n, height, width, 1); got shape {images.shape}")
    return np.stack([skeletonize(ink) for ink in images[..., 0] > threshold])[..., None].astype(np.float32)


@channels_last
def feature_recognizer(
    kernels: NDArray | None = None,
    train_kernels: bool = False,
    classes: int = 10,
    input_shape: tuple[int, int, int] = (16, 16, 1),
    blocks: int = 4,
    hidden: int = 40,
) -> keras.Model:
    """Fixed kernels with learned thresholds, what they find summed up in coarse blocks, and a trained head of two layers.

    Pictures lie in [0, 1], ink bright; the net ends in scores.  A kernel of one weight, `np.ones((1, 1, 1, 1))`,
    is no kernel at all: the head then reads the picture itself.

    Args:
        kernels: `(k, k, 1, maps)`, the drawn ones if None.
        train_kernels: let backpropagation change the kernels too.
        classes: units of the last layer.
        input_shape: of one picture.
        blocks: each map is reduced to `blocks` x `blocks` maxima; with as many as pixels nothing is reduced.
        hidden: units of the trained layer before the last.

    >>> model = feature_recognizer()
    >>> [tuple(weight.shape) for weight in model.trainable_weights]
    [(12,), (192, 40), (40,), (40, 10), (10,)]

    Chapter: origins/learned-kernels.
    """
    kernels = drawn_kernels() if kernels is None else np.asarray(kernels, np.float32)
    if kernels.ndim != 4 or kernels.shape[2] != input_shape[-1]:
        raise ValueError(
            f"kernels have shape {kernels.shape}; needed is (k, k, {input_shape[-1]}, maps) for images of "
            f"shape {input_shape}"
        )
    if input_shape[0] % blocks or input_shape[1] % blocks:
        raise ValueError(
            f"images of {input_shape[0]}x{input_shape[1]} do not fall into {blocks}x{blocks} blocks"
        )
    image = keras.Input(input_shape, name="image")
    convolution = layers.Conv2D(
        kernels.shape[-1],
        kernels.shape[0],
        padding="same",
        activation="relu",
        kernel_initializer=keras.initializers.Constant(kernels),
        name="features",
    )
    features = convolution(image)
    convolution.kernel.trainable = train_kernels
    size = (input_shape[0] // blocks, input_shape[1] // blocks)
    x = layers.MaxPooling2D(size, name="blocks")(features)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(hidden, scaled_tanh, name="hidden")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="output")(x)
    return keras.Model(image, x, name="feature_recognizer")

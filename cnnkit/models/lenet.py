"""LeNet: the net of 1989 that read zip codes, LeNet-5 of 1998 as it was, and LeNet-5 as it is written today.

Y. LeCun et al., Backpropagation applied to handwritten zip code recognition, doi:10.1162/neco.1989.1.4.541
Y. LeCun et al., Gradient-based learning applied to document recognition, doi:10.1109/5.726791
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from cnnkit.layers.partial import PartiallyConnected2D
from cnnkit.layers.rbf import RadialBasisScores, character_codes
from cnnkit.layers.squashing import scaled_tanh
from cnnkit.layers.subsampling import TrainableSubsampling2D
from cnnkit.models.registry import Weights, register
from cnnkit.scratch.lenet import h2_table

__all__ = ["c3_table", "lenet1", "lenet5", "lenet5_modern"]


def c3_table() -> np.ndarray:
    """Which of the 6 maps of S2 each of the 16 maps of C3 looks at: `(6, 16)` of 0 and 1, 60 of them 1.

    Six maps see three neighbours, six see four, three see four that are not all neighbours, one sees all.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    seen = [[(start + step) % 6 for step in range(3)] for start in range(6)]
    seen += [[(start + step) % 6 for step in range(4)] for start in range(6)]
    seen += [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], range(6)]
    table = np.zeros((6, 16), dtype="int64")
    for output_map, input_maps in enumerate(seen):
        table[list(input_maps), output_map] = 1
    return table


def pad_to_32(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1], ink bright, padded to 32x32; those below 20 pixels are enlarged to 20 first."""
    if min(images.shape[1:3]) < 20:
        images = resize(images, 20)
    sides = [(0, 0)] + [(max(0, 32 - s) // 2, max(0, 33 - s) // 2) for s in images.shape[1:3]] + [(0, 0)]
    return np.pad(images, sides)


def to_lenet5_range(images: np.ndarray) -> np.ndarray:
    """Padded to 32x32, then paper at -0.1 and ink at 1.175: mean about 0 and variance about 1 over MNIST."""
    return (1.275 * pad_to_32(images) - 0.1).astype("float32")


def to_1989_range(images: np.ndarray) -> np.ndarray:
    """Resampled to 16x16, then paper at -1 and ink at +1."""
    return (2.0 * resize(images, 16) - 1.0).astype("float32")


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resample a batch to `size` x `size` by linear interpolation between pixel centres."""
    for axis in (1, 2):
        old = images.shape[axis]
        centres = (np.arange(size) + 0.5) * old / size - 0.5
        weights = np.stack([np.interp(centres, np.arange(old), row) for row in np.eye(old)], axis=1)
        images = np.moveaxis(np.tensordot(images, weights, axes=(axis, 1)), -1, axis)
    return images.astype("float32")


def _uniform(fan_in: int) -> keras.initializers.Initializer:
    """The papers' rule, within 2.4 / fan-in: a unit's sum then starts where its tanh is not yet flat."""
    return keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)


_CARDS = {
    "lenet1": {
        "year": 1989,
        "title": "Backpropagation applied to handwritten zip code recognition",
        "paper": "doi:10.1162/neco.1989.1.4.541",
        "chapter": "models/lenet",
        "classes": 10,
        "input_shape": (16, 16, 1),
        "input_range": (-1.0, 1.0),
        "parameters": 9_760,
        "published_parameters": "9,760 independent parameters, 64,660 connections",
        "depth": 4,
        "error": 5.0,
        "error_protocol": "2,007 test digits from US zip codes, one network after 23 passes over 7,291 digits",
        "preprocessing": to_1989_range,
        "note": "Ends in ten squashed units with targets +1 and -1. Which eight of the twelve maps of H1 each map "
        "of H2 sees was not published: here eight neighbours in a ring.",
    },
    "lenet5": {
        "year": 1998,
        "title": "Gradient-based learning applied to document recognition",
        "paper": "doi:10.1109/5.726791",
        "chapter": "models/lenet",
        "classes": 10,
        "input_shape": (32, 32, 1),
        "input_range": (-0.1, 1.175),
        "minimum": (32, 32),
        "parameters": 60_000,
        "published_parameters": "60,000 trainable free parameters, 340,908 connections",
        "depth": 7,
        "depth_counts": "C1, S2, C3, S4, C5, F6 and the output, as the paper counts",
        "error": 0.95,
        "error_protocol": "MNIST test set, one network, undistorted training set (0.8 with distorted images added)",
        "preprocessing": to_lenet5_range,
        "weights": {
            "mnist": Weights(
                file="weights/lenet5-mnist.weights.h5",
                classes=10,
                input_shape=(32, 32, 1),
                licence="Apache-2.0; trained on MNIST",
                made_by="python chapters/models/lenet_mnist_trials.py --keep",
                note="one run of data/results/lenet5-mnist-5-seeds.csv",
            )
        },
        "note": "The paper's stylised ASCII bitmaps are replaced by 7x12 digits drawn for the course.",
    },
    "lenet5-modern": {
        "year": 1998,
        "title": "Gradient-based learning applied to document recognition (as it is usually written today)",
        "paper": "doi:10.1109/5.726791",
        "chapter": "models/lenet",
        "classes": 10,
        "input_shape": (32, 32, 1),
        "minimum": (16, 16),
        "parameters": 61_706,
        "depth": 5,
        "preprocessing": pad_to_32,
        "note": "Full C3, max pooling, ReLU and a dense output: not the net of the paper, so no error is quoted.",
    },
}


@register("lenet1", **_CARDS["lenet1"])
def lenet1(classes: int = 10, input_shape: tuple[int, int, int] = (16, 16, 1)) -> keras.Model:
    """The net of 1989: two layers of shared 5x5 kernels at stride 2, with an own bias for every unit.

    Chapter: models/lenet.
    Paper: doi:10.1162/neco.1989.1.4.541.
    """
    settings = {"kernel_size": 5, "strides": 2, "padding": 2, "pad_value": -1.0, "bias": "unit"}
    inputs = keras.Input(input_shape, name="image")
    everywhere = np.ones((input_shape[-1], 12), dtype="int64")
    x = PartiallyConnected2D(everywhere, **settings, activation=scaled_tanh, name="H1")(inputs)
    x = PartiallyConnected2D(h2_table(), **settings, activation=scaled_tanh, name="H2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(30, scaled_tanh, kernel_initializer=_uniform(x.shape[-1]), name="H3")(x)
    x = layers.Dense(
        classes, scaled_tanh, kernel_initializer=_uniform(30), dtype=keras.config.floatx(), name="output"
    )(x)
    return keras.Model(inputs, x, name="lenet1")


@register("lenet5", **_CARDS["lenet5"])
def lenet5(
    classes: int = 10,
    input_shape: tuple[int, int, int] = (32, 32, 1),
    *,
    connections: str = "table",
    subsampling: str = "trainable",
    output: str = "bitmaps",
    kernel_initializer: str | None = None,
) -> keras.Model:
    """LeNet-5 as it was: a sparse C3, trainable subsampling, scaled tanh, distances to fixed bitmaps.

    Each of its peculiarities can be put back to what is usual today: `connections="full"` joins every map of
    S2 to every map of C3, `subsampling="average"` drops the trainable gain and threshold, and
    `output="dense"` ends in a dense layer.  `kernel_initializer=None` is the paper's rule, uniform within
    2.4 / fan-in, made for its second-order method; a first-order optimiser starts sooner from Keras's
    "lecun_uniform".

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    for option, value, known in (
        ("connections", connections, ("table", "full")),
        ("subsampling", subsampling, ("trainable", "average")),
        ("output", output, ("bitmaps", "dense")),
    ):
        if value not in known:
            raise ValueError(f"lenet5 needs {option} to be {' or '.join(map(repr, known))}, not {value!r}")
    table = c3_table() if connections == "table" else np.ones((6, 16), dtype="int64")

    def subsample(name: str) -> layers.Layer:
        if subsampling == "trainable":
            return TrainableSubsampling2D(2, scaled_tanh, name=name)
        return layers.AveragePooling2D(2, name=name)

    def start(fan_in: int) -> keras.initializers.Initializer:
        return keras.initializers.get(kernel_initializer) if kernel_initializer else _uniform(fan_in)

    inputs = keras.Input(input_shape, name="image")
    squash = {"activation": scaled_tanh}
    first = start(25 * input_shape[-1])
    x = layers.Conv2D(6, 5, **squash, kernel_initializer=first, name="C1")(inputs)
    x = subsample("S2")(x)
    x = PartiallyConnected2D(table, 5, **squash, kernel_initializer=kernel_initializer, name="C3")(x)
    x = subsample("S4")(x)
    x = layers.Conv2D(120, 5, **squash, kernel_initializer=start(400), name="C5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, **squash, kernel_initializer=start(x.shape[-1]), name="F6")(x)
    exact = keras.config.floatx()  # scores are compared and exponentiated, so not in half precision
    if output == "bitmaps":
        x = RadialBasisScores(character_codes(classes), dtype=exact, name="output")(x)
    else:
        x = layers.Dense(classes, kernel_initializer=start(84), dtype=exact, name="output")(x)
    return keras.Model(inputs, x, name="lenet5")


@register("lenet5-modern", **_CARDS["lenet5-modern"])
def lenet5_modern(classes: int = 10, input_shape: tuple[int, int, int] = (32, 32, 1)) -> keras.Model:
    """LeNet-5 as most people write it: every map joined, maxima, ReLU, a dense layer of scores.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    inputs = keras.Input(input_shape, name="image")
    x = layers.Conv2D(6, 5, activation="relu", name="C1")(inputs)
    x = layers.MaxPooling2D(2, name="S2")(x)
    x = layers.Conv2D(16, 5, activation="relu", name="C3")(x)
    x = layers.MaxPooling2D(2, name="S4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="relu", name="C5")(x)
    x = layers.Dense(84, activation="relu", name="F6")(x)
    x = layers.Dense(classes, dtype=keras.config.floatx(), name="output")(x)
    return keras.Model(inputs, x, name="lenet5-modern")

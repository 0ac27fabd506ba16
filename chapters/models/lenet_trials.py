"""The trial of chapter models/lenet: LeNet-5's choices taken back one at a time, on MNIST.

    python chapters/models/lenet_trials.py        # about twenty minutes on one core

It writes data/results/lenet5-parts.csv.

Every arm is trained by one recipe on the same 2,000 digits and ends in scores for the same softmax cross-entropy.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from cnnkit import data, models, trials
from cnnkit.layers import (
    PartiallyConnected2D,
    RadialBasisScores,
    TrainableSubsampling2D,
    character_codes,
    scaled_tanh,
)

#: Distances over 84 units are large: undivided, the softmax is satisfied by the first small difference.
SHARPNESS = 0.05


def digits() -> Any:
    """MNIST as LeNet-5 takes it: a page of 32 x 32, paper -0.1, ink 1.175."""
    (x, y), (x_test, y_test) = data.load("mnist")
    prepare = models.card("lenet5").prepare
    return (prepare(x), y), (prepare(x_test), y_test)


def lenet5(
    seed: int,
    *,
    connections: str = "table",
    subsampling: str = "trainable",
    activation: str = "scaled tanh",
    output: str = "bitmaps",
) -> keras.Model:
    """LeNet-5 of 1998, or with one of its choices taken back."""
    table = models.c3_table() if connections == "table" else np.ones((6, 16), dtype="int64")
    squash = scaled_tanh if activation == "scaled tanh" else keras.activations.relu
    start = "lecun_uniform" if activation == "scaled tanh" else "he_uniform"
    usual = {"activation": squash, "kernel_initializer": start}

    def subsample(name: str) -> layers.Layer:
        if subsampling == "trainable":
            return TrainableSubsampling2D(2, squash, name=name)
        return (layers.MaxPooling2D if subsampling == "max" else layers.AveragePooling2D)(2, name=name)

    inputs = keras.Input((32, 32, 1), name="image")
    x = layers.Conv2D(6, 5, **usual, name="C1")(inputs)
    x = subsample("S2")(x)
    x = PartiallyConnected2D(table, 5, **usual, name="C3")(x)
    x = subsample("S4")(x)
    x = layers.Conv2D(120, 5, **usual, name="C5")(x)
    x = layers.Flatten(name="flatten")(x)
    # F6 draws a picture of -1 and 1, whatever squashes below
    x = layers.Dense(84, scaled_tanh, kernel_initializer="lecun_uniform", name="F6")(x)
    if output == "bitmaps":
        x = RadialBasisScores(character_codes(10), name="output")(x)
        x = layers.Rescaling(SHARPNESS, name="softer")(x)
    else:
        x = layers.Dense(10, kernel_initializer="lecun_uniform", name="output")(x)
    return keras.Model(inputs, x)


parts = trials.trial(
    "lenet5-parts",
    arms={
        "LeNet-5": lenet5,
        "full C3": partial(lenet5, connections="full"),
        "average pooling": partial(lenet5, subsampling="average"),
        "max pooling": partial(lenet5, subsampling="max"),
        "ReLU": partial(lenet5, activation="ReLU"),
        "dense output": partial(lenet5, output="dense"),
    },
    data=trials.split(digits, train=2_000, validation=2_000, seed=0, name="mnist, 32 x 32"),
    rates=(1e-3, 3e-3, 9e-3),
    training=trials.Training(epochs=20, batch_size=40),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

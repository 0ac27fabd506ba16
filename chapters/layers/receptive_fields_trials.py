"""The trial of chapter layers/receptive-fields: two small kernels or a large one.

    python chapters/layers/receptive_fields_trials.py        # some five minutes on one core

It writes data/results/two-small-kernels.csv.
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import layers

from cnnkit import data, trials

Digits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def halved() -> Digits:
    """MNIST at half its size, without the empty rim: 12 x 12 pixels."""
    (x, y), (x_test, y_test) = data.load("mnist")
    small = [
        images[:, 2:26, 2:26].reshape(-1, 12, 2, 12, 2, 1).mean(axis=(2, 4))
        for images in (x[:10_000], x_test[:4_000])
    ]
    return (small[0], y[:10_000]), (small[1], y_test[:4_000])


def reader(seed: int, middle: tuple[tuple[int, int, str | None], ...]) -> keras.Model:
    """A small net for digits around a middle of convolutions, each given as (maps, kernel, activation)."""
    inputs = x = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    for maps, kernel, activation in middle:
        x = layers.Conv2D(maps, kernel, padding="same", activation=activation)(x)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def arm(*middle: tuple[int, int, str | None]) -> partial:
    """The net with this middle, still without a seed."""
    return partial(reader, middle=middle)


two_small_kernels = trials.trial(
    "two-small-kernels",
    arms={
        "one 5 x 5": arm((8, 5, "relu")),
        "two 3 x 3": arm((8, 3, "relu"), (8, 3, "relu")),
        "two 3 x 3, as many weights": arm((11, 3, "relu"), (8, 3, "relu")),
        "two 3 x 3, linear between": arm((11, 3, None), (8, 3, "relu")),
    },
    data=trials.split(halved, train=1_000, validation=1_000, name="mnist, 12 x 12"),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=16, batch_size=32),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

"""Take one idea at a time out of a small convolutional net, on digits that moved and on digits that did not, and set it
beside two dense nets.

    python chapters/orientation_trials.py

It writes data/results/orientation-moved.csv and data/results/orientation-centred.csv.  The digits are MNIST's at half
their size, 12 x 12 pixels, on a field of 16 x 16: at a random place, or in its middle.
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import layers

from cnnkit import data, trials
from cnnkit.course.nets import classic

FIELD = (16, 16, 1)


def digits(moved: bool) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """MNIST at half its size on the field, the first 10,000 training and 2,000 test images."""
    (x, y), (x_test, y_test) = data.load("mnist")
    parts = []
    for seed, images, labels in ((0, x[:10_000], y[:10_000]), (1, x_test[:2_000], y_test[:2_000])):
        halved = images[:, 2:26, 2:26].reshape(-1, 12, 2, 12, 2, 1).mean(axis=(2, 4))
        middle = np.pad(halved, ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts.append((data.scattered(halved, 16, seed) if moved else middle, labels))
    return tuple(parts)


def convolutional(seed: int, **taken_out: object) -> keras.Model:
    """The chapter's net, or the same net with one of its ideas taken out."""
    return classic(input_shape=FIELD, **taken_out)


def plain(seed: int, hidden: int = 36) -> keras.Model:
    """A dense net with one hidden layer.

    With 36 units it has as many weights as the convolutional net, with 388 as many multiply-adds, and as many weights as
    that net has without sharing.
    """
    return keras.Sequential(
        [
            keras.Input(FIELD),
            layers.Flatten(),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(10),
        ]
    )


def in_the_middle(images: np.ndarray) -> np.ndarray:
    """Each picture shifted, by whole pixels, so that the centre of mass of its ink lies in the middle of the field."""
    places = np.indices(FIELD[:2])
    moved = np.empty_like(images)
    for i, image in enumerate(images):
        centre = (places * image[..., 0]).sum(axis=(1, 2)) / image.sum()
        moved[i] = np.roll(image, np.round(7.5 - centre).astype(int), axis=(0, 1))
    return moved


shared = {
    "rates": (3e-3, 1e-2, 3e-2),
    "training": trials.Training(epochs=20, batch_size=32),
    "rivals": {"nearest neighbour, centred first": trials.nearest().through(in_the_middle)},
}
ARMS = {
    "convolutional": convolutional,
    "dense": plain,
    "wide dense": partial(plain, hidden=388),
    "not shared": partial(convolutional, connection="local"),
    "not local": partial(convolutional, spread=4),
    "gaps filled": partial(convolutional, kernel=(9, 5)),  # of "not local": the same windows
    "not pooled": partial(convolutional, pooling="stride"),
}

moved = trials.trial(
    "orientation-moved",
    arms=ARMS,
    data=trials.split(partial(digits, True), train=1_000, validation=1_000, name="moved digits"),
    **shared,
)
centred = trials.trial(
    "orientation-centred",
    arms={name: ARMS[name] for name in ("convolutional", "dense", "wide dense")},
    data=trials.split(partial(digits, False), train=1_000, validation=1_000, name="centred digits"),
    **shared,
)
if __name__ == "__main__":
    raise SystemExit(trials.main())

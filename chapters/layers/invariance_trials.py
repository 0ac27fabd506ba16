"""The trials of chapter layers/invariance: five builds of one small net read digits that were moved.

    python chapters/layers/invariance_trials.py        # some ten minutes on one core

It writes data/results/moved-digits.csv and data/results/moved-digits-nothing-skipped.csv.  The digits are MNIST's, 8 x 8 pixels, on a field of 16 x 16.  For training and
validation they stand in the middle, for the test anywhere up to four pixels off: a build's validation score says how it
reads digits where it has met them, its test score how it reads them elsewhere.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from cnnkit import data, trials
from cnnkit.course.nets import tolerant

FIELD, MAPS = (16, 16, 1), 8
Digits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def digits() -> Digits:
    """The first 5,000 digits in the middle, and 2,000 test digits at random places."""
    (x, y), (x_test, y_test) = data.load("mnist")
    small = [
        images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3, 1).mean(axis=(2, 4))
        for images in (x[:5_000], x_test[:2_000])
    ]
    middle = np.pad(small[0], ((0, 0), (4, 4), (4, 4), (0, 0)))
    return (middle, y[:5_000]), (data.scattered(small[1], 16, seed=1), y_test[:2_000])


def build(seed: int, moved: bool = False, **parts: str) -> keras.Model:
    """`tolerant` with these parts; `moved` shifts each training image by up to four pixels, anew each time."""
    options = {"downsampling": "stride", "padding": "zero", "head": "average", **parts}
    model = tolerant(input_shape=FIELD, filters=MAPS, **options)
    return behind_shifts(model) if moved else model


def behind_shifts(model: keras.Model) -> keras.Model:
    """The model behind a layer that moves training images, and no others, by up to four pixels."""
    inputs = keras.Input(FIELD)
    shift = layers.RandomTranslation(0.25, 0.25, fill_mode="constant", interpolation="nearest")
    return keras.Model(inputs, model(shift(inputs)))


def magnitude(images: np.ndarray) -> np.ndarray:
    """The size of each wave in an image: what its Fourier transform says when the phases, which tell where, are left out."""
    return np.abs(np.fft.fft2(images, axes=(1, 2)))


def nearest_by_waves() -> trials.Learner:
    """A nearest neighbour on the magnitude of the Fourier transform, which no circular shift changes."""
    nearest = trials.nearest()
    return trials.Learner(
        lambda x, y, **_: nearest.fit(magnitude(x), y),
        lambda fitted, x: nearest.predict(fitted, magnitude(x)),
        has_rate=False,
        has_budget=False,
    )


SHARED: dict[str, Any] = {
    "data": trials.split(digits, train=500, validation=1_000, name="mnist, 8 x 8 on 16 x 16"),
    "rates": (1e-2, 3e-2, 1e-1),
    "training": trials.Training(epochs=50, batch_size=25),
    "doublings": 2,
    "rivals": {"nearest neighbour, sizes of waves": nearest_by_waves()},
}
moved_digits = trials.trial(
    "moved-digits",
    arms={
        "stride": build,
        "max pooling of side 4": partial(build, downsampling="wide max"),
        "blur": partial(build, downsampling="blur"),
        "stride, moved in training": partial(build, moved=True),
    },
    **SHARED,
)
nothing_skipped = trials.trial(
    "moved-digits-nothing-skipped",
    arms={"nothing skipped, no border": partial(build, downsampling="none", padding="circular")},
    **SHARED,
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

"""The trials of chapter layers/invariance: builds of one small net read digits that were moved.

    python chapters/layers/invariance_trials.py        # some minutes on one core

It writes data/results/moved-digits.csv.  The digits are MNIST's, 8 x 8 pixels, on a
field of 16 x 16.  For training and validation they stand in the middle, for the test anywhere up to four pixels off: a
build's validation score says how it reads digits where it has met them, its test score how it reads them elsewhere.

The kernels stay as they were drawn, and only the last layer learns; it is solved, not trained, so that there is no
question whether it has settled.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from cnnkit import data, trials
from cnnkit.course.nets import tolerant

FIELD = (16, 16, 1)
Digits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def digits() -> Digits:
    """The first 5,000 digits in the middle, and 4,000 test digits at random places."""
    (x, y), (x_test, y_test) = data.load("mnist")
    small = [
        images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3, 1).mean(axis=(2, 4))
        for images in (x[:5_000], x_test[:4_000])
    ]
    middle = np.pad(small[0], ((0, 0), (4, 4), (4, 4), (0, 0)))
    return (middle, y[:5_000]), (data.scattered(small[1], 16, seed=1), y_test[:4_000])


DIGITS = trials.split(digits, train=1_000, validation=1_000, name="mnist, 8 x 8 on 16 x 16")


def build(seed: int, filters: int = 8, **parts: str) -> keras.Model:
    """`tolerant` with these parts; where none is named it skips by strides, wraps around, and averages at the end."""
    return tolerant(input_shape=FIELD, filters=filters, **{"downsampling": "stride", **parts})


def features(net: keras.Model, images: np.ndarray) -> np.ndarray:
    """What the last layer reads: one row an image, and a one for the bias."""
    below = keras.Model(net.input, net.layers[-2].output)
    found = below.predict(images, batch_size=500, verbose=0).astype("float64")
    return np.c_[found, np.ones(len(found))]


def solved(net: keras.Model, x: np.ndarray, y: np.ndarray) -> Any:
    """Least squares for the last layer: +1 for the digit and -1 for others; the penalty is chosen on validation digits."""
    inputs, targets = features(net, x), 2 * np.eye(10)[y] - 1
    inputs[:, :-1] /= (scale := inputs[:, :-1].std() + 1e-12)
    x_choice, y_choice = DIGITS.parts["validation"]
    choice = features(net, x_choice)
    choice[:, :-1] /= scale
    best = (-1.0, None)
    for penalty in 10.0 ** np.arange(-7, 1):
        square = inputs.T @ inputs + penalty * len(inputs) * np.eye(inputs.shape[1])
        weights = np.linalg.solve(square, inputs.T @ targets)
        right = float(np.mean((choice @ weights).argmax(axis=1) == y_choice))
        best = max(best, (right, weights), key=lambda found: found[0])
    return net, scale, best[1]


def scores(fitted: Any, images: np.ndarray) -> np.ndarray:
    """What the solved layer says of images."""
    net, scale, weights = fitted
    inputs = features(net, images)
    inputs[:, :-1] /= scale
    return inputs @ weights


def moved(images: np.ndarray, seed: int) -> np.ndarray:
    """Each image shifted by up to four pixels, its own way."""
    return data.scattered(images[:, 4:12, 4:12], 16, seed=1_000 + seed)


def reader(shifted: bool = False, **parts: str) -> trials.Learner:
    """An arm: random kernels and a solved last layer; `shifted` moves the training digits."""

    def fit(x: np.ndarray, y: np.ndarray, seed: int, **_: Any) -> Any:
        keras.utils.set_random_seed(seed)
        return solved(build(seed, filters=32, **parts), moved(x, seed) if shifted else x, y)

    return trials.Learner(fit, scores, has_rate=False, has_budget=False)


def magnitude(images: np.ndarray) -> np.ndarray:
    """The size of each wave in an image: its Fourier transform without the phases, which tell where."""
    return np.abs(np.fft.fft2(images, axes=(1, 2)))


WAVES = {"nearest neighbour, sizes of waves": trials.nearest().through(magnitude)}
moved_digits = trials.trial(
    "moved-digits",
    arms={
        "stride, dense head": reader(head="dense"),
        "stride": reader(),
        "max pooling": reader(downsampling="max"),
        "max pooling of side 4": reader(downsampling="wide max"),
        "blur": reader(downsampling="blur"),
        "nothing skipped": reader(downsampling="none"),
        "nothing skipped, zero padding": reader(downsampling="none", padding="zero"),
        "stride, moved in training": reader(shifted=True),
    },
    data=DIGITS,
    rivals=WAVES,
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

"""The trials behind layers/heads-and-losses: one small body, 2,000 digits, and what is asked of them.

    python chapters/layers/heads_and_losses_trials.py

The body never changes: two convolutions (16 and 32 maps, each halving the field) on 14 x 14 pixels, Adam, a rate that
falls to zero.  What changes is the loss, or the number that the head's bias starts from, or the head.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, losses
from scipy import ndimage
from sklearn.metrics import average_precision_score, precision_recall_curve

from cnnkit import data, trials

BATCH, RARE, SHARE = 100, 8, 0.02  # one picture in fifty is an 8
Pairs = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def small(x: np.ndarray) -> np.ndarray:
    """14 x 14 pixels of 28 x 28, each the mean of four."""
    return x.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))


@functools.cache
def digits() -> Pairs:
    """MNIST at 14 x 14: which digit is it?"""
    return tuple((small(x), y) for x, y in data.load("mnist"))


def eights() -> Pairs:
    """Is it an 8?  Eights are taken out until one picture in fifty is one."""
    found, rng = [], np.random.default_rng(0)
    for x, y in digits():
        others = np.flatnonzero(y != RARE)
        kept = rng.choice(np.flatnonzero(y == RARE), round(len(others) * SHARE / (1 - SHARE)), replace=False)
        rows = rng.permutation(np.r_[others, kept])
        found.append((x[rows], (y[rows] == RARE).astype("int64")))
    return tuple(found)


def turned(part: int, images: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Threes that were turned, and by how much: tens of degrees, from -4.5 to 4.5, the test part's (1) or the other's (0)."""
    x, y = data.load("mnist")[part]
    x, turns = x[y == 3][:images], rng.uniform(-4.5, 4.5, images).astype("float32")
    pairs = zip(x[..., 0], 10 * turns, strict=True)
    return small(
        np.array([ndimage.rotate(image, turn, reshape=False, order=1) for image, turn in pairs])
    ), turns


@functools.cache
def threes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By how much was this 3 turned?  In training one label in ten says 9.9: 99 degrees, a clerk's word for "not measured"."""
    rng = np.random.default_rng(0)
    x, turns = turned(0, 3_000, rng)
    labels = np.where(np.arange(2_000) % 10 == 0, np.float32(9.9), turns[:2_000])
    return {
        "train": (x[:2_000], labels),
        "validation": (x[2_000:], turns[2_000:]),
        "test": turned(1, 1_000, rng),
    }


def network(
    outputs: int = 10, bias: float = 0.0, head: Callable[[], keras.Layer] = layers.Flatten
) -> keras.Model:
    """The body, a head that makes a row of numbers of its maps, and one dense layer of raw scores."""
    half = {"strides": 2, "padding": "same", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(16, 3, **half),
            layers.Conv2D(32, 3, **half),
            head(),
            layers.Dense(outputs, bias_initializer=keras.initializers.Constant(bias)),
        ]
    )


def learner(
    loss: Any, outputs: int = 10, bias: float = 0.0, weight: float = 1.0, cut: trials.Split | None = None
) -> trials.Learner:
    """An arm with a loss of its own, trained as a trial trains a Keras model; `cut` moves its scores so that the cut which
    its validation part asks for lies at 0.5."""

    def fit(x: np.ndarray, y: np.ndarray, *, rate: float, epochs: int, seed: int) -> Any:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = network(outputs, bias)
        steps = epochs * -(-len(x) // BATCH)
        schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
        model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=20, jit_compile=False)
        target = np.eye(outputs, dtype="float32")[y] if outputs > 1 else y[:, None].astype("float32")
        weights = np.where(y == 1, weight, 1.0) if weight != 1 else None
        model.fit(x, target, sample_weight=weights, batch_size=BATCH, epochs=epochs, verbose=0)
        return model, half_right(
            scores(model, cut.parts["validation"][0]), cut.parts["validation"][1]
        ) - 0.5 if cut else 0.0

    return trials.Learner(fit, lambda fitted, x: scores(fitted[0], x) - fitted[1])


def scores(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """What a model says, before any softmax or sigmoid."""
    said = model.predict(x, batch_size=1_000, verbose=0)
    return said[:, 0] if said.shape[1] == 1 else said


def half_right(said: np.ndarray, truth: np.ndarray) -> float:
    """The lowest cut at which half of those that are called are right: it finds as many as can be found at that price."""
    precision, _, cuts = precision_recall_curve(truth, said)
    good = np.flatnonzero(precision[:-1] >= 0.5)
    return float(cuts[good[0]] if len(good) else cuts[-1] + 1)  # above the last, none is called


CROSS, BINARY = losses.CategoricalCrossentropy(from_logits=True), losses.BinaryCrossentropy(from_logits=True)
FOCAL = losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=True)
PRIOR = float(np.log(SHARE / (1 - SHARE)))  # the score of whoever knows nothing but how rare they are
PRECISION = trials.Score("average precision", average_precision_score, scale=100.0, unit="points")
RECALL = trials.Score(
    "recall", lambda truth, said: float(np.mean(said[truth == 1] >= 0.5)), scale=100.0, unit="points"
)

LAST = trials.trial(
    "heads-last-function",
    arms={
        "softmax, cross-entropy": learner(CROSS),
        "sigmoids, cross-entropy": learner(BINARY),
        "scores, squared error": learner(losses.MeanSquaredError()),
    },
    data=trials.split(digits, train=2_000, validation=2_000, test=5_000, name="mnist at 14 x 14"),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=20, batch_size=BATCH),
)

ONE_IN_FIFTY = trials.split(eights, train=2_000, validation=2_000, name="an 8, one in fifty")


def starts(cut: trials.Split | None = None) -> dict[str, trials.Learner]:
    """Two losses, and two numbers from which the bias may start."""
    return {
        "cross-entropy": learner(BINARY, 1, cut=cut),
        "cross-entropy, prior bias": learner(BINARY, 1, PRIOR, cut=cut),
        "focal": learner(FOCAL, 1, cut=cut),
        "focal, prior bias": learner(FOCAL, 1, PRIOR, cut=cut),
    }


EARLY = trials.trial(
    "heads-rare-early",
    arms=starts(),
    data=ONE_IN_FIFTY,
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=3, batch_size=BATCH),
    score=PRECISION,
    settle=False,
)
EARLY_RECALL = trials.trial(
    "heads-rare-early-recall",
    arms=starts(ONE_IN_FIFTY),
    data=ONE_IN_FIFTY,
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=3, batch_size=BATCH),
    score=RECALL,
    settle=False,
)
RARE_SETTLED = trials.trial(
    "heads-rare",
    arms={name: starts()[name] for name in ("cross-entropy, prior bias", "focal, prior bias")}
    | {"weighted, prior bias": learner(BINARY, 1, PRIOR, weight=(1 - SHARE) / SHARE)},
    data=ONE_IN_FIFTY,
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=15, batch_size=BATCH),
    score=PRECISION,
)

AMOUNTS = trials.trial(
    "heads-wrong-labels",
    arms={
        "squared error": learner(losses.MeanSquaredError(), 1),
        "absolute error": learner(losses.MeanAbsoluteError(), 1),
        "Huber": learner(losses.Huber(), 1),
    },
    data=trials.Split("threes, turned", threes),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=15, batch_size=BATCH),
    settle=False,
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

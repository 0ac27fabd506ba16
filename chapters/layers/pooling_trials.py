"""The trials of chapter layers/pooling: one small net in builds that differ in their pooling alone.

    python chapters/layers/pooling_trials.py        # some ten minutes on one core

It writes data/results/pooling-moved.csv, data/results/pooling-300-in-the-middle.csv and
data/results/pooling-300-anywhere.csv.  The digits are MNIST's, 8 x 8 pixels, on a field of 12 x 12: in its middle, or at
one of the twenty-five places where they fit, which is at most two pixels off each way.

Each arm is compiled once, and its weights and the state of its optimiser are drawn anew for every row: to prepare such a
small net takes longer than to train it.
"""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

import keras
import numpy as np
from sklearn.svm import SVC

from cnnkit import data, trials
from cnnkit.course.nets import pooled

FIELD, BATCH, CHUNK = 12, 50, 500
Digits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def digits(train: str, test: str) -> Digits:
    """MNIST's digits, 8 x 8 pixels, on the field: training and test digits each "in the middle" or "anywhere"."""
    parts = []
    for seed, (place, (images, labels)) in enumerate(zip((train, test), data.load("mnist"), strict=True)):
        small = images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3, 1).mean(axis=(2, 4))
        middle = np.pad(small, ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts.append((middle if place == "in the middle" else data.scattered(small, FIELD, seed), labels))
    return parts[0], parts[1]


class Falling(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that climbs for a tenth of the steps and falls to zero along half a wave; both can be set for each run."""

    def __init__(self) -> None:
        self.rate, self.steps = (keras.Variable(1.0, trainable=False) for _ in range(2))

    def __call__(self, step: Any) -> Any:
        share = keras.ops.cast(step, "float32") / self.steps
        return self.rate * keras.ops.minimum(10 * share, 1.0) * (1 + keras.ops.cos(np.pi * share)) / 2

    def get_config(self) -> dict[str, Any]:
        return {}


@functools.cache
def compiled(pooling: str, head: str) -> tuple[keras.Model, Falling]:
    """An arm's net, ready to be trained again and again."""
    model, schedule = pooled(input_shape=(FIELD, FIELD, 1), pooling=pooling, head=head), Falling()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0), loss, jit_compile=False, steps_per_execution=20
    )
    model.optimizer.build(model.trainable_variables)
    return model, schedule


def fit(
    pooling: str, head: str, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int
) -> keras.Model:
    """Adam from new weights, through the digits in a new order each round."""
    model, schedule = compiled(pooling, head)
    keras.utils.set_random_seed(seed)
    fresh = pooled(input_shape=(FIELD, FIELD, 1), pooling=pooling, head=head)
    for variable, start in zip(model.variables, fresh.variables, strict=True):
        variable.assign(start)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    schedule.rate.assign(rate)
    schedule.steps.assign(epochs * len(x) // BATCH)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(x)) for _ in range(epochs)])
    model.fit(x[order], y[order], batch_size=BATCH, shuffle=False, verbose=0)
    return model


def scores(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What a net says of images."""
    return np.concatenate(
        [model.predict_on_batch(images[k : k + CHUNK]) for k in range(0, len(images), CHUNK)]
    )


def arm(pooling: str, head: str = "flatten") -> trials.Learner:
    """One build, learning."""
    return trials.Learner(partial(fit, pooling, head), scores)


def machine(split: trials.Split) -> trials.Learner:
    """A support vector machine on the pixels, with a radial kernel; its C is chosen on the validation part."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> SVC:
        fits = [SVC(C=c).fit(x.reshape(len(x), -1), y) for c in (1.0, 3.0, 10.0, 30.0)]
        x_choice, y_choice = split.parts["validation"]
        return max(fits, key=lambda one: one.score(x_choice.reshape(len(x_choice), -1), y_choice))

    return trials.Learner(
        fit, lambda one, x: one.predict(x.reshape(len(x), -1)), has_rate=False, has_budget=False
    )


def compare(table: str, arms: dict[str, trials.Learner], train: str, test: str) -> trials.Trial:
    """300 digits to learn from, 2,000 others that lie as they do to choose the rate by, and all test digits."""
    where = train if train == test else "moved"
    split = trials.split(partial(digits, train, test), train=300, name=f"mnist, 8 x 8 on 12 x 12, {where}")
    return trials.trial(
        table,
        arms=arms,
        data=split,
        rates=(3e-3, 1e-2, 3e-2),
        training=trials.Training(epochs=60, batch_size=BATCH),
        rivals={"support vector machine": machine(split)},
    )


SMALLER = {
    "no pooling": arm("none"),
    "stride 2": arm("stride"),
    "average pooling": arm("average"),
    "max pooling": arm("max"),
}
FEW = {**SMALLER, "max pooling, global average": arm("max", "average")}

# Does a net read digits where it has met none?
moved = compare(
    "pooling-moved",
    {**SMALLER, "stride 2, 4 x 4 weights": arm("wide stride")},
    "in the middle",
    "anywhere",
)
# Few examples, which each net can learn by heart: what does it do with new ones?
in_the_middle = compare("pooling-300-in-the-middle", FEW, "in the middle", "in the middle")
anywhere = compare("pooling-300-anywhere", FEW, "anywhere", "anywhere")

if __name__ == "__main__":
    raise SystemExit(trials.main())

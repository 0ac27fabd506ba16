"""The trials of chapter layers/activations: activation, start and depth; the first hundred steps; dead units rescued.

    python chapters/layers/activations_trials.py        # some ten minutes on one core

It writes data/results/activations-<n>-layers.csv, data/results/activations-stuck-<n>-layers.csv,
data/results/activations-late-<n>-layers.csv and data/results/activations-first-<n>-steps.csv.

The nets are those of `cnnkit.scratch`, forward and backward as the chapter writes them: a stack of small dense layers
takes NumPy a tenth of the time that a framework spends on calling it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from cnnkit import data, scratch, trials

BATCH, MOMENTUM = 100, 0.9


def small_fashion() -> Any:
    """Fashion-MNIST at 14 x 14, each pixel the mean of four, in rows of 196 with mean 0 and spread 1."""
    (x, y), (x_test, y_test) = data.load("fashion_mnist")
    rows = [images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) for images in (x, x_test)]
    mean, spread = rows[0].mean(), rows[0].std()
    x, x_test = (((r - mean) / spread).astype("float32") for r in rows)
    return (x, y), (x_test, y_test)


def descend(
    net: scratch.Chain, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int
) -> scratch.Chain:
    """Gradient descent with momentum; the rate falls to zero along half a wave."""
    rng = np.random.default_rng(seed)
    weights = net.weights
    speeds = [np.zeros_like(w) for w in weights]
    batches = -(-len(x) // BATCH)
    with np.errstate(all="ignore"):  # too large a rate explodes, and its scores say so
        for step in range(epochs * batches):
            if step % batches == 0:
                order = rng.permutation(len(x))
            rows = order[step % batches * BATCH :][:BATCH]
            _, dy = scratch.softmax_cross_entropy(net.forward(x[rows]), y[rows])
            net.backward(dy.astype(x.dtype))
            now = np.float32(rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2)
            for w, speed, slope in zip(weights, speeds, net.gradients, strict=True):
                speed *= np.float32(MOMENTUM)
                speed -= now * slope
                w += speed
    return net


def scores(net: scratch.Chain, x: np.ndarray) -> np.ndarray:
    """What a net says of examples."""
    with np.errstate(all="ignore"):
        return net.forward(x)


def from_start(
    activation: str, start: str, depth: int, x: Any, y: Any, rate: float, epochs: int, seed: int
) -> Any:
    """A new stack, trained."""
    net = scratch.dense_stack(activation, start, depth, inputs=x.shape[1], seed=seed)
    return descend(net, x, y, rate, epochs, seed)


def stack(activation: str, start: str, depth: int) -> trials.Learner:
    """An arm: one activation from one start, so many layers deep."""
    return trials.Learner(partial(from_start, activation, start, depth), scores)


def chosen(split: trials.Split, make: Any, options: tuple[float, ...]) -> trials.Learner:
    """A rival from scikit-learn, how far it is held back chosen on the validation part."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        fits = [make(C=c).fit(x, y) for c in options]
        return max(fits, key=lambda fitted: fitted.score(*split.parts["validation"]))

    return trials.Learner(fit, lambda fitted, x: fitted.predict(x), has_rate=False, has_budget=False)


FITTED = "fitted to the sigmoid"
SPLIT = trials.split(small_fashion, train=1_000, validation=1_000, test=5_000, name="fashion_mnist, 14 x 14")
RECIPE = trials.Training(epochs=40, batch_size=BATCH)
RATES = (0.01, 0.03, 0.1)


def grid(depth: int, *arms: tuple[str, str]) -> dict[str, trials.Learner]:
    """Arms by name: `tanh, Glorot`."""
    return {f"{activation}, {start}": stack(activation, start, depth) for activation, start in arms}


SHALLOW = (("sigmoid", "Glorot"), ("sigmoid", FITTED), ("tanh", "Glorot"), ("relu", "He"))
DEEP = (("sigmoid", "four times Glorot"), ("relu", "Glorot"), *SHALLOW)

two_layers = trials.trial(
    "activations-2-layers",
    grid(2, ("linear", "Glorot"), *SHALLOW),
    SPLIT,
    RATES,
    training=RECIPE,
    rivals={
        "logistic regression": chosen(
            SPLIT, partial(LogisticRegression, max_iter=2_000), (0.01, 0.03, 0.1, 0.3, 1.0)
        ),
        "support vector machine": chosen(SPLIT, SVC, (0.3, 1.0, 3.0, 10.0, 30.0)),  # a radial kernel
    },
)
six_layers = trials.trial("activations-6-layers", grid(6, *DEEP), SPLIT, RATES, training=RECIPE)
twenty_layers = trials.trial("activations-20-layers", grid(20, *DEEP), SPLIT, RATES, training=RECIPE)

# The six layers that learn nothing above, at the larger rates that sigmoids like, and for longer.
stuck = trials.trial(
    "activations-stuck-6-layers",
    grid(6, ("sigmoid", "Glorot")),
    SPLIT,
    rates=(0.3, 0.9, 2.7),
    training=trials.Training(epochs=80, batch_size=BATCH),
)

# And for eight times as long again: a flat loss is not always the end of learning.
late = trials.trial(
    "activations-late-6-layers",
    grid(6, ("sigmoid", "Glorot")),
    SPLIT,
    rates=(0.1, 0.3, 0.9),
    seeds=2,
    training=trials.Training(epochs=1_280, batch_size=BATCH),
    settle=False,
)

# Four layers of weights, as the net of AlexNet's figure 1 had; how far each is after a hundred steps.
first_steps = trials.trial(
    "activations-first-100-steps",
    grid(3, ("sigmoid", "Glorot"), ("sigmoid", FITTED), ("tanh", "Glorot"), ("relu", "He")),
    SPLIT,
    RATES,
    training=trials.Training(epochs=10, batch_size=BATCH),
    settle=False,
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

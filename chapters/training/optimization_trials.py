"""The trials of chapter training/optimization: rules, schedules and batches, each at its own best rate.

    python chapters/training/optimization_trials.py        # some fifteen minutes on one core

It writes data/results/optimization-400-steps.csv, and for a shorter race data/results/optimization-80-steps.csv, for a net
of ten layers data/results/optimization-10-layers.csv, for images of two scales data/results/optimization-dimmed.csv;
data/results/optimization-settled.csv; data/results/optimization-schedules.csv; data/results/optimization-same-epochs.csv and
data/results/optimization-same-steps.csv.

Nets, rules and schedules are those of `cnnkit.scratch`, as the chapter writes them: for a net that small NumPy takes
a fraction of what a framework spends on being called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials

EPOCHS, BATCH = 10, 50  # 400 steps on 2,000 images


def standard() -> Any:
    """Fashion-MNIST with mean 0 and deviation 1 over all pixels."""
    (x, y), (x_test, y_test) = data.load("fashion_mnist")
    mean, deviation = x.mean(), x.std()
    return tuple((((x - mean) / deviation).astype("float32"), y) for x, y in ((x, y), (x_test, y_test)))


def fit(
    rule: Callable[[], scratch.Rule], x: Any, y: Any, rate: float, epochs: int, seed: int,
    depth: int = 2, kind: str = "cosine", warmup: float = 0.0, averaged: bool = False,
    batch: int = BATCH, steps: bool = False,
) -> scratch.Chain:  # fmt: skip
    """Train the small net by a rule.

    Args:
        rule: makes a rule for one array of weights.
        depth: the convolutions of the net.
        kind: of the schedule, and `warmup` its share of the steps.
        averaged: give the net the mean of its weights over the last quarter of the steps, in place of the last ones.
        batch: images a step.
        steps: take as many steps as a batch of `BATCH` would, in place of as many epochs.
    """
    rng = np.random.default_rng(seed)
    net = scratch.normed_stack("none", depth=depth, seed=seed)
    weights, rules = net.weights, [rule() for _ in net.weights]
    sums = [np.zeros_like(w) for w in weights]
    round_ = -(-len(x) // batch)
    total = epochs * (-(-len(x) // BATCH) if steps else round_)
    with np.errstate(all="ignore"):  # too large a rate explodes, and its scores say so
        for step in range(total):
            if step % round_ == 0:
                order = rng.permutation(len(x))
            rows = order[step % round_ * batch :][:batch]
            _, dy = scratch.softmax_cross_entropy(net.forward(x[rows]), y[rows])
            net.backward(dy.astype("float32"))
            now = scratch.learning_rate(kind, rate, step, total, warmup)
            for w, move, slope in zip(weights, rules, net.gradients, strict=True):
                w[...] = move(w, slope, now)
            if step >= total - total // 4:
                for s, w in zip(sums, weights, strict=True):
                    s += w / np.float32(total // 4)
            if not np.isfinite(weights[-1]).all():
                break
    if averaged:
        for s, w in zip(sums, weights, strict=True):
            w[...] = s
    return net


def scores(net: scratch.Chain, x: np.ndarray) -> np.ndarray:
    """What a net says of images."""
    with np.errstate(all="ignore"):
        return np.concatenate([net.forward(x[start : start + 500]) for start in range(0, len(x), 500)])


def dim(x: np.ndarray) -> np.ndarray:
    """Images whose upper half is thirty times fainter than the lower one."""
    x = x.copy()
    x[:, :14] *= 0.03
    return x


def arm(rule: Callable[[], scratch.Rule], batch_size: int | None = None, **options: Any) -> trials.Learner:
    """A rule, and how it is used."""
    return trials.Learner(partial(fit, rule, **options), scores, batch_size=batch_size)


RULES: dict[str, Callable[[], scratch.Rule]] = {
    "SGD": scratch.sgd,
    "momentum": partial(scratch.sgd, 0.9),
    "RMSprop": scratch.rmsprop,
    "Adam": scratch.adam,
    "AdamW": partial(scratch.adamw, 0.05),
}
MOMENTUM = RULES["momentum"]
PARTS = trials.split(standard, train=2_000, validation=3_000, name="fashion_mnist")
NINE = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
FINE = (0.01, 0.02, 0.04, 0.08, 0.16)

race = trials.trial(
    "optimization-400-steps",
    {name: arm(rule) for name, rule in RULES.items()},
    PARTS,
    rates=NINE,
    seeds=10,  # half a point is to be seen
    training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
    settle=False,
)
early = trials.trial(
    "optimization-80-steps",
    {name: arm(rule) for name, rule in RULES.items()},
    PARTS,
    rates=NINE,
    seeds=10,
    training=trials.Training(epochs=2, batch_size=BATCH),
    settle=False,
)
dimmed = trials.trial(
    "optimization-dimmed",
    {name: arm(RULES[name]).through(dim) for name in ("momentum", "Adam")},
    PARTS,
    rates=NINE[3:-1],
    seeds=10,
    training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
    settle=False,
)
schedules = trials.trial(
    "optimization-schedules",
    {
        "constant": arm(MOMENTUM, kind="constant"),
        "constant, averaged": arm(MOMENTUM, kind="constant", averaged=True),
        "step decay": arm(MOMENTUM, kind="step"),
        "cosine": arm(MOMENTUM, kind="cosine"),
        "constant, warm-up": arm(MOMENTUM, kind="constant", warmup=0.1),
        "cosine, warm-up": arm(MOMENTUM, kind="cosine", warmup=0.1),
    },
    PARTS,
    rates=FINE,
    seeds=10,
    training=trials.Training(epochs=2 * EPOCHS, batch_size=BATCH),
    settle=False,
)
same_epochs = trials.trial(
    "optimization-same-epochs",
    {f"batch {n}": arm(MOMENTUM, batch_size=n, batch=n) for n in (10, 50, 250, 1000)},
    PARTS,
    rates=FINE,
    training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
    settle=False,
)
same_steps = trials.trial(
    "optimization-same-steps",
    {f"batch {n}": arm(MOMENTUM, batch=n, steps=True) for n in (10, 50, 250)},
    PARTS,
    rates=FINE,
    training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
    settle=False,
)
deep = trials.trial(
    "optimization-10-layers",
    {
        **{name: arm(rule, depth=10) for name, rule in RULES.items()},
        "momentum, warm-up": arm(MOMENTUM, depth=10, warmup=0.1),
    },
    PARTS,
    rates=NINE[1:-1],
    training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
    settle=False,
)
settled = trials.trial(
    "optimization-settled",
    {name: arm(rule) for name, rule in RULES.items()},
    PARTS,
    rates=(0.01, 0.03, 0.1),
    training=trials.Training(epochs=4 * EPOCHS, batch_size=BATCH),
    widenings=4,
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

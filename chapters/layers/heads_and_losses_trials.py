"""The trials behind layers/heads-and-losses: one small network, 2,000 digits, and what is asked of them.

    python chapters/layers/heads_and_losses_trials.py

It writes data/results/heads-last-function.csv, data/results/heads-last-early.csv, data/results/heads-rare-early.csv,
data/results/heads-rare-early-recall.csv, data/results/heads-even-early.csv, data/results/heads-rare-later.csv,
data/results/heads-wrong-labels.csv, data/results/heads-wrong-labels-longer.csv and data/results/heads-right-labels.csv.

The network never changes: two convolutions of 3 x 3 (8 and 16 maps, each halving the field) on 14 x 14 pixels, and one
dense layer.  What changes is the loss, or the number that the head's bias starts from.  It is written in NumPy, for then
a loss is all that it needs: a function (scores, targets) -> (loss, gradient), as in `cnnkit.scratch`; and a row takes a
second.  `tests/course/test_heads_and_losses.py` holds its scores and gradients to Keras.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage, optimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, pairwise_distances, precision_recall_curve

from cnnkit import data, scratch, trials

BATCH, RARE, SHARE = 100, 8, 0.02  # one picture in fifty is an 8
Pairs = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Weights = list[np.ndarray]


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


def as_many() -> Pairs:
    """Is it an 8?  Here as many pictures are as are not: the control, in which nothing is rare."""
    found, rng = [], np.random.default_rng(0)
    for x, y in digits():
        eight = np.flatnonzero(y == RARE)
        rows = rng.permutation(np.r_[eight, rng.choice(np.flatnonzero(y != RARE), len(eight), replace=False)])
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
def threes(wrong: bool = True) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By how much was this 3 turned?  In training one label in ten says 9.9: 99 degrees, a clerk's word for "not measured".

    As a control, the same pictures with every label right.
    """
    rng = np.random.default_rng(0)
    x, turns = turned(0, 3_000, rng)
    labels = np.where(wrong & (np.arange(2_000) % 10 == 0), np.float32(9.9), turns[:2_000])
    return {
        "train": (x[:2_000], labels),
        "validation": (x[2_000:], turns[2_000:]),
        "test": turned(1, 1_000, rng),
    }


def windows(x: np.ndarray, before: int) -> np.ndarray:
    """The 3 x 3 window of every second place, a row each: (pictures, places, numbers); zeros before and after."""
    padded = np.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    view = sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2].transpose(0, 1, 2, 4, 5, 3)
    return view.reshape(len(x), view.shape[1] * view.shape[2], -1)


def start(outputs: int, bias: float, seed: int) -> Weights:
    """Glorot's uniform weights; the biases are zero, but for the head's."""
    rng = np.random.default_rng(seed)
    shapes = ((9, 8, 9 * 9), (72, 16, 72 + 9 * 16), (256, outputs, 256 + outputs))
    drawn = [rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / fans) for a, b, fans in shapes]
    made = [drawn[0], np.zeros(8), drawn[1], np.zeros(16), drawn[2], np.full(outputs, bias)]
    return [w.astype("float32") for w in made]


def forward(weights: Weights, columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Scores, and what the way back needs; `columns` are the windows of the pictures."""
    w1, b1, w2, b2, w3, b3 = weights
    first = np.maximum(columns.reshape(-1, 9) @ w1 + b1, 0)
    second_columns = windows(first.reshape(-1, 7, 7, 8), before=1).reshape(-1, 72)
    second = np.maximum(second_columns @ w2 + b2, 0).reshape(len(columns), -1)
    return second @ w3 + b3, second, second_columns, first


def backward(
    weights: Weights, columns: np.ndarray, kept: tuple[np.ndarray, ...], slope: np.ndarray
) -> Weights:
    """The gradient of every weight, from the loss's gradient with respect to the scores."""
    _, second, second_columns, first = kept
    d_second = ((slope @ weights[4].T) * (second > 0)).reshape(-1, 16)
    d_windows = (d_second @ weights[2].T).reshape(-1, 4, 4, 3, 3, 8)
    d_first = np.zeros((len(columns), 9, 9, 8), "float32")
    for i, j in np.ndindex(3, 3):
        d_first[:, i : i + 8 : 2, j : j + 8 : 2] += d_windows[:, :, :, i, j]
    d_first = d_first[:, 1:8, 1:8].reshape(-1, 8) * (first > 0)
    pairs = ((columns.reshape(-1, 9), d_first), (second_columns, d_second), (second, slope))
    return [part for x, d in pairs for part in (x.T @ d, d.sum(axis=0))]


def learner(
    loss: Callable[..., Any], outputs: int = 10, bias: float = 0.0, cut: trials.Split | None = None
) -> trials.Learner:
    """An arm: a loss, and what the bias starts from.  Adam, as Keras has it, with a rate that falls to zero.

    `cut` moves its scores so that the cut which its validation part asks for lies at 0.5.
    """

    def fit(x: np.ndarray, y: np.ndarray, *, rate: float, epochs: int, seed: int) -> Any:
        weights, rng = start(outputs, bias, seed), np.random.default_rng((seed, 1))
        mean, square = ([np.zeros_like(w) for w in weights] for _ in range(2))
        columns, target = windows(x, before=0), y if outputs > 1 else y[:, None].astype("float32")
        orders = (rng.permutation(len(x)) for _ in range(epochs))
        batches = [order[at : at + BATCH] for order in orders for at in range(0, len(x), BATCH)]
        for step, rows in enumerate(batches):
            kept = forward(weights, columns[rows])
            slope = loss(kept[0], target[rows])[1].astype("float32")
            now = rate * (1 + np.cos(np.pi * step / len(batches))) / 2
            now *= np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            for w, m, s, gradient in zip(
                weights, mean, square, backward(weights, columns[rows], kept, slope), strict=True
            ):
                m += 0.1 * (gradient - m)
                s += 0.001 * (gradient**2 - s)
                w -= now * m / (np.sqrt(s) + 1e-7)
        if cut is None:
            return weights, 0.0
        x_choice, truth = cut.parts["validation"]
        return weights, half_right(scores(weights, x_choice), truth) - 0.5

    return trials.Learner(fit, lambda fitted, x: scores(fitted[0], x) - fitted[1])


def without_the_largest(learned: trials.Learner) -> trials.Learner:
    """The same arm, trained on what is left when the largest label of all, and its likes, are taken out."""

    def fit(x: np.ndarray, y: np.ndarray, **options: Any) -> Any:
        return learned.fit(x[y < y.max()], y[y < y.max()], **options)

    return trials.Learner(fit, learned.predict)


def stopped(learned: trials.Learner, split: trials.Split) -> trials.Learner:
    """The same arm at the best of four budgets, each twice the last, chosen on the validation part, as the rate is."""

    def fit(x: np.ndarray, y: np.ndarray, *, rate: float, epochs: int, seed: int) -> Any:
        x_choice, truth = split.parts["validation"]
        fits = [learned.fit(x, y, rate=rate, epochs=epochs * times, seed=seed) for times in (1, 2, 4, 8)]
        return max(fits, key=lambda fitted: trials.R2.measure(truth, learned.predict(fitted, x_choice)))

    return trials.Learner(fit, learned.predict, has_budget=False)


def by_distance() -> trials.Learner:
    """A rival that ranks: how much farther the nearest training picture without the yes is than the nearest with it."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        rows = x.reshape(len(x), -1)
        return rows[y == 1], rows[y == 0]

    def predict(known: Any, x: np.ndarray) -> np.ndarray:
        yes, no = (pairwise_distances(x.reshape(len(x), -1), rows).min(axis=1) for rows in known)
        return no - yes

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


def logistic(split: trials.Split) -> trials.Learner:
    """A rival that ranks: logistic regression on the pixels, its penalty chosen by average precision on the validation part."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        x_choice, truth = split.parts["validation"]
        rows = x_choice.reshape(len(x_choice), -1)
        fits = [
            LogisticRegression(C=c, max_iter=2_000).fit(x.reshape(len(x), -1), y)
            for c in (0.01, 0.1, 1, 10, 100)
        ]
        return max(fits, key=lambda fitted: average_precision_score(truth, fitted.decision_function(rows)))

    def predict(fitted: Any, x: np.ndarray) -> np.ndarray:
        return fitted.decision_function(x.reshape(len(x), -1))

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


def scores(weights: Weights, x: np.ndarray) -> np.ndarray:
    """What a network says, before any softmax or sigmoid."""
    parts = [forward(weights, windows(part, before=0))[0] for part in np.array_split(x, -(-len(x) // 500))]
    said = np.concatenate(parts)
    return said[:, 0] if said.shape[1] == 1 else said


def half_right(said: np.ndarray, truth: np.ndarray) -> float:
    """The lowest cut at which half of those that are called are right: it finds as many as can be found at that price."""
    precision, _, cuts = precision_recall_curve(truth, said)
    good = np.flatnonzero(precision[:-1] >= 0.5)
    return float(cuts[good[0]] if len(good) else cuts[-1] + 1)  # above the last, none is called


def of_ten(loss: Callable[..., Any]) -> Callable[..., Any]:
    """A loss of ten scores against ones and zeros, given labels; a sum over the ten, the mean over pictures."""

    def summed(said: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = loss(said, np.eye(10)[labels])
        return 10 * value, 10 * slope

    return summed


def squared_probability(said: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """The squared error of what a sigmoid makes of the scores; on the way back it meets the sigmoid's slope."""
    p = scratch.sigmoid(said)
    loss, slope = scratch.mean_squared_error(p, truth)
    return loss, slope * p * (1 - p)


def rest(loss: Callable[..., Any]) -> float:
    """The score at which a loss is at rest when it is said of every picture: its best constant answer."""
    truth = (np.arange(100) < 100 * SHARE)[:, None].astype(float)
    return (
        round(optimize.brentq(lambda score: loss(np.full((100, 1), score), truth)[1].sum(), -8, 8), 4) + 0.0
    )


CROSS, FOCAL = scratch.binary_cross_entropy, functools.partial(scratch.focal_loss, gamma=2.0)
WEIGHTED = functools.partial(
    scratch.focal_loss, gamma=0.0, alpha=1 - SHARE
)  # no focus: a rare one weighs 49 others
TENTH = round(
    float(np.log(0.1 / 0.9)), 4
)  # one class of ten: where ten sigmoids are at rest, whichever the loss
PRIOR = round(float(np.log(SHARE / (1 - SHARE))), 4)  # what the focal paper starts its bias from
PRECISION = trials.Score("average precision", average_precision_score, scale=100.0, unit="points")
RECALL = trials.Score(
    "recall", lambda truth, said: float(np.mean(said[truth == 1] >= 0.5)), scale=100.0, unit="points"
)

RATES = (3e-3, 1e-2, 3e-2)

LAST = trials.trial(
    "heads-last-function",
    arms={
        "softmax, cross-entropy": learner(scratch.softmax_cross_entropy),
        "sigmoids, cross-entropy": learner(of_ten(CROSS)),
        "sigmoids, cross-entropy, rest": learner(of_ten(CROSS), bias=TENTH),
        "scores, squared error": learner(of_ten(scratch.mean_squared_error)),
        "sigmoids, squared error": learner(of_ten(squared_probability)),
        "sigmoids, squared error, rest": learner(of_ten(squared_probability), bias=TENTH),
    },
    data=trials.split(digits, train=2_000, validation=2_000, test=5_000, name="mnist at 14 x 14"),
    rates=RATES,
    training=trials.Training(epochs=60, batch_size=BATCH),
    doublings=2,
)
LAST_EARLY = trials.trial(
    "heads-last-early",
    arms={
        name: LAST.arms[name]
        for name in (
            "softmax, cross-entropy",
            "sigmoids, cross-entropy",
            "sigmoids, cross-entropy, rest",
            "sigmoids, squared error",
        )
    },
    data=LAST.data,
    rates=RATES,
    training=trials.Training(epochs=30, batch_size=BATCH),  # 600 steps
    settle=False,
)

ONE_IN_FIFTY = trials.split(eights, train=2_000, validation=2_000, name="an 8, one in fifty")
AS_MANY = trials.split(as_many, train=2_000, validation=2_000, name="an 8, one in two")
EARLY = trials.Training(epochs=3, batch_size=BATCH)  # sixty steps


def ranking(split: trials.Split) -> dict[str, trials.Learner]:
    """Rivals that rank without a network."""
    return {"distance to the nearest 8": by_distance(), "logistic regression": logistic(split)}


def starts(cut: trials.Split | None = None) -> dict[str, trials.Learner]:
    """Three losses, and the numbers from which the bias may start."""
    return {
        "cross-entropy, zero": learner(CROSS, 1, cut=cut),
        "cross-entropy, focal's rest": learner(CROSS, 1, rest(FOCAL), cut=cut),
        "cross-entropy, rest": learner(CROSS, 1, rest(CROSS), cut=cut),  # which is the prior
        "focal, zero": learner(FOCAL, 1, cut=cut),
        "focal, prior": learner(FOCAL, 1, PRIOR, cut=cut),
        "focal, rest": learner(FOCAL, 1, rest(FOCAL), cut=cut),
        "weighted, rest": learner(WEIGHTED, 1, rest(WEIGHTED), cut=cut),  # which is zero
    }


RARE_EARLY = trials.trial(
    "heads-rare-early",
    arms=starts(),
    data=ONE_IN_FIFTY,
    rates=RATES,
    seeds=10,
    training=EARLY,
    score=PRECISION,
    rivals=ranking(ONE_IN_FIFTY),
    settle=False,
)
RECALL_EARLY = trials.trial(
    "heads-rare-early-recall",
    arms=starts(ONE_IN_FIFTY),
    data=ONE_IN_FIFTY,
    rates=RATES,
    training=EARLY,
    score=RECALL,
    settle=False,
)
EVEN_EARLY = trials.trial(
    "heads-even-early",
    arms={name: starts()[name] for name in ("cross-entropy, zero", "cross-entropy, rest")},
    data=AS_MANY,
    rates=RATES,
    training=EARLY,
    score=PRECISION,
    rivals=ranking(AS_MANY),
    settle=False,
)
RARE_LATER = trials.trial(
    "heads-rare-later",
    arms={name: starts()[name] for name in ("cross-entropy, zero", "cross-entropy, rest", "focal, rest")},
    data=ONE_IN_FIFTY,
    rates=RATES,
    training=trials.Training(epochs=30, batch_size=BATCH),
    score=PRECISION,
    rivals=ranking(ONE_IN_FIFTY),
)
WRONG, RIGHT = (
    trials.Split("threes, turned", threes),
    trials.Split("threes, turned, all labels right", functools.partial(threes, wrong=False)),
)
AMOUNTS = {
    "squared error": learner(scratch.mean_squared_error, 1),
    "absolute error": learner(scratch.mean_absolute_error, 1),
    "Huber": learner(scratch.huber_loss, 1),
}
WITHOUT = {"squared error, largest label out": without_the_largest(AMOUNTS["squared error"])}
WRONG_LABELS = trials.trial(
    "heads-wrong-labels",
    arms={name: stopped(arm, WRONG) for name, arm in (AMOUNTS | WITHOUT).items()},
    data=WRONG,
    rates=RATES,
    training=trials.Training(epochs=5, batch_size=BATCH),  # and 10, 20, 40
)
RIGHT_LABELS = trials.trial(
    "heads-right-labels",
    arms={name: stopped(arm, RIGHT) for name, arm in AMOUNTS.items()},
    data=RIGHT,
    rates=RATES,
    training=trials.Training(epochs=5, batch_size=BATCH),
)
WRONG_LONGER = trials.trial(
    "heads-wrong-labels-longer",  # one rate for all: what more steps do to an arm, and not which arm is ahead
    arms={name: arm for name, arm in (AMOUNTS | WITHOUT).items() if name != "Huber"},
    data=WRONG,
    rates=(1e-2,),
    widenings=0,
    training=trials.Training(epochs=10, batch_size=BATCH),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

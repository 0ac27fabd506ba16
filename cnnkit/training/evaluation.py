"""What a classifier's scores are worth: its first guesses, its honesty, and sets of classes with a promise.

Everything takes labels first and then scores or probabilities, `(examples, classes)`, as arrays that NumPy reads, from
whatever model and backend. What is fitted here (a temperature, a threshold) is fitted on a validation part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cnnkit.training._arrays import are_probabilities, between, paired, probability_rows, score_rows, whole

__all__ = [
    "Bin",
    "Calibration",
    "Conformal",
    "Temperature",
    "calibration",
    "conformal",
    "temperature",
    "top_k",
]


def top_k(labels: Any, scores: Any, k: int = 5) -> float:
    """The share of examples whose class is among the k with the largest scores.

    Where scores tie at the border, the class gets the chance that it would have if ties were drawn by lot, so that
    a model that says the same of all classes has k of them in so many, and not all or none.

    Args:
        labels: class numbers, `(examples,)`.
        scores: scores or probabilities, `(examples, classes)`.
        k: how many guesses are allowed.

    Example:
        >>> scores = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
        >>> top_k([1, 2], scores, k=1), top_k([1, 2], scores, k=2)
        (0.5, 1.0)

    Chapter: training/evaluation.
    """
    rows = score_rows(scores)
    labels = paired(labels, rows, "scores")
    k = whole("k", k, 1)
    if k > rows.shape[1]:
        raise ValueError(
            f"k is {k}, and there are {rows.shape[1]} classes: among so many guesses every class is"
        )
    own = rows[np.arange(len(rows)), labels][:, None]
    larger, alike = (rows > own).sum(axis=1), (rows == own).sum(axis=1)
    return float(np.mean(np.clip((k - larger) / alike, 0, 1)))


class Bin(NamedTuple):
    """The examples of which a model was about as sure: confidences above `low`, up to `high`.

    Chapter: training/evaluation.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far confidence and accuracy are apart. `print` tells it in a sentence; `pandas.DataFrame(self.bins)` is a table.

    Args:
        ece: the expected calibration error: how far accuracy and confidence are apart in an example's bin, on average.
        by_chance: the mean error that a perfectly calibrated model with these confidences would show.
        gap: mean confidence less accuracy, over all examples: above 0 the model is too sure. It has no bias.
        bins: those that hold an example.

    Chapter: training/evaluation.
    """

    ece: float
    by_chance: float
    gap: float
    bins: tuple[Bin, ...]

    def __str__(self) -> str:
        count = sum(one.count for one in self.bins)
        return (
            f"calibration error {self.ece:.4f} in {len(self.bins)} bins over {count:,} examples; a perfectly calibrated model "
            f"would show {self.by_chance:.4f} by chance; confidence less accuracy {self.gap:+.4f}"
        )


def calibration(
    labels: Any, probabilities: Any, bins: int = 15, by: str = "width", draws: int = 200, seed: int = 0
) -> Calibration:
    """Compare how sure a model is of its first guess with how often that is right: the expected calibration error.

    ::

        ECE = sum over bins of n_b / n |accuracy_b - confidence_b|

    The error is biased upwards, for even a perfect model misses the accuracy of a bin by chance: more with fewer
    examples and more bins. `by_chance` says by how much. It is simulated: labels are drawn `draws` times as the
    model's confidences promise, and measured with the same bins.

    Args:
        labels: class numbers, `(examples,)`.
        probabilities: `(examples, classes)`.
        bins: how many.
        by: `"width"`: equal stretches of confidence from 0 to 1; `"mass"`: as many examples in each, but for ties.
        draws: sets of labels of the simulation.
        seed: of the simulation.

    Example:
        >>> sure = np.array([[0.9, 0.1]] * 10)
        >>> found = calibration([0] * 7 + [1] * 3, sure)
        >>> round(found.ece, 3), round(found.gap, 3), len(found.bins)
        (0.2, 0.2, 1)

    Chapter: training/evaluation.
    Paper: arXiv:1706.04599; the bias: arXiv:2012.08668.
    """
    rows = probability_rows(probabilities)
    labels = paired(labels, rows, "probabilities")
    bins, draws = whole("bins", bins, 1), whole("draws", draws, 1)
    if by not in ("width", "mass"):
        raise ValueError(f"by must be 'width' or 'mass', which all bins have alike, not {by!r}")
    if by == "mass" and bins > len(rows):
        raise ValueError(f"{bins} bins cannot hold as many of {len(rows)} examples each: use fewer bins")
    confidence, right = np.minimum(rows.max(axis=1), 1.0), rows.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    if by == "mass":
        # Edges are confidences, so that equal ones fall into one bin, in whatever order they come.
        edges = np.unique(np.quantile(confidence, edges[1:], method="inverted_cdf"))
        edges = np.concatenate([[0.0], edges])
    place = np.searchsorted(edges, confidence, side="left") - 1
    count = np.bincount(place, minlength=len(edges) - 1)
    sure, met = (np.bincount(place, weights=values, minlength=len(count)) for values in (confidence, right))

    def error(met: np.ndarray) -> float:
        return float(np.abs(met - sure).sum() / len(rows))

    rng = np.random.default_rng(seed)
    drawn = (rng.random(len(rows)) < confidence for _ in range(draws))
    chance = [error(np.bincount(place, weights=one, minlength=len(count))) for one in drawn]
    held = np.flatnonzero(count)
    return Calibration(
        error(met),
        float(np.mean(chance)),
        float(confidence.mean() - right.mean()),
        tuple(
            Bin(
                float(edges[b]),
                float(edges[b + 1]),
                int(count[b]),
                float(sure[b] / count[b]),
                float(met[b] / count[b]),
            )
            for b in held
        ),
    )


class Temperature(NamedTuple):
    """What `temperature` found: the number, and the function that makes probabilities of scores with it.

    Chapter: training/evaluation.
    """

    value: float
    soften: Callable[[Any], np.ndarray]


def temperature(labels: Any, scores: Any) -> Temperature:
    """Find the temperature under which a model's scores make the labels of a validation part likeliest.

    ::

        p = softmax(scores / T)

    Above 1 it takes confidence away, below 1 it adds some. The order of the classes stays, and so does every
    decision. The likelihood has one maximum, and its slope is followed to zero.

    Args:
        labels: class numbers of examples on which the model was not trained.
        scores: `(examples, classes)`, before the softmax.

    Returns:
        The temperature, and a function of scores that gives probabilities.

    Raises:
        ValueError: for probabilities, and where no temperature is likeliest.

    Example:
        >>> scores = np.log([[0.9, 0.1]] * 10)
        >>> value, soften = temperature([0] * 8 + [1] * 2, scores)
        >>> round(value, 3), soften(scores)[0].round(3).tolist()
        (1.585, [0.8, 0.2])

    Chapter: training/evaluation.
    Paper: arXiv:1706.04599.
    """
    from scipy.optimize import brentq

    rows = score_rows(scores)
    labels = paired(labels, rows, "scores")
    if are_probabilities(rows):
        raise ValueError(
            "these are probabilities, no negative number and rows that add up to 1, and a temperature divides scores: end "
            "the model before its softmax, or give np.log(probabilities)"
        )
    rows = rows - rows.max(axis=1, keepdims=True)
    size = np.abs(rows).max()
    own = rows[np.arange(len(rows)), labels]
    if size == 0:
        raise ValueError("all classes have the same score, in each example: there is nothing to divide")
    if own.min() == 0:
        raise ValueError(
            f"each of the {len(rows)} labels has the largest score, so the smaller the temperature the likelier: fit it on "
            "more examples, on which the model was not trained"
        )

    def slope(inverse: float) -> float:
        return float(np.mean((_softmax(rows * inverse) * rows).sum(axis=1) - own))

    low, high = 0.0, 1 / size
    if slope(low) >= 0:
        raise ValueError(
            f"the labels have scores of {own.mean():.3g} on average, below the largest, and all classes together "
            f"{rows.mean():.3g}: the model is no better than chance here. Are labels and scores in the same order?"
        )
    while slope(high) < 0:
        low, high = high, 2 * high
    value = 1 / float(brentq(slope, low, high, xtol=1e-13 * high, rtol=1e-12))

    def soften(scores: Any) -> np.ndarray:
        return _softmax(score_rows(scores) / value)

    return Temperature(value, soften)


def _softmax(rows: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return softmax(rows, axis=1)


@dataclass(frozen=True)
class Conformal:
    """A threshold that turns probabilities into sets of classes; `conformal` finds it.

    Args:
        threshold: a class belongs to the set if its probability is at least 1 less this.
        alpha: the share of sets that may miss the true class.
        examples: on how many the threshold was found.
        classes: how many columns the probabilities have.

    Chapter: training/evaluation.
    """

    threshold: float
    alpha: float
    examples: int
    classes: int

    def sets(self, probabilities: Any) -> np.ndarray:
        """True where a class belongs to the set of an example, `(examples, classes)`; a set may be empty."""
        rows = probability_rows(probabilities)
        if rows.shape[1] != self.classes:
            raise ValueError(
                f"the threshold was found with {self.classes} classes, and these probabilities have {rows.shape[1]}: they must "
                "come from the same model"
            )
        return 1 - rows <= self.threshold

    def coverage(self, labels: Any, probabilities: Any) -> float:
        """The share of examples whose set holds the true class."""
        sets = self.sets(probabilities)
        return float(np.mean(sets[np.arange(len(sets)), paired(labels, sets, "probabilities")]))

    def interval(self, examples: int, level: float = 0.95) -> tuple[float, float]:
        """Between what two shares the coverage of so many new examples falls, with this probability.

        Over draws of both parts, the number of covered examples is exactly beta-binomial (arXiv:2303.02770), if no
        two scores tie; where some do, more are covered.
        """
        from scipy.stats import betabinom

        examples = whole("examples", examples, 1)
        rank = _rank(self.examples, self.alpha)
        level = between("level", level, "the probability of the interval")
        ends = betabinom.interval(level, examples, rank, self.examples + 1 - rank)
        return float(ends[0] / examples), float(ends[1] / examples)


def conformal(labels: Any, probabilities: Any, alpha: float = 0.1) -> Conformal:
    """Find the threshold under which sets of classes miss the true one in at most a share `alpha` of new examples.

    ::

        a class is in the set if 1 - p(class) <= q,  q the ceil((n + 1) (1 - alpha))-th smallest of 1 - p(label)

    This is split conformal prediction. The promise holds whatever the model, if new examples and those given here
    could change places; over all draws of both, that is, and not for each class or for hard examples: a model that
    is bad makes large sets.

    Args:
        labels: class numbers of examples on which the model was not trained, nor its temperature fitted.
        probabilities: `(examples, classes)`.
        alpha: the share of sets that may miss.

    Raises:
        ValueError: with fewer examples than the promise needs, 1 / alpha - 1.

    Example:
        >>> p = np.linspace(0.5, 0.95, 10)
        >>> found = conformal([0] * 10, np.stack([p, 1 - p], axis=-1), alpha=0.2)
        >>> round(found.threshold, 2), found.sets([[0.7, 0.3], [0.52, 0.48]]).tolist()
        (0.45, [[True, False], [False, False]])

    Chapter: training/evaluation.
    Paper: arXiv:2107.07511.
    """
    rows = probability_rows(probabilities)
    labels = paired(labels, rows, "probabilities")
    alpha = between("alpha", alpha, "the share of sets that may miss the true class")
    rank = _rank(len(rows), alpha)
    if rank > len(rows):
        raise ValueError(
            f"with alpha={alpha:g} at least {math.ceil(1 / alpha - 1 - 1e-9)} examples are needed, and there are {len(rows)}: "
            "only sets of all classes could keep the promise. Give more, or allow more misses"
        )
    strange = np.sort(1 - rows[np.arange(len(rows)), labels])
    return Conformal(float(strange[rank - 1]), alpha, len(rows), rows.shape[1])


def _rank(examples: int, alpha: float) -> int:
    return math.ceil((examples + 1) * (1 - alpha) - 1e-9)  # 0.3 is a little less than 3 / 10

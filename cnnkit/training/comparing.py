"""Whether one model is better than another: on the same examples, on folds, with an interval or a probability.

What is told here is how much the *examples* might have deceived. How much the seeds did, only other seeds can tell: see
`cnnkit.trials`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cnnkit._names import needed
from cnnkit.training._arrays import array, between, class_numbers, same_length, whole

__all__ = ["Interval", "McNemar", "bootstrap", "k_fold", "mcnemar"]


class Interval(NamedTuple):
    """A number, and between what two it may lie.

    Chapter: training/evaluation.
    """

    value: float
    low: float
    high: float


def bootstrap(
    metric: Callable[[np.ndarray, np.ndarray], float],
    labels: Any,
    outputs: Any,
    other: Any = None,
    level: float = 0.95,
    resamples: int = 2000,
    method: str = "percentile",
    seed: int = 0,
) -> Interval:
    """The interval of a metric over examples, or of the difference of two models on the same examples.

    Examples are drawn with replacement, as many as there are, and the metric taken of each such set; with `other`,
    both models are measured on the same draws, which is what makes the interval of a difference narrow. With fewer
    than a few dozen examples, or near a perfect score, the interval is too short; `method="BCa"` mends a part.

    Args:
        metric: a function of labels and outputs.
        labels: one for each example, of whatever kind the metric takes.
        outputs: one for each example, of whatever kind the metric takes.
        other: outputs of a second model, whose metric is taken away from that of the first.
        level: how often the interval should hold the truth.
        resamples: how many draws.
        method: `"percentile"`, `"basic"` or `"BCa"`, as in `scipy.stats.bootstrap`.
        seed: of the draws.

    Example:
        >>> def accuracy(labels, classes):
        ...     return float(np.mean(labels == classes))
        >>> labels = np.arange(200) % 2
        >>> value, low, high = bootstrap(accuracy, labels, np.zeros(200, int))
        >>> value, 0.4 < low < 0.45, 0.55 < high < 0.6
        (0.5, True, True)

    Chapter: training/evaluation.
    Paper: doi:10.1214/aos/1176344552.
    """
    from scipy.stats import DegenerateDataWarning
    from scipy.stats import bootstrap as resample

    arrays = {"labels": array(labels), "outputs": array(outputs)}
    if other is not None:
        arrays["other"] = array(other)
    for name, one in arrays.items():
        if one.ndim == 0 or len(one) < 2:
            raise ValueError(
                f"{name} have shape {one.shape}; needed are at least two examples, along the first axis"
            )
    same_length(**arrays)
    level = between("level", level, "how often the interval should hold the truth")
    if method not in ("percentile", "basic", "BCa"):
        raise ValueError(f"method must be 'percentile', 'basic' or 'BCa', not {method!r}")
    truth, *models = arrays.values()

    def measured(examples: np.ndarray) -> float:
        values = [float(metric(truth[examples], model[examples])) for model in models]
        value = values[0] - values[1] if other is not None else values[0]
        if not np.isfinite(value):
            raise ValueError(
                f"the metric is {value} on some draw of the examples: one that needs every class (an AUC, a recall) must "
                "say what it is without one, or there must be more examples"
            )
        return value

    examples = np.arange(len(truth))
    value = measured(examples)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)  # said below, in words
        found = resample(
            (examples,),
            measured,
            vectorized=False,
            batch=max(1, 10**6 // len(examples)),  # SciPy would draw all of them at once
            n_resamples=whole("resamples", resamples, 100),
            confidence_level=level,
            method=method,
            random_state=np.random.default_rng(seed),
        )
    low, high = found.confidence_interval
    if np.ptp(found.bootstrap_distribution) == 0:
        low = high = value
    elif np.isnan([low, high]).any():
        raise ValueError(
            "BCa finds no interval here, for leaving an example out changes nothing: take method='percentile'"
        )
    return Interval(value, float(low), float(high))


class McNemar(NamedTuple):
    """What `mcnemar` counted: examples that only one of two models got right, and how likely such a division is.

    Chapter: training/evaluation.
    """

    first_alone: int
    other_alone: int
    p: float


def mcnemar(labels: Any, first: Any, other: Any) -> McNemar:
    """Test whether two models are wrong equally often on the same examples, by McNemar's test, exactly.

    Examples on which both are right, or both wrong, tell nothing. If neither model were better, the others would be
    shared out as coins fall, and p is how likely it is that they fall as unevenly as this, or more.

    Args:
        labels: class numbers, `(examples,)`.
        first: the classes that the first model says.
        other: the classes that the other model says.

    Example:
        >>> labels = np.zeros(20, int)
        >>> first, other = labels.copy(), labels.copy()
        >>> first[:1], other[1:9] = 1, 1
        >>> mcnemar(labels, first, other)
        McNemar(first_alone=8, other_alone=1, p=0.0390625)

    Chapter: training/evaluation.
    Paper: doi:10.1007/BF02295996; for classifiers: doi:10.1162/089976698300017197.
    """
    from scipy.stats import binomtest

    named = {"labels": labels, "first": first, "other": other}
    labels, first, other = (class_numbers(value, name) for name, value in named.items())
    same_length(labels=labels, first=first, other=other)
    better = int(np.sum((first == labels) & (other != labels)))
    worse = int(np.sum((first != labels) & (other == labels)))
    told = better + worse
    return McNemar(better, worse, float(binomtest(better, told, 0.5).pvalue) if told else 1.0)


def k_fold(
    labels: Any, folds: int = 5, groups: Any = None, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut examples into folds that each have the classes in the same shares: indices to train on, and to test on.

    Examples that belong together (of one patient, of one video, copies of one picture) are told by `groups`. A group is
    never cut: what one half of it teaches would be asked of the other, and the score would be too good.

    Args:
        labels: class numbers, `(examples,)`.
        folds: how many.
        groups: the group of each example, numbers or names; None if each stands for itself.
        seed: of the shuffling.

    Returns:
        For each fold the indices of the other folds, and its own.

    Raises:
        ValueError: where a fold would have to do without a class.

    Example:
        >>> parts = k_fold([0, 0, 0, 1, 1, 1], folds=3)
        >>> [sorted(np.array([0, 0, 0, 1, 1, 1])[test].tolist()) for _, test in parts]
        [[0, 1], [0, 1], [0, 1]]

    Chapter: training/evaluation.
    """
    selection = needed("sklearn.model_selection", "course")
    labels = class_numbers(labels)
    folds = whole("folds", folds, 2)
    if groups is None:
        units, what = np.arange(len(labels)), "examples"
    else:
        units, what = array(groups), "groups"
        if units.ndim != 1:
            raise ValueError(
                f"groups have shape {units.shape}; needed is one name or number for each example"
            )
        same_length(labels=labels, groups=units)
    held = {int(c): len(np.unique(units[labels == c])) for c in np.unique(labels)}
    few = min(held, key=held.__getitem__)
    if held[few] < folds:
        raise ValueError(
            f"class {few} has {held[few]} {what}, fewer than the {folds} folds, so that some would be tested without it: take at "
            f"most {held[few]} folds, or leave the class out"
        )
    kind = selection.StratifiedKFold if groups is None else selection.StratifiedGroupKFold
    parts = list(
        kind(folds, shuffle=True, random_state=seed).split(labels, labels, None if groups is None else units)
    )
    for number, (train, test) in enumerate(parts):
        for name, part in (("trained", train), ("tested", test)):
            if missing := held.keys() - set(labels[part].tolist()):
                raise ValueError(
                    f"the groups cannot be shared out so that each fold has each class: fold {number} would be {name} without "
                    f"class {min(missing)}. Take fewer folds than {folds}, or another seed"
                )
    return parts

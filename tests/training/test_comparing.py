"""Intervals, tests and folds, where the truth was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from cnnkit.training import bootstrap, k_fold, mcnemar


def accuracy(labels: np.ndarray, classes: np.ndarray) -> float:
    return float(np.mean(labels == classes))


def test_a_bootstrap_interval_holds_a_planted_accuracy_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(0), 0
    for seed in range(250):
        labels = np.ones(150, int)
        found = bootstrap(accuracy, labels, rng.random(150) < 0.8, level=0.9, resamples=250, seed=seed)
        held += found.low <= 0.8 <= found.high
    assert binomtest(held, 250, 0.9).pvalue > 1e-3, f"held {held} of 250"


def test_two_models_on_the_same_examples_are_told_apart_where_their_own_intervals_overlap() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 400)
    hard = rng.random(400) < 0.3
    first = np.where(hard, 1 - labels, labels)
    other = np.where(hard | (rng.random(400) < 0.06), 1 - labels, labels)
    one, two = (bootstrap(accuracy, labels, model) for model in (first, other))
    both = bootstrap(accuracy, labels, first, other)
    assert two.high > one.low and both.low > 0
    assert both.value == pytest.approx(one.value - two.value)
    assert both.high - both.low < 0.6 * (one.high - one.low)


@pytest.mark.parametrize("method", ["percentile", "basic", "BCa"])
def test_any_metric_of_any_outputs_has_an_interval(method: str) -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 100)
    scores = labels + rng.normal(size=100)
    found = bootstrap(roc_auc_score, labels, scores, resamples=100, method=method)
    assert 0.5 < found.low < found.value < found.high <= 1
    assert found.value == roc_auc_score(labels, scores)
    again, other = (
        bootstrap(roc_auc_score, labels, scores, resamples=100, method=method, seed=s) for s in (0, 1)
    )
    assert again == found != other
    targets = rng.normal(size=(60, 2, 3))
    off = bootstrap(
        lambda a, b: float(np.abs(a - b).mean()), targets, targets + 0.5, resamples=100, method=method
    )
    assert off == pytest.approx((0.5, 0.5, 0.5))


def test_mcnemar_by_hand_and_against_a_published_table() -> None:
    # 50 specimens under two media, of which 12 grew under the first alone and 2 under the other alone; Armitage and
    # Berry's table, whose exact probability statsdirect.com/help/chi_square_tests/mat.htm prints as 0.0129.
    grown = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [20, 12, 2, 16], axis=0)
    found = mcnemar(np.ones(50, int), grown[:, 0], grown[:, 1])
    assert found[:2] == (12, 2)
    assert found.p == pytest.approx(2 * (1 + 14 + 14 * 13 / 2) / 2**14) == pytest.approx(0.0129, abs=5e-5)
    assert mcnemar(np.ones(50, int), grown[:, 1], grown[:, 0]) == (2, 12, found.p)


def test_two_models_that_are_wrong_together_cannot_be_told_apart() -> None:
    labels = np.arange(30) % 3
    assert mcnemar(labels, np.zeros(30, int), np.zeros(30, int)) == (0, 0, 1.0)
    assert mcnemar(labels, labels, labels).p == 1.0
    assert mcnemar([0, 0], [1, 1], [2, 2]) == (0, 0, 1.0)


def test_a_test_of_equal_models_is_wrong_no_more_often_than_it_says() -> None:
    rng = np.random.default_rng(3)
    labels = np.zeros(80, int)
    wrong = sum(mcnemar(labels, *(rng.random((2, 80)) < 0.2)).p <= 0.05 for _ in range(400))
    assert wrong <= 0.05 * 400 + 3 * np.sqrt(0.05 * 0.95 * 400) and wrong > 0


def test_each_example_is_tested_once_and_each_fold_has_the_shares_of_all() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    parts = k_fold(labels, folds=5, seed=1)
    assert np.array_equal(np.sort(np.concatenate([test for _, test in parts])), np.arange(100))
    for train, test in parts:
        assert not set(train) & set(test) and len(train) + len(test) == 100
        assert np.bincount(labels[test]).tolist() == [10, 6, 4]
    same, other = k_fold(labels, folds=5, seed=1), k_fold(labels, folds=5, seed=2)
    assert np.array_equal(parts[0][1], same[0][1]) and not np.array_equal(parts[0][1], other[0][1])


@pytest.mark.parametrize("names", [False, True])
def test_a_group_is_never_on_both_sides(names: bool) -> None:
    rng = np.random.default_rng(4)
    groups = rng.integers(0, 30, 300)
    labels = (groups % 3 + (rng.random(300) < 0.2)) % 3
    told = np.array([f"patient {g}" for g in groups]) if names else groups
    alone = k_fold(labels, folds=4)
    assert any(set(groups[train]) & set(groups[test]) for train, test in alone)
    parts = k_fold(labels, folds=4, groups=told)
    assert not any(set(told[train]) & set(told[test]) for train, test in parts)
    assert np.array_equal(np.sort(np.concatenate([test for _, test in parts])), np.arange(300))
    assert all(set(labels[test]) == {0, 1, 2} for _, test in parts)


BOTH_IN_ONE = ([0, 0, 0, 0, 1, 1], ["a", "b", "c", "d", "a", "b"])
BAD = [
    (lambda: k_fold([0] * 9 + [1] * 3, folds=4), "class 1 has 3 examples, fewer than the 4 folds.*at most 3 folds"),
    (lambda: k_fold([0, 0, 1, 1], 2, groups=[1, 2, 3, 3]), "class 1 has 1 groups, fewer than the 2 folds"),
    (lambda: k_fold([0, 0, 1, 1], 2, groups=[1, 2, 3]), "4 labels and 3 groups"),
    (lambda: k_fold([0, 0, 1, 1], 2, groups=[[1], [2], [3], [4]]), r"groups have shape \(4, 1\)"),
    (lambda: k_fold([0, 0, 1, 1], 1), "folds must be a whole number of at least 2, not 1"),
    (lambda: k_fold([], 2), "labels are empty"),
    (lambda: k_fold([[1, 0], [0, 1]], 2), "one-hot, take labels.argmax"),
    (lambda: mcnemar([0, 1], [0, 1], [0]), "2 labels and 2 first and 1 other"),
    (lambda: mcnemar([0, 1], [[0.9, 0.1], [0.2, 0.8]], [0, 1]), r"first have shape \(2, 2\)"),
    (lambda: mcnemar([0, 1], [0, 1], [0, np.nan]), r"other\[1\] is nan"),
    (lambda: bootstrap(accuracy, [0, 1], [0, 1, 1]), "2 labels and 3 outputs"),
    (lambda: bootstrap(accuracy, [0, 1], [0, 1], [0]), "other have shape .1,.; needed are at least two"),
    (lambda: bootstrap(accuracy, [], []), "labels have shape .0,.; needed are at least two examples"),
    (lambda: bootstrap(accuracy, [0, 1], [0, 1], level=95), "level must be between 0 and 1.*not 95"),
    (lambda: bootstrap(accuracy, [0, 1], [0, 1], method="normal"), "not 'normal'"),
    (lambda: bootstrap(accuracy, [0, 1], [0, 1], resamples=10), "resamples must be a whole number of at least 100, not 10"),
    (lambda: bootstrap(lambda a, b: float(b.mean()) if a.any() else np.nan, [0, 1], [0, 1]), "the metric is nan on some draw"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "message"), BAD, ids=lambda value: None)
def test_bad_input_is_named_with_a_remedy(attempt, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attempt()


def test_groups_that_cannot_be_shared_out_are_refused() -> None:
    refused = 0
    for seed in range(20):
        labels, groups = BOTH_IN_ONE
        try:
            parts = k_fold(labels, 2, groups, seed)
        except ValueError as error:
            assert "the groups cannot be shared out" in str(error)
            refused += 1
        else:
            assert all(set(np.array(labels)[part]) == {0, 1} for pair in parts for part in pair)
    rare = ([0] * 12 + [1] * 2 + [2] * 2, [*range(12), 12, 13, 12, 13])
    assert all({0, 1, 2} == set(np.array(rare[0])[test]) for _, test in k_fold(rare[0], 2, rare[1]))
    assert refused < 20

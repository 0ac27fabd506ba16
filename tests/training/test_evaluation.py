"""What a classifier's scores are worth, where the truth was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import betabinom, binomtest
from sklearn.metrics import log_loss, top_k_accuracy_score

from cnnkit.training import bootstrap, calibration, conformal, temperature, top_k

RNG = np.random.default_rng(0)


def drawn(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One label for each row, with the chances that the row says: of such labels the rows are calibrated."""
    ends = probabilities.cumsum(axis=1)
    return (rng.random((len(ends), 1)) > ends[:, :-1]).sum(axis=1)


def planted(examples: int, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the scores that they were drawn by."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(examples, classes))
    return drawn(softmax(scores, axis=1), rng), scores


@pytest.mark.parametrize("k", [1, 3, 5])
def test_top_k_is_that_of_scikit_learn_where_nothing_ties(k: int) -> None:
    labels, scores = planted(500, classes=7)
    assert top_k(labels, scores, k) == pytest.approx(
        top_k_accuracy_score(labels, scores, k=k, labels=range(7))
    )


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_model_that_says_the_same_of_all_classes_has_k_of_them_in_so_many(k: int) -> None:
    labels = np.arange(12) % 4
    assert top_k(labels, np.zeros((12, 4)), k) == k / 4
    half = np.where(
        np.arange(4) == labels[:, None] // 2 * 2, 1.0, 0.0
    )  # the first of each pair, and the others alike
    assert top_k(labels, half, 1) == 0.5


def test_a_perfectly_calibrated_model_shows_the_error_that_is_due_to_chance_and_no_more() -> None:
    found = []
    for seed in range(40):
        labels, scores = planted(300, seed=seed)
        found.append(calibration(labels, softmax(scores, axis=1), seed=seed))
    errors, by_chance = (np.array([getattr(one, name) for one in found]) for name in ("ece", "by_chance"))
    assert abs(errors.mean() - by_chance.mean()) < 4 * errors.std() / np.sqrt(40)
    assert by_chance.mean() > 0.05
    labels, scores = planted(100_000)
    many = calibration(labels, softmax(scores, axis=1))
    assert many.ece < 0.006 and many.by_chance < 0.006 and abs(many.gap) < 0.006


@pytest.mark.parametrize("by", ["width", "mass"])
@pytest.mark.parametrize("gap", [0.1, 0.25])
def test_a_model_that_is_too_sure_by_a_planted_gap_shows_that_gap(by: str, gap: float) -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.6, 0.95, 50_000)
    labels = (rng.random(50_000) > confidence - gap).astype(int)
    found = calibration(labels, np.stack([confidence, 1 - confidence], axis=-1), by=by)
    assert found.ece == pytest.approx(gap, abs=0.01) and found.gap == pytest.approx(gap, abs=0.01)
    assert found.ece > 10 * found.by_chance


def test_bins_by_hand() -> None:
    sure = np.array([0.55, 0.6, 0.75, 1.0])
    found = calibration([0, 1, 0, 1], np.stack([sure, 1 - sure], axis=-1), bins=2)
    assert [one[:3] for one in found.bins] == [(0.5, 1.0, 4)]
    found = calibration([0, 1, 0, 1], np.stack([sure, 1 - sure], axis=-1), bins=4)
    assert [one[:3] for one in found.bins] == [(0.5, 0.75, 3), (0.75, 1.0, 1)]
    assert found.bins[0].confidence == pytest.approx(1.9 / 3) and found.bins[0].accuracy == pytest.approx(
        2 / 3
    )
    assert found.ece == pytest.approx((0.1 + 1.0) / 4)
    assert found.gap == pytest.approx(sure.mean() - 0.5)


def test_bins_of_equal_mass_hold_as_many_and_never_part_equal_confidences() -> None:
    labels, scores = planted(600)
    rows = softmax(scores, axis=1)
    found = calibration(labels, rows, bins=6, by="mass")
    assert [one.count for one in found.bins] == [100] * 6
    order = np.random.default_rng(3).permutation(600)
    assert calibration(labels[order], rows[order], bins=6, by="mass").ece == pytest.approx(found.ece)
    tied = calibration([0, 1] * 50, np.tile([[0.9, 0.1]], (100, 1)), bins=10, by="mass")
    assert [one.count for one in tied.bins] == [100] and tied.ece == pytest.approx(0.4)


def test_probabilities_that_rounding_has_lifted_above_one_fall_into_the_last_bin() -> None:
    found = calibration([0, 0], [[1.004, 0.0], [1.0, 0.0]], bins=10)
    assert found.bins == ((0.9, 1.0, 2, 1.0, 1.0),) and found.ece == 0


def test_a_calibration_says_what_it_found_in_a_sentence() -> None:
    text = str(calibration([0] * 7 + [1] * 3, [[0.9, 0.1]] * 10))
    assert "calibration error 0.2000 in 1 bins over 10 examples" in text
    assert "confidence less accuracy +0.2000" in text


@pytest.mark.parametrize("planted_temperature", [0.4, 1.0, 3.0])
def test_a_planted_temperature_is_found(planted_temperature: float) -> None:
    labels, scores = planted(40_000)
    value, soften = temperature(labels, planted_temperature * scores)
    assert value == pytest.approx(planted_temperature, rel=0.02)
    assert np.allclose(soften(planted_temperature * scores), softmax(scores, axis=1), atol=0.02)


def test_no_other_temperature_is_likelier_and_decisions_stay() -> None:
    labels, scores = planted(400)
    value, soften = temperature(labels, 3 * scores)
    losses = [log_loss(labels, softmax(3 * scores / t, axis=1)) for t in (0.98 * value, value, 1.02 * value)]
    assert losses[1] < min(losses[0], losses[2])
    assert np.array_equal(soften(3 * scores).argmax(axis=1), scores.argmax(axis=1))
    assert temperature(labels, 3e4 * scores + 7).value == pytest.approx(1e4 * value, rel=1e-6)
    assert temperature(labels, np.log(softmax(3 * scores, axis=1))).value == pytest.approx(value, rel=1e-6)


def test_conformal_sets_cover_what_the_exact_distribution_says_over_many_planted_repetitions() -> None:
    alpha, examples, new, repetitions = 0.1, 45, 60, 600
    rng, covered, sizes = np.random.default_rng(2), [], []
    for _ in range(repetitions):
        scores = 2 * rng.normal(size=(examples + new, 5))
        labels = drawn(softmax(scores, axis=1), rng)
        wrong = softmax(3 * scores + rng.normal(size=scores.shape), axis=1)  # far too sure, and noisy
        found = conformal(labels[:examples], wrong[:examples], alpha)
        covered.append(round(new * found.coverage(labels[examples:], wrong[examples:])))
        sizes.append(found.sets(wrong[examples:]).sum(axis=1).mean())
    rank = 42  # ceil(46 * 0.9)
    law = betabinom(new, rank, examples + 1 - rank)
    assert np.mean(covered) == pytest.approx(new * rank / 46, abs=4 * law.std() / np.sqrt(repetitions))
    low, high = (round(new * end) for end in found.interval(new, 0.9))
    within = law.cdf(high) - law.cdf(low - 1)
    assert within >= 0.9
    assert binomtest(sum(low <= count <= high for count in covered), repetitions, within).pvalue > 1e-3
    assert 1 < np.mean(sizes) < 5


def test_the_threshold_is_the_rank_that_the_finite_sample_asks_for() -> None:
    sure = np.linspace(0.51, 0.99, 19)
    rows = np.stack([sure, 1 - sure], axis=-1)
    found = conformal(np.zeros(19, int), rows, alpha=0.05)  # 20 * 0.95 = 19, the largest of all
    assert found.threshold == pytest.approx(0.49) and found.coverage(np.zeros(19, int), rows) == 1
    assert conformal(np.zeros(19, int), rows, alpha=0.3).threshold == pytest.approx(np.sort(1 - sure)[13])
    many = conformal(np.zeros(999, int), np.tile([[0.8, 0.2]], (999, 1)), alpha=0.3)
    assert many.interval(5000) == tuple(betabinom.ppf([0.025, 0.975], 5000, 700, 300) / 5000)


LABELS, ROWS = [0, 1, 1], [[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]
NAN = [[0.7, 0.3], [np.nan, 0.8], [0.6, 0.4]]
BAD = [
    (lambda: top_k([0, 1, 2], ROWS, 1), r"labels\[2\] is 2, and classes are numbered from 0 to 1, one for each column"),
    (lambda: top_k([0, -1, 1], ROWS, 1), r"labels\[1\] is -1"),
    (lambda: top_k([0, 0.5, 1], ROWS, 1), r"labels\[1\] is 0.5, not a class number"),
    (lambda: top_k([0, np.nan, 1], ROWS, 1), r"labels\[1\] is nan"),
    (lambda: top_k(["a", "b", "b"], ROWS, 1), "not numbers: number the classes"),
    (lambda: top_k([[1, 0], [0, 1], [0, 1]], ROWS, 1), r"shape \(3, 2\).*one-hot, take labels.argmax"),
    (lambda: top_k([[0], [1], [1]], ROWS, 1), r"take labels\[:, 0\]"),
    (lambda: top_k(ROWS, LABELS, 1), "class numbers, not what a model says of each class"),
    (lambda: top_k(ROWS, ROWS, 1), "are labels and scores swapped"),
    (lambda: top_k(np.zeros((2, 4, 4), int), np.zeros((2, 4, 4, 3)), 1), r"scores.reshape\(-1, 3\)"),
    (lambda: top_k([], np.zeros((0, 2)), 1), "are empty"),
    (lambda: top_k([0, 1], ROWS, 1), "2 labels and 3 scores: each example needs one of each"),
    (lambda: top_k(LABELS, NAN, 1), r"scores\[1, 0\] is nan, so the row says nothing"),
    (lambda: top_k(LABELS, ROWS, 3), "k is 3, and there are 2 classes"),
    (lambda: top_k(LABELS, ROWS, 0), "k must be a whole number of at least 1, not 0"),
    (lambda: calibration(LABELS, [0.7, 0.2, 0.4]), r"np.stack\(\[1 - p, p\], axis=-1\)"),
    (lambda: calibration(LABELS, [[3.0, 1], [0, 1], [1, 0]]), r"\[0\] has a smallest number of 1 and adds up to 4.*softmax"),
    (lambda: calibration(LABELS, [[1.0, 0], [0, 1], [1.5, -0.5]]), r"probabilities\[2\] has a smallest number of -0.5"),
    (lambda: calibration(LABELS, ROWS, bins=0), "bins must be a whole number of at least 1, not 0"),
    (lambda: calibration(LABELS, ROWS, bins=True), "not True"),
    (lambda: calibration(LABELS, ROWS, by="count"), "'width' or 'mass'.*not 'count'"),
    (lambda: calibration(LABELS, ROWS, bins=4, by="mass"), "4 bins cannot hold as many of 3 examples"),
    (lambda: temperature(LABELS, ROWS), r"these are probabilities.*np.log\(probabilities\)"),
    (lambda: temperature([0, 1], [[2.0, 0], [0, 2]]), "each of the 2 labels has the largest score"),
    (lambda: temperature([1, 0], [[2.0, 0], [0, 2]]), "no better than chance"),
    (lambda: temperature([1, 0], [[2.0, 2], [3, 3]]), "nothing to divide"),
    (lambda: conformal(LABELS, ROWS, alpha=0.1), "alpha=0.1 at least 9 examples are needed, and there are 3"),
    (lambda: conformal(LABELS, ROWS, alpha=1.0), "alpha must be between 0 and 1.*not 1.0"),
    (lambda: conformal(LABELS, ROWS, 0.5).sets([[0.2, 0.3, 0.5]]), "found with 2 classes, and these probabilities have 3"),
    (lambda: conformal(LABELS, ROWS, 0.5).interval(0), "examples must be a whole number of at least 1, not 0"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "message"), BAD, ids=lambda value: None)
def test_bad_input_is_named_with_a_remedy(attempt, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attempt()


def test_tensors_lists_half_precision_and_whole_floats_are_read() -> None:
    labels, scores = planted(64)
    want = top_k(labels, scores.astype("float16"), 2)
    assert top_k(labels.astype("float32").tolist(), scores.astype("float16"), 2) == want
    half = softmax(scores, axis=1).astype("float16")
    assert calibration(labels, half).ece == pytest.approx(
        calibration(labels, softmax(scores, axis=1)).ece, abs=1e-3
    )
    import keras

    scores_of_a_model = keras.layers.Dense(5, kernel_initializer="identity")(scores.astype("float32"))
    read = top_k(keras.ops.convert_to_tensor(labels), scores_of_a_model, 2)
    assert read == pytest.approx(top_k(labels, scores, 2))
    both = bootstrap(lambda a, b: top_k(a, b, 2), labels, scores_of_a_model, scores_of_a_model, resamples=100)
    assert both == (0, 0, 0)

"""Neurons that convolve in time: what they answer, and what the two rules teach them."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import origins

RANDOM = np.random.default_rng(0)
PATTERNS = RANDOM.choice([-1.0, 1.0], (4, 6, 5))


def stream() -> tuple[np.ndarray, np.ndarray]:
    order = np.tile(np.arange(4), 6)
    x = np.concatenate([np.concatenate([PATTERNS[k], RANDOM.choice([-1.0, 1.0], (3, 5))]) for k in order])
    target = np.zeros((len(x), 4))
    target[9 * np.arange(len(order)) + 5, order] = 1
    return x, target


def test_a_neuron_answers_with_the_true_convolution_of_each_channel():
    x, w = RANDOM.standard_normal((20, 2)), RANDOM.standard_normal((4, 2, 1))
    expected = sum(np.convolve(x[:, c], w[:, c, 0])[:20] for c in range(2))
    np.testing.assert_allclose(origins.dynamic_neurons(x, w)[:, 0], expected)


def test_the_future_does_not_change_the_present():
    x, w = RANDOM.standard_normal((20, 2)), RANDOM.standard_normal((4, 2, 3))
    changed = x.copy()
    changed[12:] += 1
    np.testing.assert_array_equal(
        origins.dynamic_neurons(x, w)[:12], origins.dynamic_neurons(changed, w)[:12]
    )


def test_a_hebbian_neuron_answers_one_to_its_own_pattern_and_less_to_others():
    answers = np.array([origins.dynamic_neurons(p, origins.hebbian_weights(PATTERNS))[-1] for p in PATTERNS])
    np.testing.assert_allclose(np.diag(answers), 1)
    assert (answers - np.eye(4)).max() < 1


def test_the_delta_rule_lowers_the_error_that_the_hebbian_rule_leaves():
    x, target = stream()
    learned = origins.delta_rule(x, target, 6)
    error, hebbian = (
        ((origins.dynamic_neurons(x, w) - target) ** 2).mean()
        for w in (learned, origins.hebbian_weights(PATTERNS))
    )
    assert error < 0.5 * hebbian


def test_the_delta_rule_ends_at_the_least_squares_solution():
    x, target = stream()
    padded = np.pad(x, ((2, 0), (0, 0)))
    past = np.stack([np.concatenate([padded[t + 2 - d] for d in range(3)]) for t in range(len(x))])
    best = np.linalg.lstsq(past, target, rcond=None)[0].reshape(3, 5, 4)
    np.testing.assert_allclose(origins.delta_rule(x, target, 3, steps=3000), best, atol=1e-5)


def test_turned_round_the_learned_weights_are_mirrored_and_answer_the_same():
    x, target = stream()
    convolved, correlated = (origins.delta_rule(x, target, 6, correlate=c) for c in (False, True))
    np.testing.assert_allclose(correlated[::-1], convolved, atol=1e-12)
    np.testing.assert_allclose(
        origins.dynamic_neurons(x, correlated, correlate=True),
        origins.dynamic_neurons(x, convolved),
        atol=1e-12,
    )


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="channels"):
        origins.dynamic_neurons(np.zeros((5, 2)), np.zeros((3, 4, 1)))
    with pytest.raises(ValueError, match="as many"):
        origins.delta_rule(np.zeros((5, 2)), np.zeros((4, 1)), 3)

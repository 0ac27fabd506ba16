"""The nets of the kernels' trials, in NumPy, are `feature_recognizer` and the net of 1989, forward and backward."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import _paths, gradients, scratch
from cnnkit.origins import feature_recognizer, shuffled_kernels
from cnnkit.trials.workers import load

kernels = load(_paths.chapters() / "origins/learned_kernels_trials.py")
DRAW = np.random.default_rng(0)
X = DRAW.random((60, 16, 16, 1)).astype("float32")
Y = np.arange(60) % 10


def shaped_as(model: keras.Model, weights: list[np.ndarray]) -> list[np.ndarray]:
    return [w.reshape(there.shape) for w, there in zip(weights, model.get_weights(), strict=True)]


@pytest.mark.parametrize(("kind", "blocks"), [("none", 16), ("shuffled", 4), ("learned", 4)])
def test_with_its_weights_keras_gives_the_same_scores(kind: str, blocks: int) -> None:
    weights = kernels.train(kind, blocks, X, Y, 1e-2, 2, 0)
    model = feature_recognizer(weights[0].reshape(*(int(len(weights[0]) ** 0.5),) * 2, 1, -1), blocks=blocks)
    model.set_weights(shaped_as(model, weights))
    np.testing.assert_allclose(kernels.read(blocks, weights, X), np.array(model(X)), atol=1e-4)


def test_only_learned_kernels_move() -> None:
    for kind in ("shuffled", "learned"):
        weights = kernels.train(kind, 4, X, Y, 1e-2, 1, 3)
        assert np.allclose(weights[0], shuffled_kernels(3).reshape(25, 12)) is (kind == "shuffled")


def test_the_first_step_goes_against_the_sign_of_keras_gradient() -> None:
    rate = 1e-3  # Adam's first step has the size of the rate, whatever the gradient's
    before, after = (kernels.train("learned", 4, X, Y, step, 1, 3) for step in (0.0, rate))
    model = feature_recognizer(train_kernels=True)
    model.set_weights(shaped_as(model, before))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, slopes = gradients.weight_gradients(model, lambda scores: loss(Y, scores), X)
    for old, new, slope in zip(before, after, slopes, strict=True):
        slope = np.reshape(slope, old.shape)
        seen = np.abs(slope) > 1e-4
        np.testing.assert_allclose((old - new)[seen], rate * np.sign(slope)[seen], rtol=0.05)


def test_the_net_of_1989_gives_the_answers_and_gradients_of_its_chain() -> None:
    chain, x = scratch.net_of_1989(seed=3), 2 * X[:7] - 1
    error = chain.forward(x) - (2 * np.eye(10)[Y[:7]] - 1)
    chain.backward(error)
    weights = [w.reshape(-1, w.shape[-1]) if w.ndim == 4 else w for w in chain.weights]
    came, sums = kernels.through(weights, kernels.strokes(x))
    np.testing.assert_allclose(came[-1], chain.forward(x), atol=1e-12)
    slopes = kernels.slopes_of(weights, came, sums, error, down_to=0)
    slopes[2] = slopes[2] * (weights[2] != 0)  # pairs that are not joined
    for ours, theirs in zip(slopes, chain.gradients, strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-9, atol=1e-12)


def test_only_the_learned_first_layer_moves_and_what_is_not_joined_stays_so() -> None:
    for kind in ("shuffled", "learned"):
        weights = kernels.train_1989(kind, 2 * X - 1, Y, 1e-2, 2, 3)
        assert np.allclose(weights[0], shuffled_kernels(3).reshape(25, 12)) is (kind == "shuffled")
        joined = scratch.net_of_1989(seed=3).weights[2].reshape(300, 12) != 0
        assert not weights[2][~joined].any() and weights[2][joined].all()

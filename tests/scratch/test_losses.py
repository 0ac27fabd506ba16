from functools import partial

import keras
import numpy as np
import pytest

from cnnkit import gradients, scratch

RNG = np.random.default_rng(0)
Z, Y = RNG.normal(size=(6, 3)) * 3, RNG.normal(size=(6, 3)) * 2
YES = RNG.integers(0, 2, size=(6, 3)).astype(float)
P = RNG.random((6, 3))

CASES = {
    "binary cross-entropy": (
        scratch.binary_cross_entropy,
        keras.losses.BinaryCrossentropy(from_logits=True),
        Z,
        YES,
    ),
    "focal": (scratch.focal_loss, keras.losses.BinaryFocalCrossentropy(from_logits=True), Z, YES),
    "focal, balanced": (
        partial(scratch.focal_loss, gamma=1.5, alpha=0.25),
        keras.losses.BinaryFocalCrossentropy(
            apply_class_balancing=True, alpha=0.25, gamma=1.5, from_logits=True
        ),
        Z,
        YES,
    ),
    "squared": (scratch.mean_squared_error, keras.losses.MeanSquaredError(), Z, Y),
    "absolute": (scratch.mean_absolute_error, keras.losses.MeanAbsoluteError(), Z, Y),
    "huber": (scratch.huber_loss, keras.losses.Huber(), Z, Y),
    "huber, wide": (partial(scratch.huber_loss, delta=2.5), keras.losses.Huber(delta=2.5), Z, Y),
    "dice": (scratch.dice_loss, keras.losses.Dice(), P, YES),
}


@pytest.mark.parametrize("name", CASES)
def test_each_loss_and_its_gradient_are_those_of_keras(name):
    mine, by_keras, x, target = CASES[name]
    loss, slope = mine(x, target)
    truth = target.astype("float32")
    value, (theirs,) = gradients.value_and_gradient(lambda x: by_keras(truth, x), x)
    assert np.isclose(loss, value, rtol=1e-5)
    np.testing.assert_allclose(slope, theirs, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_each_gradient_agrees_with_numeric_differences(name):
    mine, _, x, target = CASES[name]
    slope = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        slope[place] = (mine(x + step, target)[0] - mine(x - step, target)[0]) / 2e-6
    np.testing.assert_allclose(mine(x, target)[1], slope, atol=1e-8)


def test_focal_without_focus_is_the_cross_entropy():
    focal, cross = scratch.focal_loss(Z, YES, gamma=0), scratch.binary_cross_entropy(Z, YES)
    assert np.isclose(focal[0], cross[0])
    np.testing.assert_allclose(focal[1], cross[1])


def test_losses_of_logits_survive_certainty():
    certain, wrong = np.array([1e4, -1e4]), np.array([0.0, 1.0])
    for loss in (scratch.binary_cross_entropy, scratch.focal_loss):
        value, slope = loss(certain, wrong)
        assert np.isclose(value, 1e4)
        np.testing.assert_allclose(slope, [0.5, -0.5])


def test_dice_does_not_count_what_both_call_empty():
    padded = [np.append(a, np.zeros(1000)) for a in (P, YES)]
    assert np.isclose(scratch.dice_loss(P, YES)[0], scratch.dice_loss(*padded)[0])
    assert np.isfinite(scratch.dice_loss(np.zeros(3), np.zeros(3))[0])


@pytest.mark.parametrize(
    "loss", [scratch.binary_cross_entropy, scratch.mean_squared_error, scratch.huber_loss]
)
def test_a_column_beside_a_vector_is_refused(loss):
    with pytest.raises(ValueError, match="equal shapes"):
        loss(np.zeros((4, 1)), np.zeros(4))


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="gamma is -1"):
        scratch.focal_loss(Z, YES, gamma=-1)
    with pytest.raises(ValueError, match="nothing between"):
        scratch.focal_loss(Z, YES / 2)
    with pytest.raises(ValueError, match="delta is 0"):
        scratch.huber_loss(Z, Y, delta=0)

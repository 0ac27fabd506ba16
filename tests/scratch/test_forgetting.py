"""The net of the chapter on regularisation: its gradients beside Keras's, who is dropped, and refusals."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import gradients, scratch

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(6, 12, 12, 1)).astype("float32")
LABELS = np.arange(6) % 3
NET = {"channels": 4, "hidden": 5, "pixels": 12, "outputs": 3, "seed": 1}


def test_it_has_the_gradients_of_keras() -> None:
    net = scratch.forgetful_net(**NET)
    theirs = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(4, 4, strides=4, activation="relu"),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(3),
        ]
    )
    for variable, weight in zip(theirs.trainable_variables, net.weights, strict=True):
        variable.assign(weight.reshape(variable.shape))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, slopes = gradients.weight_gradients(theirs, lambda s: loss(LABELS, s), IMAGES, training=True)
    _, dy = scratch.softmax_cross_entropy(net.forward(IMAGES), LABELS)
    net.backward(dy)
    for ours, other in zip(net.gradients, slopes, strict=True):
        np.testing.assert_allclose(ours, np.reshape(other, ours.shape), atol=2e-4)


@pytest.mark.parametrize("option", ["units", "places", "maps"])
def test_with_something_dropped_the_gradients_are_those_of_finite_differences(option: str) -> None:
    net = scratch.forgetful_net(**NET, **{option: 0.4})
    for w in net.weights:
        w[...] += RNG.normal(0, 0.1, w.shape)
    for step in net.steps:  # exact enough for differences
        step.weights = [w.astype("float64") for w in step.weights]
    x = IMAGES.astype("float64")

    def forward() -> np.ndarray:
        for step in net.steps:
            if isinstance(step, scratch.Drop):
                step.rng = np.random.default_rng([7, net.steps.index(step)])
        return net.forward(x)

    dy = RNG.normal(size=(6, 3))
    forward()
    net.backward(dy)
    for w, gradient in zip(net.weights, net.gradients, strict=True):
        place = tuple(RNG.integers(w.shape))
        changed = []
        for sign in (1, -1):
            w[place] += sign * 1e-6
            changed.append(np.sum(forward() * dy))
            w[place] -= sign * 1e-6
        assert gradient[place] == pytest.approx((changed[0] - changed[1]) / 2e-6, rel=1e-4, abs=1e-6)


def test_whole_nets_do_not_depend_on_chance_and_are_the_mean() -> None:
    x = RNG.normal(size=(1, 7)).astype("float32")
    step = scratch.Drop(0.3, np.random.default_rng(0))
    drawn = step.forward(np.repeat(x, 20_000, axis=0)).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(drawn, x, atol=0.1)
    scratch.whole(scratch.Chain([step]))
    np.testing.assert_allclose(step.forward(x), x, atol=1e-6)


def test_maps_are_dropped_whole_and_places_one_by_one() -> None:
    x = np.ones((5, 3, 3, 8))
    maps = scratch.Drop(0.5, np.random.default_rng(0), maps=True).forward(x)
    places = scratch.Drop(0.5, np.random.default_rng(0)).forward(x)
    assert np.ptp(maps, axis=(1, 2)).max() == 0
    assert np.ptp(places, axis=(1, 2)).min() == 2
    assert set(np.unique(maps)) == {0, 2}


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=f"not {rate}"):
        scratch.Drop(rate, None)


def test_pixels_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="30 is no multiple of 4"):
        scratch.forgetful_net(pixels=30)

"""The normalised stack: its gradients beside Keras's, who shares statistics, what constants and noise do, and refusals."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import gradients, scratch

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(8, 12, 12, 1)).astype("float32")
LABELS = np.arange(8) % 3
NET = {"depth": 3, "side": 4, "channels": 4, "pixels": 12, "outputs": 3, "seed": 1}


def twin(norm: str, after: bool = False) -> keras.Model:
    """The same stack in Keras."""
    groups = {"layer": 1, "group": 4}
    x = inputs = keras.Input((12, 12, 1))
    for layer in range(3):
        size = {"kernel_size": 3, "padding": "same"} if layer else {"kernel_size": 3, "strides": 3}
        x = keras.layers.Conv2D(4, **size)(x)
        x = keras.layers.ReLU()(x) if after else x
        if norm == "batch":
            x = keras.layers.BatchNormalization()(x)
        elif norm in groups:
            x = keras.layers.GroupNormalization(groups[norm])(x)
        x = x if after else keras.layers.ReLU()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))


@pytest.mark.parametrize(
    ("norm", "after"),
    [("none", False), ("batch", False), ("batch", True), ("layer", False), ("group", False)],
)
def test_a_stack_has_the_gradients_of_keras(norm: str, after: bool) -> None:
    net = scratch.normed_stack(norm, after=after, **NET)
    theirs = twin(norm, after)
    for variable, weight in zip(theirs.trainable_variables, net.weights, strict=True):
        variable.assign(weight.reshape(variable.shape))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, slopes = gradients.weight_gradients(theirs, lambda s: loss(LABELS, s), IMAGES, training=True)
    _, dy = scratch.softmax_cross_entropy(net.forward(IMAGES), LABELS)
    of_image = gradients.gradient(lambda x: loss(LABELS, theirs(x, training=True)), IMAGES)
    np.testing.assert_allclose(net.backward(dy), of_image, atol=2e-4)
    for ours, other in zip(net.gradients, slopes, strict=True):
        np.testing.assert_allclose(ours, np.reshape(other, ours.shape), atol=2e-4)


def test_images_share_their_statistics_in_runs() -> None:
    x = RNG.normal(size=(6, 2, 2, 4)).astype("float32")
    by_runs = scratch.Normalize(4, images=2).forward(x)
    one_by_one = np.concatenate([scratch.batch_normalize(x[i : i + 2]) for i in (0, 2, 4)])
    np.testing.assert_allclose(by_runs, one_by_one, atol=1e-6)


def test_as_constants_the_statistics_leave_a_mean_and_a_share_along_the_output_in_the_gradient() -> None:
    x, dy = RNG.normal(1, 2, size=(2, 8, 3, 3, 4)).astype("float32")
    left = {}
    for constant in (False, True):
        step = scratch.Normalize(4, constant=constant)
        y = step.forward(x)
        dx = step.backward(dy)
        left[constant] = max(np.abs(dx.mean((0, 1, 2))).max(), np.abs((dx * y).mean((0, 1, 2))).max())
    assert left[False] < 1e-3 < 0.01 < left[True]


def test_noise_is_drawn_anew_at_each_pass_and_never_once_statistics_are_gathered() -> None:
    net = scratch.normed_stack("batch", noise=np.random.default_rng(3), **NET)
    assert np.abs(net.forward(IMAGES) - net.forward(IMAGES)).max() > 1e-3
    scratch.gather_statistics(net, IMAGES, batch=4)
    np.testing.assert_array_equal(net.forward(IMAGES), net.forward(IMAGES))


def test_gathered_statistics_are_the_mean_of_those_of_the_batches() -> None:
    net = scratch.gather_statistics(scratch.normed_stack("batch", **NET), IMAGES, batch=4)
    maps = net.steps[0].forward(IMAGES)
    halves = [maps[:4], maps[4:]]
    mean, variance = net.steps[1].moving
    np.testing.assert_allclose(mean, np.mean([h.mean((0, 1, 2)) for h in halves], axis=0), atol=1e-5)
    np.testing.assert_allclose(variance, np.mean([h.var((0, 1, 2)) for h in halves], axis=0), rtol=1e-5)
    alone = np.concatenate([net.forward(IMAGES[i : i + 1]) for i in range(8)])
    np.testing.assert_allclose(net.forward(IMAGES), alone, atol=1e-5)


def test_what_does_not_divide_or_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="'bach'; there are none, batch"):
        scratch.normed_stack("bach")
    with pytest.raises(ValueError, match="28 pixels do not divide into 5 patches"):
        scratch.normed_stack(side=5)
    with pytest.raises(ValueError, match="6 channels do not divide into 4 groups"):
        scratch.Normalize(6, groups=4)
    with pytest.raises(ValueError, match="a batch of 5 images does not divide into runs of 2"):
        scratch.Normalize(1, images=2).forward(np.zeros((5, 1, 1, 1)))

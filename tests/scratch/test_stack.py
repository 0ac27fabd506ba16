"""Stacks of dense layers: their starts, their gradients beside Keras's, and what is known of the activations in them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import gradients, scratch

IMAGES = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "elu", "gelu", "silu"])
def test_a_stack_has_the_gradients_of_keras(activation: str) -> None:
    net = scratch.dense_stack(activation, "He", depth=3, inputs=5, width=4, outputs=3, seed=1)
    # Keras's own default of gelu is the exact one, as ours is.
    hidden = [keras.layers.Dense(4, activation=activation) for _ in range(3)]
    twin = keras.Sequential([keras.Input((5,)), *hidden, keras.layers.Dense(3)])
    twin.set_weights(net.weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, theirs = gradients.weight_gradients(twin, lambda scores: loss(LABELS, scores), IMAGES)
    _, dy = scratch.softmax_cross_entropy(net.forward(IMAGES), LABELS)
    net.backward(dy)
    for ours, other in zip(net.gradients, theirs, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-5)


def test_fitted_sigmoids_compute_what_tanh_computes() -> None:
    fitted = scratch.dense_stack("sigmoid", "fitted to the sigmoid", depth=7, inputs=5, seed=3)
    tanh = scratch.dense_stack("tanh", "Glorot", depth=7, inputs=5, seed=3)
    np.testing.assert_allclose(fitted.forward(IMAGES), tanh.forward(IMAGES), atol=1e-5)
    plain = scratch.dense_stack("sigmoid", "four times Glorot", depth=7, inputs=5, seed=3)
    assert np.abs(plain.forward(IMAGES) - tanh.forward(IMAGES)).max() > 0.1


@pytest.mark.parametrize(
    ("start", "spread"),
    [("Glorot", (2 / 600) ** 0.5), ("He", (2 / 300) ** 0.5), ("four times Glorot", 4 * (2 / 600) ** 0.5)],
)
def test_weights_have_the_spread_of_their_start_and_biases_are_zero(start: str, spread: float) -> None:
    net = scratch.dense_stack("relu", start, depth=2, inputs=300, width=300)
    assert net.weights[2].std() == pytest.approx(spread, rel=0.01)
    assert not net.weights[3].any() and net.weights[2].dtype == np.float32


def test_one_seed_gives_one_net_and_another_another() -> None:
    first, same, other = (scratch.dense_stack("relu", depth=2, seed=seed).weights for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_an_activation_a_start_or_a_depth_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="'swoosh'; there are linear, elu"):
        scratch.Activate("swoosh")
    with pytest.raises(ValueError, match="'Glorrot'; there are Glorot, He"):
        scratch.dense_stack("relu", "Glorrot")
    with pytest.raises(ValueError, match="at least one layer, not 0"):
        scratch.dense_stack("relu", depth=0)


def test_tanh_is_a_sigmoid_on_another_scale_and_the_slopes_are_at_most_a_quarter_and_one() -> None:
    x = np.linspace(-8, 8, 1601)
    np.testing.assert_allclose(scratch.tanh(x), 2 * scratch.sigmoid(2 * x) - 1, atol=1e-12)
    assert scratch.sigmoid_derivative(x).max() == pytest.approx(0.25, abs=1e-12)
    assert scratch.tanh_derivative(x).max() == pytest.approx(1, abs=1e-12)


def test_the_slope_of_elu_is_continuous_at_zero_for_alpha_one_alone() -> None:
    around = np.array([-1e-9, 1e-9])
    jumps = [np.diff(scratch.elu_derivative(around, alpha))[0] for alpha in (0.5, 1.0, 2.0)]
    np.testing.assert_allclose(jumps, [0.5, 0, -1], atol=1e-6)


def test_gelu_is_what_remains_on_average_of_what_is_kept_with_its_probability() -> None:
    points, rng = np.linspace(-3, 3, 25), np.random.default_rng(0)
    kept = (rng.normal(size=(100_000, 25)) <= points).mean(axis=0)
    np.testing.assert_allclose(points * kept, scratch.gelu(points), atol=0.02)


def test_swish_dips_where_it_is_said_to_and_h_swish_is_nowhere_far() -> None:
    x = np.linspace(-6, 6, 120_001)
    swish = scratch.silu(x)
    assert (swish.min(), x[swish.argmin()]) == pytest.approx((-0.278, -1.278), abs=1e-3)
    gap = np.abs(scratch.hard_silu(x) - swish)
    assert (gap.max(), abs(x[gap.argmax()])) == pytest.approx((0.1423, 3), abs=1e-3)


def test_efficientnet_passes_49_swishes() -> None:
    net = keras.applications.EfficientNetB0(weights=None)
    swish = keras.activations.silu
    assert sum(getattr(layer, "activation", None) is swish for layer in net.layers) == 2 + 16 * 3 - 1


def test_keras_leaks_thirty_times_the_published_slope() -> None:
    leak = keras.ops.convert_to_numpy(keras.layers.LeakyReLU()(np.array([-1.0], "float32")))
    assert leak[0] == pytest.approx(-0.3, rel=1e-5)
    np.testing.assert_allclose(scratch.leaky_relu_derivative(np.array([-1.0, 1.0])), [0.01, 1])


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_an_activation_does_not_change_how_far_a_unit_sees(activation: str) -> None:
    keras.utils.set_random_seed(1)
    stack = [
        keras.layers.Conv2D(8, 3, activation=activation, kernel_initializer="he_normal") for _ in range(3)
    ]
    net = keras.Sequential([keras.Input((15, 15, 1)), *stack])
    images = np.random.default_rng(0).normal(size=(64, 15, 15, 1))
    slope = gradients.gradient(lambda images: keras.ops.sum(net(images)[:, 4, 4]), images)
    rows = np.flatnonzero(np.abs(slope).sum(axis=(0, 2, 3)))
    assert rows[-1] - rows[0] + 1 == 7

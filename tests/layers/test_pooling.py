"""Poolings: their limits, their chance, and what bad input gets."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit import gradients
from cnnkit.layers import (
    ChannelMaxPooling,
    L2Pooling2D,
    LpPooling2D,
    MixedPooling2D,
    SoftmaxPooling2D,
    StochasticPooling2D,
)
from cnnkit.scratch import average_pool2d, max_pool2d

X = np.random.default_rng(0).uniform(0.1, 1, size=(2, 8, 8, 3)).astype("float32")


def run(layer: keras.Layer, x: np.ndarray, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(x, **options))


def test_lp_pooling_goes_from_the_average_to_the_maximum() -> None:
    outputs = [run(LpPooling2D(p=p), X) for p in (1, 2, 4, 8, 64, 2000, np.inf)]
    assert np.allclose(outputs[0], average_pool2d(X), atol=1e-6)
    assert np.allclose(outputs[-2], max_pool2d(X), atol=2e-3)
    assert np.allclose(outputs[-1], max_pool2d(X))
    for lower, higher in itertools.pairwise(outputs):
        assert np.all(lower <= higher + 1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("p", [2, 40])
def test_lp_pooling_neither_overflows_nor_vanishes(p: float, scale: float) -> None:
    assert np.allclose(run(LpPooling2D(p=p), X * scale) / scale, run(LpPooling2D(p=p), X), rtol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3, 12])
def test_a_window_of_zeros_has_no_gradient_rather_than_nan(p: float) -> None:
    slope = gradients.gradient(lambda x: ops.sum(LpPooling2D(p=p)(x)), np.zeros((1, 4, 4, 1)))
    assert np.array_equal(slope, np.zeros((1, 4, 4, 1)))


def test_softmax_pooling_goes_from_the_average_to_the_maximum() -> None:
    assert np.allclose(run(SoftmaxPooling2D(beta=1e-4), X), average_pool2d(X), atol=1e-4)
    assert np.allclose(run(SoftmaxPooling2D(beta=1e4), X), max_pool2d(X), atol=1e-4)
    assert np.allclose(run(SoftmaxPooling2D(beta=-1e4), X), -max_pool2d(-X), atol=1e-4)


def test_softmax_pooling_does_not_overflow() -> None:
    assert np.allclose(run(SoftmaxPooling2D(beta=100.0), 1e4 * X), 1e4 * max_pool2d(X), rtol=1e-4)


def test_stochastic_pooling_expects_the_ratio_of_moments() -> None:
    window = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    many = np.repeat(window, 20_000, axis=0)
    drawn = run(StochasticPooling2D(seed=1), many, training=True).ravel()
    frequencies = [np.mean(drawn == value) for value in (1, 2, 3, 4)]
    assert np.allclose(frequencies, [0.1, 0.2, 0.3, 0.4], atol=0.015)
    assert np.isclose(drawn.mean(), 3.0, atol=0.03)
    assert run(StochasticPooling2D(), window).item() == pytest.approx(3.0)


def test_stochastic_pooling_draws_what_stands_in_the_window() -> None:
    drawn = run(StochasticPooling2D(3, strides=2, padding="same", seed=3), X, training=True)
    for i, j in np.ndindex(4, 4):  # "same" over 8 with window 3 and stride 2: the odd row goes after
        seen = X[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].reshape(2, -1, 3)
        assert np.all((seen == drawn[:, i, j][:, None]).any(axis=1))


@pytest.mark.parametrize("training", [True, False])
def test_negative_activations_count_as_zero_in_stochastic_pooling(training: bool) -> None:
    signed = X - 0.5
    drawn = run(StochasticPooling2D(seed=1), signed, training=training)
    assert np.allclose(drawn, run(StochasticPooling2D(seed=1), np.maximum(signed, 0), training=training))
    assert np.array_equal(run(StochasticPooling2D(), -X, training=training), np.zeros((2, 4, 4, 3)))


def test_the_gradient_of_stochastic_pooling_goes_to_the_one_that_was_drawn() -> None:
    layer = StochasticPooling2D(seed=5)
    slope = gradients.gradient(lambda x: ops.sum(layer(x, training=True)), X)
    blocks = slope.reshape(2, 4, 2, 4, 2, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4)
    assert np.array_equal(np.sort(blocks, axis=1), np.tile([0, 0, 0, 1], (len(blocks), 1)))


def test_mixed_pooling_learns_which_of_the_two_was_wanted() -> None:
    layer = MixedPooling2D(mixing=0.5)
    model = keras.Sequential([keras.Input((8, 8, 3)), layer])
    model.compile(keras.optimizers.SGD(20.0), "mse")
    model.fit(X, max_pool2d(X), epochs=30, verbose=0)
    assert layer.share > 0.8


def test_odd_sides_lose_their_last_row_under_valid_and_keep_it_under_same() -> None:
    odd = X[:, :7, :5]
    assert run(L2Pooling2D(), odd).shape == (2, 3, 2, 3)
    assert run(L2Pooling2D(padding="same"), odd).shape == (2, 4, 3, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LpPooling2D(p=0.5), "p must be at least 1, not 0.5"),
        (lambda: LpPooling2D(p=float("nan")), "p must be at least 1, not nan"),
        (lambda: LpPooling2D(0), "pool_size must be a positive integer or 2 of them, not 0"),
        (lambda: LpPooling2D(2, padding="full"), "'valid' or 'same', not 'full'"),
        (lambda: LpPooling2D(5)(X[:, :4]), "a side of 4 is smaller than the window of 5"),
        (lambda: MixedPooling2D(mixing=1.0), "strictly between 0 and 1.*1.0"),
        (lambda: MixedPooling2D(mixing=1.5, learn=False), "from 0 to 1, not 1.5"),
        (lambda: SoftmaxPooling2D(beta=float("inf")), "beta must be finite, not inf.*MaxPooling2D"),
        (lambda: ChannelMaxPooling(4)(X), "3 channels cannot be cut into groups of 4"),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""Pooling in NumPy: Keras's values and gradients, hand-made numbers, and what all poolings have in common."""

import keras
import numpy as np
import pytest

from cnnkit import gradients
from cnnkit.scratch import (
    average_pool2d,
    average_pool2d_backward,
    channel_max_pool,
    lp_pool2d,
    max_pool2d,
    max_pool2d_backward,
    mixed_pool2d,
    pool_windows,
    softmax_pool2d,
    stochastic_pool2d,
)

POOLS = {
    "max": (max_pool2d, max_pool2d_backward, keras.ops.max_pool),
    "average": (average_pool2d, average_pool2d_backward, keras.ops.average_pool),
}
GEOMETRIES = [(k, s, p) for k, s in [(2, 2), (3, 2), (3, 1), (2, 3)] for p in ("same", "valid")]
RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 1, size=(2, 7, 9, 3))
PLACES = [{}, {"size": 3, "stride": 2}, {"size": 3, "stride": 2, "padding": "same"}]


@pytest.mark.parametrize(("size", "stride", "padding"), GEOMETRIES)
@pytest.mark.parametrize("kind", POOLS)
def test_pooling_gives_the_values_and_gradients_of_keras(kind, size, stride, padding):
    forward, backward, by_keras = POOLS[kind]
    x = np.random.default_rng(0).normal(size=(2, 7, 9, 3)).astype("float32") - 3  # below the padding's zeros
    y = forward(x, size, stride, padding)
    np.testing.assert_allclose(y, keras.ops.convert_to_numpy(by_keras(x, size, stride, padding)), atol=1e-5)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")

    def loss(x):
        return keras.ops.sum(keras.ops.multiply(by_keras(x, size, stride, padding), dy))

    dx = gradients.gradient(loss, x)
    np.testing.assert_allclose(backward(dy, x, size, stride, padding), dx, atol=1e-5)


@pytest.mark.parametrize("kind", POOLS)
def test_gradients_of_pooling_share_out_exactly_what_comes_in(kind):
    forward, backward, _ = POOLS[kind]
    x = np.zeros((1, 6, 6, 2))  # all ties
    dy = np.arange(2.0 * forward(x, 3, 2, 1).size / 2).reshape(forward(x, 3, 2, 1).shape)
    assert np.isclose(backward(dy, x, 3, 2, 1).sum(), dy.sum())


def test_the_first_of_equal_pixels_wins_alone():
    dx = max_pool2d_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 2, 2, 1)))
    assert dx.ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("forward", [max_pool2d, average_pool2d])
def test_a_wrong_rank_is_told_what_is_needed(forward):
    with pytest.raises(ValueError, match=r"\(4, 4\).*\(batch, height, width, channels\)"):
        forward(np.ones((4, 4)))


@pytest.mark.parametrize("place", PLACES)
def test_the_walk_over_windows_agrees_with_the_walk_over_offsets(place: dict) -> None:
    assert np.allclose(
        pool_windows(lambda a: a.max(axis=0), X, **place), max_pool2d(X, **{"size": 2, **place})
    )
    assert np.allclose(
        pool_windows(lambda a: a.mean(axis=0), X, **place), average_pool2d(X, **{"size": 2, **place})
    )


@pytest.mark.parametrize("place", PLACES)
def test_all_poolings_lie_between_the_minimum_and_the_maximum(place: dict) -> None:
    low = pool_windows(lambda a: a.min(axis=0), X, **place)
    high = pool_windows(lambda a: a.max(axis=0), X, **place)
    for pool in (lp_pool2d, mixed_pool2d, softmax_pool2d, stochastic_pool2d):
        y = pool(X, **place)
        assert np.all((y >= low - 1e-12) & (y <= high + 1e-12)), pool.__name__


def test_the_limits_are_average_and_maximum() -> None:
    average, largest = average_pool2d(X), max_pool2d(X)
    assert np.allclose(lp_pool2d(X, 1), average)
    assert np.allclose(lp_pool2d(X, 5000), largest, atol=1e-3)
    assert np.allclose(softmax_pool2d(X, 0), average)
    assert np.allclose(softmax_pool2d(X, 1e4), largest, atol=1e-3)
    assert np.allclose(mixed_pool2d(X, 0), average)
    assert np.allclose(mixed_pool2d(X, 1), largest)


def test_what_is_drawn_has_the_expectation_that_is_told() -> None:
    draws = [stochastic_pool2d(X, rng=np.random.default_rng(seed)) for seed in range(2000)]
    assert np.allclose(np.mean(draws, axis=0), stochastic_pool2d(X), atol=0.04)
    assert np.all(stochastic_pool2d(X) >= average_pool2d(X))


def test_channel_max_pooling_pools_neighbouring_channels() -> None:
    y = channel_max_pool(np.arange(12.0).reshape(1, 2, 6), 3)
    assert y.tolist() == [[[2, 5], [8, 11]]]
    with pytest.raises(ValueError, match="6 channels cannot be cut into groups of 4"):
        channel_max_pool(np.zeros((1, 2, 6)), 4)

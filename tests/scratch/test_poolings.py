"""The poolings of the chapter in NumPy, held by hand-made numbers and by what they must have in common."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.scratch import (
    attention_pool,
    average_pool2d,
    channel_max_pool,
    lp_pool2d,
    max_pool2d,
    mixed_pool2d,
    pool_windows,
    roi_align,
    roi_pool2d,
    softmax_pool2d,
    spatial_pyramid_pool2d,
    stochastic_pool2d,
)

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 1, size=(2, 7, 9, 3))
PLACES = [{}, {"size": 3, "stride": 2}, {"size": 3, "stride": 2, "padding": "same"}]


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


def test_a_pyramid_starts_with_the_global_maximum_and_ends_with_the_last_bin() -> None:
    y = spatial_pyramid_pool2d(X, (1, 2))
    assert np.array_equal(y[:, :3], X.max(axis=(1, 2)))
    assert np.array_equal(y[:, -3:], X[:, 3:, 4:].max(axis=(1, 2)))


def test_the_two_box_poolings_agree_on_a_constant_map_and_differ_on_a_ramp() -> None:
    box = np.array([[[1.3, 1.3, 5.3, 5.3]]])
    ones, ramp = np.ones((1, 7, 7, 1)), np.tile(np.arange(7.0)[None, None, :, None], (1, 7, 1, 1))
    assert np.allclose(roi_pool2d(ones, box, 2), roi_align(ones, box, 2))
    assert roi_pool2d(ramp, box, 1).item() == 4  # columns 1 to 4
    assert roi_align(ramp, box, 1).item() == pytest.approx(2.8)  # the middle, 3.3, from centres at +0.5


def test_attention_with_a_sharp_query_picks_one_place() -> None:
    eye = np.eye(3)[:, None]
    x = np.array([[[1.0, 0, 0], [0, 5, 0], [0, 0, 2]]])
    y = attention_pool(x, np.array([[0, 100.0, 0]]), eye, eye, eye, np.eye(3)[None])
    assert np.allclose(y, [[[0, 5, 0]]])

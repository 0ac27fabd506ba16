"""Pooling over boxes, pyramids and by attention in NumPy, held by hand-made numbers."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.scratch import attention_pool, roi_align, roi_pool2d, spatial_pyramid_pool2d

X = np.random.default_rng(0).uniform(0.1, 1, size=(2, 7, 9, 3))


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

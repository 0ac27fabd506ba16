"""LeNet's own operations in NumPy, against convolution, averages and arithmetic."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch

RNG = np.random.default_rng(0)


def test_a_full_table_is_an_ordinary_convolution() -> None:
    x, w, b = RNG.normal(size=(2, 7, 6, 3)), RNG.normal(size=(3, 3, 3, 4)), RNG.normal(size=4)
    ours = scratch.partially_connected2d(x, w.reshape(3, 3, 12), np.ones((3, 4)), b, stride=2, padding=1)
    np.testing.assert_allclose(ours, scratch.convolve2d(x, w, b, stride=2, padding=1), atol=1e-12)


def test_an_unjoined_map_changes_nothing() -> None:
    x, w = RNG.normal(size=(1, 5, 5, 2)), RNG.normal(size=(3, 3, 1))
    table = np.array([[1], [0]])
    before = scratch.partially_connected2d(x, w, table)
    x[..., 1] += 100.0
    np.testing.assert_array_equal(scratch.partially_connected2d(x, w, table), before)
    x[..., 0] += 1.0
    assert not np.allclose(scratch.partially_connected2d(x, w, table), before)


def test_padding_holds_the_value_asked_for() -> None:
    x, w = np.zeros((1, 1, 1, 1)), np.ones((3, 3, 1))
    y = scratch.partially_connected2d(x, w, np.ones((1, 1)), padding=1, pad_value=-1.0)
    assert y.item() == -8.0


def test_subsampling_with_a_quarter_and_no_bias_is_average_pooling() -> None:
    x = RNG.normal(size=(2, 6, 8, 3))
    ours = scratch.trainable_subsampling2d(x, np.full(3, 0.25), np.zeros(3))
    np.testing.assert_allclose(ours, scratch.average_pool2d(x, 2), atol=1e-12)


def test_subsampling_gives_each_map_its_own_gain_and_bias() -> None:
    y = scratch.trainable_subsampling2d(np.ones((1, 2, 2, 2)), np.array([1.0, 2.0]), np.array([0.5, -1.0]))
    np.testing.assert_array_equal(y, [[[[4.5, 7.0]]]])


def test_a_bitmap_is_nearest_to_itself() -> None:
    codes = scratch.digit_bitmaps().reshape(10, 84)
    scores = scratch.radial_basis_scores(codes, codes)
    np.testing.assert_array_equal(scores.argmax(axis=1), np.arange(10))
    np.testing.assert_array_equal(np.diag(scores), 0)


def test_the_ten_bitmaps_differ_in_twelve_pixels_or_more() -> None:
    bitmaps = scratch.digit_bitmaps()
    assert bitmaps.shape == (10, 12, 7)
    assert set(np.unique(bitmaps)) == {-1, 1}
    codes = bitmaps.reshape(10, 84)
    different = (codes[:, None] != codes[None]).sum(axis=-1)
    assert different[~np.eye(10, dtype=bool)].min() == 12

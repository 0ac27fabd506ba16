"""The variants of convolution in NumPy, against matrices, against Keras, against each other."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import scratch


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same", 1])
@pytest.mark.parametrize("size", [(9, 8), (7, 11)])
def test_the_transposed_convolution_has_the_transposed_matrix(stride, padding, size):
    w = random(3, 3, 2, 4)
    matrix = scratch.toeplitz(w, *size, stride=stride, padding=padding)
    small = [scratch.output_size(n, 3, stride, padding) for n in size]
    y = random(1, *small, 4, seed=1)
    x = scratch.transposed_convolve2d(y, w, stride=stride, padding=padding, size=size)
    np.testing.assert_allclose(x.ravel(), matrix.T @ y.ravel())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_transposed_convolution_is_that_of_keras(k, stride, padding):
    layer = keras.layers.Conv2DTranspose(3, k, strides=stride, padding=padding)
    x = random(2, 5, 4, 2).astype("float32")
    layer.build(x.shape)
    layer.bias.assign([1.0, 2.0, 3.0])
    want = keras.ops.convert_to_numpy(layer(x))
    got = scratch.transposed_convolve2d(x, *layer.get_weights(), stride=stride, padding=padding)
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_dilated_convolution_is_one_with_zeros_in_its_kernel(k, dilation):
    x, w = random(2, 9, 8, 2), random(k, k, 2, 3, seed=1)
    want = scratch.convolve2d(x, w, dilation=dilation)
    np.testing.assert_allclose(scratch.convolve2d(x, scratch.dilate_kernel(w, dilation)), want)


def test_nails_and_copies_and_switches_fill_the_same_windows():
    x = random(2, 3, 4, 2)
    copies, nails = scratch.upsample2d(x, 3), scratch.bed_of_nails2d(x, 3)
    corner = np.zeros(x.shape, int)
    np.testing.assert_array_equal(nails, scratch.max_unpool2d(x, corner, 3))
    np.testing.assert_array_equal(copies[:, ::3, ::3], x)
    np.testing.assert_allclose(copies.sum(), 9 * nails.sum())


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="output channels stand before"):
        scratch.transposed_convolve2d(random(1, 4, 4, 2), random(3, 3, 2, 4))
    with pytest.raises(ValueError, match="give a size that leads there"):
        scratch.transposed_convolve2d(random(1, 4, 4, 4), random(3, 3, 2, 4), stride=2, size=(4, 4))
    with pytest.raises(ValueError, match="add up to 5"):
        scratch.multi_dilation_convolve2d(random(1, 8, 8, 2), random(3, 3, 2, 6), filters=(1, 2, 2))
    with pytest.raises(ValueError, match="holds no tile"):
        scratch.max_pool2d_switches(random(1, 2, 2, 1), 3)
    with pytest.raises(ValueError, match="at least 1"):
        scratch.dilate_kernel(random(3, 3), 0)


def test_a_checkerboard_is_seen_along_one_axis_or_both_and_noise_is_none():
    noise = random(40, 16, 16)
    stripes = (-1.0) ** np.arange(16)
    assert 0.7 < scratch.checkerboard_strength(noise) < 1.4
    for pattern in (stripes, stripes[:, None], stripes * stripes[:, None]):
        assert scratch.checkerboard_strength(noise + pattern) > 50
    slow = np.cos(np.pi * np.arange(16) / 4)  # a period of eight is no checkerboard
    assert scratch.checkerboard_strength(noise + slow) < 1.4
    with pytest.raises(ValueError, match="even side"):
        scratch.checkerboard_strength(noise[:, :15, :15])

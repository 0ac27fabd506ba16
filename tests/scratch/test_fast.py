import numpy as np
import pytest

from cnnkit.scratch import (
    convolve2d,
    convolve2d_fft,
    convolve2d_winograd,
    kernel_spectra,
    winograd_kernels,
    winograd_transforms,
)


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 9, 12, 3)), rng.normal(size=(3, 3, 3, 4))


def correlation(d, g):
    return np.correlate(d, g, mode="valid")


@pytest.mark.parametrize(("m", "r"), [(1, 3), (2, 3), (3, 3), (4, 3), (6, 3), (2, 5), (4, 5), (3, 1), (1, 1)])
def test_m_outputs_come_of_m_plus_r_minus_one_products(m, r):
    rng = np.random.default_rng(m)
    d, g = rng.normal(size=m + r - 1), rng.normal(size=r)
    b, taps, a = winograd_transforms(m, r)
    assert b.shape == (m + r - 1, m + r - 1)
    np.testing.assert_allclose(a @ ((taps @ g) * (b @ d)), correlation(d, g), atol=1e-11)


def test_the_smallest_transforms_are_those_of_lavin_and_gray_up_to_signs():
    b, g, a = winograd_transforms(2)
    np.testing.assert_array_equal(
        np.abs(b), np.abs([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    )
    np.testing.assert_array_equal(
        np.abs(g), np.abs([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    )
    np.testing.assert_array_equal(np.abs(a), np.abs([[1, 1, 1, 0], [0, 1, -1, -1]]))


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6])
def test_tiles_give_the_convolution_also_where_they_do_not_fit(example, m):
    x, w = example
    np.testing.assert_allclose(convolve2d_winograd(x, w, m), convolve2d(x, w), atol=1e-11)


def test_kernels_of_one_and_of_five_taps(example):
    x, rng = example[0], np.random.default_rng(1)
    for k, m in ((1, 2), (2, 2), (5, 3)):
        w = rng.normal(size=(k, k, 3, 2))
        np.testing.assert_allclose(convolve2d_winograd(x, w, m), convolve2d(x, w), atol=1e-11)


def test_kernels_that_are_kept_give_the_same(example):
    x, w = example
    kept = winograd_kernels(w, 4)
    np.testing.assert_array_equal(convolve2d_winograd(x, w, 4, kept), convolve2d_winograd(x, w, 4))
    spectra = kernel_spectra(w, 9, 12)
    np.testing.assert_array_equal(convolve2d_fft(x, w, spectra), convolve2d_fft(x, w))


@pytest.mark.parametrize("way", [convolve2d_winograd, convolve2d_fft])
def test_single_precision_stays_single(example, way):
    x, w = (part.astype("float32") for part in example)
    y = way(x, w)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, convolve2d(x, w), atol=1e-4)


def test_large_tiles_lose_digits(example):
    x, w = (part.astype("float32") for part in example)
    exact = convolve2d(x.astype(float), w.astype(float))
    lost = [np.abs(convolve2d_winograd(x, w, m) - exact).max() for m in (2, 4, 6)]
    assert lost[0] < lost[1] < lost[2]


def test_too_large_a_tile_names_the_largest():
    with pytest.raises(ValueError, match=r"m=7, r=3.* from 1 to 6 for 3 taps"):
        winograd_transforms(7)


def test_kernels_must_be_square(example):
    with pytest.raises(ValueError, match=r"square kernels, got \(3, 2\)"):
        convolve2d_winograd(example[0], example[1][:, :2])

import numpy as np
import pytest

from cnnkit.scratch import convolve2d, convolve2d_fft, convolve2d_im2col, im2col, toeplitz

GEOMETRIES = [
    {},
    {"padding": "same"},
    {"padding": "same", "stride": 2},
    {"padding": 2, "dilation": 2, "stride": 3},
    {"padding": ((1, 0), (0, 2))},
]


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2, 8, 7, 3)), rng.normal(size=(3, 3, 3, 4))


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_windows_as_rows_times_kernels_as_columns_is_the_convolution(example, geometry):
    x, w = example
    np.testing.assert_allclose(convolve2d_im2col(x, w, **geometry), convolve2d(x, w, **geometry), atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_toeplitz_matrix_is_the_convolution(example, geometry):
    x, w = example
    matrix = toeplitz(w, 8, 7, **geometry)
    for image, y in zip(x, convolve2d(x, w, **geometry), strict=True):
        np.testing.assert_allclose((matrix @ image.ravel()).reshape(y.shape), y, atol=1e-12)


@pytest.mark.parametrize("sides", [(1, 3), (4, 2)])
def test_kernels_need_not_be_square(sides):
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(1, 8, 7, 3)), rng.normal(size=(*sides, 3, 4))
    y = convolve2d(x, w)
    np.testing.assert_allclose(convolve2d_im2col(x, w), y, atol=1e-12)
    np.testing.assert_allclose((toeplitz(w, 8, 7) @ x.ravel()).reshape(y.shape), y, atol=1e-12)


def test_the_toeplitz_matrix_holds_only_the_weights_of_the_kernel(example):
    matrix = toeplitz(example[1], 8, 7)
    assert set(matrix.data) == set(example[1].ravel())
    assert matrix.nnz == 6 * 5 * example[1].size


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_product_of_spectra_is_the_convolution(k):
    rng = np.random.default_rng(k)
    x, w = rng.normal(size=(2, 9, 8, 3)), rng.normal(size=(k, k, 3, 4))
    np.testing.assert_allclose(convolve2d_fft(x, w), convolve2d(x, w), atol=1e-12)


def test_im2col_copies_an_inner_pixel_k_squared_times():
    x = np.zeros((1, 7, 7, 1))
    x[0, 3, 3, 0] = 1
    assert im2col(x, k=3).sum() == 9

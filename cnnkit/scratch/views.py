"""The same convolution seen three other ways: a matrix product, a sparse matrix, a product of spectra."""

from __future__ import annotations

import numpy as np
from scipy import fft, sparse

from cnnkit.scratch.convolution import Sides, both, plan
from cnnkit.scratch.geometry import Padding

__all__ = ["convolve2d_fft", "convolve2d_im2col", "im2col", "kernel_spectra", "toeplitz"]


def im2col(
    x: np.ndarray,
    k: int | tuple[int, int],
    stride: int = 1,
    padding: Padding | Sides = 0,
    dilation: int = 1,
) -> np.ndarray:
    """Write each window as one row, `(batch, height, width, k * k * channels)`; `k` is a side, or `(height, width)`.

    A pixel is copied into every window that sees it, up to `k * k` times: memory is the price of
    turning a convolution into a matrix product.

    >>> im2col(np.arange(9.0).reshape(1, 3, 3, 1), k=2)[0, 0, 0]
    array([0., 1., 3., 4.])

    Chapter: training/hardware.
    """
    geometry = plan(x.shape[1:3], both(k), stride, padding, dilation)
    padded = np.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    return np.concatenate([padded[:, rows, columns] for _, _, rows, columns in geometry.windows()], axis=-1)


def convolve2d_im2col(
    x: np.ndarray, w: np.ndarray, stride: int = 1, padding: Padding | Sides = 0, dilation: int = 1
) -> np.ndarray:
    """Convolve by one matrix product: the windows as rows, times the kernels as columns.

    >>> convolve2d_im2col(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8))).shape
    (1, 3, 3, 8)

    Chapter: training/hardware.
    """
    return im2col(x, w.shape[:2], stride, padding, dilation) @ w.reshape(-1, w.shape[-1])


def toeplitz(
    w: np.ndarray,
    height: int,
    width: int,
    stride: int = 1,
    padding: Padding | Sides = 0,
    dilation: int = 1,
) -> sparse.csr_matrix:
    """The sparse matrix M with `M @ x.ravel()` equal to the convolution of x with the kernel w.

    `w` is `(k, k, c_in, c_out)`; M has one row per output number, height and width and channel in
    turn, and one column per input number.  A dense layer would own every entry; a convolution
    repeats the same `k * k * c_in` values on every row, along diagonals (Toeplitz blocks).

    >>> toeplitz(np.ones((3, 3, 1, 1)), 5, 5).shape
    (9, 25)

    Chapter: training/hardware.
    """
    *sides, c_in, c_out = w.shape
    # Number the pixels from 1 and unroll: im2col then tells which pixel each weight meets, 0 being padding.
    number = np.arange(1, height * width * c_in + 1).reshape(1, height, width, c_in)
    meets = im2col(number, sides, stride, padding, dilation)[0].reshape(-1, w[..., 0].size)
    columns = np.repeat(meets, c_out, axis=0)
    values = np.tile(w.reshape(-1, c_out).T, (len(meets), 1))
    rows = np.broadcast_to(np.arange(len(columns))[:, None], columns.shape)
    real = columns > 0
    shape = (len(columns), height * width * c_in)
    return sparse.csr_matrix((values[real], (rows[real], columns[real] - 1)), shape=shape)


def kernel_spectra(w: np.ndarray, height: int, width: int) -> np.ndarray:
    """The kernels as `convolve2d_fft` needs them for images of this size: spectra, conjugated.

    The sides are first raised to products of small primes, for which the transform is quick.

    >>> kernel_spectra(np.ones((3, 3, 2, 5)), 8, 8).shape
    (8, 5, 2, 5)

    Chapter: training/hardware.
    """
    return fft.rfft2(w, s=_quick(height, width), axes=(0, 1)).conj()


def convolve2d_fft(x: np.ndarray, w: np.ndarray, kernels: np.ndarray | None = None) -> np.ndarray:
    """Convolve (stride 1, "valid") by multiplying spectra.

    Correlation in space is a product in frequency with the kernel's spectrum conjugated.  A
    transform costs about N log N for N pixels, whatever the size of the kernel.

    Args:
        x: images, `(batch, height, width, c_in)`.
        w: kernels, `(height, width, c_in, c_out)`.
        kernels: what `kernel_spectra` makes of w, where it is kept from call to call, as at inference.

    >>> convolve2d_fft(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8))).shape
    (1, 3, 3, 8)

    Chapter: training/hardware.
    Paper: arXiv:1312.5851.
    """
    height, width = x.shape[1:3]
    sides = _quick(height, width)
    image = fft.rfft2(x, s=sides, axes=(1, 2)).transpose(1, 2, 0, 3)
    product = image @ (kernel_spectra(w, height, width) if kernels is None else kernels)
    y = fft.irfft2(product.transpose(2, 0, 1, 3), s=sides, axes=(1, 2))
    return y[:, : height - w.shape[0] + 1, : width - w.shape[1] + 1].astype(np.result_type(x, w), copy=False)


def _quick(*sides: int) -> tuple[int, ...]:
    return tuple(fft.next_fast_len(side, real=True) for side in sides)

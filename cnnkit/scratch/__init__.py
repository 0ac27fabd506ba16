"""Plain-NumPy forward and backward passes: what a chapter writes by hand, and the oracle of the tests.

Images are (batch, height, width, channels).  Nothing here is fast; all of it can be read.
"""

from cnnkit.scratch.activations import (
    abs_tanh,
    elu,
    elu_derivative,
    gelu,
    gelu_derivative,
    hard_silu,
    leaky_relu,
    leaky_relu_derivative,
    maxout,
    relu,
    relu_derivative,
    scaled_tanh,
    scaled_tanh_derivative,
    sigmoid,
    sigmoid_derivative,
    silu,
    silu_derivative,
    tanh,
    tanh_derivative,
)
from cnnkit.scratch.antialias import binomial_kernel, blur_pool2d, wrap_pad2d
from cnnkit.scratch.convolution import convolve1d, convolve2d, convolve2d_backward, true_convolve2d
from cnnkit.scratch.dense import dense, dense_backward
from cnnkit.scratch.geometry import convolution_parameters, output_size, padding_amount
from cnnkit.scratch.lenet import (
    digit_bitmaps,
    partially_connected2d,
    radial_basis_scores,
    trainable_subsampling2d,
)
from cnnkit.scratch.local import locally_connected1d, locally_connected2d
from cnnkit.scratch.losses import softmax, softmax_cross_entropy
from cnnkit.scratch.pooling import average_pool2d, average_pool2d_backward, max_pool2d, max_pool2d_backward
from cnnkit.scratch.poolings import (
    channel_max_pool,
    lp_pool2d,
    mixed_pool2d,
    pool_windows,
    softmax_pool2d,
    stochastic_pool2d,
)
from cnnkit.scratch.regions import attention_pool, roi_align, roi_pool2d, spatial_pyramid_pool2d
from cnnkit.scratch.spatial_transformer import affine_grid, bilinear_sample
from cnnkit.scratch.variants import (
    bed_of_nails2d,
    dilate_kernel,
    masked_convolve2d,
    max_pool2d_switches,
    max_unpool2d,
    multi_dilation_convolve2d,
    patch_mask,
    transposed_convolve2d,
    upsample2d,
)
from cnnkit.scratch.views import convolve2d_fft, convolve2d_im2col, im2col, toeplitz

__all__ = [
    "abs_tanh",
    "affine_grid",
    "attention_pool",
    "average_pool2d",
    "average_pool2d_backward",
    "bed_of_nails2d",
    "bilinear_sample",
    "binomial_kernel",
    "blur_pool2d",
    "channel_max_pool",
    "convolution_parameters",
    "convolve1d",
    "convolve2d",
    "convolve2d_backward",
    "convolve2d_fft",
    "convolve2d_im2col",
    "dense",
    "dense_backward",
    "digit_bitmaps",
    "dilate_kernel",
    "elu",
    "elu_derivative",
    "gelu",
    "gelu_derivative",
    "hard_silu",
    "im2col",
    "leaky_relu",
    "leaky_relu_derivative",
    "locally_connected1d",
    "locally_connected2d",
    "lp_pool2d",
    "masked_convolve2d",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool2d_switches",
    "max_unpool2d",
    "maxout",
    "mixed_pool2d",
    "multi_dilation_convolve2d",
    "output_size",
    "padding_amount",
    "partially_connected2d",
    "patch_mask",
    "pool_windows",
    "radial_basis_scores",
    "relu",
    "relu_derivative",
    "roi_align",
    "roi_pool2d",
    "scaled_tanh",
    "scaled_tanh_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "silu",
    "silu_derivative",
    "softmax",
    "softmax_cross_entropy",
    "softmax_pool2d",
    "spatial_pyramid_pool2d",
    "stochastic_pool2d",
    "tanh",
    "tanh_derivative",
    "toeplitz",
    "trainable_subsampling2d",
    "transposed_convolve2d",
    "true_convolve2d",
    "upsample2d",
    "wrap_pad2d",
]

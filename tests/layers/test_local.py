"""Locally connected layers: what sharing adds, what it saves, and what bad input gets."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers import LocallyConnected1D, LocallyConnected2D
from cnnkit.scratch import convolve2d


def test_one_kernel_repeated_at_each_position_is_a_convolution() -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 7, 7, 3)), rng.normal(size=(3, 3, 3, 4))
    layer = LocallyConnected2D(4, 3, strides=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([np.broadcast_to(kernel, (3, 3, *kernel.shape))])
    y = ops.convert_to_numpy(layer(x.astype("float32")))
    assert np.allclose(y, convolve2d(x, kernel, stride=2), atol=1e-5)


def test_parameters_are_those_of_one_kernel_and_bias_for_each_position() -> None:
    layer = LocallyConnected2D(4, 3)
    layer.build((None, 8, 8, 2))
    assert layer.count_params() == 6 * 6 * (3 * 3 * 2 + 1) * 4


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal"])
def test_each_kernel_starts_as_wide_as_a_shared_one(initializer: str) -> None:
    keras.utils.set_random_seed(0)
    local, shared = (
        LocallyConnected2D(16, 3, kernel_initializer=initializer),
        keras.layers.Conv2D(16, 3, kernel_initializer=initializer),
    )
    local.build((None, 12, 12, 16))
    shared.build((None, 12, 12, 16))
    ratio = np.std(ops.convert_to_numpy(local.kernel)) / np.std(ops.convert_to_numpy(shared.kernel))
    assert 0.95 < ratio < 1.05


def test_an_image_of_another_size_than_the_kernels_is_refused_by_name() -> None:
    layer = LocallyConnected2D(4, 3, name="patches")
    layer(np.ones((1, 8, 8, 2), "float32"))
    with pytest.raises(ValueError, match="'patches' is incompatible with the layer: expected axis 1"):
        layer(np.ones((1, 9, 9, 2), "float32"))
    with pytest.raises(ValueError, match=r"patches has a kernel for each of \(6, 6\) positions.*\(9, 9\)"):
        layer.compute_output_shape((1, 9, 9, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LocallyConnected2D(4, 3, padding="same"), "'same'.*ZeroPadding2D"),
        (lambda: LocallyConnected2D(0, 3), "filters must be a positive integer, not 0"),
        (lambda: LocallyConnected1D(4, (3, 3)), "kernel_size must be a positive integer, not"),
        (lambda: LocallyConnected2D(4, 3, strides=0), "strides"),
        (lambda: LocallyConnected2D(4, 3, data_format="NHWC"), "channels_last.*'NHWC'"),
        (
            lambda: LocallyConnected2D(4, 5).build((None, 4, 9, 1)),
            "a side of 4 is smaller than the window of 5: use a larger image, a smaller window$",
        ),
        (lambda: LocallyConnected2D(4, 3)(keras.Input((None, 8, 1))), "must know the size of the image"),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""The canonical pipeline, and what is left of it when one idea is taken out."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.course.nets import classic
from cnnkit.layers.local import LocallyConnected2D


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_each_block_is_convolution_relu_pooling(blocks):
    model = classic(blocks=blocks)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", *["Conv2D", "ReLU", "MaxPooling2D"] * blocks, "Flatten", "Dense", "Dense"]
    assert model.get_layer("flatten").output.shape[-1] == (8 // 2**blocks) ** 2 * 8 * 2 ** (blocks - 1)


def test_its_parameters_follow_from_the_formula():
    model = classic(input_shape=(28, 28, 1))
    assert model.count_params() == 8 * 10 + 16 * (72 + 1) + 32 * (7 * 7 * 16 + 1) + 10 * 33


def test_unshared_kernels_take_the_place_of_the_shared_ones_and_nothing_else_changes():
    shared, local = classic(), classic(connection="local")
    assert [layer.output.shape for layer in shared.layers] == [
        layer.output.shape for layer in local.layers if not isinstance(layer, keras.layers.ZeroPadding2D)
    ]
    first = next(layer for layer in local.layers if isinstance(layer, LocallyConnected2D))
    assert first.count_params() == 64 * shared.get_layer("conv1").count_params()


def test_one_kernel_everywhere_makes_the_local_net_a_convolution():
    shared, local = classic(), classic(connection="local")
    for number in "12":
        kernel, bias = shared.get_layer(f"conv{number}").get_weights()
        layer = local.get_layer(f"local{number}")
        layer.set_weights(
            [np.broadcast_to(kernel, layer.kernel.shape), np.broadcast_to(bias, layer.bias.shape)]
        )
    for name in ("dense", "scores"):
        local.get_layer(name).set_weights(shared.get_layer(name).get_weights())
    x = np.random.default_rng(0).random((7, 8, 8, 1), np.float32)
    ours, wanted = (keras.ops.convert_to_numpy(model(x)) for model in (local, shared))
    assert np.allclose(ours, wanted, atol=1e-5)


@pytest.mark.parametrize(("pooling", "side"), [("max", 2), ("average", 2), ("stride", 2), ("none", 8)])
def test_pooling_decides_how_far_the_maps_shrink(pooling, side):
    model = classic(pooling=pooling)
    assert model.get_layer("flatten").input.shape[1:3] == (side, side)
    assert any("Pooling" in type(layer).__name__ for layer in model.layers) == (pooling in ("max", "average"))


def test_dense_connections_see_the_whole_image_at_once():
    model = classic(connection="dense", filters=20)
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        65 * 20,
        21 * 40,
        41 * 32,
        330,
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connection": "sharing"}, "connection of classic.*'shared'"),
        ({"pooling": "maximum"}, "pooling of classic.*'max'"),
        ({"blocks": 0}, "at least one block"),
        ({"blocks": 4}, "16 pixels a side and has 8"),
    ],
)
def test_what_cannot_be_built_says_why(options, message):
    with pytest.raises(ValueError, match=message):
        classic(**options)

"""The canonical pipeline, and what is left of it when one idea is taken out."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest
from keras import layers

from cnnkit.course.nets import classic
from cnnkit.gradients import weight_gradients
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


@pytest.mark.parametrize("taken_out", [{"pooling": "stride"}, {"spread": 4}])
def test_a_net_without_pooling_or_without_neighbourhoods_has_the_same_weights_and_the_same_vector(taken_out):
    whole, other = classic(input_shape=(16, 16, 1)), classic(input_shape=(16, 16, 1), **taken_out)
    assert [w.shape for w in whole.get_weights()] == [w.shape for w in other.get_weights()]
    assert whole.get_layer("flatten").output.shape == other.get_layer("flatten").output.shape


def test_spread_weights_see_pixels_that_lie_apart_and_none_between():
    model = classic(input_shape=(17, 17, 1), blocks=1, filters=1, spread=4)
    conv = model.get_layer("conv1")
    conv.set_weights([np.ones((3, 3, 1, 1)), np.zeros(1)])
    dot = np.zeros((1, 17, 17, 1), "float32")
    dot[0, 8, 8] = 1.0
    answers = keras.ops.convert_to_numpy(conv(dot))[0, ..., 0]
    assert {tuple(place) for place in np.argwhere(answers)} == {
        (r, c) for r in (4, 8, 12) for c in (4, 8, 12)
    }


def test_the_weights_of_every_block_lie_equally_far_apart_in_the_picture():
    model = classic(input_shape=(16, 16, 1), spread=4)
    assert [model.get_layer(f"conv{n}").dilation_rate for n in (1, 2)] == [(4, 4), (2, 2)]
    unpooled = classic(input_shape=(16, 16, 1), spread=4, pooling="none")
    assert [unpooled.get_layer(f"conv{n}").dilation_rate for n in (1, 2)] == [(4, 4), (4, 4)]


def test_each_block_may_have_a_kernel_of_its_own_size():
    model = classic(input_shape=(16, 16, 1), kernel=(9, 5))
    assert [model.get_layer(f"conv{n}").kernel_size for n in (1, 2)] == [(9, 9), (5, 5)]
    with pytest.raises(ValueError, match="names 1 sides for 2 blocks"):
        classic(kernel=(3,))


def test_every_weight_gets_a_finite_gradient_from_the_loss():
    x = np.random.default_rng(0).random((16, 8, 8, 1), np.float32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, gradients = weight_gradients(classic(), lambda scores: loss(np.arange(16) % 10, scores), x)
    assert len(gradients) == 8
    assert all(np.isfinite(gradient).all() and np.abs(gradient).max() > 0 for gradient in gradients)


def test_activation_pooling_and_flattening_hold_no_parameters():
    silent = [
        layer
        for layer in classic().layers
        if isinstance(layer, (layers.ReLU, layers.MaxPooling2D, layers.Flatten))
    ]
    assert len(silent) == 5
    assert sum(layer.count_params() for layer in silent) == 0


@pytest.mark.parametrize(
    ("layer", "shape", "maps"),
    [
        (layers.Conv1D(5, 3), (2, 100, 1), (2, 98, 5)),
        (layers.Conv2D(5, 3), (2, 32, 30, 3), (2, 30, 28, 5)),
        (layers.Conv3D(5, 3), (2, 8, 16, 10, 1), (2, 6, 14, 8, 5)),
    ],
)
def test_one_layer_slides_over_each_kind_of_grid_and_leaves_the_batch_first(layer, shape, maps):
    assert tuple(layer(np.zeros(shape, "float32")).shape) == maps


@pytest.mark.parametrize("n", [7, 8, 15])
@pytest.mark.parametrize(("k", "s", "p"), list(product((1, 3, 5), (1, 2, 3), (0, 1, 2))))
def test_kernels_give_that_many_maps_of_the_side_that_the_formula_says(n, k, s, p):
    padded = layers.ZeroPadding2D(p)(np.zeros((2, n, n, 3), "float32"))
    side = (n + 2 * p - k) // s + 1
    assert tuple(layers.Conv2D(6, k, s)(padded).shape) == (2, side, side, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connection": "sharing"}, "connection of classic.*'shared'"),
        ({"pooling": "maximum"}, "pooling of classic.*'max'"),
        ({"blocks": 0}, "at least one block"),
        ({"blocks": 4}, "16 pixels a side and has 8"),
        ({"spread": 0}, "spread=0 must be 1 or more"),
        ({"spread": 2, "connection": "local"}, "spread=2 goes with shared kernels"),
        ({"spread": 2, "pooling": "stride"}, "one idea out at a time"),
        ({"connection": "dense"}, "connection of classic"),
    ],
)
def test_what_cannot_be_built_says_why(options, message):
    with pytest.raises(ValueError, match=message):
        classic(**options)

"""What the variants of convolution promise beyond their values: costs, fields, equivalences, errors."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit import insight
from cnnkit.layers import MaskedConv2D, MultiDilationConv2D, ResizeConv1D, ResizeConv2D
from cnnkit.scratch import convolve2d, patch_mask, transposed_convolve2d


def image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def model_of(layer: keras.Layer, *shape: int) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_several_dilations_are_several_keras_layers_side_by_side(padding):
    x = image(2, 14, 13, 3)
    layer = MultiDilationConv2D(6, 3, dilation_rates=(1, 2, 4), padding=padding)
    got = ops.convert_to_numpy(layer(x))
    for run, (rate, margin) in enumerate([(1, 3), (2, 2), (4, 0)]):
        part = slice(2 * run, 2 * run + 2)
        one = keras.layers.Conv2D(2, 3, dilation_rate=rate, padding=padding)
        one.build(x.shape)
        one.set_weights([layer.get_weights()[0][..., part], layer.get_weights()[1][part]])
        want = ops.convert_to_numpy(one(x))
        if padding == "valid" and margin:
            want = want[:, margin:-margin, margin:-margin]
        np.testing.assert_allclose(got[..., part], want, atol=1e-5)


def test_several_dilations_cost_what_one_costs_and_see_as_far_as_the_furthest():
    mixed = model_of(MultiDilationConv2D(6, 3, dilation_rates=(1, 2, 4)), 24, 24, 3)
    plain = model_of(keras.layers.Conv2D(6, 3, padding="same"), 24, 24, 3)
    assert mixed.count_params() == plain.count_params()
    assert insight.multiply_adds(mixed) == insight.multiply_adds(plain)
    assert insight.receptive_field(mixed).size == (9, 9)
    assert insight.measured_receptive_field(mixed).agrees


def test_enlarging_by_copies_and_convolving_is_a_transposed_convolution_with_a_blurred_kernel():
    layer = ResizeConv2D(4, 3, use_bias=False)
    x = image(2, 5, 6, 3)
    got = ops.convert_to_numpy(layer(x))
    box = np.ones((2, 2))
    turned = np.flip(layer.get_weights()[0], (0, 1))
    blurred = np.zeros((4, 4, 4, 3))
    for u, v in np.ndindex(2, 2):
        blurred[u : u + 3, v : v + 3] += box[u, v] * turned.transpose(0, 1, 3, 2)
    want = transposed_convolve2d(x, blurred, stride=2, padding=1, size=(10, 12))
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("factor", [2, 3])
def test_the_field_of_enlarge_then_convolve_is_the_one_that_gradients_see(interpolation, factor):
    model = model_of(ResizeConv2D(2, 3, size=factor, interpolation=interpolation), 9, 9, 1)
    for unit in [(9, 9), (10, 10), (11, 12)]:
        found = insight.measured_receptive_field(model, unit=unit)
        assert found.agrees, (unit, found.first, found.last, found.expected.window(*unit))


def test_hidden_pixels_are_neither_read_nor_written_in_a_stack():
    visible = patch_mask(2, 8, 8, patch=2, ratio=0.5)
    layers = [MaskedConv2D(4, 3, activation="relu", bias_initializer="ones") for _ in range(3)]

    def run(x):
        for layer in layers:
            x = layer([x, visible])
        return ops.convert_to_numpy(x)

    x = image(2, 8, 8, 3)
    y = run(x)
    assert not y[np.broadcast_to(visible == 0, y.shape)].any()
    changed = np.where(visible, x, 99).astype("float32")
    np.testing.assert_array_equal(run(changed), y)


def test_a_mask_that_hides_nothing_leaves_an_ordinary_convolution():
    x = image(2, 6, 5, 3)
    layer = MaskedConv2D(4, 3)
    got = ops.convert_to_numpy(layer([x, np.ones((2, 6, 5, 1), "float32")]))
    np.testing.assert_allclose(got, convolve2d(x, *layer.get_weights(), padding="same"), atol=1e-5)


@pytest.mark.parametrize("kernel_size", [2, 3, 5])
def test_hidden_patches_stay_hidden_through_strides(kernel_size):
    visible = patch_mask(2, 16, 16, patch=4, ratio=0.5)
    layers = [MaskedConv2D(4, kernel_size, strides=2, bias_initializer="ones") for _ in range(2)]

    def run(x, mask):
        for layer in layers:
            x, mask = layer([x, mask]), layer.pool_mask(mask)
        return ops.convert_to_numpy(x), ops.convert_to_numpy(mask)

    x = image(2, 16, 16, 3)
    y, mask = run(x, visible)
    np.testing.assert_array_equal(mask, visible[:, ::4, ::4])
    np.testing.assert_array_equal((y != 0).any(axis=-1, keepdims=True), mask)
    np.testing.assert_array_equal(run(np.where(visible, x, 99).astype("float32"), visible)[0], y)


def test_a_place_is_visible_where_any_pixel_that_it_stands_for_is():
    visible = np.zeros((1, 4, 4, 1), bool)
    visible[0, 1, 2] = True
    mask = MaskedConv2D(1, 3, strides=2).pool_mask(visible)
    assert ops.convert_to_numpy(mask)[0, :, :, 0].tolist() == [[False, True], [False, False]]
    inner = MaskedConv2D(1, 3, padding="valid").pool_mask(visible)
    assert ops.convert_to_numpy(inner)[0, :, :, 0].tolist() == [[False, True], [False, False]]


def test_grouped_dilations_are_grouped_keras_layers_side_by_side():
    x = image(2, 9, 8, 4)
    layer = MultiDilationConv2D(8, 3, dilation_rates=(1, 2), groups=2)
    got = ops.convert_to_numpy(layer(x))
    for run, rate in enumerate((1, 2)):
        part = slice(4 * run, 4 * run + 4)
        one = keras.layers.Conv2D(4, 3, dilation_rate=rate, padding="same", groups=2)
        one.build(x.shape)
        one.set_weights([layer.get_weights()[0][..., part], layer.get_weights()[1][part]])
        np.testing.assert_allclose(got[..., part], ops.convert_to_numpy(one(x)), atol=1e-5)


def test_a_mask_hides_the_share_that_was_asked_for_and_another_draw_hides_others():
    mask = patch_mask(6, 8, 12, patch=4, ratio=0.5, seed=3)
    assert mask.shape == (6, 8, 12, 1) and set(np.unique(mask)) == {0.0, 1.0}
    np.testing.assert_array_equal(mask.mean(axis=(1, 2, 3)), 0.5)
    np.testing.assert_array_equal(mask[:, ::4, ::4].repeat(4, axis=1).repeat(4, axis=2), mask)
    assert not np.array_equal(mask, patch_mask(6, 8, 12, patch=4, ratio=0.5, seed=4))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MultiDilationConv2D(2, 3, dilation_rates=(1, 2, 4)), "2 filters cannot be shared by 3"),
        (
            lambda: MultiDilationConv2D(6, 3, dilation_rates=(1, 0)),
            "dilation_rates must be a positive integer",
        ),
        (
            lambda: MultiDilationConv2D(8, 3, dilation_rates=(1, 2, 4), groups=2),
            r"groups=2 must divide each run.*\(3, 3, 2\)",
        ),
        (lambda: MultiDilationConv2D(6, 3, dilation_rates=4), r"sequence such as \(1, 2, 4\), not 4"),
        (lambda: MaskedConv2D(4, 3, strides=2, dilation_rate=2), "do not go together"),
        (
            lambda: MaskedConv2D(4, 3)([image(1, 4, 4, 3), image(1, 5, 4, 1)]),
            "cannot have a mask of shape",
        ),
        (lambda: ResizeConv1D(4, 3, interpolation="bilinear"), "'nearest' or 'linear', not 'bilinear'"),
        (lambda: MultiDilationConv2D(6, 3, padding="causal"), "padding must be 'valid' or 'same'"),
        (
            lambda: MultiDilationConv2D(6, 3, padding="valid")(image(1, 8, 9, 1)),
            "shorter than the reach of 9",
        ),
        (lambda: ResizeConv2D(4, 3, interpolation="cubic"), "interpolation must be 'nearest' or 'bilinear'"),
        (lambda: ResizeConv2D(0, 3), "filters must be a positive integer"),
        (lambda: ResizeConv2D(4, 3, groups=3), "divides filters=4"),
        (lambda: ResizeConv2D(4, 3, groups=2)(image(1, 4, 4, 3)), "a multiple of groups=2"),
        (lambda: MaskedConv2D(4, 3)(image(1, 4, 4, 3)), r"\[image, visible\]"),
        (lambda: MaskedConv2D(4, 3)([image(1, 4, 4, 3), image(1, 4, 4, 3)]), "must have one channel"),
        (lambda: patch_mask(1, 8, 8, patch=3), "must divide both sides"),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()

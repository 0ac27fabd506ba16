"""Multiply-adds against arithmetic and against published figures."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from cnnkit.insight import multiply_adds, receptive_field, register_cost, summary


def chain(shape, *stack):
    inputs = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("name", "published"),
    [("ResNet50", 3.9e9), ("VGG16", 15.5e9), ("MobileNet", 0.57e9), ("InceptionV3", 5.7e9)],
)
def test_known_networks_cost_what_is_published(application, name, published):
    assert multiply_adds(application(name)) == pytest.approx(published, rel=0.012)


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        ((10, 12, 4), lambda: layers.Conv2D(6, (3, 5)), 8 * 8 * 15 * 4 * 6),
        ((10, 12, 4), lambda: layers.Conv2D(6, 3, groups=2, padding="same", strides=2), 5 * 6 * 9 * 2 * 6),
        ((10, 12, 4), lambda: layers.Conv2D(6, 3, dilation_rate=2), 6 * 8 * 9 * 4 * 6),
        ((4, 10, 12), lambda: layers.Conv2D(6, 3, data_format="channels_first"), 8 * 10 * 9 * 4 * 6),
        ((10, 12, 4), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), 8 * 10 * 9 * 4 * 2),
        ((10, 12, 4), lambda: layers.SeparableConv2D(6, 3), 8 * 10 * (9 * 4 + 4 * 6)),
        ((10, 12, 4), lambda: layers.Conv2DTranspose(6, 3, strides=2), 10 * 12 * 9 * 4 * 6),
        ((10, 4), lambda: layers.Conv1D(6, 3), 8 * 3 * 4 * 6),
        ((10, 4), lambda: layers.SeparableConv1D(6, 3), 8 * (3 * 4 + 4 * 6)),
        ((6, 6, 6, 2), lambda: layers.Conv3D(3, 3), 64 * 27 * 2 * 3),
        ((7,), lambda: layers.Dense(5), 35),
        ((3, 7), lambda: layers.Dense(5), 3 * 35),
        ((3, 7), lambda: layers.EinsumDense("abc,cd->abd", output_shape=(None, 5)), 3 * 35),
        ((3, 7), lambda: layers.EinsumDense("...x,xy->...y", output_shape=5), 3 * 35),
        ((9, 4), lambda: layers.LSTM(5), 9 * 4 * 5 * 9),
        ((9, 4), lambda: layers.GRU(5, reset_after=True), 9 * 3 * 5 * 9),
        ((9, 4), lambda: layers.Bidirectional(layers.SimpleRNN(5)), 2 * 9 * 5 * 9),
        ((3, 10, 12, 4), lambda: layers.TimeDistributed(layers.Conv2D(6, 3)), 3 * 8 * 10 * 9 * 4 * 6),
        ((10, 12, 4), lambda: layers.MaxPooling2D(), 0),
        ((10, 12, 4), lambda: layers.BatchNormalization(), 0),
    ],
)
def test_each_kind_of_layer_counts_its_products(shape, layer, expected):
    assert multiply_adds(chain(shape, layer())) == expected


def test_attention_counts_projections_and_both_products():
    inputs = keras.Input((10, 8))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs))
    assert multiply_adds(model) == 4 * 10 * 8 * 8 + 2 * 10 * 10 * 8


def test_matrix_products_written_as_operations_count():
    inputs = keras.Input((10, 8))
    scores = keras.ops.matmul(inputs, keras.ops.transpose(inputs, (0, 2, 1)))
    mixed = keras.ops.einsum("bij,bjd->bid", scores, inputs)
    assert multiply_adds(keras.Model(inputs, mixed)) == 2 * 10 * 10 * 8


def test_nested_models_are_opened_and_shared_layers_cost_each_time():
    shared = layers.Conv2D(4, 3, padding="same")
    block = chain((None, None, 4), shared)
    inputs = keras.Input((8, 8, 4))
    assert multiply_adds(keras.Model(inputs, block(block(shared(inputs))))) == 3 * 64 * 9 * 16


def test_another_input_size_can_be_asked_about():
    model = chain((8, 8, 1), layers.Conv2D(2, 3, padding="same"), layers.MaxPooling2D(), layers.Conv2D(2, 1))
    assert multiply_adds(model, (16, 16, 1)) == 4 * multiply_adds(model)


def test_an_open_size_is_an_error_that_says_what_to_give():
    model = chain((None, None, 1), layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match="input_shape=\\(224, 224, 3\\)"):
        multiply_adds(model)
    assert multiply_adds(model, (5, 5, 1)) == 9 * 9 * 2


def test_a_wrong_number_of_axes_is_named():
    model = chain((None, None, 1), layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match="number of axes"):
        multiply_adds(model, (5, 5))


@pytest.mark.parametrize("count", [multiply_adds, summary])
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((12, 12, 1), r"layer 'scores' would get \(200,\), and has weights for 72"),
        ((8, 8, 3), r"layer 'edges' would get \(8, 8, 3\), and has weights for 1"),
        ((2, 8, 1), r"layer 'edges' would get \(2, 8, 1\), and"),
    ],
)
def test_a_size_that_the_model_cannot_take_names_the_layer_that_refuses_it(count, shape, words):
    edges, scores = layers.Conv2D(2, 3, name="edges"), layers.Dense(3, name="scores")
    model = chain((8, 8, 1), edges, layers.Flatten(), scores)
    with pytest.raises(ValueError, match=words):
        count(model, shape)
    assert receptive_field(model, "edges", input_shape=(12, 12, 1)).size == (3, 3)  # the head is not asked


class Counts(layers.Layer):
    def call(self, x):
        return x

    def multiply_adds(self, input_shape):
        return 7 * input_shape[1]


class Weighs(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x):
        return x


def test_a_layer_can_count_itself():
    assert multiply_adds(chain((5, 3), Counts(), Counts())) == 70


def test_a_rule_can_be_registered_for_a_class():
    class Twice(Weighs):
        pass

    register_cost(Twice)(lambda layer, inputs, output: 2 * output[1])
    assert multiply_adds(chain((5, 3), Twice())) == 10

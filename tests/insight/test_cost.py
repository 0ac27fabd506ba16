"""Multiply-adds against arithmetic and against published figures."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnkit.insight import cost, multiply_adds, receptive_field, register_cost, summary
from cnnkit.insight.graph import keras_family


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
        (
            (9, 4),
            lambda: layers.Bidirectional(layers.GRU(5), backward_layer=layers.LSTM(5, go_backwards=True)),
            7 * 405,
        ),
        ((9, 4), lambda: layers.RNN([layers.LSTMCell(5), layers.SimpleRNNCell(3)]), 9 * (4 * 5 * 9 + 3 * 8)),
        ((6, 9, 8, 2), lambda: layers.ConvLSTM2D(3, 3), 6 * 4 * 7 * 6 * 9 * (2 + 3) * 3),
        ((6, 9, 2), lambda: layers.ConvLSTM1D(3, 3, return_sequences=True), 6 * 4 * 7 * 3 * (2 + 3) * 3),
        ((5, 6, 8), lambda: layers.EinsumDense("abcd,de->abce", output_shape=(None, None, 3)), 5 * 6 * 8 * 3),
        ((10, 12, 4), lambda: layers.SpectralNormalization(layers.Conv2D(6, 3)), 8 * 10 * 9 * 4 * 6),
        (
            (3, 8, 9, 1),
            lambda: layers.TimeDistributed(chain((8, 9, 1), layers.Conv2D(6, 3))),
            3 * 6 * 7 * 9 * 6,
        ),
        ((7,), lambda: layers.Embedding(20, 5), 0),
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


def test_attention_within_rows_pairs_the_places_of_a_row_only():
    inputs = keras.Input((6, 10, 8))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 4, attention_axes=2)(inputs, inputs))
    assert multiply_adds(model) == 6 * (4 * 10 * 8 * 8 + 2 * 10 * 10 * 8)


def test_attention_from_other_places_counts_each_side_by_its_own_length_and_width():
    asks, told = keras.Input((10, 8)), keras.Input((7, 6))
    several = layers.MultiHeadAttention(2, 4, value_dim=3, output_shape=5)(asks, told)
    assert multiply_adds(keras.Model([asks, told], several)) == (
        10 * 8 * 8 + 7 * 6 * 8 + 7 * 6 * 6 + 10 * 7 * (8 + 6) + 10 * 6 * 5
    )


def test_grouped_attention_shares_keys_and_values_among_heads():
    asks, told = keras.Input((10, 8)), keras.Input((7, 8))
    model = keras.Model([asks, told], layers.GroupQueryAttention(4, 6, 2)(asks, told))
    assert multiply_adds(model) == 10 * 24 * (8 + 8) + 7 * 8 * (8 + 8) + 2 * 10 * 7 * 24
    keys = keras.Input((7, 5))
    model = keras.Model([asks, told, keys], layers.GroupQueryAttention(4, 6, 2)(asks, told, keys))
    assert multiply_adds(model) == 10 * 24 * (8 + 8) + 7 * 8 * (5 + 8) + 2 * 10 * 7 * 24


@pytest.mark.parametrize("kind", [layers.Attention, layers.AdditiveAttention])
def test_attention_without_projections_counts_scores_and_mixture(kind):
    asks, told, keys = keras.Input((10, 8)), keras.Input((7, 6)), keras.Input((7, 8))
    model = keras.Model([asks, told, keys], kind()([asks, told, keys]))
    assert multiply_adds(model) == 10 * 7 * (8 + 6)


def test_a_dot_product_of_two_inputs_counts_what_it_sums_over():
    left, right = keras.Input((10, 8)), keras.Input((7, 8))
    assert multiply_adds(keras.Model([left, right], layers.Dot(axes=2)([left, right]))) == 10 * 7 * 8


@pytest.mark.skipif(not hasattr(layers, "ReversibleEmbedding"), reason="this Keras has no such layer")
def test_looking_up_a_word_is_free_and_the_way_back_is_a_product_with_every_word():
    inputs = keras.Input((7,), dtype="int32")
    words = layers.ReversibleEmbedding(20, 5)
    vectors = words(inputs)
    assert multiply_adds(keras.Model(inputs, vectors)) == 0
    assert multiply_adds(keras.Model(inputs, words(vectors, reverse=True))) == 7 * 5 * 20


def ones(*shape):
    return np.ones(shape, "float32")


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda x: ops.matmul(x, ops.transpose(x, (0, 1, 3, 2))), 9 * 8 * 8 * 4),
        (lambda x: ops.matmul(x, ones(4, 5)), 9 * 8 * 4 * 5),
        (lambda x: ops.matmul(ones(5, 8), x), 9 * 5 * 8 * 4),
        (lambda x: ops.dot(x, ones(4, 5)), 9 * 8 * 4 * 5),
        (lambda x: ops.einsum("bijc,cd->bijd", x, ones(4, 5)), 9 * 8 * 4 * 5),
        (lambda x: ops.einsum("bijc,bkjc->bik", x, x), 9 * 9 * 8 * 4),
        (
            lambda x: ops.conv(x, ones(3, 3, 4, 5), padding="same", data_format="channels_last"),
            9 * 8 * 9 * 4 * 5,
        ),
        (lambda x: ops.depthwise_conv(x, ones(3, 3, 4, 2), data_format="channels_last"), 7 * 6 * 9 * 4 * 2),
        (
            lambda x: ops.separable_conv(x, ones(3, 3, 4, 2), ones(1, 1, 8, 5), data_format="channels_last"),
            7 * 6 * (9 * 8 + 8 * 5),
        ),
        (
            lambda x: ops.conv_transpose(x, ones(3, 3, 5, 4), 2, data_format="channels_last"),
            9 * 8 * 9 * 4 * 5,
        ),
        (lambda x: ops.dot_product_attention(x, x, x), 9 * 9 * 8 * (4 + 4)),
        (lambda x: ops.relu(x * 2 + x), 0),
        (lambda x: ops.max_pool(x, 2), 0),
    ],
)
def test_products_written_as_operations_count(operation, expected):
    inputs = keras.Input((9, 8, 4))
    assert multiply_adds(keras.Model(inputs, operation(inputs))) == expected


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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            (5, 5),
            r"has shape \(None, None, 1\) without the batch, and \(5, 5\) was given: the number of axes differs\.$",
        ),
        ((None, 5, 5, 1), "the number of axes differs; leave the batch away"),
        (5, "tuple of whole numbers without the batch.*not 5"),
        ("5", "not '5'"),
        ((5.5, 5, 1), r"not \(5.5, 5, 1\); model 'functional.*' was built for \(None, None, 1\)"),
        ([(5, 5, 1), (5, 5, 1)], "has 1 inputs, and 2 input shapes were given"),
    ],
)
def test_a_shape_that_does_not_suit_is_named_with_what_was_given(given, words):
    with pytest.raises(ValueError, match=words):
        multiply_adds(chain((None, None, 1), layers.Conv2D(2, 3)), given)


def test_a_model_of_two_inputs_takes_a_shape_for_each_or_for_one_by_its_name():
    left, right = keras.Input((5, 2), name="left"), keras.Input((7, 2), name="right")
    convolved = [layers.Conv1D(3, 1)(left), layers.Conv1D(4, 1)(right)]
    model = keras.Model([left, right], convolved)
    assert multiply_adds(model) == 5 * 6 + 7 * 8
    assert multiply_adds(model, [(10, 2), (20, 2)]) == 10 * 6 + 20 * 8
    assert multiply_adds(model, {"right": (20, 2)}) == 5 * 6 + 20 * 8


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


def strange():
    """Calls whose cost nobody has declared, and the word for each."""
    own = layers.Lambda(lambda x: x @ ones(4, 4), output_shape=(9, 4))
    return {
        "Weighs": (Weighs(), r"register_cost\(Weighs\)"),
        "Passes": (Passes(), r"register_cost\(Passes\)"),
        "Lambda": (own, "make it a layer with a method multiply_adds"),
        "TimeDistributed": (
            layers.TimeDistributed(Passes()),
            r"TimeDistributed\(Passes\).*register_cost\(Passes\)",
        ),
        "RNN": (layers.RNN(Cell()), r"RNN\(Cell\): .*register_cost\(Cell\)"),
        "Tensordot": (lambda x: ops.tensordot(x, ones(4, 5), 1), "Tensordot: .*make it a layer"),
    }


@pytest.mark.parametrize("name", ["Weighs", "Passes", "Lambda", "TimeDistributed", "RNN", "Tensordot"])
def test_what_nobody_has_counted_is_unknown_and_not_free(name):
    layer, remedy = strange()[name]
    inputs = keras.Input((9, 4))
    model = keras.Model(inputs, layer(layers.Dense(4)(inputs)))
    with pytest.raises(ValueError, match=f"(?s)are unknown.*{remedy}"):
        multiply_adds(model)
    page = summary(model)
    assert page.multiply_adds is None
    assert [row.multiply_adds for row in page.rows[1:]] == [9 * 16, None]
    assert f"at least 144; unknown for {page.rows[-1].layer}" in str(page)


def test_only_what_runs_code_of_its_own_is_unknown_among_the_layers_of_keras():
    strangers = {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
    of_others = {"Layer", "InputSpec", "Wrapper", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}
    for name, kind in vars(layers).items():
        if isinstance(kind, type) and name not in of_others:
            layer = kind.__new__(kind)
            known = keras_family(layer) in cost._FREE or any(base in cost._RULES for base in kind.__mro__)
            assert known == (name not in strangers), name


class Cell(layers.Layer):
    state_size = output_size = 4

    def call(self, x, states):
        return x, [x]


class Passes(layers.Layer):
    def call(self, x):
        return 2 * x

    def compute_output_shape(self, input_shape):
        return input_shape


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


def test_a_mistake_in_a_rule_is_not_taken_for_an_open_size():
    class Mistaken(Weighs):
        pass

    register_cost(Mistaken)(lambda layer, inputs, output: inputs + 1)
    with pytest.raises(TypeError, match="concatenate tuple"):
        multiply_adds(chain((5, 3), Mistaken()))


def test_a_rule_can_be_registered_for_a_class():
    class Twice(Weighs):
        pass

    register_cost(Twice)(lambda layer, inputs, output: 2 * output[1])
    assert multiply_adds(chain((5, 3), Twice())) == 10

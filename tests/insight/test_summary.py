"""The page that `summary` writes: figures, text, HTML and table."""

from __future__ import annotations

import time

import keras
import pytest
from keras import layers

from cnnkit.insight import receptive_field, summary


def branching():
    inputs = keras.Input((16, 16, 3), name="picture")
    left = layers.Conv2D(4, 3, padding="same", name="left")(inputs)
    right = layers.Conv2D(4, 5, padding="same", name="right")(inputs)
    x = layers.BatchNormalization(name="norm")(layers.Add(name="sum")([left, right]))
    return keras.Model(inputs, layers.Dense(2, name="head")(layers.Flatten(name="flat")(x)), name="forked")


@pytest.mark.parametrize("name", ["ResNet50", "VGG16", "MobileNet", "InceptionV3"])
def test_a_summary_of_a_known_network_adds_up_and_takes_under_two_seconds(application, name):
    model = application(name)
    start = time.process_time()
    page = summary(model)
    text = str(page)
    assert time.process_time() - start < 2
    assert sum(row.parameters for row in page.rows) == page.parameters == model.count_params()
    assert sum(row.multiply_adds for row in page.rows) == page.multiply_adds
    assert page.receptive_field == receptive_field(model)
    assert f"{model.count_params():,}" in text


def test_the_text_names_every_layer_its_source_and_the_totals():
    text = str(summary(branching()))
    assert text.startswith("forked\n")
    assert "left, right" in text
    assert "Parameters: 2,482 (2,474 trainable, 8 not)" in text
    assert text.splitlines()[-1] == "Receptive field: 5 (at norm)"


def test_the_frame_has_a_row_for_each_call_and_whole_numbers():
    frame = summary(branching()).to_frame()
    assert list(frame["layer"]) == ["picture", "left", "right", "sum", "norm", "flat", "head"]
    assert frame["multiply_adds"].sum() == 256 * 12 * (9 + 25) + 1024 * 2
    assert list(frame["receptive_field"]) == ["1", "3", "5", "5", "5", "whole", "whole"]
    assert frame["after"][2] == "picture"


def test_the_html_is_a_table_and_escapes_names():
    inputs = keras.Input((4, 4, 1))
    page = summary(keras.Model(inputs, layers.Conv2D(1, 3)(inputs), name="a<b"))._repr_html_()
    assert "a&lt;b" in page
    assert page.count("<tr>") == 3
    assert "<script" not in page


def test_shared_weights_are_counted_once():
    shared = layers.Conv2D(3, 3, padding="same")
    inputs = keras.Input((8, 8, 3))
    page = summary(keras.Model(inputs, shared(shared(inputs))))
    assert [row.parameters for row in page.rows] == [0, 84, 0]
    assert page.parameters == 84
    assert page.multiply_adds == 2 * 64 * 81


def test_nested_models_show_their_layers_with_a_path():
    block = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 3, name="conv")], name="block")
    inputs = keras.Input((8, 8, 3))
    rows = summary(keras.Model(inputs, block(inputs))).rows
    assert rows[1].layer == "block/conv"
    assert rows[1].output_shape == (None, 6, 6, 3)


def test_an_open_size_leaves_the_cost_open_and_says_so():
    inputs = keras.Input((None, None, 3))
    page = summary(keras.Model(inputs, layers.Conv2D(3, 3)(inputs)))
    assert page.multiply_adds is None
    assert "give input_shape" in str(page)
    assert summary(keras.Model(inputs, page_conv(inputs)), (9, 9, 3)).multiply_adds == 49 * 81


def page_conv(inputs):
    return layers.Conv2D(3, 3)(inputs)


def test_a_layer_whose_cost_nobody_knows_is_noted():
    class Weighs(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(3,), name="scale")

        def call(self, x):
            return x * self.scale

    inputs = keras.Input((9, 9, 3))
    page = summary(keras.Model(inputs, Weighs()(inputs)))
    assert any("cost unknown" in note for note in page.notes)


def test_a_dense_network_sees_everything():
    model = keras.Sequential([keras.Input((784,)), layers.Dense(30), layers.Dense(10)])
    page = summary(model)
    assert page.multiply_adds == 784 * 30 + 300
    assert page.receptive_field.whole

"""The page that `summary` writes: figures, text, HTML and table."""

from __future__ import annotations

import sys
import time

import keras
import pandas
import pytest
from keras import layers

from cnnkit.insight import receptive_field, summary
from cnnkit.models import without_values


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


def numbers(column):
    """A column's numbers, None where there is none."""
    return [None if value is pandas.NA else value for value in column]


def test_the_frame_has_the_field_as_numbers_that_sort_beside_the_words():
    inputs = keras.Input((20, 30, 1))
    x = layers.Conv2D(2, (3, 11), strides=(2, 1), padding="same", name="wide")(inputs)
    x = layers.GlobalAveragePooling2D(name="mean")(layers.UpSampling2D(2, name="up")(x))
    frame = summary(keras.Model(inputs, x)).to_frame().set_index("layer")
    assert numbers(frame["field_rows"]) == [None, 3, 3, 20]
    assert numbers(frame["field_columns"]) == [None, 11, 11, 30]
    assert numbers(frame["stride_rows"]) == [None, 2.0, 1.0, 0.0]
    assert numbers(frame["stride_columns"]) == [None, 1.0, 0.5, 0.0]
    assert list(frame["receptive_field"]) == ["1", "3x11", "3x11", "whole"]
    assert frame.sort_values("field_columns").index[1] == "up"


@pytest.mark.parametrize(
    ("shape", "axes"), [((20, 3), ["length"]), ((9, 9, 9, 1), ["depth", "rows", "columns"])]
)
def test_the_frame_names_the_axes_of_sequences_and_volumes(shape, axes):
    inputs = keras.Input(shape)
    frame = summary(keras.Model(inputs, getattr(layers, f"Conv{len(axes)}D")(2, 3)(inputs))).to_frame()
    assert [name for name in frame if name.startswith("field_")] == [f"field_{axis}" for axis in axes]
    assert all(numbers(frame[f"field_{axis}"]) == [None, 3] for axis in axes)


def test_the_frame_carries_the_note_of_each_layer_and_leaves_open_what_is_unknown():
    inputs = keras.Input((9, 9, 4))
    x = layers.GroupNormalization(2, name="groups")(layers.Conv2D(4, 3, name="conv")(inputs))
    frame = summary(keras.Model(inputs, Weighs(name="mine")(x))).to_frame().set_index("layer")
    assert frame["note"]["conv"] == ""
    assert frame["note"]["groups"].startswith("GroupNormalization: its statistics")
    assert (
        "register_field(Weighs)" in frame["note"]["mine"] and "register_cost(Weighs)" in frame["note"]["mine"]
    )
    assert numbers(frame["multiply_adds"])[1:] == [49 * 36 * 4, 0, None]
    assert numbers(frame["field_rows"])[1:] == [3, 3, None]
    assert frame["receptive_field"]["mine"] == frame["stride"]["mine"] == "?"


def test_without_pandas_the_frame_names_what_to_install(monkeypatch):
    page = summary(branching())
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match=r'needs pandas.*pip install "cnnkit\[plots\]"'):
        page.to_frame()


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


class Weighs(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(1,), name="scale")

    def call(self, x):
        return x * self.scale


def test_a_layer_that_nobody_knows_shows_a_question_mark_and_never_0():
    inputs = keras.Input((9, 9, 3))
    page = summary(keras.Model(inputs, Weighs(name="mine")(layers.Conv2D(3, 1, name="conv")(inputs))))
    assert page.multiply_adds is None and page.receptive_field is None
    line = next(line for line in str(page).splitlines() if line.startswith("mine"))
    assert line.split()[-3:] == ["?", "?", "?"]
    assert "Multiply-adds: at least 729; unknown for mine" in str(page)
    assert "Receptive field: ?" in str(page)
    assert str(page).count("Note: Weighs: ") == 2
    assert '<td style="text-align:right">?</td>' in page._repr_html_()


def test_of_many_unknown_layers_the_first_three_are_named():
    inputs = x = keras.Input((9,))
    for number in range(5):
        x = Weighs(name=f"mine{number}")(x)
    assert "unknown for mine0, mine1, mine2 and 2 more" in str(summary(keras.Model(inputs, x)))


def test_wrapped_nested_and_shared_layers_read_well():
    moment = keras.Sequential(
        [keras.Input((12, 12, 1)), layers.Conv2D(2, 3), layers.Flatten()], name="moment"
    )
    inputs = keras.Input((5, 12, 12, 1), name="film")
    x = layers.TimeDistributed(moment, name="each")(inputs)
    x = layers.TimeDistributed(layers.Dense(4), name="units")(x)
    model = keras.Model(inputs, layers.Bidirectional(layers.GRU(3), name="both")(x))
    page = summary(model)
    assert [row.kind for row in page.rows[1:]] == [
        "TimeDistributed(Sequential)", "TimeDistributed(Dense)", "Bidirectional(GRU)",
    ]  # fmt: skip
    assert [row.multiply_adds for row in page.rows[1:]] == [5 * 100 * 18, 5 * 200 * 4, 2 * 5 * 3 * 3 * 7]
    assert [row.field for row in page.rows[1:]] == ["1xwholexwhole"] * 2 + ["whole"]
    assert page.parameters == model.count_params() == sum(row.parameters for row in page.rows)


def test_a_model_whose_weights_have_no_values_reads_the_same():
    def build():
        return keras.applications.MobileNetV2((64, 64, 3), weights=None)

    with without_values():
        page = summary(build())
    assert page.parameters == 3_538_984 and page.trainable_parameters == 3_504_872
    assert page.receptive_field.size == (491, 491)


def test_what_was_built_without_values_is_not_given_any_by_a_summary_of_another_size():
    with without_values():
        inputs = keras.Input((16, 16, 1))
        x = layers.LayerNormalization()(layers.Conv2D(4, 3)(inputs))
        model = keras.Model(inputs, layers.MultiHeadAttention(2, 2)(x, x))
        assert summary(model, (32, 32, 1)).rows[1].multiply_adds == 900 * 36
    assert all(weight._value is None for weight in model.weights)


def test_a_dense_network_sees_everything():
    model = keras.Sequential([keras.Input((784,)), layers.Dense(30), layers.Dense(10)])
    page = summary(model)
    assert page.multiply_adds == 784 * 30 + 300
    assert page.receptive_field.whole

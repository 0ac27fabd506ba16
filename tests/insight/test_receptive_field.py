"""Receptive fields by arithmetic, held against published figures and against gradients."""

from __future__ import annotations

from fractions import Fraction

import keras
import pytest
from keras import layers

from cnnkit.insight import measured_receptive_field, receptive_field, register_field
from cnnkit.insight.reach import Reach, transposed, window


def chain(shape, *stack):
    inputs = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def unet():
    inputs = keras.Input((24, 24, 1))
    fine = layers.Conv2D(2, 3, padding="same", activation="relu")(inputs)
    mid = layers.Conv2D(2, 3, padding="same", activation="relu")(layers.MaxPooling2D()(fine))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(layers.MaxPooling2D()(mid))
    x = layers.Concatenate()([layers.Conv2DTranspose(2, 2, strides=2)(x), mid])
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
    x = layers.Concatenate()([layers.UpSampling2D()(x), fine])
    return keras.Model(inputs, layers.Conv2D(1, 3, padding="same")(x))


def two_paths():
    inputs = keras.Input((32, 30, 2))
    narrow = layers.Conv2D(2, 1, strides=2, padding="same")(inputs)
    wide = layers.Conv2D(2, (3, 7), padding="same")(inputs)
    wide = layers.AveragePooling2D(3, strides=2, padding="same")(wide)
    x = layers.Add()([narrow, wide])
    return keras.Model(inputs, layers.DepthwiseConv2D(3)(layers.BatchNormalization()(x)))


def nested():
    block = chain((None, None, 2), layers.Conv2D(2, 3, padding="same"), layers.MaxPooling2D())
    inputs = keras.Input((20, 20, 2))
    return keras.Model(inputs, block(block(inputs)))


SMALL = {
    "stride, dilation and valid padding": lambda: chain(
        (40, 40, 1), layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, 3, dilation_rate=3), layers.Conv2D(2, 5)
    ),
    "same padding at odd sizes": lambda: chain(
        (29, 31, 1), *(layers.Conv2D(2, 3, strides=2, padding="same") for _ in range(3))
    ),
    "even kernels": lambda: chain(
        (31, 31, 1), layers.Conv2D(2, 4, padding="same"), layers.MaxPooling2D(2), layers.Conv2D(2, 2)
    ),
    "padding and cropping": lambda: chain(
        (20, 20, 1), layers.ZeroPadding2D(((3, 0), (1, 2))), layers.Conv2D(2, 5), layers.Cropping2D((2, 1))
    ),
    "separable": lambda: chain((20, 20, 2), layers.SeparableConv2D(3, 5), layers.SeparableConv2D(3, 3)),
    "transposed": lambda: chain(
        (16, 16, 1),
        layers.Conv2D(2, 3, strides=2),
        layers.Conv2DTranspose(2, 3, strides=2),
        layers.Conv2D(1, 3),
    ),
    "transposed by three, same": lambda: chain(
        (16, 16, 1), layers.Conv2DTranspose(2, 5, strides=3, padding="same"), layers.Conv2D(1, 3)
    ),
    "bilinear upsampling": lambda: chain(
        (16, 16, 1), layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(1, 3)
    ),
    "causal in time": lambda: chain(
        (40, 2), *(layers.Conv1D(2, 2, dilation_rate=d, padding="causal") for d in (1, 2, 4, 8))
    ),
    "volumes": lambda: chain(
        (12, 12, 12, 1), layers.Conv3D(2, 3), layers.MaxPooling3D(), layers.Conv3D(2, 2)
    ),
    "one pooling for each moment": lambda: chain(
        (6, 16, 16, 1),
        layers.TimeDistributed(layers.Conv2D(2, 3)),
        layers.TimeDistributed(layers.MaxPooling2D()),
    ),
    "a spectrogram without channel": lambda: chain(
        (20, 16), layers.Reshape((20, 16, 1)), layers.Conv2D(2, (5, 3))
    ),
    "branches": two_paths,
    "encoder and decoder": unet,
    "nested and shared": nested,
}


@pytest.mark.parametrize("name", SMALL)
def test_arithmetic_agrees_with_the_gradient_at_every_kind_of_position(name):
    model = SMALL[name]()
    sides = model.output_shape[1:-1]
    for shift in (0, 1, 2):
        unit = tuple(min(side // 2 + shift, side - 1) for side in sides)
        found = measured_receptive_field(model, model.layers[-1] if name == "nested" else None, unit=unit)
        assert found.agrees, (found.first, found.last, found.expected.window(*unit))


@pytest.mark.parametrize(
    ("name", "size"), [("ResNet50", 483), ("VGG16", 212), ("MobileNet", 315), ("InceptionV3", 1311)]
)
def test_fields_of_known_networks_are_the_published_ones(application, name, size):
    field = receptive_field(application(name))
    assert field.size == (size, size)
    assert field.stride == (32, 32)


def test_a_window_composes_as_the_recursion_says():
    first = window(7, 2, 3)
    assert first.through(window(3, 2, 1)) == Reach((-5,), (5,), 4)


def test_a_transposed_window_undoes_the_stride_of_a_window():
    up = window(2, 2).through(transposed(2, 2))
    assert [up.at(unit) for unit in range(4)] == [(0, 1), (0, 1), (2, 3), (2, 3)]
    assert up.stride == 1


def test_upsampled_units_have_a_stride_of_a_half():
    field = receptive_field(chain((8, 8, 1), layers.Conv2DTranspose(2, 4, strides=2, padding="same")))
    assert field.stride == (Fraction(1, 2), Fraction(1, 2))
    assert field.size == (2, 2)


def test_the_offset_counts_the_padding_before_the_image():
    field = receptive_field(keras.Sequential([keras.Input((32, 32, 1)), layers.Conv2D(1, 7, padding="same")]))
    assert (field.offset, field.padding) == ((-3, -3), (3, 3))
    assert field.window(0, 31) == ((-3, 3), (28, 34))


@pytest.mark.parametrize(
    "head",
    [
        lambda x: layers.Flatten()(x),
        lambda x: layers.GlobalAveragePooling2D(keepdims=True)(x),
        lambda x: keras.ops.mean(x, axis=(1, 2)),
        lambda x: layers.MultiHeadAttention(1, 2)(*[layers.Reshape((100, 2))(x)] * 2),
    ],
)
def test_a_head_sees_the_whole_input(head):
    inputs = keras.Input((12, 12, 1))
    outputs = head(layers.Conv2D(2, 3, name="map")(inputs))
    model = keras.Model(inputs, outputs)
    assert receptive_field(model).layer == "map"
    field = receptive_field(model, model.operations[-1])
    assert field.whole
    assert field.size == (12, 12)


def test_a_squeeze_and_excitation_gate_lets_every_unit_see_everything():
    inputs = keras.Input((12, 12, 3))
    gate = layers.Dense(3, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(inputs))
    model = keras.Model(
        inputs, layers.Multiply(name="gated")([layers.Conv2D(3, 3, padding="same")(inputs), gate])
    )
    assert receptive_field(model, "gated").whole


def test_a_recurrent_layer_over_columns_keeps_none_of_the_axes():
    model = chain((12, 8, 1), layers.Conv2D(2, 3, name="map"), layers.Reshape((10, 12)), layers.GRU(3))
    assert receptive_field(model, "map").size == (3, 3)
    assert receptive_field(model, model.layers[-1]).whole


def test_mixing_one_axis_leaves_the_other_its_field():
    model = chain((12, 8, 1), layers.Conv2D(2, 3), layers.Reshape((10, 12)), layers.Conv1D(4, 3))
    assert receptive_field(model).size == (5, 8)
    assert str(receptive_field(model)) == "5xwhole"


def test_layers_in_other_data_formats_are_read_along_their_own_axes():
    model = chain((3, 20, 24), layers.Conv2D(2, (3, 5), data_format="channels_first"))
    assert receptive_field(model).size == (3, 5)


def test_each_input_has_its_own_field():
    left, right = keras.Input((16, 16, 1), name="left"), keras.Input((16, 16, 1), name="right")
    merged = layers.Add()(
        [layers.Conv2D(2, 3)(left), layers.Conv2D(2, 5, padding="same")(right)[:, 1:-1, 1:-1]]
    )
    model = keras.Model([left, right], merged)
    assert receptive_field(model, input="left").size == (3, 3)
    assert receptive_field(model, input="right").size == (5, 5)
    assert receptive_field(model, input="right").offset == (-1, -1)
    with pytest.raises(ValueError, match=r"no input 'middle'.*left.*right"):
        receptive_field(model, input="middle")


class Declares(layers.Layer):
    def call(self, x):
        return x[:, ::2, ::2]

    def receptive_field_window(self, input_shape):
        return {"kernel_size": 4, "strides": 2, "padding": 1}


class Says(layers.Layer):
    def call(self, x):
        return x[:, ::3, ::3]


class Unknown(layers.Layer):
    def call(self, x):
        return x * 2


def test_a_layer_can_declare_its_window_by_a_method():
    field = receptive_field(chain((16, 16, 1), Declares(), Declares()))
    assert (field.size, field.stride, field.offset) == ((10, 10), (4, 4), (-3, -3))


def test_a_window_can_be_registered_for_a_class():
    register_field(Says)(lambda layer, shape: {"kernel_size": 1, "strides": 3})
    assert receptive_field(chain((18, 18, 1), layers.Conv2D(1, 2), Says())).stride == (3, 3)


def test_an_unknown_layer_that_keeps_the_shape_is_elementwise_and_says_so():
    field = receptive_field(chain((16, 16, 1), layers.Conv2D(1, 3), Unknown(name="mine")))
    assert field.size == (3, 3)
    assert "mine" in field.notes[0]
    assert "element-wise" in field.notes[0]


def test_group_normalisation_is_not_counted_and_says_so():
    field = receptive_field(chain((16, 16, 1), layers.Conv2D(4, 3), layers.GroupNormalization(2)))
    assert field.size == (3, 3)
    assert "statistics" in field.notes[0]


def test_an_unknown_layer_name_suggests_the_nearest():
    model = chain((16, 16, 1), layers.Conv2D(1, 3, name="edges"))
    with pytest.raises(ValueError, match="edges"):
        receptive_field(model, "edge")


def test_a_subclassed_model_is_told_how_to_be_read():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(2, 3)

        def call(self, x):
            return self.conv(self.conv.activation(x))

    model = Mine()
    with pytest.raises(ValueError, match=r"model\.call"):
        receptive_field(model)
    inputs = keras.Input((8, 8, 2))
    assert receptive_field(keras.Model(inputs, model.call(inputs))).size == (3, 3)


def test_an_unbuilt_model_and_a_bare_layer_are_told_what_to_do():
    with pytest.raises(ValueError, match=r"keras.Input\(shape\) first"):
        receptive_field(keras.Sequential([layers.Conv2D(2, 3)]))
    with pytest.raises(TypeError, match=r"Conv2D.*Wrap"):
        receptive_field(layers.Conv2D(2, 3))


def test_the_model_as_it_is_may_see_less_than_arithmetic_allows():
    model = chain(
        (24, 24, 1), *(layers.Conv2D(2, 3, activation="relu") for _ in range(3)), layers.MaxPooling2D()
    )
    found = measured_receptive_field(model, every_path=False, samples=1)
    assert all(side <= 8 for side in found.size)
    assert found.influence.shape == (24, 24)


def test_an_open_size_must_be_given_before_it_can_be_measured():
    model = chain((None, None, 1), layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match="input_shape=\\(64, 64, 1\\)"):
        measured_receptive_field(model)
    assert measured_receptive_field(model, input_shape=(9, 9, 1)).agrees
    with pytest.raises(ValueError, match="not in the map"):
        measured_receptive_field(model, input_shape=(9, 9, 1), unit=(7, 0))
    with pytest.raises(ValueError, match=r"unit \(3,\) is not in the map"):
        measured_receptive_field(model, input_shape=(9, 9, 1), unit=3)


def test_the_field_of_mobilenet_is_measured_by_its_gradient(application):
    found = measured_receptive_field(application("MobileNet"), "conv_pw_6_relu", input_shape=(160, 160, 3))
    assert found.agrees

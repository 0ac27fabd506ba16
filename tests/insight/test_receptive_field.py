"""Receptive fields by arithmetic, held against published figures and against gradients."""

from __future__ import annotations

from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnkit.insight import measured_receptive_field, receptive_field, register_field, summary
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


def operations():
    """Functions of keras.ops in place of layers, with axes turned and turned back."""
    inputs = keras.Input((20, 18, 2))
    x = ops.conv(inputs, ones(3, 5, 2, 2), 2, "same", "channels_last")
    x = ops.depthwise_conv(x, ones(2, 2, 2, 1), data_format="channels_last")
    x = ops.swapaxes(ops.average_pool(ops.swapaxes(x, 1, 2), (2, 1), 1, data_format="channels_last"), 1, 2)
    x = ops.moveaxis(ops.moveaxis(x, 3, 1), 1, -1)
    x = ops.image.resize(x, (18, 14), data_format="channels_last")
    x = ops.separable_conv(x, ones(3, 3, 2, 1), ones(1, 1, 2, 2), data_format="channels_last")
    return keras.Model(inputs, layers.Activation("linear")(ops.pad(x, ((0, 0), (1, 0), (0, 1), (0, 0)))))


def ones(*shape):
    return np.ones(shape, "float32")


ADAPTS = hasattr(layers, "AdaptiveAveragePooling2D")  # Keras 3.10 has none
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
    "the middle cut out": lambda: chain((21, 20, 1), layers.CenterCrop(14, 12), layers.Conv2D(2, 3)),
    "one model for each moment": lambda: chain(
        (4, 16, 16, 1),
        layers.TimeDistributed(chain((16, 16, 1), layers.Conv2D(2, 3), layers.MaxPooling2D())),
        layers.TimeDistributed(layers.Conv2D(2, 3)),
    ),
    "operations": operations,
    "branches": two_paths,
    "encoder and decoder": unet,
    "nested and shared": nested,
}
if ADAPTS:
    SMALL["a pooling that adapts"] = lambda: chain(
        (24, 20, 1), layers.Conv2D(2, 3, padding="same"), layers.AdaptiveAveragePooling2D((6, 10))
    )


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


def test_a_window_that_is_the_whole_axis_ends_where_the_axis_ends():
    for side, end in ((9, 8), (None, None)):
        inputs = keras.Input((side, 7, 1))
        field = receptive_field(keras.Model(inputs, keras.ops.mean(inputs, axis=1, keepdims=True)))
        assert field.window(0, 3) == ((0, end), (3, 3))


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


def gated(shape, axes, gate_shape, gate_first=False):
    """A convolution along all axes of place, multiplied by one number a channel that was made from the whole map."""
    rank = len(shape) - 1
    inputs = keras.Input(shape)
    convolved = getattr(layers, f"Conv{rank}D")(3, 3, padding="same", name="map")(inputs)
    gate = layers.Dense(3, activation="sigmoid")(ops.mean(convolved, axis=axes))
    both = [convolved, layers.Reshape(gate_shape)(gate)]
    x = layers.Multiply(name="gated")(both[::-1] if gate_first else both)
    return keras.Model(inputs, getattr(layers, f"Conv{rank}D")(2, 3, name="after")(x))


@pytest.mark.parametrize("gate_first", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes", "gate"),
    [((12, 3), 1, (1, 3)), ((12, 12, 3), (1, 2), (1, 1, 3)), ((9, 9, 9, 2), (1, 2, 3), (1, 1, 1, 3))],
)
def test_a_squeeze_and_excitation_gate_leaves_the_main_path_its_field_and_is_noted(
    shape, axes, gate, gate_first
):
    model = gated(shape, axes, gate, gate_first)
    rank = len(shape) - 1
    assert receptive_field(model, "gated").size == (3,) * rank
    field = receptive_field(model)
    assert (field.layer, field.size) == ("after", (5,) * rank)
    assert field.notes == ("Multiply: a gate made from the whole map is not counted as seeing it.",)


def test_a_gate_on_a_map_of_one_place_leaves_the_main_path_its_field_too():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 8, name="one")(layers.Conv2D(3, 3, padding="same")(inputs))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    model = keras.Model(inputs, layers.Multiply(name="gated")([gate, x]))
    assert receptive_field(model, "gated").size == (10, 10)


def test_a_product_of_two_maps_sees_what_both_see():
    inputs = keras.Input((12, 12, 3))
    narrow, wide = (layers.Conv2D(1, k, padding="same")(inputs) for k in (1, 5))
    assert receptive_field(
        keras.Model(inputs, layers.Multiply(name="both")([narrow, wide])), "both"
    ).size == (5, 5)
    everywhere = layers.Dense(144)(layers.Flatten()(inputs))
    x = layers.Multiply(name="both")([narrow, layers.Reshape((12, 12, 1))(everywhere)])
    assert receptive_field(keras.Model(inputs, x), "both").whole


def test_a_gate_from_another_input_is_seen_as_a_whole():
    inputs, words = keras.Input((12, 12, 3), name="image"), keras.Input((5,), name="words")
    gate = layers.Reshape((1, 1, 3))(layers.Dense(3)(words))
    model = keras.Model([inputs, words], layers.Multiply(name="gated")([layers.Conv2D(3, 3)(inputs), gate]))
    assert receptive_field(model, "gated").size == (3, 3)
    assert receptive_field(model, "gated", input="words").whole


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


def test_what_an_unknown_layer_sees_is_unknown_and_so_is_all_that_follows_until_everything_is_seen():
    stack = layers.Conv2D(1, 3, name="before"), Unknown(name="mine"), layers.Conv2D(1, 3, name="after")
    model = chain(
        (16, 16, 1), *stack, layers.GlobalAveragePooling2D(name="pool"), layers.Dense(2, name="scores")
    )
    assert receptive_field(model, "before").size == (3, 3)
    for layer in (None, "mine", "after"):
        with pytest.raises(
            ValueError, match=r"layer '(mine|after)' sees.*Unknown: .*register_field\(Unknown\)"
        ):
            receptive_field(model, layer)
    assert receptive_field(model, "pool").whole
    assert receptive_field(model, "scores").whole
    assert [row.field for row in summary(model).rows] == ["1", "3", "?", "?", "whole", "whole"]


@pytest.mark.parametrize(
    "unknown",
    [
        lambda x: layers.Lambda(lambda x: x[:, ::-1], output_shape=(16, 16, 1))(x),
        lambda x: ops.image.gaussian_blur(x, data_format="channels_last"),
        pytest.param(
            lambda x: layers.AdaptiveAveragePooling2D(5)(x),
            marks=pytest.mark.skipif(not ADAPTS, reason="this Keras has no such layer"),
        ),
        lambda x: layers.TimeDistributed(chain((16, 1), Unknown()))(x),
        lambda x: Nested()(x),
    ],
)
def test_what_cannot_be_read_is_unknown_and_not_guessed(unknown):
    inputs = keras.Input((16, 16, 1))
    page = summary(keras.Model(inputs, unknown(inputs)))
    assert page.rows[-1].field == page.rows[-1].stride == "?"
    assert page.receptive_field is None and "Receptive field: ?" in str(page)


class Nested(keras.Model):
    def call(self, x):
        return x


def test_the_field_of_an_unknown_layer_can_be_measured_all_the_same():
    model = chain((16, 16, 1), Unknown(), layers.Conv2D(1, 3))
    found = measured_receptive_field(model)
    assert found.size == (3, 3) and found.expected is None
    with pytest.raises(ValueError, match="nothing to agree with"):
        _ = found.agrees


def test_an_unknown_layer_beside_one_that_sees_everything_sees_no_more():
    inputs = keras.Input((16, 16, 1))
    everywhere = layers.Reshape((16, 16, 1))(layers.Dense(256)(layers.Flatten()(inputs)))
    model = keras.Model(inputs, layers.Add(name="sum")([Unknown()(inputs), everywhere]))
    assert receptive_field(model, "sum").whole


def test_a_softmax_over_places_mixes_them():
    for mixing in (layers.Softmax(axis=(1, 2)), lambda x: ops.softmax(ops.softmax(x, axis=1), axis=2)):
        inputs = keras.Input((16, 16, 1))
        model = keras.Model(inputs, mixing(layers.Conv2D(2, 3)(inputs)))
        assert receptive_field(model, model.operations[-1]).whole


@pytest.mark.parametrize(
    ("operation", "size"),
    [
        (lambda x: ops.flip(x, axis=1), ((16, 3), "wholex3")),
        (lambda x: ops.cumsum(x, axis=2), ((3, 16), "3xwhole")),
        (lambda x: ops.stack([x, x], axis=3), ((3, 3), "3")),
        (lambda x: ops.concatenate([x, x], axis=-1), ((3, 3), "3")),
        (lambda x: ops.logsumexp(x, axis=(1,)), ((16, 3), "wholex3")),
        (lambda x: ops.max(x, axis=2, keepdims=True), ((3, 16), "3xwhole")),
        (lambda x: ops.matmul(x, ones(2, 3)), ((16, 16), "whole")),
        (lambda x: x[:, 2:, ::2], ((3, 3), "3")),
        (lambda x: ops.conv_transpose(x, ones(3, 3, 2, 2), 2, data_format="channels_last"), ((4, 4), "4")),
        (lambda x: layers.Activation("relu")(x) * 2 + 1, ((3, 3), "3")),
    ],
)
def test_operations_keep_the_axes_that_they_do_not_mix(operation, size):
    inputs = keras.Input((16, 16, 1))
    model = keras.Model(inputs, operation(layers.Conv2D(2, 3)(inputs)))
    field = receptive_field(model, model.operations[-1])
    assert (field.size, str(field)) == size


def test_an_array_turned_over_as_a_whole_and_back_keeps_the_middle_axis():
    inputs = keras.Input((16, 1))
    model = keras.Model(inputs, ops.transpose(ops.transpose(layers.Conv1D(2, 3)(inputs))))
    assert receptive_field(model, model.operations[-1]).size == (3,)


def test_attention_within_rows_keeps_the_rows_apart():
    inputs = keras.Input((16, 12, 4))
    x = layers.Conv2D(4, 3)(inputs)
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 2, attention_axes=2, name="rows")(x, x))
    assert receptive_field(model, "rows").size == (3, 12)


class Chooses(layers.Layer):
    """Takes a picture and boxes, and says so of each."""

    def call(self, inputs):
        picture, boxes = inputs
        return picture[:, 1:-1, 1:-1] + boxes[:, None, None, :]

    def receptive_field_window(self, input_shape):
        assert [len(shape) for shape in input_shape] == [4, 2]
        return [{"kernel_size": 1, "padding": -1}, "whole"]


def test_a_layer_of_two_inputs_declares_a_window_for_each():
    picture, boxes = keras.Input((16, 16, 3), name="picture"), keras.Input((3,), name="boxes")
    model = keras.Model([picture, boxes], Chooses(name="chosen")([layers.Conv2D(3, 3)(picture), boxes]))
    field = receptive_field(model, "chosen")
    assert (field.size, field.offset) == ((3, 3), (1, 1))
    assert receptive_field(model, "chosen", input="boxes").whole


def test_a_window_that_is_none_is_named_with_what_is_needed():
    class Babbles(layers.Layer):
        def call(self, x):
            return x

        def receptive_field_window(self, input_shape):
            return "all"

    with pytest.raises(ValueError, match=r"'all'; needed is 'elementwise', 'whole'"):
        receptive_field(chain((16, 16, 1), Babbles()))


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

"""`create`: the whole net, its backbone, its stages, its weights, and what a wrong request is told."""

from __future__ import annotations

import warnings
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

from cnnkit import models
from cnnkit.models import Input, Preprocessing, Stage

pytestmark = pytest.mark.usefixtures("models_of_this_test")

CARD = {
    "year": 2024,
    "title": "A net of mine",
    "classes": 10,
    "inputs": Input((8, 8, 3), minimum=(4, 4), channels=(1, 3)),
    "preprocessing": Preprocessing((8, 8), mean=(0.4, 0.5, 0.6), deviation=(0.2, 0.3, 0.2)),
    "stages": {1: Stage("conv1", 1), 2: Stage("conv2", 2)},
}


def tiny(classes: int | None, input_shape: tuple[int, ...], width: int = 4) -> keras.Model:
    inputs = keras.Input(input_shape, name="image")
    x = layers.Conv2D(width, 3, padding="same", name="conv1")(inputs)
    x = layers.Conv2D(2 * width, 3, 2, padding="same", name="conv2")(x)
    if classes is None:
        return keras.Model(inputs, x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(classes, dtype=models.score_dtype(), name="scores")(x))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def registered(models_of_this_test) -> None:
    models.register("tiny", **CARD)(tiny)


def values(model: keras.Model, x: np.ndarray) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(part) for part in keras.tree.flatten(model(x))]


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_it_has_the_published_classes_unless_told_otherwise() -> None:
    assert models.create("tiny").output_shape == (None, 10)
    assert models.create("tiny", classes=3).output_shape == (None, 3)


def test_without_its_head_it_gives_maps_or_the_vector_of_them() -> None:
    assert models.create("tiny", classes=None).output_shape == (None, 4, 4, 8)
    assert models.create("tiny", classes=None, pooling="avg").output_shape == (None, 8)


@pytest.mark.parametrize(("pooling", "reduce"), [("avg", np.mean), ("max", np.max)])
def test_pooling_is_what_it_says(pooling, reduce, images) -> None:
    maps, pooled = models.create("tiny", classes=None), models.create("tiny", classes=None, pooling=pooling)
    pooled.set_weights(maps.get_weights())
    same(values(pooled, images), [reduce(values(maps, images)[0], axis=(1, 2))])


def test_features_are_the_maps_of_the_stages_in_the_order_asked(images) -> None:
    model = models.create("tiny", features=(2, "1"))
    assert model.output_shape == [(None, 4, 4, 8), (None, 8, 8, 4)]
    maps = keras.Model(model.input, model.get_layer("conv2").output)
    same(values(model, images)[:1], values(maps, images))
    assert "scores" not in [layer.name for layer in model.layers]


def test_name_and_dtype_are_those_of_keras() -> None:
    before = keras.config.dtype_policy().name
    model = models.create("tiny", name="mine", dtype="mixed_float16")
    assert model.name == "mine" and model.get_layer("conv1").compute_dtype == "float16"
    assert model.get_layer("scores").compute_dtype == "float32"
    assert keras.config.dtype_policy().name == before
    with pytest.raises(ValueError, match="float15"):
        models.create("tiny", dtype="float15")
    assert keras.config.dtype_policy().name == before


def test_the_layout_of_keras_is_as_it_was_after_a_net_that_could_not_be_built() -> None:
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="filters"):
            models.create("tiny", width=-1)
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format(before)


@pytest.mark.parametrize("wish", [{}, {"features": (1, 2)}, {"classes": None, "pooling": "max"}])
def test_it_builds_on_a_tensor_of_the_caller_as_part_of_one_flat_model(wish, images) -> None:
    pixels = keras.Input((8, 8, 3), name="mine")
    model = models.create("tiny", input_tensor=layers.Rescaling(2.0, name="twice")(pixels), **wish)
    assert [layer.name for layer in model.layers[:3]] == ["mine", "twice", "conv1"]
    plain = models.create("tiny", **wish)
    plain.set_weights(model.get_weights())
    same(values(model, images), values(plain, 2 * images))


def test_an_input_of_the_caller_stays_the_input_of_the_model() -> None:
    pixels = keras.Input((16, 16, 1))
    assert models.create("tiny", input_tensor=pixels).input is pixels


def test_preprocessing_in_the_model_is_that_of_the_card_and_is_saved_with_it(tmp_path) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, 21, 30, 3)).astype("uint8")
    model = models.create("tiny", preprocess=True)
    bare = models.create("tiny")
    bare.set_weights(model.get_weights())
    want = values(bare, models.card("tiny").prepare(pictures))
    same(values(model, pictures), want)
    model.save(tmp_path / "model.keras")
    same(values(keras.saving.load_model(tmp_path / "model.keras"), pictures), want)


def test_a_net_of_another_size_prepares_to_that_size() -> None:
    model = models.create("tiny", input_shape=(12, 16, 3), preprocess=True)
    assert model.get_layer("preparation").output.shape == (None, 12, 16, 3)
    assert models.card("tiny").prepare(np.zeros((9, 9, 3)), size=(12, 16)).shape == (1, 12, 16, 3)


# ------------------------------------------------------------------------------------------------------------ weights


@pytest.fixture
def trained(tmp_path, registered) -> keras.Model:
    """A net whose weights the card of `trained` offers as `mine`, for options that are not the builder's own."""
    model = models.create("tiny", classes=4, width=6)
    model.save_weights(tmp_path / "mine.weights.h5")
    mine = models.Weights(
        file=str(tmp_path / "mine.weights.h5"),
        classes=4,
        input_shape=(8, 8, 3),
        licence="CC0-1.0",
        origin="a test",
        options={"width": 6},
    )
    models.register("trained", **CARD, weights={"mine": mine})(tiny)
    return model


def test_weights_bring_their_classes_and_their_options(trained, images) -> None:
    model = models.create("trained", weights="mine")
    assert model.output_shape == (None, 4)
    same(values(model, images), values(trained, images))


def test_another_number_of_classes_keeps_the_backbone_and_says_what_is_new(trained, images) -> None:
    with pytest.warns(
        UserWarning, match=r"are for 4 classes, not 7: what fits is kept.*head is new \(scores\)"
    ) as told:
        model = models.create("trained", classes=7, weights="mine")
    assert len(told) == 1 and told[0].filename == __file__
    assert model.output_shape == (None, 7)
    same(model.get_layer("conv2").get_weights(), trained.get_layer("conv2").get_weights())


@pytest.mark.parametrize(
    "wish", [{"classes": None}, {"classes": None, "pooling": "avg"}, {"features": (1, 2)}, {"features": (1,)}]
)
def test_without_a_head_the_weights_of_the_backbone_are_kept_in_silence(trained, wish) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = models.create("trained", weights="mine", **wish)
    kept = [layer.name for layer in model.layers if layer.weights]
    for name in kept:
        same(model.get_layer(name).get_weights(), trained.get_layer(name).get_weights())


def test_a_backbone_of_another_size_keeps_the_weights_that_do_not_depend_on_it(trained) -> None:
    model = models.create("trained", classes=None, weights="mine", input_shape=(32, 24, 3))
    same(model.get_weights(), trained.get_weights()[:4])


def test_options_and_sizes_that_contradict_the_weights_are_refused_by_name(trained) -> None:
    with pytest.raises(ValueError, match=r"the weights 'mine' of trained are for width=6, not 5"):
        models.create("trained", weights="mine", width=5)
    with pytest.raises(ValueError, match=r"'scores/kernel' has \(192, 4\) in them and is \(768, 4\) here"):
        models.create("trained", weights="mine", input_shape=(16, 16, 3))
    with pytest.raises(
        ValueError, match=r"'conv1/kernel' has \(3, 3, 3, 6\) in them and is \(3, 3, 1, 6\) here"
    ):
        models.create("trained", weights="mine", classes=None, input_shape=(8, 8, 1))
    with pytest.raises(
        ValueError, match="weights 'mnist' of lenet5 are for subsampling='trainable', not 'average'"
    ):
        models.create("lenet5", weights="mnist", subsampling="average")


def test_lenet5_with_other_classes_keeps_its_seven_layers_of_weights() -> None:
    with pytest.warns(UserWarning, match="for 10 classes, not 5"):
        model = models.create("lenet5", classes=5, weights="mnist")
    whole = models.create("lenet5", weights="mnist")
    same(model.get_weights(), whole.get_weights())
    assert model.output_shape == (None, 5)


def test_a_file_goes_into_a_whole_net_and_into_a_backbone(trained, tmp_path, images) -> None:
    file = tmp_path / "whole.weights.h5"
    models.create("tiny").save_weights(file)
    whole, bare = models.create("tiny", weights=file), models.create("tiny", classes=None, weights=file)
    same(bare.get_weights(), whole.get_weights()[:4])
    bare.save_weights(tmp_path / "bare.weights.h5")
    again = models.create("tiny", classes=None, weights=tmp_path / "bare.weights.h5")
    same(again.get_weights(), bare.get_weights())


def test_a_file_of_another_net_or_of_no_net_is_refused(tmp_path) -> None:
    other, broken = tmp_path / "other.weights.h5", tmp_path / "broken.weights.h5"
    models.create("tiny", classes=3).save_weights(other)
    broken.write_bytes(other.read_bytes()[:1000])
    for file in (other, broken):
        with pytest.raises(
            ValueError, match=r"does not hold the weights of tiny with input_shape=\(8, 8, 3\), classes=10"
        ):
            models.create("tiny", weights=file)


# ----------------------------------------------------------------------------------------------------- several inputs


def question(classes: int, input_shape: dict[str, tuple]) -> keras.Model:
    """A picture and a row of words in, an answer and its certainty out."""
    picture, words = (keras.Input(input_shape[key], name=key) for key in ("picture", "words"))
    x = layers.GlobalAveragePooling2D(name="seen")(layers.Conv2D(4, 3, name="conv")(picture))
    y = layers.GlobalAveragePooling1D(name="read")(layers.Embedding(50, 4, name="embedding")(words))
    both = layers.Concatenate(name="both")([x, y])
    heads = [layers.Dense(classes, name="answer")(both), layers.Dense(1, name="certainty")(both)]
    return keras.Model({"picture": picture, "words": words}, heads)


@pytest.fixture
def asked(registered) -> None:
    inputs = {
        "picture": Input((8, 8, 3), minimum=(3, 3)),
        "words": Input((None,), dtype="int32", range=(0, 50)),
    }
    card = {
        "title": "Answers",
        "year": 2026,
        "classes": 5,
        "inputs": inputs,
        "outputs": ("answer", "certainty"),
    }
    models.register("question", **card)(question)


def test_several_inputs_are_named_and_several_outputs_come_out(asked) -> None:
    model = models.create("question", input_shape={"picture": (9, 9, 1), "words": (6,)})
    assert model.output_shape == [(None, 5), (None, 1)]
    assert models.card("question").input_shape == {"picture": (8, 8, 3), "words": (None,)}
    parts = {key: keras.Input(shape, name=key) for key, shape in (("picture", (8, 8, 3)), ("words", (7,)))}
    assert models.create("question", input_tensor=parts).input["words"] is parts["words"]


def test_a_wrong_shape_of_several_inputs_names_the_input(asked) -> None:
    with pytest.raises(
        ValueError, match=r"needs input_shape with a shape for each of picture, words, but .*\(8, 8, 3\)"
    ):
        models.create("question", input_shape=(8, 8, 3))
    with pytest.raises(
        ValueError, match="picture of question needs images of at least 3x3, but was given 2x8"
    ):
        models.create("question", input_shape={"picture": (2, 8, 3), "words": (6,)})
    with pytest.raises(ValueError, match="question has 2 inputs and no preprocessing"):
        models.card("question").prepare(np.zeros((1, 8, 8, 3)))


def test_a_net_without_classes_is_made_and_asked_for_none() -> None:
    def noise(input_shape):
        inputs = keras.Input(input_shape)
        return keras.Model(inputs, layers.Dense(8, name="picture")(inputs))

    card = {
        "title": "Draws",
        "year": 2014,
        "kind": "generator",
        "inputs": Input((4,)),
        "outputs": ("picture",),
    }
    models.register("noise", **card)(noise)
    assert models.create("noise").output_shape == (None, 8)
    for classes in (3, None):
        with pytest.raises(
            ValueError, match=f"noise is a generator without classes; leave classes={classes} away"
        ):
            models.create("noise", classes=classes)


# ------------------------------------------------------------------------------------------------------ wrong requests


@pytest.mark.parametrize(
    ("name", "wanted", "told"),
    [
        ("lenet6", {}, "no model is called 'lenet6'; did you mean 'lenet5'"),
        (5, {}, "a model's name is a string, but 5 was given"),
        ("tiny", {"classes": 0}, "classes as a whole number of at least 1, not 0"),
        ("tiny", {"classes": 2.5}, "at least 1, not 2.5"),
        ("tiny", {"classes": True}, "not True"),
        ("tiny", {"classes": "ten"}, "not 'ten'"),
        ("tiny", {"input_shape": 32}, r"needs input_shape=\(height, width, channels\).*but was given 32"),
        ("tiny", {"input_shape": "8x8"}, "but was given '8x8'"),
        ("tiny", {"input_shape": (8, 8)}, r"given 2 numbers, \(8, 8\); for one channel write \(8, 8, 1\)"),
        ("tiny", {"input_shape": (7, 8, 8, 3)}, r"leave the batch away: \(8, 8, 3\)"),
        ("tiny", {"input_shape": (8.0, 8, 3)}, "whole numbers of at least 1"),
        ("tiny", {"input_shape": (8, -8, 3)}, "whole numbers of at least 1"),
        ("tiny", {"input_shape": (3, 8, 3)}, "images of at least 4x4, but was given 3x8.*enlarge or pad"),
        ("tiny", {"input_shape": (1, 8, 3)}, r"if these are channels first write \(8, 3, 1\)|enlarge or pad"),
        ("tiny", {"input_shape": (8, 8, 2)}, r"needs 1 or 3 channels, but input_shape=\(8, 8, 2\) has 2"),
        ("tiny", {"input_shape": (3, 8, 8)}, r"has 8; images are channels last here: \(8, 8, 3\)"),
        ("tiny", {"input_shape": (8, 8, None)}, "a known number of channels"),
        ("tiny", {"weights": "imagenet"}, "no weights called 'imagenet'; known are: none yet"),
        ("lenet5", {"weights": "imagenet"}, "no weights called 'imagenet'; known are: 'mnist'"),
        ("lenet5", {"weights": "gone.weights.h5"}, "there is no weights file 'gone.weights.h5'"),
        ("tiny", {"widht": 3}, "no option of tiny is called 'widht'; did you mean 'width'"),
        ("lenet5", {"output": "softmax"}, "output to be 'bitmaps' or 'dense', not 'softmax'"),
        ("tiny", {"pooling": "avg"}, "pooling='avg' is for a network without its head: say classes=None"),
        ("tiny", {"pooling": "average", "classes": None}, "no pooling of the last maps is called 'average'"),
        ("tiny", {"features": (1,), "classes": 3}, r"features=\(1,\) are maps, without a head for classes=3"),
        ("tiny", {"features": (1, 3)}, "no stage of tiny is called '3'; known are: 1, 2"),
        ("tiny", {"features": 2}, r"features is a list of stages, such as \(1, 2\), not 2"),
        ("tiny", {"features": ()}, r"features is a list of stages, such as \(1, 2\), not \(\)"),
        ("tiny", {"features": (1,), "pooling": "avg", "classes": None}, "and no features"),
        ("tiny", {"input_tensor": np.zeros((1, 8, 8, 3))}, "input_tensor is what keras.Input gives"),
        ("tiny", {"preprocess": True, "input_shape": (None, 8, 3)}, "needs a known size to bring images to"),
        (
            "headless",
            {"classes": None},
            "headless cannot be made without its head: .* its builder should end before",
        ),
        ("headless", {"features": (1,)}, "no stage of headless is called '1'; known are: none yet"),
        ("headless", {"preprocess": True}, "headless has no preprocessing on its card"),
        (
            "vectors",
            {"classes": None, "pooling": "avg"},
            r"vectors ends in \(None, 192\).*no maps that pooling=",
        ),
    ],
)
def test_a_wrong_request_is_told_what_was_given_and_what_is_needed(name, wanted: dict, told: str) -> None:
    bare = {key: CARD[key] for key in ("year", "title", "classes", "inputs")}
    models.register("headless", **bare)(
        lambda classes, input_shape: keras.Sequential([keras.Input(input_shape), layers.Dense(classes)])
    )
    models.register("vectors", **bare)(
        lambda classes, input_shape: keras.Sequential([keras.Input(input_shape), layers.Flatten()])
    )
    with pytest.raises(ValueError, match=told):
        models.create(name, **wanted)


def test_input_shape_and_input_tensor_must_agree() -> None:
    pixels = keras.Input((8, 8, 3))
    models.create("tiny", input_tensor=pixels, input_shape=(8, 8, 3))
    with pytest.raises(ValueError, match=r"input_shape=\(9, 9, 3\) is not that of input_tensor"):
        models.create("tiny", input_tensor=pixels, input_shape=(9, 9, 3))
    with pytest.raises(ValueError, match="makes an input of its own, of pixels; leave input_tensor away"):
        models.create("tiny", input_tensor=pixels, preprocess=True)


def test_numpy_integers_and_lists_are_taken() -> None:
    model = models.create("tiny", classes=np.int64(4), input_shape=[np.int32(8), 8, 1])
    assert model.input_shape == (None, 8, 8, 1) and model.output_shape == (None, 4)


def test_a_variant_keeps_the_options_that_make_it() -> None:
    models.register("wide", **CARD)(partial(tiny, width=9))
    assert models.create("wide").get_layer("conv1").filters == 9
    assert models.create("wide", width=3).get_layer("conv1").filters == 3

"""The registry: what it makes, and what a wrong request is told."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from cnnkit import models

CARD = {
    "year": 2024,
    "title": "A net of mine",
    "paper": None,
    "chapter": "mine",
    "classes": 10,
    "input_shape": (8, 8, 3),
    "minimum": (4, 4),
    "channels": (1, 3),
}


def tiny(classes: int, input_shape: tuple[int, ...], width: int = 4) -> keras.Model:
    layers = [
        keras.layers.Conv2D(width, 3),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(classes),
    ]
    return keras.Sequential([keras.Input(input_shape), *layers])


pytestmark = pytest.mark.usefixtures("models_of_this_test")


def test_a_user_registers_a_model_of_his_own_with_the_same_decorator() -> None:
    models.register("tiny-10", **CARD)(tiny)
    models.register("tiny-9", **CARD)(partial(tiny, width=2))
    assert models.names("tiny*") == ["tiny-9", "tiny-10"]
    assert models.create("tiny-10", classes=3, input_shape=(None, None, 1), width=5).output_shape == (None, 3)
    assert models.create("tiny-9").layers[0].filters == 2
    assert models.card("tiny-10").title == "A net of mine"


def test_the_same_function_may_be_registered_again_but_not_another_under_its_name() -> None:
    models.register("tiny", **CARD)(tiny)
    models.register("tiny", **{**CARD, "year": 2025})(tiny)
    assert models.card("tiny").year == 2025
    with pytest.raises(ValueError, match=r"'tiny' is already registered by .*tiny; choose another name"):
        models.register("tiny", **CARD)(lambda classes, input_shape: None)


def test_a_card_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        models.card("lenet5").year = 1995


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({**CARD, "yaer": 1}, "no card field is called 'yaer'; did you mean 'year'"),
        ({key: value for key, value in CARD.items() if key != "year"}, "'year'"),
        ({**CARD, "input_shape": (8,)}, "1 to 3 spatial sizes"),
    ],
)
def test_a_wrong_card_is_refused(fields: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        models.register("tiny", **fields)


@pytest.mark.parametrize(
    ("name", "wanted", "told"),
    [
        ("lenet6", {}, "no model is called 'lenet6'; did you mean 'lenet5'"),
        (5, {}, "a model's name is a string, but 5 was given"),
        ("tiny", {"classes": 0}, "classes as a whole number of at least 1, not 0"),
        ("tiny", {"classes": 2.5}, "at least 1, not 2.5"),
        ("tiny", {"classes": True}, "not True"),
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
        ("lenet5", {"weights": "mnist", "classes": 3}, "are for classes=10 .* but classes=3"),
        ("tiny", {"widht": 3}, "no option of tiny is called 'widht'; did you mean 'width'"),
        ("lenet5", {"output": "softmax"}, "output to be 'bitmaps' or 'dense', not 'softmax'"),
    ],
)
def test_a_wrong_request_is_told_what_was_given_and_what_is_needed(name, wanted: dict, told: str) -> None:
    models.register("tiny", **CARD)(tiny)
    with pytest.raises(ValueError, match=told):
        models.create(name, **wanted)


def test_numpy_integers_and_lists_are_taken() -> None:
    models.register("tiny", **CARD)(tiny)
    model = models.create("tiny", classes=np.int64(4), input_shape=[np.int32(8), 8, 1])
    assert model.input_shape == (None, 8, 8, 1) and model.output_shape == (None, 4)


def test_prepare_wants_a_batch_of_images() -> None:
    with pytest.raises(
        ValueError, match=r"batch of shape \(batch, height, width, channels\).*shape \(28, 28\)"
    ):
        models.card("lenet5").prepare(np.zeros((28, 28)))


def test_prepare_leaves_images_alone_where_the_card_has_no_preprocessing() -> None:
    models.register("tiny", **CARD)(tiny)
    x = np.random.default_rng(0).uniform(size=(2, 8, 8, 3))
    np.testing.assert_array_equal(models.card("tiny").prepare(x), x.astype("float32"))

"""Weights go from a twin to ours and back, or the first layer that does not fit is named."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from cnnkit import models
from cnnkit.models import Input

pytestmark = pytest.mark.usefixtures("models_of_this_test")

NAMES = {"conv": "features_0", "scores": "classifier"}


def net(
    classes: int, input_shape: tuple, names: dict[str, str] | None = None, width: int = 4, kernel: int = 3
):
    def called(name: str) -> str:
        return (names or {}).get(name, name)

    inputs = keras.Input(input_shape)
    x = layers.Conv2D(width, kernel, name=called("conv"))(inputs)
    x = layers.BatchNormalization(name=called("norm"))(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, name=called("scores"))(x))


@pytest.fixture
def ours(models_of_this_test) -> keras.Model:
    card = {"title": "Ours", "year": 2026, "classes": 3, "inputs": Input((8, 8, 3)), "match": NAMES}
    models.register("ours", **card)(net)
    return models.create("ours", name="under_another_name")


def twin(**changes) -> keras.Model:
    model = net(3, (8, 8, 3), NAMES, **changes)
    model.name = "twin"
    return model


def test_the_map_of_the_family_leads_there_and_back(ours) -> None:
    theirs, x = twin(), np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    assert models.transplant(ours, theirs) is ours
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(one(x)) for one in (ours, theirs)))
    ours.set_weights([weight + 1 for weight in ours.get_weights()])
    assert models.transplant(ours, theirs, back=True) is theirs
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("match", [NAMES, lambda name: NAMES.get(name, name)])
def test_a_map_may_be_given_as_names_or_as_a_function(match) -> None:
    plain, theirs = net(3, (8, 8, 3)), twin()
    models.transplant(plain, theirs, match)
    np.testing.assert_array_equal(plain.get_weights()[0], theirs.get_weights()[0])


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (
            {"width": 5},
            r"'conv' of \w+ has kernel \(3, 3, 3, 4\), and 'features_0/kernel' of twin has \(3, 3, 3, 5\)",
        ),
        ({"kernel": 5}, r"and 'features_0/kernel' of twin has \(5, 5, 3, 4\)"),
    ],
)
def test_the_first_layer_that_does_not_fit_is_named_with_both_shapes(ours, theirs: dict, told: str) -> None:
    before = ours.get_weights()
    with pytest.raises(ValueError, match=told):
        models.transplant(ours, twin(**theirs))
    for one, other in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_is_moved_when_only_the_last_layer_does_not_fit(ours) -> None:
    before, theirs = ours.get_weights(), net(4, (8, 8, 3), NAMES)
    with pytest.raises(
        ValueError, match=r"'scores' of .*\(4, 3\), and 'classifier/kernel' of .* has \(4, 4\)"
    ):
        models.transplant(ours, theirs)
    np.testing.assert_array_equal(ours.get_weights()[0], before[0])


def test_a_layer_without_a_partner_is_named_on_either_side(ours) -> None:
    with pytest.raises(ValueError, match=r"and functional\S* has no 'features_0/kernel'"):
        models.transplant(ours, net(3, (8, 8, 3)))
    base = twin()
    more = keras.Model(base.input, layers.Dense(2, name="more")(base.output))
    with pytest.raises(ValueError, match=r"'more/kernel' \(3, 2\) of .* belongs to no layer of"):
        models.transplant(ours, more)

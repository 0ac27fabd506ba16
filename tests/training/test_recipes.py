"""Recipes: what Keras's optimiser is told, what is spared, and what bad values get."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import training
from cnnkit.training import Recipe


def rates(kind: str, steps: int, warmup: float = 0.0) -> list[float]:
    falls = training.schedule(kind, 1.0, steps, warmup)
    if isinstance(falls, float):
        return [falls] * (steps + 1)
    return [float(keras.ops.convert_to_numpy(falls(step))) for step in range(steps + 1)]


@pytest.mark.parametrize("kind", ["cosine", "linear"])
@pytest.mark.parametrize("warmup", [0.0, 0.2])
def test_a_schedule_that_falls_climbs_first_and_ends_at_zero(kind: str, warmup: float) -> None:
    found = rates(kind, 50, warmup)
    top = round(50 * warmup)
    assert found[top] == pytest.approx(1.0)
    assert found[-1] == pytest.approx(0.0, abs=1e-6)
    assert all(np.diff(found[: top + 1]) > 0)
    assert all(np.diff(found[top:]) <= 0)


def test_half_a_cosine_is_at_half_its_height_in_the_middle_and_above_the_line_before() -> None:
    wave, line = rates("cosine", 40), rates("linear", 40)
    assert wave[20] == pytest.approx(0.5)
    assert wave[10] == pytest.approx((1 + np.cos(np.pi / 4)) / 2)
    assert wave[10] > line[10]


def test_a_constant_rate_climbs_and_stays() -> None:
    assert rates("constant", 10) == [1.0] * 11
    assert rates("constant", 10, 0.5)[::5] == pytest.approx([0.0, 1.0, 1.0])


def test_a_schedule_of_ours_is_saved_and_read_again() -> None:
    falls = training.schedule("linear", 0.5, 20, 0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(falls))
    assert [float(again(step)) for step in (0, 1, 11, 20)] == [float(falls(step)) for step in (0, 1, 11, 20)]


def test_decay_shrinks_kernels_and_spares_biases_and_norms() -> None:
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, bias_initializer="ones"), keras.layers.BatchNormalization()]
    )
    optimizer = Recipe(rate=0.1, weight_decay=0.5, schedule="constant", momentum=None).make_optimizer(
        10, model.trainable_weights
    )
    optimizer.build(model.trainable_variables)
    before = model.get_weights()
    optimizer.apply([keras.ops.zeros(weight.shape) for weight in model.trainable_variables])
    after = model.get_weights()
    np.testing.assert_allclose(after[0], before[0] * (1 - 0.1 * 0.5), rtol=1e-5)
    for i in range(1, len(before)):
        np.testing.assert_array_equal(after[i], before[i])


def test_the_optimiser_is_told_all_that_the_recipe_says() -> None:
    told = Recipe("SGD", rate=0.2, momentum=0.8, clip=2.0, ema=0.99).make_optimizer(10).get_config()
    assert (told["momentum"], told["nesterov"], told["global_clipnorm"]) == (0.8, True, 2.0)
    assert (told["use_ema"], told["ema_momentum"]) == (True, 0.99)
    assert Recipe("Adam", schedule="constant").make_optimizer(10).get_config()[
        "learning_rate"
    ] == pytest.approx(0.05)


def test_a_digest_changes_with_whatever_changes() -> None:
    def shift(by: float):
        return lambda seed: keras.layers.RandomTranslation(by, by, seed=seed)

    plain = Recipe()
    changed = [
        plain.but(rate=0.1), plain.but(warmup=0.1), plain.but(ema=0.9), plain.but(optimizer="Adam"),
        plain.but(augment=shift(0.1)), plain.but(augment=shift(0.2)), plain.but(label_smoothing=0.1),
    ]  # fmt: skip
    assert len({each.digest() for each in [plain, *changed]}) == 8
    assert plain.but(augment=shift(0.1)).digest() == plain.but(augment=shift(0.1)).digest()


@pytest.mark.parametrize(
    "values, told",
    [
        ({"optimizer": "SDG"}, "did you mean 'SGD'"),
        ({"optimizer": "schedules"}, "no optimiser"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"precision": "float8"}, "no precision of a recipe is called 'float8'"),
        ({"rate": 0.0}, "rate above 0, not 0.0"),
        ({"batch_size": 0}, "batch_size above 0, not 0"),
        ({"warmup": 1.0}, "warmup from 0 to below 1, not 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing from 0 to below 1, not -0.1"),
        ({"clip": 0.0}, "clip above 0, or None, not 0.0"),
    ],
)
def test_bad_values_are_named(values: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Recipe(**values)


def test_names() -> None:
    assert training.recipe("plain") is training.recipes()["plain"]
    with pytest.raises(ValueError, match="did you mean 'steady'"):
        training.recipe("stedy")
    with pytest.raises(TypeError, match="a recipe is a Recipe or a name, not int"):
        training.recipe(3)
    with pytest.raises(ValueError, match="no field of a recipe is called 'ratio'; did you mean 'rate'"):
        Recipe().but(ratio=1.0)
    with pytest.raises(ValueError, match=r"a recipe needs rates by the names of layers, not 1\.0"):
        Recipe().but(rates=1.0)


def test_a_recipe_without_decay_has_none_although_keras_has_one() -> None:
    assert Recipe("AdamW", rate=0.1).make_optimizer(10).weight_decay is None
    assert Recipe("AdamW", rate=0.1, weight_decay=0.02).make_optimizer(10).weight_decay == 0.02

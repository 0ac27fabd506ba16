"""A guard that cannot fail is worse than none: each common check meets a network with one fault."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnkit import models, scratch
from cnnkit.models import Input, Stage, Weights
from tests.models.common import FACTS, NUMBERS, NUMBERS_ONCE, builder_of, case_fault
from tests.models.variants import Case

CHECKS = NUMBERS | NUMBERS_ONCE
pytestmark = pytest.mark.usefixtures("models_of_this_test")

CARD = {
    "title": "A sound net of two convolutions",
    "year": 2026,
    "classes": 10,
    "inputs": Input((8, 8, 3), minimum=(4, 4)),
    "parameters": 170,
    "total_parameters": 178,
    "multiply_adds": 8 * 8 * 108 + 4 * 10,
    "receptive_field": (3, 3),
    "stages": {1: Stage("relu", 1)},
}


def sound(
    classes, input_shape, *, change: Callable = lambda x: x, last: str = "", bias: bool = True, half=False
):
    """One convolution with its norm, the mean over all places, a dense layer of scores."""
    inputs = keras.Input(input_shape, name="image")
    x = layers.Conv2D(4, 3, padding="same", use_bias=bias, name="conv" + last)(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = change(layers.ReLU(name="relu")(x))
    if classes is None:
        return keras.Model(inputs, x)
    x = layers.GlobalAveragePooling2D(data_format="channels_last", name="average")(x)
    x = layers.Dense(classes, dtype=None if half else models.score_dtype(), name="scores")(x)
    return keras.Model(inputs, x)


def oracle(w, x):
    x = scratch.convolve2d(x, w["conv/kernel"], w["conv/bias"], padding="same")
    x = (x - w["norm/moving_mean"]) / np.sqrt(w["norm/moving_variance"] + 1e-3) * w["norm/gamma"] + w[
        "norm/beta"
    ]
    return scratch.relu(x).mean(axis=(1, 2)) @ w["scores/kernel"] + w["scores/bias"]


CASE: Case = {"oracle": oracle}


def register(builder: Callable[..., keras.Model] = sound, **fields: object) -> str:
    models.register("net", **{**CARD, **fields})(builder)
    return "net"


def dark(x):
    """A branch in which no unit ever speaks, beside the sound one."""
    silent = layers.Conv2D(4, 1, bias_initializer=keras.initializers.Constant(-1), name="silent")(x)
    return layers.Add(name="add")([x, layers.ReLU(name="never")(ops.minimum(silent, -1.0))])


def ignores(classes, input_shape):
    """Scores that do not depend on the image."""
    return sound(classes, input_shape, change=lambda x: x * 0.0 + 1.0)


def nearly_ignores(classes, input_shape):
    """What MobileNet was under the weights of old: a signal that dies on its way."""
    return sound(classes, input_shape, change=lambda x: x * 1e-4)


def dead_branch(classes, input_shape):
    return sound(classes, input_shape, change=dark)


def cuts_the_gradient(classes, input_shape):
    return sound(classes, input_shape, change=ops.stop_gradient)


def overflows_in_half(classes, input_shape):
    return sound(classes, input_shape, change=lambda x: (x * 1e5) * 1e-5)


def mixes_the_batch(classes, input_shape):
    return sound(classes, input_shape, change=lambda x: x - 0.5 * ops.mean(x, axis=0, keepdims=True))


def wrong_values(classes, input_shape):
    return sound(classes, input_shape, change=lambda x: x * 1.001)


def scores_in_half(classes, input_shape):
    return sound(classes, input_shape, half=True)


def always_ten(classes, input_shape):
    return sound(classes and 10, input_shape)


def keeps_its_head(classes, input_shape):
    return sound(classes or 10, input_shape)


def other_maps_without_a_head(classes, input_shape):
    return sound(classes, input_shape, change=(lambda x: -x) if classes is None else (lambda x: x))


def smaller_maps_without_a_head(classes, input_shape):
    pool = layers.MaxPooling2D(2, name="pool")
    return sound(classes, input_shape, change=pool if classes is None else (lambda x: x))


def without_names(classes, input_shape):
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(layers.Conv2D(4, 3)(inputs))
    return keras.Model(inputs, layers.Dense(classes)(x))


def takes_any_layout(classes, input_shape):
    """A layer that the builder keeps, and that is not made anew in the layout of `create`."""
    pool = layers.AveragePooling2D(2, data_format=keras.config.image_data_format(), name="pool")
    return sound(classes, input_shape, change=pool)


@pytest.mark.parametrize("check", FACTS)
def test_a_sound_net_passes_every_check_of_facts(check: str) -> None:
    FACTS[check](register())


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_net_passes_every_check_of_numbers(check: str) -> None:
    CHECKS[check](register(), CASE)


@pytest.mark.parametrize(
    ("check", "builder", "fields", "message"),
    [
        ("counts", sound, {"parameters": 169}, "170 trainable parameters"),
        ("counts", sound, {"total_parameters": 174}, "178 in total"),
        ("counts", sound, {"multiply_adds": 8 * 8 * 108}, "multiply-adds"),
        ("counts", sound, {"published_multiply_adds": 7.2e3}, "from the published"),
        ("counts", sound, {"receptive_field": (5, 5)}, "a field of (3, 3)"),
        ("outputs", sound, {"outputs": ("boxes", "scores")}, "1 outputs"),
        ("outputs", sound, {"inputs": {"a": CARD["inputs"], "b": Input((4,))}}, "1 inputs"),
        ("outputs", always_ten, {}, "10 scores for classes=3"),
        ("dtypes", scores_in_half, {}, "the scores under mixed_float16 are float16"),
        ("names", without_names, {}, "no name of its own"),
        ("stages", keeps_its_head, {"stages": {}}, "left the head"),
        ("stages", smaller_maps_without_a_head, {}, "does not end in stage relu"),
        ("stages", sound, {"stages": {1: Stage("relu", 2)}}, "stage 1 has stride"),
        ("card", sound, {"inputs": Input((8, 8, 3), range=(1.0, 0.0))}, ""),
    ],
)
def test_each_check_of_facts_catches_its_fault(check, builder, fields, message) -> None:
    name = register(only_one_input(builder) if isinstance(fields.get("inputs"), dict) else builder, **fields)
    with pytest.raises(AssertionError) as caught:
        FACTS[check](name)
    assert message in str(caught.value)


def only_one_input(builder):
    def build(classes, input_shape):
        return builder(classes, input_shape["a"])

    return build


@pytest.mark.parametrize("check", ["values", "batch_sizes", "gradients", "training", "mixed_precision"])
@pytest.mark.parametrize("builder", [ignores, nearly_ignores])
def test_every_check_that_computes_catches_a_net_that_ignores_its_input(check, builder) -> None:
    name = register(builder)
    case = {"pinned": (0, 0, 0), "half": 1e3}
    with pytest.raises(AssertionError, match="is the same for two different inputs"):
        CHECKS[check](name, case)


@pytest.mark.parametrize(
    ("check", "builder", "case", "message"),
    [
        ("values", wrong_values, {}, "NumPy oracle"),
        ("values", sound, {"oracle": None, "pinned": (0.1, 0.2, 0.3)}, "pinned; now"),
        ("batch_sizes", mixes_the_batch, {}, "one image among four"),
        ("gradients", dead_branch, {}, "no gradient reaches silent/kernel"),
        ("gradients", cuts_the_gradient, {}, "no gradient reaches conv/kernel"),
        ("mixed_precision", overflows_in_half, {}, "nan or inf"),
        ("mixed_precision", scores_in_half, {}, ""),
        ("mixed_precision", sound, {"half": 1e-9}, "mixed precision: off by"),
        ("options", sound, {"options": [({"bias": False}, 170)]}, "166 parameters"),
        ("backbone", other_maps_without_a_head, {}, "without its head: off by"),
    ],
)
def test_each_check_of_numbers_catches_its_fault(check, builder, case, message) -> None:
    case = {key: value for key, value in {**CASE, **case}.items() if value is not None}
    with pytest.raises(AssertionError) as caught:
        CHECKS[check](register(builder), case)
    assert message in str(caught.value)


def test_the_global_layout_of_keras_does_not_reach_a_builder() -> None:
    FACTS["layout"](register(takes_any_layout))


def test_training_catches_a_gradient_that_is_no_number() -> None:
    # Its value is x, its slope infinity times zero, on every backend.
    name = register(
        lambda classes, input_shape: sound(
            classes, input_shape, change=lambda x: ops.add(x, ops.sqrt(ops.multiply(x, 0.0)))
        )
    )
    with pytest.raises(AssertionError, match=r"the losses .*nan"):
        CHECKS["training"](name, CASE)


def words(classes, input_shape, *, masked: bool = True):
    inputs = keras.Input(input_shape, name="tokens", dtype="int32")
    x = layers.Embedding(20, 4, mask_zero=masked, name="embedding")(inputs)
    x = layers.GlobalAveragePooling1D(data_format="channels_last", name="average")(x)
    return keras.Model(inputs, layers.Dense(classes, name="scores")(x))


@pytest.mark.parametrize("masked", [True, False])
def test_masks_catch_a_net_that_reads_the_padding(masked: bool) -> None:
    tokens = Input((None,), dtype="int32", range=(1, 20))
    name = register(partial(words, masked=masked), kind="sequence", inputs=tokens)
    case = {"padding": 0, "inputs": lambda rng: rng.integers(1, 20, size=9)}
    if masked:
        CHECKS["masks"](name, case)
    else:
        with pytest.raises(AssertionError, match="a padded sequence: off by"):
            CHECKS["masks"](name, case)


def test_small_inputs_catch_a_minimum_that_is_too_small() -> None:
    def needs_eight(classes, input_shape):
        return sound(classes, input_shape, change=layers.MaxPooling2D(8, name="pool"))

    # Keras 3.10 makes an empty map of it, and a mean of nothing.
    with pytest.raises((ValueError, AssertionError), match=r"pool|holds nan"):
        CHECKS["small_inputs"](register(needs_eight), CASE)


def test_trained_weights_without_a_file_or_an_origin_are_caught() -> None:
    given = {"classes": 10, "input_shape": (8, 8, 3), "licence": "CC0-1.0"}
    name = register(weights={"gone": Weights(file="weights/gone.weights.h5", origin="nowhere", **given)})
    with pytest.raises(FileNotFoundError, match="gone"):
        CHECKS["trained_weights"](name, CASE)
    models.register("other", **CARD, weights={"tag": Weights(file="x", origin="", **given)})(sound)
    with pytest.raises(AssertionError, match="no origin"):
        CHECKS["trained_weights"]("other", CASE)


def test_a_builder_without_a_case_is_named() -> None:
    name = register()
    assert "has no case" in case_fault(name, {})
    assert "no such model" in case_fault("gone", {"gone": CASE})
    assert "unknown keys" in case_fault(name, {name: {**CASE, "orcale": oracle}})
    assert "a NumPy oracle or pinned numbers" in case_fault(name, {name: {}})
    assert case_fault(name, {name: CASE}) is None
    assert builder_of(name) is sound


def test_a_variant_of_a_builder_with_a_case_needs_none() -> None:
    models.register("variant", **CARD)(partial(sound, bias=False))
    assert case_fault("variant", {register(): CASE}) is None

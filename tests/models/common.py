"""What every registered model must pass, each check a function of (name, case).

A case is a dict:

- `twin`: `twin(weights, x) -> scores`, a NumPy forward pass; `weights` maps "layer/weight" to an array.
- `pinned`: in place of a twin, `(mean, standard deviation, last value)` of the scores of a batch of three,
  computed once; what makes the three backends equal where there is no twin.
- `input_shape`: what the checks use where the card's own shape would be slow.
- `options`: further builder options to try beside the default, each with its exact parameter count:
  `[({"connections": "full"}, 60_900), ...]`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit import gradients, models
from cnnkit._paths import resource

Case = dict[str, Any]
KNOWN_KEYS = {"twin", "pinned", "input_shape", "options"}


def load_cases() -> dict[str, Case]:
    """Model name -> its case, from all modules of cases."""
    found: dict[str, Case] = {}
    folder = Path(__file__).parent / "cases"
    for module in pkgutil.iter_modules([str(folder)]):
        for name, case in importlib.import_module(f"tests.models.cases.{module.name}").CASES.items():
            assert name not in found, f"{name} has two cases"
            found[name] = case
    return found


def case_fault(name: str, cases: dict[str, Case]) -> str | None:
    """What is wrong with the case of one registered model, or None."""
    if name not in cases:
        return f"{name} has no case: add CASES['{name}'] to a module of tests/models/cases"
    if name not in models.names():
        return f"{name} has a case but no such model is registered"
    if strange := set(cases[name]) - KNOWN_KEYS:
        return f"the case of {name} has unknown keys {sorted(strange)}"
    if not ("twin" in cases[name]) ^ ("pinned" in cases[name]):
        return f"the case of {name} needs a NumPy twin or pinned numbers, one of the two"
    return None


def shape_of(name: str, case: Case) -> tuple[int, ...]:
    return case.get("input_shape", models.card(name).input_shape)


def images(name: str, case: Case, batch: int) -> np.ndarray:
    """Numbers in the range that the card tells; the first images do not depend on the batch."""
    low, high = models.card(name).input_range
    shape = shape_of(name, case)
    rows = [np.random.default_rng([7, row]).uniform(low, high, size=shape) for row in range(batch)]
    return np.stack(rows).astype("float32")


def scores(model: keras.Model, x: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(model(ops.convert_to_tensor(x), training=False))


def make(name: str, case: Case, **more: Any) -> keras.Model:
    """The model with trainable weights that are the same on every backend."""
    model = models.create(name, input_shape=shape_of(name, case), **more)
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        weight.assign((rng.normal(size=weight.shape) / np.sqrt(fan_in)).astype("float32"))
    return model


def near(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape} instead of {want.shape}"
    worst = np.max(np.abs(got - want) / (1 + np.abs(want)))
    assert worst <= tolerance, f"{what}: off by {worst:.2g}, allowed {tolerance:g}"


def check_card(name: str, case: Case) -> None:
    """The card says where the model is from, in a form that can be followed."""
    card = models.card(name)
    assert card.name == name
    assert card.paper is None or re.match(r"(doi:10\.\d{4,}/\S+|arXiv:\d{4}\.\d{4,5})$", card.paper), (
        card.paper
    )
    assert re.match(r"([a-z]+/)?\d\d-[a-z-]+$", card.chapter), card.chapter
    assert (card.error is None) == (card.error_protocol is None), "an error goes with how it was obtained"
    assert card.input_range[0] < card.input_range[1]
    assert name in str(card) and str(card.year) in str(card)
    assert "error" in card.as_dict()


def check_parameters(name: str, case: Case) -> None:
    """The count of the default model is exactly the card's, and so is that of each option in the case."""
    count = models.create(name).count_params()
    assert count == models.card(name).parameters, f"{count:,} parameters, the card says otherwise"
    for options, wanted in case.get("options", ()):
        count = models.create(name, **options).count_params()
        assert count == wanted, f"{count:,} parameters with {options}, not {wanted:,}"


def check_values(name: str, case: Case) -> None:
    """Equal to the NumPy twin, or to pinned numbers: hence equal on every backend."""
    model, x = make(name, case), images(name, case, 3)
    got = scores(model, x)
    assert np.isfinite(got).all(), "the scores hold nan or inf"
    if "twin" in case:
        names = ("/".join(weight.path.split("/")[-2:]) for weight in model.weights)
        weights = dict(zip(names, model.get_weights(), strict=True))
        near(got, case["twin"](weights, x), 1e-5, "the model against its NumPy twin")
    else:
        facts = np.array([got.mean(), got.std(), got.flat[-1]])
        near(facts, np.asarray(case["pinned"]), 1e-5, f"pinned; now {tuple(facts)}")


def check_prepared_images(name: str, case: Case) -> None:
    """`prepare` takes images in [0, 1] of any size to the shape and the range of the card."""
    card = models.card(name)
    for side in (8, 28):
        given = np.random.default_rng(0).uniform(size=(2, side, side, card.input_shape[-1]))
        prepared = card.prepare(given)
        assert prepared.dtype == np.float32
        low, high = card.input_range
        assert prepared.min() >= low - 1e-6 and prepared.max() <= high + 1e-6
        if card.preprocessing is not None:
            assert prepared.shape == (2, *card.input_shape)


def check_batch_sizes(name: str, case: Case) -> None:
    """One image alone gives what it gives among seven."""
    model = make(name, case)
    one, seven = scores(model, images(name, case, 1)), scores(model, images(name, case, 7))
    assert one.shape == (1, models.card(name).classes) and len(seven) == 7
    near(seven[:1], one, 1e-5, "one image among seven")


def check_classes(name: str, case: Case) -> None:
    """`classes=` sets the number of scores."""
    for classes in (3, 12):
        assert models.create(name, classes=classes).output_shape == (None, classes)


def check_gradients(name: str, case: Case) -> None:
    """A gradient reaches every trainable weight."""
    model, x = make(name, case), images(name, case, 4)
    factors = np.random.default_rng(5).normal(size=(4, models.card(name).classes)).astype("float32")
    _, slopes = gradients.weight_gradients(model, lambda y: ops.sum(ops.multiply(y, factors)), x)
    for weight, slope in zip(model.trainable_weights, slopes, strict=True):
        assert np.isfinite(slope).all(), f"the gradient into {weight.path} holds nan or inf"
        assert np.any(slope != 0), f"no gradient reaches {weight.path}"


def check_save_and_load(name: str, case: Case) -> None:
    """Saved whole it comes back the same; its weights alone go back through `create`."""
    model, x = make(name, case), images(name, case, 2)
    want = scores(model, x)
    with tempfile.TemporaryDirectory() as folder:
        whole, alone = Path(folder) / "model.keras", Path(folder) / "model.weights.h5"
        model.save(whole)
        model.save_weights(alone)
        near(scores(keras.models.load_model(whole), x), want, 1e-6, "the loaded model")
        again = models.create(name, input_shape=shape_of(name, case), weights=alone)
        near(scores(again, x), want, 1e-6, "weights loaded by create")


def check_mixed_precision(name: str, case: Case) -> None:
    """Under `mixed_float16` the weights and the scores stay float32, the values stay near."""
    full, x = make(name, case), images(name, case, 2)
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        half = make(name, case)
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    half.set_weights(full.get_weights())
    assert any(layer.compute_dtype == "float16" for layer in half.layers), "no layer computes in float16"
    got = scores(half, x)
    assert got.dtype == np.float32, f"the scores under mixed_float16 are {got.dtype}"
    near(got, scores(full, x), 3e-2, "mixed precision")


def check_small_inputs(name: str, case: Case) -> None:
    """At the card's minimum it runs; one pixel less is refused before any operation fails."""
    card = models.card(name)
    minimum = card.minimum or (1,) * (len(card.input_shape) - 1)
    shape = (*minimum, card.input_shape[-1])
    model = models.create(name, input_shape=shape)
    assert scores(model, np.zeros((1, *shape), dtype="float32")).shape == (1, card.classes)
    if card.minimum:
        too_small = (*(side - 1 for side in minimum), card.input_shape[-1])
        try:
            models.create(name, input_shape=too_small)
        except ValueError as error:
            wanted = "x".join(map(str, minimum))
            assert wanted in str(error) and "x".join(map(str, too_small[:-1])) in str(error), error
        else:
            raise AssertionError(f"{too_small} is below the card's minimum and was taken")


def check_trained_weights(name: str, case: Case) -> None:
    """Each set of weights that the card offers is there and loads."""
    for key, entry in models.card(name).weights.items():
        assert resource(entry.file).is_file()
        model = models.create(name, weights=key)
        assert model.output_shape == (None, entry.classes)
        fresh = models.create(name, classes=entry.classes, input_shape=entry.input_shape)
        same = [np.array_equal(a, b) for a, b in zip(model.get_weights(), fresh.get_weights(), strict=True)]
        assert not any(same), "some weights were not read from the file"


CHECKS: dict[str, Callable[[str, Case], None]] = {
    function.__name__.removeprefix("check_"): function
    for function in (
        check_card,
        check_parameters,
        check_values,
        check_prepared_images,
        check_batch_sizes,
        check_classes,
        check_gradients,
        check_save_and_load,
        check_mixed_precision,
        check_small_inputs,
        check_trained_weights,
    )
}

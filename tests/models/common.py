"""What every registered model must pass, in two tiers.

FACTS are checks of a name alone, at full size and without a value in any weight: counts, shapes, stages, names.
NUMBERS are checks of (name, case) on one small variant, which is made once: values, gradients, a step of training.
Each builder needs one case, each variant of it may have one. A case is a dict:

- `oracle`: `oracle(weights, x) -> scores`, a NumPy forward pass; `weights` maps "layer/weight" to an array.
- `pinned`: in place of an oracle, `(mean, standard deviation, last value)` of the outputs of a batch of four,
  computed once; what makes the three backends equal where there is no oracle.
- `input_shape`: what the numbers use where the card's own shape would be slow.
- `small`: builder options that make the variant small.
- `options`: further builder options to try beside the default, each with its exact trainable count:
  `[({"connections": "full"}, 60_900), ...]`.
- `inputs`: `inputs(rng) -> one input without the batch`, where a picture or a row of tokens would not do.
- `padding`: what fills the end of a shorter sequence; it must not change the scores.
- `half`: how far half precision may be off, where a hundredth or three would be too strict.

Every check that computes asserts in `outputs` that different images give different scores: weights under which the
signal dies prove nothing.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit import gradients, insight, models
from cnnkit._paths import resource
from cnnkit.models.registry import lookup
from tests.models.variants import BATCH, Case, copied, enliven, fresh, inputs, near, outputs, small

KNOWN_KEYS = {"oracle", "pinned", "input_shape", "small", "options", "inputs", "padding", "half"}


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
    if name not in models.names():
        return f"{name} has a case but no such model is registered"
    if name not in cases:
        if builder_of(name) in map(builder_of, set(cases) & set(models.names())):
            return None
        return f"{name} has no case: add CASES['{name}'] to a module of tests/models/cases"
    if strange := set(cases[name]) - KNOWN_KEYS:
        return f"the case of {name} has unknown keys {sorted(strange)}"
    if not ("oracle" in cases[name]) ^ ("pinned" in cases[name]):
        return f"the case of {name} needs a NumPy oracle or pinned numbers, one of the two"
    return None


def builder_of(name: str) -> Callable[..., keras.Model]:
    """The function behind a name, without the options that make a variant of it."""
    builder = lookup(name)[1]
    return getattr(builder, "func", builder)


# -------------------------------------------------------------------------------------------------------------- facts


def check_card(name: str) -> None:
    """The card names the model, prints, and goes to JSON."""
    card = models.card(name)
    assert card.name == name
    assert name in str(card) and str(card.year) in str(card)
    assert json.loads(json.dumps(card.as_dict()))["parameters"] == card.parameters
    assert card.input_range[0] < card.input_range[1]
    assert name in models.names(family=card.family, kind=card.kind)
    default = inspect.signature(lookup(name)[1]).parameters["input_shape"].default
    assert default in (inspect.Parameter.empty, None, card.input_shape), (
        f"its builder makes inputs of {default} where none are asked for, and the card says {card.input_shape}"
    )


def check_counts(name: str) -> None:
    """What is trained, what is kept, what is multiplied and seen: to the last integer what the card says."""
    card = models.card(name)
    with models.without_values():
        model = models.create(name)
    counted = trainable(model), model.count_params()
    assert counted[0] == card.parameters, (
        f"{counted[0]:,} trainable parameters, the card says {card.parameters}"
    )
    assert counted[1] == card.total_parameters, (
        f"{counted[1]:,} in total, the card says {card.total_parameters}"
    )
    if card.multiply_adds is not None:
        count = insight.multiply_adds(model)
        assert count == card.multiply_adds, f"{count:,} multiply-adds, the card says {card.multiply_adds:,}"
        if card.published_multiply_adds:
            off = abs(count / card.published_multiply_adds - 1)
            assert off < 0.01, f"{count:,} multiply-adds, {off:.1%} from the published"
    if card.receptive_field is not None:
        last = list(card.stages.values())[-1].layer if card.stages else None
        size = insight.receptive_field(model, last).size
        assert size == tuple(card.receptive_field), f"a field of {size}, the card says {card.receptive_field}"


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def check_outputs(name: str) -> None:
    """As many outputs as the card names; `classes` sets the number of scores."""
    card = models.card(name)
    with models.without_values():
        model = models.create(name)
        assert len(model.outputs) == len(card.outputs), (
            f"{len(model.outputs)} outputs, the card names {card.outputs}"
        )
        assert len(model.inputs) == len(card.inputs), (
            f"{len(model.inputs)} inputs, the card names {[*card.inputs]}"
        )
        for classes in (card.classes, 3, 12) if card.classes else ():
            wide = models.create(name, classes=classes)
            for output in wide.outputs:
                assert output.shape[-1] == classes, f"{output.shape[-1]} scores for classes={classes}"


def check_dtypes(name: str) -> None:
    """Scores are never in half precision, and in double precision where that is asked for."""
    for dtype, wanted in (
        ("mixed_float16", "float32"),
        ("mixed_bfloat16", "float32"),
        ("float64", "float64"),
    ):
        with models.without_values():
            model = models.create(name, dtype=dtype)
        for output in model.outputs:
            told = keras.backend.standardize_dtype(output.dtype)
            assert told == wanted, f"the scores under {dtype} are {told}, not {wanted}"
        half = any(layer.compute_dtype == dtype.removeprefix("mixed_") for layer in model.layers)
        assert half, f"no layer computes in {dtype}"


def check_layout(name: str) -> None:
    """Channels are last, whatever Keras's own setting is."""
    before = keras.config.image_data_format()
    with models.without_values():
        wanted = [output.shape for output in models.create(name).outputs]
        keras.config.set_image_data_format("channels_first")
        try:
            got = [output.shape for output in models.create(name).outputs]
        finally:
            keras.config.set_image_data_format(before)
    assert got == wanted


def check_names(name: str) -> None:
    """Made twice, its weights have the same paths: layers have names of their own and not Keras's running numbers."""
    with models.without_values():
        first, second = ([weight.path for weight in models.create(name).weights] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one == other, f"a layer has no name of its own: its weight is '{one}' and then '{other}'"


def check_stages(name: str) -> None:
    """Without its head it ends in maps, the last stage's where there are stages; each stage steps as its card says."""
    card = models.card(name)
    if card.classes is None:
        return
    with models.without_values():
        whole, bare = models.create(name), models.create(name, classes=None)
        assert len(bare.layers) < len(whole.layers), "classes=None left the head where it was"
        pooled = models.create(name, classes=None, pooling="avg")
        assert pooled.output_shape == (None, bare.output_shape[-1])
        if not card.stages:
            return
        maps = models.create(name, features=tuple(card.stages)).outputs
        last = list(card.stages.values())[-1].layer
        assert maps[-1].shape == bare.output.shape, f"without its head it does not end in stage {last}"
        for (stage, entry), output in zip(card.stages.items(), maps, strict=True):
            assert output.shape == whole.get_layer(entry.layer).output.shape
            strides = insight.receptive_field(whole, entry.layer).stride
            assert set(strides) == {entry.stride}, (
                f"stage {stage} has stride {strides}, the card says {entry.stride}"
            )


def check_minimum(name: str) -> None:
    """One pixel less than the card's minimum is refused before any operation fails."""
    for key, entry in models.card(name).inputs.items():
        if not entry.minimum:
            continue
        tail = entry.shape[-1:] if entry.has_channels else ()
        too_small = (*(side - 1 for side in entry.minimum), *tail)
        shapes = {k: e.shape for k, e in models.card(name).inputs.items()} | {key: too_small}
        try:
            models.create(name, input_shape=shapes if len(shapes) > 1 else too_small)
        except ValueError as error:
            wanted = "x".join(map(str, entry.minimum))
            assert wanted in str(error) and "x".join(map(str, too_small[: len(entry.minimum)])) in str(
                error
            ), error
        else:
            raise AssertionError(f"{too_small} is below the card's minimum and was taken")


# ------------------------------------------------------------------------------------------------------------ numbers


def check_options(name: str, case: Case) -> None:
    """Each further option of the case has its exact count."""
    for options, wanted in case.get("options", ()):
        with models.without_values():
            count = trainable(models.create(name, **options))
        assert count == wanted, f"{count:,} parameters with {options}, not {wanted:,}"


def check_values(name: str, case: Case) -> None:
    """Compiled, it equals the NumPy oracle or the pinned numbers: hence it is equal on every backend."""
    model, x = small(name, case), inputs(name, case)
    got = outputs(model, x, compiled=True)
    if "oracle" in case:
        names = ("/".join(weight.path.split("/")[-2:]) for weight in model.weights)
        weights = dict(zip(names, model.get_weights(), strict=True))
        want = case["oracle"](weights, x)
        near(got, want if isinstance(want, list) else [want], 1e-5, "the model against its NumPy oracle")
    else:
        facts = np.array([np.mean(got[0]), np.std(got[0]), got[-1].flat[-1]])
        near(facts, np.asarray(case["pinned"]), 1e-4, f"pinned; now {tuple(facts.tolist())}")


def check_batch_sizes(name: str, case: Case) -> None:
    """One image alone and not compiled gives what it gives, compiled, among four."""
    model = small(name, case)
    one, four = outputs(model, inputs(name, case, 1)), outputs(model, inputs(name, case), compiled=True)
    assert all(len(part) == BATCH for part in four), "the batch came out as another number"
    near([part[:1] for part in four], one, 1e-4, "one image among four")


def check_gradients(name: str, case: Case) -> None:
    """A gradient reaches every trainable weight."""
    model, x = small(name, case), inputs(name, case)
    rng = np.random.default_rng(5)
    factors = [rng.normal(size=part.shape).astype("float32") for part in outputs(model, x)]

    def loss(answer: Any) -> Any:
        parts = zip(keras.tree.flatten(answer), factors, strict=True)
        return sum(ops.sum(ops.multiply(part, factor)) for part, factor in parts)

    _, slopes = gradients.weight_gradients(model, loss, x)
    for weight, slope in zip(model.trainable_weights, slopes, strict=True):
        assert np.isfinite(slope).all(), f"the gradient into {weight.path} holds nan or inf"
        assert np.any(slope != 0), f"no gradient reaches {weight.path}"


def check_training(name: str, case: Case) -> None:
    """A few compiled steps of training on one batch lower the loss."""
    model, x = small(name, case), inputs(name, case)
    aims = [np.random.default_rng(6).normal(size=part.shape).astype("float32") for part in outputs(model, x)]
    loss = ["mse"] * len(aims) if len(aims) > 1 else "mse"
    model.compile(
        keras.optimizers.Adam(1e-3), loss, jit_compile=False
    )  # a graph is enough: XLA takes minutes
    aims = aims if len(aims) > 1 else aims[0]
    losses = [float(np.ravel(model.train_on_batch(x, aims))[0]) for _ in range(4)]
    assert np.isfinite(losses).all(), f"the losses {losses}"
    assert losses[-1] < losses[0], (
        f"four steps of training took the loss from {losses[0]:.4g} to {losses[-1]:.4g}"
    )


def check_mixed_precision(name: str, case: Case) -> None:
    """Under `mixed_float16` the scores are what their symbols say, float32, and near."""
    full, x = small(name, case), inputs(name, case)
    half = fresh(name, case, dtype="mixed_float16")
    half.set_weights(full.get_weights())
    got = outputs(half, x)
    for part, symbol in zip(got, half.outputs, strict=True):
        assert str(part.dtype) == keras.backend.standardize_dtype(symbol.dtype) == "float32"
    near(got, outputs(full, x), case.get("half", 3e-2), "mixed precision")


def check_backbone(name: str, case: Case) -> None:
    """Without its head, and at each stage, it gives the maps that the whole net has there."""
    card = models.card(name)
    if card.classes is None or not card.stages:
        return
    whole, x = small(name, case), inputs(name, case)
    ends = [whole.get_layer(stage.layer).output for stage in card.stages.values()]
    want = outputs(keras.Model(whole.input, ends), x)
    near(outputs(copied(fresh(name, case, classes=None), whole), x), want[-1:], 1e-5, "without its head")
    near(outputs(copied(fresh(name, case, features=tuple(card.stages)), whole), x), want, 1e-5, "the stages")


def check_save_and_load(name: str, case: Case) -> None:
    """Saved whole it comes back the same; its weights alone go back through `create`."""
    model, x = small(name, case), inputs(name, case, 2)
    want = outputs(model, x)
    with tempfile.TemporaryDirectory() as folder:
        whole, alone = Path(folder) / "model.keras", Path(folder) / "model.weights.h5"
        model.save(whole)
        model.save_weights(alone)
        near(outputs(keras.saving.load_model(whole, compile=False), x), want, 1e-6, "the loaded model")
        near(outputs(fresh(name, case, weights=alone), x), want, 1e-6, "weights loaded by create")


def check_prepared_images(name: str, case: Case) -> None:
    """`prepare` takes grey and colour of any size to the shape and the range of the card."""
    card = models.card(name)
    if card.preprocessing is None:
        return
    low, high = card.input_range
    for shape in ((8, 8), (28, 28, 1), (45, 30, 3), (2, 300, 200, 3)):
        given = np.random.default_rng(0).integers(0, 256, size=shape).astype("uint8")
        prepared = card.prepare(given)
        assert prepared.dtype == np.float32 and prepared.shape[1:] == card.input_shape
        assert prepared.min() >= low - 1e-6 and prepared.max() <= high + 1e-6
        assert np.ptp(prepared) > (high - low) / 10, "prepared images are flat"


def check_small_inputs(name: str, case: Case) -> None:
    """At the card's minimum it runs, and tells two inputs apart."""
    shapes = {}
    for key, entry in models.card(name).inputs.items():
        tail = entry.shape[-1:] if entry.has_channels else ()
        shapes[key] = (*entry.minimum, *tail) if entry.minimum else entry.shape
    case = {**case, "input_shape": shapes if len(shapes) > 1 else next(iter(shapes.values()))}
    model = fresh(name, case)
    enliven(model)
    outputs(model, inputs(name, case, 2))


def check_masks(name: str, case: Case) -> None:
    """A sequence gives the same scores when it is padded at its end."""
    if "padding" not in case:
        return
    model, x = small(name, case), inputs(name, case)
    longer = np.concatenate([x, np.full_like(x[:, :3], case["padding"])], axis=1)
    near(outputs(model, longer), outputs(model, x), 1e-5, "a padded sequence")


def check_trained_weights(name: str, case: Case) -> None:
    """Each set of weights that the card offers is there and loads."""
    for key, entry in models.card(name).weights.items():
        assert entry.licence and entry.origin, f"'{key}' has no licence or no origin"
        assert resource(entry.file).is_file()
        model = models.create(name, weights=key)
        assert model.output_shape == (None, entry.classes)
        untrained = models.create(name, classes=entry.classes, input_shape=entry.input_shape)
        pairs = zip(model.get_weights(), untrained.get_weights(), strict=True)
        assert not any(np.array_equal(a, b) for a, b in pairs), "some weights were not read from the file"


def checks(*functions: Callable[..., None]) -> dict[str, Callable[..., None]]:
    return {function.__name__.removeprefix("check_"): function for function in functions}


FACTS = checks(
    check_card, check_counts, check_outputs, check_dtypes, check_layout, check_names, check_stages, check_minimum
)  # fmt: skip
#: On each backend: where they could differ.
NUMBERS = checks(
    check_values, check_batch_sizes, check_gradients, check_training, check_mixed_precision
)  # fmt: skip
#: On the default backend only: what is ours, or Keras's own.
NUMBERS_ONCE = checks(
    check_options,
    check_backbone,
    check_save_and_load,
    check_prepared_images,
    check_small_inputs,
    check_masks,
    check_trained_weights,
)

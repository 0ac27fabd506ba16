"""What every layer of cnnkit must pass, each check a function of (layer class, case).

A case is a dict:

- `kwargs`: the constructor's arguments, without `data_format`.
- `input_shape`: one input's shape without the batch axis, channels last; or a list of shapes.
- `inputs`: optional, `inputs(rng, batch) -> array or list of arrays`; the default is normal numbers.
- `twin`: `twin(layer, *inputs) -> array`, the NumPy twin at inference, weights from `layer.get_weights()`.
- `pinned`: in place of a twin, `(mean, standard deviation, last value)` of the output for a batch of three,
  computed once; what makes the three backends equal where there is no twin.
- `training`: `"same"` (default: `training=True` changes nothing), or `"differs"`.
- `fixed_size`: True where height and width must be known when the layer is built.
- `gradients_into`: indices of the inputs that a gradient must reach (default: all of them).
- `layout`: False where `data_format` does not mean something; otherwise a layer without it fails.
- `layout_inputs`: indices of the inputs that are images (default: the first).
- `layout_output`: the channel axis of the output under channels_first (default 1); None where the output
  is no image, hence equal in both layouts.
- `weights`: optional, `weights(rng, layer) -> list` for `set_weights`; the default draws the trainable ones.
- `exact_gradient`: False where the gradient is by design not the slope (straight-through and the like), or the
  indices of the inputs for which it is.
- `dead_weights`: names of weights that may get no gradient, as a set (say why beside it).
- `tolerance`: of the values, 1e-5 unless the case says more (and why).
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import cnnkit
from cnnkit import gradients
from cnnkit.layers.registry import LAYERS

Case = dict[str, Any]
KNOWN_KEYS = {
    "kwargs",
    "input_shape",
    "inputs",
    "twin",
    "pinned",
    "training",
    "fixed_size",
    "gradients_into",
    "layout",
    "layout_inputs",
    "layout_output",
    "dead_weights",
    "tolerance",
    "weights",
    "exact_gradient",
}


def load_every_layer() -> None:
    """Import every module that may register layers, exported or not, so that none can hide."""
    for part in ("layers", "origins", "models", "tasks", "training"):
        folder = Path(cnnkit.__file__).parent / part
        if not folder.is_dir():
            continue
        importlib.import_module(f"cnnkit.{part}")
        for module in pkgutil.iter_modules([str(folder)]):
            importlib.import_module(f"cnnkit.{part}.{module.name}")


def load_cases() -> dict[str, tuple[str, list[Case]]]:
    """Layer name -> (the module of cases that names it, its cases)."""
    found: dict[str, tuple[str, list[Case]]] = {}
    folder = Path(__file__).parent / "cases"
    for module in pkgutil.iter_modules([str(folder)]):
        cases = importlib.import_module(f"tests.layers.cases.{module.name}").CASES
        for name, rows in cases.items():
            assert name not in found, f"{name} has cases in two modules: {found[name][0]} and {module.name}"
            found[name] = (module.name, rows)
    return found


def case_fault(name: str, cases: dict[str, tuple[str, list[Case]]]) -> str | None:
    """What is wrong with the cases of one registered layer, or None."""
    where = LAYERS[name].__module__.rsplit(".", 1)[-1] if name in LAYERS else "?"
    if name not in cases or not cases[name][1]:
        return f"{name} has no case: add CASES['{name}'] to tests/layers/cases/{where}.py"
    if name not in LAYERS:
        return f"{name} has cases in {cases[name][0]}.py but no such layer is registered"
    for case in cases[name][1]:
        if strange := set(case) - KNOWN_KEYS:
            return f"a case of {name} has unknown keys {sorted(strange)}"
        if not callable(case.get("twin")) and "pinned" not in case:
            return f"a case of {name} has neither a NumPy twin nor pinned numbers"
    return None


def make_inputs(case: Case, batch: int = 3, seed: int = 0) -> list[np.ndarray]:
    """The case's inputs, float32, the same on every backend; the first rows do not depend on the batch."""
    rows = []
    shapes = case["input_shape"] if isinstance(case["input_shape"], list) else [case["input_shape"]]
    for row in range(batch):
        rng = np.random.default_rng([seed, row])
        if "inputs" in case:
            made = case["inputs"](rng, 1)
            rows.append(made if isinstance(made, list) else [made])
        else:
            rows.append([rng.normal(size=(1, *shape)) for shape in shapes])
    return [np.concatenate(parts).astype("float32") for parts in zip(*rows, strict=True)]


def call(layer: keras.Layer, inputs: list[np.ndarray], **options: Any) -> np.ndarray:
    """The layer's output as NumPy."""
    tensors = [ops.convert_to_tensor(x) for x in inputs]
    return ops.convert_to_numpy(layer(tensors[0] if len(tensors) == 1 else tensors, **options))


def build(cls: type[keras.Layer], case: Case, **extra: Any) -> keras.Layer:
    """A built layer whose trainable weights are the same on every backend; fixed weights stay as they are."""
    layer = cls(**case["kwargs"], **extra)
    inputs = make_inputs(case, 1)
    call(layer, to_channels_first(case, inputs) if extra.get("data_format") == "channels_first" else inputs)
    rng = np.random.default_rng(1)
    if "weights" in case:
        layer.set_weights(case["weights"](rng, layer))
    else:
        for weight in layer.trainable_weights:
            weight.assign((0.5 * rng.normal(size=weight.shape)).astype("float32"))
    return layer


def as_model(layer: keras.Layer, shapes: list[tuple[int | None, ...]]) -> keras.Model:
    """A functional model of the one layer, its batch size unknown."""
    inputs = [keras.Input(shape) for shape in shapes]
    single = len(inputs) == 1
    return keras.Model(inputs[0] if single else inputs, layer(inputs[0] if single else inputs))


def to_channels_first(case: Case, inputs: list[np.ndarray]) -> list[np.ndarray]:
    images = case.get("layout_inputs", (0,))
    return [np.moveaxis(x, -1, 1) if i in images else x for i, x in enumerate(inputs)]


def near(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape} instead of {want.shape}"
    worst = np.max(np.abs(got - want) / (1 + np.abs(want))) if got.size else 0.0
    assert worst <= tolerance, f"{what}: off by {worst:.2g}, allowed {tolerance:g}"


def no_kernel(error: Exception) -> bool:
    """Whether the backend says that it has no such operation on this device."""
    return type(error).__name__ in ("UnimplementedError", "InvalidArgumentError") and "CPU" in str(error)


def check_values(cls: type[keras.Layer], case: Case) -> None:
    """Equal to the NumPy twin, or to the numbers pinned in the case: hence equal on every backend."""
    layer, inputs = build(cls, case), make_inputs(case)
    got, tolerance = call(layer, inputs), case.get("tolerance", 1e-5)
    assert np.isfinite(got).all(), "the output holds nan or inf"
    if "pinned" in case:
        got64 = got.astype("float64")
        facts = np.array([got64.mean(), got64.std(), got64.flat[-1]])
        assert np.allclose(facts, case["pinned"], atol=tolerance, rtol=tolerance), f"pinned={tuple(facts)}"
    if case.get("twin"):
        near(got, np.asarray(case["twin"](layer, *inputs)), tolerance, "layer against its NumPy twin")


def check_config(cls: type[keras.Layer], case: Case) -> None:
    """`get_config` is JSON, names every argument of the constructor, and makes the same layer again."""
    layer = build(cls, case)
    config = json.loads(json.dumps(layer.get_config()))
    again = cls.from_config(config)
    assert again.get_config() == layer.get_config(), "the layer made from the configuration has another one"
    missing = arguments(cls) - set(config)
    assert not missing, f"get_config leaves out {sorted(missing)}"
    inputs = make_inputs(case)
    call(again, inputs)
    again.set_weights(layer.get_weights())
    near(call(again, inputs), call(layer, inputs), 1e-6, "the layer made from the configuration")


def check_save_and_load(cls: type[keras.Layer], case: Case) -> None:
    """A saved model comes back without custom objects and computes the same."""
    inputs = make_inputs(case)
    layer = build(cls, case)
    model = as_model(layer, [x.shape[1:] for x in inputs])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    near(call(loaded, inputs), call(model, inputs), 1e-6, "the loaded model")


def check_output_shape(cls: type[keras.Layer], case: Case) -> None:
    """`compute_output_shape` tells the shape that comes out, for a known and for an unknown batch."""
    layer, inputs = build(cls, case), make_inputs(case)
    real = call(layer, inputs).shape
    for batch in (3, None):
        shapes = [(batch, *x.shape[1:]) for x in inputs]
        told = tuple(layer.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes))
        assert told == (batch, *real[1:]), f"compute_output_shape tells {told}, the output is {real}"


def check_compiled_with_unknown_sizes(cls: type[keras.Layer], case: Case) -> None:
    """Compiled, with unknown batch (and height and width, unless of fixed size), it computes the same."""
    inputs = make_inputs(case, 7)
    layer = build(cls, case)
    want = call(layer, inputs)
    shapes = [x.shape[1:] for x in inputs]
    if not case.get("fixed_size"):
        shapes = [
            (*(None,) * (len(s) - 1), s[-1]) if i in case.get("layout_inputs", (0,)) else s
            for i, s in enumerate(shapes)
        ]
    fresh = cls(**case["kwargs"])  # not built yet, so that it never sees the size
    model = as_model(fresh, shapes)
    assert len(model.output.shape) == want.ndim
    fresh.set_weights(layer.get_weights())
    got = model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs)
    near(np.asarray(got), want, 1e-5, "compiled against eager")


def check_mixed_precision(cls: type[keras.Layer], case: Case) -> None:
    """Under `mixed_float16` the output is float16, the weights stay float32, the values stay near."""
    full, inputs = build(cls, case), make_inputs(case)
    half = build(cls, case, dtype="mixed_float16")
    half.set_weights(full.get_weights())
    for weight in half.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            assert keras.backend.standardize_dtype(weight.dtype) == "float32", f"{weight.path} is not float32"
    got = call(half, inputs)
    assert got.dtype == np.float16, f"the output under mixed_float16 is {got.dtype}"
    near(got.astype("float32"), call(full, inputs), 2e-2, "mixed precision")


def check_channels_first(cls: type[keras.Layer], case: Case) -> None:
    """`channels_first` on transposed images gives the transposed output; another layout is refused."""
    if case.get("layout") is False:
        assert "data_format" not in arguments(cls), "it takes data_format: drop layout=False from its case"
        pytest.skip("data_format means nothing to this layer")
    try:
        cls(**case["kwargs"], data_format="NHWC")
    except ValueError as error:
        assert "'channels_last' or 'channels_first'" in str(error), f"an unknown data_format gets {error}"
    else:
        raise AssertionError("an unknown data_format is taken without a word")
    last, inputs = build(cls, case), make_inputs(case)
    want = call(last, inputs)
    try:
        first = build(cls, case, data_format="channels_first")
        first.set_weights(last.get_weights())
        got = call(first, to_channels_first(case, inputs))
    except Exception as error:
        if no_kernel(error):
            pytest.skip(
                f"{keras.backend.backend()} has no channels_first kernel on the CPU: {type(error).__name__}"
            )
        raise
    axis = case.get("layout_output", 1)
    near(got, want if axis is None else np.moveaxis(want, -1, axis), 1e-5, "channels_first")
    shapes = [x.shape for x in to_channels_first(case, inputs)]
    told = tuple(first.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes))
    assert told == got.shape, (
        f"under channels_first compute_output_shape tells {told}, the output is {got.shape}"
    )


def check_gradients(cls: type[keras.Layer], case: Case) -> None:
    """A gradient reaches each weight and each input, and is the slope that finite differences see."""
    layer, inputs = build(cls, case), make_inputs(case)
    rng = np.random.default_rng(2)
    factors = rng.normal(size=call(layer, inputs).shape).astype("float32")

    def weighted_sum(output):
        return ops.sum(output * ops.convert_to_tensor(factors))

    def function(*tensors):
        return weighted_sum(layer(tensors[0] if len(tensors) == 1 else list(tensors)))

    _, into_inputs = gradients.value_and_gradient(function, *inputs)
    for i in case.get("gradients_into", range(len(inputs))):
        slope = np.asarray(into_inputs[i])
        assert np.isfinite(slope).all(), f"the gradient into input {i} holds nan or inf"
        assert np.any(slope != 0), f"no gradient reaches input {i}"
        exact = case.get("exact_gradient", True)
        if exact is True or (exact and i in exact):
            step = rng.normal(size=slope.shape).astype("float32") * 1e-3
            moved = [[x + sign * step if j == i else x for j, x in enumerate(inputs)] for sign in (1, -1)]
            up, down = (np.sum(call(layer, m).astype("float64") * factors) for m in moved)
            along = float(np.sum(slope.astype("float64") * step))
            scale = np.linalg.norm(slope) * 1e-3
            seen = (up - down) / 2
            assert abs(seen - along) <= 0.05 * scale + 2e-5, (
                f"the gradient into input {i} promises {along:.3g}, the output moves by {seen:.3g}"
            )
    if not layer.trainable_weights:
        return
    model = as_model(layer, [x.shape[1:] for x in inputs])
    given = inputs if len(inputs) == 1 else [inputs]
    _, into_weights = gradients.weight_gradients(model, weighted_sum, *given)
    for weight, slope in zip(layer.trainable_weights, into_weights, strict=True):
        assert np.isfinite(slope).all(), f"the gradient into {weight.name} holds nan or inf"
        assert weight.name in case.get("dead_weights", ()) or np.any(slope != 0), (
            f"no gradient reaches {weight.name}"
        )


def check_batch_sizes(cls: type[keras.Layer], case: Case) -> None:
    """One image alone gives what it gives among seven."""
    layer = build(cls, case)
    one, seven = call(layer, make_inputs(case, 1)), call(layer, make_inputs(case, 7))
    assert len(one) == 1 and len(seven) == 7, f"batches of 1 and 7 came out as {len(one)} and {len(seven)}"
    near(seven[:1], one, 1e-5, "one image among seven")


def check_training(cls: type[keras.Layer], case: Case) -> None:
    """Inference is the default; `training=True` changes what the case says; a seed repeats chance."""
    layer, inputs = build(cls, case), make_inputs(case)
    default, inference = call(layer, inputs), call(layer, inputs, training=False)
    near(default, inference, 1e-6, "inference is the default")
    trained = call(layer, inputs, training=True)
    assert trained.shape == inference.shape
    differs = not np.allclose(trained, inference, atol=1e-6)
    wanted = case.get("training", "same") == "differs"
    assert differs == wanted, f"training=True {'changes' if differs else 'does not change'} the output"
    if wanted and "seed" in arguments(cls):
        runs = []
        for seed in (1, 1, 2):
            again = build(cls, {**case, "kwargs": {**case["kwargs"], "seed": seed}})
            runs.append(call(again, inputs, training=True))
        near(runs[0], runs[1], 1e-6, "the same seed")
        assert not np.array_equal(runs[0], runs[2]), "another seed draws the same numbers"


def check_example(cls: type[keras.Layer], case: Case) -> None:
    """The docstring has a runnable example, and it says what really comes out."""
    names = {"keras": keras, "ops": ops, "np": np, cls.__name__: cls}
    tests = doctest.DocTestFinder(recurse=False).find(cls, cls.__name__, globs=names)
    examples = [e for test in tests for e in test.examples]
    assert examples, f"the docstring of {cls.__name__} has no example"
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    told: list[str] = []
    for test in tests:
        runner.run(test, out=told.append)
    assert runner.failures == 0, "".join(told)


def arguments(cls: type[keras.Layer]) -> set[str]:
    """The names that the constructor's signature shows."""
    shown = inspect.signature(cls).parameters.values()
    return {p.name for p in shown if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


CHECKS: dict[str, Callable[[type[keras.Layer], Case], None]] = {
    "values": check_values,
    "config": check_config,
    "save_and_load": check_save_and_load,
    "output_shape": check_output_shape,
    "compiled": check_compiled_with_unknown_sizes,
    "mixed_precision": check_mixed_precision,
    "channels_first": check_channels_first,
    "gradients": check_gradients,
    "batch_sizes": check_batch_sizes,
    "training": check_training,
    "example": check_example,
}
# What hardly depends on the arguments is looked at in a layer's first case only.
ONCE = {"example", "save_and_load", "batch_sizes"}


def every_case() -> Iterator[tuple[str, int, str]]:
    """(layer, number of the case, check) for all that is registered and has cases."""
    for name, (_, rows) in sorted(load_cases().items()):
        for number in range(len(rows)):
            for check in CHECKS:
                if check not in ONCE or number == 0:
                    yield name, number, check

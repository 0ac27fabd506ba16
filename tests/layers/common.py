"""The cases of the layers, and what is done with one: inputs, a built layer, a call, a comparison.

A case is a dict:

- `kwargs`: the constructor's arguments, without `data_format`.
- `input_shape`: one input's shape without the batch axis, channels last; or a list of shapes.
- `inputs`: optional, `inputs(rng, batch) -> array or list of arrays`; the default is normal numbers.
- `oracle`: `oracle(layer, *inputs) -> array`, the NumPy oracle at inference, weights from `layer.get_weights()`.
- `pinned`: in place of an oracle, `(mean, standard deviation, last value)` of the output for a batch of three,
  computed once; what makes the three backends equal where there is no oracle.
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
- `tolerance64`: of the values under float64, 1e-10 unless the case says more (and why).
- `multiply_adds`: optional, the products of one example, counted by hand.
- `field`: False where the field that is told leaves something out (say why beside it).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

import cnnkit
from cnnkit.layers.registry import LAYERS

Case = dict[str, Any]
KNOWN_KEYS = {
    "kwargs",
    "input_shape",
    "inputs",
    "oracle",
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
    "multiply_adds",
    "tolerance64",
    "field",
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
        if not callable(case.get("oracle")) and "pinned" not in case:
            return f"a case of {name} has neither a NumPy oracle nor pinned numbers"
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
    tensors = [ops.convert_to_tensor(x, str(x.dtype)) for x in inputs]
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


def arguments(cls: type[keras.Layer]) -> set[str]:
    """The names that the constructor's signature shows."""
    shown = inspect.signature(cls).parameters.values()
    return {p.name for p in shown if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}

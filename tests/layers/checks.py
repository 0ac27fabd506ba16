"""What every layer of cnnkit must pass, each check a function of (layer class, case)."""

from __future__ import annotations

import doctest
import itertools
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from keras.src.backend import set_keras_mask

from cnnkit import gradients, insight
from tests.layers.common import (
    Case,
    arguments,
    as_model,
    build,
    call,
    load_cases,
    make_inputs,
    near,
    no_kernel,
    to_channels_first,
)


def check_values(cls: type[keras.Layer], case: Case) -> None:
    """Equal to the NumPy oracle, or to the numbers pinned in the case: hence equal on every backend."""
    layer, inputs = build(cls, case), make_inputs(case)
    got, tolerance = call(layer, inputs), case.get("tolerance", 1e-5)
    assert np.isfinite(got).all(), "the output holds nan or inf"
    if "pinned" in case:
        got64 = got.astype("float64")
        facts = np.array([got64.mean(), got64.std(), got64.flat[-1]])
        assert np.allclose(facts, case["pinned"], atol=tolerance, rtol=tolerance), f"pinned={tuple(facts)}"
    if case.get("oracle"):
        near(got, np.asarray(case["oracle"](layer, *inputs)), tolerance, "layer against its NumPy oracle")


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


def check_float64(cls: type[keras.Layer], case: Case) -> None:
    """Under `float64` every number is computed in float64: the oracle agrees to ten digits."""
    if keras.backend.result_type("float64", "float64") != "float64":
        pytest.skip(
            f"on {keras.backend.backend()} Keras's operations compute in float32, whatever the policy"
        )
    layer = build(cls, case, dtype="float64")
    # A number that float32 does not hold, but for the whole ones, which may be places or a mask.
    inputs = [np.where(x == np.round(x), x, x * np.float64(1 + 1e-9)) for x in make_inputs(case)]
    got = call(layer, inputs)
    assert got.dtype == np.float64, f"the output under float64 is {got.dtype}"
    if case.get("oracle"):
        want = np.asarray(case["oracle"](layer, *inputs))
        near(got, want, case.get("tolerance64", 1e-10), "float64 against the NumPy oracle")


def check_another_size(cls: type[keras.Layer], case: Case) -> None:
    """An image one larger each way than the first one is computed like it, or refused in words."""
    layer = build(cls, case)
    images = case.get("layout_inputs", (0,))
    inputs = [larger(x) if i in images else x for i, x in enumerate(make_inputs(case))]
    check_answer(layer, case, inputs)


def check_another_number_of_channels(cls: type[keras.Layer], case: Case) -> None:
    """An image with one channel more than the first one is computed like it, or refused in words."""
    layer = build(cls, case)
    images = case.get("layout_inputs", (0,))
    inputs = make_inputs(case)
    check_answer(
        layer,
        case,
        [np.concatenate([x, x[..., :1]], axis=-1) if i in images else x for i, x in enumerate(inputs)],
    )


def larger(x: np.ndarray) -> np.ndarray:
    """The image with its first row and column once more at the end."""
    return np.pad(x, [(0, 0), *[(0, 1)] * (x.ndim - 2), (0, 0)], mode="wrap")


def check_answer(layer: keras.Layer, case: Case, inputs: list[np.ndarray]) -> None:
    """The layer says in words that it cannot, or it gives the oracle's numbers in the shape that it declares."""
    try:
        got = call(layer, inputs)
    except Exception as error:
        words = str(error)
        spoken = "incompatible with the layer" in words or layer.name in words
        assert isinstance(error, ValueError) and spoken, f"it refuses without words of its own: {words}"
        return
    shapes = [x.shape for x in inputs]
    told = tuple(layer.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes))
    assert told == got.shape, f"compute_output_shape tells {told}, the output is {got.shape}"
    if case.get("oracle"):
        want = np.asarray(case["oracle"](layer, *inputs))
        near(got, want, case.get("tolerance", 1e-5), "another shape against the NumPy oracle")


def check_signature(cls: type[keras.Layer], case: Case) -> None:
    """The signature shows every argument: only what all layers of Keras take goes through `**kwargs`."""
    everyones = set(keras.Layer().get_config())
    hidden = set(build(cls, case).get_config()) - everyones - arguments(cls)
    assert not hidden, f"the signature does not show {sorted(hidden)}"


def check_nonsense(cls: type[keras.Layer], case: Case) -> None:
    """A size that is no whole number above zero is refused by the name of its argument."""
    for name in sorted(arguments(cls) & SIZES):
        for nonsense in (0, -1, 2.7, "23", (2.7, 3), True):
            try:
                cls(**{**case["kwargs"], name: nonsense})
            except ValueError as error:
                assert name in str(error), f"{name}={nonsense!r} is refused without its name: {error}"
            else:
                raise AssertionError(f"{name}={nonsense!r} is taken without a word")


def check_regularizers_and_constraints(cls: type[keras.Layer], case: Case) -> None:
    """Each trainable weight can be given a regulariser and a constraint."""
    for kind, value in (("regularizer", "l2"), ("constraint", "non_neg")):
        names = {name for name in arguments(cls) if name.endswith(kind) and "activity" not in name}
        layer = build(cls, {**case, "kwargs": {**case["kwargs"], **dict.fromkeys(names, value)}})
        free = [w.name for w in layer.trainable_weights if getattr(w, kind) is None]
        assert not free, f"no argument gives a {kind} to {free}"


def check_mask(cls: type[keras.Layer], case: Case) -> None:
    """A masked signal is refused in words, or its mask is kept, or the masked steps change nothing."""
    inputs = make_inputs(case)
    if len(inputs) > 1 or inputs[0].ndim != 3:
        pytest.skip("Keras's masks are those of signals")
    (x,) = inputs
    layer = build(cls, case)
    mask = np.ones(x.shape[:2], bool)
    mask[:, -1] = False
    masked = ops.convert_to_tensor(x)
    set_keras_mask(masked, ops.convert_to_tensor(mask))
    try:
        y = layer(masked)
    except (ValueError, UserWarning) as error:
        assert "cannot keep a mask" in str(error), f"it refuses a mask without words of its own: {error}"
        return
    kept = getattr(y, "_keras_mask", None)
    if kept is not None:
        assert np.array_equal(ops.convert_to_numpy(kept), mask), "the mask of the output is another"
        return
    shorter = call(layer, [x[:, :-1]])
    near(ops.convert_to_numpy(y), shorter, 1e-5, "a masked step against none")


def check_cost_and_field(cls: type[keras.Layer], case: Case) -> None:
    """It tells its products, none only where no matrix multiplies, and the places that move one of its units."""
    layer, inputs = build(cls, case), make_inputs(case, 32)
    shapes = [(None, *x.shape[1:]) for x in inputs]
    cost = layer.multiply_adds(shapes[0] if len(shapes) == 1 else shapes)
    assert cost == int(cost) >= 0
    if "multiply_adds" in case:
        assert cost == case["multiply_adds"], f"it tells {cost} products, counted are {case['multiply_adds']}"
    if any(len(weight.shape) > 1 for weight in layer.weights):
        assert cost > 0, "it has a matrix, and tells that it multiplies nothing"
    model = as_model(layer, [x.shape[1:] for x in inputs])
    assert insight.multiply_adds(model) == cost, "insight counts other products"
    told = insight.receptive_field(model, layer.name)
    if told.whole or case.get("field") is False or inputs[0].ndim < 3:  # or there is no space to see
        return
    unit, moved = places_that_move(layer, inputs)
    window = [
        (max(first, 0), min(last, n - 1))
        for (first, last), n in zip(told.window(*unit), inputs[0].shape[1:], strict=False)
    ]
    assert moved == window, f"places {moved} of the input move unit {unit}, told are {window}"


def places_that_move(
    layer: keras.Layer, inputs: list[np.ndarray]
) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """A unit near the middle, and the first and the last place on each axis of the first input that moves it."""
    rank = inputs[0].ndim - 2
    sides = call(layer, inputs).shape[1 : rank + 1]
    for back in itertools.product(range(3), repeat=rank):  # the very middle may be a hole of an unpooling
        unit = tuple(max(n // 2 - step, 0) for n, step in zip(sides, back, strict=True))

        def activity(first: Any, unit: tuple[int, ...] = unit) -> Any:
            y = layer(first if len(inputs) == 1 else [first, *map(ops.convert_to_tensor, inputs[1:])])
            return ops.sum(y[(slice(None), *unit)])

        places = np.nonzero(np.any(np.asarray(gradients.gradient(activity, inputs[0])) != 0, axis=(0, -1)))
        if places[0].size:
            return unit, [(int(axis.min()), int(axis.max())) for axis in places]
    raise AssertionError(f"no place of the input moves the units around {unit}")


def check_compiled_by_torch(cls: type[keras.Layer], case: Case) -> None:
    """`torch.compile` takes it in one graph, without falling back to Python in the middle."""
    if keras.backend.backend() != "torch":
        pytest.skip("only PyTorch compiles with torch.compile")
    import torch

    layer, inputs = build(cls, case), make_inputs(case)
    tensors = [ops.convert_to_tensor(x) for x in inputs]
    argument = tensors[0] if len(tensors) == 1 else tensors
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of Keras's cached functions, which it traces anew
        got = torch.compile(layer, backend="eager", fullgraph=True)(argument)
    near(ops.convert_to_numpy(got), call(layer, inputs), 1e-5, "compiled by torch against eager")


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
    "float64": check_float64,
    "another_size": check_another_size,
    "another_number_of_channels": check_another_number_of_channels,
    "signature": check_signature,
    "nonsense": check_nonsense,
    "regularizers_and_constraints": check_regularizers_and_constraints,
    "mask": check_mask,
    "cost_and_field": check_cost_and_field,
    "compiled_by_torch": check_compiled_by_torch,
}
# What hardly depends on the arguments is looked at in a layer's first case only.
ONCE = {
    "example",
    "save_and_load",
    "batch_sizes",
    "signature",
    "nonsense",
    "regularizers_and_constraints",
    "mask",
    "compiled_by_torch",
}
# Arguments that are whole numbers above zero, or several of them.
SIZES = {
    "dilation_rate",
    "factor",
    "filters",
    "groups",
    "intermediate_dim",
    "kernel_size",
    "key_dim",
    "n",
    "num_heads",
    "num_queries",
    "output_size",
    "planes",
    "pool_size",
    "sampling_ratio",
    "size",
    "strides",
}


def every_case() -> Iterator[tuple[str, int, str]]:
    """(layer, number of the case, check) for all that is registered and has cases."""
    for name, (_, rows) in sorted(load_cases().items()):
        for number in range(len(rows)):
            for check in CHECKS:
                if check not in ONCE or number == 0:
                    yield name, number, check

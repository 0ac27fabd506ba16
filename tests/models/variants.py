"""The small variant that the checks compute with: its inputs, its weights, and what it says."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit import models
from cnnkit.models.registry import lookup

Case = dict[str, Any]
BATCH = 4
LEAST_DIFFERENCE = 1e-2  # between the scores of two images, as a share of the largest score

_made: dict[Any, tuple[keras.Model, list[np.ndarray]]] = {}


def shape_of(name: str, case: Case) -> Any:
    return case.get("input_shape", models.card(name).input_shape)


def inputs(name: str, case: Case, batch: int = BATCH) -> Any:
    """A batch in the range that the card tells; the first images do not depend on the batch."""
    card, shapes = models.card(name), shape_of(name, case)
    if not isinstance(shapes, dict):
        shapes = dict.fromkeys(card.inputs, shapes)
    made = {}
    for key, entry in card.inputs.items():
        draw = case.get("inputs") or (
            lambda rng, entry=entry, key=key: one_input(entry, shapes[key], card, rng)
        )
        made[key] = np.stack([draw(np.random.default_rng([7, row])) for row in range(batch)]).astype(
            entry.dtype
        )
    return made if len(made) > 1 else next(iter(made.values()))


def one_input(
    entry: models.Input, shape: tuple[int, ...], card: models.Card, rng: np.random.Generator
) -> np.ndarray:
    """Tokens, or a picture of patches, grain and a brightness of its own: not noise, which looks the same to an average."""
    low, high = card.input_range if len(card.inputs) == 1 else entry.range
    if entry.what == "tokens":
        return rng.integers(low, high, size=shape)
    x = rng.uniform(size=[-(-size // 4) for size in shape[:-1]] + [shape[-1]])
    for axis, size in enumerate(shape[:-1]):
        x = np.repeat(x, 4, axis=axis).take(range(size), axis=axis)
    x = (0.7 * x + 0.3 * rng.uniform(size=shape)) ** rng.uniform(0.4, 2.5)
    return low + (high - low) * x


def enliven(model: keras.Model) -> None:
    """Weights under which the signal keeps its variance, the same on every backend.

    Kernels as He draws them, by the inputs that a unit really has; gains near one, shifts near zero; statistics near
    those of normalised maps.
    """
    rng, owner = np.random.default_rng(3), {}
    for layer in model._flatten_layers(
        include_self=False
    ):  # parents first, so that the innermost layer remains
        owner |= {id(weight): layer for weight in layer.weights}
    trained = {id(weight) for weight in model.trainable_weights}
    for weight in model.weights:
        noise, name = rng.normal(size=weight.shape), weight.path.rpartition("/")[2]
        if name in ("gamma", "scale", "moving_variance"):
            value = 1 + 0.1 * np.abs(noise)
        elif name in ("beta", "bias", "moving_mean"):
            value = 0.1 * noise
        elif id(weight) in trained:
            value = noise * np.sqrt(2 / fan_in(owner[id(weight)], weight.shape))
        else:
            continue  # a table, a seed: what it is
        weight.assign(value.astype("float32"))


def fan_in(layer: keras.Layer, shape: tuple[int, ...]) -> float:
    """How many inputs a unit adds up."""
    if "Depthwise" in type(layer).__name__:
        return np.prod(shape[:-2])
    if "Transpose" in type(layer).__name__:
        return np.prod(shape[:-2]) * shape[-1] / np.prod(layer.strides)
    return max(1, np.prod(shape[:-1]))


def fresh(name: str, case: Case, **more: Any) -> keras.Model:
    return models.create(name, input_shape=shape_of(name, case), **case.get("small", {}), **more)


def small(name: str, case: Case) -> keras.Model:
    """The variant that is computed with: made once, and as it was then whatever a check did to it."""
    key = lookup(name)[1], str(shape_of(name, case)), str(case.get("small"))
    if key not in _made:
        model = fresh(name, case)
        enliven(model)
        model.jit_compile = False  # compiled to a graph; XLA would take minutes for what is computed once
        _made[key] = model, model.get_weights()
    model, weights = _made[key]
    model.set_weights(weights)
    return model


def outputs(model: keras.Model, x: Any, compiled: bool = False) -> list[np.ndarray]:
    """What the model says, one array for each output, after a look whether it says different things of different images."""
    if compiled:
        answer = model.predict_on_batch(x)
    else:
        answer = model(keras.tree.map_structure(ops.convert_to_tensor, x), training=False)
    arrays = [ops.convert_to_numpy(part) for part in keras.tree.flatten(answer)]
    for number, array in enumerate(arrays):
        assert np.isfinite(array).all(), f"output {number} of {model.name} holds nan or inf"
        for row in range(1, len(array)):
            apart = np.max(np.abs(array[row] - array[0])) / (np.max(np.abs(array)) + 1e-30)
            assert apart > LEAST_DIFFERENCE, (
                f"output {number} of {model.name} is the same for two different inputs"
            )
    return arrays


def near(got: Any, want: Any, tolerance: float, what: str) -> None:
    got, want = ([part] if isinstance(part, np.ndarray) else part for part in (got, want))
    for ours, theirs in zip(got, want, strict=True):
        assert ours.shape == theirs.shape, f"{what}: shape {ours.shape} instead of {theirs.shape}"
        worst = np.max(np.abs(ours - theirs) / (1 + np.abs(theirs)))
        assert worst <= tolerance, f"{what}: off by {worst:.2g}, allowed {tolerance:g}"


def copied(to: keras.Model, source: keras.Model) -> keras.Model:
    """The model with the weights of another that has the same layers and more."""
    given = {weight.path: weight for weight in source.weights}
    for weight in to.weights:
        assert weight.path in given, f"{weight.path} without the head is no weight of the whole net"
        weight.assign(given[weight.path])
    return to

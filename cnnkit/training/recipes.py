"""How a network is trained, as data: optimiser, schedule, decay, smoothing, augmentation, averaging, precision.

A recipe is a frozen dataclass, so that it can be printed, compared, varied in one place and written beside a
checkpoint. It is built on Keras's own parts and names no architecture.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from cnnkit._names import unknown

__all__ = ["Recipe", "exempt_from_decay", "recipe", "recipes", "schedule"]

_SCHEDULES = ("cosine", "linear", "constant")
_PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to do with a network and its examples, but for how long.

    Args:
        optimizer: the name of a class of `keras.optimizers`.
        rate: the learning rate at its highest.
        momentum: for optimisers that take it; SGD's is Nesterov's.
        weight_decay: decoupled from the gradient; biases and the scales and shifts of norms are spared.
        schedule: `"cosine"` and `"linear"` fall to zero at the last step, `"constant"` does not fall.
        warmup: share of all steps in which the rate climbs from zero first.
        batch_size: examples a step.
        label_smoothing: share of a label that is spread over all classes.
        clip: the largest norm of all gradients together, if any.
        ema: how much of the weights' moving average stays at each step, such as 0.999; the average is what is kept at
            the end. None keeps the last weights.
        rates: by how much the rate of a layer is multiplied, by its name, such as `rates_by_depth(model)`; 1 for the others.
        augment: `seed -> keras.Layer`, which changes images while training and leaves them alone otherwise.
        precision: `"float32"`, `"mixed_bfloat16"`, `"mixed_float16"`, or `"auto"`: mixed where the device gains by it.
        epochs: rounds through the examples, where `fit` is not told otherwise.

    Example:
        >>> Recipe(rate=0.1).but(ema=0.99)
        Recipe(rate=0.1, ema=0.99)

    Chapter: training/optimization.
    """

    optimizer: str = "SGD"
    rate: float = 0.05
    momentum: float | None = 0.9
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.0
    batch_size: int = 128
    label_smoothing: float = 0.0
    clip: float | None = None
    ema: float | None = None
    rates: Mapping[str, float] | None = None
    augment: Callable[[int], keras.Layer] | None = None
    precision: str = "auto"
    epochs: int = 10

    def __post_init__(self) -> None:
        for field, known in (("schedule", _SCHEDULES), ("precision", _PRECISIONS)):
            if getattr(self, field) not in known:
                raise ValueError(unknown(f"{field} of a recipe", getattr(self, field), known))
        kind = getattr(keras.optimizers, self.optimizer, None)
        if not (isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)):
            found = [name for name in dir(keras.optimizers) if name[0].isupper()]
            raise ValueError(unknown("optimiser of Keras", self.optimizer, found))
        for field, low, high, end in (
            ("rate", 0, math.inf, "above 0"),
            ("batch_size", 0, math.inf, "above 0"),
            ("epochs", 0, math.inf, "above 0"),
        ):
            if not low < getattr(self, field) < high:
                raise ValueError(f"a recipe needs {field} {end}, not {getattr(self, field)}")
        for field in ("warmup", "label_smoothing", "ema", "momentum", "weight_decay"):
            value = getattr(self, field)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"a recipe needs {field} from 0 to below 1, not {value}")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"a recipe needs clip above 0, or None, not {self.clip}")
        if not isinstance(self.rates, Mapping | None):
            raise ValueError(f"a recipe needs rates by the names of layers, not {self.rates}")
        for layer, times in (self.rates or {}).items():
            if not 0 <= times < math.inf:
                raise ValueError(
                    f"a recipe multiplies the rate of '{layer}' by a number from 0, not by {times}"
                )

    def __repr__(self) -> str:
        told = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Recipe({', '.join(told)})"

    def but(self, **changes: Any) -> Recipe:
        """The same recipe with some of it changed."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise ValueError(unknown("field of a recipe", name, known))
        return dataclasses.replace(self, **changes)

    def told(self) -> dict[str, Any]:
        """The recipe as JSON can hold it; an augmentation as the configuration of its layer."""
        plain = dataclasses.asdict(self)
        plain = {name: v.item() if isinstance(v, np.generic) else v for name, v in plain.items()}
        if self.rates is None:
            del plain["rates"]  # checkpoints from before there were any are gone on with
        if self.augment is not None:
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(self.augment(0)), default=str))
            plain["augment"] = _without_names(config)
        return plain

    def digest(self) -> str:
        """Twelve letters that change when the recipe does."""
        return hashlib.sha256(json.dumps(self.told(), sort_keys=True).encode()).hexdigest()[:12]

    def make_optimizer(
        self, steps: int, weights: list[Any] | None = None, model: keras.Model | None = None
    ) -> keras.optimizers.Optimizer:
        """Keras's optimiser for so many steps, which spares those of the weights that decay would harm.

        With `rates` it needs the model, whose layers they name, and the weights in the order in which it is to be built.
        """
        options: dict[str, Any] = {}
        if self.momentum is not None and self.optimizer in ("SGD", "RMSprop"):
            options["momentum"] = self.momentum
        if self.optimizer == "SGD" and self.momentum:
            options["nesterov"] = True
        if self.weight_decay:
            options["weight_decay"] = self.weight_decay
        if self.clip is not None:
            options["global_clipnorm"] = self.clip
        if self.ema is not None:
            options |= {"use_ema": True, "ema_momentum": self.ema}
        rate = schedule(self.schedule, self.rate, steps, self.warmup)
        kind = getattr(keras.optimizers, self.optimizer)
        if self.rates:
            if model is None or weights is None:
                raise ValueError("rates by layer need the model and its trainable weights")
            spared = {id(weight) for weight in exempt_from_decay(weights)}
            decays = [0.0 if id(weight) in spared else self.weight_decay for weight in weights]
            kind = _by_layer(kind, self._multipliers(model, weights), decays)
        optimizer = kind(rate, **options)
        together = None if self.rates else self.weight_decay or None
        optimizer.weight_decay = together  # AdamW and Muon have one of their own, unasked
        if together and weights:
            optimizer.exclude_from_weight_decay(var_list=exempt_from_decay(weights))
        return optimizer

    def _multipliers(self, model: keras.Model, weights: list[Any]) -> list[float]:
        """For each weight by how much its rate is multiplied."""
        layers = model._flatten_layers(include_self=False)
        named = {layer.name: layer for layer in layers if layer.weights}
        found: dict[int, float] = {}
        for name, times in (self.rates or {}).items():
            if name not in named:
                raise ValueError(unknown(f"layer with weights of '{model.name}'", name, named))
            found |= {id(weight): float(times) for weight in named[name].weights}
        return [found.get(id(weight), 1.0) for weight in weights]


def _by_layer(kind: Any, multipliers: list[float], decays: list[float]) -> Any:
    """An optimiser of Keras in which each weight has a rate of its own, and decays by that rate."""

    class ByLayer(kind):  # type: ignore[misc, valid-type]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            place = self._get_variable_index(variable)
            rate = learning_rate * multipliers[place]
            if decays[place]:
                shrunk = keras.ops.multiply(variable, keras.ops.cast(rate * decays[place], variable.dtype))
                self.assign_sub(variable, shrunk)
            super().update_step(gradient, variable, rate)

    ByLayer.__name__ = kind.__name__
    return ByLayer


def _without_names(config: Any) -> Any:
    """A configuration without the names that Keras counts up."""
    if isinstance(config, dict):
        return {
            key: _without_names(value) for key, value in config.items() if key not in ("name", "build_config")
        }
    return [_without_names(value) for value in config] if isinstance(config, list) else config


def schedule(kind: str, rate: float, steps: int, warmup: float = 0.0) -> Any:
    """A learning rate over so many steps, as Keras takes it.

    Args:
        kind: `"cosine"`, `"linear"` or `"constant"`.
        rate: at its highest.
        steps: of the whole training; the rate of a schedule that falls is zero after them.
        warmup: share of the steps in which the rate climbs from zero first.

    Example:
        >>> falls = schedule("linear", 0.1, steps=100, warmup=0.1)
        >>> [round(float(falls(step)), 3) for step in (0, 5, 10, 55, 100)]
        [0.0, 0.05, 0.1, 0.05, 0.0]

    Chapter: training/optimization.
    """
    if kind not in _SCHEDULES:
        raise ValueError(unknown("schedule", kind, _SCHEDULES))
    warm = round(warmup * steps)
    if kind == "cosine":
        if not warm:
            return keras.optimizers.schedules.CosineDecay(rate, steps)
        return keras.optimizers.schedules.CosineDecay(
            0.0, max(steps - warm, 1), warmup_target=rate, warmup_steps=warm
        )
    if kind == "constant" and not warm:
        return rate
    return _Straight(rate, warm, steps if kind == "linear" else None)


@keras.saving.register_keras_serializable("cnnkit")
class _Straight(keras.optimizers.schedules.LearningRateSchedule):
    """Climbs from zero in a straight line, and then falls in one, or stays."""

    def __init__(self, rate: float, warm: int, end: int | None) -> None:
        super().__init__()
        self.rate, self.warm, self.end = rate, warm, end

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, "float32")
        climbing = step / max(self.warm, 1)
        if self.end is None:
            falling = keras.ops.ones_like(step)
        else:
            falling = keras.ops.maximum((self.end - step) / max(self.end - self.warm, 1), 0.0)
        return self.rate * keras.ops.where(step < self.warm, climbing, falling)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "warm": self.warm, "end": self.end}


def exempt_from_decay(weights: list[Any]) -> list[Any]:
    """Those weights that decay is to spare: biases, and the scales and shifts of norms, which have one axis at most.

    Example:
        >>> dense = keras.layers.Dense(2)
        >>> dense.build((None, 3))
        >>> [weight.name for weight in exempt_from_decay(dense.weights)]
        ['bias']

    Chapter: training/optimization.
    """
    return [weight for weight in weights if len(weight.shape) <= 1]


_NAMED: dict[str, Recipe] = {
    "plain": Recipe("Adam", rate=1e-3, momentum=None, schedule="constant", batch_size=32),
    "steady": Recipe("SGD", rate=0.05, weight_decay=5e-4, warmup=0.05),
    "adamw": Recipe("AdamW", rate=2e-3, momentum=None, weight_decay=0.05, warmup=0.1, clip=1.0),
}


def recipes() -> dict[str, Recipe]:
    """The recipes that have a name.

    `"plain"` is what most tutorials do, Adam at 0.001 that never slows down. `"steady"` is SGD with momentum, decay and a
    cosine, on which most landmark networks were trained. `"adamw"` is what came after them.

    Example:
        >>> sorted(recipes())
        ['adamw', 'plain', 'steady']

    Chapter: training/optimization.
    """
    return dict(_NAMED)


def recipe(which: str | Recipe) -> Recipe:
    """A recipe by its name; one that is a recipe already is given back.

    Chapter: training/optimization.
    """
    if isinstance(which, Recipe):
        return which
    if not isinstance(which, str):
        raise TypeError(f"a recipe is a Recipe or a name, not {type(which).__name__}")
    if which not in _NAMED:
        raise ValueError(unknown("recipe", which, _NAMED))
    return _NAMED[which]

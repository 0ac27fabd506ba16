"""What a network is trained on, looked at before anything is trained: shapes, ranges, labels, and the loss they ask for.

Most failures of a training are failures of its examples, and most of those are told by a stack trace from the middle
of a backend, or by nothing at all. Each has a sentence here, with the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

__all__ = ["Examples", "Task", "examples", "task"]

_RESCALING = {"Rescaling", "Normalization", "Preparation"}


@dataclass(frozen=True)
class Examples:
    """Arrays in memory: images (or signals, or rows) and their targets."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Task:
    """What the targets ask for: a loss that takes the network's outputs as they are, and the score to watch."""

    name: str
    loss: keras.losses.Loss
    metrics: tuple[str, ...]


def examples(data: Any, what: str = "training") -> Examples:
    """A pair `(x, y)` as two arrays that belong together, or a sentence that says why they do not."""
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(
            f"{what} data are a pair (x, y) of arrays, or a data set that Keras takes; this is {_named(data)}"
        )
    x, y = _array(data[0], f"{what} x"), _array(data[1], f"{what} y")
    if len(x) == 0:
        raise ValueError(f"the {what} set is empty: x has the shape {x.shape}")
    if len(x) != len(y):
        raise ValueError(f"{what} x holds {len(x):,} examples and y {len(y):,} targets: give one target each")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        index = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(
            f"{what} x holds {x[tuple(index)]} in example {index[0]}: leave such examples out, or mend them"
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError(
            f"{what} y holds {y[~np.isfinite(y)][0]} in example {np.argwhere(~np.isfinite(y))[0][0]}"
        )
    return Examples(x, y)


def _named(thing: Any) -> str:
    size = f" of {len(thing)}" if isinstance(thing, (tuple, list)) else ""
    return f"a {type(thing).__name__}{size}"


def _array(values: Any, what: str) -> np.ndarray:
    if isinstance(values, (list, tuple)):
        shapes = [np.shape(value) for value in values]
        if odd := next((place for place, shape in enumerate(shapes) if shape != shapes[0]), None):
            raise ValueError(
                f"{what} holds examples of different sizes: {shapes[0]} first and {shapes[odd]} in place {odd}. Bring them "
                "to one size, by a card's `prepare` or keras.layers.Resizing"
            )
    array = np.asarray(values)
    if array.ndim == 0 or array.dtype.kind not in "uifb":
        raise TypeError(f"{what} is an array of numbers, not {array.dtype} of shape {array.shape}")
    return array


def check_input(model: keras.Model, found: Examples, what: str = "training") -> None:
    """Refuse images that the network cannot take, or would take for something else."""
    wanted = model.input_shape
    if isinstance(wanted, (list, dict)):
        raise ValueError(
            f"'{model.name}' has several inputs; give `fit` a data set that yields them, in place of (x, y)"
        )
    shape = found.x.shape[1:]
    fits = len(shape) == len(wanted) - 1 and all(
        side in (None, here) for side, here in zip(wanted[1:], shape, strict=True)
    )
    if not fits:
        missing = " (the channel axis is missing: x[..., None])" if (*shape, 1) == tuple(wanted[1:]) else ""
        raise ValueError(
            f"'{model.name}' takes examples of shape {tuple(wanted[1:])}, and {what} x holds {shape}{missing}"
        )
    if found.x.dtype == np.uint8 and not _rescales(model):
        raise ValueError(
            f"{what} x holds 8-bit pixels, up to {found.x.max()}, and '{model.name}' takes floats as they are: divide by "
            "255, use its card's `prepare`, or let the model begin with keras.layers.Rescaling(1 / 255)"
        )


def _rescales(model: keras.Model) -> bool:
    return any(type(layer).__name__ in _RESCALING for layer in model._flatten_layers())


def task(model: keras.Model, y: np.ndarray, smoothing: float = 0.0, what: str = "training") -> Task:
    """The loss and the score that the targets ask for, after a look whether they fit the network's outputs.

    Args:
        model: whose last axis is classes, or numbers.
        y: integers are classes; floats that are one-hot are classes, too; other floats are numbers to be met.
        smoothing: share of a label that is spread over all classes.
        what: the part's name, for messages.
    """
    shape = model.output_shape
    if isinstance(shape, (list, dict)):
        raise ValueError(
            f"'{model.name}' has several outputs: compile it with a loss for each, and fit it by Keras"
        )
    outputs, scores = shape[-1], not _ends_in_probabilities(model)
    if y.dtype.kind in "iub" and y.ndim < len(shape):
        if outputs == 1:
            _in_range(model, y, 2, what)
            return Task("binary", keras.losses.BinaryCrossentropy(scores, smoothing), ("accuracy",))
        _in_range(model, y, outputs, what)
        if smoothing:
            return Task("classes", _smoothed(outputs, scores, smoothing), ("accuracy",))
        return Task("classes", keras.losses.SparseCategoricalCrossentropy(scores), ("accuracy",))
    if y.ndim == len(shape) and outputs > 1 and _one_hot(y):
        if y.shape[-1] != outputs:
            raise ValueError(
                f"{what} y is one-hot over {y.shape[-1]} classes, and '{model.name}' has {outputs} outputs"
            )
        return Task("one-hot", keras.losses.CategoricalCrossentropy(scores, smoothing), ("accuracy",))
    if y.dtype.kind in "iub":
        raise ValueError(
            f"{what} y holds integers of shape {y.shape}, for outputs of shape {tuple(shape)}: give class numbers of "
            f"shape {(len(y), *shape[1:-1])}, or one-hot rows"
        )
    if y.shape[1:] != tuple(shape[1:]) and (*y.shape[1:], 1) != tuple(shape[1:]):
        hint = (
            "; class numbers are integers: y.astype(int)" if outputs > 1 and (y == np.round(y)).all() else ""
        )
        raise ValueError(
            f"{what} y holds {y.shape[1:]} an example, and '{model.name}' gives {tuple(shape[1:])}{hint}"
        )
    if smoothing:
        raise ValueError("label_smoothing is for classes, and these targets are numbers: leave it at 0")
    return Task("numbers", keras.losses.MeanSquaredError(), ("mae",))


def _smoothed(outputs: int, scores: bool, smoothing: float) -> keras.losses.Loss:
    return SmoothedCrossentropy(outputs, scores, smoothing)


@keras.saving.register_keras_serializable("cnnkit")
class SmoothedCrossentropy(keras.losses.Loss):
    """The cross-entropy of class numbers of which a share is spread over all classes; Keras's wants them one-hot."""

    def __init__(
        self, classes: int, from_logits: bool = True, smoothing: float = 0.1, **options: Any
    ) -> None:
        super().__init__(**options)
        self.classes, self.from_logits, self.smoothing = classes, from_logits, smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_true.shape) == len(y_pred.shape):
            y_true = keras.ops.squeeze(y_true, -1)
        hot = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), self.classes, dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            hot, y_pred, from_logits=self.from_logits, label_smoothing=self.smoothing
        )

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self.classes, "from_logits": self.from_logits, "smoothing": self.smoothing}
        return {**super().get_config(), **own}


def _ends_in_probabilities(model: keras.Model) -> bool:
    last = [layer for layer in model._flatten_layers(recursive=True) if not getattr(layer, "_layers", None)][
        -1
    ]
    activation = getattr(last, "activation", None)
    name = getattr(activation, "__name__", type(last).__name__.lower())
    return name in ("softmax", "sigmoid")


def _in_range(model: keras.Model, y: np.ndarray, classes: int, what: str) -> None:
    outside = (y < 0) | (y >= classes) if y.dtype.kind != "b" else np.zeros(y.shape, bool)
    if outside.any():
        index = tuple(int(i) for i in np.argwhere(outside)[0])
        place = index[0] if len(index) == 1 else index
        from_one = " (they seem to begin at 1: take one away)" if y.min() == 1 and y.max() == classes else ""
        raise ValueError(
            f"{what} y holds the label {y[index]} in place {place}, and '{model.name}' knows the classes 0 to "
            f"{classes - 1}{from_one}"
        )


def _one_hot(y: np.ndarray) -> bool:
    return y.ndim > 1 and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all())


def batches(count: int, size: int) -> Iterator[slice]:
    """The slices that cut so many examples into batches."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))

"""What a network is trained on, looked at before anything is trained: shapes, ranges, labels, and the loss they ask for.

Most failures of a training are failures of its examples, and most of those are told by a stack trace from the middle
of a backend, or by nothing at all. Each has a sentence here, with the remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

__all__ = ["Examples", "Task", "activation", "ending", "examples", "task"]

_RESCALING = {"Rescaling", "Normalization", "Preparation"}
_PASSING = {"Cast", "Flatten", "Identity", "Permute", "Reshape", "Squeeze", "Transpose"}


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
    metrics: tuple[str | Callable[[Any, Any], Any], ...]


def examples(data: Any, what: str = "training") -> Examples:
    """A pair `(x, y)` as two arrays that belong together, or a sentence that says why they do not."""
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(
            f"{what} data are a pair (x, y) of arrays, and this is {_named(data)}: gather its batches into two arrays"
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
    return Examples(
        x, y.astype("uint8") if y.dtype.kind == "b" else y
    )  # TensorFlow's copies cannot share booleans


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
            f"'{model.name}' has several inputs, and this trains networks of one: compile it, and fit it by Keras"
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
        y: class numbers are integers. Rows that are one-hot, or shares that sum to one, are classes, too. Zeros and ones of
            the outputs' shape, whatever their dtype, are labels of which several may hold. Other floats are numbers to be met.
        smoothing: share of a label that is spread over all classes.
        what: the part's name, for messages.
    """
    shape = model.output_shape
    if isinstance(shape, (list, dict)):
        raise ValueError(
            f"'{model.name}' has several outputs: compile it with a loss for each, and fit it by Keras"
        )
    if len(shape) < 2 or shape[-1] is None:
        raise ValueError(
            f"'{model.name}' gives outputs of shape {tuple(shape)}, without a last axis of known size: end in "
            "keras.layers.Dense(1) for one number an example"
        )
    outputs, ends = shape[-1], activation(model)
    scores = ends not in ("softmax", "sigmoid")
    if y.dtype.kind in "iub" and _fits(y.shape[1:], shape[1:-1]):
        if outputs == 1:
            _in_range(model, y, 2, what)
            return _binary("binary", scores, smoothing)
        _in_range(model, y, outputs, what)
        if smoothing:
            return Task("classes", SmoothedCrossentropy(outputs, scores, smoothing), ("accuracy",))
        return Task("classes", keras.losses.SparseCategoricalCrossentropy(scores), ("accuracy",))
    whole = _fits(y.shape[1:], shape[1:])
    if whole and outputs > 1 and ends != "sigmoid" and _shares(y):
        return Task("one-hot", keras.losses.CategoricalCrossentropy(scores, smoothing), ("accuracy",))
    if (whole or (outputs == 1 and _fits(y.shape[1:], shape[1:-1]))) and np.isin(y, (0, 1)).all():
        if ends == "softmax":
            raise ValueError(
                f"{what} y holds zeros and ones, not one 1 in each row, and '{model.name}' ends in a softmax, which gives each "
                "example one class: end in a sigmoid for several labels, or for one that may hold or not"
            )
        return _binary("labels" if outputs > 1 else "binary", scores, smoothing)
    if y.ndim == len(shape) and 1 < y.shape[-1] != outputs and _shares(y):
        raise ValueError(
            f"{what} y is one-hot over {y.shape[-1]} classes, and '{model.name}' has {outputs} outputs"
        )
    if y.dtype.kind in "iub":
        raise ValueError(
            f"{what} y holds integers of shape {y.shape}, for outputs of shape {tuple(shape)}: give class numbers of "
            f"shape {(len(y), *shape[1:-1])}, or one-hot rows; numbers to be met are floats: y.astype(float)"
        )
    if not whole and not _fits((*y.shape[1:], 1), shape[1:]):
        hint = (
            "; class numbers are integers: y.astype(int)" if outputs > 1 and (y == np.round(y)).all() else ""
        )
        raise ValueError(
            f"{what} y holds {y.shape[1:]} an example, and '{model.name}' gives {tuple(shape[1:])}{hint}"
        )
    if smoothing:
        raise ValueError("label_smoothing is for classes, and these targets are numbers: leave it at 0")
    return Task("numbers", keras.losses.MeanSquaredError(), ("mae",))


def check_validation(model: keras.Model, aim: Task, y: np.ndarray, held: np.ndarray) -> None:
    """Refuse targets of the validation part that ask for another loss than those of the training part.

    Zeros and ones that are numbers, and rows of labels that happen to be one-hot, do not.
    """
    name = task(model, held, what="validation").name if aim.name not in ("numbers", "labels") else aim.name
    if held.ndim != y.ndim or name != aim.name:
        raise ValueError(
            f"training y holds {y.dtype} of shape {y.shape}, and validation y {held.dtype} of shape {held.shape}, which asks for "
            "another loss: give both in one form"
        )


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        side in (None, here) for here, side in zip(shape, wanted, strict=True)
    )


def _binary(name: str, scores: bool, smoothing: float) -> Task:
    def accuracy(
        y_true: Any, y_pred: Any
    ) -> Any:  # Keras's takes a score for a probability, and labels for classes
        return keras.metrics.binary_accuracy(y_true, y_pred, threshold=0.0 if scores else 0.5)

    return Task(name, keras.losses.BinaryCrossentropy(scores, smoothing), (accuracy,))


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


def ending(tensor: Any) -> Iterator[Any]:
    """The layers that give a network its output, from the last back to the first that does more than reshape it."""
    layer, node, place = tensor._keras_history
    if isinstance(layer, keras.Model) and getattr(layer, "outputs", None):
        yield from ending(layer.outputs[place])
        return
    yield layer
    if type(layer).__name__ in _PASSING or (_name_of(layer) == "linear" and not layer.weights):
        yield from ending(layer._inbound_nodes[node].input_tensors[0])
    elif getattr(layer, "_layers", None):
        yield [part for part in layer._flatten_layers() if not part._layers][-1]


def _name_of(layer: Any) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__.lower())


def activation(model: keras.Model) -> str:
    """The name of the activation that a network ends in, or of the layer that is none."""
    *_, first = ending(model.outputs[0])
    return _name_of(first)


def _in_range(model: keras.Model, y: np.ndarray, classes: int, what: str) -> None:
    outside = (y < 0) | (y >= classes) if y.dtype.kind != "b" else np.zeros(y.shape, bool)
    if outside.any():
        index = tuple(int(i) for i in np.argwhere(outside)[0])
        place = index[0] if len(index) == 1 else index
        from_one = " (they seem to begin at 1: take one away)" if y.min() == 1 and y.max() == classes else ""
        numbers = "; numbers to be met are floats: y.astype(float)" if model.output_shape[-1] == 1 else ""
        raise ValueError(
            f"{what} y holds the label {y[index]} in place {place}, and '{model.name}' knows the classes 0 to "
            f"{classes - 1}{from_one}{numbers}"
        )


def _shares(y: np.ndarray) -> bool:
    return bool((y >= 0).all() and np.allclose(y.sum(axis=-1), 1, rtol=0, atol=1e-5))

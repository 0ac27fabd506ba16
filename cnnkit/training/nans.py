"""Where a training broke: the first layer whose numbers are none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from cnnkit import gradients
from cnnkit.training.checkpoints import restore, snapshot

__all__ = ["first_bad"]


def first_bad(model: keras.Model, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> tuple[int, str] | None:
    """Take the steps again that led to a loss which is no number, and say at which step what broke first.

    Args:
        model: compiled, with the weights and the optimiser's state from which the batches led there. It is left as it is
            before the step that breaks it.
        batches: examples and targets, step by step.

    Returns:
        The step, from 0, and a clause such as `"layer 'conv2' is the first whose outputs are no numbers"`; None where all
        steps go well.
    """
    for step, (x, y) in enumerate(batches):
        before = snapshot(model)
        model.reset_metrics()
        loss = model.train_on_batch(x, y, return_dict=True)["loss"]
        if np.isfinite(float(loss)) and all(map(_whole, model.trainable_weights)):
            continue
        restore(model, before)
        return step, _forward(model, x, y) or _backward(model, x, y) or "the optimiser's step was too large"
    return None


def _whole(values: Any) -> bool:
    return bool(keras.ops.all(keras.ops.isfinite(keras.ops.cast(values, "float32"))))


def _forward(model: keras.Model, x: np.ndarray, y: np.ndarray) -> str | None:
    """The first layer whose outputs are no numbers, from the input on, or the loss."""
    with _listening(model) as seen:
        outputs = model(x, training=True)
    for name, output in seen:
        if not _whole(output):
            return f"layer '{name}' is the first whose outputs are no numbers"
    if not _whole(model.compute_loss(x, keras.ops.convert_to_tensor(y), outputs)):
        return "the outputs are numbers, and their loss is none"
    return None


def _backward(model: keras.Model, x: np.ndarray, y: np.ndarray) -> str | None:
    """The first weight, from the output back, whose gradient is no number."""
    targets = keras.ops.convert_to_tensor(y)

    def loss(outputs: Any) -> Any:
        return model.compute_loss(x, targets, outputs)

    _, slopes = gradients.weight_gradients(model, loss, x, training=True)
    for weight, slope in reversed(list(zip(model.trainable_weights, slopes, strict=True))):
        if not np.isfinite(slope).all():
            return f"the gradient of '{weight.path}' is the first, from the output back, that is no number"
    return None


@contextlib.contextmanager
def _listening(model: keras.Model) -> Iterator[list[tuple[str, Any]]]:
    """Collects what every layer without layers of its own gives, in the order in which they are called."""
    seen: list[tuple[str, Any]] = []

    def heard(layer: keras.Layer) -> Any:
        call = layer.call

        def listening(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            seen.extend((layer.name, output) for output in keras.tree.flatten(outputs))
            return outputs

        return listening

    leaves = [layer for layer in model._flatten_layers() if not layer._layers]
    try:
        for layer in leaves:
            object.__setattr__(layer, "call", heard(layer))
        yield seen
    finally:
        for layer in leaves:
            object.__delattr__(layer, "call")

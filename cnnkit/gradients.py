"""Gradients of any function, on whichever backend runs.

The only module that asks which backend that is: everything else speaks `keras.ops`.
NumPy goes in, NumPy comes out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["backend_name", "gradient", "value_and_gradient", "weight_gradients"]

Tensor = Any


def backend_name() -> str:
    """The framework that Keras runs on, to name it in a report: code must not depend on it.

    >>> backend_name() in ("tensorflow", "jax", "torch")
    True

    Chapter: layers/convolution.
    """
    return keras.backend.backend()


def value_and_gradient(
    function: Callable[..., Tensor], *arrays: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The value of a scalar function of tensors, and its gradient with respect to each of them.

    The function is written in `keras.ops` and may call Keras models and layers; it must not mix
    tensors and NumPy arrays by `*` or `+` (PyTorch refuses), but `keras.ops.multiply` may.  Arrays
    are converted to `keras.config.floatx()`.  An array that the value does not depend on gets zeros.
    What the function calls is left as it was: moving averages and seeds do not move.

    >>> three, two = np.array([3.0]), np.array([2.0])
    >>> value, (dx, dy) = value_and_gradient(lambda x, y: keras.ops.sum(x * x * y), three, two)
    >>> value, dx, dy
    (18.0, array([12.], dtype=float32), array([9.], dtype=float32))

    Chapter: layers/convolution.
    """
    if not arrays:
        raise ValueError("no array was given; value_and_gradient(function, x, ...) needs at least one")
    tensors = [keras.ops.convert_to_tensor(a, dtype=keras.config.floatx()) for a in map(np.asarray, arrays)]

    def scalar(*tensors: Tensor) -> Tensor:
        # A weight of another layer that waits for its first value goes on waiting.
        with keras.StatelessScope(initialize_variables=False):
            return _scalar(function(*tensors))

    value, gradients = _backend()(scalar, tensors)
    return float(keras.ops.convert_to_numpy(value)), _to_numpy(gradients, tensors)


def gradient(function: Callable[[Tensor], Tensor], x: np.ndarray) -> np.ndarray:
    """The gradient of a scalar function of one tensor.

    >>> gradient(lambda x: keras.ops.sum(x**2), np.array([1.0, -3.0]))
    array([ 2., -6.], dtype=float32)

    Chapter: layers/convolution.
    """
    return value_and_gradient(function, x)[1][0]


def weight_gradients(
    model: keras.Layer, loss: Callable[[Tensor], Tensor], *inputs: Any, training: bool = False
) -> tuple[float, list[np.ndarray]]:
    """The value of loss(model(*inputs)), and its gradient with respect to each trainable weight.

    `model` is any built layer or model; the gradients stand in the order of `model.trainable_weights`.
    With `training=True` it computes as in training, and is left as it was all the same.

    >>> layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    >>> layer.build((None, 2))
    >>> value, (dw,) = weight_gradients(layer, keras.ops.sum, np.array([[3.0, 4.0]]))
    >>> value, dw.ravel()
    (7.0, array([3., 4.], dtype=float32))

    Chapter: layers/convolution.
    """
    if not model.built:
        raise ValueError(
            f"'{model.name}' has no weights yet; call it once, or build it, before asking for gradients"
        )
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    takes = inspect.signature(model.call).parameters
    options = {"training": training} if "training" in takes else {}
    trained = model.trainable_weights
    if not trained:
        raise ValueError(f"'{model.name}' has no trainable weights; is it frozen (trainable = False)?")

    def scalar(*values: Tensor) -> Tensor:
        with keras.StatelessScope(zip(trained, values, strict=True), initialize_variables=False):
            return _scalar(loss(model(*inputs, **options)))

    weights = [weight.value for weight in trained]
    value, gradients = _backend()(scalar, weights)
    return float(keras.ops.convert_to_numpy(value)), _to_numpy(gradients, weights)


def _scalar(value: Tensor) -> Tensor:
    if value is None:
        raise ValueError("the function returned nothing; did you forget `return`?")
    value = keras.ops.convert_to_tensor(value)
    shape = tuple(keras.ops.shape(value))
    if shape != ():
        raise ValueError(
            f"the function returned shape {shape}; it must return one number: sum it, or take its mean"
        )
    return value


def _to_numpy(gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[np.ndarray]:
    return [
        np.zeros(tuple(keras.ops.shape(t)), keras.backend.standardize_dtype(t.dtype))
        if g is None
        else keras.ops.convert_to_numpy(g)
        for g, t in zip(gradients, like, strict=True)
    ]


def _backend() -> Callable[..., tuple[Tensor, Sequence[Tensor | None]]]:
    name = backend_name()
    try:
        return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[name]
    except KeyError:
        raise NotImplementedError(
            f"Keras runs on '{name}', which has no gradients; set KERAS_BACKEND to tensorflow, jax or torch"
        ) from None


def _tensorflow(function, tensors):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        value = function(*tensors)
    # An embedding's gradient comes as indexed rows: spread it out.
    return value, [g if g is None else tf.convert_to_tensor(g) for g in tape.gradient(value, tensors)]


def _jax(function, tensors):
    import jax

    return jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)


def _torch(function, tensors):
    import torch

    with torch.enable_grad():
        tensors = [t if t.requires_grad else t.detach().clone().requires_grad_() for t in tensors]
        value = function(*tensors)
        if not value.requires_grad:  # a constant: nothing to differentiate
            return value, [None] * len(tensors)
        return value, torch.autograd.grad(value, tensors, allow_unused=True)

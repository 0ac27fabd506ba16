"""Gradients of any function, on whichever backend runs.

The only module that asks which backend that is: everything else speaks `keras.ops`.
NumPy in, NumPy out; tensors of the backend in, tensors of the backend out, so that nothing is copied on the way.
`compiled` makes of each function here one that is traced once and then runs without Python.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["backend_name", "compiled", "gradient", "value_and_gradient", "weight_gradients"]

Tensor = Any
#: `(tensors, others) -> one number`, to be differentiated in each of the tensors and in none of the others.
Scalar = Callable[[list[Tensor], Any], Tensor]


def backend_name() -> str:
    """The framework that Keras runs on, to name it in a report: code must not depend on it.

    Example:
        >>> backend_name() in ("tensorflow", "jax", "torch")
        True
    """
    return keras.backend.backend()


def value_and_gradient(function: Callable[..., Tensor], *arrays: Any) -> tuple[Any, list[Any]]:
    """The value of a scalar function of tensors, and its gradient with respect to each of them.

    The function is written in `keras.ops` and may call Keras models and layers; it must not mix
    tensors and NumPy arrays by `*` or `+` (PyTorch refuses), but `keras.ops.multiply` may.
    What the function calls is left as it was: moving averages and seeds do not move.

    Args:
        function: takes as many tensors as there are arrays and returns one number.
        arrays: NumPy arrays (or numbers, or lists of them), which are converted to `keras.config.floatx()`,
            or tensors of the backend.

    Returns:
        The value and the list of gradients: a float and NumPy arrays, or tensors where one of the arrays
        was a tensor. An array that the value does not depend on gets zeros.

    Example:
        >>> three, two = np.array([3.0]), np.array([2.0])
        >>> value, (dx, dy) = value_and_gradient(lambda x, y: keras.ops.sum(x * x * y), three, two)
        >>> value, dx, dy
        (18.0, array([12.], dtype=float32), array([9.], dtype=float32))
    """
    return _of_arrays(function)(*arrays)


def gradient(function: Callable[[Tensor], Tensor], x: Any) -> Any:
    """The gradient of a scalar function of one tensor; the rules are those of `value_and_gradient`.

    Args:
        function: takes a tensor and returns one number.
        x: an array or a tensor.

    Returns:
        The gradient, NumPy or a tensor as `x` is.

    Example:
        >>> gradient(lambda x: keras.ops.sum(x**2), np.array([1.0, -3.0]))
        array([ 2., -6.], dtype=float32)
    """
    return value_and_gradient(function, x)[1][0]


def weight_gradients(
    model: keras.Layer, loss: Callable[[Tensor], Tensor], *inputs: Any, training: bool = False
) -> tuple[Any, list[Any]]:
    """The value of `loss(model(*inputs))`, and its gradient with respect to each trainable weight.

    Args:
        model: any built layer or model.
        loss: takes what the model gives and returns one number.
        inputs: what the model is called on, NumPy or tensors.
        training: whether it computes as in training; it is left as it was all the same.

    Returns:
        The value and the gradients in the order of `model.trainable_weights`, as tensors where one of the inputs
        was a tensor.

    Example:
        >>> layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        >>> layer.build((None, 2))
        >>> value, (dw,) = weight_gradients(layer, keras.ops.sum, np.array([[3.0, 4.0]]))
        >>> value, dw.ravel()
        (7.0, array([3., 4.], dtype=float32))
    """
    return _of_weights(model, loss, training)(*inputs)


def compiled(way: Callable[..., Any], function: Callable[..., Tensor], *more: Any, **options: Any) -> Any:
    """One of the functions above with its function or model held fast, compiled by the backend.

    `compiled(gradient, function)(x)` is `gradient(function, x)`, and so on.  It is compiled on its first call for
    each shape of the arrays; keep what is returned, to call it again.  Weights are read anew at every call, so a
    model that is trained in between is not remembered as it was; all else that the function reads besides its
    arguments (a NumPy array, a number) stays what it was when it was compiled.
    TensorFlow compiles by `tf.function`, JAX by `jax.jit`, PyTorch by `torch.compile`, which takes longest and on
    a CPU needs a C++ compiler; where it fails the function runs as it is, with a warning.

    Args:
        way: `gradient`, `value_and_gradient` or `weight_gradients`.
        function: what comes first in a call of it: the function, or the model.
        more: what comes next, the loss of `weight_gradients`.
        options: its `training`.

    Returns:
        A function of the arrays, which gives what `way` gives.

    Example:
        >>> slope = compiled(gradient, lambda x: keras.ops.sum(x**2))
        >>> slope(np.array([1.0, -3.0]))
        array([ 2., -6.], dtype=float32)
    """
    if way is weight_gradients:
        return _of_weights(function, *more, **options, compile=True)
    if way not in (gradient, value_and_gradient):
        raise ValueError(f"compiled takes gradient, value_and_gradient or weight_gradients, not {way!r}")
    both = _of_arrays(function, *more, **options, compile=True)
    return both if way is value_and_gradient else lambda x: both(x)[1][0]


def _of_arrays(
    function: Callable[..., Tensor], compile: bool = False
) -> Callable[..., tuple[Any, list[Any]]]:
    run = _Run(lambda tensors, _: function(*tensors), compile)

    def slopes(*arrays: Any) -> tuple[Any, list[Any]]:
        if not arrays:
            raise ValueError("no array was given; value_and_gradient(function, x, ...) needs at least one")
        return run(arrays, [_floating(array) for array in arrays])

    return slopes


def _of_weights(
    model: keras.Layer, loss: Callable[[Tensor], Tensor], training: bool = False, compile: bool = False
) -> Callable[..., tuple[Any, list[Any]]]:
    if not model.built:
        raise ValueError(
            f"'{model.name}' has no weights yet; call it once, or build it, before asking for gradients"
        )
    trained = model.trainable_weights
    if not trained:
        raise ValueError(f"'{model.name}' has no trainable weights; is it frozen (trainable = False)?")
    options = {"training": training} if "training" in inspect.signature(model.call).parameters else {}
    run = _Run(lambda _, inputs: loss(model(*inputs, **options)), compile, trained)

    def slopes(*inputs: Any) -> tuple[Any, list[Any]]:
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
        return run(keras.tree.flatten(inputs), [weight.value for weight in trained], tensors)

    return slopes


class _Scope(keras.StatelessScope):
    """Variables have the values given here, nothing is assigned for good, and what else is read is noted."""

    def __init__(self, variables: Sequence[keras.Variable], values: Sequence[Tensor]) -> None:
        # A weight of another layer that waits for its first value goes on waiting.
        super().__init__(zip(variables, values, strict=True), initialize_variables=False)
        self.read: dict[int, keras.Variable] = {}

    def get_current_value(self, variable: keras.Variable) -> Tensor | None:
        value = super().get_current_value(variable)
        if value is None:
            self.read[id(variable)] = variable
            if self.original_scope is not None:  # within a step that is traced itself
                value = self.original_scope.get_current_value(variable)
        return value


class _Run:
    """A function's value and slopes; compiled, the variables that it reads are arguments, lest they be constants."""

    def __init__(self, function: Scalar, compile: bool, trained: Sequence[keras.Variable] = ()) -> None:
        self.function, self.trained = function, trained
        self.others: list[keras.Variable] | None = None if compile else []
        self.run = _backend()(self.scalar, compile)

    def scalar(self, tensors: list[Tensor], rest: tuple[list[Tensor], Any]) -> Tensor:
        values, inputs = rest
        weights = tensors if self.trained else []
        with _Scope([*self.trained, *self.others], [*weights, *values]):
            return _scalar(self.function(tensors, inputs))

    def __call__(
        self, arrays: Sequence[Any], tensors: list[Tensor], inputs: Any = ()
    ) -> tuple[Any, list[Any]]:
        """Tensors for one who gave a tensor among the arrays, to be differentiated again; NumPy else."""
        if self.others is None:  # once without compiling, to see what it reads
            with _Scope(self.trained, tensors if self.trained else []) as scope:
                self.function(tensors, inputs)
            self.others = list(scope.read.values())
        again = any(map(keras.ops.is_tensor, arrays))
        value, slopes = self.run(tensors, ([variable.value for variable in self.others], inputs), again)
        slopes = [
            keras.ops.zeros_like(tensor) if slope is None else slope
            for tensor, slope in zip(tensors, slopes, strict=True)
        ]
        if again:
            return value, slopes
        return float(keras.ops.convert_to_numpy(value)), [keras.ops.convert_to_numpy(g) for g in slopes]


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


def _floating(array: Any) -> Tensor:
    """The array as a tensor that has slopes: one of floating numbers as it is, all else in Keras's own type."""
    if keras.ops.is_tensor(array) and keras.backend.is_float_dtype(array.dtype):
        return array
    return keras.ops.convert_to_tensor(
        array if keras.ops.is_tensor(array) else np.asarray(array), dtype=keras.config.floatx()
    )


def _backend() -> Callable[[Scalar, bool], Callable[..., tuple[Tensor, Sequence[Tensor | None]]]]:
    name = backend_name()
    try:
        return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[name]
    except KeyError:
        raise NotImplementedError(
            f"Keras runs on '{name}', which has no gradients; set KERAS_BACKEND to tensorflow, jax or torch"
        ) from None


def _tensorflow(scalar: Scalar, compile: bool) -> Callable[..., Any]:
    import tensorflow as tf

    def run(tensors, rest):
        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            value = scalar(tensors, rest)
        # An embedding's gradient comes as indexed rows: spread it out.
        return value, [g if g is None else tf.convert_to_tensor(g) for g in tape.gradient(value, tensors)]

    run = tf.function(run, autograph=False) if compile else run
    return lambda tensors, rest, again: run(tensors, rest)


def _jax(scalar: Scalar, compile: bool) -> Callable[..., Any]:
    import jax

    run = jax.value_and_grad(scalar)
    run = jax.jit(run) if compile else run
    return lambda tensors, rest, again: run(tensors, rest)


def _torch(scalar: Scalar, compile: bool) -> Callable[..., Any]:
    import torch

    if compile:
        scalar = _torch_compiled(scalar)

    def run(tensors, rest, again):
        # Within another gradient tensors have a slope already; a weight of Keras asks for one by nature.
        moved = [t.requires_grad and not isinstance(t, torch.nn.Parameter) for t in tensors]
        again = again and torch.is_grad_enabled()
        with torch.enable_grad():
            tensors = [t if m else t.detach().requires_grad_() for t, m in zip(tensors, moved, strict=True)]
            value = scalar(tensors, rest)
            if not value.requires_grad:  # a constant: nothing to differentiate
                return value, [None] * len(tensors)
            slopes = torch.autograd.grad(value, tensors, allow_unused=True, create_graph=again)
        return value if again else value.detach(), slopes

    return run


def _torch_compiled(scalar: Scalar) -> Scalar:
    import torch

    fast = torch.compile(scalar)

    def run(tensors, rest):
        nonlocal fast
        try:
            return fast(tensors, rest)
        except torch._dynamo.exc.TorchDynamoException as error:
            warnings.warn(f"torch.compile failed, so this runs uncompiled: {error}", stacklevel=4)
            fast = scalar
            return scalar(tensors, rest)

    return run

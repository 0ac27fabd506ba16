"""What a network costs: the multiplications, each with its addition, of one forward pass over one example.

Counted are the sums of products: convolutions, dense layers, recurrent layers, attention and matrix products.
Not counted are biases, normalisation, activations, pooling and element-wise arithmetic, as is the custom of the
papers.  A layer of one's own joins in by a method `multiply_adds(input_shape)`; a layer of somebody else's by
`register_cost`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from cnnkit.insight.graph import Call, Graph, Shape, read

__all__ = ["multiply_adds", "register_cost"]

Rule = Callable[[Any, tuple[Shape, ...], Shape], int]
_RULES: dict[type, Rule] = {}
_PRODUCTS = {"Matmul", "Einsum", "Dot", "Tensordot", "Inner", "Outer", "Vdot", "Conv", "DepthwiseConv"}


def multiply_adds(model: keras.Model, input_shape: Any = None) -> int:
    """Count the multiply-adds (MACs) of one forward pass over one example.

    A convolution costs H' W' k k (C / g) C' of them, a dense layer the product of its two sides, a transposed
    convolution one kernel for each *input* position.  Biases, normalisation, activations and pooling are not
    counted.  One MAC is two FLOPs.

    Args:
        model: any functional or sequential Keras model.
        input_shape: shape without the batch, for a model whose own leaves sides open (or to ask "what if").

    >>> inputs = keras.Input((28, 28, 1))
    >>> multiply_adds(keras.Model(inputs, keras.layers.Conv2D(6, 5)(inputs)))
    86400

    Chapter: models/lenet.
    """
    total = 0
    for call in read(model, input_shape).whole().calls:
        cost = cost_of(call)
        if cost is None:
            raise ValueError(
                f"The multiply-adds of layer '{call.path}' depend on a size that model '{model.name}' leaves open "
                f"(its input here is {call.input_shape}). Give one: "
                "multiply_adds(model, input_shape=(224, 224, 3))."
            )
        total += cost
    return total


def register_cost(*kinds: type) -> Callable[[Rule], Rule]:
    """Register how layers of some class count: a function (layer, input_shapes, output_shape) -> int.

    Shapes include the batch.  A class's rule serves its subclasses too.

    >>> class Twice(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> @register_cost(Twice)
    ... def twice(layer, input_shapes, output_shape):
    ...     return math.prod(output_shape[1:])

    Chapter: models/lenet.
    """

    def decorate(rule: Rule) -> Rule:
        _RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return decorate


def cost_of(call: Call) -> int | None:
    """Multiply-adds of one call; None where a size that they depend on is unknown."""
    return _cost(call.operation, call.input_shapes, call.output_shape)


def _cost(layer: Any, input_shapes: tuple[Shape, ...], output_shape: Shape) -> int | None:
    rule = _rule(layer)
    if rule is None:
        return 0
    try:
        return int(rule(layer, input_shapes, output_shape))
    except TypeError:
        if any(size is None for shape in (*input_shapes, output_shape) for size in shape[1:]):
            return None
        raise


def is_counted(call: Call) -> bool:
    """False for a layer that has weights, or multiplies, and no rule says at what cost."""
    layer = call.operation
    if _rule(layer) is not None:
        return True
    known = type(layer).__module__.startswith("keras.")
    if call.kind in _PRODUCTS:
        return False
    return known or not getattr(layer, "weights", None)


def uncounted(graph: Graph) -> list[str]:
    """One sentence for each kind of layer whose cost nobody declared."""
    kinds = sorted({call.kind for call in graph.calls if not is_counted(call)})
    return [
        f"{kind}: cost unknown, counted as 0; give the layer a method multiply_adds(input_shape)."
        for kind in kinds
    ]


def _rule(layer: Any) -> Rule | None:
    own = getattr(layer, "multiply_adds", None)
    if callable(own):
        return lambda _, input_shapes, __: own(input_shapes[0] if len(input_shapes) == 1 else input_shapes)
    for kind in type(layer).__mro__:
        if kind in _RULES:
            return _RULES[kind]
    return _OPERATIONS.get(type(layer).__name__) if not isinstance(layer, keras.layers.Layer) else None


def _space(layer: Any, shape: Shape) -> tuple[int | None, ...]:
    return shape[2:] if getattr(layer, "data_format", None) == "channels_first" else shape[1:-1]


def _channels(layer: Any, shape: Shape) -> int | None:
    return shape[1] if getattr(layer, "data_format", None) == "channels_first" else shape[-1]


_layers = keras.layers


@register_cost(_layers.Conv1D, _layers.Conv2D, _layers.Conv3D)
def _convolution(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    weights = math.prod(layer.kernel_size) * (_channels(layer, inputs[0]) // layer.groups) * layer.filters
    return math.prod(_space(layer, output)) * weights


@register_cost(_layers.DepthwiseConv1D, _layers.DepthwiseConv2D)
def _depthwise(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return math.prod(output[1:]) * math.prod(layer.kernel_size)


@register_cost(_layers.SeparableConv1D, _layers.SeparableConv2D)
def _separable(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    between = _channels(layer, inputs[0]) * layer.depth_multiplier
    return math.prod(_space(layer, output)) * between * (math.prod(layer.kernel_size) + layer.filters)


@register_cost(_layers.Conv1DTranspose, _layers.Conv2DTranspose, _layers.Conv3DTranspose)
def _transposed(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return math.prod(inputs[0][1:]) * math.prod(layer.kernel_size) * layer.filters


@register_cost(_layers.Dense)
def _dense(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return math.prod(inputs[0][1:]) * layer.units


def _einsum(equation: str, shapes: list[Shape]) -> int:
    """The product of the ranges of all indices, except the batch: the first index of the first operand."""
    operands = equation.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int | None] = {}
    for labels, shape in zip(operands, shapes, strict=True):
        head, dots, tail = labels.partition("...")
        middle = len(shape) - len(head) - len(tail)
        names = [*head, *(f".{middle - i}" for i in range(middle if dots else 0)), *tail]
        for name, size in zip(names, shape, strict=True):
            sizes.setdefault(name, size)
    return math.prod(list(sizes.values())[1:])


@register_cost(_layers.EinsumDense)
def _einsum_dense(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _einsum(layer.equation, [inputs[0], tuple(layer.kernel.shape)])


@register_cost(_layers.MultiHeadAttention)
def _attention(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    query = inputs[0]
    value = inputs[1] if len(inputs) > 1 else query
    key = inputs[2] if len(inputs) > 2 else value
    queries, places = math.prod(query[1:-1]), math.prod(value[1:-1])
    keys, values = layer.num_heads * layer.key_dim, layer.num_heads * (layer.value_dim or layer.key_dim)
    projections = queries * query[-1] * keys + places * (key[-1] * keys + value[-1] * values)
    return projections + queries * places * (keys + values) + queries * values * output[-1]


@register_cost(_layers.SimpleRNN, _layers.LSTM, _layers.GRU)
def _recurrent(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    gates = 4 if isinstance(layer, keras.layers.LSTM) else 3 if isinstance(layer, keras.layers.GRU) else 1
    return inputs[0][1] * gates * layer.units * (inputs[0][2] + layer.units)


@register_cost(_layers.Bidirectional)
def _bidirectional(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return 2 * _recurrent(layer.forward_layer, inputs, output)


@register_cost(_layers.TimeDistributed)
def _time_distributed(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    one = tuple((shape[0], *shape[2:]) for shape in inputs)
    if isinstance(layer.layer, keras.Model):
        return inputs[0][1] * multiply_adds(layer.layer, one[0][1:])
    return inputs[0][1] * _cost(layer.layer, one, (output[0], *output[2:]))


@register_cost(_layers.Dot)
def _dot(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    axes = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return math.prod(output[1:]) * inputs[0][axes]


def _matmul(operation: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return math.prod(output[1:]) * inputs[0][-1]


def _einsum_operation(operation: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _einsum(operation.subscripts, list(inputs))


# Calls of keras.ops on symbolic tensors appear in the graph as operations, not as layers.
_OPERATIONS: dict[str, Rule] = {"Matmul": _matmul, "Einsum": _einsum_operation}

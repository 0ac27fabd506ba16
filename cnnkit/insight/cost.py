"""What a network costs: the multiplications, each with its addition, of one forward pass over one example.

Counted are the sums of products: convolutions, dense layers, recurrent layers, attention and matrix products.
Not counted are biases, normalisation, activations, pooling and element-wise arithmetic, as is the custom of the
papers.  A layer of one's own joins in by a method `multiply_adds(input_shape)`; a layer of somebody else's by
`register_cost`.  A layer of which nobody has said what it costs is unknown, which is not the same as 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from cnnkit.insight.graph import ELEMENTWISE, Call, Shape, is_readable, keras_family, read
from cnnkit.insight.operations import cost_of_operation, einsum_cost

__all__ = ["multiply_adds", "register_cost"]

Rule = Callable[[Any, tuple[Shape, ...], Shape], int | None]
_RULES: dict[type, Rule] = {}
_FREE = ELEMENTWISE | {"pooling", "reshaping"}


def multiply_adds(model: keras.Model, input_shape: Any = None) -> int:
    """Count the multiply-adds (MACs) of one forward pass over one example.

    A convolution costs H' W' k k (C / g) C' of them, a dense layer the product of its two sides, a transposed
    convolution one kernel for each *input* position.  Biases, normalisation, activations and pooling are not
    counted.  One MAC is two FLOPs.

    Args:
        model: any functional or sequential Keras model.
        input_shape: shape without the batch, for a model whose own leaves sides open (or to ask "what if").

    Raises:
        ValueError: if a size is open, or a layer's cost unknown; the message names the layer and the remedy.

    Example:
        >>> inputs = keras.Input((28, 28, 1))
        >>> multiply_adds(keras.Model(inputs, keras.layers.Conv2D(6, 5)(inputs)))
        86400

    Chapter: models/lenet.
    """
    total = 0
    for call in read(model, input_shape).whole().calls:
        cost = cost_of(call)
        if cost is not None:
            total += cost
        elif remark := unknown_cost(call):
            raise ValueError(f"The multiply-adds of layer '{call.path}' are unknown. {remark}")
        else:
            raise ValueError(
                f"The multiply-adds of layer '{call.path}' depend on a size that model '{model.name}' leaves open "
                f"(its input here is {call.input_shape}). Give one: "
                "multiply_adds(model, input_shape=(224, 224, 3))."
            )
    return total


def register_cost(*kinds: type) -> Callable[[Rule], Rule]:
    """Register how layers of some class count: a function `(layer, input_shapes, output_shape) -> int`.

    Shapes include the batch.  A class's rule serves its subclasses too.  A rule may return None: unknown.

    Example:
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
    """Multiply-adds of one call; None where a size that they depend on is open, or nobody has said what it costs."""
    try:
        cost = _cost(call)
    except TypeError:
        if any(size is None for shape in (*call.input_shapes, call.output_shape) for size in shape[1:]):
            return None
        raise
    return None if cost is None else int(cost)


def unknown_cost(call: Call) -> str | None:
    """What is said of a call whose cost nobody has declared; None for one whose cost is known, or open."""
    try:
        if _cost(call) is not None:
            return None
    except TypeError:
        return None
    if not isinstance(call.operation, keras.layers.Layer) or call.kind == "Lambda":
        return f"{call.title}: cost unknown; make it a layer with a method multiply_adds(input_shape)."
    return (
        f"{call.title}: cost unknown; give the layer a method multiply_adds(input_shape), "
        f"or say it with insight.register_cost({call.innermost})."
    )


def _cost(call: Call) -> int | None:
    layer = call.operation
    if not isinstance(layer, keras.layers.Layer):
        return cost_of_operation(call)
    own = getattr(layer, "multiply_adds", None)
    if callable(own):
        return own(call.input_shape if len(call.input_shapes) == 1 else list(call.input_shapes))
    for kind in type(layer).__mro__:
        if kind in _RULES:
            return _RULES[kind](layer, call.input_shapes, call.output_shape)
    return 0 if keras_family(layer) in _FREE else None


def _cost_inside(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """What one use of a wrapped layer, or model, costs."""
    if isinstance(layer, keras.Model) and is_readable(layer):
        costs = [cost_of(call) for call in read(layer, inputs[0][1:]).whole().calls]
        return None if None in costs else sum(costs)
    return _cost(Call(layer.name, layer, (), (), inputs, (output,)))


def _space(layer: Any, shape: Shape) -> tuple[int | None, ...]:
    return shape[2:] if getattr(layer, "data_format", None) == "channels_first" else shape[1:-1]


def _channels(layer: Any, shape: Shape) -> int | None:
    return shape[1] if getattr(layer, "data_format", None) == "channels_first" else shape[-1]


_layers = keras.layers


@register_cost(_layers.Identity, _layers.Masking, _layers.Embedding, _layers.InputLayer)
def _free(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return 0


if hasattr(_layers, "ReversibleEmbedding"):  # newer than the oldest Keras that serves

    @register_cost(_layers.ReversibleEmbedding)
    def _embedding_and_back(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
        is_back = len(output) == len(inputs[0]) and output[-1] == layer.input_dim
        return math.prod(inputs[0][1:]) * layer.input_dim if is_back else 0


@register_cost(_layers.MelSpectrogram, _layers.STFTSpectrogram)
def _nobody_knows(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> None:
    return None


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


@register_cost(_layers.EinsumDense)
def _einsum_dense(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    return einsum_cost(layer.equation, [inputs[0], tuple(layer.kernel.shape)])


@register_cost(_layers.MultiHeadAttention)
def _attention(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    query = inputs[0]
    value = inputs[1] if len(inputs) > 1 else query
    key = inputs[2] if len(inputs) > 2 else value
    queries, places = math.prod(query[1:-1]), math.prod(value[1:-1])
    apart = math.prod(query[axis] for axis in apart_in_attention(layer, len(query)))
    keys, values = layer.num_heads * layer.key_dim, layer.num_heads * (layer.value_dim or layer.key_dim)
    projections = queries * query[-1] * keys + places * (key[-1] * keys + value[-1] * values)
    return projections + queries * places // apart * (keys + values) + queries * values * output[-1]


def apart_in_attention(layer: Any, rank: int) -> list[int]:
    """The axes along which `MultiHeadAttention` does not mix: those of places that it was told to leave apart."""
    mixed = layer.get_config().get("attention_axes") or range(1, rank - 1)
    mixed = {axis % rank for axis in ([mixed] if isinstance(mixed, int) else mixed)}
    return [axis for axis in range(1, rank - 1) if axis not in mixed]


@register_cost(_layers.GroupQueryAttention)
def _grouped_attention(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    if getattr(layer, "use_gate", False):
        return None
    (_, queries, width), (_, places, value_width) = inputs[:2]
    key_width = inputs[2][-1] if len(inputs) > 2 else value_width
    heads, shared = layer.num_query_heads * layer.head_dim, layer.num_key_value_heads * layer.head_dim
    projections = queries * heads * (width + output[-1]) + places * shared * (key_width + value_width)
    return projections + 2 * queries * places * heads


@register_cost(_layers.Attention, _layers.AdditiveAttention)
def _attention_without_weights(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    (_, queries, width), (_, places, value_width) = inputs[:2]
    return queries * places * (width + value_width)


_GATES = {_layers.LSTMCell: 4, _layers.GRUCell: 3, _layers.SimpleRNNCell: 1}


@register_cost(_layers.RNN)
def _recurrent(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    cells = layer.cell.cells if isinstance(layer.cell, keras.layers.StackedRNNCells) else [layer.cell]
    steps, width, total = inputs[0][1], inputs[0][2], 0
    for cell in cells:
        size = cell.output_size
        gates = next((count for kind, count in _GATES.items() if isinstance(cell, kind)), None)
        step = (
            _cost_inside(cell, ((None, width),), (None, size))
            if gates is None
            else gates * size * (width + size)
        )
        if step is None:
            return None
        total, width = total + step, size
    return steps * total


@register_cost(_layers.ConvLSTM1D, _layers.ConvLSTM2D, _layers.ConvLSTM3D)
def _recurrent_convolution(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    """Four gates, each a convolution of the moment and one of the state before it."""
    state = (output[0], *output[2:]) if layer.return_sequences else output
    kernels = math.prod(layer.kernel_size) * (_channels(layer, inputs[0][1:]) + layer.filters) * layer.filters
    return inputs[0][1] * 4 * math.prod(_space(layer, state)) * kernels


@register_cost(_layers.Bidirectional)
def _bidirectional(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    ways = [_cost_inside(one, inputs, output) for one in (layer.forward_layer, layer.backward_layer)]
    return None if None in ways else sum(ways)


@register_cost(_layers.TimeDistributed)
def _time_distributed(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    moment = _cost_inside(
        layer.layer, tuple((shape[0], *shape[2:]) for shape in inputs), (output[0], *output[2:])
    )
    return None if moment is None else inputs[0][1] * moment


@register_cost(_layers.SpectralNormalization)
def _wrapped(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    return _cost_inside(layer.layer, inputs, output)


@register_cost(_layers.Dot)
def _dot(layer: Any, inputs: tuple[Shape, ...], output: Shape) -> int:
    axes = layer.axes if isinstance(layer.axes, int) else layer.axes[0]
    return math.prod(output[1:]) * inputs[0][axes]

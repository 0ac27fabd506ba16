"""Functions of `keras.ops` that were called on symbolic tensors: what each costs, and where its axes go.

In a Keras graph they stand as operations, not as layers, and are known here by the name of their class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cnnkit.insight.graph import Call, Shape
from cnnkit.insight.moves import AxisMap, broadcast, joined, keeps_its_places, permuted, regroup, slid
from cnnkit.insight.reach import IDENTITY, enlarged, window

__all__: list[str] = []

# -- what they cost ---------------------------------------------------------------------------------------------


def cost_of_operation(call: Call) -> int | None:
    """Multiply-adds of one call, 0 for what only moves, compares or adds numbers; None where no rule says."""
    if call.kind in _COSTS:
        return _COSTS[call.kind](call)
    return None if call.kind in _COSTLY else 0


def einsum_cost(equation: str, shapes: Sequence[Shape]) -> int:
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


def _operands(call: Call) -> list[Shape]:
    """Shapes of the leading arguments: values of the graph as they are now, constants and weights as given."""
    known = iter(call.input_shapes)
    symbolic = {id(tensor) for tensor in call.node.input_tensors}
    return [
        next(known) if id(value) in symbolic else tuple(getattr(value, "shape", ())) for value in call.args
    ]


def _places(call: Call, shape: Shape) -> int:
    return math.prod(shape[2:] if call.operation.data_format == "channels_first" else shape[1:-1])


def _matmul(call: Call) -> int:
    return math.prod(call.output_shape[1:]) * _operands(call)[0][-1]


def _einsum(call: Call) -> int:
    return einsum_cost(call.operation.subscripts, _operands(call))


def _convolution(call: Call) -> int:
    return _places(call, call.output_shape) * math.prod(_operands(call)[1])


def _separable(call: Call) -> int:
    _, spatial, pointwise = _operands(call)[:3]
    return _places(call, call.output_shape) * (math.prod(spatial) + math.prod(pointwise))


def _transposed_convolution(call: Call) -> int:
    return _places(call, call.input_shape) * math.prod(_operands(call)[1])


def _attention(call: Call) -> int:
    (_, queries, heads, width), (_, places, *_), value = _operands(call)[:3]
    return queries * places * heads * (width + value[-1])


_COSTS: dict[str, Callable[[Call], int]] = {
    "Matmul": _matmul,
    "Dot": _matmul,
    "Einsum": _einsum,
    "Conv": _convolution,
    "DepthwiseConv": _convolution,
    "SeparableConv": _separable,
    "ConvTranspose": _transposed_convolution,
    "DotProductAttention": _attention,
}
# Those whose products nobody has counted yet: unknown, which is not 0.
_COSTLY = {
    *(
        "Tensordot",
        "Inner",
        "Outer",
        "Vdot",
        "Kron",
        "Correlate",
        "Corrcoef",
        "CDist",
        "GaussianBlur",
        "SSIM",
    ),
    *("Cholesky", "CholeskyInverse", "Det", "Eig", "Eigh", "Inv", "JVP", "Lstsq", "LuFactor", "MatrixRank"),
    *(
        "Pinv",
        "Qr",
        "SVD",
        "Solve",
        "SolveTriangular",
        "Logdet",
        "Slogdet",
        "Fold",
        "Unfold",
        "ExtractPatches",
    ),
    *("FFT", "FFT2", "IFFT2", "RFFT", "IRFFT", "STFT", "ISTFT", "AssociativeScan", "Cond", "ForiLoop", "Map"),
    *("Scan", "Switch", "VectorizedMap", "WhileLoop", "AffineTransform", "ElasticTransform"),
    *("PerspectiveTransform", "ScaleAndTranslate", "MapCoordinates"),
}

# -- where their axes go ----------------------------------------------------------------------------------------


def axes_of_operation(call: Call) -> list[AxisMap] | None:
    """One map for each input; element by element where the shape allows it, None where nothing is known."""
    if call.kind in _AXES:
        return [_AXES[call.kind](call, shape) for shape in call.input_shapes]
    if call.kind in _COSTLY:
        return None
    axes = getattr(call.operation, "axis", None)
    if axes is not None and hasattr(call.operation, "keepdims"):
        return [_reduced(call, shape) for shape in call.input_shapes]
    maps = [broadcast(shape, call.output_shape) for shape in call.input_shapes]
    several = len(call.input_shapes) > 1
    if several or keeps_its_places(maps[0], call.input_shape):
        return maps
    return None


def _whole(call: Call, shape: Shape) -> AxisMap:
    return {}


def _windowed(call: Call, shape: Shape) -> AxisMap:
    operation = call.operation
    channel = 1 if operation.data_format == "channels_first" else len(shape) - 1
    size = getattr(operation, "pool_size", None)
    if size is None:
        size = tuple(_operands(call)[1][: len(shape) - 2])
    said = {
        "kernel_size": size,
        "strides": operation.strides or size,
        "padding": operation.padding,
        "dilation_rate": getattr(operation, "dilation_rate", 1),
        "transposed": call.kind == "ConvTranspose",
    }
    return slid(shape, channel, said)


def _regrouped(call: Call, shape: Shape) -> AxisMap:
    return regroup(shape, call.output_shape)


def _transposed(call: Call, shape: Shape) -> AxisMap:
    return permuted(call.operation.axes or range(len(shape))[::-1])


def _swapped(call: Call, shape: Shape) -> AxisMap:
    axes = list(range(len(shape)))
    one, other = call.operation.axis1, call.operation.axis2
    axes[one], axes[other] = axes[other], axes[one]
    return permuted(axes)


def _moved(call: Call, shape: Shape) -> AxisMap:
    source = [axis % len(shape) for axis in call.operation.source]
    axes = [axis for axis in range(len(shape)) if axis not in source]
    for target, axis in sorted(
        (target % len(shape), axis) for target, axis in zip(call.operation.destination, source, strict=True)
    ):
        axes.insert(target, axis)
    return permuted(axes)


def _stacked(call: Call, shape: Shape) -> AxisMap:
    new = call.operation.axis % (len(shape) + 1)
    return {axis: (axis + (axis >= new), IDENTITY) for axis in range(1, len(shape))}


def _joined(call: Call, shape: Shape) -> AxisMap:
    return joined(call.operation.axis, shape, call.output_shape)


def _along(call: Call, shape: Shape) -> AxisMap:
    """What mixes all places of some axes (a softmax over places, a running sum, a turn) keeps the others."""
    named = call.operation.axis if hasattr(call.operation, "axis") else None
    axes = range(len(shape)) if named is None else [named] if isinstance(named, int) else named
    mixed = {axis % len(shape) for axis in axes}
    kept = broadcast(shape, call.output_shape) if len(shape) == len(call.output_shape) else {}
    return {axis: target for axis, target in kept.items() if axis not in mixed}


def _slice(call: Call, shape: Shape) -> AxisMap:
    keys = call.args[1] if len(call.args) > 1 else call.node.arguments.kwargs.get("key", ())
    keys = list(keys) if isinstance(keys, tuple) else [keys]
    if any(not isinstance(key, slice | int) and key not in (Ellipsis, None) for key in keys):
        return {}
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        missing = len(shape) - sum(key is not None for key in keys) + 1
        keys[place : place + 1] = [slice(None)] * missing
    keys += [slice(None)] * (len(shape) - sum(key is not None for key in keys))
    maps: AxisMap = {}
    source, target = 0, 0
    for key in keys:
        if key is None:
            target += 1
            continue
        if isinstance(key, slice):
            start, step = key.start or 0, key.step or 1
            start = start + shape[source] if start < 0 and shape[source] is not None else start
            if source and step > 0 and start >= 0:
                maps[source] = (target, window(1, step, -start))
            target += 1
        source += 1
    return maps


def _reduced(call: Call, shape: Shape) -> AxisMap:
    operation = call.operation
    axes = operation.axis if operation.axis is not None else range(len(shape))
    axes = {axis % len(shape) for axis in ([axes] if isinstance(axes, int) else axes)}
    kept = [axis for axis in range(len(shape)) if getattr(operation, "keepdims", False) or axis not in axes]
    return {axis: (place, IDENTITY) for place, axis in enumerate(kept) if axis and axis not in axes}


def _padded(call: Call, shape: Shape) -> AxisMap:
    width = call.operation.pad_width
    pairs = [(width, width)] * len(shape) if isinstance(width, int) else list(width)
    return {axis: (axis, window(1, 1, pairs[axis][0])) for axis in range(1, len(shape))}


def _resized(call: Call, shape: Shape) -> AxisMap:
    operation = call.operation
    channel = 1 if operation.data_format == "channels_first" else len(shape) - 1
    return enlarged_to(shape, call.output_shape, channel, operation.interpolation)


def enlarged_to(shape: Shape, output: Shape, channel: int, interpolation: str) -> AxisMap:
    """Resizing by whole factors, over every axis but that of the channels; by others an axis is seen as a whole."""
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for axis in (axis for axis in range(1, len(shape)) if axis != channel):
        if shape[axis] and output[axis] and output[axis] % shape[axis] == 0:
            maps[axis] = (axis, enlarged(output[axis] // shape[axis], interpolation))
    return maps


_AXES: dict[str, Callable[[Call, Shape], AxisMap]] = {
    "Transpose": _transposed,
    "Swapaxes": _swapped,
    "Moveaxis": _moved,
    "GetItem": _slice,
    "Concatenate": _joined,
    "Stack": _stacked,
    "Pad": _padded,
    "Resize": _resized,
    **dict.fromkeys(("Reshape", "Squeeze", "ExpandDims", "Ravel"), _regrouped),
    **dict.fromkeys(("Conv", "DepthwiseConv", "SeparableConv", "ConvTranspose"), _windowed),
    **dict.fromkeys(("MaxPool", "AveragePool"), _windowed),
    **dict.fromkeys(("Mean", "Max", "Min", "Sum", "Var", "Std", "Prod", "Amax", "Amin", "Average"), _reduced),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Sparsemax", "Split"), _along),
    **dict.fromkeys(
        ("Cumsum", "Cumprod", "Flip", "Roll", "Sort", "Argsort", "Take", "Repeat", "Diff"), _along
    ),
    **dict.fromkeys(("Matmul", "Dot", "Einsum", "Tensordot", "Inner", "Outer", "Vdot"), _whole),
    **dict.fromkeys(("DotProductAttention", "TakeAlongAxis", "Cross", "Correlate", "Rot90"), _whole),
}

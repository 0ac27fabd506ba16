"""How each kind of layer joins the axes of its output to the axes of its input.

A rule returns, for one input, a dictionary {input axis: (output axis, Reach)}; an input axis that is missing is
seen as a whole by every unit.  Axes are counted with the batch, which is axis 0 and in no dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from cnnkit.insight.graph import Call, Shape
from cnnkit.insight.reach import IDENTITY, Reach, enlarged, transposed, window

__all__ = ["register_field"]

AxisMap = dict[int, tuple[int, Reach]]
Window = dict[str, Any] | str
_WINDOWS: dict[type, Callable[[Any, Shape], Window]] = {}


def register_field(
    *kinds: type,
) -> Callable[[Callable[[Any, Shape], Window]], Callable[[Any, Shape], Window]]:
    """Register what the units of some layer class see: a function (layer, input_shape) -> window.

    A window is "elementwise", "whole", or a dictionary with `kernel_size` and, where they are not 1, 1, "valid",
    and False, `strides`, `dilation_rate`, `padding` and `transposed`.  A layer of one's own says the same by a
    method `receptive_field_window(input_shape)`; one that has Keras's attributes (`kernel_size` or `pool_size`,
    `strides`, `padding`, `dilation_rate`, `data_format`) need say nothing.

    >>> class Blink(keras.layers.Layer):
    ...     def call(self, x):
    ...         return x[:, ::2, ::2]
    >>> @register_field(Blink)
    ... def blink(layer, input_shape):
    ...     return {"kernel_size": 1, "strides": 2}

    Chapter: layers/receptive-fields.
    """

    def decorate(rule: Callable[[Any, Shape], Window]) -> Callable[[Any, Shape], Window]:
        _WINDOWS.update(dict.fromkeys(kinds, rule))
        return rule

    return decorate


def axis_maps(call: Call) -> tuple[list[AxisMap], str | None]:
    """One map for each input of the call, and a sentence where something had to be assumed."""
    layer = call.operation
    declared = _declared(layer, call.input_shape)
    if declared is not None:
        return _from_window(call, declared)
    for kind in type(layer).__mro__:
        if kind in _STRUCTURE:
            return [_STRUCTURE[kind](layer, shape, call.output_shape) for shape in call.input_shapes], None
    if (rule := _OPERATIONS.get(call.kind)) is not None and not isinstance(layer, keras.layers.Layer):
        return [rule(call, shape, call.output_shape) for shape in call.input_shapes], None
    if isinstance(layer, keras.layers.TimeDistributed) and not isinstance(layer.layer, keras.Model):
        return _time_distributed(call)
    if hasattr(layer, "kernel_size") or hasattr(layer, "pool_size"):
        return _from_window(call, _keras_window(layer))
    return _assumed(call)


def channel_axis(call: Call) -> int | None:
    """The axis of features, where the layer has one."""
    data_format = getattr(call.operation, "data_format", None)
    if data_format is not None:
        return 1 if data_format == "channels_first" else len(call.input_shape) - 1
    return len(call.input_shape) - 1 if isinstance(call.operation, keras.layers.Dense) else None


def _declared(layer: Any, input_shape: Shape) -> Window | None:
    own = getattr(layer, "receptive_field_window", None)
    if callable(own):
        return own(input_shape)
    for kind in type(layer).__mro__:
        if kind in _WINDOWS:
            return _WINDOWS[kind](layer, input_shape)
    return None


def _keras_window(layer: Any) -> Window:
    size = getattr(layer, "kernel_size", None) or layer.pool_size
    return {
        "kernel_size": size,
        "strides": getattr(layer, "strides", None) or 1,
        "dilation_rate": getattr(layer, "dilation_rate", 1),
        "padding": getattr(layer, "padding", "valid"),
        "transposed": "Transpose" in type(layer).__name__,
    }


def _from_window(call: Call, said: Window) -> tuple[list[AxisMap], str | None]:
    if said == "elementwise":
        return [_broadcast(shape, call.output_shape) for shape in call.input_shapes], None
    if said == "whole":
        return [{} for _ in call.input_shapes], None
    channel = channel_axis(call) or len(call.input_shape) - 1
    space = [axis for axis in range(1, len(call.input_shape)) if axis != channel]
    maps: AxisMap = {}
    for place, axis in enumerate(space):
        kernel, stride, dilation = (
            _of(said.get(key, 1), place) for key in ("kernel_size", "strides", "dilation_rate")
        )
        spread = bool(said.get("transposed"))
        length = call.input_shape[axis]
        padding = _padding_before(
            said.get("padding", "valid"), place, kernel, stride, dilation, None if spread else length
        )
        maps[axis] = (axis, (transposed if spread else window)(kernel, stride, padding, dilation))
    if hasattr(call.operation, "pool_size") or "Depthwise" in call.kind:
        maps[channel] = (channel, IDENTITY)
    return [maps for _ in call.input_shapes], None


def _of(value: Any, place: int) -> int:
    return int(value if isinstance(value, int) else value[place])


def _padding_before(
    padding: Any, place: int, kernel: int, stride: int, dilation: int, length: int | None
) -> int:
    """Zeros before the first place. With "same" they depend on the length; unknown, it is taken as whole strides."""
    reach = dilation * (kernel - 1) + 1
    if padding == "valid":
        return 0
    if padding == "causal":
        return reach - 1
    if padding == "same":
        steps = stride if length is None or length % stride == 0 else length % stride
        return max(reach - steps, 0) // 2
    if isinstance(padding, int):
        return padding
    pad = padding[place]
    return pad if isinstance(pad, int) else pad[0]


def _broadcast(shape: Shape, output: Shape) -> AxisMap:
    """Unit by unit, for axes that have the same length; axes are lined up from the right."""
    lag = len(output) - len(shape)
    return {
        axis: (axis + lag, IDENTITY)
        for axis in range(1, len(shape))
        if shape[axis] == output[axis + lag] or (shape[axis] is None and output[axis + lag] is None)
    }


def _assumed(call: Call) -> tuple[list[AxisMap], str | None]:
    """Element-wise where the shape allows it (Keras's own: no remark), else everything sees everything."""
    keras_own = type(call.operation).__module__.startswith("keras.")
    maps = [_broadcast(shape, call.output_shape) for shape in call.input_shapes]
    kept = all(len(m) >= len(shape) - 2 for m, shape in zip(maps, call.input_shapes, strict=True))
    single = len(call.input_shapes) == 1
    if keras_own and (not single or kept):
        return maps, None
    if kept:
        return maps, f"{call.kind} ('{call.path}') keeps the shape and is taken as element-wise."
    return [
        {} for _ in call.input_shapes
    ], f"{call.kind} ('{call.path}') is unknown and taken to see everything."


def _time_distributed(call: Call) -> tuple[list[AxisMap], str | None]:
    inner = Call(
        call.path,
        call.operation.layer,
        call.inputs,
        call.outputs,
        ((call.input_shape[0], *call.input_shape[2:]),),
        ((call.output_shape[0], *call.output_shape[2:]),),
    )
    maps, note = axis_maps(inner)
    shifted = {axis + 1: (target + 1, reach) for axis, (target, reach) in maps[0].items()}
    return [{1: (1, IDENTITY), **shifted}], note


# -- layers that move, cut or join axes -------------------------------------------------------------------------


def _whole(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {}


def _pointwise(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {axis: (axis, IDENTITY) for axis in range(1, len(shape) - 1)}


def _regroup(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    """Reshape and flatten: an axis lives on where it stands alone in both shapes."""
    maps: AxisMap = {}
    left, right = 1, 1
    while left < len(shape) and right < len(output):
        if shape[left] == output[right]:
            maps[left] = (right, IDENTITY)
            left, right = left + 1, right + 1
        elif shape[left] == 1:
            left += 1
        elif output[right] == 1:
            right += 1
        elif shape[left] is None or output[right] is None:
            break
        else:
            before, after = shape[left], output[right]
            while before != after:
                if before < after:
                    left += 1
                    if left == len(shape) or shape[left] is None:
                        return maps
                    before *= shape[left]
                else:
                    right += 1
                    if right == len(output) or output[right] is None:
                        return maps
                    after *= output[right]
            left, right = left + 1, right + 1
    return maps


def _permute(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {source: (target + 1, IDENTITY) for target, source in enumerate(layer.dims)}


def _global_pool(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    source = 1 if layer.data_format == "channels_first" else len(shape) - 1
    return {source: (1 if layer.data_format == "channels_first" else len(output) - 1, IDENTITY)}


def _concatenate(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    axis = layer.axis % len(shape)
    return {a: target for a, target in _broadcast(shape, output).items() if a != axis}


def _padded(sign: int) -> Callable[[Any, Shape, Shape], AxisMap]:
    def rule(layer: Any, shape: Shape, output: Shape) -> AxisMap:
        amounts = layer.padding if sign > 0 else layer.cropping
        first = getattr(layer, "data_format", None) == "channels_first"
        start = 2 if first else 1
        amounts = [amounts] if isinstance(amounts[0], int) else amounts
        maps = {1 if first else len(shape) - 1: (1 if first else len(shape) - 1, IDENTITY)}
        for place, (before, _) in enumerate(amounts):
            maps[start + place] = (start + place, window(1, 1, sign * before))
        return maps

    return rule


def _upsampling(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    channel = 1 if getattr(layer, "data_format", None) == "channels_first" else len(shape) - 1
    interpolation = getattr(layer, "interpolation", "nearest")
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for axis in (axis for axis in range(1, len(shape)) if axis != channel):
        factors = layer.size if isinstance(layer.size, Sequence) else (layer.size,)
        place = axis - (2 if channel == 1 else 1)
        maps[axis] = (axis, enlarged(int(factors[place]), interpolation))
    return maps


def _resizing(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    channel = 1 if layer.data_format == "channels_first" else len(shape) - 1
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for axis in (axis for axis in range(1, len(shape)) if axis != channel):
        if shape[axis] and output[axis] and output[axis] % shape[axis] == 0:
            maps[axis] = (axis, enlarged(output[axis] // shape[axis], layer.interpolation))
    return maps


_layers = keras.layers
_STRUCTURE: dict[type, Callable[[Any, Shape, Shape], AxisMap]] = {
    _layers.Dense: _pointwise,
    _layers.EinsumDense: _pointwise,
    _layers.Embedding: lambda layer, shape, output: {a: (a, IDENTITY) for a in range(1, len(shape))},
    _layers.Flatten: _whole,
    _layers.Reshape: _regroup,
    _layers.Permute: _permute,
    _layers.RepeatVector: lambda layer, shape, output: {},
    _layers.GlobalAveragePooling1D: _global_pool,
    _layers.GlobalAveragePooling2D: _global_pool,
    _layers.GlobalAveragePooling3D: _global_pool,
    _layers.GlobalMaxPooling1D: _global_pool,
    _layers.GlobalMaxPooling2D: _global_pool,
    _layers.GlobalMaxPooling3D: _global_pool,
    _layers.Concatenate: _concatenate,
    _layers.ZeroPadding1D: _padded(1),
    _layers.ZeroPadding2D: _padded(1),
    _layers.ZeroPadding3D: _padded(1),
    _layers.Cropping1D: _padded(-1),
    _layers.Cropping2D: _padded(-1),
    _layers.Cropping3D: _padded(-1),
    _layers.UpSampling1D: _upsampling,
    _layers.UpSampling2D: _upsampling,
    _layers.UpSampling3D: _upsampling,
    _layers.Resizing: _resizing,
    _layers.MultiHeadAttention: _whole,
    _layers.Attention: _whole,
    _layers.AdditiveAttention: _whole,
    _layers.Dot: _whole,
    _layers.RNN: _whole,
    _layers.Bidirectional: _whole,
}


# -- keras.ops called on symbolic tensors -----------------------------------------------------------------------


def _transpose(call: Call, shape: Shape, output: Shape) -> AxisMap:
    axes = call.operation.axes or range(len(shape))[::-1]
    return {source % len(shape): (target, IDENTITY) for target, source in enumerate(axes) if target}


def _slice(call: Call, shape: Shape, output: Shape) -> AxisMap:
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


def _reduced(call: Call, shape: Shape, output: Shape) -> AxisMap:
    operation = call.operation
    axes = operation.axis if operation.axis is not None else range(len(shape))
    axes = {axis % len(shape) for axis in ([axes] if isinstance(axes, int) else axes)}
    kept = [axis for axis in range(len(shape)) if operation.keepdims or axis not in axes]
    return {axis: (place, IDENTITY) for place, axis in enumerate(kept) if axis and axis not in axes}


def _pad(call: Call, shape: Shape, output: Shape) -> AxisMap:
    width = call.operation.pad_width
    pairs = [(width, width)] * len(shape) if isinstance(width, int) else list(width)
    return {axis: (axis, window(1, 1, pairs[axis][0])) for axis in range(1, len(shape))}


def _operation_concatenate(call: Call, shape: Shape, output: Shape) -> AxisMap:
    return _concatenate(call.operation, shape, output)


_OPERATIONS: dict[str, Callable[[Call, Shape, Shape], AxisMap]] = {
    "Transpose": _transpose,
    "GetItem": _slice,
    "Concatenate": _operation_concatenate,
    **dict.fromkeys(("Reshape", "Squeeze", "ExpandDims"), _regroup),
    "Pad": _pad,
    "Matmul": _whole,
    "Einsum": _whole,
    **dict.fromkeys(("Mean", "Max", "Min", "Sum", "Var", "Std", "Prod", "Amax", "Amin"), _reduced),
}

_NORMALISERS = ("GroupNormalization", "LayerNormalization", "UnitNormalization", "RMSNormalization")


def normaliser_note(call: Call) -> str | None:
    """A remark for layers whose statistics run over the whole map: the custom is not to count them."""
    layer = call.operation
    if call.kind == "GroupNormalization" and len(call.input_shape) > 2:
        over = True
    elif call.kind in _NORMALISERS:
        axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
        over = {axis % len(call.input_shape) for axis in axes} != {len(call.input_shape) - 1}
    else:
        over = False
    return (
        f"{call.kind}: its statistics run over the whole map, and are not counted as seeing it."
        if over
        else None
    )

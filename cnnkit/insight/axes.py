"""How each kind of layer joins the axes of its output to the axes of its inputs.

A rule returns one `AxisMap` for each input, or None where nobody has said what the layer sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from cnnkit.insight.cost import apart_in_attention
from cnnkit.insight.graph import ELEMENTWISE, Call, Shape, keras_family
from cnnkit.insight.moves import AxisMap, Window, broadcast, joined, keeps_its_places, permuted, regroup, slid
from cnnkit.insight.operations import axes_of_operation, enlarged_to
from cnnkit.insight.reach import IDENTITY, enlarged, window

__all__ = ["register_field"]

Rule = Callable[[Any, Any], Window | list[Window]]
_WINDOWS: dict[type, Rule] = {}


def register_field(*kinds: type) -> Callable[[Rule], Rule]:
    """Register what the units of some layer class see: a function `(layer, input_shape) -> window`.

    A window is "elementwise", "whole", or a dictionary with `kernel_size` and, where they are not 1, 1, "valid",
    and False, `strides`, `dilation_rate`, `padding` and `transposed`.  A layer with several inputs is given the list
    of their shapes, and may return a list with one window for each.  A layer of one's own says the same by a
    method `receptive_field_window(input_shape)`; one that has Keras's attributes (`kernel_size` or `pool_size`,
    `strides`, `padding`, `dilation_rate`, `data_format`) need say nothing.

    Example:
        >>> class Blink(keras.layers.Layer):
        ...     def call(self, x):
        ...         return x[:, ::2, ::2]
        >>> @register_field(Blink)
        ... def blink(layer, input_shape):
        ...     return {"kernel_size": 1, "strides": 2}

    Chapter: layers/receptive-fields.
    """

    def decorate(rule: Rule) -> Rule:
        _WINDOWS.update(dict.fromkeys(kinds, rule))
        return rule

    return decorate


def axis_maps(call: Call) -> list[AxisMap] | None:
    """One map for each input of the call; None where what its units see is not known."""
    layer = call.operation
    declared = _declared(call)
    if declared is not None:
        windows = declared if isinstance(declared, list) else [declared] * len(call.input_shapes)
        return [
            _from_window(call, said, shape) for said, shape in zip(windows, call.input_shapes, strict=True)
        ]
    if not isinstance(layer, keras.layers.Layer):
        return axes_of_operation(call)
    for kind in type(layer).__mro__:
        if kind in _STRUCTURE:
            maps = [_STRUCTURE[kind](layer, shape, call.output_shape) for shape in call.input_shapes]
            return None if None in maps else maps
    if isinstance(layer, keras.layers.Wrapper):
        return axis_maps(call.of_inner(layer.layer))
    if hasattr(layer, "kernel_size") or hasattr(layer, "pool_size"):
        return [_from_window(call, _keras_window(layer), shape) for shape in call.input_shapes]
    return _element_by_element(call)


def unknown_field(call: Call) -> str:
    """What is said of a call that `axis_maps` does not know."""
    if not isinstance(call.operation, keras.layers.Layer) or call.kind == "Lambda":
        return f"{call.title}: what its units see is unknown; make it a layer with a method receptive_field_window."
    return (
        f"{call.title}: what its units see is unknown; give the layer a method receptive_field_window(input_shape), "
        f"or say it with insight.register_field({call.innermost})."
    )


def channel_axis(call: Call) -> int | None:
    """The axis of features, where the layer has one."""
    data_format = getattr(call.operation, "data_format", None)
    if data_format is not None:
        return 1 if data_format == "channels_first" else len(call.input_shape) - 1
    return len(call.input_shape) - 1 if isinstance(call.operation, keras.layers.Dense) else None


def _declared(call: Call) -> Window | list[Window] | None:
    layer = call.operation
    shapes = call.input_shape if len(call.input_shapes) == 1 else list(call.input_shapes)
    own = getattr(layer, "receptive_field_window", None)
    if callable(own):
        return own(shapes)
    for kind in type(layer).__mro__:
        if kind in _WINDOWS:
            return _WINDOWS[kind](layer, shapes)
    return None


def _keras_window(layer: Any) -> Window:
    return {
        "kernel_size": getattr(layer, "kernel_size", None) or layer.pool_size,
        "strides": getattr(layer, "strides", None),
        "dilation_rate": getattr(layer, "dilation_rate", None),
        "padding": getattr(layer, "padding", "valid"),
        "transposed": "Transpose" in type(layer).__name__,
    }


def _from_window(call: Call, said: Window, shape: Shape) -> AxisMap:
    if said == "elementwise":
        return broadcast(shape, call.output_shape)
    if said == "whole":
        return {}
    if not isinstance(said, dict):
        raise ValueError(
            f"{call.title} ('{call.path}') says of its units that they see {said!r}; needed is 'elementwise', "
            "'whole', or a dictionary with kernel_size"
        )
    channel = channel_axis(call) or len(shape) - 1
    maps = slid(shape, channel, said)
    if hasattr(call.operation, "pool_size") or "Depthwise" in call.kind:
        maps[channel] = (channel, IDENTITY)
    return maps


def _element_by_element(call: Call) -> list[AxisMap] | None:
    """Keras's own arithmetic of values, where the shapes allow it."""
    layer = call.operation
    if keras_family(layer) not in ELEMENTWISE and not isinstance(layer, _KEPT):
        return None
    maps = [broadcast(shape, call.output_shape) for shape in call.input_shapes]
    return maps if len(maps) > 1 or keeps_its_places(maps[0], call.input_shape) else None


# -- layers that move, cut or join axes -------------------------------------------------------------------------


def _whole(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {}


def _pointwise(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {axis: (axis, IDENTITY) for axis in range(1, len(shape) - 1)}


def _attended(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {axis: (axis, IDENTITY) for axis in apart_in_attention(layer, len(shape))}


def _every_index(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {axis: (axis, IDENTITY) for axis in range(1, len(shape))}


def _regroup(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return regroup(shape, output)


def _permute(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return permuted((0, *layer.dims))


def _softmax(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    summed = {axis % len(shape) for axis in axes}
    return {axis: (axis, IDENTITY) for axis in range(1, len(shape)) if axis not in summed}


def _channel(layer: Any, shape: Shape) -> int:
    return 1 if getattr(layer, "data_format", None) == "channels_first" else len(shape) - 1


def _global_pool(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return {_channel(layer, shape): (_channel(layer, output), IDENTITY)}


def _adaptive_pool(layer: Any, shape: Shape, output: Shape) -> AxisMap | None:
    """Equal windows where the side is a multiple of the output's; others overlap unevenly, and no window says it."""
    channel = _channel(layer, shape)
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for axis in (axis for axis in range(1, len(shape)) if axis != channel):
        if not shape[axis] or shape[axis] % output[axis]:
            return None
        side = shape[axis] // output[axis]
        maps[axis] = (axis, window(side, side))
    return maps


def _concatenate(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return joined(layer.axis, shape, output)


def _padded(sign: int) -> Callable[[Any, Shape, Shape], AxisMap]:
    def rule(layer: Any, shape: Shape, output: Shape) -> AxisMap:
        amounts = layer.padding if sign > 0 else layer.cropping
        amounts = [amounts] if isinstance(amounts[0], int) else amounts
        channel = _channel(layer, shape)
        maps: AxisMap = {channel: (channel, IDENTITY)}
        for place, (before, _) in enumerate(amounts, start=2 if channel == 1 else 1):
            maps[place] = (place, window(1, 1, sign * before))
        return maps

    return rule


def _centre_crop(layer: Any, shape: Shape, output: Shape) -> AxisMap | None:
    channel = _channel(layer, shape)
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for axis in (axis for axis in range(1, len(shape)) if axis != channel):
        if shape[axis] is None or shape[axis] < output[axis]:
            return None
        maps[axis] = (axis, window(1, 1, -((shape[axis] - output[axis]) // 2)))
    return maps


def _upsampling(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    channel = _channel(layer, shape)
    factors = layer.size if isinstance(layer.size, Sequence) else (layer.size,)
    interpolation = getattr(layer, "interpolation", "nearest")
    maps: AxisMap = {channel: (channel, IDENTITY)}
    for place, factor in enumerate(factors, start=2 if channel == 1 else 1):
        maps[place] = (place, enlarged(int(factor), interpolation))
    return maps


def _resizing(layer: Any, shape: Shape, output: Shape) -> AxisMap:
    return enlarged_to(shape, output, _channel(layer, shape), layer.interpolation)


_layers = keras.layers
_KEPT = (_layers.Identity, _layers.Masking)
_STRUCTURE: dict[type, Callable[[Any, Shape, Shape], AxisMap | None]] = {
    **dict.fromkeys((_layers.Dense, _layers.EinsumDense), _pointwise),
    _layers.Embedding: _every_index,
    **dict.fromkeys((_layers.Flatten, _layers.RepeatVector), _whole),
    _layers.Reshape: _regroup,
    _layers.Permute: _permute,
    _layers.Softmax: _softmax,
    **dict.fromkeys(
        (getattr(_layers, f"Global{kind}Pooling{n}D") for kind in ("Average", "Max") for n in (1, 2, 3)),
        _global_pool,
    ),
    **dict.fromkeys(
        (
            getattr(_layers, name)
            for kind in ("Average", "Max")
            for n in (1, 2, 3)
            if hasattr(
                _layers, name := f"Adaptive{kind}Pooling{n}D"
            )  # newer than the oldest Keras that serves
        ),
        _adaptive_pool,
    ),
    _layers.Concatenate: _concatenate,
    **dict.fromkeys((_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.ZeroPadding3D), _padded(1)),
    **dict.fromkeys((_layers.Cropping1D, _layers.Cropping2D, _layers.Cropping3D), _padded(-1)),
    _layers.CenterCrop: _centre_crop,
    **dict.fromkeys((_layers.UpSampling1D, _layers.UpSampling2D, _layers.UpSampling3D), _upsampling),
    _layers.Resizing: _resizing,
    _layers.MultiHeadAttention: _attended,
    **dict.fromkeys((_layers.GroupQueryAttention, _layers.Attention, _layers.AdditiveAttention), _whole),
    **dict.fromkeys((_layers.Dot, _layers.RNN, _layers.Bidirectional), _whole),
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

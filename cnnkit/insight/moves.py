"""Where the axes of a value go: kept, regrouped, joined, or slid over by a window.

An `AxisMap` says for one input of a call: {input axis: (output axis, Reach)}.  An input axis that is missing is
seen as a whole by every unit.  Axes are counted with the batch, which is axis 0 and in no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnkit.insight.graph import Shape
from cnnkit.insight.reach import IDENTITY, Reach, transposed, window

__all__: list[str] = []

AxisMap = dict[int, tuple[int, Reach]]
Window = dict[str, Any] | str


def broadcast(shape: Shape, output: Shape) -> AxisMap:
    """Unit by unit, for axes that have the same length; axes are lined up from the right."""
    lag = len(output) - len(shape)
    return {
        axis: (axis + lag, IDENTITY)
        for axis in range(1, len(shape))
        if shape[axis] == output[axis + lag] or (shape[axis] is None and output[axis + lag] is None)
    }


def keeps_its_places(maps: AxisMap, shape: Shape) -> bool:
    """True where at most one axis, that of the features, has another length."""
    return len(maps) >= len(shape) - 2


def regroup(shape: Shape, output: Shape) -> AxisMap:
    """Reshape, squeeze and the like: an axis lives on where it stands alone in both shapes."""
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


def joined(axis: int, shape: Shape, output: Shape) -> AxisMap:
    """Concatenation along an axis: along the others, unit by unit."""
    return {a: target for a, target in broadcast(shape, output).items() if a != axis % len(shape)}


def permuted(axes: Sequence[int]) -> AxisMap:
    """Axis `axes[i]` becomes axis i, all counted with the batch."""
    return {source % len(axes): (target, IDENTITY) for target, source in enumerate(axes) if target}


def slid(shape: Shape, channel: int, said: dict[str, Any]) -> AxisMap:
    """A window, in the words of `register_field`, over every axis but that of the channels."""
    maps: AxisMap = {}
    for place, axis in enumerate(axis for axis in range(1, len(shape)) if axis != channel):
        kernel, stride, dilation = (
            _of(said.get(key) or 1, place) for key in ("kernel_size", "strides", "dilation_rate")
        )
        spread = bool(said.get("transposed"))
        length = None if spread else shape[axis]
        padding = _padding_before(said.get("padding", "valid"), place, kernel, stride, dilation, length)
        maps[axis] = (axis, (transposed if spread else window)(kernel, stride, padding, dilation))
    return maps


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

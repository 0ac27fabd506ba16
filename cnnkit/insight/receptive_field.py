"""Receptive fields by arithmetic: what part of the input each unit can see, for every layer of a graph."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import keras

from cnnkit.insight.axes import axis_maps, channel_axis, normaliser_note, unknown_field
from cnnkit.insight.graph import Call, Graph, Shape, is_readable, read
from cnnkit.insight.moves import AxisMap
from cnnkit.insight.reach import IDENTITY, Reach

__all__ = ["ReceptiveField", "receptive_field"]

# For each input of the model: {axis of the input: (axis of this value along which it slides, reach)}; an axis
# of the input that is missing is seen as a whole. None where a layer on the way is unknown.
Field = dict[int, AxisMap | None]


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that a unit of `layer` can see, one entry for each axis of the image.

    Unit i of an axis sees places `i * stride + offset` to `i * stride + offset + size - 1`; a negative place lies
    in the padding.  An axis that every unit sees from end to end has its full length as size (None if that is
    unknown), stride 0 and offset 0.  After an upsampling `stride` is a fraction, units may see intervals of
    different length, and `size` is the largest; `window` is exact for each.

    Chapter: layers/receptive-fields.
    """

    layer: str
    input: str
    reaches: tuple[Reach | None, ...] = field(repr=False)
    lengths: tuple[int | None, ...] = field(repr=False)
    axes: tuple[int, ...] = field(repr=False)
    size: tuple[int | None, ...] = ()
    stride: tuple[int | Fraction, ...] = ()
    offset: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, layer: str, name: str, reaches: tuple, shape: Shape, axes: list[int], notes: tuple
    ) -> ReceptiveField:
        """The field whose reach is known on each axis: size, stride and offset are read off it."""
        lengths = tuple(shape[axis] for axis in axes)
        size = tuple(length if r is None else r.size for r, length in zip(reaches, lengths, strict=True))
        strides = [Fraction(0) if r is None else r.stride for r in reaches]
        stride = tuple(int(s) if s.denominator == 1 else s for s in strides)
        offset = tuple(0 if r is None else r.first[0] for r in reaches)
        return cls(layer, name, reaches, lengths, tuple(axes), size, stride, offset, notes)

    @property
    def whole(self) -> bool:
        """True when every unit sees the whole input."""
        return all(reach is None for reach in self.reaches)

    @property
    def padding(self) -> tuple[int, ...]:
        """Places of padding that unit 0 sees before the image begins."""
        return tuple(-start for start in self.offset)

    def window(self, *unit: int) -> tuple[tuple[int, int | None], ...]:
        """First and last place that one unit sees, for each axis; it may reach into the padding.

        Example:
            >>> inputs = keras.Input((32, 32, 3))
            >>> field = receptive_field(keras.Model(inputs, keras.layers.Conv2D(8, 5, padding="same")(inputs)))
            >>> field.window(0, 10)
            ((-2, 2), (8, 12))
        """
        if len(unit) != len(self.reaches):
            raise ValueError(
                f"window needs {len(self.reaches)} indices, one for each axis, and got {len(unit)}"
            )
        return tuple(
            (0, None if length is None else length - 1) if reach is None else reach.at(i)
            for i, reach, length in zip(unit, self.reaches, self.lengths, strict=True)
        )

    def __str__(self) -> str:
        if self.whole:
            return "whole"
        sides = ["whole" if r is None else str(r.size) for r in self.reaches]
        return sides[0] if len(set(sides)) == 1 else "x".join(sides)


def receptive_field(
    model: keras.Model, layer: Any = None, input: str | int = 0, input_shape: Any = None
) -> ReceptiveField:
    """Work out the receptive field of a layer's units from kernel sizes, strides, padding and dilation.

    Layer by layer, a window of k places d apart, moved by s, turns a field of size r and stride j into one of size
    r + (k - 1) d j and stride s j.  Where branches meet the field is the smallest interval that holds them all;
    global pooling, dense layers on a flattened map, attention and recurrence see everything.  Statistics that a
    normalisation takes over the whole map are not counted, nor are gates that multiply a map by one number a
    channel (squeeze-and-excitation), and the result says so in `notes`.

    Args:
        model: any functional or sequential Keras model.
        layer: a layer, its name, or its path "outer/inner"; by default the last whose units do not all see the
            whole input: the last map before a classifier's head.
        input: name or number of the input, for models with several.
        input_shape: shape without the batch, in place of the model's own.

    Raises:
        ValueError: if what the layer sees is unknown; the message says how to declare it.

    Example:
        >>> inputs = keras.Input((32, 32, 3))
        >>> x = keras.layers.Conv2D(8, 3, strides=2)(inputs)
        >>> receptive_field(keras.Model(inputs, keras.layers.Conv2D(8, 3)(x))).size
        (7, 7)

    Chapter: layers/receptive-fields.
    Paper: doi:10.23915/distill.00021.
    """
    graph = read(model, input_shape)
    source = _input_number(graph, input)
    fields = Fields(graph)
    call = fields.last_map(source) if layer is None else graph.find(layer)
    if source not in fields.of[call.outputs[0]]:
        raise ValueError(f"Layer '{call.path}' does not depend on input '{graph.input_names[source]}'.")
    field = fields.seen_by(call, source)
    if field is None:
        raise ValueError(
            f"What layer '{call.path}' sees of input '{graph.input_names[source]}' is unknown. "
            + " ".join(fields.unknown)
        )
    return field


class Fields:
    """The field of every value of a graph, for every input, and what has to be said about it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.of: dict[int, Field] = {}
        self.channels: dict[int, int] = {}
        self.notes: dict[int, list[str]] = {}
        self.unknown: list[str] = []
        for number, value in enumerate(graph.inputs):
            rank = len(graph.shapes[value])
            self.of[value] = {number: {axis: (axis, IDENTITY) for axis in range(1, rank)}}
        for call in graph.calls:
            self._pass(call)

    def _pass(self, call: Call) -> None:
        maps = maps_of(call)
        remarks = [normaliser_note(call)]
        if maps is None:
            remarks.append(unknown_field(call))
            self.unknown += [remarks[-1]] if remarks[-1] not in self.unknown else []
        channel = channel_axis(call)
        paths: dict[int, list[tuple[int, AxisMap | None]]] = {}
        for value, axes in zip(call.inputs, maps or [None] * len(call.inputs), strict=True):
            for number, slides in self.of[value].items():
                if slides is not None:
                    self._remember_channel(number, slides, channel)
                paths.setdefault(number, []).append((value, _moved(slides, axes, channel)))
        seen: Field = {}
        for number, arriving in paths.items():
            kept = self._without_gates(number, arriving) if call.kind == "Multiply" else arriving
            if len(kept) < len(arriving):
                remarks.append("Multiply: a gate made from the whole map is not counted as seeing it.")
            seen[number] = functools.reduce(_union, [slides for _, slides in kept])
        for value in call.outputs:
            self.of[value] = seen
            self.notes[value] = [remark for remark in dict.fromkeys(remarks) if remark]

    def _without_gates(
        self, number: int, arriving: list[tuple[int, AxisMap | None]]
    ) -> list[tuple[int, AxisMap | None]]:
        """The factors of a product, less those that hold one number a channel and were made from all places."""
        places = set(self.space(number))

        def is_gate(value: int, slides: AxisMap | None) -> bool:
            longer = sum(size != 1 for size in self.graph.shapes[value][1:])
            return longer < 2 and slides is not None and not places & slides.keys()

        return [path for path in arriving if not is_gate(*path)] or arriving

    def _remember_channel(
        self, number: int, slides: dict[int, tuple[int, Reach]], channel: int | None
    ) -> None:
        """The channel axis of an input is the one that its first layer with channels takes for that."""
        if channel is None or number in self.channels:
            return
        mixed = [axis for axis, (along, _) in slides.items() if along == channel]
        self.channels[number] = mixed[0] if mixed and len(slides) > 1 else 0

    def seen_by(self, call: Call, number: int) -> ReceptiveField | None:
        """The field of one call's units in one input, without the channel axis; None where it is unknown."""
        slides = self.of[call.outputs[0]][number]
        if slides is None:
            return None
        axes = self.space(number)
        reaches = tuple(slides[axis][1] if axis in slides else None for axis in axes)
        name, shape = self.graph.input_names[number], self.graph.shapes[self.graph.inputs[number]]
        return ReceptiveField.of(call.path, name, reaches, shape, axes, tuple(self.all_notes()))

    def all_notes(self) -> list[str]:
        """Every remark once, in the order of the layers."""
        return list(dict.fromkeys(note for notes in self.notes.values() for note in notes))

    def space(self, number: int) -> list[int]:
        """The axes of an input that are not its channels."""
        shape = self.graph.shapes[self.graph.inputs[number]]
        channel = self.channels.get(number, len(shape) - 1 if len(shape) > 3 else 0)
        return [axis for axis in range(1, len(shape)) if axis != channel]

    def last_map(self, number: int) -> Call:
        """The last call on the way to the outputs that still has a place in this input."""
        needed = self.graph.ancestors()
        calls = [call for call in self.graph.calls if number in self.of[call.outputs[0]]]
        for call in reversed(calls):
            field = self.seen_by(call, number)
            if needed.intersection(call.outputs) and (field is None or not field.whole):
                return call
        if not calls:
            raise ValueError(f"Model '{self.graph.name}' has no layer after its input.")
        return calls[-1]


def maps_of(call: Call) -> list[AxisMap] | None:
    """`axis_maps`, also through a layer or a model that is applied at each moment."""
    if not isinstance(call.operation, keras.layers.TimeDistributed):
        return axis_maps(call)
    inner = call.of_inner(call.operation.layer, first=2)
    if isinstance(inner.operation, keras.Model) and is_readable(inner.operation):
        graph = read(inner.operation, inner.input_shape[1:])
        maps = [Fields(graph).of[graph.outputs[0]].get(0, {})]
    else:
        maps = maps_of(inner)
    if maps is None or None in maps:
        return None
    return [{1: (1, IDENTITY), **{a + 1: (b + 1, reach) for a, (b, reach) in one.items()}} for one in maps]


def _moved(slides: AxisMap | None, axes: AxisMap | None, channel: int | None) -> AxisMap | None:
    """What a value sees, looked at through one more layer; what sees every place hides what is unknown."""
    if axes is None:
        return None
    if slides is None:
        return {} if axes.keys() <= {channel} else None
    return {
        axis: (axes[along][0], reach.through(axes[along][1]))
        for axis, (along, reach) in slides.items()
        if along in axes
    }


def _union(one: AxisMap | None, other: AxisMap | None) -> AxisMap | None:
    """Where paths meet: an axis that either of them sees as a whole is seen as a whole."""
    if one == {} or other == {}:
        return {}
    if one is None or other is None:
        return None
    both: AxisMap = {}
    for axis in one.keys() & other.keys():
        (along, reach), (also_along, further) = one[axis], other[axis]
        joined = reach.union(further) if along == also_along else None
        if joined is not None:
            both[axis] = (along, joined)
    return both


def _input_number(graph: Graph, wanted: str | int) -> int:
    if isinstance(wanted, int) and 0 <= wanted < len(graph.inputs):
        return wanted
    if wanted in graph.input_names:
        return graph.input_names.index(wanted)
    raise ValueError(f"Model '{graph.name}' has no input {wanted!r}; its inputs are {graph.input_names}.")

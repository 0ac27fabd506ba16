"""A model on one page: every layer with its shape, parameters, multiply-adds, receptive field and stride.

What nobody has said of a layer is shown as "?", never as 0, with a note that says how to say it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from cnnkit._names import needed
from cnnkit.insight.cost import cost_of, unknown_cost
from cnnkit.insight.graph import Call, Graph, read
from cnnkit.insight.receptive_field import Fields, ReceptiveField

if TYPE_CHECKING:
    import pandas

__all__ = ["Summary", "SummaryRow", "summary"]


@dataclass(frozen=True)
class SummaryRow:
    """One call of one layer.

    `parameters` are counted at the first call of a shared layer only, so that the column adds up; `multiply_adds`
    and `receptive_field` are None where they are unknown; `after` names the layers that feed this one, where that
    is not the row above; `notes` are what has to be said of this layer.

    Chapter: models/lenet.
    """

    layer: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: int | None
    receptive_field: ReceptiveField | None
    after: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The receptive field as text: a side, sides, "whole", or "?"."""
        if self.kind == "InputLayer":
            return "1"
        return "?" if self.receptive_field is None else str(self.receptive_field)

    @property
    def stride(self) -> str:
        """The distance between the fields of neighbouring units, as text."""
        if self.kind == "InputLayer":
            return "1"
        if self.receptive_field is None:
            return "?"
        if self.receptive_field.whole:
            return ""
        strides = [str(stride) if stride else "-" for stride in self.receptive_field.stride]
        return strides[0] if len(set(strides)) == 1 else "x".join(strides)


@dataclass(frozen=True, repr=False)
class Summary:
    """What `summary` returns: print it, show it in a notebook, or take its figures.

    `multiply_adds` is None where the cost of a layer is unknown, or depends on a size that the model leaves open;
    `receptive_field` is that of the last map before the head, None where it is unknown.

    Chapter: models/lenet.
    """

    name: str
    rows: tuple[SummaryRow, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int | None
    receptive_field: ReceptiveField | None
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pandas.DataFrame:
        """The rows as a table that can be filtered, sorted and saved; needs pandas.

        Beside the words of `receptive_field` and `stride` stand their numbers, one column for each axis of the
        input: `field_rows` and `field_columns` of images, `field_length` of sequences, a depth before them of volumes.
        """
        pandas = needed("pandas", "plots")
        fields = [row.receptive_field for row in self.rows]
        columns: dict[str, Any] = {
            "layer": [row.layer for row in self.rows],
            "kind": [row.kind for row in self.rows],
            "output_shape": [row.output_shape for row in self.rows],
            "parameters": [row.parameters for row in self.rows],
            "multiply_adds": pandas.array([row.multiply_adds for row in self.rows], dtype="Int64"),
            "receptive_field": [row.field for row in self.rows],
            "stride": [row.stride for row in self.rows],
        }
        rank = max((len(field.size) for field in fields if field), default=0)
        for place, axis in enumerate(_AXES.get(rank, [f"axis{place}" for place in range(rank)])):
            there = [field if field and len(field.size) == rank else None for field in fields]
            sides = [field and field.size[place] for field in there]
            steps = [field and float(field.stride[place]) for field in there]
            columns[f"field_{axis}"] = pandas.array(sides, dtype="Int64")
            columns[f"stride_{axis}"] = pandas.array(steps, dtype="Float64")
        columns["after"] = [", ".join(row.after) for row in self.rows]
        columns["note"] = [" ".join(row.notes) for row in self.rows]
        return pandas.DataFrame(columns)

    def __str__(self) -> str:
        table = [_HEADS, *(_cells(row) for row in self.rows)]
        keep = [i for i in range(len(_HEADS)) if i != _AFTER or any(row[i] for row in table[1:])]
        widths = {i: max(len(row[i]) for row in table) for i in keep}
        lines = ["  ".join(_align(row[i], widths[i], i) for i in keep).rstrip() for row in table]
        rule = "-" * max(len(line) for line in lines)
        return "\n".join([self.name, rule, lines[0], rule, *lines[1:], rule, *self._totals()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        keep = [i for i in range(len(_HEADS)) if i != _AFTER or any(row.after for row in self.rows)]

        def line(cells: tuple[str, ...], tag: str) -> str:
            align = ["left" if i in _LEFT else "right" for i in keep]
            return "".join(
                f'<{tag} style="text-align:{side}">{html.escape(cells[i])}</{tag}>'
                for i, side in zip(keep, align, strict=True)
            )

        body = "".join(f"<tr>{line(_cells(row), 'td')}</tr>" for row in self.rows)
        totals = "<br>".join(html.escape(text) for text in self._totals())
        return (
            f'<div class="cnnkit-summary" style="overflow-x:auto"><table><caption>{html.escape(self.name)}'
            f"</caption><thead><tr>{line(_HEADS, 'th')}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{totals}</p></div>"
        )

    def _totals(self) -> list[str]:
        frozen = self.parameters - self.trainable_parameters
        parts = f" ({self.trainable_parameters:,} trainable, {frozen:,} not)" if frozen else ""
        lines = [f"Parameters: {self.parameters:,}{parts}", f"Multiply-adds: {self._cost()}"]
        if self.receptive_field is not None:
            lines.append(f"Receptive field: {self.receptive_field} (at {self.receptive_field.layer})")
        elif any(row.receptive_field is None and row.kind != "InputLayer" for row in self.rows):
            lines.append("Receptive field: ?")
        return lines + [f"Note: {note}" for note in self.notes]

    def _cost(self) -> str:
        if self.multiply_adds is not None:
            return _words(self.multiply_adds)
        known = sum(row.multiply_adds or 0 for row in self.rows)
        asked = [row.layer for row in self.rows if row.multiply_adds is None]
        unknown = [row.layer for row in self.rows if row.multiply_adds is None and row.notes]
        if not unknown:
            return "unknown: a size is open; give input_shape"
        more = f" and {len(asked) - 3} more" if len(asked) > 3 else ""
        return f"at least {_words(known)}; unknown for {', '.join(asked[:3])}{more}"


def summary(model: keras.Model, input_shape: Any = None) -> Summary:
    """Summarise a model: each layer's output shape, parameters, multiply-adds, receptive field and stride.

    Nested models are opened and branches are followed.  Receptive fields are those in the first input that a layer
    depends on.  Multiply-adds are of convolutions, dense layers and matrix products, for one example.  No weight is
    looked at, so a model that was built without values for them will do::

        with models.without_values():
            model = keras.applications.VGG16(weights=None)

    Args:
        model: any functional or sequential Keras model.
        input_shape: shape without the batch, in place of the model's own.

    Example:
        >>> inputs = keras.Input((28, 28, 1), name="digit")
        >>> x = keras.layers.Conv2D(4, 5, name="edges")(inputs)
        >>> x = keras.layers.MaxPooling2D(name="pool")(x)
        >>> x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
        >>> print(summary(keras.Model(inputs, x, name="tiny")))
        tiny
        -----------------------------------------------------------------------------------------------
        layer  kind                    output shape  parameters  multiply-adds  receptive field  stride
        -----------------------------------------------------------------------------------------------
        digit  InputLayer              (28, 28, 1)            0              0                1       1
        edges  Conv2D                  (24, 24, 4)          104         57,600                5       1
        pool   MaxPooling2D            (12, 12, 4)            0              0                6       2
        mean   GlobalAveragePooling2D  (4)                    0              0            whole
        -----------------------------------------------------------------------------------------------
        Parameters: 104
        Multiply-adds: 57,600
        Receptive field: 6 (at pool)

    Chapter: models/lenet.
    """
    graph = read(model, input_shape).whole()
    fields = Fields(graph)
    rows = [_input_row(graph, number) for number in range(len(graph.inputs))]
    makers = dict(zip(graph.inputs, graph.input_names, strict=True))
    counted: set[int] = set()
    before = rows[-1].layer if len(rows) == 1 else ""
    for call in graph.calls:
        sources = tuple(dict.fromkeys(makers[value] for value in call.inputs))
        makers.update(dict.fromkeys(call.outputs, call.path))
        after = () if sources == (before,) else sources
        rows.append(_row(call, fields, counted, after))
        before = call.path
    costs = [row.multiply_adds for row in rows]
    return Summary(
        name=model.name,
        rows=tuple(rows),
        parameters=model.count_params(),
        trainable_parameters=sum(_count(weight) for weight in model.trainable_weights),
        multiply_adds=None if None in costs else sum(costs),
        receptive_field=fields.seen_by(fields.last_map(0), 0) if graph.calls else None,
        notes=tuple(dict.fromkeys(note for row in rows for note in row.notes)),
    )


def _input_row(graph: Graph, number: int) -> SummaryRow:
    shape = graph.shapes[graph.inputs[number]]
    return SummaryRow(graph.input_names[number], "InputLayer", shape, 0, 0, None, ())


def _row(call: Call, fields: Fields, counted: set[int], after: tuple[str, ...]) -> SummaryRow:
    weights = {id(weight): _count(weight) for weight in getattr(call.operation, "weights", [])}
    parameters = sum(size for key, size in weights.items() if key not in counted)
    counted.update(weights)
    value, cost = call.outputs[0], cost_of(call)
    field = fields.seen_by(call, min(fields.of[value])) if fields.of[value] else None
    notes = list(fields.notes[value])
    if cost is None and (remark := unknown_cost(call)):
        notes.append(remark)
    return SummaryRow(call.path, call.title, call.output_shape, parameters, cost, field, after, tuple(notes))


def _count(weight: Any) -> int:
    size = 1
    for side in weight.shape:
        size *= side
    return size


_AXES = {1: ("length",), 2: ("rows", "columns"), 3: ("depth", "rows", "columns")}
_HEADS = (
    "layer",
    "kind",
    "output shape",
    "parameters",
    "multiply-adds",
    "receptive field",
    "stride",
    "after",
)
_LEFT = (0, 1, 2, 7)
_AFTER = 7


def _align(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column in _LEFT else text.rjust(width)


def _cells(row: SummaryRow) -> tuple[str, ...]:
    shape = "(" + ", ".join("?" if size is None else str(size) for size in row.output_shape[1:]) + ")"
    cost = "?" if row.multiply_adds is None else f"{row.multiply_adds:,}"
    after = ", ".join(row.after)
    return row.layer, row.kind, shape, f"{row.parameters:,}", cost, row.field, row.stride, after


def _words(count: int) -> str:
    """Large numbers twice: exact, and as one says them."""
    for size, unit in ((10**9, "G"), (10**6, "M")):
        if count >= size:
            return f"{count:,} ({count / size:.2f} {unit})"
    return f"{count:,}"

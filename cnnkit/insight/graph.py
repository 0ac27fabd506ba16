"""A model read as a list of calls: which operation read which values, with every shape known.

Nested models are opened, shared layers appear once for each call, and shapes are worked out again when the
model is asked about another input size than the one that it was built with.  This is the only module of
`insight` that looks into a Keras graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from cnnkit._names import unknown

__all__: list[str] = []

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Call:
    """One use of a layer (or of a `keras.ops` function) in the graph."""

    path: str
    operation: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    node: Any = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        return type(self.operation).__name__

    @property
    def title(self) -> str:
        """The kind, and for a wrapper what it wraps: TimeDistributed(Conv2D)."""
        return _title(self.operation)

    @property
    def innermost(self) -> str:
        """The kind of layer that does the work, under all wrappers."""
        return self.title.rsplit("(", 1)[-1].rstrip(")")

    @property
    def input_shape(self) -> Shape:
        return self.input_shapes[0]

    @property
    def output_shape(self) -> Shape:
        return self.output_shapes[0]

    @property
    def args(self) -> tuple:
        return self.node.arguments.args

    def of_inner(self, layer: Any, first: int = 1) -> Call:
        """The call that a wrapper makes of its layer; with `first=2` of one moment, a `(batch, time, ...)` less time."""
        inputs, outputs = (
            tuple((None, *shape[first:]) for shape in shapes)
            for shapes in (self.input_shapes, self.output_shapes)
        )
        return Call(self.path, layer, self.inputs, self.outputs, inputs, outputs)

    def arguments(self, tensors: Sequence[Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments with which to make this call again, on other tensors."""
        own = self.node.input_tensors
        return self.node.arguments.fill_in({id(t): new for t, new in zip(own, tensors, strict=True)})


@dataclass
class Graph:
    """The calls of a model in an order in which they could run; values are numbered."""

    name: str
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    input_names: list[str] = field(default_factory=list)
    input_dtypes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def new_value(self, shape: Sequence[int | None]) -> int:
        self.shapes.append(tuple(shape))
        return len(self.shapes) - 1

    @property
    def channels_first(self) -> bool:
        """True where a layer takes the axis after the batch for the channels."""
        return any(getattr(call.operation, "data_format", None) == "channels_first" for call in self.calls)

    def ancestors(self) -> set[int]:
        """Numbers of the values on which the model's outputs depend."""
        needed = set(self.outputs)
        for call in reversed(self.calls):
            if needed.intersection(call.outputs):
                needed.update(call.inputs)
        return needed

    def whole(self) -> Graph:
        """This graph, or an error where a layer's weights do not suit the shape that was asked about."""
        if self.refusals:
            raise ValueError(self.refusals[0])
        return self

    def find(self, layer: Any) -> Call:
        """Return the (last) call of a layer given as object, name or path 'outer/inner'."""
        for call in reversed(self.calls):
            if call.operation is layer or layer in (call.path, call.path.rsplit("/", 1)[-1]):
                return call
        name = getattr(layer, "name", layer)
        known = [call.path for call in self.calls]
        raise ValueError(unknown(f"layer of model '{self.name}'", str(name), known))


#: Folders of Keras whose layers work number by number, so that they cost no products and keep each number its place.
ELEMENTWISE = {"activations", "applications", "merging", "normalization", "preprocessing", "regularization"}


def keras_family(layer: Any) -> str | None:
    """The folder of Keras in which a layer's class, or the nearest of its bases, stands: "pooling", "applications"."""
    for kind in type(layer).__mro__:
        match kind.__module__.split("."):
            case ["keras", "src", "layers", folder, _, *_]:
                return folder
            case ["keras", "src", "applications", _]:
                return "applications"
    return None


def _title(operation: Any) -> str:
    kind = type(operation).__name__
    inner = getattr(operation, {"Bidirectional": "forward_layer", "RNN": "cell"}.get(kind, "layer"), None)
    return f"{kind}({_title(inner)})" if isinstance(inner, keras.Layer) else kind


def is_readable(model: Any) -> bool:
    """True for a model whose graph Keras has recorded: functional, or a Sequential that is built."""
    if isinstance(model, keras.Sequential):
        return model.built and getattr(model, "_functional", None) is not None
    return hasattr(model, "_nodes_by_depth")


def read(model: keras.Model, input_shape: Any = None) -> Graph:
    """Read a functional or sequential model; `input_shape` (without batch) replaces the model's own."""
    function = _functional(model)
    graph = Graph(model.name)
    tensors = function.inputs
    for tensor, shape in zip(tensors, _input_shapes(model, tensors, input_shape), strict=True):
        graph.inputs.append(graph.new_value(shape))
        graph.input_names.append(tensor.name)
        graph.input_dtypes.append(tensor.dtype)
    graph.outputs = _walk(graph, function, list(graph.inputs), "")
    return graph


def rebuild(graph: Graph, until: Call, clone: Callable[[Any], Any]) -> keras.Model:
    """A model of the calls up to one of them, with layers made by `clone(layer)`; shared layers stay shared."""
    tensors = {
        value: keras.Input(batch_shape=graph.shapes[value], dtype=dtype)
        for value, dtype in zip(graph.inputs, graph.input_dtypes, strict=True)
    }
    inputs = list(tensors.values())
    copies: dict[int, Any] = {}
    for call in graph.calls[: graph.calls.index(until) + 1]:
        key = id(call.operation)
        if key not in copies:
            is_layer = isinstance(call.operation, keras.layers.Layer)
            copies[key] = clone(call.operation) if is_layer else call.operation
        args, kwargs = call.arguments([tensors[value] for value in call.inputs])
        results = keras.tree.flatten(copies[key](*args, **kwargs))
        tensors.update(zip(call.outputs, results, strict=True))
    return keras.Model(inputs, tensors[until.outputs[0]])


def _functional(model: Any) -> Any:
    """The graph behind a model, or an error that says how to get one."""
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"insight reads a keras.Model, and was given {type(model).__name__}. Wrap a layer first: "
            "inputs = keras.Input(shape); keras.Model(inputs, layer(inputs))."
        )
    if isinstance(model, keras.Sequential):
        if not is_readable(model):
            raise ValueError(
                f"Model '{model.name}' is not built, so its shapes are unknown. Put keras.Input(shape) first in "
                "the Sequential, or call model.build((None, height, width, channels))."
            )
        return model._functional
    if not is_readable(model):
        raise ValueError(
            f"Model '{model.name}' is a subclass of keras.Model ({type(model).__name__}): its graph is written in "
            "Python and cannot be read. Trace it once, and give the result: inputs = keras.Input(shape); "
            "keras.Model(inputs, model.call(inputs))."
        )
    return model


def _input_shapes(model: keras.Model, tensors: Sequence[Any], given: Any) -> list[Shape]:
    recorded = [tuple(tensor.shape) for tensor in tensors]
    if given is None:
        return recorded
    if isinstance(given, dict):
        given = [given.get(tensor.name, shape[1:]) for tensor, shape in zip(tensors, recorded, strict=True)]
    elif _is_shape(given):
        given = [given]
    if not isinstance(given, list | tuple) or not all(_is_shape(shape) for shape in given):
        raise ValueError(
            f"input_shape is a tuple of whole numbers without the batch (None for an open size), not {given!r}; "
            f"model '{model.name}' was built for {', '.join(str(shape[1:]) for shape in recorded)}."
        )
    shapes = [(recorded[0][0] if recorded else None, *shape) for shape in given]
    if len(shapes) != len(recorded):
        raise ValueError(
            f"Model '{model.name}' has {len(recorded)} inputs, and {len(shapes)} input shapes were given; "
            f"give one for each, without the batch: {[shape[1:] for shape in recorded]}."
        )
    for tensor, shape, own in zip(tensors, shapes, recorded, strict=True):
        if len(shape) != len(own):
            raise ValueError(
                f"Input '{tensor.name}' of model '{model.name}' has shape {own[1:]} without the batch, and "
                f"{shape[1:]} was given: the number of axes differs"
                f"{'; leave the batch away' if len(shape) == len(own) + 1 else ''}."
            )
    return shapes


def _is_shape(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(size is None or isinstance(size, int) for size in given)


def _walk(graph: Graph, function: Any, values: list[int], prefix: str) -> list[int]:
    """Append the calls of one function, fed with `values`; return the values of its outputs."""
    known = {id(tensor): value for tensor, value in zip(function.inputs, values, strict=True)}
    for depth in sorted(function._nodes_by_depth, reverse=True):
        for node in function._nodes_by_depth[depth]:
            if node.is_input or any(id(tensor) not in known for tensor in node.input_tensors):
                continue
            inputs = [known[id(tensor)] for tensor in node.input_tensors]
            outputs = _call(graph, node, inputs, prefix)
            known.update((id(tensor), value) for tensor, value in zip(node.outputs, outputs, strict=True))
    return [known[id(tensor)] for tensor in function.outputs]


def _call(graph: Graph, node: Any, inputs: list[int], prefix: str) -> list[int]:
    operation = node.operation
    path = prefix + operation.name
    if isinstance(operation, keras.Model) and is_readable(operation):
        return _walk(graph, _functional(operation), inputs, path + "/")
    input_shapes = tuple(graph.shapes[value] for value in inputs)
    outputs = [graph.new_value(shape) for shape in _output_shapes(graph, node, input_shapes, path)]
    graph.calls.append(
        Call(
            path,
            operation,
            tuple(inputs),
            tuple(outputs),
            input_shapes,
            tuple(graph.shapes[value] for value in outputs),
            node,
        )
    )
    return outputs


def _output_shapes(graph: Graph, node: Any, input_shapes: tuple[Shape, ...], path: str) -> list[Shape]:
    """The recorded shapes where the inputs are as recorded, else those for the new inputs."""
    if all(tuple(t.shape) == shape for t, shape in zip(node.input_tensors, input_shapes, strict=True)):
        return [tuple(tensor.shape) for tensor in node.outputs]
    replaced = {
        id(tensor): keras.KerasTensor(shape, tensor.dtype)
        for tensor, shape in zip(node.input_tensors, input_shapes, strict=True)
    }
    given = ", ".join(str(shape[1:]) for shape in input_shapes)
    refused = f"Model '{graph.name}' does not take this input_shape: layer '{path}' would get {given}, and "
    specs = keras.tree.flatten(getattr(node.operation, "input_spec", None))
    for spec, shape in zip(specs, input_shapes, strict=False):
        for axis, size in (getattr(spec, "axes", None) or {}).items():
            if None not in (size, shape[axis]) and shape[axis] != size:
                graph.refusals.append(f"{refused}has weights for {size}.")
    args, kwargs = node.arguments.fill_in(replaced)
    try:
        specification = node.operation.compute_output_spec(*args, **kwargs)
    except ValueError as error:
        raise ValueError(f"{refused}says: {error}") from None
    shapes = [tuple(tensor.shape) for tensor in keras.tree.flatten(specification)]
    if any(size is not None and size < 1 for shape in shapes for size in shape[1:]):
        raise ValueError(f"{refused}nothing would come out of it: the input is too small.")
    return shapes

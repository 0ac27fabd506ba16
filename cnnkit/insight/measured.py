"""Receptive fields by experiment: differentiate a unit, and look where in the input the gradient is not zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnnkit import gradients
from cnnkit.insight.graph import Call, Graph, read, rebuild
from cnnkit.insight.receptive_field import Fields, ReceptiveField

__all__ = ["MeasuredField", "measured_receptive_field"]


@dataclass(frozen=True)
class MeasuredField:
    """How much each place of the input moves one unit (all channels of one position) of a layer.

    `influence` is the mean size of the gradient, one value for each place of the input; `first`, `last` and `size`
    bound the places where it is not zero; `expected` is the field by arithmetic, None where a layer on the way is
    unknown to it.

    Chapter: layers/receptive-fields.
    """

    layer: str
    unit: tuple[int, ...]
    influence: np.ndarray
    first: tuple[int, ...]
    last: tuple[int, ...]
    expected: ReceptiveField | None

    @property
    def size(self) -> tuple[int, ...]:
        """Sides of the smallest box that holds every place with any influence."""
        return tuple(last - first + 1 for first, last in zip(self.first, self.last, strict=True))

    @property
    def agrees(self) -> bool:
        """True when the box is the one that arithmetic gives, cut off where the image ends."""
        if self.expected is None:
            raise ValueError(
                f"the field of layer '{self.layer}' by arithmetic is unknown, so there is nothing to agree with; "
                "insight.summary names the layer that has to say what it sees"
            )
        window = self.expected.window(*self.unit)
        clipped = [
            (max(first, 0), min(length - 1 if last is None else last, length - 1))
            for (first, last), length in zip(window, self.influence.shape, strict=True)
        ]
        return clipped == list(zip(self.first, self.last, strict=True))


def measured_receptive_field(
    model: keras.Model,
    layer: Any = None,
    unit: int | tuple[int, ...] | None = None,
    *,
    input_shape: tuple[int, ...] | None = None,
    images: np.ndarray | None = None,
    samples: int = 4,
    every_path: bool = True,
    seed: int = 0,
) -> MeasuredField:
    """Measure the receptive field of a unit by its gradient, to check `receptive_field` or to see the effective one.

    A trained or random network may hide part of its field: a rectifier is shut, a maximum looks at one place,
    weights cancel.  With `every_path` the measurement is made on a twin of the model, in which all kernels are
    positive and maxima are averages, so that every path from input to unit counts; without it the model is measured
    as it is, which shows the *effective* field.

    Args:
        model: a functional or sequential Keras model with one input of fixed size.
        layer: as in `receptive_field`; by default the last map before the head.
        unit: position in that layer's map; by default the middle.
        input_shape: shape without the batch, in place of the model's own (only with `every_path`).
        images: pictures at which to differentiate, `(batch, ..., channels)`; by default random ones.
        samples: number of random pictures.
        every_path: measure the twin, rather than the model as it is.
        seed: of the random pictures.

    Example:
        >>> inputs = keras.Input((16, 16, 1))
        >>> x = keras.layers.Conv2D(2, 3, activation="relu")(inputs)
        >>> found = measured_receptive_field(keras.Model(inputs, keras.layers.Conv2D(2, 3)(x)))
        >>> found.size, found.agrees
        ((5, 5), True)

    Chapter: layers/receptive-fields.
    Paper: arXiv:1701.04128.
    """
    graph = read(model, input_shape)
    shape = _fixed_shape(graph)
    fields = Fields(graph)
    target = fields.last_map(0) if layer is None else graph.find(layer)
    probe = _twin(graph, target, every_path, seed)
    channels_first = graph.channels_first
    side = target.output_shape[2:] if channels_first else target.output_shape[1:-1]
    if unit is None:
        unit = tuple(length // 2 for length in side)
    unit = (unit,) if isinstance(unit, int) else tuple(unit)
    if len(unit) != len(side) or any(
        not 0 <= place < length for place, length in zip(unit, side, strict=True)
    ):
        raise ValueError(f"unit {unit} is not in the map of layer '{target.path}', whose sides are {side}.")
    here = (slice(None), slice(None), *unit) if channels_first else (slice(None), *unit)

    def activity(pictures: Any) -> Any:
        return keras.ops.sum(probe(pictures, training=False)[here])

    if images is None:
        rng = np.random.default_rng(seed)
        images = (
            0.01 * rng.uniform(0.5, 1.0, (1, *shape)) if every_path else rng.normal(size=(samples, *shape))
        )
    slope = np.abs(gradients.gradient(activity, images)).mean(axis=0)
    influence = slope.sum(axis=tuple(axis for axis in range(len(shape)) if axis + 1 not in fields.space(0)))
    places = np.nonzero(influence)
    if not len(places[0]):
        raise ValueError(
            f"No place of the input moves unit {unit} of layer '{target.path}': its gradient is zero."
        )
    first, last = (tuple(int(end(axis)) for axis in places) for end in (np.min, np.max))
    return MeasuredField(target.path, unit, influence, first, last, fields.seen_by(target, 0))


def _fixed_shape(graph: Graph) -> tuple[int, ...]:
    if len(graph.inputs) != 1:
        raise ValueError(f"Model '{graph.name}' has {len(graph.inputs)} inputs; a field is measured in one.")
    shape = graph.shapes[graph.inputs[0]][1:]
    if None in shape:
        raise ValueError(
            f"Model '{graph.name}' takes inputs of any size {shape}; say at which to measure, for instance "
            f"input_shape={tuple(64 if side is None else side for side in shape)}."
        )
    return shape


def _twin(graph: Graph, target: Call, every_path: bool, seed: int) -> keras.Model:
    """A copy of the model up to one layer: with its weights, or with weights that let every path through."""
    copies: list[tuple[keras.Layer, keras.Layer]] = []

    def clone(layer: keras.Layer) -> keras.Layer:
        copy = _averaging(layer) if every_path else layer.from_config(layer.get_config())
        copies.append((layer, copy))
        return copy

    probe = rebuild(graph, target, clone)
    rng = np.random.default_rng(seed)
    for layer, copy in copies:
        if every_path:
            for weight in copy.weights:
                if len(weight.shape) > 1:
                    weight.assign(rng.uniform(0.5, 1.5, weight.shape) / _fan_in(weight))
        else:
            copy.set_weights(layer.get_weights())
    return probe


def _averaging(layer: keras.Layer) -> keras.Layer:
    """A copy of a layer, with the average in place of a maximum."""
    if isinstance(layer, keras.layers.TimeDistributed):
        return keras.layers.TimeDistributed(_averaging(layer.layer), name=layer.name)
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer, clone_function=_averaging)
    return _AVERAGES.get(type(layer), type(layer)).from_config(layer.get_config())


_AVERAGES = {
    keras.layers.MaxPooling1D: keras.layers.AveragePooling1D,
    keras.layers.MaxPooling2D: keras.layers.AveragePooling2D,
    keras.layers.MaxPooling3D: keras.layers.AveragePooling3D,
    keras.layers.GlobalMaxPooling1D: keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalMaxPooling2D: keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling3D: keras.layers.GlobalAveragePooling3D,
}


def _fan_in(weight: Any) -> int:
    """How many terms a unit adds up, so that activations neither grow nor fade from layer to layer."""
    channels = 2 if "depthwise" in weight.path else 1
    return int(np.prod(weight.shape[:-channels]))

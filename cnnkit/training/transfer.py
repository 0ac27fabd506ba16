"""What can be kept of a network that was trained on something else: its features, its weights up to a layer, its statistics.

To freeze a layer Keras has `layer.trainable = False`; here is what it has not: features of any layers in one pass, all that a
layer depends on frozen at once, batch norms kept as they are or given the statistics of other images, rates by depth, and the
control that tells whether it was the weights that helped.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from cnnkit._names import unknown

__all__ = ["features", "freeze", "freeze_norms", "rates_by_depth", "restate_norms", "shuffle_weights"]


def features(
    model: keras.Model, x: np.ndarray, layers: Iterable[str] | None = None, batch_size: int = 64
) -> dict[str, np.ndarray]:
    """What layers of a network say of images, in one pass: a row an image, maps averaged over their places.

    A reader is then trained on these rows, as often as one likes, and the network never again.

    Args:
        model: any Keras model with one input, such as `cnnkit.models.create(name, classes=None)` or one of `keras.applications`.
        x: the images, as the network wants them.
        layers: the names of the layers; the network's own outputs where none is named.
        batch_size: images at a time.

    Returns:
        For each name an array `(images, channels)`.

    Example:
        >>> net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="first"), keras.layers.Conv2D(6, 3)])
        >>> {name: rows.shape for name, rows in features(net, np.ones((5, 8, 8, 1)), ["first"]).items()}
        {'first': (5, 4)}

    Chapter: training/transfer-learning.
    Paper: arXiv:1310.1531.
    """
    x = np.asarray(x)
    if len(x) == 0:
        raise ValueError(f"there are no images to take features of: x has the shape {x.shape}")
    _graph(model)
    if (wanted := model.input_shape[1:]) and len(wanted) + 1 != x.ndim:
        raise ValueError(f"'{model.name}' takes images of shape {wanted}; x has the shape {x.shape}")
    if layers is None:
        outputs = dict(zip(model.output_names, keras.tree.flatten(model.outputs), strict=True))
    else:
        outputs = {
            name: _layer(model, name).output for name in ([layers] if isinstance(layers, str) else layers)
        }
    if not outputs:
        raise ValueError("no layer is named: give a list of layer names, or None for the network's outputs")
    channels_first = keras.config.image_data_format() == "channels_first"
    places = {
        name: tuple(range(2, out.ndim) if channels_first else range(1, out.ndim - 1))
        for name, out in outputs.items()
    }
    averages = {
        name: keras.ops.mean(out, axis=places[name]) if places[name] else out for name, out in outputs.items()
    }
    found = keras.Model(model.inputs[0], averages).predict(x, batch_size=batch_size, verbose=0)
    return {name: np.asarray(rows) for name, rows in found.items()}


def freeze(model: keras.Model, upto: str) -> int:
    """Freeze a layer of a network and all that it depends on; what comes after it, and beside it, is trained.

    Args:
        model: the network; each of its layers becomes trainable or not.
        upto: the name of the last layer to be frozen.

    Returns:
        How many numbers are left to be trained.

    Example:
        >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="kept"), keras.layers.Dense(2)])
        >>> freeze(net, "kept")
        8

    Chapter: training/transfer-learning.
    Paper: arXiv:1411.1792.
    """
    last = _layer(model, upto)
    below = {id(layer) for layer in keras.Model(model.inputs, last.output).layers}
    left = [layer for layer in model.layers if id(layer) not in below]
    if not any(layer.weights for layer in left):
        raise ValueError(
            f"nothing is left to train after '{upto}': no layer that comes after it has weights; freeze up to an earlier one, "
            "or put a new head on it"
        )
    model.trainable = True
    for layer in model.layers:
        layer.trainable = id(layer) not in below
    return int(sum(np.prod(weight.shape) for weight in model.trainable_weights))


def freeze_norms(model: keras.Model) -> list[str]:
    """Keep every batch norm as it is, in training too: its scale and shift, and the statistics by which it normalises.

    Keras lets a batch norm that is not trainable normalise by its moving averages, and leaves these alone.

    Returns:
        The names of the batch norms, nested ones included.

    Example:
        >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization(name="norm")])
        >>> freeze_norms(net), len(net.trainable_weights)
        (['norm'], 2)

    Chapter: training/transfer-learning.
    """
    norms = _norms(model)
    for norm in norms:
        norm.trainable = False
    return [norm.name for norm in norms]


def restate_norms(model: keras.Model, x: np.ndarray, batch_size: int = 128) -> None:
    """Give every batch norm the statistics of these images, which need no labels (AdaBN).

    One pass, in which each norm normalises by its batch, as in training, and all other layers work as in use; the statistics
    are the means over the batches, those of one batch where all images fit into it.

    Args:
        model: the network; the moving averages of its batch norms change, and nothing else.
        x: images of the new kind.
        batch_size: images at a time; of a batch of few images the statistics are poor.

    Example:
        >>> net = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
        >>> restate_norms(net, np.array([[0.0, 4.0], [2.0, 8.0]]))
        >>> [np.asarray(keras.ops.convert_to_numpy(weight)).tolist() for weight in net.layers[0].non_trainable_weights]
        [[1.0, 6.0], [1.0, 4.0]]

    Chapter: training/transfer-learning.
    Paper: arXiv:1603.04779.
    """
    x = np.asarray(x)
    norms = _norms(model)
    if not norms:
        raise ValueError(f"'{model.name}' has no batch norm whose statistics could be restated")
    if len(x) < 2:
        raise ValueError(f"statistics need two images at least, and x has {len(x)}")
    parts = np.array_split(np.arange(len(x)), -(-len(x) // max(int(batch_size), 2)))
    before = [(norm.trainable, norm.momentum) for norm in norms]
    try:
        with _others_in_use(model):
            for done, rows in enumerate(parts):
                for norm in norms:
                    norm.trainable, norm.momentum = True, done / (done + 1)
                model(x[rows], training=True)
    finally:
        for norm, (trainable, momentum) in zip(norms, before, strict=True):
            norm.trainable, norm.momentum = trainable, momentum


def rates_by_depth(model: keras.Model, factor: float = 2.6) -> dict[str, float]:
    """For each layer with weights by how much its rate is multiplied: 1 for the last, a `factor` less for each layer before.

    Goes into a recipe, as `Recipe(rates=rates_by_depth(model))`, for `fit`.  Batch norms share the rate of the layer before
    them, and frozen layers are left out.

    Args:
        model: the network with its new head.
        factor: between neighbours; 1 gives all layers the same rate.

    Example:
        >>> net = keras.Sequential([keras.Input((4,))] + [keras.layers.Dense(3, name=name) for name in ("a", "b", "c")])
        >>> rates_by_depth(net, factor=10)
        {'a': 0.01, 'b': 0.1, 'c': 1.0}

    Chapter: training/transfer-learning.
    Paper: arXiv:1801.06146.
    """
    if not factor >= 1:
        raise ValueError(
            f"factor is how many times slower each layer learns than the one after it, 1 or more, not {factor}"
        )
    if not model.weights:
        raise ValueError(f"'{model.name}' has no weights yet: build it, or show it an image first")
    steps: list[list[str]] = []
    for layer in _leaves(model):
        if isinstance(layer, keras.layers.BatchNormalization) and steps:
            if layer.trainable_weights:
                steps[-1].append(layer.name)
        elif layer.weights:
            steps.append([layer.name] if layer.trainable_weights else [])
    steps = [names for names in steps if names]
    if not steps:
        raise ValueError(f"nothing is left to train in '{model.name}': all its layers are frozen")
    return {
        name: float(factor) ** (place - len(steps) + 1) for place, names in enumerate(steps) for name in names
    }


def shuffle_weights(model: keras.Model, seed: int = 0) -> None:
    """Put the numbers of each kernel into another order: what is kept is their distribution, what is lost is what they mean.

    A control for transfer: whatever a net of shuffled weights reads was not learned. Its batch norms need the statistics of
    some images afterwards, see `restate_norms`. Biases, scales and shifts stay.

    Args:
        model: the network, whose weights change.
        seed: of the order.

    Example:
        >>> net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
        >>> net.set_weights([np.array([[1.0, 2.0], [3.0, 4.0]])])
        >>> shuffle_weights(net, seed=1)
        >>> sorted(net.get_weights()[0].ravel().tolist())
        [1.0, 2.0, 3.0, 4.0]

    Chapter: training/transfer-learning.
    """
    if not model.weights:
        raise ValueError(f"'{model.name}' has no weights to shuffle yet: build it, or show it an image first")
    generator = np.random.default_rng(seed)
    for layer in _leaves(model):
        for weight in layer.weights:
            if len(weight.shape) > 1:
                values = keras.ops.convert_to_numpy(weight)
                weight.assign(generator.permutation(values.ravel()).reshape(values.shape))


def _layer(model: keras.Model, name: str) -> keras.Layer:
    """A layer by its name, or the nearest names."""
    _graph(model)
    known = [layer.name for layer in model.layers]
    if name not in known:
        raise ValueError(unknown(f"layer of '{model.name}'", name, known))
    return model.get_layer(name)


def _graph(model: keras.Model) -> None:
    """Layers can be cut only where a network says how they hang together."""
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"'{model.name}' has no graph of layers: begin a Sequential network with keras.Input, and make one that was written as a "
            "class a functional one"
        )


def _leaves(model: keras.Model) -> list[keras.Layer]:
    """The layers of a network in their order, each once; those of nested networks in the place of these."""
    found: dict[int, keras.Layer] = {}
    for layer in model.layers:
        inner = _leaves(layer) if isinstance(layer, keras.Model) else [layer]
        found.update((id(one), one) for one in inner)
    return list(found.values())


@contextlib.contextmanager
def _others_in_use(model: keras.Model) -> Iterator[None]:
    """Within it, all layers but batch norms work as in use, whatever the network is told: nothing is dropped or changed."""

    def as_in_use(call: Any) -> Any:
        return lambda *inputs, training=None, **options: call(*inputs, training=False, **options)

    changed = [
        layer
        for layer in model._flatten_layers(include_self=False)
        if not isinstance(layer, keras.layers.BatchNormalization)
        and not any(
            layer._flatten_layers(include_self=False)
        )  # what holds a batch norm is told, and tells it
        and "training" in inspect.signature(layer.call).parameters
    ]
    for layer in changed:
        layer.call = as_in_use(layer.call)
    try:
        yield
    finally:
        for layer in changed:
            del layer.call


def _norms(model: keras.Model) -> list[Any]:
    every = model._flatten_layers(include_self=False)
    return [layer for layer in every if isinstance(layer, keras.layers.BatchNormalization)]

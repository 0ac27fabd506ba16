"""`create`: a network by its name, whole or without its head, fresh or trained, in the shape that the caller needs."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from cnnkit import _paths
from cnnkit.models import requests
from cnnkit.models.cards import Card, Weights
from cnnkit.models.preprocessing import Preparation
from cnnkit.models.registry import Builder, lookup
from cnnkit.models.valueless import without_values

__all__ = ["create", "score_dtype"]

_POOLINGS = {"avg": "GlobalAveragePooling", "max": "GlobalMaxPooling"}


def create(
    model: str,
    /,
    classes: int | Literal["own"] | None = "own",
    input_shape: Sequence[int | None] | Mapping[str, Sequence[int | None]] | None = None,
    weights: str | Path | None = None,
    *,
    pooling: Literal["avg", "max"] | None = None,
    features: Sequence[int | str] | None = None,
    preprocess: bool = False,
    input_tensor: Any = None,
    name: str | None = None,
    dtype: str | keras.DTypePolicy | None = None,
    **options: object,
) -> keras.Model:
    """Make a registered network, as published unless told otherwise.

    Args:
        model: the registered name; `names()` lists them.
        classes: how many classes it tells apart. `"own"` is the published number, or that of the weights; None
            leaves the head away, so that the last maps come out.
        input_shape: without the batch; by default the published one, or that of the weights. A mapping of names to
            shapes where the network has several inputs.
        weights: None for a fresh net, the tag of a set that the card offers, or the path of a `.weights.h5` file.
            With another number of classes everything that fits is kept and the rest starts anew, with a warning
            that names it.
        pooling: with `classes=None`, `"avg"` or `"max"` make one vector of the last maps.
        features: names of stages, such as `(2, 3, 4, 5)`: the model gives the maps of each, in this order.
            `card(name).stages` tells their layers and strides.
        preprocess: put the card's preparation of images into the model, which then takes pixels of 0 to 255 of any
            height and width, and remembers that when it is saved.
        input_tensor: a Keras tensor to build on, a list or a dict of such for several inputs.
        name: of the Keras model; by default the registered name.
        dtype: the policy, such as `"mixed_float16"`; by default Keras's global one.
        options: arguments of that network's own builder.

    Returns:
        A `keras.Model` that ends in scores, without softmax; or in maps, or in vectors.

    Raises:
        ValueError: for what cannot be meant, in a sentence that names the value and the remedy.

    Example:
        >>> create("lenet5").output_shape, create("lenet5", classes=None).output_shape
        ((None, 10), (None, 1, 1, 120))
        >>> create("lenet5", features=(1, 2)).output_shape
        [(None, 28, 28, 6), (None, 10, 10, 16)]
    """
    card, builder = lookup(model)
    takes = inspect.signature(builder).parameters
    entry = requests.weights_entry(card, weights)
    requests.check_head(card, "classes" in takes, classes, pooling, features)
    requests.check_options(card, takes, options, entry, weights)
    options = {**(entry.options if entry else {}), **options}
    if classes == "own":
        classes = None if features is not None else (entry or card).classes
    input_shape = requests.shape_asked(card, input_shape, input_tensor, preprocess, entry)
    arguments = {"input_shape": input_shape, **options}
    if "classes" in takes:
        arguments["classes"] = requests.whole(card, classes)
    with _settings(dtype):
        made = _build(card, builder, arguments)
        if weights is not None:
            _load(made, card, builder, arguments, entry, weights)
        if features is not None or pooling or preprocess or input_tensor is not None:
            inputs, outputs = _ends(made)
            if features is not None:
                outputs = _maps(made, card, features)
            elif pooling:
                outputs = _pooled(outputs, card, pooling)
            if preprocess or input_tensor is not None:
                whole = keras.Model(inputs, outputs)
                inputs, tensor = (
                    _prepared(card, input_shape) if preprocess else (_sources(input_tensor), input_tensor)
                )
                outputs = whole.call(tensor)  # the same layers, on the other tensor
            made = keras.Model(inputs, outputs)
    made.name = name or card.name
    made.registered_name = card.name  # for transplant, which looks for the family's map
    return made


def score_dtype() -> str:
    """The dtype of a network's last layer: scores are compared and exponentiated, so never in half precision.

    Example:
        >>> score_dtype()
        'float32'
    """
    kept = keras.config.dtype_policy().variable_dtype
    return "float64" if kept == "float64" else keras.config.floatx()


def _build(card: Card, builder: Builder, arguments: Mapping[str, object]) -> keras.Model:
    if arguments.get("classes", "none") is not None:
        return builder(**arguments)
    try:
        return builder(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{card.name} cannot be made without its head: with classes=None its builder should end before it, "
            f"and says: {error}"
        ) from error


def _ends(model: keras.Model) -> tuple[Any, Any]:
    """Inputs and outputs as the model takes and gives them, a Sequential's too."""
    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _maps(made: keras.Model, card: Card, features: Sequence[int | str]) -> list[Any]:
    stages = {str(key): stage for key, stage in card.stages.items()}
    return [made.get_layer(stages[str(key)].layer).output for key in features]


def _pooled(maps: Any, card: Card, pooling: str) -> Any:
    rank = len(getattr(maps, "shape", ())) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{card.name} ends in {getattr(maps, 'shape', maps)} without its head: no maps that pooling= could pool"
        )
    layer = getattr(keras.layers, f"{_POOLINGS[pooling]}{rank}D")
    return layer(data_format="channels_last", name=f"pooled_{pooling}")(maps)


def _sources(tensors: Any) -> Any:
    """What the given tensors are made of: themselves where they are inputs, in their own structure."""
    leaves = keras.tree.flatten(tensors)
    sources = [source for leaf in leaves for source in keras.utils.get_source_inputs(leaf)]
    if len(sources) == len(leaves) and all(a is b for a, b in zip(sources, leaves, strict=True)):
        return tensors
    different = list({id(source): source for source in sources}.values())
    return different if len(different) > 1 else different[0]


def _prepared(card: Card, shape: tuple[int | None, ...]) -> tuple[Any, Any]:
    pixels = keras.Input((None, None, shape[-1]), name="pixels")
    how = dataclasses.replace(card.preprocessing, size=shape[:2])
    return pixels, Preparation(how, name="preparation")(pixels)


def _load(
    made: keras.Model,
    card: Card,
    builder: Builder,
    arguments: dict[str, Any],
    entry: Weights | None,
    weights: str | Path,
) -> None:
    """Read the weights into the model; where it differs from what they were trained for, through one like that."""
    file = _paths.resource(entry.file) if entry else Path(weights)
    trained = dict(arguments)
    if entry:
        trained |= {"input_shape": requests.shapes(card, entry.input_shape), **entry.options}
    if "classes" in arguments and (entry or arguments["classes"] is None):
        trained["classes"] = (entry or card).classes
    if trained == arguments:
        _read(made, card, file, arguments)
        return
    try:
        donor = _build(card, builder, trained)
        _read(donor, card, file, trained)
    except ValueError:
        if entry or arguments["classes"] is not None:
            raise
        _read(made, card, file, arguments)  # a file that was saved without a head
        return
    renewed = arguments.get("classes") not in (None, trained.get("classes"))
    head = _head(card, builder, trained) if renewed else set()
    new = _transfer(donor, made, head, f"the weights '{weights}' of {card.name}", trained)
    if renewed:
        warnings.warn(
            f"the weights '{weights}' of {card.name} are for {trained['classes']} classes, not {arguments['classes']}: "
            f"what fits is kept, and the head is new ({', '.join(new) or 'it has no weights'})",
            stacklevel=3,
        )


def _read(model: keras.Model, card: Card, file: Path, arguments: Mapping[str, Any]) -> None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Skipping")  # what Keras would leave as it was, and only say so
            model.load_weights(file)
    except (OSError, KeyError, ValueError, UserWarning) as error:
        asked = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ValueError(
            f"'{file}' does not hold the weights of {card.name} with {asked}: {error}"
        ) from error


def _head(card: Card, builder: Builder, trained: Mapping[str, Any]) -> set[str]:
    """The paths of the head's weights: those that a network without it does not have."""
    with without_values():
        whole, bare = builder(**trained), _build(card, builder, {**trained, "classes": None})
        return {weight.path for weight in whole.weights} - {weight.path for weight in bare.weights}


def _transfer(
    donor: keras.Model, made: keras.Model, head: set[str], what: str, trained: Mapping[str, Any]
) -> list[str]:
    """Copy what fits; returns the layers of the head that do not, and refuses any other layer that does not."""
    given = {weight.path: weight for weight in donor.weights}
    pairs, new = [], []
    for weight in made.weights:
        source = given.get(weight.path)
        if source is not None and tuple(source.shape) == tuple(weight.shape):
            pairs.append((weight, source))
        elif weight.path in head:
            new.append(weight.path.rpartition("/")[0])
        else:
            theirs = "is not there" if source is None else f"has {tuple(source.shape)}"
            asked = ", ".join(f"{key}={value!r}" for key, value in trained.items())
            raise ValueError(
                f"{what} are for {asked}: '{weight.path}' {theirs} in them and is {tuple(weight.shape)} here"
            )
    for weight, source in pairs:
        weight.assign(source)
    return list(dict.fromkeys(new))


@contextlib.contextmanager
def _settings(dtype: str | keras.DTypePolicy | None) -> Iterator[None]:
    """The policy asked for, and channels last whatever Keras's setting is, for as long as a network is built."""
    policy, layout = keras.config.dtype_policy(), keras.config.image_data_format()
    try:
        if dtype is not None:
            keras.config.set_dtype_policy(dtype)
        keras.config.set_image_data_format("channels_last")
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(layout)

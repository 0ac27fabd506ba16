"""What a caller of `create` may ask for: each wrong request is told what was given and what is needed."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from cnnkit import _names
from cnnkit.models.cards import Card, Input, Weights

__all__ = ["check_head", "check_options", "shape_asked", "shapes", "weights_entry", "whole"]

Shape = tuple[int | None, ...]


def weights_entry(card: Card, weights: str | Path | None) -> Weights | None:
    """The card's entry for a tag, None for no weights or for a file that exists."""
    if weights is None:
        return None
    if isinstance(weights, str) and weights in card.weights:
        return card.weights[weights]
    known = ", ".join(repr(key) for key in card.weights) or "none yet"
    if not str(weights).endswith(".weights.h5"):
        raise ValueError(
            f"{card.name} has no weights called {str(weights)!r}; known are: {known}. "
            "Otherwise give None, or the path of a .weights.h5 file"
        )
    if not Path(weights).is_file():
        raise ValueError(f"there is no weights file {str(weights)!r}; weights known by name are: {known}")
    return None


def check_head(
    card: Card, takes_classes: bool, classes: object, pooling: object, features: Sequence[int | str] | None
) -> None:
    """`classes`, `pooling` and `features` where they contradict one another or the network."""
    if not takes_classes and classes != "own":
        raise ValueError(f"{card.name} is a {card.kind} without classes; leave classes={classes!r} away")
    if pooling is not None:
        if pooling not in ("avg", "max"):
            raise ValueError(_names.unknown("pooling of the last maps", pooling, ("avg", "max")))
        if classes is not None or features is not None:
            raise ValueError(
                f"pooling={pooling!r} is for a network without its head: say classes=None as well, and no features"
            )
    if features is None:
        return
    if classes not in (None, "own"):
        raise ValueError(
            f"features={features!r} are maps, without a head for classes={classes!r}; leave one away"
        )
    known = [str(key) for key in card.stages]
    if isinstance(features, (str, int)) or not features:
        raise ValueError(f"features is a list of stages, such as ({', '.join(known[:2])}), not {features!r}")
    for asked in features:
        if str(asked) not in known:
            raise ValueError(_names.unknown(f"stage of {card.name}", asked, known))


def check_options(
    card: Card,
    takes: Mapping[str, inspect.Parameter],
    options: Mapping[str, object],
    entry: Weights | None,
    weights: object,
) -> None:
    """Options that the builder does not have, or that the weights contradict."""
    open_ended = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    known = set(takes) - {"classes", "input_shape"}
    for option, value in options.items():
        if option not in known and not open_ended:
            raise ValueError(_names.unknown(f"option of {card.name}", option, known))
        if entry and option in entry.options and entry.options[option] != value:
            raise ValueError(
                f"the weights '{weights}' of {card.name} are for {option}={entry.options[option]!r}, not "
                f"{value!r}; leave one of the two away"
            )


def whole(card: Card, classes: object) -> int | None:
    """The number of classes as an int, None for no head."""
    if classes is None:
        return None
    if not isinstance(classes, numbers.Integral) or isinstance(classes, bool) or classes < 1:
        raise ValueError(f"{card.name} needs classes as a whole number of at least 1, not {classes!r}")
    return int(classes)


def shape_asked(
    card: Card, given: object, tensor: object, preprocess: bool, entry: Weights | None
) -> Shape | dict[str, Shape]:
    """The input shape that all wishes together mean."""
    if preprocess:
        if card.preprocessing is None or len(card.inputs) > 1:
            raise ValueError(
                f"{card.name} has no preprocessing on its card that preprocess=True could put first"
            )
        if tensor is not None:
            raise ValueError("preprocess=True makes an input of its own, of pixels; leave input_tensor away")
    if tensor is not None:
        of_tensor = keras.tree.map_structure(_shape_of, tensor)
        if isinstance(of_tensor, list):
            of_tensor = dict(zip(card.inputs, of_tensor, strict=False))
        if given is not None and shapes(card, given) != shapes(card, of_tensor):
            raise ValueError(f"input_shape={given} is not that of input_tensor, {of_tensor}; leave it away")
        given = of_tensor
    if given is None:
        given = entry.input_shape if entry else card.input_shape
    asked = shapes(card, given)
    if preprocess and None in asked:
        raise ValueError(
            f"with preprocess=True {card.name} needs a known size to bring images to, not {asked}"
        )
    return asked


def shapes(card: Card, given: object) -> Shape | dict[str, Shape]:
    """The shape of each input, checked; a bare shape for a single input."""
    if len(card.inputs) == 1:
        ((name, entry),) = card.inputs.items()
        if isinstance(given, Mapping) and set(given) == {name}:
            given = given[name]
        return _checked(card.name, entry, given)
    if not isinstance(given, Mapping) or set(given) != set(card.inputs):
        raise ValueError(
            f"{card.name} needs input_shape with a shape for each of {', '.join(card.inputs)}, but was given {given!r}"
        )
    return {
        name: _checked(f"{name} of {card.name}", entry, given[name]) for name, entry in card.inputs.items()
    }


def _shape_of(tensor: Any) -> Shape:
    if not keras.utils.is_keras_tensor(tensor):
        raise ValueError(
            f"input_tensor is what keras.Input gives, or what a layer makes of it, not {tensor!r:.80}"
        )
    return _Leaf(tensor.shape[1:])


class _Leaf(tuple):
    """A shape that `keras.tree` does not open."""

    __slots__ = ()


def _checked(who: str, entry: Input, given: object) -> Shape:
    """The asked-for shape as a tuple, or an error that says what was given and what is needed."""
    needed = f"{who} needs input_shape=({', '.join(entry.axes)}), such as {entry.shape}"
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValueError(f"{needed}, but was given {given!r}")
    shape = tuple(given)
    if len(shape) != len(entry.shape):
        remedy = ""
        if len(shape) == len(entry.shape) - 1:
            remedy = f"; for one channel write {(*shape, 1)}"
        elif len(shape) == len(entry.shape) + 1:
            remedy = f"; leave the batch away: {shape[1:]}"
        raise ValueError(f"{needed}, but was given {len(shape)} numbers, {shape}{remedy}")
    for size in shape:
        integral = isinstance(size, numbers.Integral) and not isinstance(size, bool)
        if size is not None and (not integral or size < 1):
            raise ValueError(f"{needed}, in whole numbers of at least 1, but was given {shape}")
    shape = tuple(None if size is None else int(size) for size in shape)
    if entry.has_channels:
        _check_channels(who, entry, shape)
    sizes = shape[:-1] if entry.has_channels else shape
    minimum = entry.minimum or (1,) * len(sizes)
    if any(size is not None and size < least for size, least in zip(sizes, minimum, strict=True)):
        swapped = (*shape[1:], shape[0])
        remedy = (
            f"enlarge or pad the {entry.what}s"
            if entry.what in ("image", "volume", "signal")
            else "give more"
        )
        fits = all(s is None or s >= m for s, m in zip(swapped, minimum, strict=False))
        if entry.has_channels and shape[0] in (1, 3) and fits:
            remedy = f"{entry.what}s are channels last here, so if these are channels first write {swapped}"
        raise ValueError(
            f"{who} needs {entry.what}{'' if entry.what.endswith('s') else 's'} of at least {_times(minimum)}, "
            f"but was given {_times(sizes)} (input_shape={shape}); {remedy}"
        )
    return shape


def _check_channels(who: str, entry: Input, shape: Shape) -> None:
    channels, allowed = shape[-1], entry.channels
    if channels is None:
        raise ValueError(f"{who} needs a known number of channels, but input_shape={shape} ends in None")
    if allowed and channels not in allowed:
        wanted = " or ".join(map(str, allowed))
        remedy = ""
        if shape[0] in allowed:
            remedy = f"; {entry.what}s are channels last here: {(*shape[1:], shape[0])}"
        raise ValueError(
            f"{who} needs {wanted} channel{'s' if allowed != (1,) else ''}, "
            f"but input_shape={shape} has {channels}{remedy}"
        )


def _times(sizes: Shape) -> str:
    return "x".join("any" if size is None else str(size) for size in sizes)

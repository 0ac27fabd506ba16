"""One registry for every network: what is known of it, and how to make it.

A builder is a plain function `(classes, input_shape, **options) -> keras.Model`.  The decorator `register`
puts it beside a card; `create` checks what the caller asks for before any operation can fail, and builds.
Every model takes channels-last images and ends in scores: softmax makes probabilities of them, so the loss
is a cross-entropy with `from_logits=True`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import inspect
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from cnnkit import _names, _paths

__all__ = ["Card", "Weights", "card", "create", "names", "register"]

_AXES = {2: ("length",), 3: ("height", "width"), 4: ("depth", "height", "width")}
_REGISTRY: dict[str, tuple[Card, Callable[..., keras.Model]]] = {}


@dataclasses.dataclass(frozen=True)
class Weights:
    """A set of trained weights that a card offers: its file under `data/`, and what it was trained for.

    Chapter: models/lenet.
    """

    file: str
    classes: int
    input_shape: tuple[int, ...]
    licence: str
    made_by: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a network: where it comes from, what it needs, what it achieved and how.

    `parameters` is the exact trainable count with the default arguments; `published_parameters` is what the
    paper says, in its own words.  `error` is in per cent and `error_protocol` says how it was obtained.

    Chapter: models/lenet.
    """

    name: str
    year: int
    title: str
    paper: str | None
    chapter: str
    classes: int
    input_shape: tuple[int, ...]
    input_range: tuple[float, float] = (0.0, 1.0)
    minimum: tuple[int, ...] | None = None
    channels: tuple[int, ...] | None = None
    parameters: int | None = None
    published_parameters: str | None = None
    depth: int | None = None
    depth_counts: str = "layers with convolution or dense weights"
    error: float | None = None
    error_protocol: str | None = None
    preprocessing: Callable[[np.ndarray], np.ndarray] | None = None
    weights: Mapping[str, Weights] = dataclasses.field(default_factory=dict)
    twin: str | None = None
    licence: str = "Apache-2.0 (code)"
    note: str = ""

    def prepare(self, images: np.ndarray) -> np.ndarray:
        """Images in [0, 1] as this network wants them: its own size, range and polarity."""
        images = np.asarray(images, dtype="float32")
        if images.ndim != len(self.input_shape) + 1:
            raise ValueError(
                f"prepare needs a batch of shape (batch, {_shape_words(self)}), "
                f"but was given shape {images.shape}"
            )
        return self.preprocessing(images) if self.preprocessing else images

    def as_dict(self) -> dict[str, object]:
        """The card as plain values, ready for JSON."""
        plain = dataclasses.asdict(dataclasses.replace(self, weights={}, preprocessing=None))
        plain["weights"] = {key: dataclasses.asdict(entry) for key, entry in self.weights.items()}
        described = inspect.getdoc(self.preprocessing) if self.preprocessing else None
        plain["preprocessing"] = described.splitlines()[0] if described else None
        return plain

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.year}): {self.title}"]
        for key, value in self.as_dict().items():
            if key not in ("name", "year", "title") and value not in (None, "", {}):
                value = ", ".join(value) if key == "weights" else value
                lines.append(f"  {key.replace('_', ' '):<21} {value}")
        return "\n".join(lines)


def register(
    name: str, **card_fields: object
) -> Callable[[Callable[..., keras.Model]], Callable[..., keras.Model]]:
    """Put a builder `(classes, input_shape, **options) -> keras.Model` into the registry, with its card.

    >>> @register("tiny", year=2024, title="My own net", paper=None, chapter="mine",
    ...           classes=10, input_shape=(8, 8, 1))
    ... def tiny(classes, input_shape):
    ...     return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(),
    ...                              keras.layers.Dense(classes)])
    >>> create("tiny", classes=3).output_shape
    (None, 3)

    A notebook cell that registers the same function again replaces it; another function under a taken
    name is an error.

    Chapter: models/lenet.
    """
    known = {field.name for field in dataclasses.fields(Card)} - {"name"}
    for field in card_fields:
        if field not in known:
            raise ValueError(_names.unknown("card field", field, known))
    try:
        new_card = Card(name=name, **card_fields)
    except TypeError as error:
        raise ValueError(f"the card of '{name}' lacks a field: {error}") from None
    if len(new_card.input_shape) not in _AXES:
        raise ValueError(
            f"the card of '{name}' has input_shape={new_card.input_shape}, "
            "but it needs 1 to 3 spatial sizes and the channels"
        )

    def decorate(builder: Callable[..., keras.Model]) -> Callable[..., keras.Model]:
        if name in _REGISTRY:
            taken = _REGISTRY[name][1]
            if _origin(taken) != _origin(builder):
                raise ValueError(f"'{name}' is already registered by {_origin(taken)}; choose another name")
        _REGISTRY[name] = (new_card, builder)
        return builder

    return decorate


def names(pattern: str = "*") -> list[str]:
    """The registered names that match a shell pattern, in natural order: `names("lenet*")`.

    Chapter: models/lenet.
    """
    return sorted(fnmatch.filter(_REGISTRY, pattern), key=_natural)


def card(name: str) -> Card:
    """The card of a registered network.

    Chapter: models/lenet.
    """
    return _lookup(name)[0]


def create(
    name: str,
    classes: int | None = None,
    input_shape: Sequence[int | None] | None = None,
    weights: str | Path | None = None,
    **options: object,
) -> keras.Model:
    """Make a registered network, with the published number of classes and input shape unless told otherwise.

    `weights` is None for a fresh net, the name of a set that the card offers, or the path of a
    `.weights.h5` file saved by Keras.  Other `options` go to the builder of that network.

    >>> create("lenet5").output_shape
    (None, 10)

    Chapter: models/lenet.
    """
    the_card, builder = _lookup(name)
    entry = _weights_entry(the_card, weights)
    if classes is None:
        classes = entry.classes if entry else the_card.classes
    if input_shape is None:
        input_shape = entry.input_shape if entry else the_card.input_shape
    classes = _checked_classes(the_card, classes)
    input_shape = _checked_input_shape(the_card, input_shape)
    _check_options(the_card, builder, options)
    if entry and (classes, input_shape) != (entry.classes, tuple(entry.input_shape)):
        raise ValueError(
            f"the weights '{weights}' of {name} are for classes={entry.classes} and "
            f"input_shape={tuple(entry.input_shape)}, but classes={classes} and input_shape={input_shape} "
            "were asked for; leave both away, or create the net with weights=None and train it"
        )
    model = builder(classes=classes, input_shape=input_shape, **options)
    if weights is not None:
        model.load_weights(_paths.resource(entry.file) if entry else weights)
    return model


def _lookup(name: str) -> tuple[Card, Callable[..., keras.Model]]:
    if not isinstance(name, str):
        raise ValueError(f"a model's name is a string, but {name!r} was given")
    if name not in _REGISTRY:
        raise ValueError(_names.unknown("model", name, _REGISTRY))
    return _REGISTRY[name]


def _weights_entry(the_card: Card, weights: str | Path | None) -> Weights | None:
    """The card's entry for a name, None for no weights or for a file that exists."""
    if weights is None:
        return None
    if isinstance(weights, str) and weights in the_card.weights:
        return the_card.weights[weights]
    known = ", ".join(repr(key) for key in the_card.weights) or "none yet"
    if not str(weights).endswith(".weights.h5"):
        raise ValueError(
            f"{the_card.name} has no weights called {str(weights)!r}; known are: {known}. "
            "Otherwise give None, or the path of a .weights.h5 file"
        )
    if not Path(weights).is_file():
        raise ValueError(f"there is no weights file {str(weights)!r}; weights known by name are: {known}")
    return None


def _checked_classes(the_card: Card, classes: object) -> int:
    integral = isinstance(classes, numbers.Integral) and not isinstance(classes, bool)
    if not integral or classes < 1:
        raise ValueError(f"{the_card.name} needs classes as a whole number of at least 1, not {classes!r}")
    return int(classes)


def _checked_input_shape(the_card: Card, given: object) -> tuple[int | None, ...]:
    """The asked-for shape as a tuple, or an error that says what was given and what is needed."""
    name, rank = the_card.name, len(the_card.input_shape)
    needed = f"{name} needs input_shape=({_shape_words(the_card)}), such as {the_card.input_shape}"
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValueError(f"{needed}, but was given {given!r}")
    shape = tuple(given)
    if len(shape) != rank:
        remedy = ""
        if len(shape) == rank - 1:
            remedy = f"; for one channel write {(*shape, 1)}"
        elif len(shape) == rank + 1:
            remedy = f"; leave the batch away: {shape[1:]}"
        raise ValueError(f"{needed}, but was given {len(shape)} numbers, {shape}{remedy}")
    for size in shape:
        if size is not None and (
            not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1
        ):
            raise ValueError(f"{needed}, in whole numbers of at least 1, but was given {shape}")
    shape = tuple(None if size is None else int(size) for size in shape)
    _check_channels(the_card, shape)
    minimum = the_card.minimum or (1,) * (rank - 1)
    if any(size is not None and size < least for size, least in zip(shape[:-1], minimum, strict=True)):
        swapped = (*shape[1:], shape[0])
        remedy = "enlarge or pad the images"
        if shape[0] in (1, 3) and all(s is None or s >= m for s, m in zip(swapped, minimum, strict=False)):
            remedy = f"images are channels last here, so if these are channels first write {swapped}"
        raise ValueError(
            f"{name} needs images of at least {_times(minimum)}, but was given "
            f"{_times(shape[:-1])} (input_shape={shape}); {remedy}"
        )
    return shape


def _check_channels(the_card: Card, shape: tuple[int | None, ...]) -> None:
    channels, allowed = shape[-1], the_card.channels
    if channels is None:
        raise ValueError(
            f"{the_card.name} needs a known number of channels, but input_shape={shape} ends in None"
        )
    if allowed and channels not in allowed:
        wanted = " or ".join(map(str, allowed))
        remedy = ""
        if shape[0] in allowed:
            remedy = f"; images are channels last here: {(*shape[1:], shape[0])}"
        raise ValueError(
            f"{the_card.name} needs {wanted} channel{'s' if allowed != (1,) else ''}, "
            f"but input_shape={shape} has {channels}{remedy}"
        )


def _check_options(the_card: Card, builder: Callable[..., keras.Model], options: dict[str, object]) -> None:
    parameters = inspect.signature(builder).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    known = set(parameters) - {"classes", "input_shape"}
    for option in options:
        if option not in known:
            raise ValueError(_names.unknown(f"option of {the_card.name}", option, known))


def _shape_words(the_card: Card) -> str:
    return ", ".join((*_AXES[len(the_card.input_shape)], "channels"))


def _times(sizes: tuple[int | None, ...]) -> str:
    return "x".join("any" if size is None else str(size) for size in sizes)


def _origin(builder: Callable[..., keras.Model]) -> str:
    builder = getattr(builder, "func", builder)
    return f"{builder.__module__}.{builder.__qualname__}"


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name)]

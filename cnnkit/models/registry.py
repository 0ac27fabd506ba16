"""One registry for every network: what is known of it, and which function builds it.

A family says once what its networks share, and each network is one entry:

    RESNET = family("resnet", kind="classifier", year=2015, paper="arXiv:1512.03385", classes=1000)

    def resnet(classes, input_shape, *, blocks): ...

    register("resnet50", RESNET, title=..., inputs=Input((224, 224, 3)))(partial(resnet, blocks=(3, 4, 6, 3)))

A builder is a plain function `(classes, input_shape, **options) -> keras.Model`. With `classes=None` it ends before
its head, with the last maps. A network without classes leaves that argument away, one with several inputs gets a
mapping of shapes. The model ends in scores: softmax makes probabilities of them, so the loss is a cross-entropy with
`from_logits=True`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from types import CodeType

import keras

from cnnkit import _names
from cnnkit.models.cards import KINDS, Card

__all__ = ["Builder", "Family", "card", "families", "family", "lookup", "names", "register"]

Builder = Callable[..., keras.Model]

#: Arguments that `create` keeps for itself, so that no option of a builder may be called so.
RESERVED = frozenset({"weights", "pooling", "features", "preprocess", "input_tensor", "name", "dtype"})

_CARD_FIELDS = frozenset(field.name for field in dataclasses.fields(Card)) - {"name", "family"}


@dataclasses.dataclass(frozen=True)
class Family:
    """Networks of one kind or paper, and what their cards have in common; made by `family`."""

    name: str
    defaults: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _Entry:
    card: Card
    builder: Builder
    code: CodeType | None  # the module or cell that registered it, as it ran


_REGISTRY: dict[str, _Entry] = {}


def family(name: str, **defaults: object) -> Family:
    """Say once what the cards of a family share: any field of `Card` but its name.

    Args:
        name: of the family, such as `"resnet"`.
        defaults: fields of `Card`; an entry may say otherwise.

    Example:
        >>> family("mine", year=2026, classes=10).defaults["year"]
        2026
    """
    _check_fields(defaults)
    return Family(name, defaults)


def register(name: str, family: Family | str | None = None, **fields: object) -> Callable[[Builder], Builder]:
    """Put a builder into the registry, with its card: a decorator, or a call for one variant of a builder.

    A notebook's cell, or a module, that runs again replaces what it registered. Two entries under one name in one
    run of it are a slip, and so is another function under a taken name: both are refused.

    Args:
        name: under which `create` makes the network.
        family: its family: what `family(...)` gave, or the name of one without defaults; its own name by default.
        fields: those of `Card`.

    Example:
        >>> @register("tiny", title="My own net", year=2026, classes=10, inputs=Input((8, 8, 1)))
        ... def tiny(classes, input_shape):
        ...     inputs = x = keras.Input(input_shape)
        ...     x = keras.layers.Conv2D(4, 3)(x)
        ...     if classes is None:
        ...         return keras.Model(inputs, x)
        ...     return keras.Model(inputs, keras.layers.Dense(classes)(keras.layers.Flatten()(x)))
        >>> keras_model = create("tiny", classes=3)
        >>> keras_model.output_shape
        (None, 3)
    """
    _check_fields(fields)
    defaults = family.defaults if isinstance(family, Family) else {}
    fields = {**defaults, "family": getattr(family, "name", family) or name, **fields}
    missing = [f.name for f in dataclasses.fields(Card) if _required(f) and f.name not in {"name", *fields}]
    if missing:
        raise ValueError(f"the card of '{name}' needs {', '.join(map(repr, missing))}")
    new = Card(name=name, **fields)
    code = _module_that_runs()

    def decorate(builder: Builder) -> Builder:
        _check_builder(name, builder)
        _check_name(name, builder, code)
        for former in new.formerly:
            if former in _REGISTRY or _former().get(former, name) != name:
                raise ValueError(f"'{former}', a former name of '{name}', is the name of another network")
        _REGISTRY[name] = _Entry(new, builder, code)
        return builder

    return decorate


def names(pattern: str = "*", *, family: str | None = None, kind: str | None = None) -> list[str]:
    """The registered names that match a shell pattern, in natural order.

    Args:
        pattern: such as `"lenet*"`.
        family: only those of this family.
        kind: only those of this kind, such as `"classifier"`.

    Example:
        >>> names("lenet5*")
        ['lenet5', 'lenet5-modern']
    """
    if family is not None and family not in families():
        raise ValueError(_names.unknown("family of models", family, families()))
    if kind is not None and kind not in KINDS:
        raise ValueError(_names.unknown("kind of network", kind, KINDS))
    return [
        name
        for name in sorted(fnmatch.filter(_REGISTRY, pattern), key=_natural)
        if family in (None, _REGISTRY[name].card.family) and kind in (None, _REGISTRY[name].card.kind)
    ]


def families() -> dict[str, list[str]]:
    """The families, each with the names of its networks.

    Example:
        >>> families()["lenet"]
        ['lenet-1989', 'lenet5', 'lenet5-modern']
    """
    found: dict[str, list[str]] = {}
    for name in sorted(_REGISTRY, key=_natural):
        found.setdefault(_REGISTRY[name].card.family, []).append(name)
    return dict(sorted(found.items()))


def card(name: str) -> Card:
    """The card of a registered network.

    Example:
        >>> card("lenet5").year
        1998
    """
    return lookup(name)[0]


def lookup(name: str) -> tuple[Card, Builder]:
    """The card and the builder under a name; a former name works, and a warning tells the new one."""
    if not isinstance(name, str):
        raise ValueError(f"a model's name is a string, but {name!r} was given")
    if new := _former().get(name):
        warnings.warn(f"'{name}' is called '{new}' now", FutureWarning, stacklevel=3)
        name = new
    if name not in _REGISTRY:
        raise ValueError(_names.unknown("model", name, _REGISTRY))
    return _REGISTRY[name].card, _REGISTRY[name].builder


def _former() -> dict[str, str]:
    """Each former name, and the one that it has now."""
    return {former: name for name, entry in _REGISTRY.items() for former in entry.card.formerly}


def _check_fields(fields: Mapping[str, object]) -> None:
    for field in fields:
        if field not in _CARD_FIELDS:
            raise ValueError(_names.unknown("card field", field, _CARD_FIELDS))


def _check_builder(name: str, builder: Builder) -> None:
    parameters = inspect.signature(builder).parameters
    for reserved in sorted(RESERVED & set(parameters)):
        raise ValueError(
            f"the builder of '{name}' has an argument '{reserved}', which create() keeps for itself; rename it"
        )
    if "input_shape" not in parameters:
        raise ValueError(
            f"the builder of '{name}' needs an argument 'input_shape'; it has {', '.join(parameters)}"
        )


def _check_name(name: str, builder: Builder, code: CodeType | None) -> None:
    """Refuse a taken name, unless the code that took it runs again."""
    if name in _former():
        raise ValueError(f"'{name}' is the former name of '{_former()[name]}'; choose another")
    taken = _REGISTRY.get(name)
    if taken is None:
        return
    if _origin(taken.builder) != _origin(builder):
        raise ValueError(f"'{name}' is already registered by {_origin(taken.builder)}; choose another name")
    if code is not None and taken.code is code:
        raise ValueError(
            f"'{name}' is registered twice in {code.co_filename}; each entry needs a name of its own"
        )


def _module_that_runs() -> CodeType | None:
    """The code of the nearest module or cell on the stack: a new object each time that it is run again."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "<module>" or frame.f_code.co_name.startswith("<cell line"):
            return frame.f_code
        frame = frame.f_back
    return None


def _required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _origin(builder: Builder) -> str:
    builder = getattr(builder, "func", builder)
    return f"{builder.__module__}.{builder.__qualname__}"


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name)]

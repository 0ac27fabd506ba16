"""`cnnkit models`, `card` and `summary`: networks of ours, of the user's modules, of Keras, and in files."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnkit._names import unknown
from cnnkit.cli import cards, files
from cnnkit.cli.parts import Mistake, part
from cnnkit.cli.printing import plain, print_json, print_table, say

__all__: list[str] = []

_KERAS = "keras:"


def models(options: argparse.Namespace) -> int:
    known = cards.every(options.module)
    found = [
        card
        for card in known.values()
        if fnmatch.fnmatch(card["name"], options.pattern)
        and options.family in (None, card["family"])
        and options.kind in (None, card["kind"])
    ]
    if not found:
        raise Mistake(_why_none(known, options))
    found.sort(key=lambda card: card["family"])
    if options.json:
        return print_json([_without_text(card) for card in found])
    rows = [
        (
            card["family"],
            card["name"],
            card["kind"],
            str(card["year"]),
            _count(card["parameters"]),
            card["title"],
        )
        for card in found
    ]
    return print_table(("family", "name", "kind", "year", "parameters", "what it is"), rows, right={4})


def _why_none(known: dict[str, dict[str, Any]], options: argparse.Namespace) -> str:
    """One sentence for a list that came out empty: the first word in it that nothing has."""
    for field, asked in (("family", options.family), ("kind", options.kind)):
        values = {card[field] for card in known.values()}
        if asked is not None and asked not in values:
            return unknown(f"{field} of models", asked, values)
    if not fnmatch.filter(known, options.pattern):
        return unknown("model", options.pattern, known)
    filters = [
        f"{field} {asked}" for field, asked in vars(options).items() if field in ("family", "kind") and asked
    ]
    return f"no model matches '{options.pattern}' and is of {' and of '.join(filters)}"


def card(options: argparse.Namespace) -> int:
    data = part("data")  # first: it is there at once, and the networks may wait for Keras
    if options.name in data.names():
        entry = data.card(options.name)
        return print_json(plain(entry)) if options.json else say(entry)
    known = cards.every(options.module)
    former = {name: now for now, entry in known.items() for name in entry["formerly"]}
    name = former.get(options.name, options.name)
    if name not in known:
        raise Mistake(unknown("model or data set", options.name, [*known, *data.names()]))
    if name != options.name:
        print(f"cnnkit: '{options.name}' is called '{name}' now", file=sys.stderr)
    return print_json(_without_text(known[name])) if options.json else say(known[name]["text"])


def summary(options: argparse.Namespace) -> int:
    files.import_modules(options.module)
    with _warnings_in_one_line():
        page = _summary_of(options)
    if not options.json:
        return say(page)
    layers = [
        {**plain(vars(row)), "receptive_field": _field(row.receptive_field), "after": row.after}
        for row in page.rows
    ]
    totals = {**vars(page), "receptive_field": _field(page.receptive_field)}
    del totals["rows"]
    return print_json({**totals, "layers": layers})


def _summary_of(options: argparse.Namespace) -> Any:
    insight = part("insight")
    if files.is_path(options.name) or (
        options.name and Path(options.name).exists() and options.name not in part("models").names()
    ):
        if options.classes is not None:
            raise Mistake("a saved model has its own number of classes; leave --classes away")
        return insight.summary(files.saved_model(options.name), input_shape=_one_or_all(options.input_shape))
    with part("models").without_values():  # those of a large network take seconds to draw
        return insight.summary(_built(options))


def _built(options: argparse.Namespace) -> Any:
    shapes = options.input_shape
    asked = {} if options.classes is None else {"classes": options.classes}
    if options.name.startswith(_KERAS):
        return _of_keras(options.name.removeprefix(_KERAS), {**asked, "input_shape": _one_or_all(shapes)})
    networks = part("models")
    if shapes and len(shapes) > 1:
        names = list(networks.card(options.name).inputs)
        if len(names) != len(shapes):
            raise Mistake(
                f"{options.name} has {len(names)} inputs ({', '.join(names)}), and {len(shapes)} --input-shape"
            )
        return networks.create(options.name, input_shape=dict(zip(names, shapes, strict=True)), **asked)
    return networks.create(options.name, input_shape=_one_or_all(shapes), **asked)


def _of_keras(name: str, asked: dict[str, Any]) -> Any:
    import keras

    known = [word for word in dir(keras.applications) if callable(getattr(keras.applications, word))]
    if name not in known:
        raise Mistake(unknown("network of keras.applications", name, known))
    return getattr(keras.applications, name)(weights=None, **asked)


def _one_or_all(shapes: list[tuple[int | None, ...]] | None) -> Any:
    return shapes[0] if shapes and len(shapes) == 1 else shapes


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """What the package warns of, such as the new name of a network, without the line of code that met it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", FutureWarning)
        warnings.showwarning = lambda message, *_: print(f"cnnkit: {message}", file=sys.stderr)
        yield


def _field(field: Any) -> dict[str, Any] | None:
    """The receptive field in plain numbers; a stride after an upsampling is a fraction of a pixel."""
    if field is None:
        return None
    return {
        "layer": field.layer,
        "size": field.size,
        "stride": [float(stride) if stride != int(stride) else int(stride) for stride in field.stride],
        "offset": field.offset,
    }


def _without_text(card: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if key != "text"}


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"

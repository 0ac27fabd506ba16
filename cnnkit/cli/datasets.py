"""`cnnkit data`: what data sets there are, where they lie, and whether they are whole."""

from __future__ import annotations

import argparse
from typing import Any

from cnnkit.cli.parts import matching, part
from cnnkit.cli.printing import plain, print_json, print_table

__all__: list[str] = []


def listing(options: argparse.Namespace) -> int:
    data = part("data")
    cards = [data.card(name) for name in matching("data set", data.names, options.pattern)]
    if options.json:
        return print_json([{**plain(card), "available": data.available(card.name)} for card in cards])
    rows = [(card.name, _where(data, card), _megabytes(card), card.title, card.licence) for card in cards]
    return print_table(("name", "where", "MB", "what it is", "licence"), rows, right={2})


def _where(data: Any, card: Any) -> str:
    if not card.files:
        return "built in"
    if data.available(card.name):
        return "here" if data.available(card.name, layout=card.layouts[0].name) else "in part"
    return "to fetch" if all(file.addresses for file in card.files) else "by hand"


def get(options: argparse.Namespace) -> int:
    data = part("data")
    cards = [data.card(name) for name in options.names]  # a wrong name is told before anything is fetched
    places = {card.name: str(data.fetch(card.name)) if card.files else None for card in cards}
    if options.json:
        return print_json(places)
    for name, place in places.items():
        print(f"{name}: {place or 'built in, nothing to fetch'}")
    return 0


def verify(options: argparse.Namespace) -> int:
    data = part("data")
    asked = options.names or [name for name in data.names() if data.card(name).files and data.available(name)]
    states = {name: data.verify(data.card(name).name) for name in asked}
    wrong = any(state != "whole" for files in states.values() for state in files.values())
    if options.json:
        print_json(states)
    elif not states:
        print("no data set is here that has files to check; `cnnkit data list` shows where each comes from")
    for name, files in {} if options.json else states.items():
        print(f"{name}: {'built in, no files to check' if not files else ''}".rstrip())
        for file, state in files.items():
            print(f"  {state:<8} {file}")
    return int(wrong)


def _megabytes(card: Any) -> str:
    return "" if not card.files or card.bytes is None else f"{card.bytes / 1e6:.1f}"

"""The cards of the data sets and pretrained weights, read from `cards.toml` beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cnnkit.data.registry import DataCard, DataFile, Layout

__all__ = ["read_cards"]


def read_cards(path: Path | None = None) -> list[DataCard]:
    """Every card of a TOML file: by default those of this course.

    >>> [card.name for card in read_cards()][:2]
    ['digits', 'photographs']
    """
    path = path or Path(__file__).with_name("cards.toml")
    return [_card(row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["card"]]


def _card(row: dict[str, Any]) -> DataCard:
    layouts = tuple(_layout(form) for form in row.pop("layout", ()))
    shape = tuple(side or None for side in row.pop("shape"))
    return DataCard(shape=shape, classes=row.pop("classes") or None, layouts=layouts, **row)


def _layout(form: dict[str, Any]) -> Layout:
    files = tuple(
        DataFile(file["name"], file["sha256"], file["bytes"] or None, tuple(file.get("addresses", ())))
        for file in form.pop("files")
    )
    return Layout(files=files, **form)

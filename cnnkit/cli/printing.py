"""What a command prints: a thing by its own words, a table, or JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

__all__: list[str] = []


def plain(value: Any) -> Any:
    """Dataclasses and tuples as what JSON knows, paths and the rest by their text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return json.loads(json.dumps(value, default=str))


def say(thing: object) -> int:
    print(thing)
    return 0


def print_json(value: object) -> int:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return 0


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: set[int] = frozenset()) -> int:
    """Columns under their heads, as wide as their widest entry; those in `right` are aligned to the right."""
    table = [heads, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for row in table:
        cells = [
            entry.rjust(width) if column in right else entry.ljust(width)
            for column, (entry, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    return 0

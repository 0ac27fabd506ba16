"""The ledger: what each chapter owes its reader, and which of it the notebooks deal with."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.course.catalogue import entries, written_chapters

__all__ = ["ChapterCoverage", "coverage", "marks"]


@dataclass(frozen=True)
class ChapterCoverage:
    """What one chapter owes (`owed`), what of it is dealt with (`covered`), and whether the chapter stands.

    Chapter: orientation.
    """

    chapter: str
    stands: bool
    owed: frozenset[str]
    covered: frozenset[str]


def marks(notebook: dict[str, Any], chapter: str) -> set[str]:
    """The ledger rows that a notebook marks: in its cells' metadata, and by the claims that its cells make.

    Chapter: orientation.
    """
    claims = entries("CLAIMS", chapter) if chapter in written_chapters() else {}
    found: set[str] = set()
    for cell in notebook["cells"]:
        found |= set(cell["metadata"].get("ledger", []))
        if cell["cell_type"] == "code":
            for id in re.findall(r'\bclaim\(\s*"([^"]+)"', "".join(cell["source"])):
                found.add(id)
                if id in claims:
                    found |= set(claims[id].ledger)
    return found


def coverage(chapters: Path, ledger: Path) -> list[ChapterCoverage]:
    """One row a chapter of the plan, in the order of reading.

    Chapter: orientation.
    """
    with ledger.open(encoding="utf-8", newline="") as file:
        owed: dict[str, set[str]] = {}
        for row in csv.DictReader(file):
            owed.setdefault(row["chapter"], set()).add(row["id"])
    rows = []
    for chapter in sorted(owed):
        path = chapters / f"{chapter}.ipynb"
        stands = path.is_file()
        found = marks(json.loads(path.read_text(encoding="utf-8")), chapter) if stands else set()
        rows.append(
            ChapterCoverage(chapter, stands, frozenset(owed[chapter]), frozenset(owed[chapter] & found))
        )
    return rows

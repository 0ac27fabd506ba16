"""Coverage: which rows of the ledger the chapters that stand deal with, each in the way that its row says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit.course.catalogue import claims, in_reading_order, written_chapters
from cnnkit.course.ledger import Row, rows

__all__ = ["ChapterCoverage", "coverage", "marked_claims", "marked_told", "unsettled"]

#: The pages whose terms settle a row.
PAGES = {"glossary": "book/glossary.md", "myths": "book/myths.md"}


@dataclass(frozen=True)
class ChapterCoverage:
    """What one chapter owes (`owed`), what of it is dealt with (`covered`), and whether the chapter stands."""

    chapter: str
    stands: bool
    owed: frozenset[str]
    covered: frozenset[str]


def marked_claims(notebook: dict[str, Any], chapter: str) -> set[str]:
    """The ids that a notebook claims, and the rows that those claims settle besides (`ledger=`)."""
    known = claims(chapter) if chapter in written_chapters() else {}
    found: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            for id in re.findall(r'\bclaim\(\s*"([^"]+)"', "".join(cell["source"])):
                found |= {id, *(known[id].ledger if id in known else ())}
    return found


def marked_told(notebook: dict[str, Any]) -> set[str]:
    """The rows that a notebook tells: those in its cells' metadata, `"ledger": ["id"]`."""
    return {id for cell in notebook["cells"] for id in cell["metadata"].get("ledger", [])}


def unsettled(chapter: str, notebook: dict[str, Any], owed: Iterable[Row], root: Path) -> dict[str, str]:
    """The rows that are not settled as they say, and what each still wants."""
    claimed, told = marked_claims(notebook, chapter), marked_told(notebook)
    faults = {}
    for row in owed:
        if row.settled == "claim" and row.id not in claimed:
            faults[row.id] = "is to be claimed, and no claim of the chapter settles it"
        elif row.settled == "told" and row.id not in told:
            faults[row.id] = "is to be told, and no cell's metadata marks it"
        elif row.settled in PAGES and not _has_term(root / PAGES[row.settled], row.settled_by):
            faults[row.id] = (
                f"is to be settled by '{row.settled_by}', which {PAGES[row.settled]} does not have"
            )
        elif row.settled == "test" and not _has_test(root, row.settled_by):
            faults[row.id] = f"is to be settled by '{row.settled_by}', and there is no such test"
        elif row.settled not in ("claim", "told", "test", *PAGES):
            faults[row.id] = f"does not say how it is settled (settled={row.settled!r})"
    return faults


def coverage(chapters: Path, ledger: Path) -> list[ChapterCoverage]:
    """One row a chapter of the plan: those of the contents in the order of reading, then those to come, in the ledger's.

    Args:
        chapters: the folder of the notebooks; glossary and tests are looked for beside it.
        ledger: the file of the ledger.
    """
    owed: dict[str, list[Row]] = {}
    for row in rows(ledger).values():
        owed.setdefault(row.chapter, []).append(row)
    found = []
    for chapter in in_reading_order(owed):
        path, ids = chapters / f"{chapter}.ipynb", frozenset(row.id for row in owed[chapter])
        covered: frozenset[str] = frozenset()
        if path.is_file():
            notebook = json.loads(path.read_text(encoding="utf-8"))
            covered = ids - set(unsettled(chapter, notebook, owed[chapter], chapters.parent))
        found.append(ChapterCoverage(chapter, path.is_file(), ids, covered))
    return found


def _has_term(page: Path, term: str) -> bool:
    """Whether a page has an anchor of this name, or a heading or a term of a definition list that begins with these words."""
    if not term or not page.is_file():
        return False
    text, term = page.read_text(encoding="utf-8"), re.escape(term)
    return bool(re.search(rf"^(\({term}\)=$|(#+ )?{term}(?!\w))", text, re.MULTILINE))


def _has_test(root: Path, address: str) -> bool:
    """Whether there is a test of this address: `tests/layers/test_pooling.py::test_of_this_name`."""
    file, _, name = address.partition("::")
    path = root / file
    return bool(name) and path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")

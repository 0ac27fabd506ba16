"""The ledger: what the book owes its reader, chapter by chapter, and how each row is settled."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from cnnkit._paths import resource

__all__ = ["SETTLED", "Row", "rows", "wording"]

#: How a row is settled: by a claim, told in a sentence with its source, by an entry of the glossary or of the
#: Myths page, or by a test.  The last three say which one in the column `settled_by`: a term or a heading, of the Myths
#: page also an anchor, which is the row's own id.
SETTLED = ("claim", "told", "glossary", "myths", "test")

#: What the column `checked` says where `checked_statement` is what the book may say.
CHECKED = ("confirmed", "corrected")


@dataclass(frozen=True)
class Row:
    """One topic, system or claim: where it belongs, what it says, how it is settled (empty: not yet) and by what."""

    id: str
    chapter: str
    statement: str
    settled: str = ""
    settled_by: str = ""


def rows(file: Path | None = None) -> dict[str, Row]:
    """The rows by their ids; where one was checked, its statement is what the book may say."""
    with (file or resource("ledger.csv")).open(encoding="utf-8", newline="") as opened:
        return {
            row["id"]: Row(
                row["id"],
                row["chapter"],
                row["checked_statement"] if row.get("checked") in CHECKED else row.get("claim", ""),
                row.get("settled", ""),
                row.get("settled_by", ""),
            )
            for row in csv.DictReader(opened)
        }


def wording(id: str) -> str:
    """What the ledger says in the row of this id, for a claim that says no more."""
    found = rows()
    if id not in found:
        raise LookupError(
            f"claim '{id}' has no statement, and the ledger has no row '{id}' to take one from: write one"
        )
    return found[id].statement

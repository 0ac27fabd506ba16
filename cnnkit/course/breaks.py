"""Breaks: each takes the cause of a claim away, and then the claim must fail; one that holds all the same is empty.

A chapter's sidecar lists them beside its claims:

    BREAKS = {"relu-leads-tanh": Break("both arms are tanh", old='"relu", over="tanh"', new='"tanh", over="tanh"')}

`make breaks` runs each in a kernel of its own and records what happened, with a digest of the cells that ran.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cnnkit import _paths
from cnnkit._names import needed, unknown
from cnnkit.course import catalogue

__all__ = ["Break", "BreakError", "Record", "broken", "digest", "main", "recorded", "unproven"]

#: Set while a break runs: the id of the one claim that counts, so that others which the break upsets stay silent.
TRIED = "CNNKIT_BREAK"
_CODE = dict[str, Any]


class BreakError(ValueError):
    """A break that cannot be made: its text is not in the chapter, or stands there twice."""


@dataclass(frozen=True)
class Break:
    """One replacement in a chapter's code under which a claim must fail.

    Args:
        when: completes "fails when ...", for readers.
        old: a piece of the chapter's code that stands there once, in the claim's cell or before it.
        new: what stands there instead.
    """

    when: str
    old: str
    new: str


@dataclass(frozen=True)
class Record:
    """What happened when a break was run."""

    chapter: str
    claim: str
    when: str
    digest: str
    outcome: str
    message: str
    seconds: float


FAILED = "failed"


def broken(notebook: _CODE, claim: str, change: Break) -> list[str]:
    """The code cells up to the claim's own, with the replacement made.

    Raises:
        BreakError: where the claim is not made, or the text to be replaced does not stand there exactly once.
    """
    cells = _cells(notebook, claim)
    places = [number for number, cell in enumerate(cells) for _ in re.finditer(re.escape(change.old), cell)]
    if len(places) != 1:
        found = (
            "nowhere" if not places else f"{len(places)} times, in code cells {', '.join(map(str, places))}"
        )
        raise BreakError(
            f"the break of '{claim}' replaces {change.old!r}, which stands {found} up to the claim's cell; it must stand "
            "there once: " + ("copy it from the cell" if not places else "take more of the line along")
        )
    return [cell.replace(change.old, change.new) for cell in cells]


def digest(notebook: _CODE, claim: str, change: Break) -> str:
    """Twelve letters that change when the break, or a cell that it runs, does."""
    told = "\n\n".join([*_cells(notebook, claim), change.old, change.new])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def breaks(chapter: str) -> dict[str, Break]:
    """The breaks of a chapter, by the ids of their claims."""
    return dict(getattr(catalogue.chapter_module(chapter), "BREAKS", {}))


def recorded(file: Path | None = None) -> dict[tuple[str, str], Record]:
    """What the record says, by chapter and claim."""
    file = file or _file()
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [Record(**{**row, "seconds": float(row["seconds"])}) for row in csv.DictReader(opened)]
    return {(row.chapter, row.claim): row for row in rows}


def unproven(chapter: str, notebook: _CODE, record: dict[tuple[str, str], Record]) -> list[str]:
    """Why the claims of a chapter are not known to be able to fail: one sentence for each, none when all are.

    A claim that bounds what was measured needs a break; every break must have been run on today's cells, and have failed.
    """
    own, faults = breaks(chapter), []
    for claim in sorted(_bounded(notebook) - set(own)):
        faults.append(
            f"'{claim}' has no break: add one to BREAKS of chapters/{chapter}, with what takes its cause away"
        )
    for claim, change in own.items():
        try:
            broken(notebook, claim, change)
        except BreakError as error:
            faults.append(str(error))
            continue
        row = record.get((chapter, claim))
        if row is None or row.digest != digest(notebook, claim, change):
            why = "was never run" if row is None else "was run on other cells than today's"
            faults.append(f"the break of '{claim}' {why}: make breaks CHAPTERS={chapter}")
        elif row.outcome != FAILED:
            faults.append(f"'{claim}' does not fail when {change.when}: {row.outcome} ({row.message})")
    return faults


def run(chapter: str, claim: str, notebook: _CODE | None = None) -> Record:
    """Run one break in a kernel of its own."""
    nbclient, nbformat = needed("nbclient", "course"), needed("nbformat", "course")
    folder = (_paths.chapters() / chapter).parent
    notebook = notebook or _read(chapter)
    change = breaks(chapter)[claim]
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in broken(notebook, claim, change)]
    )
    os.environ[TRIED] = claim
    start = time.perf_counter()
    outcome, message = "held", ""
    try:
        nbclient.NotebookClient(
            made, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    except nbclient.exceptions.CellExecutionError as error:
        message = f"{error.ename}: {error.evalue}".splitlines()[0]
        own = error.ename == "ClaimFailed" and f"claim '{claim}'" in error.evalue
        outcome = FAILED if own or error.ename == "NoVerdict" else "another error"
    finally:
        del os.environ[TRIED]
    seconds = round(time.perf_counter() - start, 1)
    return Record(
        chapter, claim, change.when, digest(notebook, claim, change), outcome, message[:300], seconds
    )


def main(arguments: list[str] | None = None) -> int:
    """`python -m cnnkit.course.breaks [CHAPTER ...]`: run the breaks of these chapters, or of all that have some."""
    parser = argparse.ArgumentParser(prog="make breaks CHAPTERS=...", description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="such as layers/pooling; all that have breaks by default")
    parser.add_argument("--jobs", type=int, default=2, help="kernels at a time (2)")
    parser.add_argument(
        "--stale", action="store_true", help="only those whose record is not of today's cells"
    )
    options = parser.parse_args(arguments)
    known = catalogue.written_chapters()
    for chapter in options.chapters:
        if chapter not in known:
            print(unknown("chapter", chapter, known), file=sys.stderr)
            return 2
    record = recorded()
    try:
        for chapter in options.chapters or known:
            for claim, change in breaks(chapter).items():
                broken(_read(chapter), claim, change)
    except BreakError as error:
        print(f"{chapter}: {error}", file=sys.stderr)
        return 2
    tasks = [
        (chapter, claim)
        for chapter in options.chapters or known
        for claim, change in breaks(chapter).items()
        if not options.stale
        or (row := record.get((chapter, claim))) is None
        or row.digest != digest(_read(chapter), claim, change)
    ]
    if not tasks:
        print("no breaks to run")
        return 0
    wrong = 0
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        work = {pool.submit(run, *task): task for task in tasks}
        for done in as_completed(work):
            row = done.result()
            record[work[done]] = row
            _write(record.values())
            wrong += row.outcome != FAILED
            sign = "✓" if row.outcome == FAILED else "✗"
            print(
                f"{sign} {row.chapter} {row.claim} ({row.seconds:.0f} s): {row.outcome} when {row.when}. {row.message}"
            )
    print(f"{len(tasks)} breaks, {len(tasks) - wrong} failed as they should")
    return 1 if wrong else 0


def _cells(notebook: _CODE, claim: str) -> list[str]:
    """The code cells up to the one that makes the claim, without magics."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, source in enumerate(sources):
        if re.search(rf'\bclaim\(\s*"{re.escape(claim)}"', source):
            return sources[: number + 1]
    raise BreakError(f"the chapter makes no claim '{claim}', so there is nothing to break")


def _bounded(notebook: _CODE) -> set[str]:
    """The claims that a bound of our own holds: experiments."""
    found = set()
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            finding = output.get("metadata", {}).get("cnnkit-claim", {})
            if finding.get("rule", "").startswith(("at least", "at most")):
                found.add(finding["id"])
    return found


def _read(chapter: str) -> _CODE:
    return json.loads((_paths.chapters() / f"{chapter}.ipynb").read_text(encoding="utf-8"))


def _file() -> Path:
    return _paths.resource("results") / "breaks.csv"


def _write(rows: Iterable[Record]) -> None:
    order = catalogue.in_reading_order({row.chapter for row in rows})
    beside = _file().with_suffix(".part")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Record)], lineterminator="\n")
        writer.writeheader()
        for row in sorted(rows, key=lambda row: (order.index(row.chapter), row.claim)):
            writer.writerow(asdict(row))
    beside.replace(_file())


if __name__ == "__main__":
    sys.exit(main())

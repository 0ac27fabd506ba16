"""Breaks: each takes the cause of a claim away, and then the claim must fail; one that holds all the same is empty.

A chapter's sidecar lists them beside its claims:

    BREAKS = {"relu-leads-tanh": Break("both arms are tanh", old='"relu", over="tanh"', new='"tanh", over="tanh"')}

`make breaks` runs each in a kernel of its own and writes what happened to data/results/breaks.csv, with a digest of the cells
that ran.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cnnkit import _paths
from cnnkit._names import needed, unknown
from cnnkit.course import catalogue

__all__ = [
    "Break",
    "BreakError",
    "Record",
    "broken",
    "digest",
    "main",
    "recorded",
    "seen_to_fail",
    "unproven",
]

#: Set while a break runs: the id of the one claim that counts, so that others which the break upsets stay silent.
TRIED = "CNNKIT_BREAK"
_CODE = dict[str, Any]


class BreakError(ValueError):
    """A break that cannot be made, or a record that cannot be read or written: a sentence with its remedy."""


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
        BreakError: where the claim is not made, the text to be replaced does not stand there exactly once, or nothing
            changes.
    """
    if change.old == change.new:
        raise BreakError(
            f"the break of '{claim}' replaces {change.old!r} by itself: let new= take the cause away"
        )
    if not change.when.strip():
        raise BreakError(
            f"the break of '{claim}' does not say when= the claim fails, such as 'the labels are shuffled'"
        )
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
    rows = []
    with file.open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            try:
                rows.append(Record(**{**row, "seconds": float(row["seconds"])}))
            except (TypeError, ValueError, KeyError):
                raise BreakError(
                    f"{file} holds a row that cannot be read, of '{row.get('chapter')}' and '{row.get('claim')}': delete "
                    "it, and make breaks again"
                ) from None
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


def seen_to_fail(chapter: str, notebook: _CODE, record: dict[tuple[str, str], Record]) -> set[str]:
    """The claims of a chapter that failed on today's cells when their break took the cause away."""
    found = set()
    for claim, change in breaks(chapter).items():
        row = record.get((chapter, claim))
        with contextlib.suppress(BreakError):
            if row and row.outcome == FAILED and row.digest == digest(notebook, claim, change):
                found.add(claim)
    return found


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
    except (nbclient.exceptions.CellTimeoutError, nbclient.exceptions.DeadKernelError) as error:
        outcome, message = "another error", f"{type(error).__name__}: {error}".splitlines()[0]
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
        if not breaks(chapter):
            print(f"chapter '{chapter}' has no breaks: list them as BREAKS in its sidecar", file=sys.stderr)
            return 2
    chapter = ""
    try:
        record = recorded()
        for chapter in options.chapters or known:
            for claim, change in breaks(chapter).items():
                broken(_read(chapter), claim, change)
    except BreakError as error:
        print(f"{chapter}: {error}".removeprefix(": "), file=sys.stderr)
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
        try:
            work = {pool.submit(run, *task): task for task in tasks}
            for done in as_completed(work):
                row = done.result()
                _keep(row)
                wrong += row.outcome != FAILED
                sign = "✓" if row.outcome == FAILED else "✗"
                print(
                    f"{sign} {row.chapter} {row.claim} ({row.seconds:.0f} s): {row.outcome} when {row.when}. {row.message}",
                    flush=True,
                )
        except BreakError as error:
            pool.shutdown(cancel_futures=True)
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print(f"stopped; what was run is kept in {_file()}; --stale goes on from there", file=sys.stderr)
            return 130
    print(f"{len(tasks)} breaks, {len(tasks) - wrong} failed as they should")
    return 1 if wrong else 0


def _cells(notebook: _CODE, claim: str) -> list[str]:
    """The code cells up to the one that makes the claim, without magics."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, source in enumerate(sources):
        if re.search(rf'\bclaim\(\s*"{re.escape(claim)}"', source):
            return sources[: number + 1]
    made = re.findall(r'\bclaim\(\s*"([^"]+)"', "\n".join(sources))
    near = unknown("claim", claim, made).partition("; ")[2]
    raise BreakError(f"the chapter makes no claim '{claim}', so there is nothing to break; {near}")


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


def _keep(row: Record) -> None:
    """Add a row to the record, which is read again first: another process may have added its own."""
    known = {**recorded(), (row.chapter, row.claim): row}
    order = catalogue.in_reading_order({chapter for chapter, _ in known})
    beside = _file().with_suffix(f".part{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Record)], lineterminator="\n")
            writer.writeheader()
            for one in sorted(known.values(), key=lambda one: (order.index(one.chapter), one.claim)):
                writer.writerow(asdict(one))
        beside.replace(_file())
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise BreakError(
            f"the break of '{row.claim}' could not be recorded in {_file()} ({error.strerror or error}); the record is as it "
            "was: make room, and make breaks again"
        ) from error


if __name__ == "__main__":
    sys.exit(main())

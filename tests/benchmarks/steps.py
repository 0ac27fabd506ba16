"""Show where the time of an integration run went: each step beside its budget, then the slowest notebooks and tests.

    python3 tests/benchmarks/steps.py _build/times

The folder holds `steps.txt`, a line `name verdict seconds` for each step, and what pytest wrote of the steps that test,
`NAME.xml`. A step over its budget is said loudly; it does not fail. Needs no more than Python.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

#: Seconds on two cores. All the steps together are to stay under EVERYTHING.
BUDGETS = {"unit": 360, "notebooks": 960, "html": 90, "browser": 360, "test-backends": 900}
EVERYTHING = 3000
NOTEBOOK = 60
SHOWN = 5


def table(steps: list[tuple[str, str, float]]) -> list[str]:
    """A line for each step and for all: what came of it, how long it took, how long it may take."""
    total = ("everything", "", sum(seconds for *_, seconds in steps))
    lines, over = [f"{'step':<16}{'verdict':<9}{'took':>8}{'budget':>8}"], []
    for name, verdict, seconds in [*steps, total]:
        budget = EVERYTHING if name == "everything" else BUDGETS.get(name)
        allowed = "-" if budget is None else f"{budget} s"
        lines.append(f"{name:<16}{verdict:<9}{f'{seconds:.0f} s':>8}{allowed:>8}")
        if budget is not None and seconds > budget:
            over.append(f"OVER BUDGET: {name} took {seconds:.0f} s and may take {budget} s")
    return lines + over


def tests(report: Path) -> dict[str, float]:
    """Each test of a report by pytest and its seconds; the cells of a notebook are one."""
    found: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):
        place = case.get("classname", "")
        name = place if place.endswith(".ipynb") else f"{place}::{case.get('name')}"
        found[name] += float(case.get("time", 0))
    return dict(found)


def slowest(report: Path) -> list[str]:
    """The longest tests of a report, the longest first; a notebook that is over its budget is said loudly."""
    order = sorted(tests(report).items(), key=lambda item: -item[1])[:SHOWN]
    loud = " OVER BUDGET"
    return [
        f"{seconds:7.1f} s  {name}{loud if name.endswith('.ipynb') and seconds > NOTEBOOK else ''}"
        for name, seconds in order
    ]


def main(folder: Path) -> None:
    """Print the table, and the slowest of each step that tests."""
    rows = [line.split() for line in (folder / "steps.txt").read_text("utf-8").splitlines()]
    print(*table([(name, verdict, float(seconds)) for name, verdict, seconds in rows]), sep="\n")
    for report in sorted(folder.glob("*.xml")):
        print(f"\nslowest of {report.stem}", *slowest(report), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

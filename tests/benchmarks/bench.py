"""Measure what the budgets bound, print it, and keep it in `data/results/bench-<n>-cores.csv`.

    make bench                                        everything, some minutes
    .venv/bin/python -m tests.benchmarks.bench import pages    only these

Groups: import, summary, notebooks, book, pages. The groups that are not run keep the rows that they have.
The exit status is 1 when a bound is broken.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cnnkit.course import catalogue
from tests.benchmarks import steps
from tests.layering import ROOT

PACKAGES = ("numpy", "keras", "tensorflow-cpu", "tensorflow", "jupyter-book", "sphinx", "nbval")
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Row:
    """One measurement: what, how much, the bound if there is one, how it was taken and on what."""

    group: str
    what: str
    value: float
    unit: str
    bound: float | None
    how: str
    machine: str = ""
    versions: str = ""

    @property
    def holds(self) -> bool:
        return self.bound is None or self.value <= self.bound


def cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """The processor by its own name, with the number of cores."""
    name = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", described.read_text(), re.MULTILINE)
        name = found[1] if found else name
    return f"{name}, {cores()} cores, Python {platform.python_version()}"


def versions() -> str:
    """The installed versions of what the measurements depend on."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def seconds(command: list[str]) -> float:
    """Wall seconds of a command; its output is shown only when it fails."""
    start = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, env=QUIET, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{run.stdout[-3000:]}\n{run.stderr[-3000:]}")
    return time.perf_counter() - start


def measured_by(code: str) -> float:
    """The number that a fresh interpreter prints last."""
    run = subprocess.run([sys.executable, "-c", code], env=QUIET, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def importing() -> Iterator[Row]:
    """What `import cnnkit` costs a program that has NumPy already."""
    code = "import numpy, time; t = time.perf_counter(); import cnnkit; print(time.perf_counter() - t)"
    runs = [measured_by(code) for _ in range(5)]
    yield Row("import", "import cnnkit beyond NumPy", round(min(runs), 4), "s", 0.1, "least of 5 processes")
    code = code.replace("numpy", "keras").replace("import cnnkit", "from cnnkit import insight, models")
    runs = [measured_by(code) for _ in range(3)]
    yield Row(
        "import", "models and insight beyond Keras", round(min(runs), 3), "s", None, "least of 3 processes"
    )


def summary() -> Iterator[Row]:
    """What it costs to count every layer of a deep net, once warm and once as a user meets it first."""
    code = (
        "import time, keras; from cnnkit import insight; model = keras.applications.ResNet50(weights=None)\n"
        "times = []\n"
        "for _ in range({n}):\n"
        "    t = time.perf_counter(); str(insight.summary(model)); times.append(time.perf_counter() - t)\n"
        "print(min(times))"
    )
    for n, how in ((1, "first call of a process"), (5, "least of 5 calls")):
        value = measured_by(code.format(n=n))
        yield Row(
            "summary", f"insight.summary(ResNet50), {how}", round(value, 3), "s", 2.0, "model built before"
        )


def notebooks() -> Iterator[Row]:
    """Every notebook under nbval, one at a time, the start of its kernel included; then all, two at a time."""
    alone = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-q"]
    times = []
    for path in chapters():
        times.append(seconds([*alone, str(path)]))
        name = path.relative_to(ROOT).as_posix()
        yield Row("notebooks", name, round(times[-1], 1), "s", steps.NOTEBOOK, "nbval, alone")
    yield Row("notebooks", "the median notebook", round(statistics.median(times), 1), "s", 25, "of the above")
    together = round(seconds(["make", "notebooks"]), 1)
    allowed = steps.BUDGETS["notebooks"]
    yield Row("notebooks", "all notebooks, two at a time", together, "s", allowed, "make notebooks")
    for path in chapters():
        size = path.stat().st_size / 1e6
        yield Row(
            "notebooks", f"{path.relative_to(ROOT).as_posix()}, file", round(size, 3), "MB", 1.5, "on disk"
        )


def book() -> Iterator[Row]:
    """The command of the README after the first time: the environment stands, every page is built."""
    seconds(["make", "book"])
    again = round(seconds(["make", "--what-if=_config.yml", "book"]), 1)
    yield Row("book", "make book, warm", again, "s", steps.BUDGETS["html"], "second run in a row, all pages")


def pages() -> Iterator[Row]:
    """The weight of each page of the built book: its own HTML, without the pictures written into it."""
    built = ROOT / "_build" / "html"
    if not (built / "index.html").exists():
        sys.exit("there is no built book to weigh; run: make book")
    for path in sorted(built.rglob("*.html")):
        if "_static" not in path.parts:
            weight = own_weight(path.read_text("utf-8")) / 1e3
            name = path.relative_to(built).as_posix()
            yield Row("pages", name, round(weight, 1), "kB", 600, "HTML without pictures, not compressed")


def own_weight(page: str) -> int:
    """Bytes of a page without the pictures inside it: data addresses of images and drawings in SVG."""
    page = re.sub(r"data:image/[\w.+-]+(;[\w=-]+)*,[^\"'\s)&]*", "", page)
    return len(re.sub(r"<svg\b.*?</svg>", "", page, flags=re.DOTALL).encode())


def chapters() -> list[Path]:
    """The notebooks in reading order."""
    return [ROOT / "chapters" / f"{name}.ipynb" for name in catalogue.reading_order()]


GROUPS: dict[str, Callable[[], Iterator[Row]]] = {
    "import": importing,
    "summary": summary,
    "notebooks": notebooks,
    "book": book,
    "pages": pages,
}


def kept(path: Path, anew: set[str]) -> list[Row]:
    """The rows of an earlier run, but for the groups that are measured again."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["group"] not in anew]
    return [
        Row(**{**row, "value": float(row["value"]), "bound": float(row["bound"]) if row["bound"] else None})
        for row in rows
    ]


def write(path: Path, rows: list[Row]) -> None:
    """The table, in the order of the groups."""
    order = list(GROUPS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(row) for row in sorted(rows, key=lambda row: order.index(row.group)))


def main(arguments: list[str] | None = None) -> int:
    """Measure the groups asked for, print each line as it comes, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"some of {', '.join(GROUPS)}; all by default"
    )
    groups = parser.parse_args(arguments).groups or list(GROUPS)
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        parser.error(f"no group is called {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    rows = []
    for group in groups:
        for row in GROUPS[group]():
            bound = "" if row.bound is None else f"  (at most {row.bound:g})"
            print(
                f"{'ok  ' if row.holds else 'OVER'}  {row.what:<58} {row.value:>9g} {row.unit:<3}{bound}",
                flush=True,
            )
            rows.append(Row(**{**asdict(row), "machine": machine(), "versions": versions()}))
    path = ROOT / "data" / "results" / f"bench-{cores()}-cores.csv"
    write(path, kept(path, set(groups)) + rows)
    print(f"written to {path.relative_to(ROOT)}")
    return int(not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())

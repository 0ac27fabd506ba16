"""Checks of a notebook as text. Each takes the notebook and its chapter and returns one sentence for each fault."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import cnnkit
from cnnkit.course.catalogue import claims, exercises, in_reading_order
from cnnkit.course.coverage import marked_claims, marked_told, unsettled
from cnnkit.course.ledger import Row, rows

ROOT = Path(__file__).parents[2]
CHAPTERS = ROOT / "chapters"
Notebook = dict[str, Any]

SETUP = """try:
    import cnnkit
except ImportError:  # on Colab: the release of this page; NumPy, Keras and TensorFlow stay as they are
    %pip install -q "cnnkit[course] @ git+{repository}@v{version}"
from cnnkit.course import check, claim, exercise, figure, hint, live, setup, solution, source

setup("{chapter}")"""

CARD = ("You will be able to", "Extends", "Time", "Data")
MOST_BYTES = 1_500_000
MOST_LINES = 30


def all_chapters() -> list[str]:
    paths = [p for p in sorted(CHAPTERS.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]
    return in_reading_order(p.relative_to(CHAPTERS).with_suffix("").as_posix() for p in paths)


def read(chapter: str) -> Notebook:
    return json.loads((CHAPTERS / f"{chapter}.ipynb").read_text(encoding="utf-8"))


@functools.cache
def repository() -> str:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


@functools.cache
def ledger() -> dict[str, Row]:
    return rows(ROOT / "data/ledger.csv")


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def code_cells(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook: Notebook) -> list[str]:
    return [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def calls(notebook: Notebook, name: str) -> list[str]:
    """The ids that the notebook hands to `claim`, `exercise`, `check` or `live`, in order."""
    pattern = re.compile(rf'(?<![\w.]){name}\(\s*"([^"]+)"')
    return [id for cell in code_cells(notebook) for id in pattern.findall(text(cell))]


def tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


def prints(cell: dict[str, Any]) -> bool:
    """Whether nbval can compare something that this cell shows."""
    return any(
        o["output_type"] == "stream" or "image/png" not in o.get("data", {"image/png": 0})
        for o in cell["outputs"]
    )


def ran_through(notebook: Notebook, chapter: str) -> list[str]:
    faults = []
    for number, cell in enumerate(code_cells(notebook)):
        if cell["execution_count"] is None:
            faults.append(f"code cell {number} was not run")
        if any(o["output_type"] == "error" for o in cell["outputs"]):
            faults.append(f"code cell {number} shows an error")
        if not cell["outputs"] and re.search(
            r"^(claim|figure|exercise|check|live|source)\(", text(cell), re.M
        ):
            faults.append(f"code cell {number} has lost its outputs")
    return faults


def begins_as_all_chapters_do(notebook: Notebook, chapter: str) -> list[str]:
    faults, first, second = [], notebook["cells"][0], notebook["cells"][1]
    if first["cell_type"] != "markdown" or not text(first).startswith("# "):
        return ["the first cell is not the title"]
    faults += [f"the card has no row '{row}'" for row in CARD if f"| **{row}** |" not in text(first)]
    if text(second).strip() != SETUP.format(
        repository=repository(), version=cnnkit.__version__, chapter=chapter
    ):
        faults.append("the second cell is not the setup cell that all chapters share")
    if "nbval-ignore-output" not in tags(second):
        faults.append("the setup cell's output is compared, though it names versions")
    headings = [line for part in prose(notebook) for line in _outside_code(part) if line.startswith("# ")]
    if len(headings) != 1:
        faults.append(f"{len(headings)} headings of the first level instead of one")
    if not any(
        "image/png" in o.get("data", {}) for cell in code_cells(notebook)[:4] for o in cell["outputs"]
    ):
        faults.append("no picture within the first three cells after the setup")
    return faults


def has_every_section(notebook: Notebook, chapter: str) -> list[str]:
    whole = "\n".join(prose(notebook))
    faults = [f"no section '{name}'" for name in ("## Exercises", "## What we added") if name not in whole]
    words = sum(len(part.split()) for part in prose(notebook))
    if not 1_100 <= words <= 2_200:
        faults.append(f"{words} words of prose")
    if len(notebook["cells"]) > 45:
        faults.append(f"{len(notebook['cells'])} cells")
    if len(set(calls(notebook, "claim"))) < 5:
        faults.append("fewer than five claims")
    if len(set(calls(notebook, "exercise"))) < 4:
        faults.append("fewer than four exercises")
    return faults


def reads_anywhere(notebook: Notebook, chapter: str) -> list[str]:
    faults = []
    for part in prose(notebook):
        outside = "\n".join(_outside_code(part))
        if re.search(r"^(:::+|```+|~~~+)\{", part, re.M) or re.search(r"\{[a-z:]+\}`[^`]+`", part):
            faults.append(f"a MyST directive or role, which Colab shows raw: {part[:60]!r}")
        if html := re.search(
            r"<(?!/?(details|summary|sub|sup|br)\b|https?:)/?[a-zA-Z][^>\n]*>",
            re.sub(r"`[^`]*`|\$[^$]*\$", "", outside),
        ):
            faults.append(f"HTML in the text: {html[0]}")
    if any("sys.path" in text(cell) for cell in code_cells(notebook)):
        faults.append("a cell imports from beside the notebook, where Colab has nothing: trials.script(...)")
    return faults


def keeps_cells_short(notebook: Notebook, chapter: str) -> list[str]:
    return [
        f"code cell {number} has {len(text(cell).splitlines())} lines"
        for number, cell in enumerate(code_cells(notebook))
        if len(text(cell).splitlines()) > MOST_LINES
    ]


def says_what_figures_show(notebook: Notebook, chapter: str) -> list[str]:
    faults, cells = [], code_cells(notebook)
    for number, cell in enumerate(cells):
        images = [o for o in cell["outputs"] if "image/png" in o.get("data", {})]
        if len(images) > 1:
            faults.append(f"code cell {number} shows {len(images)} figures; one idea, one cell")
        for image in images:
            if len(image["metadata"].get("image/png", {}).get("alt", "").split()) < 5:
                faults.append(f"the figure of code cell {number} has no alt text")
        if images and not any(prints(near) for near in cells[max(0, number - 1) : number + 2]):
            faults.append(f"no printed fact stands beside the figure of code cell {number}")
    return faults


def stays_small(notebook: Notebook, chapter: str) -> list[str]:
    size = len(json.dumps(notebook))
    return [f"{size:,} bytes"] if size > MOST_BYTES else []


def links_to_what_exists(notebook: Notebook, chapter: str) -> list[str]:
    folder = (CHAPTERS / chapter).parent
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", "\n".join(prose(notebook)))
    return [f"broken link {link}" for link in links if "://" not in link and not (folder / link).exists()]


def marks_what_it_owes(notebook: Notebook, chapter: str) -> list[str]:
    marked = marked_claims(notebook, chapter) | marked_told(notebook)
    unknown = sorted(marked - set(ledger()) - set(claims(chapter)))
    owed = [row for row in ledger().values() if row.chapter == chapter]
    faults = unsettled(chapter, notebook, owed, ROOT)
    return [f"marks '{id}', which the ledger does not have" for id in unknown] + [
        f"owes '{id}', which {want}" for id, want in sorted(faults.items())
    ]


def uses_its_claims_and_exercises(notebook: Notebook, chapter: str) -> list[str]:
    faults = []
    for verb, defined in (("claim", claims), ("exercise", exercises), ("check", exercises)):
        used, known = set(calls(notebook, verb)), set(defined(chapter))
        faults += [f"never calls {verb}('{id}')" for id in sorted(known - used)]
        faults += [f"calls {verb}('{id}'), which the chapter does not define" for id in sorted(used - known)]
    return faults


def lets_nbval_compare(notebook: Notebook, chapter: str) -> list[str]:
    cells = code_cells(notebook)
    ignored = sum("nbval-ignore-output" in tags(cell) for cell in cells)
    faults = [f"{ignored} of {len(cells)} code cells are not compared"] if ignored > len(cells) / 2 else []
    faults += [
        "a cell that nbval skips"
        for cell in cells
        if any(t in ("nbval-skip", "nbval-raises-exception", "raises-exception") for t in tags(cell))
    ]
    return faults


CHECKS: tuple[Callable[[Notebook, str], list[str]], ...] = (
    ran_through,
    begins_as_all_chapters_do,
    has_every_section,
    reads_anywhere,
    keeps_cells_short,
    says_what_figures_show,
    stays_small,
    links_to_what_exists,
    marks_what_it_owes,
    uses_its_claims_and_exercises,
    lets_nbval_compare,
)


def _outside_code(part: str) -> list[str]:
    lines, fenced = [], False
    for line in part.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return lines

"""Every chapter keeps to the anatomy that its readers rely on, and each check of it sees the fault it is for."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from tests.course import notebooks as nb

EXEMPLAR = "layers/convolution"


@pytest.mark.parametrize("check", nb.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("chapter", nb.all_chapters())
def test_chapter(chapter: str, check: Callable[[nb.Notebook, str], list[str]]) -> None:
    assert check(nb.read(chapter), chapter) == []


def test_the_table_of_contents_lists_every_chapter() -> None:
    toc = (nb.ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert [c for c in nb.all_chapters() if f"chapters/{c}\n" not in toc + "\n"] == []


def first(cells: list[dict], wanted: Callable[[dict], bool]) -> dict:
    return next(cell for cell in cells if wanted(cell))


def code(notebook: nb.Notebook) -> list[dict]:
    return nb.code_cells(notebook)


def has_image(cell: dict) -> bool:
    return any("image/png" in o.get("data", {}) for o in cell["outputs"])


def image_of(notebook: nb.Notebook) -> dict:
    cell = first(code(notebook), has_image)
    return next(o for o in cell["outputs"] if "image/png" in o.get("data", {}))


def add_prose(notebook: nb.Notebook, words: str) -> None:
    notebook["cells"][3:3] = [{"cell_type": "markdown", "metadata": {}, "source": words}]


def drop_claims(notebook: nb.Notebook) -> None:
    for cell in code(notebook):
        cell["source"] = nb.text(cell).replace("claim(", "print(")


def drop_facts(notebook: nb.Notebook) -> None:
    for cell in code(notebook):
        cell["outputs"] = [o for o in cell["outputs"] if "image/png" in o.get("data", {})]


def drop_marks(notebook: nb.Notebook) -> None:
    drop_claims(notebook)  # a claim marks its own row, and others by its catalogue entry
    for cell in notebook["cells"]:
        cell["metadata"].pop("ledger", None)


FAULTS: list[tuple[str, Callable[[nb.Notebook, str], list[str]], Callable[[nb.Notebook], object]]] = [
    ("a cell not run", nb.ran_through, lambda n: code(n)[3].update(execution_count=None)),
    ("an error output", nb.ran_through, lambda n: code(n)[3]["outputs"].append({"output_type": "error"})),
    ("outputs lost", nb.ran_through, lambda n: [c.update(outputs=[]) for c in code(n)]),
    ("no title", nb.begins_as_all_chapters_do, lambda n: n["cells"][0].update(source="Hello")),
    ("no card row", nb.begins_as_all_chapters_do, lambda n: n["cells"][0].update(source="# T\n\n| **Time** | 1 s |")),
    ("another setup", nb.begins_as_all_chapters_do, lambda n: n["cells"][1].update(source="import cnnkit")),
    ("setup compared", nb.begins_as_all_chapters_do, lambda n: n["cells"][1]["metadata"].update(tags=[])),
    ("two titles", nb.begins_as_all_chapters_do, lambda n: add_prose(n, "# Another title")),
    ("late picture", nb.begins_as_all_chapters_do, lambda n: [c.update(outputs=[]) for c in code(n)[:5]]),
    ("no exercises", nb.has_every_section, lambda n: [c.update(source="") for c in n["cells"] if "## Exercises" in nb.text(c)]),
    ("no claims", nb.has_every_section, drop_claims),
    ("too many words", nb.has_every_section, lambda n: add_prose(n, "word " * 2200)),
    ("too many cells", nb.has_every_section, lambda n: [add_prose(n, "word") for _ in range(45)]),
    ("a directive", nb.reads_anywhere, lambda n: add_prose(n, "```{note}\nhello\n```")),
    ("a role", nb.reads_anywhere, lambda n: add_prose(n, "see {doc}`there`")),
    ("raw HTML", nb.reads_anywhere, lambda n: add_prose(n, 'a <img src="x.png"> picture')),
    ("a neighbour imported", nb.reads_anywhere, lambda n: code(n)[2].update(source="sys.path.insert(0, '.')")),
    ("a long cell", nb.keeps_cells_short, lambda n: code(n)[2].update(source="x = 1\n" * 31)),
    ("no alt text", nb.says_what_figures_show, lambda n: image_of(n)["metadata"].clear()),
    ("no facts", nb.says_what_figures_show, drop_facts),
    ("two figures", nb.says_what_figures_show, lambda n: first(code(n), has_image)["outputs"].append(copy.deepcopy(image_of(n)))),
    ("too large", nb.stays_small, lambda n: add_prose(n, "x" * nb.MOST_BYTES)),
    ("a broken link", nb.links_to_what_exists, lambda n: add_prose(n, "[there](nowhere.ipynb)")),
    ("marks dropped", nb.marks_what_it_owes, drop_marks),
    ("an unknown mark", nb.marks_what_it_owes, lambda n: n["cells"][0]["metadata"].update(ledger=["no-such-row"])),
    ("a claim not made", nb.uses_its_claims_and_exercises, drop_claims),
    ("an unknown claim", nb.uses_its_claims_and_exercises, lambda n: code(n)[3].update(source='claim("no-such", measured=1)')),
    ("nothing compared", nb.lets_nbval_compare, lambda n: [c["metadata"].update(tags=["nbval-ignore-output"]) for c in code(n)]),
    ("a cell skipped", nb.lets_nbval_compare, lambda n: code(n)[2]["metadata"].update(tags=["nbval-skip"])),
]  # fmt: skip


@pytest.mark.parametrize(("name", "check", "plant"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_planted_fault_is_seen(name: str, check: Callable, plant: Callable) -> None:
    notebook = nb.read(EXEMPLAR)
    before = check(notebook, EXEMPLAR)
    plant(notebook)
    assert len(check(notebook, EXEMPLAR)) > len(before), f"{name} was not seen by {check.__name__}"


def test_every_check_has_a_planted_fault() -> None:
    assert {check for _, check, _ in FAULTS} == set(nb.CHECKS)

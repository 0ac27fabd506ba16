"""What the book knows of its chapters: their order from `_toc.yml`, the rest from each notebook and what lies beside it."""

from __future__ import annotations

import ast
import base64
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnnkit.course import catalogue

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture and what it shows."""

    data: bytes
    alt: str


@dataclass(frozen=True)
class Chapter:
    """A chapter by its name."""

    name: str

    @property
    def part(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def number(self) -> int:
        """Its place in the table of contents."""
        return catalogue.number(self.name)

    @property
    def page(self) -> str:
        return f"chapters/{self.name}"

    @property
    def notebook(self) -> dict[str, Any]:
        return notebook(self.name)

    @property
    def title(self) -> str:
        first = "".join(self.notebook["cells"][0]["source"]).splitlines()[0]
        return first.removeprefix("# ").strip()

    @property
    def question(self) -> str:
        module = catalogue.chapter_module(self.name)
        if not getattr(module, "QUESTION", ""):
            raise ValueError(
                f"{module.__file__} has no QUESTION, which the chapter's card shows: add one line"
            )
        return module.QUESTION

    @property
    def picture(self) -> Picture:
        """The chapter's first figure, or the still of its live figure."""
        for output in _outputs(self.notebook):
            if "image/png" in output["data"]:
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                return Picture(base64.b64decode(output["data"]["image/png"]), alt)
        for output in _outputs(self.notebook):
            shown = "".join(output["data"].get("text/html", ""))
            still = re.search(r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]*)"', shown)
            if still:
                return Picture(base64.b64decode(still[1]), still[2])
        raise ValueError(
            f"chapter {self.name} shows no picture, and its card needs one: run it, and save its outputs"
        )

    @property
    def uses(self) -> set[str]:
        """The public names of the package that the chapter's code mentions: `cnnkit.layers.BlurPool2D`."""
        code = ["".join(cell["source"]) for cell in self.notebook["cells"] if cell["cell_type"] == "code"]
        return names_used("\n".join(_python(cell) for cell in code))


@dataclass(frozen=True)
class Part:
    """A heading of the table of contents with its chapters, and the page that introduces them, if it has one."""

    caption: str
    page: str | None
    chapters: tuple[Chapter, ...]


@functools.cache
def parts() -> tuple[Part, ...]:
    """The parts that have chapters, in the order of reading."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = []
    for part in contents["parts"]:
        files = list(_files(part))
        names = [file.removeprefix("chapters/") for file in files if file.startswith("chapters/")]
        page = next((file for file in files if file.startswith("book/parts/")), None)
        if names:
            found.append(Part(part["caption"], page, tuple(Chapter(name) for name in names)))
    return tuple(found)


def chapters(part: str | None = None) -> tuple[Chapter, ...]:
    """The chapters that stand, in the order of reading: all, or those of one part."""
    return tuple(c for whole in parts() for c in whole.chapters if part in (None, c.part))


def title(name: str) -> str:
    """A chapter's title, by its name."""
    return Chapter(name).title


def names_used(code: str) -> set[str]:
    """What of `cnnkit` some code imports or reaches by its module: `from cnnkit import layers; layers.Maxout(2)`."""
    tree = ast.parse(code)
    modules, found = {"cnnkit": "cnnkit"}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cnnkit":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                modules[alias.asname or alias.name] = whole
                found.add(whole)
        elif isinstance(node, ast.Import):
            modules |= {a.asname: a.name for a in node.names if a.asname and a.name.startswith("cnnkit")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            head, _, rest = dotted.partition(".")
            if head in modules and re.fullmatch(r"[\w.]+", rest):
                found.add(f"{modules[head]}.{rest}")
    return found


def _files(node: dict[str, Any]) -> Iterator[str]:
    if "file" in node:
        yield node["file"]
    for key in ("parts", "chapters", "sections"):
        for child in node.get(key, []):
            yield from _files(child)


@functools.cache
def notebook(name: str) -> dict[str, Any]:
    return json.loads((ROOT / f"chapters/{name}.ipynb").read_text(encoding="utf-8"))


def _outputs(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"]:
        yield from (output for output in cell.get("outputs", []) if "data" in output)


def _python(cell: str) -> str:
    """A cell without what only IPython understands; one that is then no Python (an exercise's stub) counts for nothing."""
    code = "\n".join(
        line if not re.match(r"\s*[%!]", line) else re.sub(r"\S.*", "pass", line)
        for line in cell.splitlines()
    )
    try:
        ast.parse(code)
    except SyntaxError:
        return ""
    return code

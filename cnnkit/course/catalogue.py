"""Which chapters there are and in what order, and the claims and exercises that lie beside each one's notebook."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from cnnkit import _paths
from cnnkit._names import unknown
from cnnkit.course import ledger
from cnnkit.course.exercises import Exercise

__all__ = [
    "UnknownEntry",
    "chapter_module",
    "claims",
    "exercises",
    "find",
    "in_reading_order",
    "number",
    "reading_order",
    "written_chapters",
]


class UnknownEntry(KeyError):
    """A claim, an exercise or a chapter that the book does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


def reading_order() -> list[str]:
    """The chapters of the table of contents, `_toc.yml`, by name: `layers/pooling`."""
    contents = _paths.contents().read_text(encoding="utf-8")
    return re.findall(r"^\s*- file: chapters/(\S+)$", contents, re.MULTILINE)


def number(chapter: str) -> int:
    """A chapter's place in the book, counted from 1: shown to readers, and part of no name."""
    order = reading_order()
    if chapter not in order:
        raise UnknownEntry(unknown("chapter", chapter, order))
    return order.index(chapter) + 1


def in_reading_order(chapters: Iterable[str]) -> list[str]:
    """Chapters as the table of contents has them; those that it does not list come last, as they were."""
    place = {chapter: i for i, chapter in enumerate(reading_order())}
    return sorted(chapters, key=lambda chapter: place.get(chapter, len(place)))


def written_chapters() -> list[str]:
    """The chapters that stand, by name, in the order of reading."""
    return in_reading_order(sorted(_sidecars(_paths.chapters())))


def chapter_module(chapter: str) -> ModuleType:
    """The module with a chapter's claims and exercises: `chapter_module("layers/convolution")`."""
    found = _sidecars(_paths.chapters())
    if chapter not in found:
        raise UnknownEntry(unknown("chapter", chapter, found))
    return _load(chapter, found[chapter])


def claims(chapter: str | None = None) -> dict[str, Any]:
    """The claims of one chapter, or of all: its `CLAIMS`, with the ledger's words where one has none of its own."""
    return {
        id: entry if entry.statement else replace(entry, statement=ledger.wording(id))
        for name in ([chapter] if chapter else written_chapters())
        for id, entry in getattr(chapter_module(name), "CLAIMS", {}).items()
    }


def exercises(chapter: str | None = None) -> dict[str, Exercise]:
    """The exercises of one chapter, or of all, in the order in which they stand there."""
    return {
        thing.id: thing
        for name in ([chapter] if chapter else written_chapters())
        for thing in vars(chapter_module(name)).values()
        if isinstance(thing, Exercise)
    }


def find(kind: str, name: str, chapter: str | None) -> Any:
    """One "claim" or "exercise" by its id, sought in the open chapter or, where none is open, in the whole book."""
    here = {"claim": claims, "exercise": exercises}[kind](chapter)
    if name in here:
        return here[name]
    where = f"chapter '{chapter}'" if chapter else "the book"
    near = unknown(kind, name, here).removeprefix(f"no {kind} is called '{name}'; ")
    raise UnknownEntry(
        f"{where} has no {kind} '{name}'; {near} (all {kind}s of {where}: {', '.join(sorted(here)) or 'none yet'})"
    )


def _sidecars(folder: Path) -> dict[str, Path]:
    """Each chapter's name and the file beside its notebook; `_trials` and private files are not chapters."""
    found = {}
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder)
        if (
            path.stem.startswith("_")
            or path.stem.endswith("_trials")
            or any(p[0] in "._" for p in inside.parts)
        ):
            continue
        found[inside.with_suffix("").as_posix().replace("_", "-")] = path
    return found


@functools.cache
def _load(chapter: str, path: Path) -> ModuleType:
    name = "cnnkit._chapters." + chapter.replace("/", ".").replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

"""Finds the claims and exercises of a chapter by its name."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from cnnkit._names import unknown
from cnnkit.book import chapters

__all__ = ["UnknownEntry", "chapter_module", "entries", "find", "written_chapters"]


class UnknownEntry(KeyError):
    """A claim, an exercise or a chapter that the book does not have.

    Chapter: 00-orientation.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def _module_name(chapter: str) -> str:
    return "ch" + chapter.split("/")[-1].replace("-", "_")


def written_chapters() -> list[str]:
    """The modules of `cnnkit.book.chapters`, one for each chapter that stands.

    Chapter: 00-orientation.
    """
    return sorted(module.name for module in pkgutil.iter_modules(chapters.__path__))


def chapter_module(chapter: str) -> ModuleType:
    """The module with a chapter's claims and exercises: `chapter_module("layers/04-convolution")`.

    Chapter: 00-orientation.
    """
    name = _module_name(chapter)
    if name not in written_chapters():
        raise UnknownEntry(unknown("chapter", name, written_chapters()))
    return importlib.import_module(f"cnnkit.book.chapters.{name}")


def entries(kind: str, chapter: str | None = None) -> dict[str, Any]:
    """All claims or exercises (`kind` is "CLAIMS" or "EXERCISES") of one chapter, or of all.

    Chapter: 00-orientation.
    """
    names = [_module_name(chapter)] if chapter else written_chapters()
    found: dict[str, Any] = {}
    for name in names:
        module = importlib.import_module(f"cnnkit.book.chapters.{name}")
        found |= getattr(module, kind, {})
    return found


def find(kind: str, name: str, chapter: str | None) -> Any:
    """One claim or exercise by its id, sought in the open chapter first and then in the whole book.

    Chapter: 00-orientation.
    """
    here = entries(kind, chapter) if chapter else entries(kind)
    if name in here:
        return here[name]
    word = "claim" if kind == "CLAIMS" else "exercise"
    where = f"chapter '{chapter}'" if chapter else "the book"
    near = unknown(word, name, here).removeprefix(f"no {word} is called '{name}'; ")
    raise UnknownEntry(
        f"{where} has no {word} '{name}'; {near} (all {word}s of {where}: {', '.join(sorted(here)) or 'none yet'})"
    )

"""Finds the claims and exercises of a chapter by its name: they lie beside its notebook."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from cnnkit import _paths
from cnnkit._names import unknown

__all__ = ["UnknownEntry", "chapter_module", "entries", "find", "written_chapters"]


class UnknownEntry(KeyError):
    """A claim, an exercise or a chapter that the book does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


def written_chapters() -> list[str]:
    """The chapters that stand, by name: `layers/pooling`."""
    return sorted(_sidecars(_paths.chapters()))


def chapter_module(chapter: str) -> ModuleType:
    """The module with a chapter's claims and exercises: `chapter_module("layers/convolution")`."""
    found = _sidecars(_paths.chapters())
    if chapter not in found:
        raise UnknownEntry(unknown("chapter", chapter, found))
    return _load(chapter, found[chapter])


def entries(kind: str, chapter: str | None = None) -> dict[str, Any]:
    """All claims or exercises (`kind` is "CLAIMS" or "EXERCISES") of one chapter, or of all."""
    found: dict[str, Any] = {}
    for name in [chapter] if chapter else written_chapters():
        found |= getattr(chapter_module(name), kind, {})
    return found


def find(kind: str, name: str, chapter: str | None) -> Any:
    """One claim or exercise by its id, sought in the open chapter or, where none is open, in the whole book."""
    here = entries(kind, chapter)
    if name in here:
        return here[name]
    word = "claim" if kind == "CLAIMS" else "exercise"
    where = f"chapter '{chapter}'" if chapter else "the book"
    near = unknown(word, name, here).removeprefix(f"no {word} is called '{name}'; ")
    raise UnknownEntry(
        f"{where} has no {word} '{name}'; {near} (all {word}s of {where}: {', '.join(sorted(here)) or 'none yet'})"
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

"""`make run`: a chapter is saved whole, with its outputs, or it stays as it was."""

from __future__ import annotations

import errno
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.course import notebooks as nb


@pytest.fixture
def execute() -> ModuleType:
    """The script `book/execute.py`."""
    spec = importlib.util.spec_from_file_location("execute", nb.ROOT / "book/execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_chapter_that_does_not_exist_is_told_the_nearest(
    execute: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["execute.py", "layers/poling"])
    with pytest.raises(
        SystemExit, match="no chapter is called 'layers/poling'; did you mean 'layers/pooling'"
    ):
        execute.main()


def test_a_full_disk_leaves_the_chapter_as_it_was(
    execute: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Client:
        def __init__(self, notebook: object, **_: object) -> None: ...

        def execute(self) -> None: ...

    def full(notebook: object, path: Path) -> None:
        Path(path).write_text('{"cells": [')
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "chapters/layers").mkdir(parents=True)
    path = tmp_path / "chapters/layers/pooling.ipynb"
    path.write_text(json.dumps(nb.read("layers/pooling")), "utf-8")
    before = path.read_bytes()
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "setup_cell", lambda chapter: "")
    monkeypatch.setattr(execute, "NotebookClient", Client)
    monkeypatch.setattr(execute.nbformat, "write", full)
    with pytest.raises(OSError, match="No space left"):
        execute.run(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["pooling.ipynb"]

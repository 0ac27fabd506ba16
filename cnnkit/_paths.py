"""Where the files lie that the package reads at run time."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """A file of the project's `data/` folder: from the wheel when installed, from the checkout otherwise."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent / "data"):
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"cnnkit was installed without '{name}'; install it again with pip")


def chapters() -> Path:
    """The folder of the chapters' own modules: from the wheel when installed, from the checkout otherwise."""
    inside = _PACKAGE / "_chapters"
    return inside if inside.exists() else _PACKAGE.parent / "chapters"


def shown(file: Path) -> str:
    """A file as a reader finds it in the repository: `cnnkit/layers/pooling.py`, `chapters/layers/pooling.py`.

    It is named from the package's own folder on, whatever the checkout above it is called.
    """
    file = file.resolve()
    for folder, name in ((chapters(), "chapters"), (_PACKAGE, "cnnkit")):
        if file.is_relative_to(folder.resolve()):
            return f"{name}/{file.relative_to(folder.resolve()).as_posix()}"
    return file.name


def contents() -> Path:
    """The table of contents, which says in what order the chapters are read."""
    inside = _PACKAGE / "_chapters" / "_toc.yml"
    return inside if inside.exists() else _PACKAGE.parent / "_toc.yml"

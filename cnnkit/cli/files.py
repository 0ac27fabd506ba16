"""What a user names by a file: modules that register networks and layers of his own, and models that Keras saved."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnkit.cli.parts import Mistake, part

__all__: list[str] = []

_SUFFIXES = (".keras", ".h5", ".hdf5")


def import_modules(names: Iterable[str] | None) -> None:
    """Import each module, given by its dotted name or by the path of its file, so that it registers what it has."""
    for name in names or ():
        try:
            _import(name)
        except Mistake:
            raise
        except Exception as error:
            raise Mistake(f"'{name}' cannot be imported: {type(error).__name__}: {error}") from error


def _import(name: str) -> None:
    path = Path(name)
    if path.suffix != ".py":
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as Python itself does for `python -m`
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise Mistake(
                f"there is no module '{name}' in this folder or installed; the path of its file will do too, {name}.py"
            ) from None
        return
    if not path.is_file():
        raise Mistake(f"there is no file '{name}'")
    sys.path.insert(0, str(path.parent.resolve()))  # its neighbours, as for a script
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)


def is_path(name: str) -> bool:
    """True for what can only be a file: it ends as saved models do, lies in a folder, or is there."""
    return name.endswith(_SUFFIXES) or os.sep in name or (Path(name).suffix != "" and Path(name).exists())


def saved_model(name: str) -> Any:
    """A model that Keras saved; the layers of the course are known to it."""
    path = Path(name)
    if path.is_dir():
        raise Mistake(f"'{name}' is a folder; needed is the file that model.save('x.keras') wrote")
    if not path.is_file():
        raise Mistake(f"there is no file '{name}'")
    if name.endswith(".weights.h5"):
        raise Mistake(
            f"'{name}' holds weights without the network that they are for; needed is what model.save('x.keras') wrote"
        )
    if not name.endswith(_SUFFIXES):
        hint = (
            f": if it registers networks, write --module {name} and the name of one"
            if path.suffix == ".py"
            else ""
        )
        raise Mistake(f"'{name}' is no model that Keras saved, whose name ends in .keras or .h5{hint}")
    import keras

    part("layers")
    try:
        return keras.saving.load_model(path, compile=False)
    except (
        Exception
    ) as error:  # the file is the user's: whatever Keras stumbles over in it is told in one line
        raise Mistake(f"'{name}' cannot be read as a model that Keras saved: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if unknown := re.search(r"Could not locate class '([^']+)'", str(error)):
        return f"it needs the class '{unknown[1]}', which is not known here; name the module that defines it with --module"
    return " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__

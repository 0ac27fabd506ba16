"""Our layers in files that Keras reads: found by name, though importing the package loads none of them.

Keras finds a class of somebody else's among those that have been registered so far. Ours are registered when their
module is imported, which `import cnnkit` does not do, for it would load Keras and a backend. So Keras's search by name
is told here to import our parts when, and only when, it meets a name of ours.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

__all__: list[str] = []

_SEARCH = "keras.src.saving.object_registration"
_PARTS = (
    "layers",
    "models",
    "origins",
    "training",
)  # those that register layers, functions or models under "cnnkit>"


def _with_ours(search: Callable[..., Any]) -> Callable[..., Any]:
    """Keras's search for a registered object, which imports our parts before it looks for a name of ours."""

    @functools.wraps(search)
    def get_registered_object(name: Any, *args: Any, **kwargs: Any) -> Any:
        found = search(name, *args, **kwargs)
        if found is None and isinstance(name, str) and name.startswith("cnnkit>"):
            for part in _PARTS:
                importlib.import_module(f"cnnkit.{part}")
            found = search(name, *args, **kwargs)
        return found

    return get_registered_object


def _teach(module: ModuleType) -> None:
    module.get_registered_object = _with_ours(module.get_registered_object)


class _WhenKerasComes:
    """Waits for the module in which Keras searches, and teaches it as soon as it has been loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _SEARCH:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                _teach(module)

            spec.loader.exec_module = exec_module
        return spec


def find_our_layers() -> None:
    """Let `keras.saving` find what is registered under `cnnkit>`, whether Keras is loaded already or not."""
    if _SEARCH in sys.modules:
        _teach(sys.modules[_SEARCH])
    else:
        sys.meta_path.insert(0, _WhenKerasComes())

"""Messages for names that nobody knows, for numbers that cannot be, and for modules that are not there."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """One sentence for an unknown name: the nearest known ones, or all of them when none is near."""
    known = sorted(known)
    spelt = {word.lower(): word for word in known}
    near = [spelt[word] for word in difflib.get_close_matches(str(name).lower(), spelt, n=3, cutoff=0.5)]
    if near:
        return f"no {kind} is called '{name}'; did you mean {' or '.join(repr(n) for n in near)}?"
    return f"no {kind} is called '{name}'; known are: {', '.join(known) or 'none yet'}"


def positive(who: str, **values: float) -> None:
    """Refuse a number that is not above zero, by its name."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{who} needs {name} > 0, not {value}")


def needed(module: str, extra: str) -> ModuleType:
    """A module that only some of the package needs, or an error that names the extra which brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name not in (package, module):
            raise
        raise ModuleNotFoundError(
            f'this needs {package}, which is not installed: pip install "cnnkit[{extra}]"', name=package
        ) from None

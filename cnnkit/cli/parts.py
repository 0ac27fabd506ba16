"""The parts of the package as a command loads them: when it needs them, quietly, or with a remedy."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import cnnkit
from cnnkit._names import unknown

__all__: list[str] = []


class Mistake(Exception):
    """Something that the user can put right, in one sentence."""


def part(name: str) -> Any:
    """A part of the package, loaded now."""
    try:
        with quiet():
            return getattr(cnnkit, name)
    except ModuleNotFoundError as error:
        if error.name in ("tensorflow", "jax", "torch"):
            raise Mistake(
                f"Keras wants {error.name} and does not find it: pip install 'cnnkit[{error.name}]', "
                "or set KERAS_BACKEND to the framework that you have (tensorflow, jax or torch)"
            ) from None
        raise


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep a backend's start-up messages, which it writes past Python, out of the error stream."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stream = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stream, 2)
            os.close(stream)


def matching(kind: str, names: Callable[[str], list[str]], pattern: str) -> list[str]:
    found = names(pattern)
    if not found:
        raise Mistake(unknown(kind, pattern, names("*")))
    return found

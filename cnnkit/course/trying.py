"""Run what a reader wrote, so that nothing it does can stop the notebook: each kind of accident becomes one sentence."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import inspect
import numbers
import os
import reprlib
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.course.exercises import Case

__all__ = ["SECONDS", "Fault", "NotAttempted", "as_array", "asked_of", "attempts", "same", "short"]

#: Seconds that an answer may take for all hidden inputs together.
SECONDS = 5.0
#: Seconds in which one that takes longer is asked to end.
PATIENCE = 1.0
#: Entries that an answer may have.
ENTRIES = 10_000_000


class Fault(Exception):
    """An answer that cannot be compared; the message says why, to the reader."""


class NotAttempted(Exception):
    """The answer is still the `...` of the stub."""


class _Stopped(BaseException):
    """Raised within an answer whose time is up; no `except Exception` catches it."""


def attempts(
    answer: Callable[..., Any], cases: Sequence[Case], seconds: float | None = None
) -> list[np.ndarray]:
    """What the answer gives for each input, as arrays.

    The answer runs in a thread of its own, which can be stopped on every system and from every thread.  What it
    prints or warns of stays unseen, and NumPy's settings are its own.

    Raises:
        NotAttempted: where it returns `...`.
        Fault: where it raises, returns nothing, changes its input, takes too long, or gives what is no answer.
    """
    limit = SECONDS if seconds is None else seconds
    results: list[np.ndarray] = []
    ended: list[BaseException] = []
    state = sys.getrecursionlimit()

    def work() -> None:
        try:
            for case in cases:
                results.append(_attempt(answer, case))
        except BaseException as error:  # handed over to the thread that waits
            ended.append(error)

    worker = threading.Thread(target=work, daemon=True)
    with _unseen():
        worker.start()
        try:
            worker.join(limit)
        finally:  # also where the reader presses stop
            stopped = _stop(worker)
            sys.setrecursionlimit(state)
    if len(results) < len(cases) and (not stopped or not ended or isinstance(ended[0], _Stopped)):
        still = "" if stopped else " It cannot be interrupted: restart the kernel to be rid of it."
        raise Fault(
            f"your function is still running after {limit:g} seconds, for {asked_of(cases[len(results)])}, and was "
            f"stopped; does a loop never end?{still}"
        )
    if ended:
        raise ended[0]
    return results


def _attempt(answer: Callable[..., Any], case: Case) -> np.ndarray:
    """One answer to one input; all that a reader's objects do, their printing included, happens in here."""
    given, asked = copy.deepcopy(case.arguments), asked_of(case)
    try:
        result = answer(*given)
    except _Stopped:
        raise
    except SystemExit:
        raise Fault(f"your function leaves Python (SystemExit) for {asked}; return a value instead") from None
    except RecursionError:
        raise Fault(f"your function calls itself without end (RecursionError) for {asked}") from None
    except BaseException as error:
        raise Fault(f"your function raises {type(error).__name__} for {asked}: {_message(error)}") from None
    if result is ...:
        raise NotAttempted
    if result is None:
        raise Fault(f"your function returns nothing for {asked}; did you forget `return`?")
    if inspect.isgenerator(result) or isinstance(result, map | filter | zip):
        kind = type(result).__name__
        raise Fault(f"your function returns a {kind}, which has no values yet; hand it to `list(...)`")
    if inspect.iscoroutine(result):
        result.close()
        raise Fault("your function is `async`; write a plain `def`")
    if not all(same(a, b, 0.0) for a, b in zip(case.arguments, given, strict=True)):
        raise Fault(f"your function changes its input for {asked}; work on a copy")
    try:
        if (size := _entries(result)) > ENTRIES:
            raise Fault(f"your function returns {size:,} entries for {asked}, far more than are asked for")
        return as_array(result).copy()
    except (Fault, _Stopped):
        raise
    except BaseException as error:
        raise Fault(
            f"your function returns what cannot be read as an answer, a {type(result).__name__} ({_message(error)})"
        ) from None


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """Prints and warnings belong to the reader's own calls."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
        np.errstate(),
    ):
        warnings.simplefilter("ignore")
        yield


def _stop(worker: threading.Thread) -> bool:
    """End a thread at its next line of Python, again and again where it catches everything; whether it ended."""
    until = time.monotonic() + PATIENCE
    while worker.is_alive() and time.monotonic() < until:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(_Stopped))
        worker.join(0.05)
    return not worker.is_alive()


def _message(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:200] or "it says no more"
    except _Stopped:
        raise
    except BaseException:
        return "its message cannot be printed"


def _entries(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, str | bytes):
        return 1
    try:
        return len(value) if hasattr(value, "__len__") else 1
    except OverflowError:
        return sys.maxsize


def asked_of(case: Case) -> str:
    """A hidden input as it is told: its name where it has one, and its arguments."""
    given = ", ".join(short(argument) for argument in case.arguments)
    return f"the input {given} ({case.name})" if case.name else f"the input {given}"


def as_array(value: Any) -> np.ndarray:
    """Anything as an array: numbers as numbers, and what is none whole, as one object."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except Exception:  # arrays of several shapes, or a thing that is none
        array = np.empty(1, dtype=object)
        array[0] = value
    if array.dtype == object and array.size and all(isinstance(part, numbers.Real) for part in array.flat):
        return array.astype(float)  # fractions, and whole numbers that no machine word holds
    return array


def same(a: Any, b: Any, tolerance: float) -> bool:
    """Whether a value equals the other: numbers up to a tolerance, absolute and, where the other is no count, relative."""
    if callable(a) and callable(b):
        return True
    a, b = as_array(a), as_array(b)
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "iufb" and b.dtype.kind in "iufb":
        relative = 0 if b.dtype.kind in "iu" else tolerance
        a, b = np.asarray(a, float), np.asarray(b, float)
        return bool(np.allclose(a, b, rtol=relative, atol=tolerance, equal_nan=True))
    try:
        return bool(np.all(a == b))
    except Exception:  # entries that are arrays themselves, or objects that will not be compared
        return False


def short(value: Any) -> str:
    """A value in at most 60 characters."""
    if not isinstance(value, str | bytes | dict | set | frozenset | range):
        array = as_array(value)
        if array.ndim and array.size > 6:
            return f"an array of shape {array.shape}"
        if array.dtype.kind in "iufb" and not isinstance(value, tuple):
            value = _rounded(array.tolist())
    try:
        text = _SHORT.repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _rounded(value: Any) -> Any:
    """Numbers to six digits, in lists of lists."""
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 7

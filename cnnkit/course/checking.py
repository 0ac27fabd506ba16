"""Exercises in a notebook: shown with hints and solution, and checked in a way that says why an answer is wrong."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np

from cnnkit.course import notebook
from cnnkit.course.catalogue import find
from cnnkit.course.exercises import Exercise

__all__ = ["check", "exercise", "hint", "solution"]


def exercise(id: str) -> None:
    """Show a task, its hints and its solution, the last two folded away."""
    task: Exercise = find("exercise", id, notebook.current_chapter())
    parts = [f"**{task.title}** (`{id}`)", task.task]
    for number, text in enumerate(task.hints, 1):
        name = "Hint" if len(task.hints) == 1 else f"Hint {number}"
        parts.append(_folded(name, text))
    parts.append(_folded("Solution", f"```python\n{task.text}\n```"))
    text = "\n\n".join(parts)
    notebook.show({"text/markdown": text, "text/plain": notebook.plain(text)})


def hint(id: str, number: int = 1) -> None:
    """Print one hint of an exercise."""
    hints = find("exercise", id, notebook.current_chapter()).hints
    if not 1 <= number <= len(hints):
        print(f"'{id}' has {len(hints)} hint{'s' * (len(hints) != 1)}; there is no number {number}.")
    else:
        print(f"Hint {number} of {len(hints)}: {hints[number - 1]}")


def solution(id: str) -> None:
    """Print the solution of an exercise."""
    print(find("exercise", id, notebook.current_chapter()).text)


def check(id: str, answer: Any) -> None:
    """Try the reader's answer on hidden inputs and say in one line what kind of mistake it makes, if any.

    Never raises for a wrong answer: an untouched notebook runs through.
    """
    task: Exercise = find("exercise", id, notebook.current_chapter())
    print(f"{id}: {_verdict(task, answer)}")


def _verdict(task: Exercise, answer: Any) -> str:
    if answer is ...:
        return "not attempted yet."
    if task.asks_for_a_value:
        return _verdict_on_value(task, answer)
    if not callable(answer):
        return f"✗ hand over the function itself, without calling it: got {type(answer).__name__} {_short(answer)}."
    tried = []
    for arguments in task.arguments():
        given = copy.deepcopy(arguments)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the reader's own prints belong to his own calls
                result = answer(*given)
        except (Exception, SystemExit) as error:
            return f"✗ your function raises {type(error).__name__} for {_call(arguments)}: {error}"
        if result is ...:
            return "not attempted yet."
        if result is None:
            return f"✗ your function returns nothing for {_call(arguments)}; did you forget `return`?"
        if not all(_equal(a, b, 0.0) for a, b in zip(arguments, given, strict=True)):
            return f"✗ your function changes its input for {_call(arguments)}; work on a copy."
        tried.append((arguments, _array(result)))
    wanted = [_array(task(*copy.deepcopy(arguments))) for arguments, _ in tried]
    if all(_equal(got, want, task.tolerance) for (_, got), want in zip(tried, wanted, strict=True)):
        return "✓ correct."
    for mistake in task.mistakes:
        with contextlib.suppress(Exception):
            if all(
                _equal(got, _array(mistake.answer(*copy.deepcopy(a))), task.tolerance) for a, got in tried
            ):
                return f"✗ {mistake.message}"
    for (arguments, got), want in zip(tried, wanted, strict=True):
        if not _equal(got, want, task.tolerance):
            return f"✗ {_difference(got, want)} for {_call(arguments)}."
    raise AssertionError("unreachable: some input differs")


def _verdict_on_value(task: Exercise, answer: Any) -> str:
    if answer is None:
        return "✗ the answer is None; assign a value."
    if callable(answer):
        return "✗ this one asks for a value, not for a function."
    got, want = _array(answer), _array(task())
    if _equal(got, want, task.tolerance):
        return "✓ correct."
    for mistake in task.mistakes:
        if _equal(got, _array(mistake.answer), task.tolerance):
            return f"✗ {mistake.message}"
    if got.shape != want.shape or got.dtype.kind not in "iufb" or not np.all(np.isfinite(got)):
        return f"✗ {_difference(got, want)}."
    return "✗ not this value; try a hint."


def _difference(got: np.ndarray, want: np.ndarray) -> str:
    """What kind of difference there is, without giving the answer away where its kind says enough."""
    if got.dtype == object or (got.dtype.kind in "US") != (want.dtype.kind in "US"):
        return f"the answer has the wrong type: got {_short(got)}, expected something like {_short(want)}"
    if got.shape != want.shape:
        if got.ndim == want.ndim and sorted(got.shape) == sorted(want.shape):
            return f"the axes are in another order: got shape {got.shape}, expected {want.shape}"
        return f"the shape is wrong: got {got.shape}, expected {want.shape}"
    if got.dtype.kind in "fc" and not np.all(np.isfinite(got)):
        return "the answer contains NaN or infinity"
    if got.ndim >= 2:
        turned = np.flip(want, axis=(0, 1))
        if _equal(got, turned, 1e-6):
            return "the values are right but flipped in both directions"
        if got.shape[0] == got.shape[1] and _equal(got, np.swapaxes(want, 0, 1), 1e-6):
            return "the values are right but rows and columns are exchanged"
    if got.dtype.kind in "iuf" and want.dtype.kind in "iuf":
        gap = np.asarray(got, float) - np.asarray(want, float)
        if gap.size and np.all(gap == gap.flat[0]) and abs(gap.flat[0]) == 1:
            return f"off by one: your answer is 1 too {'large' if gap.flat[0] > 0 else 'small'}"
        if np.any(want) and _equal(-np.asarray(got, float), want, 1e-6):
            return "the sign is the wrong way round"
    return f"got {_short(got)}, expected {_short(want)}"


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        return np.asarray(value)
    except Exception:  # arrays of several shapes, or a thing that is none: kept whole, as one entry
        whole = np.empty(1, dtype=object)
        whole[0] = value
        return whole


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if callable(a) and callable(b):
        return True
    a, b = _array(a), _array(b)
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "iufb" and b.dtype.kind in "iufb":
        return bool(
            np.allclose(
                np.asarray(a, float), np.asarray(b, float), rtol=tolerance, atol=tolerance, equal_nan=True
            )
        )
    try:
        return bool(np.all(a == b))
    except ValueError:  # entries that are arrays themselves
        return False


def _call(arguments: tuple[Any, ...]) -> str:
    return f"the input {', '.join(_short(a) for a in arguments)}"


def _short(value: Any) -> str:
    array = _array(value)
    if array.ndim and array.size > 6:
        return f"an array of shape {array.shape}"
    text = repr(array.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _folded(name: str, text: str) -> str:
    return f"<details>\n<summary>{name}</summary>\n\n{text}\n\n</details>"

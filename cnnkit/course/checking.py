"""Exercises in a notebook: shown with hints and solution, and checked in a way that says why an answer is wrong."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnnkit.course import notebook
from cnnkit.course.catalogue import find
from cnnkit.course.differences import first_difference, kind_of_mistake, unusual, wrong_kind, wrong_shape
from cnnkit.course.exercises import Case, Exercise
from cnnkit.course.trying import Fault, NotAttempted, as_array, asked_of, attempts, same, short

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

    Says where the answer fails and what it gives there, never what is right.  Never raises for a wrong answer, and
    stops one that runs for more than five seconds: an untouched notebook runs through.
    """
    task: Exercise = find("exercise", id, notebook.current_chapter())
    print(f"{id}: {_verdict(task, answer)}")


def _verdict(task: Exercise, answer: Any) -> str:
    if answer is ...:
        return "not attempted yet."
    try:
        told = _on_value(task, answer) if task.asks_for_a_value else _on_function(task, answer)
    except NotAttempted:
        return "not attempted yet."
    except Fault as fault:
        told = f"{fault}{'' if str(fault).endswith(('.', '?')) else '.'}"
    return f"✗ {told}" if told else "✓ correct."


def _on_value(task: Exercise, answer: Any) -> str:
    """What is wrong with a value; never how far it is off, which would tell the right one."""
    if answer is None:
        return "the answer is None; assign a value."
    if callable(answer):
        return "this one asks for a value, not for a function."
    (got,) = attempts(lambda: answer, [Case(())])
    want = as_array(task())
    if (kind := wrong_kind(got, want)) is None and same(got, want, task.tolerance):
        return ""
    for mistake in task.mistakes:
        wrong = as_array(mistake.answer)
        if wrong_kind(got, wrong) is None and same(got, wrong, task.tolerance):
            return mistake.message
    fault = kind or wrong_shape([got], [want]) or unusual(got, want) or _spelt(got, want)
    return f"{fault or 'not this value; try a hint'}."


def _on_function(task: Exercise, answer: Any) -> str:
    """What is wrong with a function: a mistake that is known, a kind of mistake, or the first input where it fails."""
    if not callable(answer):
        return (
            f"hand over the function itself, without calling it: got {type(answer).__name__} {short(answer)}."
        )
    cases = task.cases()
    got = attempts(answer, cases)
    want = _answers(task, cases)
    if all(_right(g, w, task.tolerance) for g, w in zip(got, want, strict=True)):
        return ""
    for mistake in task.mistakes:
        with contextlib.suppress(Exception):
            wrong = _answers(mistake.answer, cases)
            if all(_right(g, w, task.tolerance) for g, w in zip(got, wrong, strict=True)):
                return mistake.message
    first = next(
        i for i, (g, w) in enumerate(zip(got, want, strict=True)) if not _right(g, w, task.tolerance)
    )
    asked = asked_of(cases[first])
    fault = (
        wrong_kind(got[first], want[first])
        or wrong_shape(got, want, first)
        or unusual(got[first], want[first])
    )
    if fault:
        return f"{fault}, for {asked}."
    if kind := kind_of_mistake(got, want):
        return f"{kind}, for every input that was tried; the first is {asked}: got {short(got[first])}."
    told = f"wrong for {asked}: got {short(got[first])}"
    if got[first].ndim:
        index = first_difference(got[first], want[first], task.tolerance)
        told += f"; the first entry that is wrong is {list(index)}, where you have {short(got[first][index])}"
    return f'{told}. Try `hint("{task.id}")`.'


def _answers(function: Callable[..., Any], cases: Sequence[Case]) -> list[np.ndarray]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [as_array(function(*copy.deepcopy(case.arguments))) for case in cases]


def _spelt(got: np.ndarray, want: np.ndarray) -> str | None:
    """Whether words are right up to capitals and spaces."""
    if got.dtype.kind != "U" or not np.array_equal(np.char.lower(np.char.strip(got)), np.char.lower(want)):
        return None
    return "write it exactly as the task does: mind capital letters and spaces"


def _right(got: np.ndarray, want: np.ndarray, tolerance: float) -> bool:
    return wrong_kind(got, want) is None and same(got, want, tolerance)


def _folded(name: str, text: str) -> str:
    return f"<details>\n<summary>{name}</summary>\n\n{text}\n\n</details>"

"""Exercises: each solution passes, each stub is not attempted, each listed wrong answer is told why."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pytest

from cnnkit.course import catalogue, exercises
from cnnkit.course.exercises import Exercise, Mistake

ALL = {
    f"{chapter}:{id}": task
    for chapter in catalogue.written_chapters()
    for id, task in catalogue.entries("EXERCISES", chapter).items()
}


def verdict(task: Exercise, code: str) -> str:
    return exercises._verdict(task, exercises.define(code))


@pytest.mark.parametrize("name", ALL)
def test_the_solution_passes(name: str) -> None:
    assert verdict(ALL[name], ALL[name].solution) == "✓ correct."


@pytest.mark.parametrize("name", ALL)
def test_the_stub_is_not_attempted(name: str) -> None:
    assert verdict(ALL[name], ALL[name].stub) == "not attempted yet."


@pytest.mark.parametrize(("name", "mistake"), [(n, m) for n, task in ALL.items() for m in task.mistakes])
def test_a_listed_mistake_gets_its_own_message(name: str, mistake: Mistake) -> None:
    assert verdict(ALL[name], mistake.code) == f"✗ {mistake.message}"


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_helps(name: str) -> None:
    task = ALL[name]
    assert task.hints and task.mistakes, "a hint and a recognised mistake are owed"
    assert len({m.message for m in task.mistakes}) == len(task.mistakes)


SQUARE = Exercise(
    title="Square",
    task="Square each number.",
    stub="def square(x):\n    return ...",
    solution="def square(x):\n    return x * x",
    inputs=lambda: [(np.array([[1.0, 2.0], [3.0, 5.0]]),)],
    mistakes=(Mistake("def square(x):\n    return 2 * x", "You doubled."),),
)


def mutate(x):
    x *= x
    return x


def fail(x):
    raise RuntimeError("oh")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: None, "returns nothing"),
        (lambda x: ..., "not attempted"),
        (lambda x: 2 * x, "You doubled."),
        (lambda x: x * np.nan, "NaN"),
        (lambda x: (x * x)[:1], "shape is wrong: got (1, 2), expected (2, 2)"),
        (lambda x: (x * x).T, "rows and columns are exchanged"),
        (lambda x: (x * x)[::-1, ::-1], "flipped in both directions"),
        (lambda x: x * x + 1, "off by one: your answer is 1 too large"),
        (lambda x: -x * x, "sign"),
        (lambda x: "four", "wrong type"),
        (lambda x: [[1], [2, 3]], "wrong type"),
        (lambda x: (x, x[:, 0]), "wrong type"),
        (lambda x: keras.KerasTensor((2, 2)), "wrong type"),
        (lambda x: sys.exit("enough"), "raises SystemExit"),
        (lambda x: x * x * 3, "got [[3.0, 12.0], [27.0, 75.0]]"),
        (mutate, "changes its input"),
        (fail, "raises RuntimeError for the input [[1.0, 2.0], [3.0, 5.0]]: oh"),
        (lambda: 1, "raises TypeError"),
        (9, "hand over the function itself"),
        (lambda x: x**2, "✓ correct."),
    ],
)
def test_every_kind_of_answer_gets_a_helpful_line(answer: object, words: str) -> None:
    assert words in exercises._verdict(SQUARE, answer)


VALUE = Exercise(
    "Six by seven", "How many?", "answer = ...", "answer = 42", mistakes=(Mistake("answer = 13", "Added."),)
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (42, "✓ correct."),
        (42.0, "✓ correct."),
        (13, "Added."),
        (41, "not this value"),
        ([42], "shape is wrong"),
        (None, "None"),
        (float("nan"), "NaN"),
        ("42", "wrong type"),
        (lambda: 42, "a value, not for a function"),
        (..., "not attempted"),
    ],
)
def test_every_kind_of_value_gets_a_helpful_line(answer: object, words: str) -> None:
    assert words in exercises._verdict(VALUE, answer)


def test_an_unknown_exercise_lists_the_known_ones() -> None:
    with pytest.raises(catalogue.UnknownEntry, match=r"no exercise 'output-sise'.*output-size"):
        exercises.check("output-sise", None)


def test_a_hint_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    exercises.hint("output-size", 99)
    assert "there is no number 99" in capsys.readouterr().out


def test_the_solution_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    exercises.solution("output-size")
    assert "def " in capsys.readouterr().out

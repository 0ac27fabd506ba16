"""Exercises: each solution passes, each stub is not attempted, each listed wrong answer is told why."""

from __future__ import annotations

import symtable
import sys
from typing import Any

import keras
import numpy as np
import pytest

from cnnkit.course import catalogue, checking, notebook
from cnnkit.course.exercises import Exercise, Mistake, solves
from tests.course import notebooks as nb

ALL = {
    f"{chapter}:{id}": task
    for chapter in catalogue.written_chapters()
    for id, task in catalogue.exercises(chapter).items()
}


def verdict(task: Exercise, answer: Any) -> str:
    return checking._verdict(task, answer)


def typed_in(task: Exercise, cell: str) -> Any:
    """What a reader has who types this cell, and has nothing but NumPy above it."""
    space: dict[str, Any] = {"np": np}
    exec(cell, space)
    return space[task.name if task.asks_for_a_value else task.solution.__name__]


@pytest.mark.parametrize("chapter", catalogue.written_chapters())
def test_no_two_exercises_of_a_chapter_share_an_id(chapter: str) -> None:
    defined = [
        thing for thing in vars(catalogue.chapter_module(chapter)).values() if isinstance(thing, Exercise)
    ]
    assert [task.id for task in defined] == list(catalogue.exercises(chapter))


@pytest.mark.parametrize("name", ALL)
def test_the_solution_passes(name: str) -> None:
    task = ALL[name]
    assert verdict(task, task() if task.asks_for_a_value else task) == "✓ correct."


@pytest.mark.parametrize("name", ALL)
def test_the_solution_that_is_shown_passes_as_it_stands(name: str) -> None:
    task = ALL[name]
    assert verdict(task, typed_in(task, task.text)) == "✓ correct."
    assert "->" not in task.text and "solves" not in task.text, "types and decorators are not for the reader"


@pytest.mark.parametrize("name", ALL)
def test_the_stub_is_not_attempted(name: str) -> None:
    assert verdict(ALL[name], typed_in(ALL[name], ALL[name].stub)) == "not attempted yet."


@pytest.mark.parametrize("name", ALL)
def test_the_notebook_gives_the_stub_and_checks_it(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chapter, _, id = name.partition(":")
    cells = [nb.text(cell) for cell in nb.code_cells(nb.read(chapter))]
    (cell,) = [cell for cell in cells if f'check("{id}"' in cell]
    assert ALL[name].stub.partition("(")[2] in cell  # its name may be another, where the chapter has taken it
    monkeypatch.setattr(notebook, "_chapter", chapter)
    exec(cell, {"check": checking.check, "np": np})
    assert capsys.readouterr().out == f"{id}: not attempted yet.\n"


@pytest.mark.parametrize(("name", "mistake"), [(n, m) for n, task in ALL.items() for m in task.mistakes])
def test_a_listed_mistake_gets_its_own_message(name: str, mistake: Mistake) -> None:
    assert verdict(ALL[name], mistake.answer) == f"✗ {mistake.message}"


@pytest.mark.parametrize("name", ALL)
def test_an_exercise_helps(name: str) -> None:
    task = ALL[name]
    assert task.hints and task.mistakes, "a hint and a recognised mistake are owed"
    assert len({m.message for m in task.mistakes}) == len(task.mistakes)
    assert len(set(task.hints)) == 2


@pytest.mark.parametrize("name", [name for name, task in ALL.items() if not task.asks_for_a_value])
def test_a_function_is_tried_on_several_inputs(name: str) -> None:
    assert len(ALL[name].cases()) >= 4


@pytest.mark.parametrize("chapter", sorted(catalogue.written_chapters()))
def test_a_chapter_has_four_exercises_to_compute_predict_build_and_break(chapter: str) -> None:
    assert len(catalogue.exercises(chapter)) == 4


def global_names(table: symtable.SymbolTable, inner: bool = False) -> set[str]:
    """The names of the notebook that a cell binds or reads, in its functions too."""
    found = {
        s.get_name() for s in table.get_symbols() if s.is_global() or (not inner and not s.is_imported())
    }
    return found.union(*(global_names(child, True) for child in table.get_children()))


@pytest.mark.parametrize("chapter", sorted(catalogue.written_chapters()))
def test_no_answer_takes_a_name_that_the_chapter_uses(chapter: str) -> None:
    taken, answers = set(), {}
    for cell in map(nb.text, nb.code_cells(nb.read(chapter))[1:]):
        table = symtable.symtable(cell, "cell", "exec")
        if "\ncheck(" in cell:
            answers |= {
                s.get_name(): cell for s in table.get_symbols() if s.is_assigned() or s.is_namespace()
            }
        else:
            taken |= global_names(table)
    assert {name: cell for name, cell in answers.items() if name in taken} == {}


@solves(
    "square",
    title="Square",
    task="Square each number.",
    hints=("Not twice.",),
    inputs=lambda: [(np.array([[1.0, 2.0], [3.0, 5.0]]),), (np.array([[7.0, 0.0], [-2.0, 0.5]]),)],
)
def square(x: np.ndarray, power: int = 2) -> np.ndarray:
    # each entry by itself
    return x**power


@square.mistake("You doubled.")
def _(x: np.ndarray) -> np.ndarray:
    return 2 * x


@solves("six-by-seven", title="Six by seven", task="How many?", hints=("Count.",), name="product")
def six_by_seven() -> int:
    return 6 * 7


six_by_seven.wrong(13, "Added.")


def test_an_exercise_is_the_function_that_solves_it() -> None:
    assert square(np.array([3.0])) == 9 and six_by_seven() == 42
    assert (square.id, square.asks_for_a_value, six_by_seven.asks_for_a_value) == ("square", False, True)
    assert [m.message for m in square.mistakes] == ["You doubled."]


def test_the_reader_sees_a_solution_without_types_and_begins_with_its_first_line() -> None:
    assert square.text == "def square(x, power=2):\n    # each entry by itself\n    return x**power"
    assert square.stub == "def square(x, power=2):\n    return ..."
    assert six_by_seven.text == "product = 6 * 7"
    assert six_by_seven.stub == "product = ..."


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
        (lambda x: (x * x)[:1], "shape is wrong: got (1, 2), too short along axis 0"),
        (lambda x: (x * x).T, "rows and columns are exchanged"),
        (lambda x: (x * x)[::-1, ::-1], "flipped in both directions"),
        (lambda x: x * x + 1, "off by one: your answer is 1 too large"),
        (lambda x: -x * x, "sign"),
        (lambda x: "four", "wrong type"),
        (lambda x: [[1], [2, 3]], "wrong type"),
        (lambda x: (x, x[:, 0]), "wrong type"),
        (lambda x: keras.KerasTensor((2, 2)), "wrong type"),
        (lambda x: sys.exit("enough"), "leaves Python (SystemExit)"),
        (lambda x: x * x * 3, "got [[3.0, 12.0], [27.0, 75.0]]"),
        (mutate, "changes its input"),
        (fail, "raises RuntimeError for the input [[1.0, 2.0], [3.0, 5.0]]: oh"),
        (lambda: 1, "raises TypeError"),
        (9, "hand over the function itself"),
        (lambda x: x**2, "✓ correct."),
    ],
)
def test_every_kind_of_answer_gets_a_helpful_line(answer: object, words: str) -> None:
    assert words in verdict(square, answer)


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
    assert words in verdict(six_by_seven, answer)


def test_an_unknown_exercise_lists_the_known_ones() -> None:
    with pytest.raises(catalogue.UnknownEntry, match=r"no exercise 'image-sise'.*image-sides"):
        checking.check("image-sise", None)


def test_a_hint_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    checking.hint("image-sides", 99)
    assert "there is no number 99" in capsys.readouterr().out


def test_the_solution_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    checking.solution("image-sides")
    assert "def " in capsys.readouterr().out

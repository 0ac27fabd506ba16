"""Hidden inputs are rich enough: a solution with any one operator wrong is rejected, or shown to mean the same."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.course import catalogue, checking, trying
from cnnkit.course.exercises import Cases, solves
from tests.course import slips

ALL = {
    f"{chapter}:{id}": task
    for chapter in catalogue.written_chapters()
    for id, task in catalogue.exercises(chapter).items()
}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "SECONDS", 0.5)


@pytest.mark.parametrize("name", ALL)
def test_every_slip_of_one_operator_is_rejected_or_listed_as_equivalent(name: str) -> None:
    task = ALL[name]
    survive, listed = sorted(slips.survivors(task)), sorted(slip.line for slip in task.equivalents)
    assert survive == listed
    assert all(len(slip.why.split()) >= 5 for slip in task.equivalents)


def _numbers(rng: np.random.Generator) -> Cases:
    yield "two", (np.array([1.0, 3.0]),)
    yield "drawn", (rng.normal(size=5),)


@solves("middle", title="Build", task="Half the range.", hints=("a", "b"), inputs=_numbers)
def middle(x: np.ndarray) -> float:
    return (np.max(x) - np.min(x)) / 2


def test_slips_change_operators_numbers_and_the_names_of_functions() -> None:
    lines = [line for line, _ in slips.slips(middle)]
    assert "return (np.max(x) + np.min(x)) / 2" in lines
    assert "return (np.max(x) - np.min(x)) // 2" in lines
    assert {"return (np.max(x) - np.min(x)) / 3", "return (np.max(x) - np.min(x)) / 1"} <= set(lines)
    assert "return (np.max(x) - np.max(x)) / 2" in lines
    assert len(lines) == len(set(lines))


def test_a_slip_that_hidden_inputs_do_not_see_survives() -> None:
    assert slips.survivors(middle) == []
    poor = solves("poor", title="", task="", hints=(), inputs=[(np.array([0.0, 4.0]),)])(middle.solution)
    assert "return (np.max(x) - np.min(x)) // 2" in slips.survivors(poor)


#: Wrong answers that hidden inputs once let pass, each for want of one corner.
ONCE_ACCEPTED = {
    "overlapping-windows": lambda x, size, stride: ALL["layers/pooling:overlapping-windows"](
        np.maximum(x, 0), size, stride
    ),
    "lp-gradient": lambda a, p: ALL["layers/pooling:lp-gradient"](a, p) * (np.abs(a) / a) ** 2,
    "blind-pixels": lambda n, k, s: ALL["layers/convolution:blind-pixels"](max(n, k), k, s),
}


@pytest.mark.parametrize("id", ONCE_ACCEPTED)
def test_an_answer_that_fails_at_a_corner_only_is_rejected_and_told_the_corner(id: str) -> None:
    (task,) = [task for task in ALL.values() if task.id == id]
    told = checking._verdict(task, ONCE_ACCEPTED[id])
    assert told.startswith("✗ ")
    assert any(f"({case.name})" in told for case in task.cases())


@pytest.mark.parametrize("name", [name for name, task in ALL.items() if not task.asks_for_a_value])
def test_nobody_who_says_the_same_to_every_input_is_taken_for_a_mistake_of_thought(name: str) -> None:
    task = ALL[name]
    yes_and_no = {bool(a) for a in checking._answers(task, task.cases()) if a.dtype == bool and not a.ndim}
    if yes_and_no:
        assert yes_and_no == {True, False}, "hidden inputs of one answer only"
        for mistake in task.mistakes:
            answers = {bool(a) for a in checking._answers(mistake.answer, task.cases())}
            assert answers == {True, False}

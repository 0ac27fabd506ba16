"""Whatever an answer does, the notebook goes on, and the reader is told in one line; what is right stays hidden."""

from __future__ import annotations

import itertools
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import keras
import numpy as np
import pytest

from cnnkit.course import checking, trying
from cnnkit.course.exercises import Cases, Exercise, solves


def _pairs(rng: np.random.Generator) -> Cases:
    yield "all zeros", (np.zeros((2, 3)),)
    yield "whole numbers", (np.array([[1, -4, 0], [2, 9, 7]]),)
    yield "drawn", (rng.normal(size=(3, 5)),)


@solves("thirds", title="Build", task="A third of each.", hints=("a", "b"), inputs=_pairs)
def thirds(x: np.ndarray) -> np.ndarray:
    return x / 3


@solves("gain", title="Compute", task="How much?", hints=("a", "b"))
def gain() -> float:
    return 0.3125


@solves("sides", title="Predict", task="Which, in order?", hints=("a", "b"))
def sides() -> list[str]:
    return ["left", "right"]


@solves("larger", title="Build", task="Is it?", hints=("a", "b"), inputs=[(1, 2), (3, 2), (2, 2)])
def larger(a: int, b: int) -> bool:
    return a > b


def verdict(task: Exercise, answer: Any) -> str:
    return checking._verdict(task, answer)


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odd:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("not an array")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None


def endless(x):
    return endless(x)


def mute(x):
    raise Mute


def stubborn(x):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


def yields(x):
    yield x / 3


async def later(x):
    return x / 3


def loud(x):
    print("x" * 1000, file=sys.stderr)
    print("✓", x)
    warnings.warn("mind", stacklevel=1)
    return x / 3


def careless(x):
    np.seterr(all="raise")
    np.set_printoptions(precision=2)
    return x / 3


def grows(x):
    x += 1
    return x / 3


def interrupts(x):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless, "calls itself without end (RecursionError)"),
        (lambda x: sys.exit(3), "leaves Python (SystemExit)"),
        (lambda x: exit(), "leaves Python (SystemExit)"),
        (mute, "raises Mute for the input [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]] (all zeros): its message cannot be printed"),
        (interrupts, "raises KeyboardInterrupt"),
        (lambda x: 1 / 0, "raises ZeroDivisionError"),
        (yields, "returns a generator, which has no values yet; hand it to `list(...)`"),
        (lambda x: map(abs, x), "returns a map"),
        (later, "write a plain `def`"),
        (grows, "changes its input"),
        (lambda x: range(10**15), "returns 1,000,000,000,000,000 entries"),
        (lambda x: np.zeros(2 * 10**7, dtype="int8"), "returns 20,000,000 entries"),
        (lambda x: Odd(), "wrong type: yours is a Odd"),
        (lambda x: {"a": 1}, "wrong type: yours is a dict, and numbers are asked for"),
        (lambda x: {1, 2}, "yours is a set"),
        (lambda x: "0.5", "yours is text ('0.5'), and numbers are asked for"),
        (lambda x: x + 1j, "yours is a list of complex numbers"),
        (lambda x: np.nan * x, "contains NaN or infinity, for the input"),
        (loud, "✓ correct."),
        (careless, "✓ correct."),
        (lambda x: [[Fraction(float(v)) / 3 for v in row] for row in x], "✓ correct."),
        (lambda x: (x / 3).tolist(), "✓ correct."),
        (lambda x: keras.ops.convert_to_tensor(x / 3), "✓ correct."),
    ],
)  # fmt: skip
def test_whatever_an_answer_does_is_survived_and_told(
    answer: Callable, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, limit = np.geterr(), sys.getrecursionlimit()
    told = verdict(thirds, answer)
    assert words in told and "\n" not in told and len(told) < 400
    assert (np.geterr(), sys.getrecursionlimit()) == (before, limit)
    assert capsys.readouterr() == ("", "")
    np.set_printoptions(precision=8)


@pytest.mark.parametrize("answer", [stubborn, lambda x: [None for _ in itertools.count()]])
@pytest.mark.parametrize("where", ["main", "other"])
def test_an_answer_that_never_ends_is_stopped_in_every_thread(
    answer: Callable, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "SECONDS", 0.3)
    before, told = threading.active_count(), []
    start = time.monotonic()
    if where == "main":
        told.append(verdict(thirds, answer))
    else:
        thread = threading.Thread(target=lambda: told.append(verdict(thirds, answer)))
        thread.start()
        thread.join()
    assert "still running after 0.3 seconds" in told[0] and "(all zeros)" in told[0]
    assert time.monotonic() - start < 3 and threading.active_count() == before


def test_what_cannot_be_interrupted_is_left_behind_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "SECONDS", 0.1)
    monkeypatch.setattr(trying, "PATIENCE", 0.1)
    assert "restart the kernel" in verdict(thirds, lambda x: time.sleep(1.5))


def test_an_answer_has_five_seconds() -> None:
    assert trying.SECONDS == 5


@pytest.mark.parametrize(
    ("task", "answer", "words"),
    [
        (gain, "0.3125", "yours is text ('0.3125'), and a number is asked for"),
        (gain, "Left", "yours is text ('Left'), and a number is asked for"),
        (gain, {"gain": 0.3125}, "yours is a dict, and a number is asked for"),
        (gain, True, "yours is yes or no (True), and a number is asked for"),
        (gain, [0.3125], "one value is asked for, and got 1 in a list"),
        (gain, -0.3125, "not this value; try a hint."),
        (gain, 1.3125, "not this value; try a hint."),
        (gain, float("inf"), "NaN or infinity"),
        (gain, Fraction(5, 16), "✓ correct."),
        (gain, np.float32(0.3125), "✓ correct."),
        (sides, "left", "several values are asked for, in a list or an array, and got one"),
        (sides, ["left"], "the shape is wrong: got (1,), too short"),
        (sides, ["Left", "right "], "exactly as the task does"),
        (sides, ["right", "left"], "not this value; try a hint."),
        (sides, [1, 2], "yours is a list of numbers, and words are asked for"),
        (sides, ("left", "right"), "✓ correct."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_its_type_in_words_and_never_how_far_it_is_off(
    task: Exercise, answer: Any, words: str
) -> None:
    told = verdict(task, answer)
    assert words in told
    given = repr(answer)
    assert "0.3125" not in told or "0.3125" in given


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x / 3 + 1, "off by one: your answer is 1 too large, for every input that was tried"),
        (lambda x: x / 3 - 1, "off by one: your answer is 1 too small"),
        (lambda x: -x / 3, "the sign is the wrong way round"),
        (lambda x: x[::-1, ::-1] / 3, "flipped in both directions"),
        (lambda x: x.T / 3, "the axes are in another order: got the shape (3, 2)"),
        (lambda x: (x / 3).astype(int), "cut to whole numbers: your array has the type int64"),
        (lambda x: np.array(x / 3)[:, :-1], "got (2, 2), too short along axis 1"),
        (lambda x: x.ravel() / 3, "got (6,), which has too few axes"),
    ],
)  # fmt: skip
def test_a_kind_of_mistake_is_named_where_it_explains_every_input(answer: Callable, words: str) -> None:
    assert words in verdict(thirds, answer)


@pytest.mark.parametrize(
    "slip",
    [lambda y: y + 1, lambda y: -y, lambda y: y[::-1, ::-1], lambda y: np.trunc(y).astype(int)],
)
def test_a_kind_of_mistake_that_one_input_shows_by_chance_is_not_named(slip: Callable) -> None:
    def answer(x):
        return slip(x / 3) if x.shape == (2, 3) else x * 5

    told = verdict(thirds, answer)
    assert not re.search("off by one|sign|flipped|whole numbers:", told)
    assert told.startswith("✗ wrong for the input [[")


def test_the_first_input_that_fails_is_shown_with_the_readers_own_value_and_its_first_wrong_entry() -> None:
    told = verdict(thirds, lambda x: np.where(x == 9, 30.0, x / 3))
    assert told == (
        "✗ wrong for the input [[1, -4, 0], [2, 9, 7]] (whole numbers): got [[0.333333, -1.33333, 0.0], [0.666667, 30.0, "
        '2.33333]]; the first entry that is wrong is [1, 1], where you have 30.0. Try `hint("thirds")`.'
    )


@pytest.mark.parametrize("factor", [2.0, 0.5, -3.0])
def test_no_line_shows_what_is_right(factor: float) -> None:
    for case in thirds.cases():
        told = verdict(thirds, lambda x: x * factor + 0.123)
        for right in np.ravel(thirds(*case.arguments)):
            assert f"{right:.6g}" not in told or right in (0, 1, 2, 3), told


def test_yes_and_no_are_not_numbers() -> None:
    assert verdict(larger, lambda a, b: a > b) == "✓ correct."
    assert verdict(larger, lambda a, b: np.bool_(a > b)) == "✓ correct."
    assert "yours is a number (0), and yes or no (True or False) is asked for" in verdict(
        larger, lambda a, b: int(a > b)
    )
    assert "wrong for the input 3, 2: got False" in verdict(larger, lambda a, b: False)


def test_a_name_that_another_cell_has_overwritten_is_not_attempted_or_asked_for_as_a_function() -> None:
    assert verdict(thirds, ...) == "not attempted yet."
    assert "hand over the function itself" in verdict(thirds, 0.5)


def test_hidden_inputs_are_the_same_at_each_call_and_differ_between_exercises() -> None:
    first, again = (thirds.arguments()[2][0] for _ in range(2))
    assert np.array_equal(first, again)
    other = solves("other", title="", task="", hints=(), inputs=_pairs)(thirds.solution)
    assert not np.array_equal(first, other.arguments()[2][0])
    assert [case.name for case in thirds.cases()] == ["all zeros", "whole numbers", "drawn"]


def test_the_readers_own_stop_is_his(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: threading.Thread, timeout: float | None = None) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", stop)
    with pytest.raises(KeyboardInterrupt):
        verdict(thirds, lambda x: x / 3)
    assert sys.stdout is not None and os.devnull not in str(sys.stdout)

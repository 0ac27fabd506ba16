"""A claim prints one stable line when it holds, and raises with both numbers when it does not."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from cnnkit.course import catalogue, claims
from cnnkit.course.breaks import TRIED, Break
from cnnkit.course.claims import Claim, ClaimFailed, claim, collect
from cnnkit.trials import Lead
from tests.course import notebooks as nb


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "find", lambda kind, id, chapter: Claim("It is so.", "arithmetic"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"measured": 60_000, "published": 60_000}, "✓ x: measured 60,000 · published 60,000 · exact"),
        ({"measured": np.int64(138_357_544), "published": 138e6, "rel": 0.01}, "✓ x: measured 138,357,544 · published 138,000,000 · within 1 %"),
        ({"measured": np.float32(0.98765), "at_least": 0.9, "why": "chance is 0.1"}, "✓ x: measured 0.988 · at least 0.9 (chance is 0.1)"),
        ({"measured": 0.5, "at_least": 0.1, "at_most": 0.5, "why": "so"}, "✓ x: measured 0.5 · at least 0.1 and at most 0.5 (so)"),
        ({"measured": (3, 5, 9), "published": [3, 5, 9]}, "✓ x: measured 3 × 5 × 9 · published 3 × 5 × 9 · exact"),
        ({"measured": np.bool_(True), "published": True}, "✓ x: measured yes · published yes · exact"),
        ({"measured": 8.69, "published": 8.7, "abs": 0.05}, "✓ x: measured 8.69 · published 8.7 · within 0.05"),
        ({"measured": 4, "expected": 4}, "✓ x: measured 4 · expected 4 · exact"),
        ({"measured": 0.7, "at_least": 0.5, "why": "chance"}, "✓ x: measured 0.7 · at least 0.5 (chance)"),
    ],
)  # fmt: skip
def test_a_claim_that_holds_prints_one_line(
    arguments: dict, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claim("x", **arguments)
    assert capsys.readouterr().out.strip() == line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"measured": 60_001, "published": 60_000}, "measured 60,001; published 60,000, exact"),
        ({"measured": 1.02, "published": 1.0, "rel": 0.01}, r"measured 1.02; published 1, within 1 %"),
        (
            {"measured": 0.8999, "at_least": 0.9, "why": "so"},
            r"measured 0.9 \(exactly: 0.8999\); at least 0.9",
        ),
        ({"measured": 0.52, "at_most": 0.5, "why": "so"}, "measured 0.52; at most 0.5"),
        ({"measured": 0.52, "at_least": 0.1, "at_most": 0.5, "why": "so"}, "at least 0.1 and at most 0.5"),
        ({"measured": math.nan, "at_least": 0.0, "why": "so"}, "measured nan"),
        ({"measured": math.nan, "published": 1.0, "rel": 0.5}, "measured nan"),
        ({"measured": math.inf, "at_least": 0.0, "why": "so"}, "measured inf"),
        ({"measured": (3, 5), "published": (3, 5, 9)}, "published 3 × 5 × 9"),
        ({"measured": False, "published": True}, "measured no; published yes"),
    ],
)
def test_a_claim_that_does_not_hold_shows_both_numbers(arguments: dict, words: str) -> None:
    with pytest.raises(ClaimFailed, match=words):
        claim("x", **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"measured": 1},
        {"measured": 1, "published": 1, "at_least": 0},
        {"measured": 1, "published": 1, "rel": 0.1, "abs": 0.1},
        {"measured": 1, "published": 1, "expected": 1},
        {"measured": 1, "expected": 1, "at_most": 2},
        {"measured": 1, "at_least": 0, "rel": 0.1},
        {"measured": "one", "published": 1.0, "rel": 0.1},
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(arguments: dict) -> None:
    with pytest.raises(TypeError, match="claim 'x'"):
        claim("x", **arguments)


@pytest.mark.parametrize("why", ["", "  "])
@pytest.mark.parametrize("bounds", [{"at_least": 0}, {"at_most": 2}, {"at_least": 0, "at_most": 2}])
def test_a_bound_without_its_reason_is_refused_and_told_what_a_reason_is(bounds: dict, why: str) -> None:
    with pytest.raises(TypeError, match=r"claim 'x'.*without a reason: say with why=.*'chance is 0\.1'"):
        claim("x", 1, **bounds, why=why)


def test_a_claim_that_is_both_published_and_expected_is_told_that_it_has_both() -> None:
    with pytest.raises(TypeError, match=r"needs one of published=.* it has published and expected"):
        claim("x", 1, published=1, expected=1)


def test_bounds_that_nothing_can_meet_are_refused() -> None:
    with pytest.raises(TypeError, match="at_least=2 is above at_most=1: nothing can lie between"):
        claim("x", 1, at_least=2, at_most=1, why="so")


AHEAD = Lead(0.02, 0.01, 0.03, "a reads 2 points more than b")


def test_a_verdict_is_held_to_a_bound_by_its_whole_interval(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim("x", AHEAD, at_least=0.0, why="its sign is the question")
    line = "✓ x: measured a reads 2 points more than b · at least 0 (its sign is the question)\n"
    assert capsys.readouterr().out == line
    for bounds in ({"at_least": 0.015}, {"at_most": 0.025}):
        with pytest.raises(ClaimFailed, match="a reads 2 points more than b"):
            claim("x", AHEAD, **bounds, why="so")


def test_a_statement_that_has_room_for_the_measured_says_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        claims, "find", lambda kind, id, chapter: Claim("Twelve layers deep, {measured}.", "us")
    )
    claim("x", AHEAD, at_least=0.0, why="so")
    assert (
        capsys.readouterr().out == "✓ Twelve layers deep, a reads 2 points more than b. · at least 0 (so)\n"
    )


def test_a_claim_says_what_makes_it_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(claims, "breaks", lambda chapter: {"x": Break("labels are shuffled", "a", "b")})
    monkeypatch.setattr(claims.notebook, "current_chapter", lambda: "layers/pooling")
    claim("x", 3, at_least=2, why="so")
    assert capsys.readouterr().out == "✓ x: measured 3 · at least 2 (so) · fails when labels are shuffled\n"


def test_while_a_break_runs_only_its_own_claim_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TRIED, "x")
    claim("y", 1, at_least=2, why="so")
    assert capsys.readouterr().out == ""
    with pytest.raises(ClaimFailed):
        claim("x", 1, at_least=2, why="so")


def test_an_unknown_claim_lists_the_known_ones_of_its_chapter() -> None:
    with pytest.raises(
        catalogue.UnknownEntry, match=r"chapter 'models/lenet' has no claim 'lenet5-param'.*lenet5-params"
    ):
        catalogue.find("claim", "lenet5-param", "models/lenet")


def test_an_unknown_chapter_is_told_the_nearest() -> None:
    with pytest.raises(catalogue.UnknownEntry, match="layers/convolution"):
        catalogue.chapter_module("layers/convolutions")


def test_claim_ids_are_unique_in_the_whole_book() -> None:
    ids = [id for chapter in catalogue.written_chapters() for id in catalogue.claims(chapter)]
    assert len(ids) == len(set(ids))


def test_claim_ids_are_fit_for_addresses() -> None:
    assert [id for id in catalogue.claims() if not re.fullmatch(r"[a-z][a-z0-9-]*", id)] == []


def test_every_claim_says_something_and_names_its_source() -> None:
    faults = [
        id
        for id, entry in catalogue.claims().items()
        if len(entry.statement.split()) < 4 or not entry.source or "$" in entry.statement
    ]
    assert faults == []


def test_every_bound_of_the_book_has_its_reason() -> None:
    bare = {
        f.chapter for f in collect(nb.CHAPTERS) if f.rule.startswith(("at least", "at most")) and not f.why
    }
    assert not bare


def test_all_findings_are_collected_from_the_notebooks() -> None:
    found = {f.id for f in collect(nb.CHAPTERS)}
    called = {id for chapter in nb.all_chapters() for id in nb.calls(nb.read(chapter), "claim")}
    assert found == called

"""Breaks: a replacement is made once or refused, a record is of today's cells, and an empty claim is found out."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnkit.course import breaks, catalogue
from cnnkit.course.breaks import Break, BreakError, Record, broken, digest, unproven

CHANGE = Break("nothing is added", old="x + 1", new="x")


def code(*cells: str, bounded: str = "grows") -> dict:
    made = [{"cell_type": "code", "source": [cell], "metadata": {}, "outputs": []} for cell in cells]
    found = {"id": bounded, "rule": "at least 1"}
    made[-1]["outputs"] = [{"metadata": {"cnnkit-claim": found}}]
    return {"cells": made}


NOTEBOOK = code("x = 1", "y = x + 1", 'claim("grows", y, at_least=2)')


@pytest.fixture
def chapter(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A chapter whose breaks a test can set."""
    module = SimpleNamespace(BREAKS={"grows": CHANGE})
    monkeypatch.setattr(catalogue, "chapter_module", lambda name: module)
    return module


def record(outcome: str = "failed", notebook: dict = NOTEBOOK) -> dict:
    row = Record("c", "grows", CHANGE.when, digest(notebook, "grows", CHANGE), outcome, "why", 1.0)
    return {("c", "grows"): row}


def test_a_break_replaces_its_text_and_runs_up_to_the_claim() -> None:
    assert broken(NOTEBOOK, "grows", CHANGE) == ["x = 1", "y = x", 'claim("grows", y, at_least=2)']
    longer = {"cells": [*NOTEBOOK["cells"], *code("later = x + 1")["cells"]]}
    assert broken(longer, "grows", CHANGE) == broken(NOTEBOOK, "grows", CHANGE)


def test_a_break_that_matches_nothing_or_twice_is_refused() -> None:
    with pytest.raises(BreakError, match=r"replaces 'x \+ 2', which stands nowhere"):
        broken(NOTEBOOK, "grows", Break("nothing is added", old="x + 2", new="x"))
    with pytest.raises(BreakError, match="stands 2 times, in code cells 0, 1"):
        broken(code("y = x + 1", "z = x + 1", 'claim("grows", y)'), "grows", CHANGE)
    with pytest.raises(BreakError, match="makes no claim 'shrinks'"):
        broken(NOTEBOOK, "shrinks", CHANGE)


def test_a_break_of_a_claim_that_is_not_made_is_told_the_nearest() -> None:
    with pytest.raises(
        BreakError, match="makes no claim 'grow', so there is nothing to break; did you mean 'grows'"
    ):
        broken(NOTEBOOK, "grow", CHANGE)


def test_a_break_that_changes_nothing_or_does_not_say_what_it_takes_away_is_refused() -> None:
    with pytest.raises(BreakError, match=r"replaces 'x \+ 1' by itself: let new= take the cause away"):
        broken(NOTEBOOK, "grows", Break("nothing is added", old="x + 1", new="x + 1"))
    with pytest.raises(BreakError, match="does not say when= the claim fails"):
        broken(NOTEBOOK, "grows", Break(" ", old="x + 1", new="x"))


def test_a_claim_whose_break_failed_on_todays_cells_is_proven(chapter: SimpleNamespace) -> None:
    assert unproven("c", NOTEBOOK, record()) == []


def test_a_bounded_claim_without_a_break_is_found(chapter: SimpleNamespace) -> None:
    chapter.BREAKS = {}
    assert unproven("c", NOTEBOOK, {}) == [
        "'grows' has no break: add one to BREAKS of chapters/c, with what takes its cause away"
    ]


def test_a_break_that_was_not_run_on_todays_cells_is_found(chapter: SimpleNamespace) -> None:
    assert "was never run" in unproven("c", NOTEBOOK, {})[0]
    edited = code("x = 2", "y = x + 1", 'claim("grows", y, at_least=2)')
    assert "was run on other cells than today's" in unproven("c", edited, record())[0]


@pytest.mark.parametrize("outcome", ["held", "another error"])
def test_a_claim_that_holds_without_its_cause_is_found(outcome: str, chapter: SimpleNamespace) -> None:
    assert unproven("c", NOTEBOOK, record(outcome)) == [
        f"'grows' does not fail when nothing is added: {outcome} (why)"
    ]


def test_chapters_have_breaks_but_for_those_that_are_listed_and_the_list_only_gets_shorter() -> None:
    bare = {name for name in catalogue.written_chapters() if not breaks.breaks(name)}
    assert not bare


def test_what_was_seen_to_fail_is_known_and_nothing_else(chapter: SimpleNamespace) -> None:
    assert breaks.seen_to_fail("c", NOTEBOOK, record()) == {"grows"}
    edited = code("x = 2", "y = x + 1", 'claim("grows", y, at_least=2)')
    for kept, notebook in ((record("held"), NOTEBOOK), (record(), edited), ({}, NOTEBOOK)):
        assert breaks.seen_to_fail("c", notebook, kept) == set()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of a test's own."""
    monkeypatch.setattr(breaks, "_file", lambda: tmp_path / "breaks.csv")
    return tmp_path / "breaks.csv"


def row(claim: str) -> Record:
    return Record("layers/pooling", claim, "it is so", "abc", "failed", 'why, "so"', 1.5)


def test_the_record_grows_and_keeps_what_another_process_has_added(file: Path) -> None:
    breaks._keep(row("b"))
    breaks._keep(row("a"))
    assert list(breaks.recorded().values()) == [row("a"), row("b")]
    assert [path.name for path in file.parent.iterdir()] == ["breaks.csv"]


def test_a_full_disk_leaves_the_record_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks._keep(row("a"))
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(breaks.csv.DictWriter, "writerow", full)
    with pytest.raises(
        BreakError, match=r"break of 'b' could not be recorded in .* \(No space left on device\).*make room"
    ):
        breaks._keep(row("b"))
    assert file.read_bytes() == before and [path.name for path in file.parent.iterdir()] == ["breaks.csv"]


def test_a_record_cut_in_half_is_named_with_its_row(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    breaks._keep(row("a"))
    breaks._keep(row("b"))
    file.write_bytes(file.read_bytes()[:-25])
    with pytest.raises(
        BreakError, match=r"holds a row that cannot be read, of 'layers/pooling' and 'b': delete it"
    ):
        breaks.recorded()
    assert breaks.main([]) == 2
    assert "holds a row that cannot be read" in capsys.readouterr().err


def test_a_chapter_without_breaks_is_told_where_they_belong(
    chapter: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    chapter.BREAKS = {}
    assert breaks.main(["layers/pooling"]) == 2
    assert (
        capsys.readouterr().err
        == "chapter 'layers/pooling' has no breaks: list them as BREAKS in its sidecar\n"
    )


def test_a_break_that_cannot_be_made_is_named_with_its_chapter_before_any_is_run(
    chapter: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaks, "_read", lambda name: NOTEBOOK)
    chapter.BREAKS = {"grows": CHANGE, "shrinks": CHANGE}
    assert breaks.main(["layers/pooling"]) == 2
    assert capsys.readouterr().err.startswith("layers/pooling: the chapter makes no claim 'shrinks'")


def test_every_break_of_the_book_was_run_on_todays_cells_and_failed_as_it_should() -> None:
    kept, faults = breaks.recorded(), []
    for name in catalogue.written_chapters():
        if breaks.breaks(name):
            faults += [f"{name}: {fault}" for fault in unproven(name, breaks._read(name), kept)]
    assert faults == []


def test_an_unknown_chapter_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert breaks.main(["layers/poling"]) == 2
    assert "did you mean 'layers/pooling'" in capsys.readouterr().err


@pytest.mark.slow  # starts two kernels
def test_breaks_run_in_kernels_of_their_own_and_tell_failing_from_holding(
    chapter: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        "from cnnkit.course.claims import ClaimFailed",
        "x = 1",
        "def claim(id, value, at_least):\n    if value < at_least:\n        raise ClaimFailed(f\"claim '{id}' does not hold\")",
        "y = x + 1",
        'claim("grows", y, at_least=2)',
    ]
    assert breaks.run("c", "grows", code(*lines)).outcome == "failed"
    chapter.BREAKS = {"grows": Break("nothing changes", old="x + 1", new="x + 1 + 0")}
    assert breaks.run("c", "grows", code(*lines)).outcome == "held"
    chapter.BREAKS = {"grows": Break("a name is missing", old="x + 1", new="z")}
    found = breaks.run("c", "grows", code(*lines))
    assert found.outcome == "another error" and found.message.startswith("NameError")
    assert json.loads(json.dumps(found.seconds)) > 0

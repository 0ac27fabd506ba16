"""Each row of the ledger is settled as it says, and coverage counts what is, and nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cnnkit.course import catalogue, ledger
from cnnkit.course.claims import Claim
from cnnkit.course.coverage import coverage, marked_claims, marked_told, unsettled
from cnnkit.course.ledger import SETTLED, Row
from tests.course import notebooks as nb

LEDGER = """id,chapter,claim,settled,settled_by
lenet5-params,models/lenet,It is so.,claim,
told,models/lenet,It is so.,told,
forgotten,models/lenet,It is so.,told,
undecided,models/lenet,It is so.,,
later,models/alexnet,It is so.,,
"""
CELLS = [
    {"cell_type": "markdown", "metadata": {"ledger": ["told", "of-another-chapter"]}, "source": ["Told."]},
    {"cell_type": "code", "metadata": {}, "source": ['claim("lenet5-params", measured=60_000, published=60_000)']},
]  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "chapters" / "models").mkdir(parents=True)
    (tmp_path / "chapters/models/lenet.ipynb").write_text(json.dumps({"cells": CELLS}), "utf-8")
    (tmp_path / "ledger.csv").write_text(LEDGER, "utf-8")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/glossary.md").write_text(
        "# Glossary\n\nMax pooling (overlapping)\n: The largest.\n", "utf-8"
    )
    (tmp_path / "book/myths.md").write_text(
        "# Myths\n\n(tile-25)=\n## Twenty-five neurons\n\nWeights.\n", "utf-8"
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("def test_it():\n    pass\n", "utf-8")
    return tmp_path


def test_a_row_is_covered_by_its_mark_or_by_its_claim_alone(book: Path) -> None:
    lenet, alexnet = coverage(book / "chapters", book / "ledger.csv")
    assert (lenet.chapter, lenet.stands) == ("models/lenet", True)
    assert lenet.owed == {"lenet5-params", "told", "forgotten", "undecided"}
    assert lenet.covered == {"lenet5-params", "told"}
    assert (alexnet.chapter, alexnet.stands, alexnet.covered) == ("models/alexnet", False, frozenset())


@pytest.mark.parametrize(
    ("settled", "by", "want"),
    [
        ("claim", "", "no claim of the chapter settles it"),
        ("told", "", "no cell's metadata marks it"),
        ("glossary", "Max pooling", None),
        ("glossary", "Max pool", "which book/glossary.md does not have"),
        ("glossary", "", "which book/glossary.md does not have"),
        ("myths", "Twenty-five neurons", None),
        ("myths", "Thirty neurons", "which book/myths.md does not have"),
        ("myths", "tile-25", None),
        ("myths", "tile", "which book/myths.md does not have"),
        ("myths", "tile-25-neurons", "which book/myths.md does not have"),
        ("test", "tests/test_a.py::test_it", None),
        ("test", "tests/test_a.py::test_that", "there is no such test"),
        ("test", "tests/test_a.py", "there is no such test"),
        ("test", "tests/test_b.py::test_it", "there is no such test"),
        ("", "", "does not say how it is settled"),
        ("mentioned", "", "does not say how it is settled"),
    ],
)
def test_a_row_that_is_not_settled_as_it_says_is_named(
    settled: str, by: str, want: str | None, book: Path
) -> None:
    row = Row("row", "models/lenet", "It is so.", settled, by)
    faults = unsettled("models/lenet", {"cells": CELLS}, [row], book)
    assert set(faults) == (set() if want is None else {"row"})
    assert want is None or want in faults["row"]


def test_a_claim_settles_the_rows_that_it_names_besides_its_own() -> None:
    cells = [{"cell_type": "code", "metadata": {}, "source": ['claim("pooling-saves-time", 1)']}]
    assert marked_claims({"cells": cells}, "layers/pooling") == {
        "pooling-saves-time",
        "pooling-purposes",
    }
    assert marked_told({"cells": cells}) == set()


def test_every_row_of_a_chapter_that_stands_says_how_it_is_settled_and_no_other_does() -> None:
    standing = set(nb.all_chapters())
    known = {row.id for row in nb.ledger().values() if row.settled in SETTLED}
    assert known == {row.id for row in nb.ledger().values() if row.chapter in standing}


def test_the_coverage_of_the_book_is_whole_where_a_chapter_stands() -> None:
    rows = coverage(nb.CHAPTERS, nb.ROOT / "data/ledger.csv")
    standing = [row.chapter for row in rows if row.stands]
    assert standing == nb.all_chapters()
    assert all(row.covered == (row.owed if row.stands else frozenset()) for row in rows)


@pytest.mark.parametrize("table", ["ledger.csv", "references.csv"])
def test_every_row_of_a_table_has_the_fields_of_its_head(table: str) -> None:
    with (nb.ROOT / "data" / table).open(encoding="utf-8", newline="") as opened:
        head, *rows = csv.reader(opened)
    assert [row[0] for row in rows if len(row) != len(head)] == []


def test_a_checked_row_says_what_was_found(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    head = "id,chapter,claim,checked,checked_statement\n"
    file.write_text(
        f"{head}a,x,Said.,confirmed,Found.\nb,x,Said.,unconfirmed,Sought.\nc,x,Said.,,\n", "utf-8"
    )
    assert [row.statement for row in ledger.rows(file).values()] == ["Found.", "Said.", "Said."]


def test_a_claim_without_words_takes_those_of_its_row_and_one_with_words_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = {"relu": Claim(source="arithmetic"), "elu": Claim("More is said here.", "arithmetic")}
    module = type("Chapter", (), {"CLAIMS": claims})
    monkeypatch.setattr(catalogue, "chapter_module", lambda name: module)
    found = catalogue.claims("layers/activations")
    assert found["relu"].statement == nb.ledger()["relu"].statement != ""
    assert found["elu"].statement == "More is said here."


def test_a_claim_without_words_and_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type("Chapter", (), {"CLAIMS": {"no-such-row": Claim(source="arithmetic")}})
    monkeypatch.setattr(catalogue, "chapter_module", lambda name: module)
    with pytest.raises(LookupError, match=r"claim 'no-such-row' has no statement.*write one"):
        catalogue.claims("layers/activations")

"""Coverage counts what a notebook marks, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnkit.course.ledger import coverage

LEDGER = "id,chapter\nlenet5-params,models/lenet\ntold,models/lenet\nforgotten,models/lenet\nlater,models/alexnet\n"
CELLS = [
    {"cell_type": "markdown", "metadata": {"ledger": ["told", "of-another-chapter"]}, "source": ["Told."]},
    {"cell_type": "code", "metadata": {}, "source": ['claim("lenet5-params", measured=60_000, published=60_000)']},
]  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "chapters" / "models").mkdir(parents=True)
    (tmp_path / "chapters/models/lenet.ipynb").write_text(json.dumps({"cells": CELLS}), "utf-8")
    (tmp_path / "ledger.csv").write_text(LEDGER, "utf-8")
    return tmp_path


def test_a_row_is_covered_by_its_mark_or_by_its_claim_alone(book: Path) -> None:
    lenet, alexnet = coverage(book / "chapters", book / "ledger.csv")
    assert (lenet.chapter, lenet.stands) == ("models/lenet", True)
    assert lenet.owed == {"lenet5-params", "told", "forgotten"}
    assert lenet.covered == {"lenet5-params", "told"}
    assert (alexnet.chapter, alexnet.stands, alexnet.covered) == ("models/alexnet", False, frozenset())

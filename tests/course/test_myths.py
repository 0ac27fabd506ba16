"""The Myths page: each entry is a row of the ledger, and says who says it, what is so, and what was measured."""

from __future__ import annotations

import csv
import re

from cnnkit.course.claims import collect
from tests.course import notebooks as nb

PAGE = (nb.ROOT / "book/myths.md").read_text(encoding="utf-8")
#: Each entry by its anchor: its heading and its text.
ENTRIES = {
    anchor: (heading, text)
    for anchor, heading, text in re.findall(
        r"^\(([\w-]+)\)=\n### (.+)\n((?:(?!^\(|^## ).*\n?)*)", PAGE, re.MULTILINE
    )
}
#: Rows of chapters that are being made anew: their entries come with them.  This list only gets shorter.
TO_COME = {
    "seed-000-broken-fences",
    "fukushima-1969-model",
    "neocognitron-depth",
}


def doubted() -> set[str]:
    """The rows of the chapters that stand which the ledger tells to check."""
    with (nb.ROOT / "data/ledger.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    standing = set(nb.all_chapters())
    return {r["id"] for r in rows if r["chapter"] in standing and r["how_to_show"].startswith("CHECK")}


def test_every_doubted_row_of_a_chapter_that_stands_has_its_entry_and_nothing_else_has() -> None:
    assert set(ENTRIES) == doubted() - TO_COME
    assert PAGE.count("\n### ") == len(ENTRIES)


def test_every_entry_says_who_says_it_and_what_is_so_in_this_order() -> None:
    for anchor, (heading, text) in ENTRIES.items():
        assert not heading.endswith("."), anchor
        assert text.index("**Who says so.**") < text.index("**What is so.**"), anchor


def test_whoever_is_quoted_is_named_at_the_top_with_the_edition_that_was_read() -> None:
    named = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", PAGE, re.MULTILINE)
    assert len(named) == 4 and all(re.search(r"no date|without a date|\b20\d\d\b", text) for _, text in named)
    for anchor, (_, text) in ENTRIES.items():
        said = text.partition("**What is so.**")[0].lower()
        assert any(name.lower() in said for name, _ in named), anchor


def test_every_entry_rests_on_a_claim_of_a_chapter_or_on_a_source_that_is_linked() -> None:
    made = {finding.id for finding in collect(nb.CHAPTERS)}
    for anchor, (_, text) in ENTRIES.items():
        claims = re.findall(r"^```\{measured\} (\S+)\n```$", text, re.MULTILINE)
        assert set(claims) <= made, anchor
        assert claims or "https://doi.org/" in text or "https://arxiv.org/" in text, anchor


def test_every_work_that_is_cited_stands_among_the_references_and_was_read() -> None:
    with (nb.ROOT / "data/references.csv").open(encoding="utf-8", newline="") as file:
        read = {
            w["doi_or_arxiv"].removeprefix("arXiv:").lower()
            for w in csv.DictReader(file)
            if w["identifier_read"] == "yes"
        }
    cited = re.findall(r"https://(?:doi\.org|arxiv\.org/abs)/([^)\s]+)", PAGE)
    assert sorted({work for work in cited if work.lower() not in read}) == []

"""Tables that a page asks for by a word: claims, coverage, references, and the names of the package."""

from __future__ import annotations

import csv
import functools
import importlib
import re
from typing import TYPE_CHECKING

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from cnnkit._names import unknown
from cnnkit.course.catalogue import reading_order
from cnnkit_book import api, shelf
from cnnkit_book.shelf import ROOT

if TYPE_CHECKING:
    from cnnkit.course.claims import Finding


def setup(app: Sphinx) -> None:
    app.connect("source-read", fill_in_tables)


def fill_in_tables(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the tables where a page asks for them, before it is parsed, so that their headings are the page's own."""
    if not docname.startswith("chapters/"):
        source[0] = re.sub(
            r"^```\{(\w+)\}[ ]?(\S*)\n```$",
            lambda asked: "\n".join(TABLES[asked[1]](asked[2])) if asked[1] in TABLES else asked[0],
            source[0],
            flags=re.MULTILINE,
        )


def claims(_: str) -> list[str]:
    """Every claim that the notebooks checked: statement, source, measured, held to what, what makes it fail, its cell."""
    from cnnkit.course import breaks
    from cnnkit.course.claims import collect

    findings, record = collect(ROOT / "chapters"), breaks.recorded()
    chapters = list(dict.fromkeys(finding.chapter for finding in findings))
    seen = {
        (chapter, claim)
        for chapter in chapters
        for claim in breaks.seen_to_fail(chapter, shelf.notebook(chapter), record)
    }
    lines = [
        f"{len(findings)} claims, each measured when its chapter last ran, and again on every test. {len(seen)} of them were "
        "seen to fail when their cause was taken away."
    ]
    for chapter in chapters:
        lines += ["", f"## {shelf.title(chapter)}", "", "::::{container} claims", ""]
        lines += ["| what is said | measured | held to | fails when |", "|---|---|---|---|"]
        for finding in (f for f in findings if f.chapter == chapter):
            statement = finding.statement.replace("|", "\\|")
            lines.append(
                f'| <a href="../chapters/{chapter}.html#claim-{finding.id}">{statement}</a> <br> {_source(finding.source)} '
                f"| {finding.measured} | {_held(finding)} | {_fails(finding, (chapter, finding.id) in seen)} |"
            )
        lines += ["", "::::"]
    return lines


def measured(id: str) -> list[str]:
    """What one claim measured, for a page that rests on it, with a link to its cell."""
    findings = _findings()
    if id not in findings:
        raise ExtensionError(unknown("claim of the chapters", id, findings))
    finding = findings[id]
    where = f'<a href="../chapters/{finding.chapter}.html#claim-{id}">{shelf.title(finding.chapter)}</a>'
    number = "" if finding.measured in ("0", "yes") else f" (measured {finding.measured})"
    return [f"**Measured**, in {where}: {_safe(finding.statement.rstrip('.'))}{number}."]


@functools.cache
def _findings() -> dict[str, Finding]:
    """Every claim by its id; the Myths page asks for two dozen of them, one after the other."""
    from cnnkit.course.claims import collect

    return {finding.id: finding for finding in collect(ROOT / "chapters")}


def _held(finding: Finding) -> str:
    """What a claim is held to: a published number, theory's, or a bound and its reason."""
    beside = [f"{word} {value}" for word in ("published", "expected") if (value := getattr(finding, word))]
    reason = f" ({finding.why})" if finding.why else ""
    return f"✓ {', '.join([*beside, finding.rule])}{reason}".replace("|", "\\|")


def _fails(finding: Finding, seen: bool) -> str:
    """What makes a claim fail, and whether that was seen."""
    if not finding.fails_when:
        return "·"
    return f"{finding.fails_when.replace('|', chr(92) + '|')} ({'seen' if seen else 'not seen yet'})"


def coverage_table(_: str) -> list[str]:
    """How many of the topics that a chapter owes its reader are dealt with."""
    from cnnkit.course.coverage import coverage

    rows = coverage(ROOT / "chapters", ROOT / "data/ledger.csv")
    done, owed = sum(len(r.covered) for r in rows), sum(len(r.owed) for r in rows)
    lines = [
        f"{done} of {owed} topics and claims are dealt with so far; a chapter without a link is still to come."
    ]
    lines += ["", "| chapter | dealt with | of |", "|---|---:|---:|"]
    for row in rows:
        name = (
            f"[{shelf.title(row.chapter)}](../chapters/{row.chapter}.ipynb)"
            if row.stands
            else _spoken(row.chapter)
        )
        lines.append(f"| {name} | {len(row.covered)} | {len(row.owed)} |")
    return lines


def references(_: str) -> list[str]:
    """The works behind the chapters that stand, by the identifier that was read."""
    standing = set(reading_order())
    with (ROOT / "data/references.csv").open(encoding="utf-8", newline="") as file:
        works = [
            work
            for work in csv.DictReader(file)
            if work["identifier_read"] == "yes"
            and work["doi_or_arxiv"]
            and standing & set(re.split(r"[; ]+", work["chapters"]))
        ]
    lines = [f"{len(works)} works."]
    for work in sorted(works, key=lambda w: (w["authors"], w["year"])):
        title = work["title"].rstrip(".")
        lines += [
            "",
            f"- {work['authors']} ({work['year']}). *{title}*{'' if title.endswith('?') else '.'} {work['venue']}. "
            f"{_source(_prefixed(work['doi_or_arxiv']))}",
        ]
    return lines


def modules(_: str) -> list[str]:
    """The parts of the package, each with what it is."""
    lines = ["| module | what it holds |", "|---|---|"]
    for name in api.modules():
        told = api.first_line(importlib.import_module(name))
        lines.append(f"| [`{name}`]({name.removeprefix('cnnkit.')}.md) | {_safe(told)} |")
    return lines


def names(module: str) -> list[str]:
    """What a part of the package offers: each name with its first line and its chapter."""
    lines = ["::::{container} names", "", "| name | what it is | taught in |", "|---|---|---|"]
    for name, thing in api.public().items():
        if name.rpartition(".")[0] == module:
            chapter = api.chapter_of(thing)
            stands = (ROOT / f"chapters/{chapter}.ipynb").is_file()
            where = f"[{shelf.title(chapter)}](/chapters/{chapter}.ipynb)" if stands else chapter or ""
            short = name.split(".")[-1]
            linked = f"{{py:obj}}`{short} <{name}>`" if api.described(thing) else f"`{short}`"
            lines.append(f"| {linked} | {_safe(api.first_line(thing))} | {where} |")
    return [*lines, "", "::::"]


TABLES = {
    "claims": claims,
    "measured": measured,
    "coverage": coverage_table,
    "references": references,
    "modules": modules,
    "names": names,
}


def _prefixed(identifier: str) -> str:
    if identifier.startswith("https://"):  # a page that was read, of a work without a DOI that was
        return f"<{identifier}>"
    return (
        f"doi:{identifier}" if identifier.startswith("10.") else f"arXiv:{identifier.removeprefix('arXiv:')}"
    )


def _source(text: str) -> str:
    text = re.sub(r"\bdoi:(10\.[^\s,;]+[^\s,;.])", r"[doi:\1](https://doi.org/\1)", text)
    return re.sub(r"\barXiv:([\w./-]*\d)", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def _spoken(name: str) -> str:
    """`training/transfer-learning` as a reader would say it."""
    return name.rpartition("/")[2].replace("-", " ")


def _safe(text: str) -> str:
    """A docstring's sentence in a Markdown table: markup only inside of `code`, and no new column anywhere."""
    parts = text.split("`")
    outside = [re.sub(r"([*_$<\[\\])", r"\\\1", part) for part in parts[::2]]
    parts[::2] = outside
    return "`".join(parts).replace("|", "\\|")

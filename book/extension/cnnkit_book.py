"""The book's Sphinx extension: what the pages need beyond Jupyter Book.

- a figure's alt text and width travel from the notebook's output to the page;
- where a page says `{claims}`, `{coverage}`, `{references}` or `{chapters}`, it gets a table from the notebooks and from data/;
- `{live}` puts a live figure on a page that is not a notebook;
- an API page links each object to the chapter that teaches it.
"""

from __future__ import annotations

import csv
import inspect
import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]


def carry_alt_text(app: Sphinx, docname: str, source: list[str]) -> None:
    """MyST-NB reads alt text from a cell's metadata only; `figure()` leaves it in the output's."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            image = output.get("metadata", {}).get("image/png", {})
            if "alt" in image:
                cell["metadata"].setdefault("mystnb", {})["image"] = {
                    "alt": image["alt"],
                    "width": f"{image['width']}px",
                }
    source[0] = json.dumps(notebook)


def link_chapter(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make a docstring, which is plain text, safe for reStructuredText, and link its chapter and its papers."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    lines[:] = [line for block in blocks if block for line in [*_safe(block, app.env.found_docs), ""]]


def true_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """A Keras layer's own arguments: its base class hides them behind `__new__(*args, **kwargs)`."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    arguments = list(inspect.signature(obj.__init__).parameters.values())[1:]
    bare = [argument.replace(annotation=inspect.Parameter.empty) for argument in arguments]
    return str(inspect.Signature(bare)), returns


def _safe(block: list[str], pages: set[str]) -> list[str]:
    """One paragraph of a docstring: an example and a formula stay as they are, the rest is escaped and linked."""
    if block[0].lstrip().startswith(">>>"):
        return block
    if all(line.startswith("    ") for line in block):
        return ["::", "", *block]
    if block[0].strip() == "Args:":
        return ["Arguments:", "", *_items(block[1:])]
    is_list = block[0].lstrip().startswith(("- ", "* "))
    safe = []
    for line in block:
        chapter = re.match(r"Chapter: ([\w/-]+)\.?$", line.strip())
        if chapter:
            page = f"chapters/{chapter[1]}"
            linked = f"Chapter: :doc:`{chapter[1]} </{page}>`" if page in pages else f"Chapter: {chapter[1]}"
            safe.append(f"| {linked}")
        elif line.startswith("Paper: "):
            safe.append(f"| {_linked(_escaped(line))}")
        else:
            if safe and re.match(r"(Arguments|Input shape|Output shape|Returns): ", line.strip()):
                safe.append("")
            safe.append(_linked(_escaped(line if is_list else line.strip())))
    return safe


def _items(block: list[str]) -> list[str]:
    """The arguments that a docstring lists, `name: meaning` and its further lines, as a list."""
    margin = min(len(line) - len(line.lstrip()) for line in block)
    listed: list[str] = []
    for line in block:
        text = _linked(_escaped(line.strip()))
        if len(line) - len(line.lstrip()) == margin:
            name, meaning = text.split(":", 1)
            text = f"- **{name}**:{meaning}"
        listed.append(text if text.startswith("- ") else f"  {text}")
    return listed


def _escaped(line: str) -> str:
    """Escape what reStructuredText would read as markup, outside of `code`."""
    parts = line.replace("``", "`").split("`")
    if len(parts) % 2 == 0:  # a backtick without a second
        return re.sub(r"([*|`\\]|_)", r"\\\1", line)
    return "`".join(
        part if number % 2 else re.sub(r"([|\\]|(?<!^)\*|_)", r"\\\1", part)
        for number, part in enumerate(parts)
    )


def _linked(text: str) -> str:
    text = re.sub(r"\bdoi:(10\.[^\s,;]+[^\s,;.])", r"`doi:\1 <https://doi.org/\1>`__", text)
    return re.sub(r"\barXiv:(\d{4}\.\d{4,5})", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", text)


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
    """Every claim that the notebooks checked: statement, source, measured, published, verdict, link to its cell."""
    from cnnkit.course.claims import collect

    findings = collect(ROOT / "chapters")
    lines = [f"{len(findings)} claims, each measured when its chapter last ran, and again on every test."]
    for chapter in dict.fromkeys(finding.chapter for finding in findings):
        lines += ["", f"## {_title(chapter)}", "", "::::{container} claims", ""]
        lines += ["| what is said | measured | published | holds |", "|---|---|---|---|"]
        for finding in (f for f in findings if f.chapter == chapter):
            statement = finding.statement.replace("|", "\\|")
            lines.append(
                f'| <a href="../chapters/{chapter}.html#claim-{finding.id}">{statement}</a> <br> {_source(finding.source)} '
                f"| {finding.measured} | {finding.published or '·'} | ✓ {finding.rule} |"
            )
        lines += ["", "::::"]
    return lines


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
            f"[{_title(row.chapter)}](../chapters/{row.chapter}.ipynb)"
            if row.stands
            else _spoken(row.chapter)
        )
        lines.append(f"| {name} | {len(row.covered)} | {len(row.owed)} |")
    return lines


def references(_: str) -> list[str]:
    """The works behind the chapters that stand, by the identifier that was read."""
    from cnnkit.course.catalogue import reading_order

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


def chapters(part: str) -> list[str]:
    """The chapters that stand, or those of one part, each with its number and its promise."""
    from cnnkit.course.catalogue import number, reading_order

    lines = []
    for chapter in reading_order():
        if chapter.startswith(part):
            link = f"[{_title(chapter)}](/chapters/{chapter}.ipynb)"
            lines += ["", f"**{number(chapter)} · {link}**. {_promise(chapter)}"]
    return lines[1:]


TABLES = {"claims": claims, "coverage": coverage_table, "references": references, "chapters": chapters}


class Live(SphinxDirective):
    """A live figure, by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from cnnkit.course.live import live_html

        return [nodes.raw("", live_html(self.arguments[0]), format="html")]


def _promise(chapter: str) -> str:
    """The first paragraph after a chapter's title."""
    return _first_cell(chapter).split("\n\n")[1].replace("\n", " ")


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


def _title(chapter: str) -> str:
    return _first_cell(chapter).splitlines()[0].removeprefix("# ").strip()


def _first_cell(chapter: str) -> str:
    notebook = json.loads((ROOT / f"chapters/{chapter}.ipynb").read_text(encoding="utf-8"))
    return "".join(notebook["cells"][0]["source"])


def mend_the_theme(app: Sphinx, config: Any) -> None:
    """Tell the theme what a first visit gets, which it asks for and reports as an error when it is empty."""
    config.html_context.setdefault("default_mode", "auto")


def leave_out_thebe(app: Sphinx, _config: Any) -> None:
    """Jupyter Book always loads sphinx-thebe; its scripts name another host, and declare a constant twice."""
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners.get(event, [])):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", mend_the_theme)
    app.connect("config-inited", leave_out_thebe)
    app.connect("source-read", carry_alt_text)
    app.connect("source-read", fill_in_tables)
    app.connect("autodoc-process-docstring", link_chapter)
    app.connect("autodoc-process-signature", true_signature)
    app.add_directive("live", Live)
    app.add_css_file("palette.css")
    app.add_css_file("book.css")
    return {"version": "1", "parallel_read_safe": True}

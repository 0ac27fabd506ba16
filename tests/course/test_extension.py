"""The book's Sphinx extension: what a notebook, a docstring, a formula and a page become on their way into the book."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest
from cnnkit_book import api, assets, formulas, notebooks, pages, shelf, tables
from docutils import nodes
from PIL import Image
from sphinx.errors import ExtensionError

from cnnkit.course import breaks, catalogue, claims
from cnnkit.course.claims import Finding
from cnnkit.layers import BlurPool2D
from tests.course import notebooks as nb


def app(*found: str) -> Any:
    """As much of Sphinx as the extension asks."""
    return SimpleNamespace(env=SimpleNamespace(found_docs=set(found), doc2path=lambda name: f"{name}.ipynb"))


# Notebooks


def test_the_alt_text_and_width_of_an_output_reach_its_cell() -> None:
    image = {"metadata": {"image/png": {"alt": "Two curves that cross.", "width": 672}}}
    notebook = {"cells": [{"metadata": {}, "outputs": [image]}, {"metadata": {}}]}
    notebooks.carry_alt_text(notebook)
    first, second = notebook["cells"]
    assert first["metadata"]["mystnb"]["image"] == {"alt": "Two curves that cross.", "width": "672px"}
    assert second["metadata"] == {}


def test_a_chapter_ends_in_what_it_teaches_and_uses_of_the_package() -> None:
    notebook: dict[str, Any] = {"cells": []}
    notebooks.add_links(notebook, "layers/pooling")
    text = notebook["cells"][-1]["source"]
    taught, used = re.search(r"Taught here:\*\* (.*)", text)[1], re.search(r"Used here:\*\* (.*)", text)[1]
    assert "{py:obj}`LpPooling2D <cnnkit.layers.LpPooling2D>`" in taught
    assert "<cnnkit.data.photograph>" in used
    assert "cnnkit.course" not in text


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from cnnkit import layers\nlayers.Maxout(2)", "cnnkit.layers.Maxout"),
        ("from cnnkit.layers import Maxout as M", "cnnkit.layers.Maxout"),
        ("import cnnkit\ncnnkit.models.create('lenet5')", "cnnkit.models.create"),
        ("import cnnkit.scratch as np_only\nnp_only.relu(0)", "cnnkit.scratch.relu"),
    ],
)
def test_a_name_is_found_however_it_is_imported(code: str, name: str) -> None:
    assert name in shelf.names_used(code)


# Chapters


def test_the_chapters_come_in_the_order_of_reading_each_with_a_question_and_a_described_picture() -> None:
    assert [chapter.name for chapter in shelf.chapters()] == catalogue.reading_order()
    for chapter in shelf.chapters():
        assert chapter.question.endswith("?"), chapter.name
        assert len(chapter.picture.alt.split()) >= 5, chapter.name


def test_the_parts_hold_every_chapter_once() -> None:
    assert tuple(chapter for part in shelf.parts() for chapter in part.chapters) == shelf.chapters()
    assert {chapter.part for chapter in shelf.chapters("layers")} == {"layers"}


# The package's pages


def fields(thing: Any, name: str, *pages: str) -> str:
    lines = (thing.__doc__ or "").splitlines()
    api.add_fields(app(*pages), "class", name, thing, None, lines)
    return "\n".join(lines)


def lesson() -> None:
    """Teach.

    Chapter: layers/pooling.
    Paper: doi:10.1109/5.726791; arXiv:1603.07285.
    """


def test_a_chapter_that_stands_is_linked_and_one_to_come_is_named() -> None:
    assert ":Taught in: :doc:`/chapters/layers/pooling`" in fields(
        lesson, "lesson", "chapters/layers/pooling"
    )
    assert ":Taught in: layers/pooling, to come" in fields(lesson, "lesson")


def test_what_a_decorator_says_stands_on_the_page_and_no_mark_stays_in_the_text() -> None:
    text = fields(BlurPool2D, "cnnkit.layers.BlurPool2D", f"chapters/{BlurPool2D.chapter}")
    assert f":Taught in: :doc:`/chapters/{BlurPool2D.chapter}`" in text
    assert f":Paper: {BlurPool2D.paper}" in text
    assert not re.search(r"^\s*(Chapter|Paper): ", text, re.MULTILINE)


def test_a_name_is_linked_to_the_chapters_whose_code_uses_it() -> None:
    readers = [chapter.name for chapter in api.users("cnnkit.data.photograph")]
    assert "layers/pooling" in readers
    assert ":Used in:" in fields(api.public()["cnnkit.data.photograph"], "cnnkit.data.photograph")


@pytest.mark.parametrize(
    ("work", "address"),
    [
        ("doi:10.1109/5.726791", "https://doi.org/10.1109/5.726791"),
        ("arXiv:1603.07285", "https://arxiv.org/abs/1603.07285"),
    ],
)
def test_a_work_is_linked_in_prose_and_left_alone_in_code(work: str, address: str) -> None:
    page = nodes.document(None, None)
    page += [nodes.paragraph("", "", nodes.Text(f"See {work}.")), nodes.literal("", work)]
    api.link_works(SimpleNamespace(env=SimpleNamespace(docname="book/api/layers")), page)
    assert [link["refuri"] for link in page.findall(nodes.reference)] == [address]
    assert page[0].astext() == f"See {work}."


def test_a_layer_shows_its_own_arguments() -> None:
    shown, _ = api.true_signature(app(), "class", "BlurPool2D", BlurPool2D, None, "(*args, **kwargs)", "")
    assert re.match(r"\(\w+=3, strides=2", shown)
    assert api.true_signature(app(), "class", "Layer", keras.Layer, None, "(name)", "") is None


# Tables


def test_tables_are_put_where_a_page_asks_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.TABLES, "claims", lambda part: [f"| of {part or 'all'} |"])
    page = "Before\n\n```{claims}\n```\n\n```{claims} layers\n```\n\n```{note}\n```\n"
    for name, filled in (("book/claims", True), ("chapters/orientation", False)):
        source = [page]
        tables.fill_in_tables(app(), name, source)
        assert ("| of all |\n\n| of layers |" in source[0]) == filled
        assert "```{note}" in source[0]


def test_the_table_of_claims_links_each_to_its_cell() -> None:
    lines = "\n".join(tables.claims(""))
    assert 'href="../chapters/models/lenet.html#claim-lenet5-params"' in lines


def test_the_table_of_claims_says_what_each_is_held_to_what_makes_it_fail_and_whether_that_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {"chapter": "models/lenet", "statement": "It is so.", "source": "us", "measured": "3"}
    found = [
        Finding(
            id="a",
            published="",
            rule="at least 2",
            why="chance is 1",
            fails_when="labels are shuffled",
            **row,
        ),
        Finding(id="b", published="", rule="at least 2", why="chance is 1", fails_when="it rains", **row),
        Finding(id="c", published="3", rule="exact", **row),
        Finding(id="d", published="", expected="3", rule="within 1 %", **row),
    ]
    monkeypatch.setattr(claims, "collect", lambda folder: found)
    monkeypatch.setattr(breaks, "seen_to_fail", lambda chapter, notebook, record: {"a"})
    lines = tables.claims("")
    cells = [[cell.strip() for cell in line.split("|")[-3:-1]] for line in lines if "#claim-" in line]
    assert cells == [
        ["✓ at least 2 (chance is 1)", "labels are shuffled (seen)"],
        ["✓ at least 2 (chance is 1)", "it rains (not seen yet)"],
        ["✓ published 3, exact", "·"],
        ["✓ expected 3, within 1 %", "·"],
    ]
    assert "1 of them were seen to fail" in lines[0]


def test_a_page_that_rests_on_a_claim_shows_what_it_measured_and_links_to_its_cell() -> None:
    (line,) = tables.measured("stochastic-pooling-expectation")
    assert 'href="../chapters/layers/pooling.html#claim-stochastic-pooling-expectation">' in line
    assert line.endswith("(measured 3).")
    with pytest.raises(ExtensionError, match="'tile-25-neuron'; did you mean 'tile-25-neurons'"):
        tables.measured("tile-25-neuron")


def test_the_references_are_those_of_the_chapters_that_stand() -> None:
    listed = "\n".join(tables.references(""))
    assert "doi:10.1113/jphysiol.1962.sp006837" in listed  # of origins/hubel-wiesel, which stands
    assert not re.search(r"^0 works", listed)


def test_every_public_name_has_a_line_in_its_modules_table_with_what_it_is() -> None:
    for module in api.modules():
        table = tables.names(module)
        for name, thing in api.public().items():
            if name.rpartition(".")[0] == module and api.described(thing):
                line = next(line for line in table if f"<{name}>`" in line)
                assert len(re.split(r"(?<!\\)\|", line)[2].split()) >= 2, line


# Formulas


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtable"),
        (r"\operatorname{relu}(x)", "rspace='0'>relu</mo>"),
        (r"\max_i x_i", "rspace='0.167em'>max</mo>"),
    ],
)
def test_a_formula_becomes_mathml(latex: str, shown: str) -> None:
    assert shown in formulas.mathml(latex)


@pytest.mark.parametrize("latex", [r"\frac", "x_{i", r"\notacommand x"])
def test_a_formula_that_cannot_be_converted_stops_the_build_and_is_quoted(latex: str) -> None:
    with pytest.raises(ExtensionError, match=re.escape(repr(latex))):
        formulas.mathml(latex)


# Pages


def test_a_picture_gets_its_size_and_waits_until_it_is_near(tmp_path: Path) -> None:
    Image.new("L", (200, 100)).save(tmp_path / "a.png")
    body = '<p><img alt="A bar." src="../_images/a.png" style="width: 100px;" /><img alt="" src="elsewhere.png" /></p>'
    seen = pages.sized_pictures(body, lambda name: tmp_path / name)
    assert (
        '<img width="100" height="50" loading="lazy" decoding="async" alt="A bar." src="../_images/a.png" />'
        in seen
    )
    assert '<img alt="" src="elsewhere.png" />' in seen


def test_the_still_of_a_live_figure_is_lifted_out_of_the_page(tmp_path: Path) -> None:
    from cnnkit.course.live import live_html

    seen = pages.lift_stills(live_html("pooling"), tmp_path, "../")
    name, width, height = re.search(
        r'src="\.\./(\S+)" width="(\d+)" height="(\d+)" loading="lazy"', seen
    ).groups()
    with Image.open(tmp_path / name) as still:
        assert still.size == (int(width), int(height))
    assert "base64,UklG" not in seen


def test_a_live_figure_comes_to_life_before_the_page_is_seen() -> None:
    from cnnkit.course.live import live_html

    seen = pages.eager_figures(live_html("pooling"))
    assert '<script type="module">' not in seen
    assert not re.search(r"^export ", seen, re.MULTILINE)


def test_an_arrow_that_opens_a_branch_has_a_name() -> None:
    made = '<a class="reference internal" href="api.html">The package</a><details><summary><span></span></summary></details>'
    assert '<summary aria-label="Pages of The package">' in pages.named_branches(lambda: made)()


# Style sheets


def test_a_sheet_keeps_what_the_pages_use_and_loses_the_rest() -> None:
    css = (
        '@charset "UTF-8"; /* a remark */ a{color:red} .used, .unused{x:1} .unused{y:2} .used:not(.unused){z:3}'
        '@media print{.unused{a:1} .used{b:2}} .used::after{content:"}{"; background:url("data:x,rgba(0)")} #top .used{c:3}'
    )
    kept = assets.purged(css, assets.used_words(['<p class="used">']))
    assert "y:2" not in kept and "a:1" not in kept and "c:3" not in kept
    assert all(
        rule in kept
        for rule in ("a{color:red}", ".used{x:1}", "z:3", "@media print{.used{b:2}}", 'content:"}{"')
    )


def test_every_rule_of_the_themes_sheets_is_read() -> None:
    import pydata_sphinx_theme

    for sheet in Path(pydata_sphinx_theme.__file__).parent.rglob("styles/*.css"):
        css = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        read = "".join(
            f"{head}{{{body}}}" if body is not None else f"{head};" for head, body in assets.rules(css)
        )
        assert re.sub(r"\s", "", read) == re.sub(r"\s", "", css), sheet.name


def test_a_font_is_cut_to_its_signs() -> None:
    small = assets.cut(assets.FONTS / "math.woff2", "x")
    assert len(small) < (assets.FONTS / "math.woff2").stat().st_size / 5


def test_json_survives_the_reading_of_a_notebook() -> None:
    source = [(nb.CHAPTERS / "orientation.ipynb").read_text(encoding="utf-8")]
    before = len(json.loads(source[0])["cells"])
    notebooks.read(app(), "chapters/orientation", source)
    assert len(json.loads(source[0])["cells"]) == before + 1

"""The book's Sphinx extension: alt text that travels, docstrings that are linked and escaped, tables that are filled."""

from __future__ import annotations

import importlib.util
import json
import re
from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import pytest

from cnnkit.course import catalogue
from cnnkit.layers import BlurPool2D
from tests.course import notebooks as nb


def load() -> ModuleType:
    path = nb.ROOT / "book" / "extension" / "cnnkit_book.py"
    spec = importlib.util.spec_from_file_location("cnnkit_book", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


extension = load()


def app(*pages: str) -> Any:
    """As much of Sphinx as the extension asks."""
    environment = SimpleNamespace(found_docs=set(pages), doc2path=lambda name: f"{name}.ipynb")
    return SimpleNamespace(env=environment)


def docstring(*lines: str, pages: tuple[str, ...] = ()) -> str:
    text = list(lines)
    extension.link_chapter(app(*pages), "function", "f", None, None, text)
    return "\n".join(text)


def test_the_alt_text_and_width_of_an_output_reach_its_cell() -> None:
    image = {"metadata": {"image/png": {"alt": "Two curves that cross.", "width": 672}}}
    source = [json.dumps({"cells": [{"metadata": {}, "outputs": [image]}, {"metadata": {}}]})]
    extension.carry_alt_text(app(), "chapters/orientation", source)
    first, second = json.loads(source[0])["cells"]
    assert first["metadata"]["mystnb"]["image"] == {"alt": "Two curves that cross.", "width": "672px"}
    assert second["metadata"] == {}


def test_a_chapter_that_stands_is_linked_and_one_to_come_is_named() -> None:
    line = "Chapter: layers/pooling."
    page = "chapters/layers/pooling"
    assert f":doc:`layers/pooling </{page}>`" in docstring(line, pages=(page,))
    assert docstring(line).strip() == "| Chapter: layers/pooling"


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("Paper: doi:10.1109/5.726791.", "<https://doi.org/10.1109/5.726791>"),
        ("Paper: arXiv:1603.07285.", "<https://arxiv.org/abs/1603.07285>"),
    ],
)
def test_a_paper_is_linked(line: str, address: str) -> None:
    assert address in docstring(line)


def test_examples_and_formulas_stay_and_markup_is_escaped() -> None:
    assert docstring(">>> f(**options)", "1").strip() == ">>> f(**options)\n1"
    assert docstring("    y = x * w").splitlines()[0] == "::"
    assert r"kernel\_size \*" in docstring("The kernel_size * 2, as `kernel_size` says.")
    assert "`kernel_size`" in docstring("The kernel_size * 2, as `kernel_size` says.")


def test_arguments_become_a_list() -> None:
    text = docstring("Args:", "    model: any model", "        with a graph.", "    layer: one of it.")
    assert "- **model**: any model\n  with a graph.\n- **layer**: one of it." in text


def test_a_layer_shows_its_own_arguments() -> None:
    shown, _ = extension.true_signature(
        app(), "class", "BlurPool2D", BlurPool2D, None, "(*args, **kwargs)", ""
    )
    assert shown.startswith("(kernel_size=3, strides=2")
    assert extension.true_signature(app(), "class", "Layer", keras.Layer, None, "(name)", "") is None


def test_tables_are_put_where_a_page_asks_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extension.TABLES, "claims", lambda part: [f"| of {part or 'all'} |"])
    page = "Before\n\n```{claims}\n```\n\n```{claims} layers\n```\n\n```{note}\n```\n"
    for name, filled in (("book/claims", True), ("chapters/orientation", False)):
        source = [page]
        extension.fill_in_tables(app(), name, source)
        assert ("| of all |\n\n| of layers |" in source[0]) == filled
        assert "```{note}" in source[0]


def test_the_table_of_claims_links_each_to_its_cell() -> None:
    lines = "\n".join(extension.claims(""))
    assert 'href="../chapters/models/lenet.html#claim-lenet5-params"' in lines


def test_the_chapters_of_a_part_come_in_order_with_their_number_and_promise() -> None:
    listed = [line for line in extension.chapters("layers") if line]
    part = [chapter for chapter in nb.all_chapters() if chapter.startswith("layers/")]
    assert [re.findall(r"^\*\*(\d+) · .*\(/chapters/(\S+)\.ipynb\)", line) for line in listed] == [
        [(str(catalogue.number(chapter)), chapter)] for chapter in part
    ]
    assert all(len(line.split()) > 12 for line in listed)


def test_the_references_are_those_of_the_chapters_that_stand() -> None:
    listed = "\n".join(extension.references(""))
    assert "doi:10.1113/jphysiol.1962.sp006837" in listed  # of origins/hubel-wiesel, which stands
    assert not re.search(r"^0 works", listed)

"""A colour is written down once, in `palette.css`, and everybody reads it there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cnnkit.course import PALETTE, style
from cnnkit.course.live import live_figure, live_figures
from tests.layering import ROOT

SHEET = (ROOT / "cnnkit" / "course" / "palette.css").read_text("utf-8")
READERS = [
    path
    for folder in ("cnnkit", "book/extension", "book/_static", "chapters")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".css", ".js", ".ipynb"} and path.name != "palette.css"
]


def colours(path: Path) -> list[str]:
    """The colours that a file writes down itself; greys, black and white are none."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
        text = "".join(line for cell in cells for line in cell["source"])
    found = re.findall(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3})\b", text, re.IGNORECASE)
    return [code for code in found if len({*re.findall("." * (1 if len(code) == 4 else 2), code[1:7])}) > 1]


def test_no_file_writes_a_colour_beside_the_palette():
    assert {path.relative_to(ROOT).as_posix(): colours(path) for path in READERS if colours(path)} == {}


def test_a_colour_beside_the_palette_is_caught_and_a_grey_is_none(tmp_path):
    sheet = tmp_path / "a.css"
    sheet.write_text("a { color: #0B9468; background: #fff; border-color: #808080; outline-color: #f20 }")
    assert colours(sheet) == ["#0B9468", "#f20"]


def test_python_reads_the_series_and_the_maps_of_the_light_page():
    assert list(PALETTE) == ["blue", "orange", "green", "red", "purple", "grey"]
    assert all(f"--{name}: {code};" in SHEET for name, code in PALETTE.items())
    assert len(style.colour("maps").split()) == len(style.colour("weights").split()) == 5
    assert style.colour("surface") == "#fbfaf8"


def test_a_colour_that_is_not_there_gets_the_nearest_name():
    with pytest.raises(KeyError, match="did you mean 'purple'"):
        style.colour("purpel")


def test_a_live_figure_carries_the_palette_and_every_colour_that_it_asks_for():
    for name in live_figures():
        figure = live_figure(name)
        defined = set(re.findall(r"--([\w-]+)[\":]", figure.style + figure.script))
        asked = set(re.findall(r"var\(--([\w-]+)", figure.style + figure.script))
        asked |= set(re.findall(r'\bui\.colour\("([\w-]+)"\)', figure.script))
        assert style.colour("mark") in figure.style and asked <= defined, asked - defined


def test_the_pages_of_the_book_find_every_colour_that_they_ask_for():
    sheet = (ROOT / "book" / "_static" / "book.css").read_text("utf-8")
    asked = {name for name in re.findall(r"var\(--([\w-]+)", sheet) if not re.match("pst-|sd-|sbt-", name)}
    assert asked and asked <= set(re.findall(r"--([\w-]+):", SHEET + sheet))

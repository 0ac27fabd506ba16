"""A live figure is one output: the same on every machine, small, and without a word to any other host."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.course import catalogue, live, notebook
from cnnkit.course.live import live_figure, live_figures, live_html


@pytest.mark.parametrize("name", live_figures())
def test_a_figure_tells_what_it_is_and_where_it_is_taught(name: str) -> None:
    figure = live_figure(name)
    assert figure.title and figure.options
    assert len(figure.alt.split()) > 20
    assert figure.chapter in catalogue.written_chapters()


@pytest.mark.parametrize("name", live_figures())
def test_a_figure_is_small_and_asks_no_other_host(name: str) -> None:
    figure = live_figure(name)
    written = re.sub(r'"data:[^"]*"', '""', figure.script)
    assert len(written) + len(figure.style) < 40_000
    assert len(figure.script) - len(written) < 90_000, "what it carries: a picture, a net's weights"
    assert not re.search(
        r"https?://(?!www\.w3\.org)|//cdn|\bfetch\(|\bimport\b(?!\.meta)|import\.meta",
        re.sub(r"/\*.*?\*/", "", figure.script, flags=re.S),
    )


@pytest.mark.parametrize("name", live_figures())
def test_a_figure_has_a_small_still_picture_that_its_html_carries(name: str) -> None:
    figure = live_figure(name)
    assert figure.picture.stat().st_size <= 24_000
    assert Image.open(io.BytesIO(figure.picture.read_bytes())).width == 720
    assert "data:image/webp;base64," in live_html(name)


@pytest.mark.parametrize("name", live_figures())
def test_a_figure_is_the_same_bytes_each_time_with_one_closing_tag(name: str) -> None:
    assert live_html(name) == live_html(name)
    assert live_html(name).count("</script>") == 1
    assert f'id="live-{name}"' in live_html(name)


def test_options_are_carried_and_change_the_id() -> None:
    text = live_html("convolution", kernel=np.eye(3), stride=2)
    assert '{"kernel": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "stride": 2}' in text
    assert 'id="live-convolution"' not in text
    assert text != live_html("convolution", stride=2)


def test_an_unknown_figure_gets_the_nearest_names_and_all_of_them() -> None:
    with pytest.raises(catalogue.UnknownEntry, match=r"did you mean 'convolution'.*cortical-cell"):
        live("convolutoin")
    with pytest.raises(catalogue.UnknownEntry, match=r"known are: .*convolution"):
        live("xyz")


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'stride'"):
        live("convolution", strides=2)


def test_a_value_that_closes_the_script_cannot() -> None:
    assert live_html("convolution", view="</script>").count("</script>") == 1


def test_live_shows_one_html_output_with_words_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(notebook, "show", shown.append)
    live("cortical-cell")
    assert set(shown[0]) == {"text/html", "text/plain"}
    assert "bright bar" in shown[0]["text/plain"]


def test_a_module_without_its_opening_comment_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bare.js").write_text("/*\n * title: Bare\n */\n", encoding="utf-8")
    monkeypatch.setattr(sys.modules["cnnkit.course.live"], "FIGURES", tmp_path)
    with pytest.raises(ValueError, match="must open with a comment that tells its alt, chapter, options"):
        live_figure("bare")

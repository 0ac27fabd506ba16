"""Figures carry their alt text, sources are shown without their docstrings, the open chapter is known."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgb

from cnnkit.course import PALETTE, checking, figure, notebook, source, style
from cnnkit.course.catalogue import UnknownEntry
from tests.course import notebooks as nb


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list:
    bundles: list = []
    monkeypatch.setattr(notebook, "show", lambda bundle, metadata=None: bundles.append((bundle, metadata)))
    return bundles


def test_a_figure_carries_its_alt_text_and_is_closed(shown: list) -> None:
    fig, _ = plt.subplots()
    figure(fig, alt="A single empty pair of axes.")
    bundle, metadata = shown[0]
    assert metadata["image/png"]["alt"] == "A single empty pair of axes."
    assert bundle["image/png"].startswith("iVBOR")
    assert not plt.fignum_exists(fig.number)


def test_alt_text_that_says_nothing_is_refused() -> None:
    fig, _ = plt.subplots()
    with pytest.raises(ValueError, match="does not say what is seen"):
        figure(fig, alt="figure")
    plt.close(fig)


def luminance(colour: str) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_every_colour_is_seen_on_white_and_on_near_black(page: str) -> None:
    def contrast(colour: str) -> float:
        high, low = sorted((luminance(colour), luminance(page)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert {name: round(contrast(c), 2) for name, c in PALETTE.items() if contrast(c) < 3.0} == {}


def test_the_style_registers_the_colour_maps_once() -> None:
    style.apply_style()
    style.apply_style()
    assert {"cnn_maps", "cnn_weights"} <= set(plt.colormaps())


def test_source_leaves_out_docstrings_unless_asked(shown: list) -> None:
    source(checking.hint)
    source(checking.hint, docstring=True)
    (short, _), (full, _) = shown
    assert "Print one hint" not in short["text/markdown"] and "Print one hint" in full["text/markdown"]
    assert short["text/markdown"].startswith("`cnnkit/course/checking.py`")


READ = """
from cnnkit import scratch
from cnnkit.course import catalogue, checking
from cnnkit.course.reading import source
source(checking.hint)
source(scratch.convolve2d)
source(catalogue.exercises("layers/pooling")["in-secret"].solution)
"""


def test_source_of_a_decorated_function_names_the_file_that_it_stands_in(shown: list) -> None:
    from cnnkit import origins

    source(origins.tdnn)
    ((bundle, _),) = shown
    assert bundle["text/plain"].startswith("# cnnkit/origins/speech.py\n")


@pytest.mark.skipif(not (nb.ROOT / "cnnkit").is_dir(), reason="an installed package has no checkout")
@pytest.mark.parametrize("name", ["cnnkit", "x", "cnnkit/cnnkit"])
def test_the_path_above_a_source_is_the_same_under_any_name_of_the_checkout(
    name: str, tmp_path: Path
) -> None:
    checkout = tmp_path / name
    for part in ("cnnkit", "chapters", "data/ledger.csv", "_toc.yml"):
        if (nb.ROOT / part).is_dir():
            shutil.copytree(
                nb.ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb")
            )
        else:
            (checkout / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(nb.ROOT / part, checkout / part)
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    run = subprocess.run(
        [sys.executable, "-c", READ], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert [line for line in run.stdout.splitlines() if line.startswith("# c") and line.endswith(".py")] == [
        "# cnnkit/course/checking.py",
        "# cnnkit/scratch/convolution.py",
        "# chapters/layers/pooling.py",
    ]


def test_setup_refuses_a_chapter_that_is_not_there() -> None:
    with pytest.raises(UnknownEntry, match="no chapter is called"):
        notebook.setup("layers/nowhere")


def test_setup_opens_the_chapter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(notebook, "_chapter", None)
    notebook.setup("layers/convolution")
    assert notebook.current_chapter() == "layers/convolution"
    assert "cnnkit" in capsys.readouterr().out


def test_outside_a_notebook_things_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    notebook.show({"text/plain": "hello"})
    assert capsys.readouterr().out == "hello\n"


def test_nothing_is_loaded_before_a_chapter_is_set_up_that_would_talk_before_it_quiets_the_logs() -> None:
    code = "import sys, cnnkit.course as c; c.setup, c.check, c.claim, c.figure; print({'keras', 'tensorflow'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

"""The wheel holds what an installed cnnkit needs, the chapters' claims and exercises too, and works from it alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from cnnkit.course import catalogue
from cnnkit.trials import described
from tests.layering import ROOT


def build(project: Path, target: str, folder: Path) -> Path:
    """What hatchling makes of a project: its `wheel` or its `sdist`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_the_module_of_each_chapter_and_its_trials_and_no_notebook(names: list[str]):
    chapters = {f"cnnkit/_chapters/{name.replace('-', '_')}.py" for name in catalogue.written_chapters()}
    scripts = {f"cnnkit/_chapters/{path.relative_to(ROOT / 'chapters')}" for path in described().values()}
    inside = {name for name in names if name.startswith("cnnkit/_chapters/")}
    assert inside == chapters | scripts | {"cnnkit/_chapters/_toc.yml"}


def test_the_wheel_holds_the_package_and_its_data(names: list[str]):
    assert {"cnnkit/__init__.py", "cnnkit/py.typed", "cnnkit/_data/ledger.csv"} <= set(names)
    assert {"cnnkit/course/palette.css", "cnnkit/_data/results/pooling-moved.csv"} <= set(names)
    assert not [name for name in names if name.startswith("cnnkit/_data/") and name.endswith(".py")]
    assert {name.split("/")[0] for name in names} == {"cnnkit", Path(names[-1]).parts[0]}
    assert any(name.startswith("cnnkit/_data/weights/") for name in names)


def test_a_wheel_made_from_the_source_archive_is_the_same(wheel: Path, tmp_path: Path):
    archive = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    second = build(tmp_path / archive.name.removesuffix(".tar.gz"), "wheel", tmp_path / "wheel")
    assert second.read_bytes() == wheel.read_bytes()


INSTALLED = """
import cnnkit
from cnnkit import _paths
from cnnkit.course import catalogue, ledger
from cnnkit.course.reading import source
from cnnkit import trials
assert cnnkit.__file__.startswith({folder!r}), cnnkit.__file__
print(*catalogue.written_chapters())
print(len(catalogue.claims()), len(catalogue.exercises()), len(ledger.rows()))
source(catalogue.exercises("layers/pooling")["in-secret"].solution)
assert trials.recorded("pooling-moved").trial.name == "pooling-moved"
assert callable(trials.script("pooling").digits)
"""


def test_the_chapters_are_found_where_only_the_wheel_is_installed(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = INSTALLED.format(folder=str(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    chapters, counts, where, *_ = run.stdout.splitlines()
    assert chapters.split() == catalogue.written_chapters()
    assert counts.split()[:2] == [str(len(catalogue.claims())), str(len(catalogue.exercises()))]
    assert where == "# chapters/layers/pooling.py"

"""What is written in two places says the same in both: addresses, versions, chapters, pins, commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cnnkit
from tests.layering import ROOT

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ADDRESS = CONFIG["repository"]["url"]
OWNER, NAME = ADDRESS.removeprefix("https://github.com/").split("/")
COLAB = "https://colab.research.google.com/github"
OURS = [
    *ROOT.glob("*.md"),
    ROOT / "CITATION.cff",
    *(ROOT / ".github").rglob("*.yml"),
    *(ROOT / "book").rglob("*.md"),
]
PAGES = [path for path in OURS if path.is_file()]


def listed(node: dict) -> list[str]:
    """Every file of the table of contents, in its order."""
    found = [node["file"]] if "file" in node else []
    for key in ("parts", "chapters", "sections"):
        for child in node.get(key, []):
            found += listed(child)
    return found


def chapters() -> list[str]:
    """The notebooks of the table of contents, as `chapters/layers/convolution.ipynb`."""
    contents = listed(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
    return [f"{name}.ipynb" for name in contents if name.startswith("chapters/")]


def requirements(name: str) -> dict[str, Requirement]:
    """The lines of a requirements file by their canonical names."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines())
    parsed = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def foreign_addresses(text: str) -> list[str]:
    """Addresses of a repository called like ours that is not ours, and pages of it that are not where ours are."""
    github = re.findall(rf"github(?:\.com|/)[:/]?([\w-]+/{NAME})\b", text)
    pages = re.findall(rf"https://([\w-]+\.github\.io/{NAME})\b", text)
    return [a for a in github if a != f"{OWNER}/{NAME}"] + [
        a for a in pages if a != f"{OWNER}.github.io/{NAME}"
    ]


def table(readme: str) -> list[str]:
    """The rows of the README's table of chapters, and every other line that links to Colab."""
    return [line for line in readme.splitlines() if re.match(r"\| \d\d \|", line) or COLAB in line]


def wanted_table(root: Path, names: list[str]) -> list[str]:
    """The rows that the README should have: number, title and Colab link of each chapter, in order."""
    branch, rows = CONFIG["repository"]["branch"], []
    for name in names:
        cells = json.loads((root / name).read_text("utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
        link = f"{COLAB}/{OWNER}/{NAME}/blob/{branch}/{name}"
        rows.append(f"| {Path(name).name[:2]} | {title} | [open in Colab]({link}) |")
    return rows


def test_the_readme_lists_exactly_the_chapters_of_the_contents_with_their_colab_links():
    wanted = wanted_table(ROOT, chapters())
    assert table(readme_text()) == wanted, "the rows should be:\n" + "\n".join(wanted)


@pytest.mark.parametrize(
    "change",
    [("| 04 ", "| 05 "), ("Convolution", "Correlation"), (NAME, "other"), ("04-", "05-"), ("| 04", "x")],
)
def test_a_row_of_the_readme_that_is_wrong_or_missing_is_caught(change, tmp_path):
    name = "chapters/layers/convolution.ipynb"
    (tmp_path / "chapters" / "layers").mkdir(parents=True)
    (tmp_path / name).write_text(json.dumps({"cells": [{"source": ["# Convolution\n", "\n", "A promise."]}]}))
    (row,) = wanted_table(tmp_path, [name])
    assert table(f"# {NAME}\n\n{row}\n") == [row]
    assert table(row.replace(*change)) != [row]


def test_every_chapter_of_the_contents_exists_and_every_notebook_is_listed():
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").rglob("*.ipynb")}
    assert set(chapters()) == {name for name in here if ".ipynb_checkpoints" not in name}


def readme_text() -> str:
    return (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_address_of_the_repository_is_the_one_of_the_settings(path):
    assert foreign_addresses(path.read_text("utf-8")) == []


def test_an_address_that_is_not_ours_is_caught():
    assert foreign_addresses(f"pip install git+https://github.com/somebody/{NAME}") == [f"somebody/{NAME}"]
    assert foreign_addresses(f"https://somebody.github.io/{NAME}/") == [f"somebody.github.io/{NAME}"]
    assert foreign_addresses(f"{ADDRESS} and https://{OWNER}.github.io/{NAME}/index.html") == []


def test_the_setup_cells_install_from_the_address_of_the_settings():
    for name in chapters():
        text = (ROOT / name).read_text("utf-8")
        assert foreign_addresses(text) == [] and f"git+{ADDRESS}" in text, name


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    released = re.search(
        r"^## \[([\d.]+)\] - ([\d-]+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert PROJECT["version"] == cnnkit.__version__ == str(citation["version"]) == released[1]
    assert str(citation["date-released"]) == released[2]
    assert citation["repository-code"] == ADDRESS


def unmet(wanted: list[str], pinned: dict[str, Requirement]) -> list[str]:
    """The requirements that no pin meets: absent, or below the bound."""
    faults = []
    for requirement in map(Requirement, wanted):
        pin = pinned.get(canonicalize_name(requirement.name))
        if pin is None:
            faults.append(f"{requirement} is not pinned")
        elif not requirement.specifier.contains(str(pin.specifier).removeprefix("==")):
            faults.append(f"{requirement} is not met by {pin}")
    return faults


def brought(extra: str) -> list[str]:
    """What an extra brings, also through other extras of ours."""
    found = []
    for line in PROJECT["optional-dependencies"][extra]:
        ours = Requirement(line).extras if Requirement(line).name == PROJECT["name"] else set()
        found += [inner for name in sorted(ours) for inner in brought(name)] if ours else [line]
    return found


def test_the_pins_meet_the_bounds_of_the_package():
    book = [
        *PROJECT["dependencies"],
        *(line for e in ("tensorflow", "course", "book", "dev") for line in brought(e)),
    ]
    assert unmet(book, requirements("requirements.txt")) == []
    assert unmet([*brought("jax"), *brought("torch")], requirements("requirements-backends.txt")) == []


def test_an_extra_that_asks_for_another_brings_what_that_one_brings():
    assert set(brought("plots")) < set(brought("course"))


def test_a_pin_below_its_bound_and_a_missing_pin_are_caught():
    pinned = {"numpy": Requirement("numpy==1.2")}
    assert unmet(["numpy>=1.26", "keras>=3"], pinned) == [
        "numpy>=1.26 is not met by numpy==1.2",
        "keras>=3 is not pinned",
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-backends.txt"])
def test_every_pin_is_exact(name):
    for requirement in requirements(name).values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), str(requirement)


def test_the_package_has_lower_bounds_only():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert re.fullmatch(r">=[\d.]+", str(requirement.specifier)), str(requirement)


def test_the_commands_that_the_readme_and_the_workflows_name_are_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"book", "test", "serve", "lint", "bench", "test-backends", "clean"} <= targets
    for path in [*PAGES, *(ROOT / ".github").rglob("*.yml"), ROOT / ".ci" / "run"]:
        named = re.findall(r"^(?:make|\s+run: make|step) ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
        assert set(named) <= targets, path


def test_the_local_links_of_the_pages_lead_somewhere():
    for path in ROOT.glob("*.md"):
        links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text("utf-8"))
        assert [link for link in links if not (ROOT / link).exists()] == [], path.name


def absent_paths(text: str) -> list[str]:
    """The paths in backticks that lead nowhere; those with a place to fill in (<part>, name, NN) are left out."""
    paths = re.findall(r"`(?:\S+ )?((?:[\w.]+/)+[\w.-]*)`", text)
    return [
        path for path in paths if not re.search(r"\bname\b|NN|^keras", path) and not (ROOT / path).exists()
    ]


def test_the_paths_that_the_pages_name_exist():
    for path in ROOT.glob("*.md"):
        assert absent_paths(path.read_text("utf-8")) == [], path.name


def test_a_path_that_leads_nowhere_is_caught():
    assert absent_paths("see `cnnkit/cli.py`, `cnnkit/clu.py` and `book/figures/name.js`") == [
        "cnnkit/clu.py"
    ]


def test_the_files_of_the_licences_are_named_in_the_metadata():
    assert PROJECT["license"] == "Apache-2.0"
    assert all((ROOT / name).is_file() for name in PROJECT["license-files"])
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text("utf-8")


def test_the_five_lines_of_the_readme_run():
    (example,) = re.findall(r"```python\n(.*?)```", readme_text(), re.DOTALL)
    run = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert "60,000" in run.stdout


def test_the_package_is_typed_and_brings_its_command():
    assert (ROOT / "cnnkit" / "py.typed").is_file()
    assert PROJECT["scripts"] == {"cnnkit": "cnnkit.cli:main"}


@pytest.mark.parametrize(
    ("passing", "status"), [("test test-backends", 0), ("test", 1), ("test-backends", 1)]
)
def test_the_integration_script_runs_both_commands_and_ends_with_a_summary(passing, status, tmp_path):
    script = tmp_path / "checkout" / ".ci" / "run"
    script.parent.mkdir(parents=True)
    script.write_text((ROOT / ".ci" / "run").read_text("utf-8"))
    (tmp_path / "shared" / "data").mkdir(parents=True)
    for name, text in (("make", f'case " {passing} " in *" $1 "*) ;; *) exit 3 ;; esac'), ("chromium", "")):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key != "CNNKIT_DATA"}
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"
    run = subprocess.run(["bash", str(script)], capture_output=True, text=True, env=environment)
    summary = run.stdout.partition("== summary")[2].split("\n")
    assert run.returncode == status
    assert f"data     {tmp_path / 'shared' / 'data'}" in summary
    verdicts = dict(line.split()[:2] for line in summary if line.startswith("test"))
    assert verdicts == {
        step: "passed" if step in passing.split() else "FAILED" for step in ("test", "test-backends")
    }

"""What is written in two places says the same in both: addresses, versions, chapters, pins, commands."""

from __future__ import annotations

import csv
import importlib.util
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
from cnnkit.course import catalogue, ledger
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
    return [line for line in readme.splitlines() if re.match(r"\| \d+ \|", line) or COLAB in line]


def wanted_table(root: Path, names: list[str]) -> list[str]:
    """The rows that the README should have: number, title and Colab link of each chapter, in order."""
    branch, rows = CONFIG["repository"]["branch"], []
    for name in names:
        cells = json.loads((root / name).read_text("utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
        link = f"{COLAB}/{OWNER}/{NAME}/blob/{branch}/{name}"
        chapter = name.removeprefix("chapters/").removesuffix(".ipynb")
        rows.append(f"| {catalogue.number(chapter)} | {title} | [open in Colab]({link}) |")
    return rows


def test_the_readme_lists_exactly_the_chapters_of_the_contents_with_their_colab_links():
    wanted = wanted_table(ROOT, chapters())
    assert table(readme_text()) == wanted, "the rows should be:\n" + "\n".join(wanted)


@pytest.mark.parametrize(
    "change",
    [("| N ", "| 0 "), ("Convolution", "Correlation"), (NAME, "other"), ("/conv", "/corr"), ("| N", "x")],
)
def test_a_row_of_the_readme_that_is_wrong_or_missing_is_caught(change, tmp_path):
    name = "chapters/layers/convolution.ipynb"
    (tmp_path / "chapters" / "layers").mkdir(parents=True)
    (tmp_path / name).write_text(json.dumps({"cells": [{"source": ["# Convolution\n", "\n", "A promise."]}]}))
    (row,) = wanted_table(tmp_path, [name])
    assert table(f"# {NAME}\n\n{row}\n") == [row]
    number = row.split()[1]
    assert table(row.replace(change[0].replace("N", number), change[1])) != [row]


def test_the_package_reads_the_contents_as_the_book_does():
    assert [f"chapters/{name}.ipynb" for name in catalogue.reading_order()] == chapters()
    assert [catalogue.number(name) for name in catalogue.reading_order()] == list(
        range(1, len(chapters()) + 1)
    )


def test_every_chapter_of_the_contents_exists_and_every_notebook_is_listed():
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").rglob("*.ipynb")}
    assert set(chapters()) == {name for name in here if ".ipynb_checkpoints" not in name}


def numbered(name: str, text: str) -> list[str]:
    """What calls a chapter by a number: a file's name, an address, words. Notebooks may speak of other books' chapters."""
    parts = "origins|layers|training|models|dimensions|tasks|insight"
    found = re.findall(r"(?:^|/)(?:ch)?\d\d[-_][a-z][\w-]*\.\w+$", name)
    found += re.findall(rf"\b(?:{parts})/\d\d-[a-z-]+|\b\d\d-[a-z-]+\.(?:ipynb|html)|\bch\d\d\b", text)
    return found + re.findall(r"\[[Cc]hapter \d+" if name.endswith(".ipynb") else r"\b[Cc]hapters? \d+", text)


def test_no_chapter_is_called_by_a_number():
    text = {".py", ".md", ".yml", ".csv", ".js", ".css", ".ipynb", ".toml"}
    folders = ("chapters", "cnnkit", "book", "tests", "data")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in text]
    faults = {}
    for path in [*files, *PAGES, ROOT / "_toc.yml", ROOT / "Makefile"]:
        found = numbered(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
        if found and path != Path(__file__):
            faults[path] = found
    assert faults == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chapters/layers/06-pooling.ipynb", ""),
        ("cnnkit/ch06_pooling.py", ""),
        ("a.py", "What chapter 06 writes by hand."),
        ("a.py", "see ch06"),
        ("data/ledger.csv", "relu,layers/07-activations,x"),
        ("chapters/layers/pooling.ipynb", "as in [chapter 1](../origins/hubel-wiesel.ipynb)"),
        ("book/index.md", "[there](06-pooling.html)"),
    ],
)
def test_a_chapter_that_is_called_by_a_number_is_caught(name, text):
    assert len(numbered(name, text)) == 1
    assert numbered("chapters/layers/pooling.py", "layers/pooling, 75-percent; Goodfellow's chapters") == []


def test_every_work_of_the_references_names_chapters_of_the_plan():
    plan = {row.chapter for row in ledger.rows(ROOT / "data" / "ledger.csv").values()}
    with (ROOT / "data" / "references.csv").open(encoding="utf-8", newline="") as file:
        named = {name for work in csv.DictReader(file) for name in re.split("; ", work["chapters"])}
    assert named <= plan


def readme_text() -> str:
    return (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_address_of_the_repository_is_the_one_of_the_settings(path):
    assert foreign_addresses(path.read_text("utf-8")) == []


def test_an_address_that_is_not_ours_is_caught():
    assert foreign_addresses(f"pip install git+https://github.com/somebody/{NAME}") == [f"somebody/{NAME}"]
    assert foreign_addresses(f"https://somebody.github.io/{NAME}/") == [f"somebody.github.io/{NAME}"]
    assert foreign_addresses(f"{ADDRESS} and https://{OWNER}.github.io/{NAME}/index.html") == []


def test_the_setup_cells_install_the_release_that_they_ran_with_from_the_address_of_the_settings():
    for name in chapters():
        text = (ROOT / name).read_text("utf-8")
        assert foreign_addresses(text) == [], name
        assert re.findall(r"pip install ([^\n]*)\\n", text) == [
            f'-q \\"cnnkit[course] @ git+{ADDRESS}@v{cnnkit.__version__}\\"'
        ], name


def test_running_a_chapter_writes_the_setup_cell_that_all_share():
    path = ROOT / "book" / "execute.py"
    spec = importlib.util.spec_from_file_location("execute", path)
    execute = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(execute)
    for name in catalogue.reading_order():
        cells = json.loads((ROOT / f"chapters/{name}.ipynb").read_text("utf-8"))["cells"]
        assert "".join(cells[1]["source"]) == execute.setup_cell(name)


def brought(extra: str) -> list[str]:
    """What an extra brings, also through other extras of ours."""
    found = []
    for line in PROJECT["optional-dependencies"][extra]:
        ours = Requirement(line).extras if Requirement(line).name == PROJECT["name"] else set()
        found += [inner for name in sorted(ours) for inner in brought(name)] if ours else [line]
    return found


def test_what_the_setup_cells_bring_names_no_backend_and_has_lower_bounds_only():
    for requirement in map(Requirement, brought("course")):
        assert requirement.name not in ("keras", "tensorflow", "jax", "torch")
        assert re.fullmatch(r">=[\d.]+", str(requirement.specifier)), str(requirement)


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    released = re.search(
        r"^## \[([\d.]+)\] - ([\d-]+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert PROJECT["version"] == cnnkit.__version__ == str(citation["version"]) == released[1]
    assert str(citation["date-released"]) == released[2]
    assert citation["repository-code"] == ADDRESS
    assert CONFIG["repository"]["branch"] == f"v{cnnkit.__version__}", (
        "Colab opens the release, not what comes after it"
    )


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


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-backends.txt", "requirements-oldest.txt"])
def test_every_pin_is_exact(name):
    for requirement in requirements(name).values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), str(requirement)


def test_the_package_has_lower_bounds_only():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert re.fullmatch(r">=[\d.]+", str(requirement.specifier)), str(requirement)


def test_the_commands_that_the_readme_and_the_workflows_name_are_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"book", "test", "serve", "lint", "bench", "test-backends", "clean"} <= targets
    assert {"test-backends-all", "test-oldest", "mutants"} <= targets
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
    assert absent_paths("see `cnnkit/gradients.py`, `cnnkit/clu.py` and `book/figures/name.js`") == [
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


def recipe(target: str) -> list[str]:
    """What a target of the Makefile asks for first."""
    (found,) = re.findall(rf"^{target}:([^#\n]*)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return [name for name in found.split() if not name.startswith("$")]


PARTS = [*recipe("test"), "test-backends"]


@pytest.mark.parametrize("failing", [None, *PARTS])
def test_the_integration_script_runs_the_parts_of_both_commands_and_ends_with_where_the_time_went(
    failing, tmp_path
):
    for name in (".ci/run", "tests/benchmarks/steps.py"):
        script = tmp_path / "checkout" / name
        script.parent.mkdir(parents=True)
        script.write_text((ROOT / name).read_text("utf-8"))
    (tmp_path / "shared" / "data").mkdir(parents=True)
    for name, text in (("make", f'[ "$1" != "{failing}" ]'), ("chromium", "")):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key != "CNNKIT_DATA"}
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"
    script = tmp_path / "checkout" / ".ci" / "run"
    run = subprocess.run(["bash", str(script)], capture_output=True, text=True, env=environment)
    summary = run.stdout.partition("== summary")[2].split("\n")
    assert run.returncode == (0 if failing is None else 1), run.stderr
    assert f"data     {tmp_path / 'shared' / 'data'}" in summary
    verdicts = dict(line.split()[:2] for line in summary if "passed" in line or "FAILED" in line)
    assert {step: verdicts[step] for step in PARTS} == {
        step: "FAILED" if step == failing else "passed" for step in PARTS
    }
    assert any(line.startswith("everything") for line in summary)


@pytest.mark.parametrize("given", ["torch", None])
def test_the_commands_run_on_tensorflow_whatever_the_environment_and_the_settings_of_keras_say(
    given, tmp_path
):
    (tmp_path / "keras.json").write_text('{"backend": "jax", "image_data_format": "channels_first"}')
    environment = {
        key: value for key, value in os.environ.items() if key not in ("KERAS_BACKEND", "KERAS_HOME")
    }
    environment |= {"KERAS_HOME": str(tmp_path)} | ({"KERAS_BACKEND": given} if given else {})
    command = ["make", "--silent", "-f", "Makefile", "-f", "-", "settings"]
    shown = "settings:\n\t@echo $$KERAS_BACKEND $$KERAS_HOME\n"
    run = subprocess.run(command, input=shown, capture_output=True, text=True, cwd=ROOT, env=environment)
    backend, home = run.stdout.split()
    assert backend == "tensorflow"
    assert Path(home).is_relative_to(ROOT / "_build")


def test_pip_is_asked_once_and_what_it_cannot_install_is_said_with_the_remedy(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"))
    for folder in ("book", "chapters", "cnnkit", "data", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    pip = tmp_path / ".venv" / "bin" / "python"
    pip.write_text("#!/bin/sh\nexit 1\n")
    pip.chmod(0o755)

    def make(*arguments: str) -> subprocess.CompletedProcess:
        command = ["make", f"PYTHON={sys.executable}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    unready = make("book")
    assert unready.returncode != 0
    assert "pip could not install what requirements.txt asks for" in unready.stdout
    assert "connect to the network, or point PIP_INDEX_URL or PIP_FIND_LINKS" in unready.stdout
    (tmp_path / ".venv" / "ready").touch()
    ready = make("--dry-run", "book")
    assert "jupyter-book build" in ready.stdout and "pip install" not in ready.stdout


def test_the_oldest_versions_that_are_tested_are_the_bounds_of_the_package():
    pins = requirements("requirements-oldest.txt")
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["tensorflow"]]
    wanted += [*extras.get("plots", ()), *extras.get("course", ())]
    for requirement in map(Requirement, wanted):
        if canonicalize_name(requirement.name) != NAME:
            bound = str(requirement.specifier).removeprefix(">=")
            assert str(pins[canonicalize_name(requirement.name)].specifier).startswith(f"=={bound}"), (
                requirement
            )

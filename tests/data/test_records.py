"""Recorded results are found by their names, and so are the scripts that made them."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from cnnkit import data
from tests.layering import ROOT

SCRIPTS = sorted(
    [
        *(ROOT / "chapters").rglob("*_trials.py"),
        *(ROOT / "tests" / "benchmarks").glob("*.py"),
        ROOT / "cnnkit" / "course" / "breaks.py",
    ]
)


def tables_told(script: Path) -> list[str]:
    """The tables that a script's docstring says it writes, as patterns: `<n>` stands for a number."""
    text = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    return [name.replace("<n>", r"\d+") for name in re.findall(r"data/results/([\w<>-]+)\.csv", text)]


def wrong_records(tables: list[str], scripts: list[Path]) -> list[str]:
    """Tables that no script, or more than one, says it writes; and tables that a script tells of and nobody has."""
    told = {script: tables_told(script) for script in scripts}
    faults = []
    for table in tables:
        by = [script.name for script, names in told.items() if any(re.fullmatch(n, table) for n in names)]
        if len(by) != 1:
            faults.append(f"{table}.csv is told by {' and '.join(by) or 'no script'}; one docstring names it")
    for script, names in told.items():
        missing = [name for name in names if not any(re.fullmatch(name, table) for table in tables)]
        faults += [f"{script.name} tells of {name}.csv, which is not in data/results" for name in missing]
    return faults


def test_the_trial_of_the_three_ideas_has_five_seeds_of_each_net_and_names_its_versions():
    table = data.recorded("orientation-moved")
    nets = ["convolutional", "dense", "wide dense", "not shared", "not local", "gaps filled", "not pooled"]
    judged = table[table.kind == "verdict"]
    assert set(judged.arm) == set(nets) and judged.groupby("arm").seed.nunique().eq(5).all()
    assert table.test.between(0, 1).all() and table.train.between(0, 1).all()
    assert table.settings.notna().all() and table.versions.str.contains("Keras").all()


def test_an_unknown_table_gets_the_nearest_name():
    with pytest.raises(KeyError, match="did you mean 'orientation-moved'"):
        data.recorded("orientation-move")


def test_each_table_is_told_by_the_one_script_that_makes_it():
    tables = sorted(path.stem for path in (ROOT / "data" / "results").glob("*.csv"))
    assert tables and wrong_records(tables, SCRIPTS) == []


def test_a_table_without_a_script_with_two_and_one_that_is_missing_are_caught(tmp_path):
    one, two = tmp_path / "one_trials.py", tmp_path / "two_trials.py"
    one.write_text('"""Writes data/results/a-<n>-cores.csv and data/results/b.csv."""')
    two.write_text('"""Writes data/results/b.csv and data/results/d.csv."""')
    assert wrong_records(["a-2-cores", "b", "c"], [one, two]) == [
        "b.csv is told by one_trials.py and two_trials.py; one docstring names it",
        "c.csv is told by no script; one docstring names it",
        "two_trials.py tells of d.csv, which is not in data/results",
    ]


def test_the_folder_of_the_tables_and_that_of_the_weights_hold_no_script():
    assert not list((ROOT / "data").rglob("*.py"))


@pytest.mark.parametrize("table", sorted(path.stem for path in (ROOT / "data" / "results").glob("*.csv")))
def test_a_command_in_a_table_names_a_script_that_is_there(table):
    columns = data.recorded(table)
    for command in set(columns.command) if "command" in columns else ():
        assert (ROOT / command.split()[1]).is_file(), command


@pytest.mark.parametrize(
    "script", [path for path in SCRIPTS if "chapters" in path.parts], ids=lambda path: path.stem
)
def test_a_script_of_trials_can_be_imported_and_names_its_own_command(script):
    spec = importlib.util.spec_from_file_location(f"trials_{script.stem}", script)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert f"python {script.relative_to(ROOT).as_posix()}" in script.read_text("utf-8")

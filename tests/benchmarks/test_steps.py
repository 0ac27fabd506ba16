"""The table of an integration run shows each step beside its budget, and the slowest notebooks and tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import steps
from tests.layering import ROOT


def report(path: Path, *cases: tuple[str, str, float]) -> None:
    lines = [f'<testcase classname="{place}" name="{name}" time="{time}"/>' for place, name, time in cases]
    path.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")


def test_each_step_stands_beside_its_budget_and_the_total_last():
    header, first, second, total = steps.table([("ready", "passed", 12.0), ("unit", "FAILED", 300.4)])
    assert header.split() == ["step", "verdict", "took", "budget"]
    assert first.split() == ["ready", "passed", "12", "s", "-"]
    assert second.split() == ["unit", "FAILED", "300", "s", "360", "s"]
    assert total.split() == ["everything", "312", "s", "3000", "s"]


def test_a_step_over_its_budget_is_said_loudly():
    assert steps.table([("unit", "passed", 361)])[-1] == "OVER BUDGET: unit took 361 s and may take 360 s"
    both = steps.table([("unit", "passed", 10), ("other", "passed", 2995)])
    assert both[-1] == "OVER BUDGET: everything took 3005 s and may take 3000 s"


def test_the_slowest_tests_are_named_and_the_cells_of_a_notebook_are_one(tmp_path, capsys):
    (tmp_path / "steps.txt").write_text("unit passed 9\nnotebooks passed 70\n")
    report(tmp_path / "unit.xml", *((f"tests.test_{n}", "test_it", n) for n in range(1, 8)))
    cells = [("chapters.layers.pooling.ipynb", f"Cell {n}", 20.5) for n in range(3)]
    report(tmp_path / "notebooks.xml", *cells, ("chapters.orientation.ipynb", "Cell 0", 8.5))
    steps.main(tmp_path)
    shown = capsys.readouterr().out.splitlines()
    start = shown.index("slowest of notebooks")
    assert shown[start + 1 : start + 3] == [
        "   61.5 s  chapters.layers.pooling.ipynb OVER BUDGET",
        "    8.5 s  chapters.orientation.ipynb",
    ]
    assert [line.split()[-1] for line in shown[shown.index("slowest of unit") + 1 :]] == [
        f"tests.test_{n}::test_it" for n in (7, 6, 5, 4, 3)
    ]


@pytest.mark.parametrize("name", sorted(steps.BUDGETS))
def test_each_budget_is_of_a_step_that_the_integration_script_takes(name):
    assert f"\nstep {name}\n" in (ROOT / ".ci" / "run").read_text("utf-8")

"""`agrees` prints one line when two results are equal, and says where they differ when they are not."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit.course.agreement import Disagreement, agrees


def test_two_equal_results_print_the_tolerance_and_the_true_gap(capsys: pytest.CaptureFixture[str]) -> None:
    agrees("by hand", np.array([1.0, 2.0]), "Keras", np.array([1.0, 2.0 + 3e-7]), within=1e-5)
    assert capsys.readouterr().out == "✓ by hand and Keras agree to 1e-05 (largest difference 3e-07)\n"


def test_tensors_and_numbers_can_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    agrees("one", keras.ops.ones((2, 2)), "two", np.ones((2, 2)), within=0)
    agrees("one", 3, "two", 3.0, within=0)
    assert capsys.readouterr().out.count("(largest difference 0)") == 2


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ([1.0, 2.0], [1.0, 2.1], r"differ by 0.1, allowed are 0.001: at \(1,\) a has 2 and b 2.1"),
        (1.0, 2.0, "at their one number a has 1 and b 2"),
        ([[1.0]], [1.0], r"a has the shape \(1, 1\) and b \(1,\)"),
        ([np.nan], [np.nan], "a holds NaN"),
        ([1.0], [np.inf], "b holds NaN or infinity"),
    ],
)
def test_results_that_differ_say_where(one: object, other: object, message: str) -> None:
    with pytest.raises(Disagreement, match=message):
        agrees("a", one, "b", other, within=1e-3)


def test_large_numbers_may_differ_in_proportion() -> None:
    agrees("a", [1e6 + 0.5], "b", [1e6], within=1e-6)
    with pytest.raises(Disagreement):
        agrees("a", [1e6 + 2], "b", [1e6], within=1e-6)


def test_nbval_compares_the_tolerance_and_not_the_gap_which_another_processor_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plugin = pytest.importorskip("nbval.plugin")
    root = Path(__file__).parents[2]
    patterns = plugin.get_sanitize_patterns((root / "tests/nbval.cfg").read_text("utf-8"))
    shown = []
    for gap, within in ((3e-7, 1e-5), (8e-7, 1e-5), (0, 1e-5), (3e-7, 1e-4)):
        agrees("by hand", 1.0, "Keras", 1.0 + gap, within=within)
        line = capsys.readouterr().out
        for pattern, instead in patterns:
            line = re.sub(pattern, instead, line)
        shown.append(line)
    assert shown[0] == shown[1] == shown[2] != shown[3]
    for file in ("Makefile", ".github/workflows/colab.sh"):
        assert "--nbval-sanitize-with tests/nbval.cfg" in (root / file).read_text("utf-8")

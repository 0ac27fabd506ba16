"""The common checks, for each registered layer and each of its cases: nothing is added untested."""

from __future__ import annotations

import pytest

from cnnkit.layers.registry import LAYERS
from tests.layers.checks import CHECKS, every_case
from tests.layers.common import case_fault, load_cases, load_every_layer

load_every_layer()
CASES = load_cases()


@pytest.mark.parametrize("name", sorted(set(LAYERS) | set(CASES)))
def test_each_layer_has_cases_and_each_case_a_layer(name: str) -> None:
    assert case_fault(name, CASES) is None


@pytest.mark.parametrize(("name", "number", "check"), list(every_case()))
def test_layer_passes(name: str, number: int, check: str) -> None:
    if name not in LAYERS:
        pytest.fail(f"{name} is not registered")
    CHECKS[check](LAYERS[name], CASES[name][1][number])

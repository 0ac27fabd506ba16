"""The common checks, for each registered model: nothing is added untested."""

from __future__ import annotations

import pytest

from cnnkit import models
from cnnkit.gradients import backend_name
from tests.models.common import FACTS, NUMBERS, NUMBERS_ONCE, case_fault, load_cases

CASES = load_cases()
DEFAULT = backend_name() == "tensorflow"
HERE = NUMBERS | (NUMBERS_ONCE if DEFAULT else {})


@pytest.mark.parametrize("name", sorted(set(models.names()) | set(CASES)))
def test_each_builder_has_a_case_and_each_case_a_model(name: str) -> None:
    assert case_fault(name, CASES) is None


@pytest.mark.parametrize("check", FACTS if DEFAULT else ["counts"])
@pytest.mark.parametrize("name", models.names())
def test_the_card_of_a_model_holds(name: str, check: str) -> None:
    FACTS[check](name)


@pytest.mark.parametrize("check", HERE)
@pytest.mark.parametrize("name", sorted(CASES))
def test_model_passes(name: str, check: str) -> None:
    HERE[check](name, CASES[name])

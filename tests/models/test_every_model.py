"""The common checks, for each registered model: nothing is added untested."""

from __future__ import annotations

import pytest

from cnnkit import models
from tests.models.common import CHECKS, case_fault, load_cases

CASES = load_cases()


@pytest.mark.parametrize("name", sorted(set(models.names()) | set(CASES)))
def test_each_model_has_a_case_and_each_case_a_model(name: str) -> None:
    assert case_fault(name, CASES) is None


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", sorted(CASES))
def test_model_passes(name: str, check: str) -> None:
    CHECKS[check](name, CASES[name])

"""The common checks, for each registered model: nothing is added untested."""

from __future__ import annotations

import pytest

from cnnkit import models
from cnnkit.gradients import backend_name
from tests.models.common import FACTS, NUMBERS, NUMBERS_ONCE, case_fault, load_cases

CASES = load_cases()
DEFAULT = backend_name() == "tensorflow"
HERE = NUMBERS | (NUMBERS_ONCE if DEFAULT else {})


def smallest(family: str) -> str:
    """The member of a family with the fewest parameters: it stands for the others where time is short."""
    return min(models.names(family=family), key=lambda name: models.card(name).parameters or float("inf"))


SMALLEST = {smallest(family) for family in models.families()}
#: Every model; those that are not the smallest of their family are marked as members of one.
EVERY = [name if name in SMALLEST else pytest.param(name, marks=pytest.mark.member) for name in sorted(CASES)]


@pytest.mark.parametrize("name", sorted(set(models.names()) | set(CASES)))
def test_each_builder_has_a_case_and_each_case_a_model(name: str) -> None:
    assert case_fault(name, CASES) is None


@pytest.mark.parametrize("check", FACTS if DEFAULT else ["counts"])
@pytest.mark.parametrize("name", models.names())
def test_the_card_of_a_model_holds(name: str, check: str) -> None:
    FACTS[check](name)


@pytest.mark.parametrize("check", HERE)
@pytest.mark.parametrize("name", EVERY)
def test_model_passes(name: str, check: str) -> None:
    HERE[check](name, CASES[name])


def test_one_member_of_each_family_runs_on_every_backend() -> None:
    assert {models.card(name).family for name in SMALLEST} == set(models.families())
    assert {name for name in EVERY if isinstance(name, str)} >= SMALLEST

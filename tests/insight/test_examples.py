"""The examples of the docstrings run."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["axes", "cost", "measured", "receptive_field", "shifts", "summary"])
def test_the_examples_of_a_module_show_what_comes_out(name):
    failed, attempted = doctest.testmod(importlib.import_module(f"cnnkit.insight.{name}"))
    assert (failed, attempted > 0) == (0, True)

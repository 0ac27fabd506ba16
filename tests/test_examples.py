"""The examples in the docstrings stay true, in every module, on every backend."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import keras
import numpy as np
import pytest

import cnnkit

# What the reader of an example has imported already.
IMPORTED = {"keras": keras, "np": np, "ops": keras.ops}
# The examples of layers are run with the other checks of each layer (tests/layers); functions beside them here.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(cnnkit.__path__, "cnnkit.")
    if not module.name.startswith("cnnkit.layers.")
]


def failures(module: ModuleType) -> int:
    return doctest.testmod(module, extraglobs=IMPORTED).failed


@pytest.mark.usefixtures("models_of_this_test")
@pytest.mark.parametrize("name", ["cnnkit", *MODULES, "cnnkit.layers.rbf", "cnnkit.layers.squashing"])
def test_the_examples_of_a_module_show_what_comes_out(name: str) -> None:
    assert failures(importlib.import_module(name)) == 0


def test_an_example_that_lies_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("lies")
    module.__doc__ = ">>> 1 + 1\n3\n"
    assert failures(module) == 1

"""The examples in the docstrings of `cnnkit.data` stay true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from cnnkit import data


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(data.__path__)])
def test_examples(name):
    module = importlib.import_module(f"cnnkit.data.{name}")
    assert doctest.testmod(module, extraglobs=vars(data)).failed == 0

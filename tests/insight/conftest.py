"""Networks of keras.applications, built once, with zeros for weights: nobody looks at them, and drawing them is slow."""

from __future__ import annotations

import functools
from unittest import mock

import keras
import pytest


@functools.cache
def _application(name: str) -> keras.Model:
    def zeros(self, shape, dtype=None, **options):
        return keras.ops.zeros(shape, dtype)

    with mock.patch.object(keras.initializers.VarianceScaling, "__call__", zeros):
        return getattr(keras.applications, name)(weights=None)


@pytest.fixture
def application():
    return _application

"""Tests draw to memory only, and what they register is forgotten."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow 2.21 on CPUs: the gradient of a 1x1 convolution with stride 2 writes past its memory in oneDNN.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.fixture
def models_of_this_test() -> Iterator[None]:
    """What the test registers among the models is gone after it."""
    from cnnkit.models import registry

    before = dict(registry._REGISTRY)
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)

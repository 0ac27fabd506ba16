"""Tests run on TensorFlow unless told otherwise, draw to memory only, and what they register is forgotten."""

import os
import sys
from collections.abc import Iterator

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # and not what ~/.keras/keras.json says
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN writes past its memory in the kernel gradient of a narrow 1x1 convolution with strides (oneDNN issue 6035; shown
# in tests/test_onednn.py). TensorFlow can do without it; in PyTorch, which hangs there, its instructions are held to AVX.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
if os.environ["KERAS_BACKEND"] == "torch":
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX")

    import torch

    torch.set_warn_always(True)  # not once a process, in whichever test comes first


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    """Every test draws the same weights, whichever tests came before it in its process."""
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(7)


@pytest.fixture
def models_of_this_test() -> Iterator[None]:
    """What the test registers among the models is gone after it."""
    from cnnkit.models import registry

    before = dict(registry._REGISTRY)
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)

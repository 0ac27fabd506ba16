"""What every test may count on: no window is opened, the backend is quiet, chance is the same each time."""

from __future__ import annotations

import os
import random
import sys

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def one_seed() -> None:
    """Seed Python and NumPy, and Keras where a test has loaded it: tests of text stay without a backend."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(20)
    elif "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(20)
    random.seed(20)

"""After `import cnnkit` alone, in a process that has seen none of our layers, Keras loads what they were saved in."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

LOAD = """
{imports}
model = keras.saving.load_model({path!r})
print(*(type(layer).__name__ for layer in model.layers), model.layers[-2].activation.__name__)
model.save({path!r})
"""
LOADED = "InputLayer SimpleCells LpPooling2D Dense AttentionPooling scaled_tanh"


def run(code: str, backend: str) -> str:
    """What a process of its own prints."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """The file of a model with layers of ours, and an activation."""
    from cnnkit import layers, origins

    inputs = keras.Input((24, 24, 1))
    x = layers.LpPooling2D(2, p=3)(origins.SimpleCells(orientations=2)(inputs))
    x = keras.layers.Dense(2, activation=layers.scaled_tanh)(x)
    path = str(tmp_path / "model.keras")
    keras.Model(inputs, layers.AttentionPooling()(x)).save(path)
    return path


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_saved_model_loads_after_importing_the_package_alone(backend: str, saved: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    assert run(LOAD.format(path=saved, imports="import cnnkit, keras"), backend) == LOADED


def test_it_loads_as_well_where_keras_came_first(saved: str) -> None:
    assert run(LOAD.format(path=saved, imports="import keras, cnnkit"), keras.backend.backend()) == LOADED


def test_importing_the_package_loads_neither_keras_nor_a_backend() -> None:
    heavy = ("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "matplotlib", "pandas")
    code = f"import sys, cnnkit; print(*sorted(set({heavy}) & set(sys.modules)))"
    assert run(code, keras.backend.backend()) == ""


def test_a_name_of_ours_that_is_not_there_is_still_not_found() -> None:
    assert keras.saving.get_registered_object("cnnkit>NoSuchLayer") is None

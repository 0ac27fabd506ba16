"""After `import cnnkit` alone, in a process that has seen none of our layers, Keras loads what they were saved in."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]

SAVE = """
import keras
from cnnkit import layers, origins
inputs = keras.Input((24, 24, 1))
x = origins.SimpleCells(orientations=2)(inputs)
x = layers.LpPooling2D(2, p=3)(x)
x = keras.layers.Dense(2, activation=layers.scaled_tanh)(x)
keras.Model(inputs, layers.AttentionPooling()(x)).save({path!r})
"""
LOAD = """
{imports}
model = keras.saving.load_model({path!r})
print(*(type(layer).__name__ for layer in model.layers), model.layers[-2].activation.__name__)
model.save({path!r})
"""
LOADED = "InputLayer SimpleCells LpPooling2D Dense AttentionPooling scaled_tanh"


def run(code: str, backend: str) -> str:
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_saved_model_loads_after_importing_the_package_alone(backend: str, tmp_path: Path) -> None:
    path = str(tmp_path / "model.keras")
    run(SAVE.format(path=path), backend)
    for imports in ("import cnnkit, keras", "import keras, cnnkit"):
        assert run(LOAD.format(path=path, imports=imports), backend) == LOADED


def test_importing_the_package_loads_neither_keras_nor_a_backend() -> None:
    heavy = ("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "matplotlib", "pandas")
    code = f"import sys, cnnkit; print(*sorted(set({heavy}) & set(sys.modules)))"
    assert run(code, "tensorflow") == ""


def test_a_name_of_ours_that_is_not_there_is_still_not_found() -> None:
    import keras

    assert keras.saving.get_registered_object("cnnkit>NoSuchLayer") is None

"""A training's state in one file: the network as Keras saves it, and all that is needed to go on as if nothing had happened.

The file is a `.keras` file, which `keras.saving.load_model` reads; two entries more in it hold the optimiser's and the
random generators' state, and what run it is of. It is written beside its place and moved there when it is whole, so that
a full disk or a lost power supply leaves the checkpoint before it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

__all__ = ["CheckpointError", "State", "read", "replace", "restore", "snapshot", "write"]

_FORMAT = 1
_TOLD, _ARRAYS = "cnnkit_training.json", "cnnkit_training.npz"

#: The values of variables, in order.
State = dict[str, list[np.ndarray]]


class CheckpointError(ValueError):
    """A checkpoint that cannot be written, read, or gone on from: the sentence says which, and what to do."""


def snapshot(trainee: keras.Model) -> State:
    """The values of all that a training moves: weights, random states, and the optimiser's variables."""
    optimizer = trainee.optimizer.variables if trainee.optimizer is not None else []
    return {
        "variables": [np.array(keras.ops.convert_to_numpy(v)) for v in _variables(trainee)],
        "optimizer": [np.array(keras.ops.convert_to_numpy(v)) for v in optimizer],
    }


def restore(trainee: keras.Model, state: State) -> None:
    """Put the values back."""
    optimizer = trainee.optimizer.variables if trainee.optimizer is not None else []
    for kind, variables in (("variables", _variables(trainee)), ("optimizer", optimizer)):
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in state[kind]]:
            raise CheckpointError(
                f"the checkpoint holds {len(state[kind])} {kind} of other shapes than this training's {len(shapes)}: it is of "
                "another network or recipe"
            )
        for variable, value in zip(variables, state[kind], strict=True):
            variable.assign(value)


def write(path: Path, model: keras.Model, trainee: keras.Model, told: dict[str, Any]) -> None:
    """Write all of it, or nothing.

    Args:
        path: where it is to lie; its folder exists.
        model: the network, which is saved as Keras saves it.
        trainee: the compiled model around it, whose state is saved beside it.
        told: what else is to be known, such as the epoch; it must be JSON.

    Raises:
        CheckpointError: where the disk is full or closed; what lay at `path` lies there still.
    """
    with _whole(path) as part:
        model.save(part)
        state = snapshot(trainee)
        arrays = io.BytesIO()
        np.savez(
            arrays, **{f"{kind}/{i:05d}": v for kind, values in state.items() for i, v in enumerate(values)}
        )
        with zipfile.ZipFile(part, "a") as file:
            file.writestr(_ARRAYS, arrays.getvalue())
            file.writestr(_TOLD, json.dumps({"format": _FORMAT, **told}, default=str))


def replace(path: Path, text: str) -> None:
    """Write a text, or nothing, as `write` does."""
    with _whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to be written, which is moved to its place when it is whole."""
    part = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        kept = f"; the one before it is kept at {path}" if path.exists() else ""
        raise CheckpointError(
            f"no {'checkpoint' if path.suffix == '.keras' else path.name} could be written to {path.parent} ({error.strerror or error}){kept}"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], State]:
    """What a checkpoint tells, and its state.

    Raises:
        CheckpointError: where the file is damaged, or is no checkpoint of a training.
    """
    try:
        with zipfile.ZipFile(path) as file:
            if _TOLD not in file.namelist():
                raise CheckpointError(
                    f"{path} is a model that Keras saved, and no checkpoint of a training: load it by "
                    "keras.saving.load_model, and train it into another folder"
                )
            told = json.loads(file.read(_TOLD))
            with np.load(io.BytesIO(file.read(_ARRAYS))) as arrays:
                state: State = {"variables": [], "optimizer": []}
                for name in sorted(arrays.files):
                    state[name.partition("/")[0]].append(arrays[name])
    except (zipfile.BadZipFile, KeyError, EOFError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}): put it aside, and begin again with fresh=True"
        ) from error
    if told.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} has the format {told.get('format')}, which this version of cnnkit does not read"
        )
    return told, state


def _variables(trainee: keras.Model) -> list[Any]:
    """All variables but the metrics', each once, in an order that does not change."""
    of_metrics = {id(variable) for variable in trainee.metrics_variables}
    return [variable for variable in trainee.variables if id(variable) not in of_metrics]

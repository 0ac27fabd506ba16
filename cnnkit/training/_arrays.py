"""Labels, scores and probabilities as NumPy arrays, or one sentence that names what is wrong and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__: list[str] = []

NEAR_ONE = 0.01
"""How far the sum of a row of probabilities may be from 1: float16 and a thousand classes need as much."""


def array(values: Any) -> np.ndarray:
    """What NumPy reads; a tensor that a gradient could go through (PyTorch's, of a model's outputs) without it."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def class_numbers(labels: Any, name: str = "labels", classes: int | None = None) -> np.ndarray:
    """One whole number from 0 for each example, as int64; below `classes` where that is known."""
    found = array(labels)
    if found.size == 0:
        raise ValueError(f"{name} are empty, shape {found.shape}: there is nothing to measure")
    if found.ndim != 1:
        raise ValueError(
            f"{name} have shape {found.shape}; needed is one class number for each example: {_remedy(found)}"
        )
    if found.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} are of type {found.dtype}, not numbers: number the classes, "
            "classes, numbers = np.unique(labels, return_inverse=True)"
        )
    whole = (
        found.astype("int64") if found.dtype.kind != "f" else np.where(np.isfinite(found), np.trunc(found), 0)
    )
    if (wrong := np.flatnonzero(whole != found)).size:
        raise ValueError(
            f"{name}[{wrong[0]}] is {found[wrong[0]]}, not a class number: labels are whole numbers from 0"
        )
    whole = whole.astype("int64")
    beyond = whole < 0 if classes is None else (whole < 0) | (whole >= classes)
    if beyond.any():
        place = np.flatnonzero(beyond)[0]
        last = f"to {classes - 1}, one for each column of the scores" if classes else "upwards"
        raise ValueError(
            f"{name}[{place}] is {whole[place]}, and classes are numbered from 0 {last}: number them anew, "
            "or leave examples without a class out"
        )
    return whole


def _remedy(labels: np.ndarray) -> str:
    if labels.ndim == 2 and labels.shape[1] == 1:
        return "take labels[:, 0]"
    if labels.ndim == 2 and set(np.unique(labels)) <= {0, 1} and np.all(labels.sum(axis=1) == 1):
        return "they are one-hot, take labels.argmax(axis=-1)"
    if labels.ndim == 2:
        return "are labels and scores swapped? Labels come first; the class with the largest score is scores.argmax(axis=-1)"
    return "labels of pixels or of moments are labels.reshape(-1), with scores.reshape(-1, classes)"


def score_rows(scores: Any, name: str = "scores") -> np.ndarray:
    """Finite numbers `(examples, classes)` in float64."""
    found = array(scores)
    if found.size == 0:
        raise ValueError(f"{name} are empty, shape {found.shape}: there is nothing to measure")
    if found.ndim == 1 or (found.ndim == 2 and found.shape[1] == 1):
        what = (
            "class numbers, not what a model says of each class"
            if found.dtype.kind in "iub"
            else "one number an example"
        )
        raise ValueError(
            f"{name} have shape {found.shape}, {what}; needed is a column for each class: give the model's outputs, "
            "or for two classes np.stack([1 - p, p], axis=-1) of the probability p of class 1"
        )
    if found.ndim != 2:
        raise ValueError(
            f"{name} have shape {found.shape}; needed is (examples, classes): {name}.reshape(-1, {found.shape[-1]})"
        )
    if found.dtype.kind not in "iufb" and not np.issubdtype(found.dtype, np.floating):
        try:
            found = found.astype("float32")  # such as bfloat16, which NumPy does not know for a float
        except (TypeError, ValueError):
            raise ValueError(f"{name} are of type {found.dtype}, not numbers") from None
    found = found.astype("float64")
    if (wrong := np.argwhere(~np.isfinite(found))).size:
        row, column = wrong[0]
        raise ValueError(
            f"{name}[{row}, {column}] is {found[row, column]}, so the row says nothing: find what made it (a rate that is "
            "too high, a logarithm of 0), or leave such examples out and say how many"
        )
    return found


def probability_rows(probabilities: Any, name: str = "probabilities") -> np.ndarray:
    """As `score_rows`, none negative, each row adding up to 1."""
    found = score_rows(probabilities, name)
    if not are_probabilities(found):
        row = np.flatnonzero((found.min(axis=1) < 0) | (np.abs(found.sum(axis=1) - 1) > NEAR_ONE))[0]
        raise ValueError(
            f"{name}[{row}] has a smallest number of {found[row].min():.3g} and adds up to {found[row].sum():.3g}, so these "
            "are scores and no probabilities: take scipy.special.softmax(scores, axis=-1)"
        )
    return found


def are_probabilities(rows: np.ndarray) -> bool:
    """Whether no number is negative, and each row adds up to 1."""
    return bool(rows.min() >= 0 and np.all(np.abs(rows.sum(axis=1) - 1) <= NEAR_ONE))


def paired(labels: Any, rows: np.ndarray, name: str) -> np.ndarray:
    """The labels of these rows, in the range that their columns allow."""
    found = class_numbers(labels, classes=rows.shape[1])
    same_length(labels=found, **{name: rows})
    return found


def same_length(**arrays: Any) -> None:
    """Refuse arrays that do not speak of the same examples."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        said = " and ".join(f"{count} {name}" for name, count in lengths.items())
        raise ValueError(f"there are {said}: each example needs one of each, in the same order")


def between(name: str, value: float, what: str) -> float:
    """A number strictly between 0 and 1."""
    if isinstance(value, bool | str) or not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, {what}, not {value!r}")
    return float(value)


def whole(name: str, value: int, least: int, remedy: str = "") -> int:
    """A whole number of at least some size."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}{remedy}")
    return int(value)

"""The data of a trial, cut once for every arm: what is trained on, what chooses the rate, what judges."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit import data
from cnnkit.trials.errors import TrialError

__all__ = ["PARTS", "Split", "split"]

PARTS = ("train", "validation", "test")
#: Of the test examples, the share that may stand in the training set too before the split is refused.
MOST_SHARED = 0.005

Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Split:
    """Training, validation and test examples, each `(x, y)`; read when they are first asked for.

    What the targets look like says what is asked: integers, one an example, are classes; integers in several axes are a
    class for each pixel or step; floats are numbers to be predicted.
    """

    name: str
    make: Callable[[], dict[str, Part]]

    @functools.cached_property
    def parts(self) -> dict[str, Part]:
        """The three parts by name, checked."""
        parts = {name: (np.asarray(x), _targets(y)) for name, (x, y) in self.make().items()}
        _check(self.name, parts)
        return parts

    @property
    def asks_for_classes(self) -> bool:
        """Whether the targets are classes rather than numbers."""
        return self.parts["train"][1].dtype.kind in "iu"

    @property
    def classes(self) -> int:
        """How many classes there are: one more than the largest label of the training part."""
        return int(self.parts["train"][1].max()) + 1

    @property
    def sizes(self) -> dict[str, int]:
        """How many examples each part holds."""
        return {name: len(x) for name, (x, _) in self.parts.items()}

    @functools.cached_property
    def digest(self) -> str:
        """Twelve letters that change when any number of the data does."""
        digest = hashlib.sha256()
        for name in PARTS:
            for array in self.parts[name]:
                digest.update(f"{name} {array.dtype} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:12]


def split(
    source: Any,
    train: int | None = None,
    validation: int = 2_000,
    test: int | None = None,
    seed: int = 0,
    name: str | None = None,
) -> Split:
    """Cut a data set into training, validation and test parts.

    Training and validation examples are drawn by chance, without repetition, from the official training part; the test
    part stays whole unless `test` asks for its first examples only.

    Args:
        source: the name of a registered set (read when it is first needed), `((x, y), (x_test, y_test))`, or a function
            that returns such a pair of pairs.
        train: how many to train on; all that are left after the validation part by default.
        validation: how many to choose the rate by.
        test: how many to judge by; all by default.
        seed: draws the examples.
        name: what the table calls the data; the set's name by default.

    Example:
        >>> x, y = np.zeros((50, 2)), np.arange(50) % 3
        >>> x[:, 0] = np.arange(50)
        >>> split(((x[:40], y[:40]), (x[40:], y[40:])), train=25, validation=10).sizes
        {'train': 25, 'validation': 10, 'test': 10}
    """
    if isinstance(source, str):
        name, make = name or source, functools.partial(data.load, source)
    elif callable(source):
        make = source
    else:

        def make() -> Any:
            return source

    return Split(name or "data", functools.partial(_cut, make, train, validation, test, seed))


def _cut(
    make: Callable[[], Any], train: int | None, validation: int, test: int | None, seed: int
) -> dict[str, Part]:
    try:
        (x, y), (x_test, y_test) = make()
    except (TypeError, ValueError) as error:
        raise TrialError(
            f"a split is made of ((x, y), (x_test, y_test)); this source is none: {error}"
        ) from None
    train = len(x) - validation if train is None else train
    if train < 1 or validation < 1:
        raise TrialError(
            f"a split needs training and validation examples, but train={train} and validation={validation} "
            f"of {len(x)} were asked for"
        )
    if train + validation > len(x):
        raise TrialError(
            f"train={train} and validation={validation} are {train + validation} examples, and there are {len(x)}: "
            "ask for fewer"
        )
    order = np.random.default_rng(seed).permutation(len(x))
    chosen = {"train": order[:train], "validation": order[train : train + validation]}
    parts = {part: (np.asarray(x)[rows], np.asarray(y)[rows]) for part, rows in chosen.items()}
    return {**parts, "test": (np.asarray(x_test)[:test], np.asarray(y_test)[:test])}


def _targets(y: Any) -> np.ndarray:
    """Yes and no are the classes 1 and 0, and labels in a column, as Keras's CIFAR-10 has them, are labels."""
    y = np.asarray(y)
    y = y.astype("int64") if y.dtype.kind == "b" else y
    return y[:, 0] if y.dtype.kind in "iu" and y.ndim == 2 and y.shape[1] == 1 else y


def _check(name: str, parts: dict[str, Part]) -> None:
    """Refuse data on which no comparison can be fair, by name."""
    for part in PARTS:
        x, y = parts[part]
        if len(x) == 0:
            raise TrialError(f"the {part} part of {name} is empty")
        if len(x) != len(y):
            raise TrialError(f"the {part} part of {name} has {len(x)} examples and {len(y)} targets")
        for what, array in (("examples", x), ("targets", y)):
            if array.dtype.kind not in "biuf":
                raise TrialError(
                    f"the {part} {what} of {name} are of dtype {array.dtype}: make them numbers of one shape; classes are "
                    "counted from 0"
                )
            if array.shape[1:] != (same := parts["train"][what == "targets"].shape[1:]):
                raise TrialError(
                    f"the {part} {what} of {name} have the shape {array.shape[1:]} each, and those of training {same}"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
                raise TrialError(
                    f"the {part} {what} of {name} hold NaN or infinity in {len(bad)} of {len(array)} rows, first in "
                    f"row {bad[0]}: leave these rows out"
                )
    labels = parts["train"][1]
    if (
        labels.ndim == 2
        and labels.shape[1] > 1
        and ((labels == 0) | (labels == 1)).all()
        and (labels.sum(axis=1) == 1).all()
    ):
        raise TrialError(f"the targets of {name} are one-hot: give the labels themselves, y.argmax(axis=-1)")
    if labels.dtype.kind in "iu":
        if labels.min() < 0:
            raise TrialError(f"the labels of {name} begin at {labels.min()}; classes are counted from 0")
        if len(np.unique(labels)) < 2:
            raise TrialError(
                f"every training label of {name} is {labels.flat[0]}: one class leaves nothing to learn"
            )
        for part in ("validation", "test"):
            if (most := parts[part][1].max()) > labels.max():
                raise TrialError(
                    f"the {part} part of {name} has the class {most}, and training knows {labels.max()} at most: "
                    "draw another split"
                )
    else:
        for part in PARTS:
            if np.ptp(parts[part][1]) == 0:
                word = "training" if part == "train" else part
                raise TrialError(
                    f"every {word} target of {name} is {parts[part][1].flat[0]}: there is nothing to learn"
                )
    if shared := _shared(parts["train"][0], parts["test"][0]):
        told = f"{shared} of {len(parts['test'][0])} test examples of {name} stand in the training part too"
        if shared > MOST_SHARED * len(parts["test"][0]):
            raise TrialError(f"{told}: the test set has leaked, draw the split without them")


def _shared(train: np.ndarray, test: np.ndarray) -> int:
    """How many test examples training holds too, whatever the type of their numbers."""
    known = {hash((row.astype("float32") + 0).tobytes()) for row in train}
    return sum(hash((row.astype("float32") + 0).tobytes()) in known for row in test)

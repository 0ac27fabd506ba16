"""CIFAR-10: from its published archive, or from strips of a part of it, to arrays."""

from __future__ import annotations

import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit._names import needed
from cnnkit.data.download import DataUnavailable, available, fetch

__all__ = ["load_cifar10"]

Split = tuple[np.ndarray, np.ndarray]

_SUBSET_TRAIN, _SUBSET_TEST = 10_000, 1_000


def load_cifar10(subset: bool = False) -> tuple[Split, Split]:
    """CIFAR-10, 50,000 + 10,000 images (32, 32, 3); with `subset=True` only the first 10,000 + 1,000.

    The subset is the same whichever form lies at hand, the PNG strips or the official archive. It is never
    given unless asked for: what is trained on it cannot stand beside published CIFAR-10 figures.

    Chapter: orientation.
    """
    if subset and available("cifar10", layout="subset"):
        return _cifar10_strips(fetch("cifar10", layout="subset"))
    try:
        folder = fetch("cifar10", layout="official")
    except DataUnavailable as error:
        if available("cifar10", layout="subset"):
            hint = "its first 10,000 + 1,000 images are here: load('cifar10', subset=True)"
            raise DataUnavailable(f"{error}\nThe full set is not here; {hint}") from None
        raise
    train, test = _cifar10_archive(folder / "cifar-10-python.tar.gz")
    if subset:
        return (train[0][:_SUBSET_TRAIN], train[1][:_SUBSET_TRAIN]), (
            test[0][:_SUBSET_TEST],
            test[1][:_SUBSET_TEST],
        )
    return train, test


def _images(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def _cifar10_strips(folder: Path) -> tuple[Split, Split]:
    Image = needed("PIL.Image", "course")

    def strip(batch: int) -> np.ndarray:
        with Image.open(folder / f"cifar10_batch_{batch}.png") as image:
            return np.asarray(image.convert("RGB")).reshape(-1, 32, 32, 3)

    text = (folder / "cifar10_labels.js").read_text()
    labels = np.array(json.loads(text[text.index("[") : text.rindex("]") + 1]), np.int64)
    train = np.concatenate([strip(batch) for batch in range(10)])
    test = strip(50)
    return (_images(train), labels[: len(train)]), (_images(test), labels[50_000 : 50_000 + len(test)])


class _PlainUnpickler(pickle.Unpickler):
    """Lets through what the CIFAR archive holds, dictionaries of arrays, and no code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0], name) in {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy", "_reconstruct"),
        }:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"the archive asks for {module}.{name}, which no CIFAR file needs")


def _cifar10_archive(path: Path) -> tuple[Split, Split]:
    def batch(archive: tarfile.TarFile, name: str) -> tuple[np.ndarray, list[int]]:
        stream = archive.extractfile(f"cifar-10-batches-py/{name}")
        if stream is None:
            raise ValueError(f"{path.name} has no member {name}")
        content = _PlainUnpickler(stream, encoding="bytes").load()
        return content[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), content[b"labels"]

    def split(batches: list[tuple[np.ndarray, list[int]]]) -> Split:
        images = np.concatenate([images for images, _ in batches])
        return _images(images), np.concatenate([labels for _, labels in batches]).astype(np.int64)

    with tarfile.open(path) as archive:
        train = split([batch(archive, f"data_batch_{number}") for number in range(1, 6)])
        test = split([batch(archive, "test_batch")])
    return train, test

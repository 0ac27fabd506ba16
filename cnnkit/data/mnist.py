"""MNIST and Fashion-MNIST: from their published IDX files to arrays."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from cnnkit.data.download import fetch

__all__ = ["load_mnist", "read_idx"]

Split = tuple[np.ndarray, np.ndarray]


def read_idx(path: str | Path) -> np.ndarray:
    """The array in an IDX file (the format of MNIST), gzipped or not.

    Four bytes open the file: two zeros, the type (8 is unsigned byte) and the number of axes;
    then the length of each axis, four bytes big-endian; then the numbers.

    Chapter: orientation.
    """
    path = Path(path)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise ValueError(
            f"{path.name} is no IDX file of unsigned bytes: it starts with {raw[:4].hex(' ') or 'nothing'}"
        )
    axes = raw[3]
    if len(raw) < 4 + 4 * axes:
        raise ValueError(f"{path.name} promises the lengths of {axes} axes and ends before: it is cut short")
    shape = tuple(int(side) for side in np.frombuffer(raw, ">u4", axes, offset=4))
    if len(raw) - 4 - 4 * axes != np.prod(shape):
        raise ValueError(
            f"{path.name} promises {shape} numbers and holds {len(raw) - 4 - 4 * axes}: it is cut short"
        )
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def load_mnist(name: str = "mnist") -> tuple[Split, Split]:
    """MNIST, or Fashion-MNIST in the same form: images (n, 28, 28, 1) float32 in [0, 1], labels int64.

    Chapter: orientation.
    """
    folder = fetch(name)

    def split(prefix: str) -> Split:
        images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
        return images[..., None].astype(np.float32) / 255, labels.astype(np.int64)

    return split("train"), split("t10k")

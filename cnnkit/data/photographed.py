"""Sets of photographs that lie in archives: ants and bees, and traffic signs."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np

from cnnkit._names import needed
from cnnkit.data.download import fetch

__all__ = ["load_gtsrb32", "load_hymenoptera"]

Split = tuple[np.ndarray, np.ndarray]


def load_hymenoptera(size: int = 128) -> tuple[Split, Split]:
    """Ants (0) and bees (1), 244 + 153 photographs: their middle square, shrunk to (size, size, 3), float32 in [0, 1].

    Both animals are classes of ImageNet, and the photographs come from it: what a net that was trained there makes of them says
    little about new kinds.

    Chapter: training/transfer-learning.
    """
    image = needed("PIL.Image", "course")
    if not 1 <= size <= 192:
        raise ValueError(
            f"the photographs have a short side of 192 pixels: size is from 1 to 192, not {size}"
        )
    with zipfile.ZipFile(fetch("hymenoptera") / "hymenoptera_192.zip") as archive:
        found: dict[str, list[tuple[np.ndarray, int]]] = {"train": [], "val": []}
        for name in sorted(name for name in archive.namelist() if name.endswith(".jpg")):
            part, kind, _ = name.split("/")
            with image.open(io.BytesIO(archive.read(name))) as picture:
                width, height = picture.size
                side = min(width, height)
                left, top = (width - side) // 2, (height - side) // 2
                square = picture.convert("RGB").resize(
                    (size, size), image.Resampling.BILINEAR, (left, top, left + side, top + side)
                )
            found[part].append((np.asarray(square, np.float32) / 255, int(kind == "bees")))
    train, test = (tuple(map(np.array, zip(*found[part], strict=True))) for part in ("train", "val"))
    return train, test  # type: ignore[return-value]


def load_gtsrb32() -> tuple[Split, Split]:
    """German traffic signs of 43 kinds: 2,614 + 2,000 photographs (32, 32, 3), float32 in [0, 1].

    A part of the benchmark: two frames of each of its training tracks, and its first test images. Examples `2 * i` and `2 * i + 1`
    of the training part show the same sign on the same drive, so a validation part takes both or neither.

    Chapter: training/transfer-learning.
    """
    image = needed("PIL.Image", "course")
    with zipfile.ZipFile(fetch("gtsrb32") / "gtsrb32_subset.zip") as archive:

        def strips(part: str) -> np.ndarray:
            rows = []
            for name in sorted(name for name in archive.namelist() if name.startswith(part)):
                with image.open(io.BytesIO(archive.read(name))) as strip:
                    rows.append(np.asarray(strip.convert("RGB")).reshape(-1, 32, 32, 3))
            return np.concatenate(rows).astype(np.float32) / 255

        rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
        labels = {
            part: [int(row["label"]) for row in rows if row["split"] == part] for part in ("train", "test")
        }
        train, test = ((strips(part), np.array(labels[part], np.int64)) for part in ("train", "test"))
    return train, test

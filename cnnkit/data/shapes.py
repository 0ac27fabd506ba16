"""Simple shapes on a field, with the boxes and masks that say where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["KINDS", "Shapes", "load_shapes", "shapes"]

KINDS = ("disc", "square", "triangle", "cross")

Split = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Shapes:
    """Images `(n, size, size, 1)`, labels `(n,)`, boxes `(n, 4)` and masks `(n, size, size)`.

    A box is top, left, bottom, right, half open: rows `top` to `bottom - 1` and columns
    `left` to `right - 1` hold the shape.

    Chapter: orientation.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    masks: np.ndarray


def shapes(
    count: int = 1000,
    size: int = 24,
    radius: tuple[float, float] = (4.0, 7.0),
    noise: float = 0.05,
    seed: int = 0,
) -> Shapes:
    """One disc, square, triangle or cross an image, of random size and place, in equal numbers.

    >>> made = shapes(8)
    >>> made.images.shape, made.boxes.shape
    ((8, 24, 24, 1), (8, 4))

    Chapter: orientation.
    """
    if not 1 <= radius[0] <= radius[1] <= (size - 1) / 2:
        raise ValueError(f"radius {radius} does not fit: wanted 1 <= smallest <= largest <= {(size - 1) / 2}")
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(count) % len(KINDS)).astype(np.int64)
    masks = np.zeros((count, size, size), bool)
    boxes = np.zeros((count, 4), np.int64)
    for place, label in enumerate(labels):
        r = generator.uniform(*radius)
        centre = generator.uniform(r, size - 1 - r, 2)
        masks[place] = _inside(KINDS[label], *(np.mgrid[:size, :size] - centre[:, None, None]), r)
        rows, columns = np.flatnonzero(masks[place].any(1)), np.flatnonzero(masks[place].any(0))
        boxes[place] = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    bright = generator.uniform(0.6, 1.0, (count, 1, 1))
    images = masks * bright + noise * generator.standard_normal(masks.shape)
    return Shapes(np.clip(images, 0, 1)[..., None].astype(np.float32), labels, boxes, masks)


def load_shapes(train: int = 2000, test: int = 400, size: int = 24, seed: int = 0) -> tuple[Split, Split]:
    """A training and a test set of shapes to tell apart, from two different seeds.

    Chapter: orientation.
    """
    first, second = shapes(train, size, seed=2 * seed), shapes(test, size, seed=2 * seed + 1)
    return (first.images, first.labels), (second.images, second.labels)


def _inside(kind: str, down: np.ndarray, right: np.ndarray, r: float) -> np.ndarray:
    if kind == "disc":
        return np.hypot(down, right) <= r
    if kind == "square":
        return np.maximum(np.abs(down), np.abs(right)) <= 0.8 * r
    if kind == "triangle":
        return (down <= 0.6 * r) & (2 * np.abs(right) <= 1.1 * (down + r))
    if kind == "cross":
        arm = 0.3 * r
        return (np.minimum(np.abs(down), np.abs(right)) <= arm) & (
            np.maximum(np.abs(down), np.abs(right)) <= r
        )
    raise ValueError(f"no shape is called '{kind}'; there are {', '.join(KINDS)}")

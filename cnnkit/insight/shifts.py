"""What a shift of the image does to a model: to its maps (equivariance) and to its decisions (invariance)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["equivariance_error", "shift_consistency", "shifted"]


def shifted(images: np.ndarray, down: int, right: int, border: str = "circular") -> np.ndarray:
    """Move images `(batch, height, width, channels)` by whole pixels; what leaves comes back on the other side.

    With `border="zero"` what leaves is lost, and zeros come in.

    >>> shifted(np.arange(3.0).reshape(1, 1, 3, 1), 0, 1)[0, 0, :, 0].tolist()
    [2.0, 0.0, 1.0]

    Chapter: layers/receptive-fields.
    """
    if border not in ("circular", "zero"):
        raise ValueError(f"border must be 'circular' or 'zero', not {border!r}")
    if np.ndim(images) < 3:
        raise ValueError(
            f"images have shape {np.shape(images)}; needed is (batch, height, width, channels): for one grey "
            "picture write picture[None, :, :, None]"
        )
    moved = np.roll(images, (down, right), axis=(1, 2))
    if border == "zero":
        for axis, step in ((1, down), (2, right)):
            gone = slice(0, step) if step > 0 else slice(step, None)
            if step:
                moved[(slice(None),) * axis + (gone,)] = 0
    return moved


def equivariance_error(
    function: Callable[[Any], Any], images: np.ndarray, down: int = 1, right: int = 1, stride: int = 1
) -> float:
    """How far f(shift x) is from shift f(x), as a share of the largest value of f(x); circular shifts.

    Zero means equivariant.  `function` is a layer, a model or any function from images to maps; `stride` says how
    many pixels of the image one step on the map is, and must divide the shift.

    >>> images = np.random.default_rng(0).random((1, 8, 8, 1)).astype("float32")
    >>> equivariance_error(keras.layers.ReLU(), images, 2, 3)
    0.0

    Chapter: layers/receptive-fields.
    Paper: arXiv:1904.11486.
    """
    if stride < 1 or down % stride or right % stride:
        raise ValueError(
            f"a shift by ({down}, {right}) is no whole step on a map of stride {stride}; use multiples"
        )
    maps, of_moved = (keras.ops.convert_to_numpy(function(x)) for x in (images, shifted(images, down, right)))
    moved = shifted(maps, down // stride, right // stride)
    return float(np.abs(of_moved - moved).max() / max(np.abs(maps).max(), 1e-30))


def shift_consistency(
    model: keras.Model,
    images: np.ndarray,
    reach: int = 4,
    pairs: int = 8,
    border: str = "circular",
    seed: int = 0,
) -> float:
    """How often a classifier gives an image the same class after two different shifts, from 0 to 1.

    For each of `pairs` draws two shifts of up to `reach` pixels are taken, the same for all images.

    >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.GlobalMaxPooling2D()])
    >>> shift_consistency(model, np.random.default_rng(0).random((5, 8, 8, 1)))
    1.0

    Chapter: layers/receptive-fields.
    Paper: arXiv:1904.11486.
    """
    rng = np.random.default_rng(seed)
    agreed = []
    for first, second in _pairs(rng, reach, pairs):
        one, other = (_classes(model, shifted(images, *shift, border)) for shift in (first, second))
        agreed.append(float(np.mean(one == other)))
    return float(np.mean(agreed))


def _classes(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False)).argmax(axis=-1)


def _pairs(rng: np.random.Generator, reach: int, pairs: int) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
    if reach < 1 or pairs < 1:
        raise ValueError(
            f"reach is {reach} and pairs {pairs}; needed is at least one pair of shifts of at least 1 pixel"
        )
    found = []
    while len(found) < pairs:
        first, second = rng.integers(-reach, reach + 1, (2, 2)).tolist()
        if first != second:
            found.append((first, second))
    return found

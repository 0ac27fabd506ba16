"""What a shift of the image does to a model: to its maps (equivariance) and to its decisions (invariance)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

__all__ = ["equivariance_error", "shift_consistency", "shifted"]


def shifted(images: np.ndarray, *steps: int, border: str = "circular") -> np.ndarray:
    """Move images by whole pixels, so many `down` and so many `right`; what leaves comes back on the other side.

    One step moves a sequence, three a volume: the axes after the batch.  With `border="zero"` what leaves is lost,
    and zeros come in.

    Example:
        >>> shifted(np.arange(3.0).reshape(1, 1, 3, 1), 0, 1)[0, 0, :, 0].tolist()
        [2.0, 0.0, 1.0]

    Chapter: layers/invariance.
    """
    if border not in ("circular", "zero"):
        raise ValueError(f"border must be 'circular' or 'zero', not {border!r}")
    if not steps or np.ndim(images) <= len(steps):
        raise ValueError(
            f"images have shape {np.shape(images)}; needed is (batch, height, width, channels), and one step for each "
            f"axis of place, not {steps}: for one grey picture write picture[None, :, :, None]"
        )
    axes = range(1, len(steps) + 1)
    moved = np.roll(images, steps, axis=tuple(axes))
    if border == "zero":
        for axis, step in zip(axes, steps, strict=True):
            gone = slice(0, step) if step > 0 else slice(step, None)
            if step:
                moved[(slice(None),) * axis + (gone,)] = 0
    return moved


def equivariance_error(
    function: Callable[[Any], Any], images: np.ndarray, *steps: int, stride: int = 1
) -> float:
    """How far f(shift x) is from shift f(x), as a share of the largest value of f(x); circular shifts.

    Zero means equivariant.

    Args:
        function: a layer, a model or any function from images to maps.
        images: channels last, with one, two or three axes of place.
        steps: by how many pixels to shift along each axis of place; by default by one.
        stride: how many pixels of the image one step on the map is; it must divide the shift.

    Example:
        >>> images = np.random.default_rng(0).random((1, 8, 8, 1)).astype("float32")
        >>> equivariance_error(keras.layers.ReLU(), images, 2, 3)
        0.0

    Chapter: layers/invariance.
    Paper: arXiv:1904.11486.
    """
    steps = steps or (1,) * (np.ndim(images) - 2)
    if stride < 1 or any(step % stride for step in steps):
        raise ValueError(f"a shift by {steps} is no whole step on a map of stride {stride}; use multiples")
    maps, of_moved = (keras.ops.convert_to_numpy(function(x)) for x in (images, shifted(images, *steps)))
    moved = shifted(maps, *(step // stride for step in steps))
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

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.GlobalMaxPooling2D()])
        >>> shift_consistency(model, np.random.default_rng(0).random((5, 8, 8, 1)))
        1.0

    Chapter: layers/invariance.
    Paper: arXiv:1904.11486.
    """
    rng = np.random.default_rng(seed)
    agreed = []
    for first, second in _pairs(rng, reach, pairs, np.ndim(images) - 2):
        one, other = (_classes(model, shifted(images, *shift, border=border)) for shift in (first, second))
        agreed.append(float(np.mean(one == other)))
    return float(np.mean(agreed))


def _classes(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False)).argmax(axis=-1)


def _pairs(
    rng: np.random.Generator, reach: int, pairs: int, rank: int
) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
    if reach < 1 or pairs < 1:
        raise ValueError(
            f"reach is {reach} and pairs {pairs}; needed is at least one pair of shifts of at least 1 pixel"
        )
    found = []
    while len(found) < pairs:
        first, second = rng.integers(-reach, reach + 1, (2, rank)).tolist()
        if first != second:
            found.append((first, second))
    return found

"""Every window of an image at once, by k * k shifted slices: no loop over positions, no shape asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import keras
from keras import ops

__all__: list[str] = []


def windows(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
    """The windows of `(batch, *space, channels)` as `(batch, *positions, window elements, channels)`.

    One slice for each offset inside the window, so the memory is that of `prod(size)` outputs. A window's
    elements come row by row. Windows that do not fit are left out ("valid").
    """
    slices = []
    for offset in product(*map(range, size)):
        # The last start of a window is n - k: a slice from i that stops k - 1 - i before the end.
        cut = tuple(slice(i, i - k + 1 or None, s) for i, k, s in zip(offset, size, strides, strict=True))
        slices.append(x[(slice(None), *cut)])
    return ops.stack(slices, axis=len(size) + 1)


def pair(value: int | Sequence[int], rank: int, name: str) -> tuple[int, ...]:
    """`value` once for each axis, or an error that names the argument."""
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(int(v) for v in value)
    except TypeError:
        values = ()
    if len(values) != rank or min(values) < 1:
        raise ValueError(f"{name} must be a positive integer or {rank} of them, not {value!r}")
    return values


def layout(data_format: str | None) -> str:
    """`data_format`, or Keras's default for None, or an error that lists the two layouts."""
    value = data_format or keras.config.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first', not {data_format!r}")
    return value

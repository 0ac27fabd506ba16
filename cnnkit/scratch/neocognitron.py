"""The two cells of the neocognitron in plain NumPy, channels last: the oracle of the layers, and what grows it."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["c_cells", "fading_mask", "s_cells"]

Array = NDArray[np.floating]


def fading_mask(size: int, falloff: float) -> NDArray[np.float64]:
    """Fixed weights that fall with the distance from the middle, `falloff ** distance`, and add up to 1.

    >>> mask = fading_mask(3, 0.5)
    >>> bool(mask[1, 1] == mask.max()), round(float(mask.sum()), 6)
    (True, 1.0)

    Chapter: origins/neocognitron.
    """
    if size < 1 or not 0 < falloff <= 1:
        raise ValueError(f"a mask needs size >= 1 and a falloff in (0, 1]; got {size} and {falloff}")
    mask = falloff ** np.hypot(*(np.mgrid[:size, :size] - (size - 1) / 2))
    return mask / mask.sum()


def s_cells(
    x: Array,
    excitatory: Array,
    inhibitory: Array,
    selectivity: float = 4.0,
    padding: int = 0,
    falloff: float = 0.9,
) -> tuple[Array, Array]:
    """Answers of the S-cells, and of the inhibitory cell that watches each place.

    With e the weighted sum of the inputs and v their weighted root mean square, the inhibition divides ::

        r * max(0, (1 + e) / (1 + 2 r / (1 + r) * b * v) - 1)

    `x` is `(n, h, w, c)`, `excitatory` is `(k, k, c, planes)`, `inhibitory` is `(planes,)`; the answers are
    `(n, h', w', planes)` and `(n, h', w')`.

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """
    size, channels = excitatory.shape[0], excitatory.shape[2]
    seen = _windows(x, size, padding)
    e = np.tensordot(seen, excitatory.transpose(2, 0, 1, 3), axes=3)
    mask = fading_mask(size, falloff) / channels
    v = np.sqrt(np.tensordot((seen**2).sum(axis=3), mask, axes=2))
    brake = 2 * selectivity / (1 + selectivity) * inhibitory * v[..., None]
    return selectivity * np.maximum(0, (1 + e) / (1 + brake) - 1), v


def c_cells(
    x: Array,
    kernel_size: int = 5,
    strides: int = 2,
    padding: int = 4,
    strength: float = 10.0,
    falloff: float = 0.8,
    saturation: float = 0.5,
    rule: str = "sum",
) -> Array:
    """Answers of the C-cells: each blurs one plane of S-cells, is held down by all planes, and saturates.

    With e the blurred plane and v the mean of e over all planes, `t = max(0, (1 + e) / (1 + v) - 1)`, and the
    answer is `t / (saturation + t)`.  `rule="max"` takes the largest of the window in place of its blur.

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """
    seen = _windows(x, kernel_size, padding)[:, ::strides, ::strides]
    if rule == "max":
        e = strength * seen.max(axis=(-1, -2))
    else:
        e = strength * np.tensordot(seen, fading_mask(kernel_size, falloff), axes=2)
    t = np.maximum(0, (1 + e) / (1 + e.mean(axis=-1, keepdims=True)) - 1)
    return t / (saturation + t)


def _windows(x: Array, size: int, padding: int) -> Array:
    """(n, h, w, c) -> (n, h', w', c, size, size)."""
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    return sliding_window_view(padded, (size, size), axis=(1, 2))

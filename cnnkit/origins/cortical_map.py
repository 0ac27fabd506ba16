"""Where the cells sit: a schematic map of preferred orientations, and of the visual field on the cortex.

Both are generated. They have the statistics and the shape that were measured; they are nobody's cortex.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["cortical_position", "magnification", "orientation_map", "pinwheels"]


def orientation_map(size: int = 128, hypercolumn: float = 32.0, seed: int = 0) -> NDArray[np.float64]:
    """A schematic map of preferred orientation (degrees, 0 to 180) over a square of cortex.

    Random waves whose length is one hypercolumn are added in the complex plane, in all directions; half the
    angle of the sum is the orientation. Orientation then turns smoothly nearly everywhere, and around a few
    points, the pinwheels, all orientations meet. The map wraps at its borders.

    >>> orientation_map(64).shape
    (64, 64)

    Chapter: origins/hubel-wiesel.
    """
    if not 4 <= hypercolumn <= size / 2:
        raise ValueError(
            f"a hypercolumn of {hypercolumn:g} pixels does not fit a map of {size}: "
            f"give between 4 and {size / 2:g}"
        )
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) * hypercolumn
    ring = np.exp(-(((frequency - 1) / 0.08) ** 2) / 2)
    noise = rng.standard_normal((size, size)) + 1j * rng.standard_normal((size, size))
    field = np.fft.ifft2(ring * noise)
    return np.rad2deg(np.angle(field)) / 2 % 180


def pinwheels(orientations: ArrayLike) -> NDArray[np.int64]:
    """How orientation turns round each corner between four pixels: +1, -1 (a pinwheel of that sense) or 0.

    Chapter: origins/hubel-wiesel.
    """
    angle = np.asarray(orientations, np.float64)
    around = [angle, np.roll(angle, -1, 1), np.roll(angle, (-1, -1), (0, 1)), np.roll(angle, -1, 0)]
    turned = sum(
        (following - here + 90) % 180 - 90
        for here, following in zip(around, around[1:] + around[:1], strict=True)
    )
    return np.rint(turned / 180).astype(np.int64)


def cortical_position(
    azimuth: ArrayLike, elevation: ArrayLike, k: float = 15.0, a: float = 0.7
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Millimetres on the flattened cortex for a point of the visual field in degrees, `k log(z + a)`.

    The right half of the visual field (azimuth > 0) goes to the left hemisphere, given here with negative
    first coordinate, and the other way round. `k` and `a` are round numbers for a schematic picture.

    >>> along, across = cortical_position([5.0, -5.0], [0.0, 0.0])
    >>> bool(along[0] < 0 < along[1])
    True

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1007/BF01885636.
    """
    azimuth, elevation = np.asarray(azimuth, np.float64), np.asarray(elevation, np.float64)
    folded = k * (np.log(np.abs(azimuth) + 1j * elevation + a) - np.log(a))
    side = np.where(azimuth >= 0, -1.0, 1.0)
    return side * folded.real, folded.imag


def magnification(eccentricity: ArrayLike, k: float = 15.0, a: float = 0.7) -> NDArray[np.float64]:
    """Millimetres of cortex for one degree of the visual field, `k / (eccentricity + a)`.

    >>> float(magnification(0.0) / magnification(20.0)) > 25
    True

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1007/BF01885636.
    """
    return k / (np.asarray(eccentricity, np.float64) + a)

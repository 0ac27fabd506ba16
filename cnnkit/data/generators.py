"""Stimuli: what Hubel and Wiesel, and those after them, put before a cell.

One convention for all: sizes in pixels, angles in degrees counter-clockwise from the horizontal (so 0 is a
lying bar, 90 a standing one), positions as (x to the right, y upwards) from the centre, luminance in [0, 1].
Images come as (count, height, width, 1) float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit._names import positive

__all__ = ["drifting_grating", "grating", "moving_bar", "noise", "oriented_bars", "spots"]


def oriented_bars(
    angles: Sequence[float] | np.ndarray,
    size: int = 32,
    width: float = 3.0,
    length: float | None = None,
    position: tuple[float, float] = (0.0, 0.0),
    bright: bool = True,
    softness: float = 1.0,
) -> np.ndarray:
    """One bar for each angle: bright on dark, or dark on bright.

    The edge runs over `softness` pixels, so that a bar at 45 degrees has no stairs. `length=None` lets the
    bar cross the whole field.

    >>> oriented_bars([0, 45, 90], size=16).shape
    (3, 16, 16, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1959.sp006308.
    """
    positive("oriented_bars", size=size, width=width, softness=softness)
    x, y = _field(size)
    x, y = x - position[0], y - position[1]
    radians = np.deg2rad(np.asarray(angles, float).reshape(-1))[:, None, None]
    along, across = x * np.cos(radians) + y * np.sin(radians), y * np.cos(radians) - x * np.sin(radians)
    bars = _edge(width / 2 - np.abs(across), softness)
    if length is not None:
        positive("oriented_bars", length=length)
        bars = bars * _edge(length / 2 - np.abs(along), softness)
    return _images(bars if bright else 1 - bars)


def moving_bar(
    angle: float,
    frames: int = 16,
    travel: float | None = None,
    size: int = 32,
    width: float = 3.0,
    bright: bool = True,
) -> np.ndarray:
    """A bar that sweeps across the field at right angles to itself: `(frames, size, size, 1)`.

    It moves `travel` pixels in all, centred (the whole field if None), towards `angle + 90` degrees.

    >>> moving_bar(90, frames=8).shape
    (8, 32, 32, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    positive("moving_bar", frames=frames)
    travel = float(size) if travel is None else travel
    direction = np.deg2rad(angle + 90)
    steps = np.linspace(-travel / 2, travel / 2, frames)
    places = [(step * np.cos(direction), step * np.sin(direction)) for step in steps]
    return np.concatenate(
        [oriented_bars([angle], size, width, position=place, bright=bright) for place in places]
    )


def grating(
    angles: Sequence[float] | np.ndarray,
    size: int = 32,
    wavelength: float = 8.0,
    phase: float = 0.0,
    contrast: float = 1.0,
) -> np.ndarray:
    """Sine-wave gratings whose stripes lie along each angle, around a grey of 0.5.

    The luminance is `(1 + contrast * cos(2 pi u / wavelength - phase)) / 2`, with u the distance across the
    stripes; `phase` is in degrees.

    >>> grating([0, 90], size=16, wavelength=4).shape
    (2, 16, 16, 1)

    Chapter: origins/hubel-wiesel.
    """
    positive("grating", size=size, wavelength=wavelength)
    if not 0 <= contrast <= 1:
        raise ValueError(f"a grating's contrast lies in [0, 1], not at {contrast}")
    x, y = _field(size)
    radians = np.deg2rad(np.asarray(angles, float).reshape(-1))[:, None, None]
    across = y * np.cos(radians) - x * np.sin(radians)
    return _images((1 + contrast * np.cos(2 * np.pi * across / wavelength - np.deg2rad(phase))) / 2)


def drifting_grating(
    angle: float,
    frames: int = 16,
    cycles: float = 1.0,
    size: int = 32,
    wavelength: float = 8.0,
    contrast: float = 1.0,
) -> np.ndarray:
    """A grating that moves on by `cycles` wavelengths over the film: `(frames, size, size, 1)`.

    >>> drifting_grating(45, frames=8).shape
    (8, 32, 32, 1)

    Chapter: origins/hubel-wiesel.
    """
    positive("drifting_grating", frames=frames)
    phases = 360 * cycles * np.arange(frames) / frames
    return np.concatenate([grating([angle], size, wavelength, phase, contrast) for phase in phases])


def spots(
    radii: Sequence[float] | np.ndarray,
    size: int = 32,
    position: tuple[float, float] = (0.0, 0.0),
    hole: float = 0.0,
    bright: bool = True,
    softness: float = 1.0,
) -> np.ndarray:
    """A disc for each radius, or a ring where `hole` (the inner radius) is more than zero.

    >>> spots([2, 4, 8]).shape
    (3, 32, 32, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1959.sp006308.
    """
    positive("spots", size=size, softness=softness)
    x, y = _field(size)
    distance = np.hypot(x - position[0], y - position[1])
    discs = _edge(np.asarray(radii, float).reshape(-1, 1, 1) - distance, softness)
    if hole > 0:
        discs = discs * _edge(distance - hole, softness)
    return _images(discs if bright else 1 - discs)


def noise(count: int, size: int = 32, kind: str = "gaussian", seed: int = 0) -> np.ndarray:
    """Random stimuli around zero with unit variance: `gaussian`, `binary` (+1 or -1) or `pink`.

    Pink noise has amplitudes that fall as 1/f, as those of photographs do.  These are contrasts, not
    luminances: they are signed, as reverse correlation wants them.

    >>> noise(500, 16, "binary").shape
    (500, 16, 16, 1)

    Chapter: origins/hubel-wiesel.
    """
    positive("noise", count=count, size=size)
    generator = np.random.default_rng(seed)
    if kind == "binary":
        return _images(generator.choice([-1.0, 1.0], (count, size, size)))
    white = generator.standard_normal((count, size, size))
    if kind == "gaussian":
        return _images(white)
    if kind == "pink":
        if size < 2:
            raise ValueError(f"pink noise needs size >= 2, not {size}: one pixel has no frequency but zero")
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
        frequency[0, 0] = np.inf
        pink = np.fft.irfft2(np.fft.rfft2(white) / frequency, s=(size, size))
        return _images(pink / pink.std())
    raise ValueError(f"no noise is called '{kind}'; choose gaussian, binary or pink")


def _field(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixels' centres from the centre of the field: x to the right, y upwards."""
    axis = np.arange(size) - (size - 1) / 2
    return np.meshgrid(axis, -axis)


def _edge(inside: np.ndarray, softness: float) -> np.ndarray:
    """1 well inside, 0 well outside, a straight ramp `softness` pixels wide between."""
    return np.clip(inside / softness + 0.5, 0, 1)


def _images(stack: np.ndarray) -> np.ndarray:
    return stack[..., None].astype(np.float32)

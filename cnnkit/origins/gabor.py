"""Gabor functions: a striped patch with soft edges, the usual description of a simple cell's receptive field.

One geometry for the whole part: angles in degrees, measured anticlockwise from the horizontal, and an
orientation is the direction *along* the bar (0 is a lying bar, 90 a standing one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

__all__ = ["GaborFit", "coordinates", "fit_gabor", "gabor", "gabor_bank"]

DEFAULT_SIGMA = 0.45  # of a wavelength: about one bright and two dark stripes fit under the envelope


def coordinates(
    size: int, orientation: float, x: float = 0.0, y: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of each pixel along and across a line of the given orientation through (x, y).

    The origin is the middle of the patch, x grows to the right and y upwards, so that rows are counted
    from the top as in any image, yet an angle turns as on paper.

    >>> along, across = coordinates(3, orientation=90)
    >>> along[0].round().tolist()
    [1.0, 1.0, 1.0]

    Chapter: origins/hubel-wiesel.
    """
    half = (size - 1) / 2
    row, column = np.mgrid[:size, :size].astype(np.float64)
    right, up = column - half - x, half - row - y
    angle = np.deg2rad(orientation)
    along = right * np.cos(angle) + up * np.sin(angle)
    across = up * np.cos(angle) - right * np.sin(angle)
    return along, across


def gabor(
    size: int,
    orientation: float = 90.0,
    wavelength: float = 6.0,
    phase: float = 0.0,
    sigma: float | None = None,
    aspect: float = 0.5,
    x: float = 0.0,
    y: float = 0.0,
    balanced: bool = True,
) -> NDArray[np.float64]:
    """A Gabor patch of unit length: stripes `cos(2 pi u / wavelength + phase)` under a soft envelope.

    The envelope is `exp(-(u^2 + aspect^2 v^2) / 2 sigma^2)`; v runs along the bar and u across it. For two reasons
    `skimage.filters.gabor_kernel` is not used here: its even kernels answer to a blank wall, and its size changes with
    the angle, so that a bank cannot be stacked. Unbalanced, and within its window, the two agree (a test says so).

    Args:
        size: the side in pixels.
        orientation: degrees, counter-clockwise from the horizontal.
        wavelength: of the stripes, in pixels.
        phase: the kind, in degrees: 0 a bright bar, 90 an edge, 180 a dark bar, 270 the opposite edge.
        sigma: the width of the envelope, 0.45 wavelengths if None.
        aspect: below 1 the patch is longer than it is wide.
        x: pixels to the right of the middle.
        y: pixels above the middle.
        balanced: take away what the patch would say to even illumination, so that its sum is zero.

    >>> gabor(13).shape
    (13, 13)

    Chapter: origins/hubel-wiesel.
    """
    if size < 1:
        raise ValueError(f"a Gabor patch needs a size of at least 1 pixel; got {size}")
    if wavelength < 2:
        raise ValueError(f"wavelength {wavelength} is too fine for pixels: give 2 or more")
    along, across = coordinates(size, orientation, x, y)
    sigma = DEFAULT_SIGMA * wavelength if sigma is None else sigma
    envelope = np.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2))
    patch = envelope * np.cos(2 * np.pi * across / wavelength + np.deg2rad(phase))
    if balanced:
        patch -= envelope * patch.sum() / envelope.sum()
    length = np.linalg.norm(patch)
    return patch / length if length > 1e-12 else patch


def gabor_bank(
    size: int = 13,
    orientations: int | ArrayLike = 8,
    phases: int | ArrayLike = 4,
    wavelength: float = 6.0,
    sigma: float | None = None,
    aspect: float = 0.5,
) -> NDArray[np.float64]:
    """Convolution kernels `(size, size, 1, n)`: every phase of the first orientation, then of the next.

    An integer asks for that many equally spaced: orientations over 180 degrees, phases over 360. Channel
    `o * len(phases) + p` holds orientation o at phase p.

    >>> gabor_bank(13, orientations=8, phases=4).shape
    (13, 13, 1, 32)

    Chapter: origins/hubel-wiesel.
    """
    angles = spaced(orientations, 180.0)
    shifts = spaced(phases, 360.0)
    patches = [gabor(size, a, wavelength, p, sigma, aspect) for a in angles for p in shifts]
    return np.stack(patches, axis=-1)[:, :, None, :]


def spaced(count_or_values: int | ArrayLike, period: float) -> NDArray[np.float64]:
    """The values themselves, or `count` of them spread evenly over a period."""
    if np.ndim(count_or_values) == 0:
        count = int(count_or_values)
        if count < 1:
            raise ValueError(f"need at least one value over {period:g} degrees; got {count_or_values}")
        return np.arange(count) * period / count
    return np.asarray(count_or_values, dtype=np.float64)


@dataclass(frozen=True)
class GaborFit:
    """The Gabor patch nearest to a filter, and the share of the filter's variance that it explains.

    Chapter: origins/hubel-wiesel.
    """

    orientation: float
    wavelength: float
    phase: float
    sigma: float
    aspect: float
    x: float
    y: float
    amplitude: float
    explained: float

    def image(self, size: int) -> NDArray[np.float64]:
        """The fitted patch on a grid of the given size."""
        return self.amplitude * _raw(
            (self.x, self.y, self.orientation, self.wavelength, self.sigma, self.aspect, self.phase), size
        )


def _raw(parameters: ArrayLike, size: int) -> NDArray[np.float64]:
    x, y, orientation, wavelength, sigma, aspect, phase = parameters
    along, across = coordinates(size, orientation, x, y)
    envelope = np.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2))
    return envelope * np.cos(2 * np.pi * across / wavelength + np.deg2rad(phase))


def fit_gabor(patch: ArrayLike) -> GaborFit:
    """Least-squares fit of a Gabor patch to a square filter.

    It starts from the filter's own numbers (its centre of energy, the peak of its spectrum) and from three
    widths of envelope, and keeps the best of the three.

    >>> fit = fit_gabor(gabor(15, orientation=30, wavelength=5, balanced=False))
    >>> round(fit.orientation), round(fit.wavelength, 2), round(fit.explained, 3)
    (30, 5.0, 1.0)

    Chapter: origins/hubel-wiesel.
    """
    patch = np.asarray(patch, dtype=np.float64)
    if patch.ndim != 2 or patch.shape[0] != patch.shape[1]:
        raise ValueError(f"fit_gabor wants one square filter (size, size); got shape {patch.shape}")
    size = patch.shape[0]
    scale = np.linalg.norm(patch)
    if scale == 0:
        raise ValueError("fit_gabor cannot fit a filter that is zero everywhere")
    target = patch / scale
    x, y = _centre(target)
    orientation, wavelength = _dominant_wave(target)
    half = size / 2
    lower = (-half, -half, orientation - 90, 2.0, 0.5, 0.2)
    upper = (half, half, orientation + 90, 4.0 * size, 2.0 * size, 2.5)

    def residual(shape: NDArray[np.float64]) -> NDArray[np.float64]:
        return (target - _project(target, shape)[0]).ravel()

    best, lowest = None, np.inf
    for width in (0.25, 0.45, 0.8):
        start = np.clip((x, y, orientation, wavelength, width * wavelength, 0.7), lower, upper)
        found = least_squares(
            residual, start, bounds=(lower, upper), x_scale=(1, 1, 20, 1, 1, 0.3), max_nfev=60
        )
        if found.cost < lowest:
            best, lowest = found.x, found.cost
    fitted, amplitude, phase = _project(target, best)
    explained = 1 - np.sum((target - fitted) ** 2) / np.sum((target - target.mean()) ** 2)
    return GaborFit(
        orientation=float(best[2] % 180),
        wavelength=float(best[3]),
        phase=float(_phase_seen_upright(best[2], phase)),
        sigma=float(best[4]),
        aspect=float(best[5]),
        x=float(best[0]),
        y=float(best[1]),
        amplitude=float(amplitude * scale),
        explained=float(explained),
    )


def _phase_seen_upright(orientation: float, phase: float) -> float:
    """A patch turned by 180 degrees is the same patch with its phase negated."""
    turns = int(np.floor(orientation / 180))
    return (phase if turns % 2 == 0 else -phase) % 360


def _project(
    target: NDArray[np.float64], shape: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, float]:
    """Best amplitude and phase for a given shape: these two enter linearly, so they need no search."""
    x, y, orientation, wavelength, sigma, aspect = shape
    along, across = coordinates(target.shape[0], orientation, x, y)
    envelope = np.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2))
    even = envelope * np.cos(2 * np.pi * across / wavelength)
    odd = envelope * np.cos(2 * np.pi * across / wavelength + np.pi / 2)
    # Two unknowns: the normal equations, by Cramer's rule, are many times as fast as a general solver.
    ee, oo, eo = np.vdot(even, even), np.vdot(odd, odd), np.vdot(even, odd)
    et, ot = np.vdot(even, target), np.vdot(odd, target)
    determinant = max(ee * oo - eo**2, 1e-12)
    a, b = (et * oo - ot * eo) / determinant, (ot * ee - et * eo) / determinant
    return a * even + b * odd, float(np.hypot(a, b)), float(np.rad2deg(np.arctan2(b, a)))


def _centre(target: NDArray[np.float64]) -> tuple[float, float]:
    energy = target**2
    half = (target.shape[0] - 1) / 2
    row, column = np.mgrid[: target.shape[0], : target.shape[0]]
    return (
        float((energy * (column - half)).sum() / energy.sum()),
        float((energy * (half - row)).sum() / energy.sum()),
    )


def _dominant_wave(target: NDArray[np.float64]) -> tuple[float, float]:
    """Orientation and wavelength of the largest peak of the spectrum, read on a fine grid."""
    grid = 64
    spectrum = np.abs(np.fft.fft2(target, s=(grid, grid)))
    spectrum[0, 0] = 0
    row, column = np.unravel_index(np.argmax(spectrum), spectrum.shape)
    up, right = -np.fft.fftfreq(grid)[row], np.fft.fftfreq(grid)[column]
    across = np.rad2deg(np.arctan2(up, right))
    return float((across - 90) % 180), float(np.clip(1 / np.hypot(up, right), 2.0, 2.0 * target.shape[0]))

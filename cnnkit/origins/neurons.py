"""Model cells in NumPy: what the chapter on Hubel and Wiesel writes by hand, and the oracle of the layers in `cells.py`.

A cell is a function from images, `(n, height, width)` or `(n, height, width, 1)`, to n firing rates. Rates are
never negative.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["complex_cell_energy", "complex_cell_max", "linear_response", "shifted_copies", "simple_cell"]


def linear_response(images: ArrayLike, receptive_field: ArrayLike) -> NDArray[np.float64]:
    """Weigh each image, pixel by pixel, with the receptive field, and add up: one number an image.

    >>> linear_response(np.ones((5, 3, 3)), np.ones((3, 3))).tolist()
    [9.0, 9.0, 9.0, 9.0, 9.0]

    Chapter: origins/hubel-wiesel.
    """
    images, receptive_field = np.asarray(images, np.float64), np.asarray(receptive_field, np.float64)
    if images.shape[-1] == 1 and images.shape[-3:-1] == receptive_field.shape:
        images = images[..., 0]
    if images.shape[-2:] != receptive_field.shape:
        raise ValueError(
            f"the cell looks at patches of {receptive_field.shape} pixels, the images have "
            f"shape {images.shape}: crop them or pad them to the size of the receptive field"
        )
    return np.einsum("...hw,hw->...", images, receptive_field)


def simple_cell(images: ArrayLike, receptive_field: ArrayLike, threshold: float = 0.0) -> NDArray[np.float64]:
    """A linear filter and a half-wave rectifier, `max(0, sum(image * field) - threshold)`.

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    return np.maximum(0.0, linear_response(images, receptive_field) - threshold)


def complex_cell_energy(images: ArrayLike, even: ArrayLike, odd: ArrayLike) -> NDArray[np.float64]:
    """The energy model: the squared answers of two filters a quarter wave apart, added.

    A grating that slides makes one answer fall as the other rises, like sine and cosine, so the sum stays.

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1364/JOSAA.2.000284.
    """
    return linear_response(images, even) ** 2 + linear_response(images, odd) ** 2


def complex_cell_max(
    images: ArrayLike, receptive_fields: ArrayLike, threshold: float = 0.0
) -> NDArray[np.float64]:
    """The loudest of several simple cells; `receptive_fields` is `(cells, height, width)`.

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    return np.max([simple_cell(images, field, threshold) for field in np.asarray(receptive_fields)], axis=0)


def shifted_copies(receptive_field: ArrayLike, shifts: ArrayLike) -> NDArray[np.float64]:
    """The receptive field moved by each `(right, up)` of `shifts`; what leaves the patch is lost.

    >>> shifted_copies([[1.0, 2.0], [3.0, 4.0]], [(1, 0)]).tolist()
    [[[0.0, 1.0], [0.0, 3.0]]]

    Chapter: origins/hubel-wiesel.
    """
    field = np.asarray(receptive_field, np.float64)
    height, width = field.shape
    copies = []
    for right, up in np.asarray(shifts, int).reshape(-1, 2):
        moved = np.zeros_like(field)
        down = -up
        if abs(right) < width and abs(down) < height:
            moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = field[
                max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
            ]
        copies.append(moved)
    return np.stack(copies)

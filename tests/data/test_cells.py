"""Mosaics of cells: dark borders under uneven light, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cnnkit.data import cell_mosaics


def test_borders_are_dark_and_part_the_cells() -> None:
    images, borders = cell_mosaics(3, 48, noise=0.0, shade=0.0)
    np.testing.assert_allclose(images[..., 0][borders], 0.45, rtol=1e-6)
    np.testing.assert_allclose(images[..., 0][~borders], 0.9, rtol=1e-6)
    for mask in borders:
        assert 20 < ndimage.label(~mask)[1] < 80  # 48 / 8 cells each way, and those cut by the rim


def test_under_uneven_light_some_cells_are_darker_than_some_borders() -> None:
    images, borders = cell_mosaics(2, 48, noise=0.0)
    for image, mask in zip(images[..., 0], borders, strict=True):
        assert image[~mask].min() < image[mask].max()


def test_the_seed_decides() -> None:
    one, two, other = (cell_mosaics(2, 16, seed=seed)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    assert one.min() >= 0 and one.max() <= 1 and one.dtype == np.float32


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shade=1\.5"):
        cell_mosaics(shade=1.5)

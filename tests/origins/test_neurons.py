import numpy as np
import pytest

from cnnkit.data import drifting_grating, grating, oriented_bars
from cnnkit.origins import (
    complex_cell_energy,
    complex_cell_max,
    gabor,
    linear_response,
    measure_tuning,
    shifted_copies,
    simple_cell,
)

SIZE, WAVELENGTH = 13, 6.0
EVEN, ODD = gabor(SIZE, 90, WAVELENGTH), gabor(SIZE, 90, WAVELENGTH, phase=90)


DRIFT = drifting_grating(90, frames=72, size=SIZE, wavelength=WAVELENGTH)


def test_a_simple_cell_weighs_adds_and_rectifies():
    stripes = grating([90], SIZE, WAVELENGTH)
    images = np.concatenate([stripes, 1 - stripes])
    raw = linear_response(images, EVEN)
    assert raw[0] > 0 > raw[1]
    np.testing.assert_allclose(simple_cell(images, EVEN), [raw[0], 0])
    np.testing.assert_allclose(simple_cell(images, EVEN, threshold=0.5), [raw[0] - 0.5, 0])


def test_a_simple_cell_follows_the_stripes_and_a_complex_cell_does_not():
    simple = simple_cell(DRIFT, EVEN)
    assert simple.min() == 0
    energy = complex_cell_energy(DRIFT, EVEN, ODD)
    assert energy.min() > 0.95 * energy.max()


def test_the_energy_of_four_rectified_cells_is_that_of_two_filters():
    images = np.random.default_rng(0).random((20, SIZE, SIZE))
    four = sum(simple_cell(images, field) ** 2 for field in (EVEN, -EVEN, ODD, -ODD))
    np.testing.assert_allclose(four, complex_cell_energy(images, EVEN, ODD))


def test_the_loudest_of_shifted_cells_forgives_a_shift():
    places = np.arange(SIZE) - 6
    bars = np.concatenate([oriented_bars([90], SIZE, width=1, position=(x, 0)) for x in places])
    fields = shifted_copies(EVEN, [(right, 0) for right in range(-3, 4)])
    alone = measure_tuning(lambda x: simple_cell(x, EVEN), bars, places)
    together = measure_tuning(lambda x: complex_cell_max(x, fields), bars, places)
    assert together.bandwidth == pytest.approx(alone.bandwidth + 6, abs=0.05)


def test_shifting_by_nothing_is_nothing_and_by_too_much_leaves_nothing():
    copies = shifted_copies(EVEN, [(0, 0), (2, -1), (99, 0)])
    np.testing.assert_array_equal(copies[0], EVEN)
    np.testing.assert_array_equal(copies[1][1:, 2:], EVEN[:-1, :-2])
    assert not copies[2].any()


def test_pictures_may_come_with_or_without_their_one_channel():
    np.testing.assert_array_equal(simple_cell(DRIFT, EVEN), simple_cell(DRIFT[..., 0], EVEN))


def test_a_picture_of_another_size_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match=r"\(13, 13\) pixels, the images have shape \(2, 12, 13\)"):
        linear_response(np.ones((2, 12, 13)), EVEN)

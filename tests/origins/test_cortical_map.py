import numpy as np
import pytest

from cnnkit.origins import cortical_position, magnification, orientation_map, pinwheels


def test_a_map_holds_every_orientation_about_equally():
    counts, _ = np.histogram(orientation_map(256, 32, seed=0), bins=6, range=(0, 180))
    assert counts.min() > 0.6 * counts.mean()


def test_orientation_turns_smoothly_except_at_pinwheels():
    angles = orientation_map(128, 32, seed=1)
    step = np.abs((np.diff(angles, axis=1) + 90) % 180 - 90)
    assert np.median(step) < 10


def test_there_are_pi_pinwheels_to_a_square_hypercolumn_and_senses_balance():
    counted = []
    for seed in range(4):
        turns = pinwheels(orientation_map(256, 24, seed))
        assert set(np.unique(turns)) == {-1, 0, 1} and turns.sum() == 0
        counted.append(np.abs(turns).sum() * 24**2 / 256**2)
    assert np.mean(counted) == pytest.approx(np.pi, rel=0.08)


def test_a_random_map_has_far_more_pinwheels():
    noise = np.random.default_rng(0).uniform(0, 180, (128, 128))
    assert np.abs(pinwheels(noise)).sum() > 20 * np.abs(pinwheels(orientation_map(128, 32))).sum()


def test_each_half_of_the_visual_field_goes_to_the_other_hemisphere():
    along, across = cortical_position([3, -3, 3], [2, 2, -2])
    assert along[0] < 0 < along[1] and along[0] == pytest.approx(-along[1])
    assert across[0] == pytest.approx(across[1]) == pytest.approx(-across[2])


def test_magnification_is_the_derivative_of_the_map():
    step = 1e-4
    for eccentricity in (0.5, 5.0, 30.0):
        here, there = cortical_position([eccentricity, eccentricity + step], [0, 0])[0]
        assert abs(there - here) / step == pytest.approx(magnification(eccentricity), rel=1e-3)


def test_a_hypercolumn_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="hypercolumn of 100 pixels does not fit a map of 64"):
        orientation_map(64, 100)

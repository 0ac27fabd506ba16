import math

import numpy as np
import pytest

from cnnkit.origins import TuningCurve, measure_tuning

ANGLES = np.arange(0, 180, 1.0)


def test_bandwidth_is_the_full_width_at_half_height_also_across_the_seam():
    distance = (ANGLES - 170 + 90) % 180 - 90
    sigma = 15
    curve = TuningCurve(ANGLES, np.exp(-(distance**2) / (2 * sigma**2)), period=180)
    assert curve.preferred == pytest.approx(170)
    assert curve.bandwidth == pytest.approx(2 * math.sqrt(2 * math.log(2)) * sigma, rel=1e-3)
    assert curve.half_width == pytest.approx(curve.bandwidth / 2)


def test_an_untuned_cell_has_no_bandwidth_and_no_selectivity():
    curve = TuningCurve(ANGLES, np.ones(180), period=180)
    assert curve.bandwidth == math.inf
    assert curve.selectivity == pytest.approx(0, abs=1e-12)
    assert math.isnan(TuningCurve(ANGLES, np.zeros(180), period=180).bandwidth)


def test_a_cell_for_one_angle_alone_is_fully_selective():
    assert TuningCurve(ANGLES, np.eye(180)[40], period=180).selectivity == pytest.approx(1)


def test_a_curve_that_is_cut_off_has_no_measurable_width():
    assert TuningCurve(np.arange(5.0), np.arange(5.0)).bandwidth == math.inf
    with pytest.raises(ValueError, match="give the curve a period"):
        _ = TuningCurve(np.arange(5.0), np.arange(5.0)).selectivity


def test_the_preferred_value_lies_between_samples_where_the_curve_is_round():
    values = np.arange(-4.0, 5)
    assert TuningCurve(values, 9 - (values - 0.3) ** 2).preferred == pytest.approx(0.3)


def test_of_a_film_the_loudest_counts():
    films = np.zeros((2, 3, 1, 1, 1))
    films[0, 1], films[1, 2] = 5, 7
    curve = measure_tuning(lambda x: x[:, 0, 0, 0], films, [0, 1])
    assert curve.responses.tolist() == [5, 7]


def test_counts_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 stimuli but 3 values"):
        measure_tuning(lambda x: x[:, 0, 0, 0], np.ones((2, 1, 1, 1)), [0, 1, 2])

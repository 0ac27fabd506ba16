import numpy as np
import pytest

from cnnkit.data import noise
from cnnkit.origins import (
    complex_cell_energy,
    gabor,
    poisson_spikes,
    simple_cell,
    spike_triggered_average,
    spike_triggered_covariance,
)

SIZE = 9
EVEN = gabor(SIZE, 60, 5)
ODD = gabor(SIZE, 60, 5, phase=90)
NOISE = noise(20_000, SIZE, seed=1)


def likeness(a, b):
    return float(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_average_before_a_spike_is_the_hidden_field_of_a_simple_cell():
    spikes = poisson_spikes(simple_cell(NOISE, EVEN), seed=2)
    assert likeness(spike_triggered_average(NOISE, spikes), EVEN) > 0.97


def test_the_average_is_blind_to_an_energy_cell_and_the_covariance_is_not():
    spikes = poisson_spikes(complex_cell_energy(NOISE, EVEN, ODD), seed=2)
    average = spike_triggered_average(NOISE, spikes)
    assert np.linalg.norm(average) < 0.2
    values, patterns = spike_triggered_covariance(NOISE, spikes)
    assert values[1] > 3 * abs(values[2])
    for pattern in patterns[:2]:  # both lie in the plane of the two hidden filters
        assert np.hypot(likeness(pattern, EVEN), likeness(pattern, ODD)) > 0.95


def test_the_same_seed_draws_the_same_spikes():
    rates = np.full(1000, 2.0)
    np.testing.assert_array_equal(poisson_spikes(rates, 1), poisson_spikes(rates, 1))
    assert poisson_spikes(rates, 1).mean() == pytest.approx(2, abs=0.15)


def test_silence_and_impossible_rates_are_refused():
    with pytest.raises(ValueError, match="never fired"):
        spike_triggered_average(NOISE, np.zeros(len(NOISE)))
    with pytest.raises(ValueError, match="20000 frames but 3"):
        spike_triggered_average(NOISE, np.ones(3))
    with pytest.raises(ValueError, match="rectify"):
        poisson_spikes([-1.0])

"""Deconvolution of spike trains: the formulas are optimal where they say so, and the scores count fairly."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import data, origins

SHAPES = data.motor_units(3, seed=2)


def test_wieners_filters_are_the_least_squares_solution_on_long_independent_spike_trains():
    rng = np.random.default_rng(0)
    spikes = (rng.random((1, 60_000, 3)) < 0.02).astype(float)
    signal = sum(np.convolve(spikes[0, :, k], SHAPES[k], "same") for k in range(3))
    signal += 0.1 * rng.standard_normal(len(signal))
    windows = np.lib.stride_tricks.sliding_window_view(signal, 41)
    centred = spikes[0, 20:-20] - 0.02
    fitted = np.linalg.lstsq(windows, centred, rcond=None)[0]
    wiener = origins.wiener_filters(SHAPES, 0.02, 0.1, length=41)
    assert np.corrcoef(fitted.ravel(), wiener.ravel())[0, 1] > 0.97
    errors = [((windows @ w - centred) ** 2).mean() for w in (fitted, wiener)]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)


def test_filters_slide_as_a_convolutional_layer_does():
    signals = np.random.default_rng(1).standard_normal((2, 100, 1)).astype("float32")
    net = origins.inverse_filter_net(3, 21)
    filters = origins.wiener_filters(SHAPES, 0.02, 0.1, length=21)
    net.set_weights([filters[:, None], np.zeros(3)])
    np.testing.assert_allclose(
        np.asarray(net.predict_on_batch(signals)), origins.apply_filters(signals, filters), atol=1e-4
    )


def test_a_matched_filter_answers_one_where_its_shape_stands():
    signal = np.zeros((1, 200, 1))
    signal[0, 80:121, 0] = SHAPES[1]
    answers = origins.apply_filters(signal, origins.matched_filters(SHAPES))
    assert answers[0, :, 1].argmax() == 100
    assert answers[0, 100, 1] == pytest.approx(1)


def test_wieners_filters_find_more_than_matched_ones():
    made = data.electromyogram(4, 1000, SHAPES, noise=0.1)
    sigma = 0.1 * float(np.abs(SHAPES).max())
    scores = []
    for filters in (
        origins.matched_filters(SHAPES),
        origins.wiener_filters(SHAPES, made.spikes.mean(), sigma),
    ):
        traces = origins.apply_filters(made.signals, filters)
        found = origins.find_spikes(traces, origins.best_thresholds(traces, made.spikes))
        scores.append(origins.score_spikes(found, made.spikes).f1)
    assert scores[1] > scores[0]


def test_a_few_steps_of_learning_lower_the_loss_of_the_deconvolution_net():
    made = data.electromyogram(4, 300, SHAPES)
    keras.utils.set_random_seed(0)
    net = origins.deconvolution_net()
    net.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    history = net.fit(made.signals, made.spikes, epochs=4, batch_size=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_peaks_are_found_once_and_the_lower_of_two_neighbours_is_dropped():
    trace = np.zeros((1, 50, 1))
    trace[0, [10, 14, 40], 0] = 1.0, 0.8, 0.6
    assert np.flatnonzero(origins.find_spikes(trace, 0.5)[0, :, 0]).tolist() == [10, 40]
    assert np.flatnonzero(origins.find_spikes(trace, 0.5, apart=3)[0, :, 0]).tolist() == [10, 14, 40]


def test_a_spike_is_counted_once_and_only_within_the_slack():
    true, found = np.zeros((2, 1, 50, 1))
    true[0, [10, 30], 0] = 1
    found[0, [9, 11, 33], 0] = 1
    score = origins.score_spikes(found, true)
    assert (score.recall, score.precision) == (0.5, pytest.approx(1 / 3))
    assert origins.score_spikes(found, true, slack=3).recall == 1


def test_an_even_filter_has_no_middle():
    with pytest.raises(ValueError, match="middle"):
        origins.wiener_filters(SHAPES, 0.02, 0.1, length=40)

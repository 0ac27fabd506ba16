"""The first speech nets have the published shapes, and their parts do what the chapter says of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import origins, scratch

SPEECH = np.random.default_rng(0).uniform(-1, 1, (3, 15, 16)).astype("float32")


def outputs(model: keras.Model, name: str, x: np.ndarray) -> np.ndarray:
    part = keras.Model(model.input, model.get_layer(name).output)
    return np.asarray(part.predict_on_batch(x))


def test_the_time_delay_network_has_the_published_shape():
    net = origins.tdnn()
    shapes = [tuple(net.get_layer(name).output.shape[1:]) for name in ("hidden1", "hidden2", "output")]
    assert shapes == [(13, 8), (9, 3), (3,)]
    assert net.count_params() == 8 * (3 * 16 + 1) + 3 * (5 * 8 + 1) + 3 * 2


def test_the_time_delay_network_is_two_convolutions_in_numpy():
    net = origins.tdnn()
    w1, b1, w2, b2, gain, bias = net.get_weights()
    hidden = np.tanh(scratch.convolve1d(SPEECH, w1, b1))
    units = scratch.sigmoid(scratch.convolve1d(hidden, w2, b2))
    expected = scratch.sigmoid(units.mean(axis=1) * gain.ravel() + bias)
    np.testing.assert_allclose(np.asarray(net.predict_on_batch(SPEECH)), expected, atol=1e-5)


def test_a_later_sound_moves_the_hidden_units_and_no_more():
    net = origins.tdnn()
    later = np.roll(SPEECH, 2, axis=1)
    before, after = (outputs(net, "hidden2", x) for x in (SPEECH, later))
    np.testing.assert_allclose(after[:, 2:], before[:, :-2], atol=1e-5)


def test_in_two_dimensions_a_higher_sound_moves_the_hidden_units_and_no_more():
    net = origins.tdnn_2d()
    padded = np.zeros((3, 15, 16), "float32")
    padded[:, :, 5:9] = SPEECH[:, :, 5:9]
    before, after = (outputs(net, "hidden1", x) for x in (padded, np.roll(padded, 2, axis=2)))
    np.testing.assert_allclose(after[:, :, 2:], before[:, :, :-2], atol=1e-5)
    assert before.shape == (3, 13, 16, 8)


def test_each_syllable_has_a_network_of_its_own():
    bank = origins.syllable_tdnns(3)
    assert bank.count_params() == 3 * (8 * 49 + 41 + 2)
    weights = bank.get_layer("hidden1_1").get_weights()
    before = np.asarray(bank.predict_on_batch(SPEECH))
    bank.get_layer("hidden1_1").set_weights([-w for w in weights])
    changed = np.abs(np.asarray(bank.predict_on_batch(SPEECH)) - before).max(axis=0)
    assert changed[1] > 1e-4 and changed[[0, 2]].max() < 1e-6


def test_detectors_hear_in_a_long_utterance_what_the_trained_net_hears_in_a_patch():
    bank = origins.syllable_tdnns(2)
    detectors = origins.syllable_detectors(bank, 40)
    long = np.random.default_rng(1).uniform(-1, 1, (1, 40, 16)).astype("float32")
    heard = np.asarray(detectors.predict_on_batch(long))
    patch = outputs(bank, "syllables", long[:, 10:25])
    np.testing.assert_allclose(heard[:, 10:19], patch, atol=1e-5)


def test_pooled_over_all_times_a_word_may_come_when_it_likes():
    detectors = origins.syllable_detectors(origins.syllable_tdnns(2), 40)
    word = np.zeros((1, 40, 16), "float32")
    word[:, 10:25] = SPEECH[:1]
    later = np.roll(word, 8, axis=1)
    for pooling, same in (("max", True), ("average", True), ("none", False)):
        keras.utils.set_random_seed(0)
        net = origins.word_network(detectors, 5, pooling)
        change = np.abs(
            np.asarray(net.predict_on_batch(later)) - np.asarray(net.predict_on_batch(word))
        ).max()
        assert (change < 1e-5) == same


def test_backpropagation_reaches_the_detectors_through_the_maximum():
    from cnnkit.gradients import weight_gradients

    net = origins.word_network(origins.syllable_detectors(origins.syllable_tdnns(2), 20), 3)
    x = np.random.default_rng(2).uniform(-1, 1, (4, 20, 16)).astype("float32")
    _, slopes = weight_gradients(net, lambda y: keras.ops.sum(y**2), x)
    assert all(np.abs(slope).max() > 0 for slope in slopes)


def test_an_unknown_pooling_and_too_many_parts_are_told():
    detectors = origins.syllable_detectors(origins.syllable_tdnns(2), 20)
    with pytest.raises(ValueError, match="max"):
        origins.word_network(detectors, 3, "maxx")
    with pytest.raises(ValueError, match="1 to 14"):
        origins.word_network(detectors, 3, parts=15)

"""The synthetic voices say what physics asks of them, and the patches are cut where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import data

MAN = data.Voice(pitch=115.0, formants=1.0, speed=1.0)


def spectrum(wave: np.ndarray, start: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    piece = wave[int(start * data.SAMPLE_RATE) : int((start + seconds) * data.SAMPLE_RATE)]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 4096)) ** 2
    return np.fft.rfftfreq(4096, 1 / data.SAMPLE_RATE), power


def loudest(frequency: np.ndarray, power: np.ndarray, low: float, high: float) -> float:
    inside = (frequency >= low) & (frequency < high)
    smooth = np.convolve(power, np.hanning(60), "same")  # harmonics into an envelope
    return float(frequency[inside][np.argmax(smooth[inside])])


@pytest.mark.parametrize("vowel", "aei")
def test_a_vowel_resonates_at_its_first_two_formants(vowel):
    waves, onsets = data.speak(["d" + vowel], [MAN], noise=0.0)
    frequency, power = spectrum(waves[0], onsets[0][0] + 0.08, 0.06)
    first, second, _ = data.sounds.VOWELS[vowel]
    split = np.sqrt(first * second)
    assert loudest(frequency, power, 100, split) == pytest.approx(first, abs=130)
    assert loudest(frequency, power, split, 3000) == pytest.approx(second, rel=0.12)


def test_a_shorter_tract_raises_the_formants():
    child = data.Voice(pitch=115.0, formants=1.3, speed=1.0)
    waves, onsets = data.speak(["de", "de"], [MAN, child], noise=0.0)
    man, small = (
        loudest(*spectrum(w, o[0] + 0.08, 0.06), 1300, 3000) for w, o in zip(waves, onsets, strict=True)
    )
    assert small / man == pytest.approx(1.3, abs=0.12)


def test_the_burst_of_d_is_higher_than_that_of_g_and_that_higher_than_that_of_b():
    waves, onsets = data.speak(["ba", "ga", "da"], [MAN] * 3, noise=0.0)
    heard = [
        loudest(*spectrum(w, o[0] - 0.012, 0.012), 300, 6000) for w, o in zip(waves, onsets, strict=True)
    ]
    assert heard[0] < heard[1] < heard[2]


def test_a_fast_voice_is_sooner_done():
    hasty = data.Voice(pitch=115.0, formants=1.0, speed=1.5)
    _, onsets = data.speak(["badigu", "badigu"], [MAN, hasty])
    slow, fast = (times[2] - times[0] for times in onsets)
    assert slow / fast == pytest.approx(1.5, abs=0.12)


def test_the_same_seed_says_the_same_and_another_does_not():
    one, again, other = (data.spoken_stops(6, seed=seed).frames for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.1


def test_patches_are_centred_balanced_and_within_one():
    speech = data.spoken_stops(30)
    assert speech.frames.shape == (30, 15, 16) and np.bincount(speech.labels).tolist() == [10, 10, 10]
    np.testing.assert_allclose(speech.frames.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.abs(speech.frames).max(axis=(1, 2)), 1, atol=1e-5)


def test_the_vowel_sets_in_at_the_middle_frame():
    energy = data.spoken_stops(60, noise=0.1).frames.mean(axis=(0, 2))
    assert energy[8] > energy[5] + 0.2


def test_a_window_that_is_later_shows_what_stood_earlier():
    wide = data.spoken_stops(4, margin=(4, 3)).frames
    centre, moved = data.window_of(wide), data.window_of(wide, later=2, higher=1)
    np.testing.assert_array_equal(moved[:, 2:, 1:], centre[:, :-2, :-1])


@pytest.mark.parametrize("move", [(5, 0), (0, 4), (-5, 0)])
def test_a_window_beyond_the_margin_is_refused(move):
    with pytest.raises(ValueError, match="larger margin"):
        data.window_of(data.spoken_stops(4, margin=(4, 3)).frames, *move)


def test_a_band_lower_is_the_next_band_of_a_bank_that_begins_lower():
    waves = np.random.default_rng(0).standard_normal((1, 2000))
    np.testing.assert_allclose(
        data.mel_spectrogram(waves, 17, lowest=-1)[..., 1:], data.mel_spectrogram(waves), rtol=1e-4, atol=1e-4
    )


def test_a_late_word_is_the_same_word_later():
    people = [MAN]
    early, late = (
        data.spoken_words(["badi"], 2, late=(start, start), speakers=people, noise=0.02).frames
        for start in (0.0, 0.2)
    )
    shared = np.corrcoef(early[:, :60].ravel(), late[:, 20:80].ravel())[0, 1]
    assert shared > 0.95 > 0.7 > np.corrcoef(early[:, :60].ravel(), late[:, :60].ravel())[0, 1]


def test_running_speech_has_a_vowel_before_the_stop():
    options = {"count": 60, "noise": 0.1, "seed": 1}
    alone, running = (data.spoken_stops(running=r, margin=(4, 0), **options).frames for r in (False, True))
    assert running[:, 0].mean() > alone[:, 0].mean() + 0.1


def test_a_room_answers_a_click_with_its_response():
    click = np.zeros((1, 3000), np.float32)
    click[0, 10] = 1
    response = data.room_response(0.2, direct=0.3)
    heard = data.reverberate(click, response)[0]
    np.testing.assert_allclose(heard[10 : 10 + len(response)], response, atol=1e-6)
    np.testing.assert_allclose(heard[:10], 0, atol=1e-6)


def test_a_room_dies_away_by_sixty_decibels_and_a_near_voice_is_mostly_direct():
    response = data.room_response(0.5, direct=2.0)
    head, tail = (response[1200:1800] ** 2).mean(), (response[-600:] ** 2).mean()
    assert 10 * np.log10(head / tail) == pytest.approx(60 * 0.35 / 0.45 - 6, abs=8)
    assert response[0] ** 2 == pytest.approx(2 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.speak(["hello"], [MAN]), "not made of syllables"),
        (lambda: data.speak(["ba", "da"], [MAN]), "2 texts for 1 voices"),
        (lambda: data.spoken_stops(4, margin=(9, 0)), "beyond the utterance"),
        (lambda: data.mel_spectrogram(np.zeros((1, 100))), "too few"),
        (lambda: data.mel_spectrogram(np.zeros((1, 1000)), lowest=9), "leave the range"),
        (lambda: data.spoken_words(["ba"], 2, late=(0.5, 0.2)), "not a range"),
        (lambda: data.room_response(0), "above zero"),
        (lambda: data.electromyogram(1, firing=200), "beyond which waves merge"),
    ],
)
def test_what_cannot_be_said_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_muscle_sounds_as_its_spikes_convolved_with_their_shapes():
    shapes = data.motor_units(3, seed=4)
    made = data.electromyogram(2, 500, shapes, noise=0.0)
    rebuilt = sum(np.convolve(made.spikes[1, :, k], shapes[k], "same") for k in range(3))
    np.testing.assert_allclose(made.signals[1, :, 0], rebuilt, atol=1e-5)
    np.testing.assert_allclose((shapes**2).sum(axis=1), 1)


def test_motor_units_fire_at_the_rate_that_is_asked_for_and_pause_after_each_spike():
    spikes = data.electromyogram(10, 2000, firing=25.0).spikes
    assert spikes.sum() / (10 * 3) == pytest.approx(25, abs=2)
    gaps = np.diff(np.flatnonzero(spikes[0, :, 0]))
    assert gaps.min() >= 0.3 * 80 - 1

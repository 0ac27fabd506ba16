"""A sweep under a sliding window: the figure hears and answers as cnnkit does, moves by mouse and keys, and sounds when asked."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import data, origins
from tests.browser.test_live import Bare, ask

HEARD = (
    "(() => { const samples = figure.wave(given); return [[...samples], figure.spectrogram(samples)]; })()"
)


def centred(spectrogram: np.ndarray) -> np.ndarray:
    """Zero mean and at most one in absolute value, as the patches of `data.spoken_stops` are."""
    spectrogram = spectrogram - spectrogram.mean()
    return spectrogram / np.abs(spectrogram).max()


@pytest.mark.parametrize(("syllable", "onset"), [("da", 30), ("ba", 12), ("ga", 44)])
def test_it_hears_and_answers_as_cnnkit(syllable: str, onset: int, bare: Bare) -> None:
    visit = bare("sweep")
    samples, here = ask(visit, HEARD, {"syllable": syllable, "onset": onset})
    there = centred(data.mel_spectrogram(np.array([samples]))[0])
    np.testing.assert_allclose(here, there, atol=1e-5)
    taught = centred(
        data.mel_spectrogram(np.array([ask(visit, HEARD, {"syllable": "da", "onset": 30})[0]]))[0]
    )
    pattern = taught[23:38] - taught[23:38].mean()
    w = origins.hebbian_weights(pattern[None])
    np.testing.assert_allclose(ask(visit, "figure.weights"), w[..., 0], atol=1e-5)
    there = origins.dynamic_neurons(np.array(here), w)[14:, 0]
    np.testing.assert_allclose(ask(visit, "figure.answers(given, figure.weights)", here), there, atol=1e-4)


def test_the_peak_moves_with_the_sound_and_the_taught_place_loses_it(bare: Bare) -> None:
    visit = bare("sweep", {"onset": 30})
    there = np.array(ask(visit, "figure.answered()"))
    assert there.argmax() == 23 and there[23] == pytest.approx(1, abs=1e-6)
    visit.page.get_by_role("slider", name="It sets in at").fill("42")
    later = np.array(ask(visit, "figure.answered()"))
    assert later.argmax() == 35 and later[35] > 0.9 and later[23] < 0.3
    assert "at most" in visit.page.locator(".note").inner_text()


def test_another_syllable_excites_the_unit_less(bare: Bare) -> None:
    visit = bare("sweep")
    own = max(ask(visit, "figure.answered()"))
    for other in ("ba", "ga"):
        visit.page.get_by_role("radiogroup", name="Syllable").get_by_label(other).check()
        assert max(ask(visit, "figure.answered()")) < own


def test_the_window_moves_by_keys_and_by_mouse(bare: Bare) -> None:
    visit = bare("sweep", {"first": 10}, width=1000)
    grip = visit.page.get_by_role("slider", name="The window")
    grip.press("ArrowRight")
    assert ask(visit, "figure.state.first") == 11 and grip.get_attribute("aria-valuenow") == "11"
    grip.press("PageUp")
    grip.press("Home")
    assert ask(visit, "figure.state.first") == 0
    box = grip.bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 60)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=3)
    visit.page.mouse.up()
    assert 20 < ask(visit, "figure.state.first") < 35
    assert visit.faults() == []


def test_nothing_sounds_before_it_is_asked_for(bare: Bare) -> None:
    visit = bare("sweep", reduced_motion="reduce")
    first = ask(visit, "figure.state.first")
    assert ask(visit, "figure.state.played") == 0
    visit.page.get_by_role("button", name="Hear it").click()
    visit.page.wait_for_function("document.querySelector('.cnnkit-live').figure.state.played === 1")
    assert ask(visit, "figure.state.first") == first  # who asked for less motion sees none
    assert visit.faults() == []


def test_the_window_follows_the_sound(bare: Bare) -> None:
    visit = bare("sweep", {"first": 0}, width=1000)
    visit.page.get_by_role("button", name="Hear it").click()
    visit.page.wait_for_function("document.querySelector('.cnnkit-live').figure.state.first === 45")

"""Thinned nets: the figure's averages are those of every mask written out, and it works by mouse and by keys."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.browser.test_live import Bare, ask

HIDDEN, WEIGHTS, BIAS = np.array([0.9, 0.4, 1.2]), np.array([1.0, -0.8, -0.6]), 0.1
NET = {"hidden": HIDDEN.tolist(), "weights": WEIGHTS.tolist(), "bias": BIAS}


@pytest.mark.parametrize("reader", ["linear", "ReLU"])
def test_the_averages_are_those_of_all_masks(reader: str, bare: Bare) -> None:
    here = ask(
        bare("thinned-nets"),
        "[figure.average(given.net, given.reader), figure.whole(given.net, given.reader)]",
        {"net": NET, "reader": reader},
    )
    masks = np.array(list(itertools.product((0, 1), repeat=3)))
    sums = masks @ (HIDDEN * WEIGHTS) / 0.5 + BIAS
    one = HIDDEN @ WEIGHTS + BIAS
    there = [sums.mean(), one] if reader == "linear" else [np.maximum(sums, 0).mean(), max(one, 0)]
    np.testing.assert_allclose(here, there, atol=1e-12)
    if reader == "linear":
        np.testing.assert_allclose(here[0], here[1], atol=1e-12)
    else:
        assert here[0] > here[1] + 0.05


def test_units_are_dropped_by_keys_and_by_mouse_and_masks_are_drawn(bare: Bare) -> None:
    visit = bare("thinned-nets", width=1000)
    visit.page.get_by_role("button", name="hidden unit 1").focus()
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press(" ")
    assert ask(visit, "figure.state.kept") == [False, False, True, True, True, True]
    visit.page.get_by_role("button", name="hidden unit 1").click()
    assert ask(visit, "figure.state.kept[0]") is True
    visit.page.get_by_role("button", name="Draw 100").click()
    assert ask(visit, "figure.state.drawn.length") == 100
    visit.page.get_by_role("radio", name="a ReLU").check(force=True)
    assert ask(visit, "figure.state.drawn.length") == 0
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('[role=status]').textContent.includes('all 64 masks')"
    )
    assert visit.faults() == []

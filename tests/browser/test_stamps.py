"""Overlapping stamps: the figure's numbers are those of the transposed convolution, and it moves by keys and by buttons."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.browser.test_live import Bare, ask


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_sum_of_the_stamps_is_the_transposed_convolution(stride: int, bare: Bare) -> None:
    inputs, weights = [1.0, -2.0, 0.5, 3.0], [0.5, -1.0, 2.0, 1.5]
    visit = bare("stamps")
    here = ask(visit, "figure.stamp(given.x, given.w, given.s)", {"x": inputs, "w": weights, "s": stride})
    x, w = np.array(inputs)[None, :, None], np.array(weights)[:, None, None]
    there = keras.ops.convert_to_numpy(keras.ops.conv_transpose(x, w, stride, padding="valid"))
    np.testing.assert_allclose(here["sum"], there[0, :, 0], atol=1e-6)
    np.testing.assert_allclose(here["phases"], [sum(weights[p::stride]) for p in range(stride)])


def test_enlarging_first_ties_the_weights_so_that_every_phase_gets_the_same(bare: Bare) -> None:
    visit = bare("stamps", width=1000)
    visit.page.get_by_role("button", name="By chance").click()
    uneven = ask(visit, "figure.stamp(figure.state.inputs, figure.state.weights, figure.state.stride).phases")
    visit.page.get_by_role("button", name="Enlarge, then convolve").click()
    even = ask(visit, "figure.stamp(figure.state.inputs, figure.state.weights, figure.state.stride).phases")
    assert np.ptp(uneven) > 0.05
    assert np.ptp(even) < 1e-9
    assert visit.faults() == []


def test_a_weight_moves_by_keys_and_the_stripes_are_told_in_words(bare: Bare) -> None:
    visit = bare("stamps", width=1000)
    handle = visit.page.get_by_role("slider", name="Weight 2")
    handle.focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.weights[1]") == pytest.approx(1.1)
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('[role=status]').textContent.includes('stripes')"
    )

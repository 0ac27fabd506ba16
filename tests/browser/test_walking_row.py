"""A row that walks: the figure's maps are those of cnnkit, and it moves by mouse and by keys."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import insight, scratch
from tests.browser.test_live import Bare, ask

ROW = [0.1, 0.9, 0.4, 0.0, 1.0, 0.3, 0.7, 0.2, 0.6, 0.0, 0.5, 0.8, 0.1, 0.3, 0.9, 0.4]


@pytest.mark.parametrize("shift", [0, 1, 7])
def test_the_maps_are_those_of_cnnkit(shift: int, bare: Bare) -> None:
    here = ask(
        bare("walking-row"), "figure.maps(figure.moved(given.row, given.shift))", {"row": ROW, "shift": shift}
    )
    row = insight.shifted(np.tile(np.array(ROW), (4, 1))[None, :, :, None], 0, shift)
    there = [
        row,
        row[:, :, ::2],
        scratch.max_pool2d(row, 2, 2),
        scratch.blur_pool2d(row, 3, padding="circular"),
    ]
    for map_, expected in zip(here, there, strict=True):
        np.testing.assert_allclose(map_, expected[0, 0, :, 0], atol=1e-12)


def test_only_every_pixel_and_the_blur_keep_their_average(bare: Bare) -> None:
    visit = bare("walking-row", {"values": ROW})
    swings = np.ptp(ask(visit, "figure.averages(figure.state.values)"), axis=1)
    assert swings[[0, 3]].max() < 1e-12
    assert swings[[1, 2]].min() > 0.02
    assert visit.faults() == []


def test_the_row_walks_by_keys_and_by_mouse_and_tells_it_in_words(bare: Bare) -> None:
    visit = bare("walking-row", width=1000)
    visit.page.get_by_role("slider", name="Pixels to the right").focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.shift") == 1
    box = visit.page.get_by_role("img", name="The row, its four maps").bounding_box()
    step = box["width"] / 580 * 16  # pixels on the screen for one of the row
    visit.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 30)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.4 * box["width"] + 2 * step, box["y"] + 30)
    visit.page.mouse.up()
    assert ask(visit, "figure.state.shift") == 3
    visit.page.get_by_role("button", name="Stripes", exact=True).click()
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('[role=status]').textContent.includes('swings by 1')"
    )

"""The live figure of which numbers a normalisation averages: its numbers are those of cnnkit, and it obeys the reader."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import scratch
from tests.browser.test_live import Bare, ask

SHAPE = (3, 3, 3, 4)


def by_hand(x: np.ndarray, kind: str) -> np.ndarray:
    if kind == "group":
        return scratch.group_normalize(x, 2)
    axes = {"batch": (0, 1, 2), "layer": (1, 2, 3), "instance": (1, 2), "pixel": (3,)}
    return scratch.normalize(x, axes[kind])


@pytest.mark.parametrize("kind", ["batch", "layer", "group", "instance", "pixel"])
def test_results_are_those_of_cnnkit_and_companions_are_what_moves_them(kind: str, bare: Bare) -> None:
    visit = bare("norm-axes", {"kind": kind, "at": [1, 1, 1, 2]})
    x = np.array(ask(visit, "figure.values"), float)
    here = ask(visit, "figure.normalise(figure.values, given)", kind)
    np.testing.assert_allclose(here, by_hand(x.reshape(SHAPE), kind).ravel(), atol=1e-12)
    marked = np.ravel_multi_index((1, 1, 1, 2), SHAPE)
    moves = []
    for place in range(x.size):
        nudged = x.copy()
        nudged[place] += 0.37
        moves.append(by_hand(nudged.reshape(SHAPE), kind).ravel()[marked])
    still = by_hand(x.reshape(SHAPE), kind).ravel()[marked]
    assert ask(visit, "figure.companions(given)[figure.values.length - 1]", kind)[-1] == x.size - 1
    shared = ask(visit, f"figure.companions(given)[{marked}]", kind)
    assert np.flatnonzero(np.abs(np.array(moves) - still) > 1e-9).tolist() == shared
    assert visit.page.locator("rect.cell.shared").count() == len(shared) - 1
    assert f"{len(shared)} numbers" in visit.page.locator(".sum").inner_text()


def test_pointing_marks_a_number_and_the_choice_its_companions(bare: Bare) -> None:
    visit = bare("norm-axes", width=1000)
    page = visit.page
    page.locator("rect.cell").first.hover()
    assert ask(visit, "figure.state.at") == [0, 0, 0, 0]
    page.get_by_role("radiogroup", name="Normalisation").get_by_label("instance").check()
    assert page.locator("rect.cell.shared").count() == 8
    assert "9 numbers" in page.locator(".sum").inner_text()
    assert visit.faults() == []


def test_keys_walk_over_the_sheet_and_stop_at_its_edge(bare: Bare) -> None:
    visit = bare("norm-axes", {"at": [0, 0, 0, 2]})
    page = visit.page
    page.locator("svg[role=application]").focus()
    page.keyboard.press("ArrowUp")
    assert ask(visit, "figure.state.at") == [0, 0, 0, 2]
    page.keyboard.press("ArrowLeft")  # into the tile of the channel before
    assert ask(visit, "figure.state.at") == [0, 0, 2, 1]
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert ask(visit, "figure.state.at") == [1, 0, 2, 1]


def test_moving_one_number_moves_what_comes_out_of_its_companions_alone(bare: Bare) -> None:
    visit = bare("norm-axes", {"kind": "instance"})
    page = visit.page
    page.get_by_role("button", name="Show what comes out").click()
    before = page.locator("text.value").all_text_contents()
    page.get_by_role("slider").fill("40")
    after = page.locator("text.value").all_text_contents()
    moved = {place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    marked = np.ravel_multi_index((1, 1, 1, 2), SHAPE)
    shared = ask(visit, f"figure.companions('instance')[{marked}]")
    assert moved and moved <= set(shared)
    assert "40 becomes" in page.locator(".sum").inner_text()

"""Two equal nets: the live figure's false alarms are those that theory gives, and it obeys the reader."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.browser.test_live import Bare, ask

STATE = {"spread": 0.4, "disagree": 0.05, "lead": 0, "digits": 10_000, "fits": 1}


def share(visit, **changed) -> float:
    return ask(visit, "figure.races(given, 7, 20000).share", {**STATE, **changed})


@pytest.mark.parametrize("digits", [250, 10_000])
def test_one_pair_is_told_apart_as_often_as_its_luck_asks(digits: int, bare: Bare) -> None:
    noise = 100 * np.sqrt(STATE["disagree"] / digits)
    spread = np.sqrt(2 * STATE["spread"] ** 2 + noise**2)
    expected = 2 * stats.norm.sf(1.96 * noise / spread)
    assert share(bare("two-equal-nets"), digits=digits) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("fits", [2, 5, 10])
def test_an_interval_over_nets_keeps_its_level(fits: int, bare: Bare) -> None:
    assert share(bare("two-equal-nets"), fits=fits) == pytest.approx(0.05, abs=0.01)


def test_sliders_change_what_is_told(bare: Bare) -> None:
    visit = bare("two-equal-nets", width=1000)
    before = visit.page.locator(".sum").inner_text()
    visit.page.get_by_role("slider", name="Nets of each recipe").fill("5")
    assert ask(visit, "figure.state.fits") == 5
    assert "5 nets each" in visit.page.locator(".sum").inner_text() != before
    visit.page.get_by_role("slider", name="True lead").focus()
    visit.page.keyboard.press("ArrowRight")
    assert "0.1 points better" in visit.page.locator(".sum").inner_text()
    visit.page.get_by_role("button", name="Two hundred others").click()
    assert ask(visit, "figure.state.seed") == 2
    assert visit.page.locator("circle").count() == 200
    assert visit.faults() == []

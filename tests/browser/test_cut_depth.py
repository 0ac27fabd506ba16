"""The live figure of where to cut a net: its numbers are those of the recorded table, and it obeys the reader."""

from __future__ import annotations

import itertools

import pytest

from cnnkit import data
from tests.browser.test_live import Bare, ask


def test_its_scores_are_those_of_the_table(bare: Bare) -> None:
    visit = bare("cut-depth")
    table = data.recorded("transfer-features")
    table = table[table.labels == 20]
    depths = list(dict.fromkeys(table.depth.dropna()))
    for name, scores in ask(visit, "figure.scores").items():
        own = table[table["set"] == name]
        for seen, kind in itertools.product(("averages", "places"), ("learned", "shuffled", "random")):
            means = own[(own.reader == kind) & (own.seen == seen)].groupby("depth").test.mean()
            assert scores[seen][kind] == pytest.approx([100 * means[depth] for depth in depths], abs=0.06)
        for rival, reader in (("hand-made", "gradients (HOG), linear"), ("pixels", "pixels, linear")):
            assert scores[rival] == pytest.approx(100 * own[own.reader == reader].test.mean(), abs=0.06)


def test_the_cut_moves_by_key_slider_and_touch(bare: Bare) -> None:
    visit = bare("cut-depth", {"set": "signs", "cut": 5}, width=1000)
    page = visit.page
    page.locator("svg[role=application]").focus()
    page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.cut") == 6
    assert page.locator("rect.block.kept").count() == 7
    page.locator("rect.block").first.click()
    assert ask(visit, "figure.state.cut") == 0
    page.get_by_role("slider").fill("7")
    assert page.locator("rect.block.kept").count() == 8
    assert "the end" in page.locator(".sum").inner_text()
    assert visit.faults() == []


def test_another_set_has_another_best_cut(bare: Bare) -> None:
    visit = bare("cut-depth", {"set": "signs"}, width=1000)
    page = visit.page
    assert "best cut for these pictures and this reader is after block 6" in page.locator(".sum").inner_text()
    page.get_by_role("radiogroup", name="The reader sees").get_by_label("averages").check()
    assert (
        "best cut for these pictures and this reader is after block 13" in page.locator(".sum").inner_text()
    )
    page.get_by_role("radiogroup", name="Pictures").get_by_label("ants and bees").check()
    assert "best cut for these pictures and this reader is after the end" in page.locator(".sum").inner_text()


def test_it_fits_a_telephone(bare: Bare) -> None:
    assert bare("cut-depth", width=390).faults() == []

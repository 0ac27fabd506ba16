"""The live figure that grows a receptive field: its arithmetic is that of cnnkit.insight, and it obeys the reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from cnnkit import insight
from tests.browser.conftest import Visit

Bare = Callable[..., Visit]
FIGURE = "document.querySelector('.cnnkit-live').figure"


def ask(visit: Visit, expression: str, argument: Any = None) -> Any:
    return visit.page.evaluate(f"(given) => {{ const figure = {FIGURE}; return {expression}; }}", argument)


def model(layers: list[dict[str, int]]) -> keras.Model:
    inputs = x = keras.Input((200, 1))
    for layer in layers:
        x = keras.layers.ZeroPadding1D(layer["d"] * (layer["k"] - 1) // 2)(x)
        x = keras.layers.Conv1D(1, layer["k"], dilation_rate=layer["d"])(x)[:, :: layer["s"]]
    return keras.Model(inputs, x)


@pytest.mark.parametrize("preset", ["stack", "five", "stride", "pooled", "dilated", "gridded"])
def test_fields_are_those_of_insight(preset: str, bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": preset})
    there = insight.receptive_field(model(ask(visit, "figure.layers")))
    here = ask(visit, "figure.fields(figure.layers).at(-1)")
    assert (here["size"], here["stride"], here["offset"]) == (there.size[0], there.stride[0], there.offset[0])
    assert f"{there.size[0]} × {there.size[0]}" in visit.page.locator(".sum").inner_text()


def test_the_shading_counts_the_ways_to_each_pixel(bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": "stack"})
    counts = ask(
        visit, "[...figure.ways(figure.layers, 4, 20)[0]].sort((a, b) => a[0] - b[0]).map((pair) => pair[1])"
    )
    ways = np.ones(1)
    for _ in range(4):
        ways = np.convolve(ways, np.ones(3))
    assert counts == ways.tolist()


def test_pointing_at_a_unit_shows_its_field(bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": "pooled"}, width=1000)
    unit = visit.page.locator("svg rect.unit").nth(2)
    unit.hover()
    assert ask(visit, "figure.state.layer") == 4
    assert "10 × 10" in visit.page.locator(".sum").inner_text()
    assert visit.page.locator("svg rect.top").count() == 1
    assert visit.faults() == []


def test_keys_walk_over_units_and_layers(bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": "stack"})
    visit.page.locator("svg[role=application]").focus()
    visit.page.keyboard.press("ArrowDown")
    assert "7 × 7" in visit.page.locator(".sum").inner_text()
    before = ask(visit, "figure.state.unit")
    visit.page.keyboard.press("ArrowLeft")
    assert ask(visit, "figure.state.unit") == before - 1
    for _ in range(5):
        visit.page.keyboard.press("ArrowDown")
    assert "sees itself" in visit.page.locator(".sum").inner_text()


def test_layers_are_added_changed_and_removed(bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": "five"})
    visit.page.get_by_role("button", name="Add a layer").click()
    assert "11 × 11" in visit.page.locator(".sum").inner_text()
    visit.page.get_by_label("stride of layer 1").select_option("2")
    assert "17 × 17" in visit.page.locator(".sum").inner_text()
    assert ask(visit, "figure.state.preset") == "own"
    visit.page.get_by_label("Remove layer 3").click()
    assert "13 × 13" in visit.page.locator(".sum").inner_text()


def test_growing_ends_with_all_layers_and_goes_by_steps_without_motion(bare: Bare) -> None:
    visit = bare("receptive-field", {"preset": "five"}, reduced_motion="reduce")
    grow = visit.page.get_by_role("button", name="Grow it")
    grow.click()
    assert ask(visit, "figure.shown") == 1
    grow.click()
    assert ask(visit, "figure.shown") == 2
    moving = bare("receptive-field", {"preset": "five"}, width=1000)
    moving.page.get_by_role("button", name="Grow it").click()
    moving.page.wait_for_function(f"{FIGURE}.shown === 2")

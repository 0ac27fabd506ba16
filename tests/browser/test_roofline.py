"""The live roofline: its numbers are those of `cnnkit.insight.roofline`, and it obeys slider, key and hand."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from cnnkit import insight
from tests.browser.test_live import Bare, ask


@pytest.mark.parametrize("kind", ["full", "depthwise", "dense"])
@pytest.mark.parametrize(("k", "channels", "images"), [(3, 64, 8), (1, 4, 1), (15, 128, 64)])
def test_work_bytes_and_time_are_those_of_cnnkit(
    kind: str, k: int, channels: int, images: int, bare: Bare
) -> None:
    visit = bare("roofline")
    options = {"padding": "same", "use_bias": False}
    layer = {
        "full": lambda: layers.Conv2D(channels, k, **options),
        "depthwise": lambda: layers.DepthwiseConv2D(k, **options),
        "dense": lambda: layers.Dense(channels, use_bias=False),
    }[kind]()
    inputs = keras.Input((channels,) if kind == "dense" else (32, 32, channels))
    machine = insight.Machine(peak=50e9, bandwidth=10e9)
    (row,) = insight.roofline(keras.Model(inputs, layer(inputs)), machine, batch=images)
    given = {"kind": kind, "k": k, "channels": channels, "images": images}
    found = ask(visit, "figure.cost(given)", given)
    assert (found["work"], found["moved"]) == (row.multiply_adds, row.moved)
    place = ask(visit, "figure.under({ peak: 50, bandwidth: 10 }, figure.cost(given))", given)
    assert place["bound"] == row.bound
    assert place["ms"] == pytest.approx(1e3 * row.seconds)
    assert place["rate"] == pytest.approx(machine.attainable(row.intensity) / 1e9)


def test_a_depthwise_convolution_stands_on_the_slope(bare: Bare) -> None:
    visit = bare("roofline", width=1000)
    assert "Bound by arithmetic" in visit.page.locator(".sum").inner_text()
    visit.page.get_by_role("radiogroup", name="Layer").get_by_label("depthwise").check()
    assert "Bound by memory" in visit.page.locator(".sum").inner_text()
    assert visit.page.locator(".dot.waits").count() == 1
    assert visit.faults() == []


def test_keys_change_the_kernel_and_the_dense_layer_has_none(bare: Bare) -> None:
    visit = bare("roofline")
    slider = visit.page.get_by_role("slider", name="Side of the kernel")
    slider.focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.k") == 5
    visit.page.get_by_role("radiogroup", name="Layer").get_by_label("dense").check()
    assert slider.is_disabled()


def test_the_ridge_can_be_dragged_to_another_machine(bare: Bare) -> None:
    visit = bare("roofline", width=1000)
    box = visit.page.locator(".ridge").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x - 60, y + 30, steps=4)
    visit.page.mouse.up()
    state = ask(visit, "figure.state")
    assert state["peak"] < 40
    assert state["peak"] / state["bandwidth"] < 4
    visit.page.get_by_role("button", name="The first machine").click()
    assert ask(visit, "[figure.state.peak, figure.state.bandwidth]") == [50, 10]

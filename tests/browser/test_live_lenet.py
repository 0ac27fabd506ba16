"""Draw a digit, and watch LeNet-5: the figure computes what cnnkit computes, and obeys mouse, touch and keys."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import keras
import numpy as np
import pytest

from cnnkit import models
from cnnkit.course.live import FIGURES
from cnnkit.layers import character_codes
from tests.browser.conftest import Visit
from tests.browser.test_live import Bare, ask

LAYERS = ("C1", "S2", "C3", "S4", "C5", "F6")


@lru_cache
def kept() -> keras.Model:
    return models.create("lenet5", weights="mnist")


@lru_cache
def packed() -> keras.Model:
    """LeNet-5 with the weights that the figure carries, a byte each."""
    model, data, at, arrays = models.create("lenet5"), (FIGURES / "lenet.bin").read_bytes(), 0, []
    for shape in [weight.shape for weight in model.weights] + [(10, 84)]:
        length = int(np.prod(shape))
        scale = np.frombuffer(data, "<f4", 1, at)
        arrays.append((np.frombuffer(data, "int8", length, at + 4) * scale).reshape(shape))
        at += 4 + length
    assert at == len(data)
    np.testing.assert_array_equal(arrays.pop(), character_codes(10))
    model.set_weights(arrays)
    return model


def units(model: keras.Model, page: Any) -> list[np.ndarray]:
    """What every layer answers to one page, and the squared distances."""
    taps = keras.Model(model.input, [model.get_layer(name).output for name in LAYERS] + [model.output])
    *layers, scores = taps(np.reshape(page, (1, 32, 32, 1)).astype("float32"))
    return [np.ravel(keras.ops.convert_to_numpy(one)) for one in [*layers, -scores]]


def agrees(visit: Visit) -> None:
    """All units on the page are those of cnnkit, with the same weights, for the page that the figure shows."""
    here = [*ask(visit, "figure.layers"), ask(visit, "figure.distances")]
    for one, other in zip(here, units(packed(), ask(visit, "figure.pixels")), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def press(visit: Visit, name: str, times: int = 1) -> None:
    for _ in range(times):
        visit.page.get_by_role("button", name=name, exact=True).click()


def test_a_byte_a_weight_is_within_half_a_step_of_what_the_package_keeps() -> None:
    for there, here in zip(kept().get_weights(), packed().get_weights(), strict=True):
        assert np.abs(there - here).max() <= np.abs(there).max() / 127 * 0.5001


def test_every_ready_digit_is_read_as_cnnkit_reads_it_with_bytes_and_with_floats(bare: Bare) -> None:
    visit = bare("lenet", width=1000)
    for digit in range(10):
        visit.page.get_by_label("On the pad").select_option(str(digit))
        agrees(visit)
        distances = np.array(ask(visit, "figure.distances"))
        exact = units(kept(), ask(visit, "figure.pixels"))[-1]
        assert distances.argmin() == exact.argmin() == digit
        np.testing.assert_allclose(distances, exact, rtol=0.03, atol=8)
        assert visit.page.locator(".verdict b").inner_text() == str(digit)
    assert visit.faults() == []


def test_the_table_of_c3_is_the_papers(bare: Bare) -> None:
    visit = bare("lenet")
    there = [np.flatnonzero(column).tolist() for column in models.c3_table().T]
    assert [sorted(seen) for seen in ask(visit, "figure.seen")] == there


def test_the_units_follow_a_digit_that_is_moved_turned_resized_and_thickened(bare: Bare) -> None:
    visit = bare("lenet", {"digit": 7}, width=1000)
    for push, times in (("move: right", 3), ("move: up", 2), ("turn: clockwise", 2), ("size: smaller", 2), ("line: thicker", 1)):  # fmt: skip
        before = ask(visit, "figure.pixels")
        press(visit, push, times)
        assert ask(visit, "figure.pixels") != before
        agrees(visit)
    press(visit, "line: thicker", 12)
    assert ask(visit, "figure.state.thick") == 6
    assert visit.faults() == []


def test_a_digit_is_centred_and_sized_as_mnists_are(bare: Bare) -> None:
    visit = bare("lenet", {"digit": 3}, width=1000)
    ink = (np.array(ask(visit, "figure.pixels")).reshape(32, 32) + 0.1) / 1.275
    places = np.arange(32) + 0.5
    assert ink.sum(axis=1) @ places / ink.sum() == pytest.approx(16, abs=0.1)
    assert ink.sum(axis=0) @ places / ink.sum() == pytest.approx(16, abs=0.1)
    tall = np.flatnonzero(ink.max(axis=1) > 0.3)
    assert 19 <= np.ptp(tall) + 1 <= 21
    visit.page.get_by_label("leave it").check()
    assert ask(visit, "figure.state.tidy") is False
    agrees(visit)


def test_the_mouse_draws(bare: Bare) -> None:
    visit = bare("lenet", width=1000)
    press(visit, "Clear")
    assert "nothing is drawn" in visit.page.locator(".verdict").inner_text()
    box = visit.page.locator(".pad").bounding_box()

    def drag(*points: tuple[float, float]) -> None:
        at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
        visit.page.mouse.move(*at[0])
        visit.page.mouse.down()
        for place in at[1:]:
            visit.page.mouse.move(*place, steps=4)
        visit.page.mouse.up()

    drag((0.2, 0.2), (0.7, 0.2), (0.4, 0.85))
    assert ask(visit, "figure.state.digit") == "own"
    assert len(ask(visit, "figure.state.strokes")) == 1
    assert visit.page.locator(".verdict b").inner_text() == "7"
    drag((0.3, 0.5), (0.7, 0.5))
    assert len(ask(visit, "figure.state.strokes")) == 2
    agrees(visit)
    assert visit.faults() == []


def test_keys_choose_and_nudge_and_a_finger_draws(bare: Bare) -> None:
    visit = bare("lenet", has_touch=True)
    visit.page.locator(".pad").focus()
    for key in ("2", "ArrowRight", "ArrowRight", "ArrowUp"):
        visit.page.keyboard.press(key)
    assert ask(visit, "[figure.state.digit, figure.state.right, figure.state.down]") == [2, 2, -1]
    agrees(visit)
    visit.page.keyboard.press("Delete")
    box = visit.page.locator(".pad").bounding_box()
    visit.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert max(ask(visit, "figure.pixels")) == pytest.approx(1.175, abs=0.01)
    agrees(visit)
    assert visit.faults() == []


def test_a_unit_tells_what_it_looks_at(bare: Bare) -> None:
    visit = bare("lenet", {"digit": 4}, width=1000)
    visit.page.get_by_role("application", name="C3").focus()
    reading = visit.page.locator(".reading")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowUp")
    assert ask(visit, "figure.state.unit") == {"layer": 2, "map": 4, "row": 3, "column": 4}
    value = units(packed(), ask(visit, "figure.pixels"))[2].reshape(10, 10, 16)[3, 4, 4]
    assert f"map 5, row 4, column 5: {round(float(value), 2):g}".replace("-", "−") in reading.inner_text()
    assert "maps 5, 6, 1" in reading.inner_text() and "14 × 14 pixels" in reading.inner_text()
    canvas = visit.page.get_by_role("application", name="F6")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] * 3.5 / 7, box["y"] + box["height"] * 0.5 / 12)
    assert ask(visit, "figure.state.unit") == {"layer": 5, "map": 0, "row": 0, "column": 3}
    assert "wants −1 here" in reading.inner_text()
    canvas.focus()
    visit.page.keyboard.press("ArrowLeft")
    assert ask(visit, "figure.state.unit.column") == 2
    assert visit.faults() == []


@pytest.mark.parametrize("layer", range(4))
def test_no_pixel_outside_its_frame_moves_a_unit(layer: int, bare: Bare) -> None:
    visit = bare("lenet")
    field, step = ask(visit, f"[figure.fields[{layer}].field, figure.fields[{layer}].step]")
    model = keras.Model(packed().input, packed().get_layer(LAYERS[layer]).output)
    page = np.random.default_rng(0).normal(size=(32, 32, 1)).astype("float32")
    row, column = 2, 3
    inside = np.zeros((32, 32, 1), bool)
    inside[row * step : row * step + field, column * step : column * step + field] = True
    pages = np.stack([page, np.where(inside, page, 0), np.where(inside, 0, page)])
    whole, kept_inside, emptied = np.array(model(pages))[:, row, column]
    np.testing.assert_allclose(whole, kept_inside, atol=1e-5)
    assert np.abs(whole - emptied).max() > 0.1

"""One window under all poolings: the figure's numbers are those of cnnkit, and it moves by mouse and by keys."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import gradients, layers, scratch
from tests.browser.test_live import Bare, ask

WINDOW = [1, 2, 1, 3, 8, 2, 0.5, 5, 1]
OPTIONS = {"p": 3.5, "beta": 0.7, "share": 0.25}
POOLED = {
    "average": lambda x: scratch.average_pool2d(x, 3),
    "L2": lambda x: scratch.lp_pool2d(x, 2, 3),
    "Lp": lambda x: scratch.lp_pool2d(x, 3.5, 3),
    "mixed": lambda x: scratch.mixed_pool2d(x, 0.25, 3),
    "softmax": lambda x: scratch.softmax_pool2d(x, 0.7, 3),
    "stochastic": lambda x: scratch.stochastic_pool2d(x, 3),
    "max": lambda x: scratch.max_pool2d(x, 3),
}
LAYERS = {
    "average": keras.layers.AveragePooling2D(3),
    "L2": layers.L2Pooling2D(3),
    "Lp": layers.LpPooling2D(3, 3.5),
    "mixed": layers.MixedPooling2D(3, 0.25, learn=False),
    "softmax": layers.SoftmaxPooling2D(3, 0.7),
    "stochastic": layers.StochasticPooling2D(3),
    "max": keras.layers.MaxPooling2D(3),
}


def test_answers_and_gradients_are_those_of_cnnkit(bare: Bare) -> None:
    given = {"values": WINDOW, "options": OPTIONS}
    here = ask(bare("pooling"), "figure.poolings(given.values, given.options)", given)
    x = np.array(WINDOW).reshape(1, 3, 3, 1)
    assert [row["name"] for row in here] == list(POOLED)
    for row in here:
        np.testing.assert_allclose(row["value"], POOLED[row["name"]](x).item(), atol=1e-12)
        slope = gradients.gradient(lambda t, name=row["name"]: keras.ops.sum(LAYERS[name](t)), x)
        np.testing.assert_allclose(row["gradient"], slope.ravel(), atol=1e-5, err_msg=row["name"])


@pytest.mark.parametrize("values", [[0] * 9, [4] * 9, [0, 0, 0, 0, 10, 0, 0, 0, 0]])
def test_flat_and_empty_windows_have_answers(values: list[float], bare: Bare) -> None:
    visit = bare("pooling", {"values": values})
    answers = ask(visit, "figure.poolings(figure.state.values, figure.state)")
    numbers = [row["value"] for row in answers] + [slope for row in answers for slope in row["gradient"]]
    assert None not in numbers and np.isfinite(numbers).all()
    assert visit.faults() == []


def test_a_cell_moves_by_keys_and_by_mouse(bare: Bare) -> None:
    visit = bare("pooling", {"values": WINDOW}, width=1000)
    cell = visit.page.locator(".cell").nth(4)
    cell.focus()
    visit.page.keyboard.press("ArrowDown")
    assert ask(visit, "figure.state.values[4]") == 7.5
    box = cell.bounding_box()
    visit.page.mouse.move(box["x"] + 20, box["y"] + 40)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 20, box["y"] + 10)
    visit.page.mouse.up()
    assert ask(visit, "figure.state.values[4]") > 7.5
    assert cell.get_attribute("aria-valuenow") == str(ask(visit, "figure.state.values[4]"))


def test_the_draws_fall_on_values_of_the_window_and_near_their_expectation(bare: Bare) -> None:
    visit = bare("pooling", {"values": WINDOW}, width=1000)
    for _ in range(20):
        visit.page.get_by_role("button", name="Draw 20 times").click()
    drawn = ask(visit, "figure.state.drawn")
    assert len(drawn) == 400 and set(drawn) <= set(WINDOW)
    expected = sum(v * v for v in WINDOW) / sum(WINDOW)
    assert abs(np.mean(drawn) - expected) < 0.5


def test_shuffling_changes_no_answer(bare: Bare) -> None:
    visit = bare("pooling", {"values": WINDOW}, width=1000)
    before = visit.page.locator("output").all_text_contents()
    visit.page.get_by_role("button", name="Shuffle the cells").click()
    assert ask(visit, "figure.state.values") != WINDOW
    assert visit.page.locator("output").all_text_contents() == before

"""The live figure of five rules in a ravine: it walks as `cnnkit.scratch` does, and obeys mouse and keys."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from cnnkit import scratch
from tests.browser.test_live import Bare, ask

RULES = {
    "gradient descent": scratch.sgd,
    "momentum": partial(scratch.sgd, 0.9),
    "Nesterov": partial(scratch.sgd, 0.9, nesterov=True),
    "RMSprop": scratch.rmsprop,
    "Adam": scratch.adam,
}


def walk(rule: str, rate: float, length: float, angle: float, steps: int) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    H, w, step = turn @ np.diag([1.0, length]) @ turn.T, turn @ [1.35, 0.35], RULES[rule]()
    path = [w]
    for _ in range(steps):
        path.append(step(path[-1], H @ path[-1], rate))
    return np.array(path)


@pytest.mark.parametrize("angle", [0.0, 0.6])
def test_each_rule_walks_as_that_of_cnnkit_does(angle: float, bare: Bare) -> None:
    visit = bare("ravine")
    assert ask(visit, "figure.RULES") == list(RULES)
    for rule in RULES:
        here = ask(visit, "figure.walk(given[0], 0.012, 40, given[1], 60)", [rule, angle])
        np.testing.assert_allclose(here, walk(rule, 0.012, 40, angle, 60), atol=1e-9)


def test_what_has_arrived_stays_within_a_hundredth(bare: Bare) -> None:
    visit = bare("ravine")
    steps = ask(visit, "figure.arrives(figure.walk('gradient descent', 2 / 41, 40, 0))")
    far = np.linalg.norm(walk("gradient descent", 2 / 41, 40, 0, steps), axis=1)
    assert far[-1] <= 0.01 * far[0] < far[-2]


def counts(visit) -> dict[str, str]:
    rows = visit.page.locator("tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").last.inner_text() for row in rows}


def test_only_rules_that_look_at_the_axes_notice_that_the_ravine_is_turned(bare: Bare) -> None:
    visit = bare("ravine")
    before = counts(visit)
    slider = visit.page.get_by_role("slider", name="Turned by")
    slider.focus()
    for _ in range(30):
        visit.page.keyboard.press("ArrowRight")
    after = counts(visit)
    assert round(np.degrees(ask(visit, "figure.state.angle"))) == 30
    for rule in ("gradient descent", "momentum", "Nesterov"):
        assert after[rule] == before[rule]
    for rule in ("RMSprop", "Adam"):
        assert int(after[rule]) > 1.1 * int(before[rule])
    assert visit.faults() == []


def test_the_handle_turns_it_by_the_mouse(bare: Bare) -> None:
    visit = bare("ravine", width=1000)
    valley = visit.page.locator("svg.valley").bounding_box()
    handle = visit.page.locator("circle.turn")
    handle.hover()
    visit.page.mouse.down()
    visit.page.mouse.move(valley["x"] + 0.8 * valley["width"], valley["y"] + 0.2 * valley["height"])
    visit.page.mouse.up()
    assert round(np.degrees(ask(visit, "figure.state.angle"))) == 45


def test_four_times_the_best_rate_throws_the_ball_of_gradient_descent_out(bare: Bare) -> None:
    visit = bare("ravine", {"factor": 4})
    assert counts(visit)["gradient descent"] == "flies off"

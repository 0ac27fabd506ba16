"""Gradients through twenty layers: the figure's numbers are those of cnnkit's stacks, and its controls move it."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import scratch
from tests.browser.test_live import Bare, ask


def sizes(
    activation: str, gain: float, centred: bool, weights: np.ndarray, images: np.ndarray, back: np.ndarray
):
    """The spread of every layer's outputs over the images, and the size of the gradient that comes back to it."""
    steps = []
    for layer, w in enumerate(weights):
        w = gain * w / np.sqrt(len(w))
        steps += [scratch.Join(w, -w.sum(axis=0) / 2 * (centred and layer > 0)), scratch.Activate(activation)]
    net = scratch.Chain(steps)
    net.forward(images)
    net.backward(back)
    up = [np.sqrt(step.y.var(axis=0).mean()) for step in steps[1::2]]
    return up, [np.sqrt(np.mean(step.dx**2)) for step in steps[1::2]]


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "tanh", "relu"])
@pytest.mark.parametrize(("gain", "centred"), [(1, False), (1.4, False), (4, True)])
def test_sizes_are_those_of_cnnkit(activation: str, gain: float, centred: bool, bare: Bare) -> None:
    rng = np.random.default_rng(0)
    weights, images, back = rng.normal(size=(5, 7, 7)), rng.normal(size=(6, 7)), rng.normal(size=(6, 7))
    given = {"activation": activation, "gain": gain, "centred": centred}
    given |= {"weights": weights.tolist(), "images": images.tolist(), "back": back.tolist()}
    here = ask(bare("twenty-layers"), "figure.flow(given)", given)
    up, down = sizes(activation, gain, centred, weights, images, back)
    np.testing.assert_allclose(here["up"], up, rtol=1e-9)
    np.testing.assert_allclose(here["down"], down, rtol=1e-9)


def test_what_is_drawn_is_what_was_computed_and_follows_the_controls(bare: Bare) -> None:
    visit = bare("twenty-layers", width=1000)
    page = visit.page

    def first_gradient() -> float:
        return float(page.locator("rect.dot.down").first.get_attribute("y"))

    silent = first_gradient()
    assert "next to no gradient" in page.locator(".note").inner_text()
    page.get_by_role("button", name="Four times").click()
    page.get_by_role("button", name="Biases take the half away").click()
    assert ask(visit, "figure.state") == {"activation": "sigmoid", "gain": 4, "centred": True}
    assert first_gradient() < silent  # higher on the page
    page.get_by_role("radiogroup", name="Activation").get_by_label("ReLU").check()
    page.get_by_role("slider").fill("1.4")
    page.get_by_role("button", name="Biases take the half away").click()
    assert ask(visit, "figure.state") == {"activation": "relu", "gain": 1.4, "centred": False}
    assert "Both keep their size" in page.locator(".note").inner_text()
    assert visit.faults() == []


def test_the_gain_moves_by_keys(bare: Bare) -> None:
    visit = bare("twenty-layers", {"activation": "tanh", "gain": 1})
    visit.page.get_by_role("slider").focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.gain") == pytest.approx(1.05)

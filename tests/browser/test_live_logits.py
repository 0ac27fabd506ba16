"""A logit, its target and its gradient: the figure's numbers are Keras's, and it moves by keys and by buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import losses, ops

from cnnkit import gradients
from tests.browser.test_live import Bare, ask

LOGITS = [2.5, -1.0, 0.0, -4.0]
SURE_AND_WRONG = {"logits": [6, 0, -6, 0], "target": 2}


def summed(loss: keras.losses.Loss) -> Callable[[Any, Any], Any]:
    """Keras takes the mean over classes, the figure the sum."""
    return lambda truth, said: len(LOGITS) * loss(truth, said)


KERAS = {
    "softmax": (ops.softmax, losses.CategoricalCrossentropy(from_logits=True)),
    "sigmoids": (ops.sigmoid, summed(losses.BinaryCrossentropy(from_logits=True))),
    "focal": (ops.sigmoid, summed(losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=True))),
    "scores": (lambda z: z, summed(losses.MeanSquaredError())),
    "squared": (ops.softmax, lambda truth, z: len(LOGITS) * losses.MeanSquaredError()(truth, ops.softmax(z))),
}


@pytest.mark.parametrize("name", KERAS)
def test_what_is_said_its_loss_and_its_gradient_are_those_of_keras(name: str, bare: Bare) -> None:
    visit, (last, loss) = bare("logits"), KERAS[name]
    for target in range(4):
        given = {"logits": LOGITS, "target": target, "loss": name}
        here = ask(visit, "figure.told(given.logits, given.target, given.loss)", given)
        truth = np.eye(4, dtype="float32")[[target]]
        z = np.array([LOGITS], "float32")
        value, (slope,) = gradients.value_and_gradient(lambda t, y=truth: loss(y, t), z)
        np.testing.assert_allclose(
            here["said"], ops.convert_to_numpy(last(ops.convert_to_tensor(z)))[0], atol=1e-6
        )
        np.testing.assert_allclose(here["loss"], value, rtol=1e-5)
        np.testing.assert_allclose(here["gradient"], slope[0], atol=2e-5)


def test_twenty_steps_mend_cross_entropy_and_leave_the_squared_error_of_probabilities_wrong(
    bare: Bare,
) -> None:
    visit = bare("logits", SURE_AND_WRONG, width=1000)
    stuck = "Math.max(...figure.state.logits) === figure.state.logits[0]"
    select = visit.page.get_by_label("Last function and loss")
    for name, wrong in (("squared", True), ("softmax", False)):
        select.select_option(name)
        visit.page.get_by_role("button", name="Sure and wrong").click()
        visit.page.get_by_role("button", name="Twenty steps").click()
        assert ask(visit, stuck) == wrong, name
    assert visit.faults() == []


def test_a_logit_moves_by_keys_and_is_told_in_words(bare: Bare) -> None:
    visit = bare("logits", width=1000)
    handle = visit.page.get_by_role("slider").first
    handle.focus()
    before = ask(visit, "figure.state.logits[0]")
    visit.page.keyboard.press("ArrowLeft")
    assert ask(visit, "figure.state.logits[0]") == pytest.approx(before - 0.1)
    assert handle.get_attribute("aria-valuetext") == "4.9"
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('[role=status]').textContent.includes('Loss')"
    )


def test_choosing_another_target_turns_the_signs(bare: Bare) -> None:
    visit = bare("logits", width=1000)
    visit.page.get_by_role("radiogroup", name="Target").get_by_text("3", exact=True).click()
    gradient = ask(visit, "figure.told(figure.state.logits, figure.state.target, figure.state.loss).gradient")
    assert ask(visit, "figure.state.target") == 0
    assert gradient[0] < 0 < min(gradient[1:])

"""One step of backpropagation: the figure's numbers are cnnkit's, each is traced, and it moves by keys, mouse and buttons."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import scratch
from tests.browser.test_live import Bare, ask

ROUGH = np.random.default_rng(4)
IMAGE, KERNEL, TARGET = (ROUGH.integers(-3, 4, sides) for sides in ((5, 5), (3, 3), (3, 3)))
GIVEN = {"image": IMAGE.tolist(), "kernel": KERNEL.tolist(), "target": TARGET.tolist()}
TOLD = "figure.backward(figure.state.image, figure.state.kernel, figure.state.target)"


def by_cnnkit() -> dict[str, np.ndarray]:
    x, w = IMAGE[None, :, :, None].astype(float), KERNEL[:, :, None, None].astype(float)
    y = scratch.convolve2d(x, w)
    error = y - TARGET[None, :, :, None]
    dx, dw, _ = scratch.convolve2d_backward(error, x, w)
    parts = {"map": y, "error": error, "toKernel": dw, "toImage": dx}
    return {
        name: part.reshape(part.shape[1:3] if part.shape[0] == 1 else part.shape[:2])
        for name, part in parts.items()
    }


def test_the_map_the_error_and_both_gradients_are_those_of_cnnkit(bare: Bare) -> None:
    here = ask(bare("backpropagation", GIVEN), TOLD)
    theirs = by_cnnkit()
    for name, values in theirs.items():
        np.testing.assert_allclose(here[name], values, err_msg=name)
    assert here["loss"] == pytest.approx(np.sum(theirs["error"] ** 2) / 2)


@pytest.mark.parametrize("board", ["map", "toKernel", "toImage"])
def test_the_products_that_are_shown_add_up_to_the_number(board: str, bare: Bare) -> None:
    visit = bare("backpropagation", GIVEN)
    values = by_cnnkit()[board]
    for row, column in np.ndindex(values.shape):
        pairs = ask(
            visit,
            f"figure.terms({TOLD}, given.board, given.row, given.column)",
            {"board": board, "row": row, "column": column},
        )
        assert sum(a["value"] * b["value"] for a, b in pairs) == values[row, column]
        assert len(pairs) <= 9


def test_a_weight_is_traced_by_mouse_and_by_keys(bare: Bare) -> None:
    visit = bare("backpropagation", GIVEN, width=1000)
    visit.page.locator(".board.kernel .cell").nth(5).hover()
    assert ask(visit, "[figure.state.board, figure.state.row, figure.state.column]") == ["toKernel", 1, 2]
    assert visit.page.locator(".board.image .cell.first").count() == 9
    assert visit.page.locator(".board.error .cell.second").count() == 9
    board = visit.page.locator(".board.toImage .numbers")
    board.focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "[figure.state.board, figure.state.row, figure.state.column]") == ["toImage", 0, 1]
    assert (
        visit.page.locator(".board.error .cell.first").count() == 2
    )  # a pixel at the rim lay in two windows
    assert visit.page.locator(".sum").text_content().startswith("∂L/∂x[0, 1] = ")
    assert visit.faults() == []


def test_a_step_moves_the_kernel_against_its_gradient_and_many_lower_the_loss(bare: Bare) -> None:
    visit = bare("backpropagation", {**GIVEN, "rate": 0.01}, width=1000)
    visit.page.get_by_role("button", name="One step").click()
    np.testing.assert_allclose(ask(visit, "figure.state.kernel"), KERNEL - 0.01 * by_cnnkit()["toKernel"])
    visit.page.get_by_role("button", name="Start again").click()
    losses = [ask(visit, f"{TOLD}.loss")]
    for _ in range(3):
        visit.page.get_by_role("button", name="Twenty steps").click()
        losses.append(ask(visit, f"{TOLD}.loss"))
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 2

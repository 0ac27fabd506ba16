"""Draw, and watch the neocognitron: the figure grows the network that cnnkit grows, and obeys mouse, touch and keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import pytest

from cnnkit import data, origins
from cnnkit.layers import SCell
from cnnkit.scratch.neocognitron import fading_mask
from tests.browser.conftest import Visit
from tests.browser.test_live import Bare, ask

NETWORKS = {"letters": "XYTZ", "digits": "0123456789"}


def chance(seed: int) -> Iterator[float]:
    """The random numbers of the figures (mulberry32), the same for every reader."""
    while True:
        seed = (seed + 0x6D2B79F5) % 2**32
        t = (seed ^ (seed >> 15)) * (1 | seed) % 2**32
        t ^= (t + (t ^ (t >> 7)) * (61 | t)) % 2**32
        yield (t ^ (t >> 14)) / 2**32


@lru_cache
def grown(network: str, seed: int) -> keras.Model:
    """What cnnkit grows from the first, tiny weights that the figure starts from."""
    model, draw = origins.neocognitron(), chance(seed)
    for layer in model.layers:
        if isinstance(layer, SCell):
            shape = layer.excitatory.shape
            mask = fading_mask(layer.kernel_size, layer.falloff)[:, :, None, None] / shape[2]
            first = np.array([next(draw) for _ in range(int(np.prod(shape)))]).reshape(shape)
            layer.excitatory.assign((0.01 * mask * first).astype("float32"))
    origins.grow(model, np.stack([data.line_pattern(name) for name in NETWORKS[network]]))
    return model


def planes(model: keras.Model, picture: Any) -> list[np.ndarray]:
    taps = keras.Model(model.input, [layer.output for layer in model.layers[1:]])
    answers = taps(np.reshape(picture, (1, 16, 16, 1)).astype("float32"))
    return [keras.ops.convert_to_numpy(one).ravel() for one in answers]


def agrees(visit: Visit) -> None:
    """Every plane of the figure is that of the Keras model for the picture on the board."""
    state = ask(visit, "figure.state")
    there = planes(grown(state["network"], state["seed"]), ask(visit, "figure.pixels"))
    for name, here, wanted in zip(("S1", "C1", "S2", "C2", "S3", "C3"), ask(visit, "figure.maps.slice(1)"), there, strict=True):  # fmt: skip
        np.testing.assert_allclose(here, wanted, atol=1e-4, err_msg=name)


def press(visit: Visit, name: str, times: int = 1) -> None:
    for _ in range(times):
        visit.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(("network", "seed"), [("letters", 7), ("letters", 0), ("digits", 7)])
def test_the_network_that_grows_in_the_page_is_the_one_that_cnnkit_grows(
    network: str, seed: int, bare: Bare
) -> None:
    visit = bare("neocognitron", {"network": network, "seed": seed, "pattern": NETWORKS[network][0]})
    there = [layer.get_weights() for layer in grown(network, seed).layers if isinstance(layer, SCell)]
    for at, (excitatory, inhibitory) in zip((0, 2, 4), there, strict=True):
        here = ask(visit, f"[figure.network.weights[{at}].excitatory, figure.network.weights[{at}].inhibitory].map((w) => [...w])")  # fmt: skip
        np.testing.assert_allclose(here[0], excitatory.ravel(), atol=1e-4)
        np.testing.assert_allclose(here[1], inhibitory, atol=1e-4)
    originals = np.stack([data.line_pattern(name) for name in NETWORKS[network]])
    winners = origins.winning_planes(grown(network, seed), originals)
    assert ask(visit, "figure.network.winners") == winners.tolist()
    agrees(visit)


def test_letters_on_the_board_are_those_of_cnnkit_however_they_are_changed(bare: Bare) -> None:
    visit = bare("neocognitron")
    for name in "".join(NETWORKS.values()):
        for change in (
            {"size": 9, "down": 0, "right": 0, "turn": 0, "thick": 1},
            {"size": 12, "down": -2, "right": 3, "turn": 0, "thick": 2},
            {"size": 9, "down": 6, "right": 1, "turn": 0, "thick": 3},
            {"size": 11, "down": 0, "right": -1, "turn": 30, "thick": 1},
        ):
            here = ask(visit, "[...figure.draw(figure.strokesOf(given.name), given.change)]", {"name": name, "change": change})  # fmt: skip
            assert here == data.line_pattern(name, **change).ravel().tolist(), (name, change)


def test_the_planes_follow_a_letter_that_is_moved_turned_resized_and_thickened(bare: Bare) -> None:
    visit = bare("neocognitron", width=1000)
    for push, times in (("move: right", 3), ("move: up", 2), ("turn: clockwise", 2), ("size: larger", 2)):
        press(visit, push, times)
        agrees(visit)
    wanted = data.line_pattern("T", size=11, down=-2, right=3, turn=30)
    assert ask(visit, "figure.pixels") == wanted.ravel().tolist()
    press(visit, "line: thicker", 9)
    assert ask(visit, "figure.state.thick") == 3
    agrees(visit)
    assert visit.faults() == []


def test_it_names_the_letter_wherever_it_stands_and_is_silent_on_an_empty_board(bare: Bare) -> None:
    visit = bare("neocognitron", width=1000)
    verdict = visit.page.locator(".verdict")
    for name in NETWORKS["letters"]:
        visit.page.get_by_label("On the board").select_option(name)
        press(visit, "move: left", 2)
        assert verdict.locator("b").inner_text() == name
        assert "sure" in verdict.inner_text()
    press(visit, "Clear")
    assert "silent" in verdict.inner_text() and sum(ask(visit, "figure.pixels")) == 0
    assert max(map(max, ask(visit, "figure.maps"))) == 0


def test_another_chance_may_give_two_letters_one_plane(bare: Bare) -> None:
    visit = bare("neocognitron", {"seed": 5}, width=1000)
    visit.page.get_by_role("button", name="Grow it again").click()
    assert ask(visit, "figure.state.seed") == 6
    visit.page.get_by_label("On the board").select_option("Y")
    assert visit.page.locator(".verdict b").inner_text() == "X/Y"
    agrees(visit)


def test_the_mouse_draws_and_erases(bare: Bare) -> None:
    visit = bare("neocognitron", width=1000)
    press(visit, "Clear")
    box = visit.page.locator(".board").bounding_box()

    def drag(row: float, column: float, to_row: float, to_column: float) -> None:
        at = [(box["x"] + box["width"] * (x + 0.5) / 16, box["y"] + box["height"] * (y + 0.5) / 16)
              for y, x in ((row, column), (to_row, to_column))]  # fmt: skip
        visit.page.mouse.move(*at[0])
        visit.page.mouse.down()
        visit.page.mouse.move(*at[1], steps=4)
        visit.page.mouse.up()

    drag(3, 3, 3, 11)
    drag(3, 7, 11, 7)
    assert ask(visit, "figure.pixels") == data.line_pattern("T").ravel().tolist()
    assert ask(visit, "figure.state.pattern") == "own"
    assert visit.page.locator(".verdict b").inner_text() == "T"
    press(visit, "move: down", 2)
    assert ask(visit, "figure.pixels") == data.line_pattern("T", down=2).ravel().tolist()
    visit.page.get_by_label("erase").check()
    drag(5, 3, 5, 11)
    assert sum(ask(visit, "figure.pixels")) == 8
    agrees(visit)


def test_keys_draw_and_a_finger_draws(bare: Bare) -> None:
    visit = bare("neocognitron", has_touch=True)
    press(visit, "Clear")
    visit.page.locator(".board").focus()
    for key in ("ArrowUp", " ", "ArrowUp", "ArrowUp", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        visit.page.keyboard.press(key)
    lit = [divmod(at, 16) for at, value in enumerate(ask(visit, "figure.pixels")) if value]
    assert lit == [(4, 5), (4, 6), (4, 7), (6, 7)]
    visit.page.keyboard.press(" ")
    assert sum(ask(visit, "figure.pixels")) == 3
    box = visit.page.locator(".board").bounding_box()
    visit.page.touchscreen.tap(box["x"] + box["width"] * 12.5 / 16, box["y"] + box["height"] * 12.5 / 16)
    assert ask(visit, "figure.pixels[12 * 16 + 12]") == 1
    agrees(visit)


def test_a_cell_tells_what_it_sees_adds_up_and_has_learned(bare: Bare) -> None:
    visit = bare("neocognitron", width=1000)
    canvas = visit.page.get_by_role("application", name="US1")
    where = ask(visit, "figure.tile(0, 2)")
    box = canvas.bounding_box()
    scale = box["width"] / canvas.evaluate("(canvas) => canvas.width")
    x, y = where["x"] + 7.5 * where["cell"], where["y"] + 6.5 * where["cell"]
    visit.page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
    assert ask(visit, "figure.state.cell") == {"layer": 0, "plane": 2, "row": 6, "column": 7}
    value = planes(grown("letters", 7), ask(visit, "figure.pixels"))[0].reshape(16, 16, 24)[6, 7, 2]
    reading = visit.page.locator(".reading").inner_text()
    assert (
        "plane 3, row 7, column 8 sees 5 × 5 points" in reading
        and f"= {round(float(value), 2):g}." in reading
    )
    assert visit.page.locator(".weights").is_visible()
    canvas.focus()
    visit.page.keyboard.press("ArrowLeft")
    assert ask(visit, "figure.state.cell.column") == 6
    visit.page.get_by_role("application", name="UC3").focus()
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.cell.layer") == 5
    assert "16 × 16 points and the dark beyond" in visit.page.locator(".reading").inner_text()
    assert visit.faults() == []


@pytest.mark.parametrize("layer", range(6))
def test_no_point_outside_its_field_moves_a_cell(layer: int, bare: Bare) -> None:
    """Change each point in turn, in Keras: those that reach a cell lie within the frame that is drawn."""
    visit = bare("neocognitron")
    field = ask(visit, f"figure.fields[{layer + 1}]")
    model = grown("letters", 7)
    cell = keras.Model(model.input, model.layers[layer + 1].output)
    side = model.layers[layer + 1].output.shape[1]
    letter = data.line_pattern("T", size=15)[None]
    pictures = np.repeat(letter, 257, axis=0)
    at = (np.arange(256), *np.divmod(np.arange(256), 16))
    pictures[at] = 0.5  # each point in turn, a little lighter or darker
    answers = keras.ops.convert_to_numpy(cell(pictures))
    moved = (np.abs(answers[:256] - answers[256]).max(axis=-1) > 1e-7).reshape(16, 16, side, side)
    slack = []  # for frames that end on the board: from there to the first point that reaches the cell
    for row in range(side):
        for column in range(side):
            for place, reached in zip((row, column), np.nonzero(moved[:, :, row, column]), strict=True):
                first = place * field["step"] + field["from"]
                last = first + field["size"] - 1
                assert not len(reached) or (first <= reached.min() and reached.max() <= last)
                slack += [reached.min() - first] if len(reached) and first > 0 else []
    assert moved.any()
    assert not slack or min(slack) == 0
    assert bool(slack) == (layer < 4)  # the last two layers see the whole board

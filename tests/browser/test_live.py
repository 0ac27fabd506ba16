"""Live figures in headless Chromium: they move by mouse, by touch and by keys, and their numbers are cnnkit's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from cnnkit import data, origins, scratch
from cnnkit.course.live import live_figures
from tests.browser.conftest import SITE, Visit
from tests.browser.test_pages import PAGES

Bare = Callable[..., Visit]
FIGURE = "document.querySelector('.cnnkit-live').figure"


def ask(visit: Visit, expression: str, argument: Any = None) -> Any:
    """Evaluate an expression of `figure`, the live figure on the page, and of `given`."""
    return visit.page.evaluate(f"(given) => {{ const figure = {FIGURE}; return {expression}; }}", argument)


# Every figure


@pytest.mark.parametrize("name", live_figures())
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_fits_a_phone_and_is_quiet(name: str, theme: str, bare: Bare) -> None:
    visit = bare(name, theme=theme)
    assert visit.faults() == []
    assert visit.page.evaluate("document.querySelector('.cnnkit-live').dataset.theme") == theme


@pytest.mark.parametrize("name", live_figures())
def test_every_control_has_a_name_and_shows_where_the_keys_are(name: str, bare: Bare) -> None:
    page = bare(name, width=1000).page
    nameless = page.evaluate("""() => [...document.querySelector('.cnnkit-live').shadowRoot
        .querySelectorAll('input, select, button, [tabindex]')]
        .filter((e) => !(e.ariaLabel || e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
        .map((e) => e.outerHTML)""")
    assert nameless == []
    page.keyboard.press("Tab")
    outlined = page.evaluate("""() => { const e = document.querySelector('.cnnkit-live').shadowRoot.activeElement;
        return [e, e.parentElement].some((part) => getComputedStyle(part).outlineStyle !== 'none'); }""")
    assert outlined


@pytest.mark.parametrize("name", live_figures())
def test_where_no_script_runs_and_in_print_the_still_picture_stands(name: str, bare: Bare) -> None:
    silent = bare(name, java_script_enabled=False).page
    assert silent.locator(".cnnkit-live img").is_visible()
    page = bare(name).page
    assert not page.locator(".cnnkit-live img").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".cnnkit-live img").is_visible()
    assert not page.locator(".cnnkit-live .card").is_visible()


def test_a_figure_follows_the_theme_of_its_page(bare: Bare) -> None:
    page = bare("convolution").page
    for theme in ("dark", "light"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.wait_for_function(f"document.querySelector('.cnnkit-live').dataset.theme === '{theme}'")
        ground = page.locator(".card").evaluate("(card) => getComputedStyle(card).backgroundColor")
        assert (int(ground.split("(")[1].split(",")[0]) < 128) == (theme == "dark")


@pytest.mark.parametrize("name", live_figures())
def test_keys_meant_for_a_figure_do_not_reach_its_page(name: str, bare: Bare) -> None:
    page = bare(name).page
    assert page.locator(".cnnkit-live").get_attribute("data-lm-suppress-shortcuts") == "true"
    page.evaluate("window.keys = []; addEventListener('keydown', (event) => keys.push(event.key))")
    page.locator("[role=application], button").first.focus()
    for key in ("x", "/", "ArrowRight", "Control+k"):
        page.keyboard.press(key)
    assert page.evaluate("keys") == ["Control", "k"]


def test_two_figures_of_a_kind_live_on_one_page(bare: Bare) -> None:
    from cnnkit.course.live import live_html

    visit = bare.show(live_html("convolution") + live_html("convolution", preset="blur"))
    presets = visit.page.evaluate(
        "[...document.querySelectorAll('.cnnkit-live')].map((root) => root.figure.state.preset)"
    )
    assert presets == ["vertical", "blur"]
    assert visit.faults() == []


# The kernel playground


@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolve_gives_the_numbers_of_scratch(size: int, bare: Bare) -> None:
    visit = bare("convolution")
    rng = np.random.default_rng(size)
    x, w = rng.normal(size=(14, 11)), rng.normal(size=(size, size))
    for stride in (1, 2, 3):
        for padding in (0, 1, 2):
            for dilation in (1, 2):
                options = {"stride": stride, "padding": padding, "dilation": dilation}
                given = {"x": x.tolist(), "w": w.tolist(), "options": options}
                here = ask(visit, "figure.convolve(given.x, given.w, given.options)", given)
                there = scratch.convolve2d(x[None, :, :, None], w[:, :, None, None], **options)[0, :, :, 0]
                np.testing.assert_allclose(here, there, atol=1e-12, err_msg=str(options))


def convolved(visit: Visit) -> np.ndarray:
    """What scratch makes of the input, kernel and options that the figure shows."""
    state = ask(visit, "figure.state")
    x, w = np.array(ask(visit, "figure.input()"), float), np.array(ask(visit, "figure.kernel"), float)
    options = {name: state[name] for name in ("stride", "padding", "dilation")}
    return (
        scratch.convolve2d(x[None, :, :, None], w[:, :, None, None], **options)[0, :, :, 0] / state["divisor"]
    )


@pytest.mark.parametrize("view", ["photograph", "numbers"])
def test_what_is_drawn_is_what_scratch_computes(view: str, bare: Bare) -> None:
    visit = bare("convolution", {"view": view, "padding": 2, "stride": 2})
    kernels = visit.page.get_by_role("combobox", name="Kernel")
    for size in ("3", "5"):
        visit.page.get_by_role("radiogroup", name="Size").get_by_label(size, exact=True).check()
        for preset in ("identity", "blur", "sharpen", "outline", "vertical", "horizontal", "emboss"):
            kernels.select_option(preset)
            output = np.array(ask(visit, "figure.output"))
            assert output.std() > 0 and len(ask(visit, "figure.kernel")) == int(size)
            np.testing.assert_allclose(output, convolved(visit), atol=1e-9, err_msg=preset)


def test_pointing_at_an_output_shows_its_window_and_spells_out_its_sum(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers", "pattern": "edge"}, width=1000)
    box = visit.page.locator(".result svg").bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    assert ask(visit, "[figure.state.row, figure.state.column]") == [2, 1]
    total = convolved(visit)[2, 1]
    spelt = visit.page.locator(".sum").inner_text()
    assert spelt.startswith("y[2, 1]") and spelt.endswith(f"= {total:g}") and spelt.count("·") == 9
    assert visit.page.locator(".source .frame").get_attribute("x") == "20"
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('[role=status]').textContent.includes('row 2')"
    )


def test_the_arrow_keys_walk_over_the_output(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers"})
    visit.page.locator(".result svg").focus()
    before = ask(visit, "[figure.state.row, figure.state.column]")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        visit.page.keyboard.press(key)
    assert ask(visit, "[figure.state.row, figure.state.column]") == [before[0] + 2, before[1] - 1]
    visit.page.keyboard.press("Shift+ArrowDown")
    assert ask(visit, "figure.state.row") == 4  # the last row: the window never leaves the map


def test_typing_into_the_kernel_changes_the_output(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers", "preset": "identity"})
    cell = visit.page.get_by_label("Kernel row 1, column 1")
    cell.fill("2")
    assert ask(visit, "[figure.kernel[0][0], figure.state.preset]") == [2, "own"]
    np.testing.assert_allclose(ask(visit, "figure.output"), convolved(visit))
    cell.press("ArrowUp")
    assert ask(visit, "figure.kernel[0][0]") == 3
    cell.fill("two")
    assert cell.get_attribute("aria-invalid") == "true"
    assert ask(visit, "figure.kernel[0][0]") == 3
    visit.page.get_by_label("Divide the sum by").fill("4")
    np.testing.assert_allclose(ask(visit, "figure.output"), convolved(visit))


def test_controls_change_the_size_as_the_formula_says(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers"})
    for group, value in (("Size", "5"), ("Stride", "2"), ("Padding", "2"), ("Dilation", "2")):
        visit.page.get_by_role("radiogroup", name=group).get_by_label(value, exact=True).check()
    side = scratch.output_size(7, k=5, s=2, p=2, d=2)
    assert visit.page.locator(".formula b").inner_text() == str(side) == str(len(ask(visit, "figure.output")))
    visit.page.get_by_role("radiogroup", name="Dilation").get_by_label("3", exact=True).check()
    assert "it has no place" in visit.page.locator(".formula").inner_text()
    visit.page.get_by_role("combobox", name="Kernel").select_option("emboss")
    visit.page.get_by_role("radiogroup", name="Size").get_by_label("1", exact=True).check()
    assert ask(visit, "figure.kernel") == [[1]]
    assert visit.faults() == []


def test_the_kernel_slides_over_the_image_until_it_is_stopped(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers"}, width=1000)
    visit.page.get_by_role("button", name="Slide the kernel").click()
    visit.page.wait_for_function(f"{FIGURE}.state.row === 0 && {FIGURE}.state.column >= 2")
    visit.page.get_by_role("button", name="Stop").click()
    where = ask(visit, "figure.state.column")
    visit.page.wait_for_timeout(500)
    assert ask(visit, "figure.state.column") == where


def test_who_asked_for_less_motion_slides_it_step_by_step(bare: Bare) -> None:
    visit = bare("convolution", {"view": "numbers"}, reduced_motion="reduce")
    before = ask(visit, "figure.state.column")
    visit.page.get_by_role("button", name="Next window").click()
    assert ask(visit, "figure.state.column") == before + 1
    visit.page.wait_for_timeout(400)
    assert ask(visit, "figure.state.column") == before + 1


# The bar over a cortical cell


def test_gabor_and_bar_are_those_of_cnnkit(bare: Bare) -> None:
    visit = bare("cortical-cell")
    for orientation, wavelength, phase in ((0, 6, 0), (37, 9.5, 90), (120, 13, 200)):
        shape = {"orientation": orientation, "wavelength": wavelength, "phase": phase}
        here = ask(visit, "[...figure.gabor(31, given)]", shape)
        np.testing.assert_allclose(here, origins.gabor(31, **shape).ravel(), atol=1e-12)
    here = ask(visit, "[...figure.bar(31, 25, {width: 4, length: 17, x: 3, y: -2})]")
    there = data.generators.oriented_bars([25], 31, width=4, length=17, position=(3, -2))
    np.testing.assert_allclose(here, there.ravel(), atol=1e-6)


@pytest.mark.parametrize("kind", ["simple", "complex"])
def test_the_cell_answers_as_in_cnnkit_at_every_angle(kind: str, bare: Bare) -> None:
    visit = bare("cortical-cell", {"cell": kind, "orientation": 35, "phase": 90}, reduced_motion="reduce")
    ask(visit, "figure.move(2, -3)")
    visit.page.get_by_role("button", name="Turn it right round").click()
    state = ask(visit, "figure.state")
    bars = data.generators.oriented_bars(
        np.arange(180), 45, width=state["width"], length=state["length"], position=(2, -3)
    )[..., 0].astype(float)
    even, odd = (origins.gabor(45, 35, state["wavelength"], phase) for phase in (90, 180))
    there = (
        origins.simple_cell(bars, even) if kind == "simple" else origins.complex_cell_energy(bars, even, odd)
    )
    here = np.array(ask(visit, "figure.visited"))
    assert here.max() > 0.3
    np.testing.assert_allclose(here / here.max(), there / there.max(), atol=1e-5)
    assert ask(visit, "figure.response()") == pytest.approx(there[state["angle"]], abs=1e-4)


def test_the_bar_is_dragged_and_turned_by_the_mouse(bare: Bare) -> None:
    visit = bare("cortical-cell", {"angle": 0}, width=1000)
    page = visit.page
    box = page.locator(".screen").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    unit = box["width"] / 45
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5 * unit, y - 4 * unit, steps=3)
    page.mouse.up()
    assert ask(visit, "[figure.state.x, figure.state.y]") == pytest.approx([5, 4], abs=0.1)
    page.mouse.move(x + (5 + 13 + 2.5) * unit, y - 4 * unit)
    page.mouse.down()
    page.mouse.move(x + 5 * unit + 60, y - 4 * unit - 60, steps=4)
    page.mouse.up()
    assert ask(visit, "figure.state.angle") == 45
    asked = ask(visit, "Object.keys(figure.visited).map(Number)")
    assert set(range(46)) <= set(asked)  # the curve has every degree on the way


def test_the_bar_is_moved_and_turned_by_keys(bare: Bare) -> None:
    visit = bare("cortical-cell", {"angle": 60})
    strong = ask(visit, "figure.rate")
    visit.page.get_by_label("The bar on its screen").focus()
    for _ in range(6):
        visit.page.keyboard.press("Shift+ArrowLeft")
    assert ask(visit, "figure.state.angle") == 90
    visit.page.keyboard.press("ArrowRight")
    assert ask(visit, "figure.state.x") == 1
    assert ask(visit, "figure.rate") < strong / 2
    slider = visit.page.get_by_role("slider", name="Angle of the bar")
    slider.press("ArrowLeft")
    assert ask(visit, "figure.state.angle") == 89


def test_a_finger_turns_the_bar(bare: Bare) -> None:
    visit = bare("cortical-cell", {"angle": 0}, has_touch=True)
    turned = visit.page.evaluate(f"""() => {{
      const root = document.querySelector('.cnnkit-live').shadowRoot;
      const [knob, box] = [root.querySelector('.knob'), root.querySelector('.screen').getBoundingClientRect()];
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      knob.setPointerCapture = () => {{}};
      const touch = (type, dx, dy) => knob.dispatchEvent(new PointerEvent(type,
        {{ pointerType: 'touch', pointerId: 5, bubbles: true, clientX: x + dx, clientY: y + dy }}));
      touch('pointerdown', 100, 0); touch('pointermove', 0, -100); touch('pointerup', 0, -100);
      touch('pointermove', 100, 0);
      return {FIGURE}.state.angle; }}""")
    assert turned == 90
    assert (
        visit.page.locator(".knob").first.evaluate("(knob) => getComputedStyle(knob).touchAction") == "none"
    )


def test_another_cell_hides_its_field_and_is_found_by_turning(bare: Bare) -> None:
    visit = bare("cortical-cell", reduced_motion="reduce")
    visit.page.get_by_role("button", name="Another cell").click()
    assert ask(visit, "figure.state.field") is False
    visit.page.get_by_role("button", name="Turn it right round").click()
    best = int(np.argmax(ask(visit, "figure.visited")))
    off = abs(best - ask(visit, "figure.state.orientation")) % 180
    # An odd cell answers two bars, one on each flank of its preferred angle, as bars through its middle cancel.
    assert min(off, 180 - off) <= (2 if ask(visit, "figure.state.phase") % 180 == 0 else 45)


def test_the_cell_fires_spikes_while_it_is_seen(bare: Bare) -> None:
    visit = bare("cortical-cell", {"angle": 60}, width=1000)
    spikes = visit.page.locator(".spikes")
    visit.page.wait_for_function(
        "document.querySelector('.cnnkit-live').shadowRoot.querySelector('.spikes').getAttribute('d')?.length > 30"
    )
    before = spikes.get_attribute("d")
    visit.page.wait_for_timeout(300)
    assert spikes.get_attribute("d") != before


def test_the_spikes_stand_still_for_those_who_asked_for_less_motion(bare: Bare) -> None:
    visit = bare("cortical-cell", {"angle": 60}, reduced_motion="reduce")
    before = visit.page.locator(".spikes").get_attribute("d")
    visit.page.wait_for_timeout(300)
    assert visit.page.locator(".spikes").get_attribute("d") == before != ""


# Convolution arithmetic


def test_sizes_and_uses_are_those_of_scratch(bare: Bare) -> None:
    visit = bare("arithmetic")
    for n in (1, 4, 7, 10):
        for k, s, p, d in (
            (1, 1, 0, 1),
            (3, 2, 1, 1),
            (3, 1, 2, 2),
            (5, 3, 2, 1),
            (2, 2, 0, 3),
            (4, 3, 1, 1),
        ):
            given = {"n": n, "k": k, "s": s, "p": p, "d": d}
            small = ask(visit, "figure.outputSize(given)", given)
            if n + 2 * p < d * (k - 1) + 1:
                assert small == 0
                continue
            assert small == scratch.output_size(n, k, s, p, d), given
            dx, _, _ = scratch.convolve2d_backward(
                np.ones((1, small, small, 1)),
                np.zeros((1, n, n, 1)),
                np.ones((k, k, 1, 1)),
                stride=s,
                padding=p,
                dilation=d,
            )
            here = ask(visit, "figure.uses(given.n + 2 * given.p, figure.outputSize(given), given)", given)
            np.testing.assert_array_equal(np.outer(here, here)[p : p + n, p : p + n], dx[0, :, :, 0])
            # The way back from the small side reaches as far as the windows did, and no further.
            back = ask(visit, "figure.transposedSize({...given, n: figure.outputSize(given)})", given)
            assert back == n - (n + 2 * p - d * (k - 1) - 1) % s, given


@pytest.mark.parametrize("direction", ["forward", "transposed"])
def test_choosing_a_cell_lights_its_window(direction: str, bare: Bare) -> None:
    visit = bare("arithmetic", {"direction": direction, "n": 5, "k": 3, "s": 2, "p": 1}, width=1000)
    visit.page.locator(".roof polygon").nth(5).hover()
    side = ask(visit, "figure.shape()")
    assert ask(visit, "[figure.state.row, figure.state.column]") == [5 // side["small"], 5 % side["small"]]
    assert visit.page.locator(".floor .under").count() == 9
    assert visit.page.locator(".floor polygon").count() == side["wide"] ** 2
    visit.page.locator(".stage svg").focus()
    visit.page.keyboard.press("ArrowLeft")
    assert ask(visit, "[figure.state.row, figure.state.column]") == [
        5 // side["small"],
        max(0, 5 % side["small"] - 1),
    ]


def test_every_setting_has_a_drawing_or_a_reason(bare: Bare) -> None:
    visit = bare("arithmetic")
    said = visit.page.evaluate("""async () => {
      const root = document.querySelector('.cnnkit-live'), said = new Set();
      const set = (name, value) => { const group = [...root.shadowRoot.querySelectorAll('[role=radiogroup]')]
        .find((g) => g.ariaLabel.startsWith(name) || g.getAttribute('aria-label').startsWith(name));
        [...group.querySelectorAll('input')].find((i) => i.value === String(value)).click(); };
      const slider = root.shadowRoot.querySelector('input[type=range]');
      for (const way of ['forward', 'transposed']) { set('Direction', way);
        for (const n of [1, 2, 9]) { slider.value = n; slider.dispatchEvent(new Event('input'));
          for (const k of [1, 2, 5]) { set('Kernel', k);
            for (const p of [0, 2]) { set('Padding', p); for (const d of [1, 3]) { set('Dilation', d);
              said.add(root.shadowRoot.querySelector('.note').textContent.replace(/[0-9]+/g, '#')); } } } } }
      return [...said]; }""")
    assert any("has no place" in text for text in said) and any("checkerboard" in text for text in said)
    assert not any("NaN" in text or "undefined" in text or "Infinity" in text for text in said)
    assert visit.faults() == []


# In the built book


def _pages_with_figures() -> list[str]:
    built = (name for name in PAGES if (SITE / name).exists())
    return [name for name in built if 'class="cnnkit-live"' in (SITE / name).read_text("utf-8")]


def _drag(seen: Visit, box: dict[str, float], x: float, y: float) -> None:
    """Take hold of a box at a share of its width and height, and pull a little to the right and down."""
    mouse = seen.page.mouse
    mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * (x + 0.2), box["y"] + box["height"] * (y + 0.2), steps=3)
    mouse.up()


@pytest.mark.parametrize("name", _pages_with_figures() or ["index.html"])
def test_the_figures_of_a_built_page_move_by_mouse_and_by_keys(
    name: str, host: str, visit: Callable[..., Visit]
) -> None:
    if not _pages_with_figures():
        pytest.skip("NOT TESTED: live figures in the book, for no built page has one")
    seen = visit(f"{host}/{name}", width=1440)
    figures = seen.page.locator(".cnnkit-live")
    for number in range(figures.count()):
        figure = figures.nth(number)
        figure.scroll_into_view_if_needed()
        figure.evaluate("(root) => root.figure.ready")
        state = "(root) => JSON.stringify(root.figure.state)"
        target = figure.locator(
            "[role=application], div[role=slider], input[type=range]"
        ).first  # what keys and mouse take hold of
        before = figure.evaluate(state)
        target.focus()
        seen.page.keyboard.press("ArrowRight")
        by_keys = figure.evaluate(state)
        assert by_keys != before
        for y, x in product((0.5, 0.3, 0.1, 0.7), (0.5, 0.3, 0.7)):
            _drag(seen, target.bounding_box(), x, y)
            if figure.evaluate(state) != by_keys:
                break
        else:
            pytest.fail(f"figure {number}: no drag over it changes its state {by_keys}")
    assert seen.faults() == []

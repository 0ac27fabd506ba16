"""Every page is open to readers who see otherwise or use no mouse: axe-core finds no breach of WCAG 2.1 A and AA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import look
import pytest

from tests.browser.conftest import Visit
from tests.browser.test_pages import PAGES

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "rules": {
        "label-content-name-mismatch": {"enabled": True}
    },  # WCAG 2.1 A, which axe-core calls an experiment
    "resultTypes": ["violations"],
}
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}

# A chapter has thousands of words of code in two dozen colours: one of each colour on each ground stays, the others become
# plain text before axe-core looks, which goes through all elements again for each rule.
UNDRESS = """() => {
  const seen = new Set();
  for (const word of [...document.querySelectorAll(".highlight span[class], math")].reverse()) {
    const look = [word.getAttribute("class"), word.tagName, !!word.closest(".cell_output"), !!word.closest("summary, td")].join();
    if (seen.has(look)) word.replaceWith(word.textContent);
    seen.add(look);
  }
}"""

# A page has thousands of words in a few dozen looks, and axe-core takes a hundredth of a second for the contrast of each.
# So of each look (the same elements around it, colours, grounds, size and weight) it is given the first three that are seen.
LOOKS = """() => {
  const known = new Map(), number = (text) => known.get(text) ?? known.set(text, known.size).get(text);
  const around = new WeakMap();
  const look = (element) => {
    if (!element) return "";
    if (!around.has(element)) {
      const s = getComputedStyle(element);
      around.set(element, number([look(element.parentElement), element.tagName, element.getAttribute("class"), s.color, s.fill,
        s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.textShadow, s.fontSize, s.fontWeight].join("|")));
    }
    return around.get(element);
  };
  const seen = new Map();
  for (const element of document.querySelectorAll("*")) {
    element.removeAttribute("data-look");
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const count = (seen.get(look(element)) ?? 0) + 1;
    seen.set(look(element), count);
    if (count <= 3) element.setAttribute("data-look", "");
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
}"""


def breaches(page: Any, options: dict[str, Any] = RULES) -> list[str]:
    """One line for each element that breaks a rule, with what axe-core says of it."""
    page.evaluate(LOOKS)
    found = page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def reader(chrome: Any) -> Iterator[Any]:
    """One browser context for all pages, so that what they share is fetched once."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    look.set_theme(context, "light")
    yield context
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    base = pytest.importorskip(
        "axe_playwright_python.base", reason="NOT TESTED: access, for axe-core is not installed"
    )
    return base.AXE_SCRIPT


@pytest.mark.parametrize("name", PAGES)
def test_every_page_keeps_wcag_21_aa_in_both_themes_and_at_both_widths(
    name: str, host: str, reader: Any, axe: str
) -> None:
    page = Visit(reader, f"{host}/{name}").page
    page.evaluate(axe)
    page.evaluate(UNDRESS)
    found: list[str] = []
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            page.wait_for_timeout(100)  # live figures follow the page's theme
            # The theme changes colours and nothing else.
            found += [
                f"{width} {theme}: {line}" for line in breaches(page, RULES if theme == "light" else COLOURS)
            ]
    page.close()
    assert not found, "\n".join(found[:40])


PLANTED = {
    "color-contrast": "<p style='color: #aaa; background: #fff'>pale</p>",
    "summary-name": "<details><summary></summary>hidden</details>",
    "label-content-name-mismatch": "<button aria-label='Search'>Find in this book</button>",
    "scrollable-region-focusable": "<div style='width: 90px; height: 40px; overflow: auto'><p style='width: 400px'>wide wide wide</p></div>",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_breach_is_caught(rule: str, bare: Callable[..., Visit], axe: str) -> None:
    page = bare.show(PLANTED[rule]).page
    page.evaluate(axe)
    assert any(line.startswith(rule) for line in breaches(page))


WORDS = "<span>word</span> " * 50
PALE = {
    "by itself": f"<p>{WORDS}<span style='color: #aaa'>pale</span></p>",
    "on its ground": f"<p>{WORDS}</p><div style='background: #555'><p>{WORDS}<span>pale</span></p></div>",
    "by its class": f"<style>.b {{ opacity: 0.4 }}</style><p>{WORDS}</p><p class='b'>{WORDS}<span>pale</span></p>",
    "after hidden ones of its look": f"<style>p {{ color: #aaa }}</style>{'<p hidden>pale</p>' * 9}<p>pale</p>",
    "in the dark alone": "<style>[data-theme=dark] body { background: #000; color: #fff } [data-theme=dark] .b { color: #444 }"
    f"</style><p>{WORDS}</p><p class='b'>pale</p>",
}


@pytest.mark.parametrize("how", PALE)
def test_a_pale_word_is_found_among_many_that_are_not(how: str, bare: Callable[..., Visit], axe: str) -> None:
    page = bare.show(PALE[how]).page
    page.evaluate(axe)
    light = breaches(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    found = breaches(page, COLOURS) if "dark" in how else light
    assert any(line.startswith("color-contrast") for line in found), found
    assert "dark" not in how or light == []

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

# A chapter has thousands of words of code in two dozen colours: of each colour on each ground one is looked at,
# the others become plain text before axe-core looks, for which it would need minutes a page.
UNDRESS = """() => {
  const seen = new Set();
  for (const word of [...document.querySelectorAll(".highlight span[class], math")].reverse()) {
    const look = [word.getAttribute("class"), word.tagName, !!word.closest(".cell_output"), !!word.closest("summary, td")].join();
    if (seen.has(look)) word.replaceWith(word.textContent);
    seen.add(look);
  }
}"""


def breaches(page: Any, options: dict[str, Any] = RULES) -> list[str]:
    """One line for each element that breaks a rule, with what axe-core says of it."""
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

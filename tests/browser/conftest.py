"""A headless Chromium, and what it finds wrong with a page.

The browser tests are skipped, and say so, where there is no Chromium, no Playwright, or no built book.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import look
import pytest

from cnnkit.course.live import live_html

ROOT = Path(__file__).resolve().parents[2]


SITE = look.SITE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    pytest.importorskip("playwright", reason="NOT TESTED: the built pages, for Playwright is not installed")
    if look.chromium() is None:
        pytest.skip("NOT TESTED: pages and live figures, for there is no Chromium (apt-get install chromium)")
    with look.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def host() -> Iterator[str]:
    """The address of the built book."""
    if not (SITE / "index.html").exists():
        pytest.skip("NOT TESTED: the built pages, for _build/html is not there (make book)")
    with look.served(SITE) as address:
        yield address


class Visit:
    """A page opened in the browser, with all that it logged and asked for."""

    def __init__(self, context: Any, address: str) -> None:
        self.host = "/".join(address.split("/")[:3])
        self.log: list[str] = []
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.log.append(f"script error: {error}"))
        self.page.on("response", self._response)
        # No test goes out to the network: what a page asks of another host is noted and refused.
        self.page.route(lambda url: not self._own(url), self._refuse)
        self.page.goto(address, wait_until="load")
        self.page.evaluate(look.LOAD_PICTURES)

    def _own(self, url: str) -> bool:
        return url.startswith((self.host, "data:", "blob:", "about:"))

    def _refuse(self, route: Any) -> None:
        self.log.append(f"request off the host: {route.request.url}")
        route.abort()

    def _console(self, message: Any) -> None:
        if message.type == "error" and "favicon.ico" not in message.location.get("url", ""):
            self.log.append(f"console error: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400 and not response.url.endswith("/favicon.ico"):
            self.log.append(f"status {response.status}: {response.url}")

    def faults(self) -> list[str]:
        """All that is wrong with the page as it stands now."""
        return self.log + self.page.evaluate(FAULTS)


FAULTS = r"""() => {
  const found = [];
  const headings = [...document.querySelectorAll("h1")].filter((h) => h.checkVisibility()).length; // the theme hides a copy for print
  if (headings !== 1) found.push(`${headings} first-level headings`);
  const article = document.querySelector("article, main") ?? document.body;
  for (const image of document.images) {
    const name = (image.getAttribute("src") ?? "").slice(0, 60);
    if (!image.hasAttribute("alt")) found.push(`image without alt text: ${name}`);
    else if (article.contains(image) && !image.alt.trim()) found.push(`image with empty alt text: ${name}`);
    else if (image.checkVisibility() && !image.naturalWidth) found.push(`image that does not load: ${name}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) {
    const guilty = [...document.body.querySelectorAll("*")].find((e) => e.getBoundingClientRect().right > innerWidth + 1
      && getComputedStyle(e).position !== "fixed" && !e.closest("pre, .output, [style*=overflow]"));
    found.push(`${wide} px too wide at ${innerWidth}: ${guilty?.tagName} .${guilty?.className}`);
  }
  for (const error of document.querySelectorAll("merror")) found.push(`formula error: ${error.textContent}`);
  return found;
}"""


@pytest.fixture
def visit(chrome: Any) -> Iterator[Callable[..., Visit]]:
    """Open an address as at a first visit, or with a theme chosen before: visit(address, 390, "dark")."""
    contexts = []

    def go(address: str, width: int = 390, theme: str | None = None, **options: Any) -> Visit:
        height = 844 if width <= 600 else 900
        context = chrome.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, **options
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        if theme is not None:
            look.set_theme(context, theme)
        return Visit(context, address)

    yield go
    for context in contexts:
        context.close()


BARE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An output</title>
<meta name="viewport" content="width=device-width"></head><body><h1>As a notebook shows it</h1>%s</body></html>"""


@pytest.fixture
def bare(visit: Callable[..., Visit], tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Open a live figure in a page with nothing else: bare("convolution", {"size": 5}, width=390)."""
    with look.served(tmp_path) as address:

        def go(name: str, options: dict[str, Any] | None = None, **context: Any) -> Visit:
            return show(live_html(name, **(options or {})), **context)

        def show(body: str, **context: Any) -> Visit:
            (tmp_path / "output.html").write_text(BARE % body, encoding="utf-8")
            seen = visit(f"{address}/output.html", **context)
            if context.get("java_script_enabled", True) and "cnnkit-live" in body:
                seen.page.wait_for_function(
                    "[...document.querySelectorAll('.cnnkit-live')].every((root) => root.figure)"
                )
                seen.page.evaluate(
                    "Promise.all([...document.querySelectorAll('.cnnkit-live')].map((root) => root.figure.ready))"
                )
            return seen

        go.show = show
        yield go

"""Every page of the built book in a real browser, as wide as a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import look
import pytest

from tests.browser.conftest import SITE, Visit


def _pages() -> list[str]:
    """The pages of the last build, as its search index lists them; a page of an earlier one may lie about."""
    index = SITE / "searchindex.js"
    if not index.exists():
        return ["index.html"]
    names = json.loads(re.search(r'"docnames": (\[[^]]*\])', index.read_text("utf-8")).group(1))
    return [f"{name}.html" for name in [*names, "genindex", "search"]]


PAGES = _pages()


@pytest.fixture(scope="module")
def phone(chrome: Any) -> Iterator[Any]:
    """One browser context for all pages, so that what they share is fetched once."""
    context = chrome.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_quiet_narrow_and_described(name: str, host: str, phone: Any) -> None:
    seen = Visit(phone, f"{host}/{name}")
    faults = seen.faults()
    seen.page.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_takes_the_theme_that_is_asked_for(theme: str, host: str, visit: Callable[..., Visit]) -> None:
    page = visit(f"{host}/{PAGES[0]}", width=1440, theme=theme).page
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


GOOD = "<p>All is well.</p><img alt='One grey dot.' src='data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=='>"

FAULTY = {
    "request off the host": "<script src='https://cdn.example.com/library.js'></script>",
    "request off the host: https://fonts": "<style>@import url('https://fonts.example.com/face.css')</style>",
    "console error": "<script>console.error('lost')</script>",
    "script error": "<script>undefinedFunction()</script>",
    "status 404": "<img alt='A picture that is missing.' src='missing.png'>",
    "2 first-level headings": "<h1>Another title</h1>",
    "image without alt text": "<img src='data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=='>",
    "image with empty alt text": "<main><img alt='' src='data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=='></main>",
    "px too wide": "<div style='width: 600px'>wide</div>",
}


def test_a_page_without_fault_is_found_without_fault(bare: Callable[..., Visit]) -> None:
    assert bare.show(GOOD).faults() == []


@pytest.mark.parametrize("fault", FAULTY)
def test_a_planted_fault_is_caught(fault: str, bare: Callable[..., Visit]) -> None:
    assert any(fault in found for found in bare.show(GOOD + FAULTY[fault]).faults())


def test_a_folder_is_served_only_while_it_is_wanted(tmp_path: Path) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    (tmp_path / "page.html").write_text("here", encoding="utf-8")
    with look.served(tmp_path) as address, urlopen(f"{address}/page.html") as answer:
        assert answer.read() == b"here"
    with pytest.raises(URLError):
        urlopen(f"{address}/page.html", timeout=2)

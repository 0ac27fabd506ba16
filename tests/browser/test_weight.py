"""A first visit is light, quick and still, on a slow phone on a slow line."""

from __future__ import annotations

from typing import Any

import look
import pytest
import weigh

from tests.browser.conftest import SITE

HEAVIEST = 400_000  # bytes of a chapter with its scripts, styles and fonts, gzipped; pictures apart
LATEST = 3.0  # seconds to the largest paint at 1.6 Mbit/s, 150 ms and a quarter of the speed
MOST = 0.1  # layout shift
BUSY = 1.5  # what the median of three may take longer on a machine that does something else, too

CHAPTERS = sorted(
    (page for page in SITE.glob("chapters/**/*.html")), key=lambda page: page.stat().st_size, reverse=True
)
LONGEST = CHAPTERS[0].relative_to(SITE).as_posix() if CHAPTERS else "no chapter"


@pytest.fixture(scope="module")
def wire(host: str) -> Any:
    """The address of the built book where text is sent compressed, as the hosts of static pages do."""
    with look.served(SITE, compress=True) as address:
        yield address


@pytest.mark.parametrize("name", [LONGEST, "book/index.html"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_page_is_light_quick_and_still(name: str, width: int, wire: str, chrome: Any) -> None:
    seen = weigh.visits(chrome, f"{wire}/{name}", width=width)
    assert seen.weight <= HEAVIEST, seen.sent
    assert seen.shift <= MOST, seen.moved
    assert seen.paint <= LATEST * BUSY


def test_no_chapter_is_too_heavy(wire: str, chrome: Any) -> None:
    for page in CHAPTERS:
        seen = weigh.visit(chrome, f"{wire}/{page.relative_to(SITE).as_posix()}", slow=False)
        assert seen.weight <= HEAVIEST, (page.name, seen.sent)

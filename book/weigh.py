"""Weigh pages of the built book, and time them on a slow phone: `python book/weigh.py index layers/pooling`.

The weight is what crosses the wire, gzipped, for a first visit: page, scripts, styles and fonts; pictures apart.
The phone has 1.6 Mbit/s, 150 ms to the host, and a quarter of this machine's speed.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from look import SITE, browser, page_address, served

PICTURES = {"Image", "Media"}
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}
WATCH = """
window.painted = 0; window.shifted = 0; window.moved = [];
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.painted = entry.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    window.shifted += entry.value;
    window.moved.push(...entry.sources.map(({ node }) => `${node?.nodeName}.${node?.className ?? ""}`));
} }).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Visit:
    """What one first visit cost: bytes by kind of resource, and the two signs of a page that is slow or restless."""

    sent: dict[str, int]
    paint: float
    shift: float
    moved: tuple[str, ...]

    @property
    def weight(self) -> int:
        """Bytes without pictures."""
        return sum(size for kind, size in self.sent.items() if kind not in PICTURES)


def visit(chrome: Any, address: str, width: int = 390, slow: bool = True) -> Visit:
    """Open a page as at a first visit, to the end of its loading."""
    context = chrome.new_context(viewport={"width": width, "height": 844 if width <= 600 else 900})
    try:
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        kinds: dict[str, str] = {}
        sent: Counter[str] = Counter()
        wire.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
        wire.on(
            "Network.loadingFinished",
            lambda e: sent.update({kinds.get(e["requestId"], "Other"): int(e["encodedDataLength"])}),
        )
        if slow:
            wire.send("Network.emulateNetworkConditions", SLOW)
            wire.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.add_init_script(WATCH)
        page.goto(address, wait_until="load", timeout=120_000)
        page.wait_for_timeout(1500)
        paint, shift, moved = page.evaluate("[painted / 1000, shifted, moved]")
    finally:
        context.close()
    return Visit(dict(sent), paint, shift, tuple(moved))


def visits(chrome: Any, address: str, times: int = 3, width: int = 390) -> Visit:
    """The visit with the median paint: a machine may be busy with something else."""
    taken = sorted((visit(chrome, address, width) for _ in range(times)), key=lambda seen: seen.paint)
    middle = statistics.median_low([seen.paint for seen in taken])
    return next(seen for seen in taken if seen.paint == middle)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", default=["index"], help="e.g. layers/convolution")
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--widths", type=int, nargs="+", default=[390, 1440])
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with served(options.site, compress=True) as host, browser() as chrome:
        for name in options.pages:
            for width in options.widths:
                seen = visits(chrome, f"{host}/{page_address(options.site, name)}", options.times, width)
                kinds = ", ".join(
                    f"{kind.lower()} {size / 1e3:.0f}" for kind, size in sorted(seen.sent.items())
                )
                print(
                    f"{name} at {width}: {seen.weight / 1e3:.0f} kB ({kinds}), "
                    f"largest paint {seen.paint:.1f} s, shift {seen.shift:.3f}"
                )
                for what in sorted(set(seen.moved)) if seen.shift > 0.02 else ():
                    print(f"    moved: {what}")


if __name__ == "__main__":
    main()

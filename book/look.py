"""Photograph pages of the built book, at desk and phone width, on light and on dark.

    python book/look.py layers/convolution --out /tmp/look
    python book/look.py index orientation --widths 390 --themes dark

A page longer than ``--height`` pixels is cut into numbered pictures that can be read one by one.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import io
import math
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


LOAD_PICTURES = """async () => {
  const late = [...document.images].filter((image) => image.loading === "lazy" && image.checkVisibility());
  late.forEach((image) => { image.loading = "eager"; });
  await Promise.all(late.map((image) => image.decode().catch(() => {})));
}"""  # those far down a page come only when a reader is near
TEXT = {".html", ".css", ".js", ".svg", ".json", ".txt"}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # a page that was closed while it loaded
            super().handle()


class _Compressing(_Quiet):
    """Sends text gzipped and keeps the connection open, as the hosts of static pages do."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> BinaryIO | None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        packed = _packed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        return io.BytesIO(packed)


@functools.lru_cache(maxsize=256)
def _packed(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


@contextmanager
def served(folder: Path, compress: bool = False) -> Iterator[str]:
    """Serve a folder on a free loopback port for as long as the block lasts; give its address."""
    handler = functools.partial(_Compressing if compress else _Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def chromium() -> str | None:
    """The path of an installed Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator:
    """A headless Chromium for as long as the block lasts."""
    from playwright.sync_api import sync_playwright

    executable = chromium()
    if executable is None:
        raise FileNotFoundError("No Chromium on the path. Install one (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def set_theme(context, theme: str) -> None:
    """Make every page of a browser context open in the light or the dark form of the theme."""
    context.add_init_script(
        f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')"
    )


def page_address(site: Path, name: str) -> str:
    """Where a page lies in the built book; its part may be left out when the rest is enough."""
    name = name.removesuffix(".html").removesuffix(".ipynb").removesuffix(".md").strip("/")
    pages = sorted(
        page.relative_to(site).as_posix() for page in site.rglob("*.html") if "_static" not in page.parts
    )
    for candidate in (f"{name}.html", f"chapters/{name}.html", f"book/{name}.html"):
        if candidate in pages:
            return candidate
    ends = [page for page in pages if page.endswith(f"/{name}.html")]
    if len(ends) == 1:
        return ends[0]
    raise FileNotFoundError(f"No single page {name!r} in {site}. There are: {', '.join(ends or pages)}")


def photograph(
    names: list[str], out: Path, widths: list[int], themes: list[str], height: int, site: Path = SITE
) -> list[Path]:
    """Take the pictures and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    addresses = [page_address(site, name) for name in names]
    with served(site) as host, browser() as chrome:
        for width in widths:
            for theme in themes:
                context = chrome.new_context(
                    viewport={"width": width, "height": 900 if width > 600 else 844},
                    color_scheme=theme,
                    reduced_motion="reduce",
                    has_touch=width <= 600,
                )
                set_theme(context, theme)
                for address in addresses:
                    page = context.new_page()
                    page.goto(f"{host}/{address}", wait_until="load")
                    page.evaluate(LOAD_PICTURES)
                    page.wait_for_timeout(300)
                    length = page.evaluate("document.documentElement.scrollHeight")
                    pieces = math.ceil(length / height)
                    stem = address.removesuffix(".html").removeprefix("chapters/").replace("/", "_")
                    for piece in range(pieces):
                        number = f"-{piece + 1:02d}" if pieces > 1 else ""
                        path = out / f"{stem}-{width}-{theme}{number}.png"
                        clip = {"x": 0, "y": piece * height, "width": width}
                        clip["height"] = min(height, length - piece * height)
                        page.screenshot(path=path, full_page=True, clip=clip)
                        pictures.append(path)
                    page.close()
                context.close()
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", default=["index"], help="e.g. layers/convolution")
    parser.add_argument("--out", type=Path, default=Path("/tmp/look"))
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--widths", type=int, nargs="+", default=[1440, 390])
    parser.add_argument("--themes", nargs="+", default=["light", "dark"], choices=["light", "dark"])
    parser.add_argument("--height", type=int, default=1800, help="cut longer pages into pictures this high")
    options = parser.parse_args()
    if not options.site.is_dir():
        parser.error(f"no built book in {options.site}: run make book first")
    for picture in photograph(
        options.pages, options.out, options.widths, options.themes, options.height, options.site
    ):
        print(picture)


if __name__ == "__main__":
    main()

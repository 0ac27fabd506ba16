"""Make the still pictures of the live figures, for print and for where no script runs.

    python book/stills.py [name ...]

Each is a photograph of the figure itself in headless Chromium, in the pose that the figure takes for it.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

from look import ROOT, browser, served
from PIL import Image

sys.path.insert(0, str(ROOT))
from cnnkit.course.live import live_figure, live_figures, live_html

PAGE = "<!doctype html><html data-theme=light><meta charset=utf-8><body style='font-family: sans-serif; margin: 0; width: 720px'>"
LARGEST = 24_000  # bytes; every notebook that shows the figure carries it


def still(name: str, chrome) -> Path:
    """Photograph one figure and keep it beside its module."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as host:
        (Path(folder) / "index.html").write_text(PAGE + live_html(name), encoding="utf-8")
        context = chrome.new_context(viewport={"width": 720, "height": 900}, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{host}/index.html")
        figure = page.locator(".cnnkit-live")
        page.wait_for_function("document.querySelector('.cnnkit-live').figure")
        page.evaluate("document.querySelector('.cnnkit-live').figure.ready")
        page.evaluate("document.querySelector('.cnnkit-live').figure.pose?.()")
        box = figure.locator(".stage").bounding_box()
        frame = {"x": 0, "y": box["y"] - 12, "width": 720, "height": box["height"] + 24}
        picture = Image.open(io.BytesIO(page.screenshot(clip=frame, full_page=True))).convert("RGB")
        context.close()
    path = live_figure(name).picture
    for quality in (75, 60, 45, 30, 15, 5):
        picture.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size <= LARGEST:
            break
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=live_figures())
    with browser() as chrome:
        for name in parser.parse_args().names:
            path = still(name, chrome)
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

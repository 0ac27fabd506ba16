"""Figures that move: one HTML output with its own script, at home in the book, in Jupyter and in Colab."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit._names import unknown
from cnnkit.course import notebook
from cnnkit.course.catalogue import UnknownEntry

__all__ = ["LiveFigure", "live", "live_figure", "live_figures", "live_html"]

FIGURES = Path(__file__).parent / "figures"
PALETTE = Path(__file__).with_name("palette.css")


@dataclass(frozen=True)
class LiveFigure:
    """What the first comment of a live figure's module says about it."""

    name: str
    title: str
    chapter: str
    options: tuple[str, ...]
    alt: str

    @property
    def script(self) -> str:
        """The figure as one module: the shared base, then the figure itself."""
        return f"{_module('_base')}\n{_module(self.name)}"

    @property
    def style(self) -> str:
        """The palette, the shared style sheet, and the figure's own where it has one."""
        sheets = [PALETTE, FIGURES / "_base.css", FIGURES / f"{self.name}.css"]
        text = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.exists())
        return re.sub(r"\s*/\*.*?\*/", "", text, flags=re.DOTALL)

    @property
    def picture(self) -> Path:
        """The still picture, for print and for where no script runs; `book/stills.py` makes it."""
        return FIGURES / f"{self.name}.webp"


def _module(name: str) -> str:
    """A module's text without its head, and without what only a file can do: import the base, name a file beside it."""
    text = (FIGURES / f"{name}.js").read_text(encoding="utf-8")
    text = re.sub(r"\A/\*.*?\*/\n+", "", text, flags=re.DOTALL)
    text = re.sub(r'^import \{[^}]*\} from "\./_base\.js";\n', "", text, flags=re.MULTILINE)

    def embed(match: re.Match[str]) -> str:
        kind = {"png": "image/png", "bin": "application/octet-stream"}[match.group(2)]
        return f'"data:{kind};base64,{base64.b64encode((FIGURES / match.group(1)).read_bytes()).decode()}"'

    return re.sub(r'new URL\("\./([\w-]+\.(png|bin))", import\.meta\.url\)\.href', embed, text)


def live_figures() -> list[str]:
    """The names of all live figures."""
    return sorted(path.stem for path in FIGURES.glob("*.js") if not path.stem.startswith("_"))


def live_figure(name: str) -> LiveFigure:
    """Look a live figure up by its name.

    >>> live_figure("convolution").chapter
    'layers/convolution'
    """
    names = live_figures()
    if name not in names:
        raise UnknownEntry(f"{unknown('live figure', name, names)} (there are: {', '.join(names)})")
    text = (FIGURES / f"{name}.js").read_text(encoding="utf-8")
    head = re.match(r"/\*(.*?)\*/", text, re.DOTALL)
    fields = re.findall(r"^ \* (\w+): (.*(?:\n \*   .*)*)", head.group(1) if head else "", re.MULTILINE)
    told = {key: re.sub(r"\n \*   ", " ", value).strip() for key, value in fields}
    missing = {"title", "chapter", "options", "alt"} - set(told)
    if missing:
        raise ValueError(f"{name}.js must open with a comment that tells its {', '.join(sorted(missing))}")
    options = tuple(option for option in re.split(r",\s*", told["options"]) if option)
    return LiveFigure(name, told["title"], told["chapter"], options, told["alt"])


def live_html(name: str, **options: Any) -> str:
    """The HTML of a live figure, the same bytes for the same options on every machine."""
    figure = live_figure(name)
    for option in options:
        if option not in figure.options:
            known = ", ".join(figure.options)
            raise ValueError(f"{unknown(f'option of {name}', option, figure.options)} (there are: {known})")
    values = json.dumps(options, sort_keys=True, default=lambda value: value.tolist())
    # Two figures of one kind on a page differ in their options, and so in their ids.
    suffix = f"-{hashlib.sha256(values.encode()).hexdigest()[:6]}" if options else ""
    root = f"live-{name}{suffix}"
    call = f"mount({json.dumps(root)}, figure, {values}, {json.dumps(figure.style)});"
    script = f"{figure.script}\n{call}".replace("</", "<\\/")
    still = ""
    if figure.picture.exists():
        data = base64.b64encode(figure.picture.read_bytes()).decode()
        still = (
            f'<img src="data:image/webp;base64,{data}" alt="{html.escape(figure.alt)}" '
            'style="max-width: 100%; height: auto">\n'
        )
    # JupyterLab reads "x" as "cut this cell" unless an element asks it not to.
    return (
        f'<div id="{root}" class="cnnkit-live" data-title="{html.escape(figure.title)}" '
        f'data-lm-suppress-shortcuts="true">\n{still}'
        "<p><small>A figure to play with: it moves where scripts run, on the book's page, "
        "in Colab, or in a trusted notebook.</small></p>\n</div>\n"
        f'<script type="module">\n{script}\n</script>'
    )


def live(name: str, **options: Any) -> None:
    """Show a live figure: one self-contained HTML output that needs no network.

    `options` set how it opens; each figure's module names the ones it takes.

    >>> live("convolution", preset="sharpen")  # doctest: +SKIP
    """
    figure = live_figure(name)
    bundle = {
        "text/html": live_html(name, **options),
        "text/plain": f"[live figure: {figure.title}] {figure.alt}",
    }
    notebook.show(bundle)

"""One style sheet with the rules that the pages use, and fonts with the signs that they show.

Jupyter Book brings ten sheets, of which a page uses a tenth, and three icon fonts for a dozen icons.
"""

from __future__ import annotations

import base64
import hashlib
import html
import logging
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx

from cnnkit_book.shelf import ROOT

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells each table that it cuts
FONTS = ROOT / "book/fonts"
SHEETS = (  # in the order in which the theme loads them; the book's own comes last
    "basic.css",  # which styles/theme.css imports, and does nothing else
    "styles/bootstrap.css",
    "styles/pydata-sphinx-theme.css",
    "vendor/fontawesome/*/css/all.min.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "togglebutton.css",
    "copybutton.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
    "palette.css",
    "book.css",
)
SET_BY_SCRIPTS = """active collapse collapsed collapsing disabled dropdown-menu-dark dropdown-menu-end dropend dropstart
dropup fade focus hide hiding highlighted scrolled show showing tooltip tooltip-arrow tooltip-inner bs-tooltip-auto
bs-tooltip-bottom bs-tooltip-end bs-tooltip-start bs-tooltip-top"""  # classes that no page has when it is written
TOKEN = re.compile(r"""(?:url\()?"(?:\\.|[^"\\])*"|(?:url\()?'(?:\\.|[^'\\])*'|url\([^)"']*\)|[{};]""")
SCRIPTS = ("scripts/pydata-sphinx-theme.js", "scripts/sphinx-book-theme.js", "*.js")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", make, priority=900)  # after the theme has written its colours of code


def make(app: Sphinx, error: Exception | None) -> None:
    """Write `site-<digest>.css`, with the fonts of icons and formulas within, and let every page load it."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    pages = {
        path: path.read_text(encoding="utf-8") for path in out.rglob("*.html") if static not in path.parents
    }
    scripts = "".join(path.read_text(encoding="utf-8") for name in SCRIPTS for path in static.glob(name))
    words = used_words([*pages.values(), scripts])
    sheets = [path.read_text(encoding="utf-8") for name in SHEETS for path in sorted(static.glob(name))]
    css = "".join(purged(sheet, words) for sheet in sheets)
    css = with_icons(css, static)
    (static / "fonts").mkdir(exist_ok=True)
    formulas = "".join(
        html.unescape(m) for page in pages.values() for m in re.findall(r"<math.*?</math>", page, re.DOTALL)
    )
    signs = set(re.sub(r"<[^>]*>", "", formulas))
    (static / "fonts/math.woff2").write_bytes(cut(FONTS / "math.woff2", signs | set(map(italic, signs))))
    name = f"site-{hashlib.sha256(css.encode()).hexdigest()[:10]}.css"
    for old in static.glob("site-*.css"):
        old.unlink()
    (static / name).write_text(css, encoding="utf-8")
    for path, page in pages.items():
        linked = re.sub(r"_static/site[\w-]*\.css", f"_static/{name}", page)
        if linked != page:
            path.write_text(linked, encoding="utf-8")


def used_words(texts: Iterable[str]) -> set[str]:
    """Every class and id of the pages, and every word of the scripts, which may set classes."""
    words = set(SET_BY_SCRIPTS.split())
    for text in texts:
        if text.lstrip().startswith("<"):
            for value in re.findall(r'\b(?:class|id)="([^"]*)"', text):
                words.update(value.split())
            text = "".join(re.findall(r"<script\b[^>]*>(.*?)</script>", text, re.DOTALL))
        words.update(re.findall(r"[\w-]+", text))
    return words


def purged(css: str, words: set[str]) -> str:
    """A sheet without the rules whose classes and ids no page has."""
    kept = []
    for head, body in rules(css):
        if head.startswith(("@media", "@supports", "@layer", "@container")):
            inner = purged(body or "", words)
            kept.append(f"{head}{{{inner}}}" if inner else "")
        elif body is None or head.startswith("@"):
            kept.append(f"{head};" if body is None else f"{head}{{{body}}}")
        else:
            selectors = [selector.strip() for selector in split(head) if _used(selector, words)]
            if selectors and body.strip():
                kept.append(f"{','.join(selectors)}{{{body.strip()}}}")
    return "".join(kept)


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """The rules of a sheet, each as its head and its body; a statement without a body has None."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    depth, start, head = 0, 0, ""
    for token in TOKEN.finditer(css):
        sign = token[0]
        if sign == "{":
            if depth == 0:
                head, start = css[start : token.start()].strip(), token.end()
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield head, css[start : token.start()]
                start = token.end()
        elif sign == ";" and depth == 0:
            yield css[start : token.start()].strip(), None
            start = token.end()


def split(selectors: str) -> list[str]:
    """A list of selectors at its commas, but not at those within brackets."""
    return re.split(r",(?![^(\[]*[)\]])", selectors)


def _used(selector: str, words: set[str]) -> bool:
    bare = selector.replace("\\", "")
    while (inner := re.sub(r"\([^()]*\)|\[[^\]]*\]", "", bare)) != bare:
        bare = inner
    return all(name in words for name in re.findall(r"[.#]([\w-]+)", bare))


def with_icons(css: str, static: Path) -> str:
    """The sheet with the icon fonts cut to the icons in use and put inside, so that no icon comes late."""
    faces = {"solid": 900, "brands": 400}
    used = {chr(int(code, 16)) for code in re.findall(r'"\\(f[0-9a-f]{3})"', css)}
    css = re.sub(r"@font-face\{[^}]*(?:Font ?Awesome|FontAwesome)[^}]*\}", "", css)
    for face, weight in faces.items():
        source = next(static.glob(f"vendor/fontawesome/*/webfonts/fa-{face}-*.woff2"))
        data = base64.b64encode(cut(source, used)).decode()
        family = "Font Awesome 6 Brands" if face == "brands" else "Font Awesome 6 Free"
        css += (
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:block;'
            f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
        )
    return css


def cut(font: Path, signs: Iterable[str]) -> bytes:
    """A font with the glyphs of some signs, and what their layout needs."""
    options = subset.Options()
    options.flavor, options.hinting, options.desubroutinize, options.name_IDs = "woff2", False, True, []
    options.layout_features = ["ssty", "ccmp", "kern"]
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(signs))
    file = BytesIO()
    with subset.load_font(str(font), options) as opened:
        cutter.subset(opened)
        subset.save_font(opened, file, options)
    return file.getvalue()


def italic(sign: str) -> str:
    """The sign that a browser shows for a variable: letters of formulas are slanted."""
    if sign == "h":
        return "\u210e"
    for first, last, slanted in (
        ("A", "Z", 0x1D434),
        ("a", "z", 0x1D44E),
        ("Α", "Ω", 0x1D6E2),
        ("α", "ω", 0x1D6FC),
    ):
        if first <= sign <= last:
            return chr(slanted + ord(sign) - ord(first))
    return {"∂": "\U0001d715", "ϵ": "\U0001d716", "ϑ": "\U0001d717", "ϕ": "\U0001d719"}.get(sign, sign)

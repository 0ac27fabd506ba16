"""What Jupyter Book and its theme leave undone in a page: sizes of pictures, names of controls, scripts that wait."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx

STILLS = "_images/stills"
NEEDED_BY = {  # scripts that Jupyter Book loads on every page, and what a page must hold to need them
    "design-tabs.js": "sd-tab-set",
    "togglebutton.js": "dropdown admonition",
}


def setup(app: Sphinx) -> None:
    app.connect("config-inited", settle_the_theme)
    app.connect("config-inited", leave_out_thebe)
    app.connect("html-page-context", finish, priority=900)  # after the theme has filled in its part
    app.config.templates_path.append(str(Path(__file__).parents[2] / "templates"))


def settle_the_theme(app: Sphinx, config: Any) -> None:
    """Tell the theme what a first visit gets, which it asks for and reports as an error when it is empty."""
    config.html_context.setdefault("default_mode", "auto")


def leave_out_thebe(app: Sphinx, _config: Any) -> None:
    """Jupyter Book always loads sphinx-thebe; its scripts name another host, and declare a constant twice."""
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners.get(event, [])):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def finish(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    body = context.get("body", "")
    if pagename != "search":  # whose own scripts do not wait for these
        context["script_files"] = scripts(context["script_files"], body)
    if "generate_toctree_html" in context:
        context["generate_toctree_html"] = named_branches(context["generate_toctree_html"])
    if body:
        body = body.replace(
            '<summary aria-label="Toggle hidden content">', "<summary>"
        )  # what stands in it says more
        up = context["pathto"]("", 1) or "./"
        body = eager_figures(lift_stills(body, Path(app.outdir), up))
        files = {name: source for source, name in app.builder.images.items()}
        context["body"] = sized_pictures(
            body, lambda name: Path(app.srcdir, files[name]) if name in files else None
        )


def scripts(files: list[Any], body: str) -> list[Any]:
    """The scripts that the page needs, each once; those in files wait until the page is read."""
    kept: dict[str, Any] = {}
    for script in files:
        name = str(getattr(script, "filename", script) or "")
        inline = script.attributes.get("body", "") if hasattr(script, "attributes") else ""
        needed = next((sign for file, sign in NEEDED_BY.items() if file in name), None)
        if (needed and needed not in body) or "toggle" in inline or "thebe" in name or "MathJax" in inline:
            continue
        # The options of the page are set in a line of its own, which does not wait.
        if name and hasattr(script, "attributes") and "documentation_options" not in name:
            attributes = {**script.attributes, "defer": "defer"}
            script = type(script)(
                script.filename, priority=script.priority, **attributes
            )  # other pages share it
        kept[name or inline] = script
    return list(kept.values())


def named_branches(make: Callable[..., str]) -> Callable[..., str]:
    """The theme's contents list, whose arrows that open a branch then have a name."""

    def toctree(*args: Any, **options: Any) -> str:
        return re.sub(
            r"(<a class=\"[^\"]*\" href=\"[^\"]*\">([^<]*)</a><details[^>]*>)<summary>",
            r'\1<summary aria-label="Pages of \2">',
            str(make(*args, **options)),
        )

    return toctree


def sized_pictures(body: str, source: Callable[[str], Path | None]) -> str:
    """Pictures with their size, so that the text does not move when they come, and not before they are near."""

    def sized(tag: re.Match[str]) -> str:
        name = re.search(r'src="[^"]*_images/([^"/]+)"', tag[0])
        path = source(name[1]) if name else None
        if path is None or " height=" in tag[0]:
            return tag[0]
        with Image.open(path) as image:
            width, height = image.size
        asked = re.search(r' style="width: (\d+)px;?"', tag[0])
        shown = int(asked[1]) if asked else width
        tall = round(shown * height / width)
        plain = tag[0].replace(asked[0], "") if asked else tag[0]
        return plain.replace(
            "<img", f'<img width="{shown}" height="{tall}" loading="lazy" decoding="async"', 1
        )

    return re.sub(r"<img\b[^>]*>", sized, body)


def lift_stills(body: str, out: Path, up: str) -> str:
    """The still of a live figure in a file of its own: only who prints the page, or runs no script, fetches it."""

    def lifted(still: re.Match[str]) -> str:
        data = base64.b64decode(still[1])
        path = out / STILLS / f"{hashlib.sha256(data).hexdigest()[:12]}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with Image.open(path) as image:
            width, height = image.size
        return f'<img src="{up}{STILLS}/{path.name}" width="{width}" height="{height}" loading="lazy"'

    return re.sub(r'<img src="data:image/webp;base64,([^"]+)"', lifted, body)


def eager_figures(body: str) -> str:
    """Live figures that come to life while the page is read, before it is first seen: a module would wait, and push the text."""

    def eager(script: re.Match[str]) -> str:
        plain = re.sub(r"^export (?:default )?", "", script[1], flags=re.MULTILINE)
        return f'<script>\n(() => {{\n"use strict";{plain}}})();\n</script>'

    live = r'<script type="module">((?:(?!</script>).)*?\bmount\("live-.*?)</script>'
    return re.sub(live, eager, body, flags=re.DOTALL)

"""What a notebook gains on its way to a page: alt text for its pictures, and links to the package at its end."""

from __future__ import annotations

import json
from typing import Any

from sphinx.application import Sphinx

from cnnkit_book import api


def setup(app: Sphinx) -> None:
    app.connect("source-read", read)


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    carry_alt_text(notebook)
    add_links(notebook, docname.removeprefix("chapters/"))
    source[0] = json.dumps(notebook)


def carry_alt_text(notebook: dict[str, Any]) -> None:
    """MyST-NB reads alt text from a cell's metadata only; `figure()` leaves it in the output's."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            image = output.get("metadata", {}).get("image/png", {})
            if "alt" in image:
                cell["metadata"].setdefault("mystnb", {})["image"] = {
                    "alt": image["alt"],
                    "width": f"{image['width']}px",
                }


def add_links(notebook: dict[str, Any], chapter: str) -> None:
    """End a chapter with what of the package it teaches and uses, each name linked to its description."""
    lines = []
    for word, names in (("Taught here", api.taught(chapter)), ("Used here", api.used(chapter))):
        if names:
            links = " · ".join(f"{{py:obj}}`{name.split('.')[-1]} <{name}>`" for name in names)
            lines.append(f"**{word}:** {links}")
    if lines:
        text = "\n\n".join(["::::{container} in-the-api", "In the API", *lines, "::::"])
        cell = {"cell_type": "markdown", "id": "in-the-api", "metadata": {}, "source": text}
        notebook["cells"].append(cell)

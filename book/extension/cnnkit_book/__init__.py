"""The book's Sphinx extension: what the pages need beyond Jupyter Book.

- `shelf`: what the book knows of its chapters, from `_toc.yml`, the notebooks and what lies beside them;
- `notebooks`: alt text travels from an output to the page, and a chapter ends in links to the API;
- `tables`: where a page says `{claims}`, `{coverage}`, `{references}` or `{names}` it gets a table;
- `cards`: `{chapters}` shows chapters as cards, `{live}` puts a live figure on a page that is no notebook;
- `api`: docstrings name their chapters and papers, and are linked to where they are used;
- `formulas`: MathML, made while the book is built;
- `pages`: what the theme leaves undone in a page's HTML;
- `assets`: one style sheet with what the pages use, and fonts with the signs that they show.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from cnnkit_book import api, assets, cards, formulas, notebooks, pages, tables


def setup(app: Sphinx) -> dict[str, Any]:
    for part in (notebooks, tables, cards, api, formulas, pages, assets):
        part.setup(app)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}

"""Formulas as MathML, made while the book is built: no script draws them, and a screen reader can read them."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

THIN = "lspace='0.167em'"


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("config-inited", choose)


def choose(_app: Sphinx, config: Any) -> None:
    """Jupyter Book loads Sphinx's MathJax, which stays silent as long as another renderer is chosen."""
    config.html_math_renderer = "mathml"


def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML; one that cannot be converted is an error that quotes it."""
    latex = re.sub(r"\\(begin|end){(?:aligned|align\*?)}", r"\\\1{split}", latex.strip())
    latex = re.sub(r"\\(?:begin|end){equation\*?}", "", latex)
    try:
        if latex.replace(r"\{", "").count("{") != latex.replace(r"\}", "").count("}"):
            raise ValueError("a brace has no partner")
        made = convert(latex, display=display)
        if unknown := re.search(r">(\\[A-Za-z]+)", made):
            raise ValueError(f"it does not know {unknown[1]}")
        ElementTree.fromstring(made)
    except Exception as error:
        told = f"latex2mathml cannot convert {latex!r}: {str(error) or type(error).__name__}; write it another way"
        raise ExtensionError(told) from error
    made = re.sub(r"<mo>([A-Za-z]{2,})</mo>(?=<mo[^>]*>&#x00028;)", rf"<mo {THIN} rspace='0'>\1</mo>", made)
    return re.sub(r"<mo>([A-Za-z]{2,})</mo>", rf"<mo {THIN} rspace='0.167em'>\1</mo>", made)


def visit_inline(self: Any, node: nodes.math) -> None:
    self.body.append(f'<span class="math">{mathml(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    identity = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    self.body.append(f'<div class="math"{identity}>{mathml(node.astext(), "block")}{number}</div>\n')
    raise nodes.SkipNode

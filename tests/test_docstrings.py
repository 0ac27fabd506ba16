"""Every public docstring is reStructuredText in the sections that Napoleon reads, so that the API pages print what it says.

What is asked for: Google's sections (`Args:`, `Returns:`, `Raises:`, `Example:`) and two of our own, code in single
backticks, a formula in a literal block.  A star, a bar or an underscore that the markup takes for its own is a fault.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator

import pytest
import yaml
from docutils import nodes
from docutils.core import publish_doctree
from sphinx.ext.napoleon import Config, GoogleDocstring

from tests import layering
from tests.layering import ROOT

SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
OURS = {"napoleon_use_ivar": True, "napoleon_custom_sections": ["Input shape", "Output shape"]}
#: As the book's settings have it, which may say more.
NAPOLEON = Config(**OURS | {name: value for name, value in SETTINGS.items() if name.startswith("napoleon_")})
#: Words that open a section elsewhere, or opened one here before, and the section that Napoleon knows.
FOREIGN = {
    "Arguments:": "Args:",
    "Parameters:": "Args:",
    "Return:": "Returns:",
    "Examples:": "Example:",
    "Usage:": "Example:",
    "Input:": "Input shape:",
    "Output:": "Output shape:",
}


def complaints(docstring: str) -> list[str]:
    """What docutils has to say of a docstring once Napoleon has read it, and sections of another house."""
    text = str(GoogleDocstring(docstring, NAPOLEON, what="function"))
    settings = {"report_level": 2, "halt_level": 5, "warning_stream": io.StringIO(), "raw_enabled": False}
    tree = publish_doctree(f".. default-role:: code\n\n{text}", settings_overrides=settings)
    heard = {*tree.findall(nodes.system_message), *tree.parse_messages, *tree.transform_messages}
    faults = sorted(message.astext() for message in heard)
    faults += [
        f"'{block.astext()[:60]}' is indented and reads as a quotation; open a formula with '::'"
        for block in tree.findall(lambda node: isinstance(node, nodes.block_quote | nodes.definition_list))
    ]
    lines = [line.strip() for line in docstring.splitlines()]
    opened = [word for line in lines for word in FOREIGN if line == word]
    faults += [f"'{word}' is no section here; write '{FOREIGN[word]}' on its line" for word in opened]
    return faults


def docstrings(item: layering.Public) -> Iterator[tuple[str, str]]:
    """The docstrings of a public name and of its public methods, each with where it stands."""
    where = f"{item.module.name}.{item.name}"
    if item.node is None:
        return
    inside = item.node.body if isinstance(item.node, ast.ClassDef) else []
    methods = [node for node in inside if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    for name, node in [(where, item.node), *((f"{where}.{method.name}", method) for method in methods)]:
        if text := ast.get_docstring(node):
            yield name, text


def ghosts(item: layering.Public) -> list[str]:
    """What the section `Args:` of a function or a class tells of and its signature does not have, or in another order."""
    node = item.node
    if isinstance(node, ast.ClassDef):
        node = next((inner for inner in node.body if getattr(inner, "name", "") == "__init__"), None)
    text = ast.get_docstring(item.node) if item.node else None
    if node is None or not text or "Args:\n" not in text:
        return []
    section = re.split(r"\n(?=\S)", text.partition("Args:\n")[2])[0]
    told = re.findall(r"^    \*{0,2}(\w+)(?: \(.*?\))?:", section, re.MULTILINE)
    given = node.args
    taken = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    known = [argument.arg for argument in taken if argument]
    if strange := [name for name in told if name not in known]:
        return [f"{item.module.name}.{item.name} tells of {', '.join(strange)}, which it does not take"]
    if told != sorted(told, key=known.index):
        return [f"{item.module.name}.{item.name} tells of its arguments in another order than it takes them"]
    return []


PARTS = sorted({module.part for module in layering.modules(ROOT) if module.part[:1].isalpha()})


@pytest.mark.parametrize("part", PARTS)
def test_every_public_docstring_of_the_part_is_valid_markup(part):
    found, _ = layering.public(ROOT)
    here = [item for item in found if item.module.part == part]
    faults = [
        f"{where}: {fault}" for item in here for where, text in docstrings(item) for fault in complaints(text)
    ]
    faults += [fault for item in here for fault in ghosts(item)]
    assert not faults, "\n" + "\n".join(faults)


SOUND = """Bend a line, `y = x * |w|`, until it breaks.

The formula is ::

    y[i] = sum_j x[i, j] * w[j]

Args:
    x: what is bent, `(batch, *rest)`.
    w: how much.

Returns:
    The line.

Input shape:
    `(batch, length)`: or `(batch, n)` with `n = length // 2`.

Example:
    >>> bend(1, 2)
    3

Chapter: layers/convolution.
Paper: doi:10.1/2.
"""


def test_a_docstring_with_every_section_a_formula_and_code_passes():
    assert complaints(SOUND) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("`y = x * |w|`", "y = x*w* |w|"), "Undefined substitution"),
        (("`(batch, *rest)`", "(batch, *rest)"), "emphasis start-string"),
        (("how much", "how_ much"), "Unknown target"),
        (("is ::", "is"), "reads as a quotation"),
        (("Args:", "Arguments:"), "write 'Args:'"),
        (("`x * |w|`", ""), ""),
    ],
    ids=["bar", "star", "underscore", "indentation", "foreign section", "nothing"],
)
def test_markup_that_goes_wrong_is_caught(change, message):
    faults = complaints(SOUND.replace(*change))
    assert any(message in fault for fault in faults) if message else faults == []


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("x, w", None),
        ("*x, w", None),
        ("w, x", "another order"),
        ("w, *x", "another order"),
        ("x", "tells of w, which it does not take"),
    ],
)
def test_arguments_that_a_function_does_not_take_or_takes_in_another_order_are_caught(signature, message):
    tree = ast.parse(f"def bend({signature}):\n    pass")
    function = tree.body[0]
    function.body = [ast.Expr(ast.Constant(SOUND))]
    item = layering.Public(layering.Module("m", "", ROOT, tree), "bend", function, ())
    assert [message in fault for fault in ghosts(item)] == ([True] if message else [])

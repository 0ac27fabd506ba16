"""Show the source of something in the package, so that a chapter never pastes it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any

from cnnkit import _paths
from cnnkit.course import notebook

__all__ = ["source"]


def source(thing: Any, docstring: bool = False) -> None:
    """Show the source of a function, class or module of cnnkit or of a chapter, with the file that it stands in.

    The docstring is left out unless asked for: the chapter has just told what it says.
    """
    code = textwrap.dedent(inspect.getsource(thing))
    if not docstring:
        code = _without_docstrings(code)
    where = _paths.shown(Path(inspect.getsourcefile(inspect.unwrap(thing)) or ""))
    notebook.show(
        {
            "text/markdown": f"`{where}`\n\n```python\n{code.rstrip()}\n```",
            "text/plain": f"# {where}\n{code.rstrip()}",
        }
    )


def _without_docstrings(code: str) -> str:
    lines = code.splitlines()
    drop: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) or len(node.body) < 2:
            continue
        first = node.body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            drop.update(range(first.lineno - 1, first.end_lineno or first.lineno))
            if (first.end_lineno or 0) < len(lines) and not lines[first.end_lineno].strip():
                drop.add(first.end_lineno)
    return "\n".join(line for number, line in enumerate(lines) if number not in drop)

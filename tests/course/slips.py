"""Every solution with one operator wrong: what `tests/mutants.py` does to the package, and more, done to exercises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from cnnkit.course import checking
from cnnkit.course.exercises import Exercise
from tests import mutants

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
NAMES = [
    ("min", "max"), ("argmin", "argmax"), ("minimum", "maximum"), ("any", "all"), ("floor", "ceil"),
    ("zeros", "ones"), ("zeros_like", "ones_like"), ("sum", "mean"), ("sum", "prod"), ("var", "std"), ("mean", "median"),
    ("sin", "cos"), ("row", "column"), ("rows", "columns"), ("vstack", "hstack"),
]  # fmt: skip
OTHER = {a: b for pair in NAMES for a, b in (pair, pair[::-1])}
DROPPED = (
    "abs",
    "sqrt",
    "exp",
    "log",
    "sign",
    "square",
    "sorted",
    "round",
    "int",
    "floor",
    "ceil",
    "reversed",
)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What `mutants.changes` makes of a node, every other operator, numbers less one, names of functions exchanged."""
    yield from mutants.changes(node)
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ARITHMETIC):
        for operator in ARITHMETIC:
            if operator not in (type(node.op), mutants.EXCHANGED[type(node.op)]):
                yield mutants._with(node, op=operator())
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in ORDER if isinstance(operator, ORDER) else ():
                if other not in (type(operator), mutants.EXCHANGED[type(operator)]):
                    yield mutants._with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Attribute) and node.attr in OTHER:
        yield mutants._with(node, attr=OTHER[node.attr])
    elif isinstance(node, ast.Name) and node.id in OTHER and isinstance(node.ctx, ast.Load):
        yield mutants._with(node, id=OTHER[node.id])
    elif isinstance(node, ast.Call) and _name(node.func) in DROPPED and node.args:
        yield node.args[0]


def slips(task: Exercise) -> Iterator[tuple[str, str]]:
    """Each slip in a solution: its line as Python writes it, and the whole of the source."""
    tree = ast.parse(task.text)
    before = ast.unparse(tree).splitlines()
    seen = {ast.unparse(tree)}
    for parent, field, place, node in list(mutants._places(tree)):
        for changed in changes(node):
            kept = getattr(parent, field)
            setattr(parent, field, changed if place is None else [*kept[:place], changed, *kept[place + 1 :]])
            source = ast.unparse(ast.fix_missing_locations(tree))
            setattr(parent, field, kept)
            if source not in seen:
                seen.add(source)
                after = source.splitlines()
                yield " ".join(b.strip() for a, b in zip(before, after, strict=False) if a != b), source


def survivors(task: Exercise, seconds: float = 0.5) -> list[str]:
    """The lines of the slips that `check` accepts."""
    found = []
    for line, source in slips(task):
        space: dict[str, Any] = dict(task.solution.__globals__)
        try:
            exec(source, space)
            answer = space[task.name if task.asks_for_a_value else task.solution.__name__]
        except Exception:  # a default, or a value, that cannot even be computed
            continue
        if checking._verdict(task, answer) == "✓ correct.":
            found.append(line)
    return found


def _name(function: ast.AST) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))

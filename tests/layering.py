"""Checks of the package as text: who imports whom, and what every public name must carry.

Each check takes the folder that holds the package and returns one sentence for each fault, so that a test can
run it on the real package and on one with a planted fault. Nothing is imported: the source is parsed.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

GROUND = {"scratch", "data", "gradients"}
#: What each part may import; `_names`, `_paths` and other private modules are open to all and import no part.
MAY_IMPORT: dict[str, set[str]] = {
    "scratch": set(),
    "data": set(),
    "gradients": set(),
    "layers": GROUND,
    "origins": GROUND | {"layers"},
    "models": GROUND | {"layers"},
    "training": GROUND | {"layers"},
    "trials": GROUND | {"training"},
    "insight": GROUND | {"layers"},
    "deploy": GROUND | {"layers"},
    "tasks": GROUND | {"layers", "models", "training", "insight"},
}
MAY_IMPORT["course"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)
WITHOUT_KERAS = {"scratch", "data"}
WITHOUT_ARCHITECTURES = {"training", "trials", "insight", "deploy"}
BACKENDS = {"tensorflow", "jax", "torch"}
ASKS = {"keras.backend.backend", "keras.config.backend"}
#: Derivatives, and what concerns devices: all else speaks Keras.
KNOW_THE_BACKEND = ("cnnkit.gradients", "cnnkit.training.backends")
_KNOWING = " and ".join(f"{name.replace('.', '/')}.py" for name in KNOW_THE_BACKEND)
#: What no chapter teaches: it carries the others, and names none.
INFRASTRUCTURE = {
    "cnnkit.cli",
    "cnnkit.course",
    "cnnkit.data.cards",
    "cnnkit.data.download",
    "cnnkit.data.records",
    "cnnkit.data.registry",
    "cnnkit.gradients",
    "cnnkit.layers.registry",
    "cnnkit.models.cards",
    "cnnkit.models.making",
    "cnnkit.models.preprocessing",
    "cnnkit.models.registry",
    "cnnkit.models.requests",
    "cnnkit.models.twins",
    "cnnkit.models.valueless",
    "cnnkit.training.checkpoints",
    "cnnkit.training.examples",
    "cnnkit.training.nans",
    "cnnkit.trials",
}
MOST_LINES = 500

# Methods that Keras calls: what they do is written once, in Keras.
KERAS_METHODS = {
    "build", "call", "compute_mask", "compute_output_shape", "compute_output_spec",
    "from_config", "get_config",
}  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its part (the first name under the package) and its syntax tree."""

    name: str
    part: str
    path: Path
    tree: ast.Module


def modules(root: Path) -> list[Module]:
    """Every module of the package `cnnkit` under a folder."""
    found = []
    for path in sorted((root / "cnnkit").rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        part = parts[1] if len(parts) > 1 else ""
        found.append(Module(".".join(parts), part, path, ast.parse(path.read_text("utf-8"))))
    return found


def imported(module: Module) -> Iterator[tuple[int, str]]:
    """The dotted names that a module imports, wherever in it, with their lines; relative ones resolved."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`keras.backend.backend` of such an attribute chain; empty for anything else."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


def wrong_imports(root: Path) -> list[str]:
    """Imports that climb: a part that names one above it, or a backend where none may be named."""
    faults = []
    for module in modules(root):
        at = module.path.relative_to(root)
        for line, name in imported(module):
            top, _, rest = name.partition(".")
            part = rest.split(".")[0]
            if top in BACKENDS and module.name not in KNOW_THE_BACKEND:
                faults.append(f"{at}:{line} imports {top}; only {_KNOWING} may name a backend")
            if name in ASKS and module.name not in KNOW_THE_BACKEND:
                faults.append(f"{at}:{line} asks which backend runs; only {_KNOWING} may")
            if module.part in WITHOUT_ARCHITECTURES and name.startswith("keras.applications"):
                faults.append(f"{at}:{line} names an architecture; {module.part} takes any Keras model")
            if top == "keras" and module.part in WITHOUT_KERAS:
                faults.append(f"{at}:{line} imports keras; {module.part} stands on NumPy alone")
            if top != "cnnkit" or part == module.part or part.startswith("_") or part == "":
                continue
            if module.part.startswith("_") or module.part == "":
                if part in MAY_IMPORT:
                    faults.append(f"{at}:{line} imports cnnkit.{part}; it is open to all and imports no part")
            elif module.part not in MAY_IMPORT:
                faults.append(
                    f"{at} is in a part that tests/layering.py does not know; give it a place there"
                )
            elif part in MAY_IMPORT and part not in MAY_IMPORT[module.part]:
                faults.append(f"{at}:{line} imports cnnkit.{part}; {module.part} may not")
        for node in ast.walk(module.tree):
            name = dotted(node)
            if name in ASKS and module.name not in KNOW_THE_BACKEND:
                faults.append(f"{at}:{node.lineno} asks which backend runs; only {_KNOWING} may")
            if module.part in WITHOUT_ARCHITECTURES and name == "keras.applications":
                faults.append(
                    f"{at}:{node.lineno} names an architecture; {module.part} takes any Keras model"
                )
    return faults


def circles(root: Path) -> list[str]:
    """Modules that import each other, also through others, and also where an import inside a function hides it."""
    everything = {module.name: module for module in modules(root)}

    def meant(name: str) -> str:
        while name not in everything and "." in name:
            name = name.rpartition(".")[0]
        return name

    reached = {
        module.name: {meant(name) for _, name in imported(module)} & set(everything) - {module.name}
        for module in everything.values()
    }
    for _ in range(len(reached)):  # until nothing new is reached
        further = {name: near.union(*(reached[other] for other in near)) for name, near in reached.items()}
        if further == reached:
            break
        reached = further
    rings = {
        frozenset(other for other in reached[name] if name in reached[other]) | {name}
        for name in reached
        if name in reached[name]
    }
    return [f"{' and '.join(sorted(ring))} import each other" for ring in sorted(rings, key=sorted)]


def long_files(root: Path) -> list[str]:
    """Files of more than 500 lines: two ideas in one."""
    faults = []
    for folder, endings in (("cnnkit", ".py .js .css .html"), ("tests", ".py"), ("book", ".py .js .css")):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in endings.split() and path.is_file():
                count = len(path.read_text("utf-8").splitlines())
                if count > MOST_LINES:
                    faults.append(
                        f"{path.relative_to(root)} has {count} lines; split it, {MOST_LINES} is the most"
                    )
    return faults


@dataclass(frozen=True)
class Public:
    """A public name where it is defined: the module, its node in the tree, and the chapters that it names."""

    module: Module
    name: str
    node: ast.FunctionDef | ast.ClassDef | None
    chapters: tuple[str, ...]

    @property
    def is_infrastructure(self) -> bool:
        """Whether it stands in a module that no chapter teaches."""
        return any(f"{self.module.name}.".startswith(f"{name}.") for name in INFRASTRUCTURE)


def exported(module: Module) -> list[str] | None:
    """The strings of a module's `__all__`; None where there is no such list."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return [
                item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant) and item.value
            ]
    return None


def said(module: Module, node: ast.FunctionDef | ast.ClassDef, word: str) -> tuple[str, ...]:
    """What an object says after a word such as `Chapter:`: in its docstring, and in the decorator that registers it.

    A decorator that does not say it may pass it on: `@register("lenet5", LENET)` has the chapter of `LENET`.
    """
    calls = {
        target.id: statement.value
        for statement in module.tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    named = re.findall(rf"^\s*{word}: (.+?)\.?$", ast.get_docstring(node) or "", re.MULTILINE)
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            passed_on = [calls[name.id] for name in decorator.args if getattr(name, "id", None) in calls]
            in_turn = (keyword(call, word.lower()) for call in [decorator, *passed_on])
            named += [value for value in in_turn if value is not None][:1]
    return tuple(named)


def keyword(call: ast.Call, name: str) -> str | None:
    """The text that a call is given by this keyword."""
    return next(
        (
            item.value.value
            for item in call.keywords
            if item.arg == name and isinstance(item.value, ast.Constant)
        ),
        None,
    )


def public(root: Path) -> tuple[list[Public], list[str]]:
    """Every public name at the place of its definition, and the faults in the lists themselves."""
    found, faults = [], []
    everything = {module.name: module for module in modules(root)}
    for module in everything.values():
        at = module.path.relative_to(root)
        names = exported(module)
        if module.path.stem.startswith("_") and module.path.stem != "__init__":
            continue
        if names is None:
            if module.path.stem != "__init__" or len(module.tree.body) > 1:
                faults.append(f"{at} has no __all__")
            continue
        defined: dict[str, ast.FunctionDef | ast.ClassDef | None] = {}
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                defined |= {target.id: None for target in targets if isinstance(target, ast.Name)}
        origin = {}
        for _, name in imported(module):
            source, _, last = name.rpartition(".")
            origin[last] = source
        for name in names:
            if name in defined:
                node = defined[name]
                found.append(Public(module, name, node, said(module, node, "Chapter") if node else ()))
            elif name in origin:
                source = everything.get(origin[name])
                known = source is None or f"{origin[name]}.{name}" in everything
                if not known and name not in (exported(source) or []):
                    faults.append(f"{at} passes on {name}, which {origin[name]} does not list in __all__")
            elif module.name != "cnnkit":  # there the parts load when they are touched
                faults.append(f"{at} lists {name} in __all__ and does not define it")
    return found, faults


def unannotated(function: ast.FunctionDef, method: bool) -> list[str]:
    """The parameters of a function that have no type, and `return` when it says nothing of its result."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    static = any(dotted(decorator) == "staticmethod" for decorator in function.decorator_list)
    if method and not static:
        named = named[1:]
    named += [*arguments.kwonlyargs, *filter(None, (arguments.vararg, arguments.kwarg))]
    missing = [argument.arg for argument in named if argument.annotation is None]
    return missing + (["return"] if function.returns is None and function.name != "__init__" else [])


def inherited_words(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    """The methods that a class of the package above this one explains already."""
    told = set()
    for base in (classes.get(dotted(base).rpartition(".")[2]) for base in node.bases):
        if base is not None and base is not node:
            methods = (method for method in base.body if isinstance(method, ast.FunctionDef))
            told |= {method.name for method in methods if ast.get_docstring(method)}
            told |= inherited_words(base, classes)
    return told


def poor_names(root: Path) -> list[str]:
    """Public names without a docstring, a type or a chapter of the plan."""
    found, faults = public(root)
    chapters = plan(root)
    every_node = (node for module in modules(root) for node in module.tree.body)
    classes = {node.name: node for node in every_node if isinstance(node, ast.ClassDef)}
    for item in found:
        if item.node is None:
            continue
        where = f"{item.module.name}.{item.name}"
        if not ast.get_docstring(item.node):
            faults.append(f"{where} has no docstring")
        if item.is_infrastructure and item.chapters:
            faults.append(f"{where} names a chapter, and stands where none is taught; leave it out")
        elif not item.is_infrastructure and len(item.chapters) != 1:
            faults.append(
                f"{where} must name one chapter, once ('Chapter: layers/convolution.', or in the decorator), "
                f"not {len(item.chapters)}"
            )
        if (papers := len(said(item.module, item.node, "Paper"))) > 1:
            faults.append(f"{where} names its paper {papers} times; once is enough")
        faults += [
            f"{where} names {name}, no chapter of the plan" for name in sorted({*item.chapters} - chapters)
        ]
        functions = [item.node] if isinstance(item.node, ast.FunctionDef) else []
        if isinstance(item.node, ast.ClassDef):
            functions = [
                node
                for node in item.node.body
                if isinstance(node, ast.FunctionDef) and (node.name == "__init__" or node.name[0] != "_")
            ]
            told = KERAS_METHODS | {"__init__"} | inherited_words(item.node, classes)
            faults += [
                f"{where}.{node.name} has no docstring"
                for node in functions
                if node.name not in told and not ast.get_docstring(node)
            ]
        for node in functions:
            missing = unannotated(node, method=isinstance(item.node, ast.ClassDef))
            if missing:
                faults.append(f"{where}: {node.name} leaves {', '.join(missing)} without a type")
    return faults


def plan(root: Path) -> set[str]:
    """The chapters of the book's plan, as `layers/convolution`: those that the ledger speaks of."""
    with (root / "data" / "ledger.csv").open(encoding="utf-8", newline="") as file:
        return {row["chapter"] for row in csv.DictReader(file)}


def extends(notebook: Path) -> list[str] | None:
    """The modules in the row `Extends` of a chapter's opening card; None where the card has no such row."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            return None
        row = re.search(r"^\|\s*\**Extends\**\s*\|(.*)\|\s*$", "".join(cell["source"]), re.MULTILINE)
        if row:
            return re.findall(r"`(cnnkit[\w.]*)`", row[1])
    return None


def wrong_cards(root: Path) -> list[str]:
    """Chapters whose card and the docstrings of the package tell different stories."""
    faults = []
    found, _ = public(root)
    known = plan(root)
    for notebook in sorted((root / "chapters").rglob("*.ipynb")):
        chapter = notebook.relative_to(root / "chapters").with_suffix("").as_posix()
        if chapter.startswith(".") or "/." in chapter:
            continue
        if chapter not in known:
            faults.append(f"{chapter} is no chapter of the plan")
        named = extends(notebook)
        if not named:
            faults.append(f"the card of {chapter} names no module in its row 'Extends'")
            continue
        claiming = {item.module.name for item in found if chapter in item.chapters}
        carrying = {item.module.name for item in found if item.is_infrastructure}
        for name in named:
            if not any(module == name or module.startswith(name + ".") for module in claiming | carrying):
                faults.append(
                    f"{chapter} says it extends {name}, but no public name there names this chapter"
                )
        for module in sorted(claiming):
            if not any(module == name or module.startswith(name + ".") for name in named):
                faults.append(f"{module} has a name that is taught in {chapter}, whose card does not list it")
    return faults

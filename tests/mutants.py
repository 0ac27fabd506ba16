"""Break the package on purpose, one operator at a time, and see whether its tests notice.

`python tests/mutants.py cnnkit/insight --number 40` draws 40 mutants of the named files or folders: a comparison
turned, an operator exchanged, a number moved by one, a condition denied, a default taken away.  Each is written into
a copy of the checkout, and the quick tests of its file run there until the first one fails.  A mutant that no test
kills is printed with its difference: a test is missing there, or the mutant means the same as the original.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import copy
import dataclasses
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("cnnkit/layers", "cnnkit/scratch", "cnnkit/insight", "cnnkit/models")
#: An oracle is seen wrong by what it judges.
LEANING = {"scratch": ("tests/layers", "tests/origins")}
SIGNATURES = "tests/test_signatures.py"  # sees every default
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "_build", "__pycache__", ".pytest_cache", ".ruff_cache", "node_modules"
)

EXCHANGED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file: the number of the change among all that the file allows."""

    path: Path
    line: int
    number: int

    @property
    def source(self) -> str:
        """The file with the change in it, as `ast` writes it."""
        tree = ast.parse((ROOT / self.path).read_text("utf-8"))
        for number, _ in enumerate(_changed(tree)):
            if number == self.number:
                return ast.unparse(ast.fix_missing_locations(tree))
        raise LookupError(f"{self.path} has no change number {self.number}")

    def difference(self) -> str:
        """What changed, in the words of `diff`."""
        before = ast.unparse(ast.parse((ROOT / self.path).read_text("utf-8"))).splitlines()
        lines = difflib.unified_diff(before, self.source.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node as it could be with one operator, number or condition in it exchanged."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in EXCHANGED:
        if not isinstance(node, ast.BinOp) or not _is_text(node):
            yield _with(node, op=EXCHANGED[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if type(operator) in EXCHANGED:
                yield _with(
                    node, ops=[*node.ops[:place], EXCHANGED[type(operator)](), *node.ops[place + 1 :]]
                )
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        yield ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _with(node, value=ast.Constant(None))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.JoinedStr) or isinstance(getattr(part, "value", None), str)
        for part in ast.walk(node)
    )


def mutants(path: Path) -> list[Mutant]:
    """Every mutant of a file; annotations, messages of errors and docstrings stay as they are."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return [Mutant(path, line, number) for number, line in enumerate(_changed(tree))]


def _changed(tree: ast.Module) -> Iterator[int]:
    """Make each change in the tree in turn, yield its line while it is made, and take it back."""
    for parent, field, place, node in list(_places(tree)):
        for changed in changes(node):
            before = getattr(parent, field)
            setattr(
                parent, field, changed if place is None else [*before[:place], changed, *before[place + 1 :]]
            )
            yield node.lineno
            setattr(parent, field, before)


def _places(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list", "type_comment") or isinstance(
            parent, ast.Raise | ast.JoinedStr
        ):
            continue
        for place, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST):
                if hasattr(node, "lineno"):
                    yield parent, field, place, node
                yield from _places(node)


def tests_of(path: Path, root: Path = ROOT) -> list[str]:
    """The tests that stand for a file: those of its own name first, then those of its part, then others that lean on it."""
    part = path.parts[1]
    own = f"tests/{part}/test_{path.stem.lstrip('_')}.py"
    wanted = (SIGNATURES, own, f"tests/{part}", *LEANING.get(part, ()))
    return [name for name in wanted if (root / name).exists()] or ["tests"]


def outcome(root: Path, tests: list[str], limit: float) -> tuple[bool, str]:
    """Whether a test of a copy fails, and which; what runs for ever fails too."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-m", "not slow and not browser"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(root / ".cache"),
    }
    process = subprocess.Popen(
        [*command, "-p", "no:cacheprovider", *tests],
        cwd=root,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        out, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True, f"still running after {limit:.0f} s"
    if process.returncode not in (0, 1, 2):  # 1: a test failed; 2: it could not even be collected
        raise RuntimeError(f"pytest could not run {' '.join(tests)}:\n{out}")
    told = [line for line in out.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return process.returncode != 0, (told or out.splitlines() or [""])[-1][:150]


def killed(mutant: Mutant, copies: list[Path], lock: threading.Lock, limit: float) -> tuple[bool, str, float]:
    """Whether a test fails, which, and after how many seconds."""
    with lock:
        root = copies.pop()
    start, original = time.monotonic(), (root / mutant.path).read_text("utf-8")
    try:
        (root / mutant.path).write_text(mutant.source, "utf-8")
        return *outcome(root, tests_of(mutant.path, root), limit), time.monotonic() - start
    finally:
        (root / mutant.path).write_text(original, "utf-8")
        with lock:
            copies.append(root)


def main() -> int:
    """Draw, run and report; the exit status is 1 where fewer are killed than asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "files", nargs="*", default=FOLDERS, help="files or folders; by default the four that compute"
    )
    parser.add_argument("--number", type=int, default=40, help="how many mutants to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument(
        "--limit", type=float, default=600, metavar="SECONDS", help="for the tests of one mutant"
    )
    parser.add_argument("--share", type=float, default=0.9, help="how many must be killed")
    parser.add_argument("--list", action="store_true", help="only show what would be tried")
    options = parser.parse_args()
    paths = [ROOT / name for name in options.files]
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))})
    known = [mutant for file in files for mutant in mutants(file.relative_to(ROOT))]
    drawn = random.Random(options.seed).sample(known, min(options.number, len(known)))
    print(
        f"{len(known)} mutants of {len(files)} files; {len(drawn)} drawn with seed {options.seed}", flush=True
    )
    if options.list:
        print(*(f"{mutant.path}:{mutant.line}\n{mutant.difference()}" for mutant in drawn), sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        copies = [
            Path(shutil.copytree(ROOT, Path(folder) / str(job), ignore=LEFT_OUT))
            for job in range(options.jobs)
        ]
        for part in sorted({part for mutant in drawn for part in tests_of(mutant.path)}):
            fails, told = outcome(copies[0], [part], 10 * options.limit)
            if fails:
                parser.error(
                    f"the tests of {part} fail without any mutant, so that they could kill none: {told}"
                )
        lock, survivors = threading.Lock(), []
        running = {pool.submit(killed, mutant, copies, lock, options.limit): mutant for mutant in drawn}
        for number, future in enumerate(concurrent.futures.as_completed(running), start=1):
            mutant, (dead, told, seconds) = running[future], future.result()
            print(
                f"{number:>3} {'killed  ' if dead else 'SURVIVED'} {mutant.path}:{mutant.line} {seconds:.0f} s  {told}",
                flush=True,
            )
            if not dead:
                survivors.append(mutant)
                print(mutant.difference(), flush=True)
    dead = len(drawn) - len(survivors)
    print(
        f"\nkilled: {dead} of {len(drawn)}; survived: {', '.join(f'{m.path}:{m.line}' for m in survivors) or 'none'}"
    )
    return int(dead < options.share * len(drawn))


if __name__ == "__main__":
    sys.exit(main())

"""What an exercise is: a real function that solves it, and below it the wrong answers that readers give."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

__all__ = ["Case", "Cases", "Equivalent", "Exercise", "Inputs", "Mistake", "solves"]

#: What a function is tried on, one tuple of arguments after the other.
Inputs = Sequence[tuple[Any, ...]]
#: The same from a generator that names each: `yield "all zeros", (np.zeros(3),)`.
Cases = Iterator[tuple[str, tuple[Any, ...]]]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Case:
    """One hidden input: the arguments, and what they are called where they are a corner (`all zeros`)."""

    arguments: tuple[Any, ...]
    name: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that readers give, a function or a value as the right one is, and what to tell them."""

    answer: Any
    message: str


@dataclass(frozen=True)
class Equivalent:
    """A slip of one operator in the solution that changes no answer: how its line then reads, and why it may."""

    line: str
    why: str


@dataclass
class Exercise:
    """A task with its solution, hidden inputs, hints, and the mistakes that it recognises.

    Where `inputs` is None, the task asks for a value, and the solution is a function without arguments that returns
    it. Otherwise it asks for a function, and `inputs` lists the arguments that it is tried on, or makes that list: a
    function without arguments returns it, one of a random generator (`rng`) yields each with a name.
    """

    id: str
    title: str
    task: str
    solution: Callable[..., Any]
    hints: tuple[str, ...] = ()
    inputs: Inputs | Callable[[], Inputs] | Callable[[np.random.Generator], Cases] | None = None
    name: str = "answer"
    tolerance: float = 1e-6
    mistakes: list[Mistake] = field(default_factory=list)
    equivalents: list[Equivalent] = field(default_factory=list)

    def __call__(self, *arguments: Any) -> Any:
        """The right answer, to these arguments or as a value."""
        return self.solution(*arguments)

    def mistake(self, message: str) -> Callable[[_F], _F]:
        """Decorate a function that readers write instead, with what to tell them."""

        def keep(function: _F) -> _F:
            self.wrong(function, message)
            return function

        return keep

    def wrong(self, answer: Any, message: str) -> None:
        """Keep a value that readers give instead, with what to tell them."""
        self.mistakes.append(Mistake(answer, message))

    def equivalent(self, line: str, why: str) -> None:
        """Keep a slip that gives the right answer all the same, as Python writes the changed line, and the reason."""
        self.equivalents.append(Equivalent(line, why))

    def cases(self) -> list[Case]:
        """The hidden inputs, made now where they are given as a function; the same at each call."""
        if not callable(self.inputs):
            return [Case(arguments) for arguments in self.inputs or ()]
        if not inspect.signature(self.inputs).parameters:
            return [Case(arguments) for arguments in self.inputs()]
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [Case(arguments, name) for name, arguments in self.inputs(rng)]

    def arguments(self) -> Inputs:
        """The arguments of each hidden input."""
        return [case.arguments for case in self.cases()]

    @property
    def asks_for_a_value(self) -> bool:
        """Whether the answer is a value rather than a function."""
        return self.inputs is None

    @property
    def stub(self) -> str:
        """The cell that a reader begins with."""
        return f"{self.name} = ..." if self.asks_for_a_value else f"{self._header()}\n    return ..."

    @property
    def text(self) -> str:
        """The solution as a reader would write it: without its decorator and its types."""
        source, function = self._source()
        above = function.returns.end_lineno if function.returns else function.body[0].lineno - 1
        body = "\n".join(source.splitlines()[above:])
        if self.asks_for_a_value:
            return re.sub(r"^return\b", f"{self.name} =", textwrap.dedent(body), flags=re.MULTILINE)
        return f"{self._header()}\n{body}"

    def _header(self) -> str:
        source, function = self._source()
        names = [argument.arg for argument in function.args.args]
        defaults = [f"={ast.get_source_segment(source, default)}" for default in function.args.defaults]
        plain = [""] * (len(names) - len(defaults))
        shown = ", ".join(name + default for name, default in zip(names, plain + defaults, strict=True))
        return f"def {function.name}({shown}):"

    def _source(self) -> tuple[str, ast.FunctionDef]:
        source = textwrap.dedent(inspect.getsource(self.solution))
        return source, ast.parse(source).body[0]


def solves(
    id: str,
    *,
    title: str,
    task: str,
    hints: tuple[str, ...],
    inputs: Inputs | Callable[[], Inputs] | Callable[[np.random.Generator], Cases] | None = None,
    name: str = "answer",
    tolerance: float = 1e-6,
) -> Callable[[Callable[..., Any]], Exercise]:
    """Make an exercise of the function below, which solves it; its mistakes follow.

    Args:
        id: what the notebook calls it by: `exercise("square")`, `check("square", square)`.
        title: its heading.
        task: what to do, with one worked example.
        hints: what helps, the gentlest first.
        inputs: the arguments that a function is tried on, or a function that makes their list, or, best, a generator
            function `cases(rng)` that yields pairs of a name and the arguments, the corners among them; None for a
            value.
        name: what a value is assigned to in the reader's cell.
        tolerance: how far an answer may lie from the right one, relative and absolute.

    Returns:
        The decorator, which leaves the `Exercise` in the function's place.

    Example:
        >>> @solves("square", title="Build", task="Square x.", hints=("Twice is another thing.",), inputs=[(3,)])
        ... def square(x: float) -> float:
        ...     return x * x
        >>> @square.mistake("you doubled.")
        ... def _(x: float) -> float:
        ...     return 2 * x
        >>> print(square.stub)
        def square(x):
            return ...
    """

    def make(solution: Callable[..., Any]) -> Exercise:
        return Exercise(id, title, task, solution, hints, inputs, name, tolerance)

    return make

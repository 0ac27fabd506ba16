"""One run to be made, and what whoever makes it needs to know of the trial that asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from cnnkit.trials.learners import Arm, Outcome
from cnnkit.trials.scores import Score
from cnnkit.trials.table import Row

__all__ = ["Described", "Task"]


@dataclass(frozen=True)
class Task:
    """One run to be made: what for, which arm, at which rate, from which seed, for how many epochs."""

    kind: str
    arm: str
    rate: float | None
    seed: int
    epochs: int


@runtime_checkable
class Described(Protocol):
    """A trial as its rows, its verdicts and its workers see it; `Trial` is the one there is."""

    name: str
    arms: Mapping[str, Arm]
    score: Score | None
    settle: bool
    script: Path | None

    def next_tasks(self, rows: Sequence[Row]) -> list[Task]:
        """What is to be run next, after these rows."""

    def settings(self) -> dict[str, str]:
        """What each arm's rows were made with, as a digest."""

    def outcome(self, task: Task) -> Outcome:
        """Run one task, here and now."""

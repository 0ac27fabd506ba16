"""A trial: arms that differ in one thing, given the same rates, seeds and budget, and run until they have settled."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnkit import _paths
from cnnkit._names import unknown
from cnnkit.trials import rules
from cnnkit.trials.errors import TrialError
from cnnkit.trials.learners import (
    Arm,
    Learner,
    Outcome,
    Training,
    check_arm,
    code,
    fingerprint,
    run,
    settings,
)
from cnnkit.trials.race import Race
from cnnkit.trials.rivals import LINEAR, NEAREST, TRIVIAL, default_score, usual
from cnnkit.trials.scores import Score
from cnnkit.trials.splits import Split
from cnnkit.trials.table import Row, Table, about
from cnnkit.trials.tasks import Task
from cnnkit.trials.workers import perform

__all__ = ["Trial", "trial"]

#: The seeds that choose the rate; those of the verdict count from 0, so that no run serves both.
SEARCH_SEEDS = (1000, 1001)
TRIALS_FILE = "_trials.py"


@dataclass(frozen=True)
class Trial:
    """What `trial` describes; `run` runs it, `race` reads what its table holds.

    The arguments are those of `trial`.
    """

    name: str
    arms: Mapping[str, Arm]
    data: Split
    rates: tuple[float, ...]
    seeds: int
    training: Training
    score: Score | None
    rivals: Mapping[str, Learner]
    settle: bool
    doublings: int
    widenings: int
    path: Path
    script: Path | None = field(default=None)

    @property
    def measure(self) -> Score:
        """What the outputs are judged by."""
        return self.score or default_score(self.data)

    def settings(self) -> dict[str, str]:
        """For each arm and rival twelve letters that change when it, the data, the score or the recipe does."""
        shared = {
            "data": self.data.digest,
            "score": [self.measure.name, code(self.measure.measure)],
        }
        recipe = {**shared, "training": settings(self.training), "rates": self.rates}
        told = {name: {**recipe, "arm": fingerprint(arm)} for name, arm in self.arms.items()}
        told |= {
            name: {**shared, "rival": fingerprint(rival)}
            for name, rival in {**usual(self.data), **self.rivals}.items()
        }
        return {
            name: hashlib.sha256(json.dumps(one, sort_keys=True, default=str).encode()).hexdigest()[:12]
            for name, one in told.items()
        }

    def run(self, jobs: int = 2, fresh: bool = False, progress: bool = True) -> Race:
        """Run what the table does not hold yet, and return the race.

        Rows run `jobs` at a time, each on one thread in a process of its own; a trial that is described in a notebook
        rather than in a `_trials.py` runs in this process.

        Args:
            jobs: how many rows at a time.
            fresh: put an existing table aside, as `NAME.csv.old`, and begin again.
            progress: show a bar with the time left.
        """
        for name, arm in self.arms.items():
            check_arm(name, arm, self.data, self.training)
        told, now = self.settings(), about()
        table = Table(self.path, read=not fresh)
        with table.locked(fresh):
            table.demand(told, now["versions"])
            self._rivals(table, told, now)
            perform(self, table, jobs, progress, lambda task, outcome: self._row(task, outcome, told, now))
            table.tidy()
        return self.race()

    def race(self) -> Race:
        """What the table holds so far."""
        rows = Table(self.path).rows
        if not rows:
            raise TrialError(f"trial '{self.name}' has no table at {self.path} yet; run it first")
        return Race(rows, self)

    def next_tasks(self, rows: Sequence[Row]) -> list[Task]:
        """What is to be run next, after these rows; nothing when the trial is finished."""
        tasks = []
        for name, arm in self.arms.items():
            tasks += [Task(*task) for task in self._next(name, arm, [row for row in rows if row.arm == name])]
        done = {row.task for row in rows}
        return [task for task in tasks if (task.arm, task.rate, task.seed, task.epochs) not in done]

    def outcome(self, task: Task) -> Outcome:
        """Run one task, here and now."""
        return run(
            self.arms[task.arm], self.data, self.measure, self.training, task.rate, task.seed, task.epochs
        )

    def _next(self, name: str, arm: Arm, rows: list[Row]) -> list[tuple]:
        epochs, rate = self.training.epochs, None
        if not isinstance(arm, Learner) or arm.has_rate:
            search = [row for row in rows if row.kind == "search"]
            missing = set(rules.grid(self.rates, search, self.widenings)) - {row.rate for row in search}
            incomplete = {r for r in {row.rate for row in search} if sum(row.rate == r for row in search) < 2}
            if missing or incomplete:
                return [
                    ("search", name, r, seed, epochs)
                    for r in sorted(missing | incomplete)
                    for seed in SEARCH_SEEDS
                ]
            rate = rules.best_rate(search)
        budgets = [epochs]
        if self.settle and (not isinstance(arm, Learner) or arm.has_budget):
            budgets.append(2 * epochs)
            judged = [row for row in rows if row.kind in ("verdict", "doubled") and row.rate == rate]
            while (
                len(budgets) <= self.doublings
                and all(sum(row.epochs == b for row in judged) >= self.seeds for b in budgets)
                and rules.moved(judged, budgets[-2], budgets[-1])
            ):
                budgets.append(2 * budgets[-1])
        return [
            ("doubled" if budget > epochs else "verdict", name, rate, seed, budget)
            for budget in budgets
            for seed in range(self.seeds)
        ]

    def _row(self, task: Task, outcome: Outcome, told: dict[str, str], now: dict[str, str]) -> Row:
        script, root = self.script or Path(), _paths.chapters()
        script = script.relative_to(root) if script.is_relative_to(root) else script
        return Row(
            trial=self.name, settings=told[task.arm], kind=task.kind, arm=task.arm, rate=task.rate, seed=task.seed,
            epochs=task.epochs, steps=outcome.steps, train=round(outcome.train, 6),
            validation=round(outcome.validation, 6), test=round(outcome.test, 6), loss=round(outcome.loss, 6),
            seconds=round(outcome.seconds, 2), status=outcome.status, score=self.measure.name, scale=self.measure.scale,
            unit=self.measure.unit, examples="/".join(map(str, self.data.sizes.values())), script=script.as_posix() if self.script else "", **now,
        )  # fmt: skip

    def _rivals(self, table: Table, told: dict[str, str], now: dict[str, str]) -> None:
        known = {row.arm for row in table.rows if row.kind == "rival"}
        for name, rival in {**usual(self.data), **self.rivals}.items():
            if name not in known:
                outcome = run(rival, self.data, self.measure, Training(epochs=1), None, 0, 1)
                table.add(self._row(Task("rival", name, None, 0, 0), outcome, told, now))


def trial(
    name: str,
    arms: Mapping[str, Arm],
    data: Split,
    rates: Iterable[float] = (1e-3, 3e-3, 1e-2, 3e-2),
    seeds: int = 5,
    training: Training = Training(),  # noqa: B008 - it is frozen
    score: Score | None = None,
    rivals: Mapping[str, Learner] | None = None,
    settle: bool = True,
    doublings: int = 3,
    widenings: int = 3,
    folder: str | Path | None = None,
) -> Trial:
    """Describe a fair comparison. Nothing runs yet: `run()`, or `cnnkit trial run NAME`, does that.

    Every arm gets the same rates, each tried with two seeds and chosen on the validation part; the grid widens while the
    best lies at its edge. Other seeds then give the verdict at each arm's own best rate, and the budget is doubled until
    doubling it no longer moves an arm's training and validation scores by more than its seeds differ.

    Args:
        name: of the trial and of its table, `NAME.csv`.
        arms: what is compared, by name: functions `seed -> keras.Model`, or `Learner` pairs.
        data: the parts, from `split`.
        rates: learning rates in rising order, evenly spaced by ratio.
        seeds: how many the verdict rests on; it takes five.
        training: the recipe, one for all arms.
        score: what counts; accuracy for classes and explained variance for numbers by default.
        rivals: what the task adds to the usual rivals (`usual`), by name.
        settle: False where the question is about a fixed budget: nothing is doubled, and verdicts say "after 300 steps".
        doublings: how often the budget may be doubled before an arm is left unsettled.
        widenings: how many rates may be added on each side of the grid.
        folder: where the table lies; `data/results` of the project for its own chapters, `results` beside the script
            or in the working directory for others.
    """
    try:
        rates = tuple(float(rate) for rate in rates)
    except (TypeError, ValueError):
        raise TrialError(
            f"trial '{name}' takes a row of rates, such as (0.001, 0.01), not {rates!r}"
        ) from None
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise TrialError(
            f"a trial's table is called NAME.csv: {name!r} is no name for a file, 'relu-by-depth' is"
        )
    if not isinstance(data, Split):
        raise TrialError(f"trial '{name}' takes its data from trials.split(...), not a {type(data).__name__}")
    for what, given, wanted in (
        ("its arms", arms, Mapping),
        ("its training", training, Training),
        ("its score", score, Score | None),
        ("its seeds", seeds, int),
    ):
        if not isinstance(given, wanted):
            raise TrialError(
                f"trial '{name}' takes {what} as {getattr(wanted, '__name__', 'trials.Score(...)')}, not {given!r}"
            )
    if not arms:
        raise TrialError(f"trial '{name}' has no arms")
    if not rates or not np.isfinite(rates).all() or min(rates) <= 0 or list(rates) != sorted(set(rates)):
        raise TrialError(f"trial '{name}' needs rates above zero in rising order, not {rates}")
    if taken := set(arms) & {*(rivals or {}), TRIVIAL, NEAREST, LINEAR}:
        raise TrialError(f"trial '{name}' has an arm and a rival of one name: {', '.join(sorted(taken))}")
    if odd := [
        arm
        for arm in [*arms, *(rivals or {})]
        if not isinstance(arm, str) or not arm.isprintable() or not arm.strip()
    ]:
        raise TrialError(f"trial '{name}' has an arm called {odd[0]!r}: give it a name that can be printed")
    if settle and training.schedule == "constant":
        raise TrialError(
            f"trial '{name}' keeps its rate, and then nothing settles: take schedule='cosine', or ask about a fixed budget "
            "(settle=False)"
        )
    for arm, made in {**arms, **(rivals or {})}.items():
        if not isinstance(made, Learner) and (
            not callable(made) or isinstance(getattr(made, "trainable_weights", None), list)
        ):
            raise TrialError(
                f"arm '{arm}' of trial '{name}' is of type {type(made).__name__}: an arm is a function seed -> keras.Model, so "
                "that each seed starts anew, or a Learner"
            )
    if seeds < 2:
        raise TrialError(f"trial '{name}' needs at least two seeds to see how they differ, not {seeds}")
    file = sys._getframe(1).f_globals.get("__file__")
    script = Path(file).resolve() if file and str(file).endswith(TRIALS_FILE) else None
    return Trial(
        name, dict(arms), data, rates, seeds, training, score, dict(rivals or {}), settle, doublings, widenings,
        _folder(folder, script) / f"{name}.csv", script,
    )  # fmt: skip


def _folder(folder: str | Path | None, script: Path | None) -> Path:
    if folder is not None:
        return Path(folder)
    if script and script.is_relative_to(_paths.chapters()):
        return _paths.resource("results")
    return (script.parent if script else Path.cwd()) / "results"


def named(found: Mapping[str, Trial], name: str) -> Trial:
    """One trial by its name, or the nearest names."""
    if name not in found:
        raise TrialError(unknown("trial", name, found))
    return found[name]

"""Rows run side by side, each in a process of its own on one thread: two that both want every core take longer."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from cnnkit.trials.errors import TrialError
from cnnkit.trials.learners import Outcome
from cnnkit.trials.table import Table
from cnnkit.trials.tasks import Described, Task

__all__ = ["load", "perform"]

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def perform(
    trial: Described, table: Table, jobs: int, progress: bool, row: Callable[[Any, Outcome], Any]
) -> None:
    """Run what the trial asks for next, until it asks for nothing more; each finished row goes to the table at once."""
    with (
        _runner(trial, jobs) as outcomes,
        tqdm(desc=trial.name, unit="row", disable=not progress, total=0) as bar,
    ):
        while tasks := trial.next_tasks(table.rows):
            bar.total = bar.n + len(tasks)
            bar.refresh()
            for task, outcome in outcomes(tasks):
                table.add(row(task, outcome))
                bar.set_postfix_str(f"{task.arm}: {outcome.validation:.3f}")
                bar.update()


@contextmanager
def _runner(trial: Described, jobs: int) -> Iterator[Callable[[list[Task]], Iterator[tuple[Task, Outcome]]]]:
    if trial.script is None or jobs < 2:
        yield lambda tasks: ((task, _named(trial, task, lambda t=task: trial.outcome(t))) for task in tasks)
        return
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:

        def outcomes(tasks: list[Task]) -> Iterator[tuple[Task, Outcome]]:
            work = {pool.submit(_work, str(trial.script), trial.name, task): task for task in tasks}
            for done in as_completed(work):
                yield work[done], _named(trial, work[done], done.result)

        yield outcomes
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _end_with_parent() -> None:
    """Let no worker outlive a parent that was killed: it would train on, and hold its memory, for nobody."""

    def watch() -> None:
        connection.wait([parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _named(trial: Described, task: Task, result: Callable[[], Outcome]) -> Outcome:
    try:
        return result()
    except TrialError:
        raise
    except Exception as error:
        raise TrialError(
            f"arm '{task.arm}' of trial '{trial.name}' fails with seed {task.seed} at rate {task.rate}: "
            f"{type(error).__name__}: {error}. The rows before it are kept"
        ) from error


def _work(script: str, name: str, task: Task) -> Outcome:
    if name not in (known := _trials(script)):
        raise TrialError(
            f"{script} holds the trial '{name}' in no variable of its own: give it one, so that each process finds it"
        )
    return known[name].outcome(task)


@functools.cache
def _trials(script: str) -> dict[str, Described]:
    return {value.name: value for value in vars(load(Path(script))).values() if isinstance(value, Described)}


def load(script: Path) -> ModuleType:
    """The module of a `_trials.py` file, loaded by its path; its trials are described, not run."""
    name = f"cnnkit._chapters.{script.parent.name}.{script.stem}"
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

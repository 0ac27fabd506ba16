"""Where trials are described and recorded: found by name, run from a prompt, read by a chapter."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

from cnnkit import _paths
from cnnkit._names import unknown
from cnnkit.trials.definition import TRIALS_FILE, Trial
from cnnkit.trials.errors import TrialError
from cnnkit.trials.race import Race
from cnnkit.trials.table import Table
from cnnkit.trials.workers import load

__all__ = ["described", "find", "main", "recorded", "script", "trials_of"]


def described(folder: str | Path | None = None) -> dict[str, Path]:
    """Every `_trials.py` file below a folder, by its stem; the project's chapters by default."""
    root = Path(folder) if folder else _paths.chapters()
    return {path.stem: path for path in sorted(root.rglob(f"*{TRIALS_FILE}"))}


def find(name: str, folder: str | Path | None = None) -> Trial:
    """The trial of this name, wherever it is described below a folder."""
    found: dict[str, Trial] = {}
    for path in described(folder).values():
        found |= trials_of(path)
        if name in found:
            return found[name]
    raise TrialError(unknown("trial", name, found))


def trials_of(path: Path) -> dict[str, Trial]:
    """The trials that one file describes."""
    return {value.name: value for value in vars(load(path)).values() if isinstance(value, Trial)}


def script(name: str) -> ModuleType:
    """What stands in a chapter's `NAME_trials.py`, for a page that does again what its table was made by.

    >>> script("invariance").FIELD
    (16, 16, 1)
    """
    scripts = {stem.removesuffix(TRIALS_FILE[:-3]): path for stem, path in described().items()}
    if name not in scripts:
        raise TrialError(unknown("script of trials", name, scripts))
    return load(scripts[name])


def recorded(name: str, folder: str | Path | None = None) -> Race:
    """The race of a recorded trial, read from its table; nothing is trained.

    Args:
        name: of the trial.
        folder: where its table lies; the project's `data/results` by default.
    """
    path = Path(folder or _paths.resource("results")) / f"{name}.csv"
    if not path.exists():
        known = sorted(p.stem for p in path.parent.glob("*.csv"))
        raise TrialError(unknown("recorded trial", name, known))
    rows = Table(path).rows
    if not rows:
        raise TrialError(f"the table of trial '{name}' is empty: run it first")
    script = _paths.chapters() / rows[0].script
    return Race(rows, trials_of(script).get(name) if rows[0].script and script.is_file() else None)


def main(arguments: list[str] | None = None) -> int:
    """What a `_trials.py` file runs when it is called by hand: its own trials, or those that are named."""
    file = sys._getframe(1).f_globals.get("__file__", "")
    parser = argparse.ArgumentParser(
        description="Run the trials of this file; what is recorded already is not run again."
    )
    parser.add_argument("names", nargs="*", help="of the trials; all of the file by default")
    parser.add_argument("--jobs", type=int, default=2, help="rows at a time (2)")
    parser.add_argument("--fresh", action="store_true", help="put the old table aside and begin again")
    parser.add_argument("--list", action="store_true", help="say what would run, and run nothing")
    options = parser.parse_args(arguments)
    own = trials_of(Path(file).resolve())
    for name in options.names or own:
        if name not in own:
            print(unknown("trial of this file", name, own), file=sys.stderr)
            return 2
        if options.list:
            print(f"{name}: {', '.join(own[name].arms)}; table {own[name].path}")
            continue
        try:
            race = own[name].run(options.jobs, options.fresh)
        except TrialError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            kept = len(Table(own[name].path).rows)
            print(
                f"stopped; the {kept} rows of {own[name].path} are kept, and are not run again",
                file=sys.stderr,
            )
            return 130
        print(race)
    return 0

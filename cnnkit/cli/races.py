"""`cnnkit trial`: run trials, list them, show what one found."""

from __future__ import annotations

import argparse

from cnnkit.cli.parts import Mistake, part
from cnnkit.cli.printing import print_json

__all__: list[str] = []


def run(options: argparse.Namespace) -> int:
    """Run one trial to its end, from where its table stands."""
    race = part("trials").find(options.name, options.folder).run(jobs=options.jobs, fresh=options.fresh)
    return _told(race, options.json)


def listing(options: argparse.Namespace) -> int:
    """The trials that are described, file by file."""
    trials = part("trials")
    found = [
        {"trial": one.name, "arms": list(one.arms), "script": str(path), "recorded": one.path.is_file()}
        for path in trials.described(options.folder).values()
        for one in trials.trials_of(path).values()
    ]
    if options.json:
        return print_json(found)
    if not found:
        raise Mistake(
            "no trial is described here: they stand in files called NAME_trials.py; name their folder by --folder"
        )
    for row in found:
        print(f"{row['trial']:<32} {', '.join(row['arms'])}{'' if row['recorded'] else '   (not run yet)'}")
    return 0


def show(options: argparse.Namespace) -> int:
    """The table of a recorded trial, a line an arm, and why it gives no verdict where it gives none."""
    return _told(part("trials").recorded(options.name, options.folder), options.json)


def _told(race: object, json: bool) -> int:
    if json:
        refusals = {arm: race.refusals(arm) for arm in race.arms}
        return print_json({"arms": race.summary().reset_index().to_dict("records"), "refusals": refusals})
    print(race)
    return 0

"""Learners whose truth is known: what they score is written into them, so that a verdict can be judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cnnkit.trials import Race
from cnnkit.trials.table import Row

Scores = tuple[float, float, float]

ROW = Row(
    trial="planted", settings="s", kind="verdict", arm="a", rate=0.01, seed=0, epochs=10, steps=300, train=0.9,
    validation=0.8, test=0.8, loss=0.1, seconds=1.0, status="ok", score="accuracy", scale=100.0, unit="points", examples="5000/2000/10000",
    script="", versions="v", hardware="h",
)  # fmt: skip


def rows_of(
    arm: str,
    curve: Callable[[int, np.random.Generator], Scores],
    seeds: int = 5,
    epochs: int = 10,
    best: float = 0.01,
    rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1),
    doubled: bool = True,
    seed: int = 0,
) -> list[Row]:
    """The rows of an arm that scores `curve(epochs, rng)` = (train, validation, test)."""
    rng = np.random.default_rng([seed, *arm.encode()])
    found = []
    for rate in rates:
        for search_seed in (1000, 1001):
            worse = 0.02 * abs(np.log10(rate / best))
            found.append(
                replace(
                    ROW,
                    kind="search",
                    arm=arm,
                    rate=rate,
                    seed=search_seed,
                    epochs=epochs,
                    validation=0.8 - worse,
                )
            )
    for kind, budget in (("verdict", epochs), ("doubled", 2 * epochs))[: 1 + doubled]:
        for number in range(seeds):
            train, validation, test = curve(budget, rng)
            found.append(
                replace(
                    ROW,
                    kind=kind,
                    arm=arm,
                    rate=best,
                    seed=number,
                    epochs=budget,
                    train=train,
                    validation=validation,
                    test=test,
                    loss=0.1 + 0.001 * number,  # no two seeds end at the same digit
                )
            )
    return found


def flat(test: float = 0.8, noise: float = 0.004) -> Callable[[int, np.random.Generator], Scores]:
    """A learner that has settled, and whose seeds differ by `noise`."""
    return lambda budget, rng: (
        0.95 + noise * rng.normal(),
        test + noise * rng.normal(),
        test + noise * rng.normal(),
    )


def majority(share: float = 0.1) -> Row:
    """The rival that does not look."""
    return replace(
        ROW, kind="rival", arm="majority", rate=None, epochs=0, train=share, validation=share, test=share
    )


def race(*arms: list[Row], rival: Row | None = None) -> Race:
    """A race of these arms."""
    return Race([rival or majority(), *(row for arm in arms for row in arm)])

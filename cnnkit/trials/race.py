"""What a trial found: its table, its verdicts, and why it gives none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._names import needed, unknown
from cnnkit.trials import rules
from cnnkit.trials.errors import NoVerdict, TrialError
from cnnkit.trials.rivals import NEAREST, TRIVIAL
from cnnkit.trials.scores import ACCURACY, R2, Score
from cnnkit.trials.splits import PARTS
from cnnkit.trials.table import Row, about
from cnnkit.trials.tasks import Described, Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


__all__ = ["Lead", "Race"]

FEWEST_SEEDS = 5
_KINDS = ("search", "verdict", "doubled")
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def _unknown_measure(targets: np.ndarray, outputs: np.ndarray) -> float:
    raise TrialError(
        "the file that describes this trial was not found, and with it how its score is measured"
    )


@dataclass(frozen=True)
class Lead:
    """By how much one arm is ahead of another: the mean over seeds, the interval, and the sentence that says so."""

    value: float
    low: float
    high: float
    sentence: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.sentence


class Race:
    """The rows of a trial, read.

    Made by `Trial.run`, `Trial.race` and `recorded`; not by hand.
    """

    def __init__(self, rows: Sequence[Row], trial: Described | None = None) -> None:
        self.rows, self.trial = list(rows), trial
        self.name = rows[0].trial
        known = {score.name: score for score in (ACCURACY, R2, trial.score if trial else None) if score}
        name, scale, unit = rows[0].score, rows[0].scale, rows[0].unit
        self.score = known.get(name) or Score(name, _unknown_measure, scale, unit)
        self.settle = trial.settle if trial else any(row.kind == "doubled" for row in rows)
        self._at_best: dict[str, list[Row]] = {}
        self.rivals = {row.arm: row for row in rows if row.kind == "rival"}
        told = list(trial.arms) if trial else []
        found = dict.fromkeys(row.arm for row in rows if row.kind != "rival")
        self.arms = sorted(found, key=lambda name: told.index(name) if name in told else len(told))

    def __str__(self) -> str:
        """The summary, and under it why an arm gives no verdict where it gives none."""
        lines = [self.summary().to_string(float_format=lambda value: f"{value:.4g}")]
        return "\n".join(lines + [f"! {sentence}" for arm in self.arms for sentence in self.refusals(arm)])

    @property
    def table(self) -> pd.DataFrame:
        """Every row, as a DataFrame."""
        pd = needed("pandas", "plots")

        return pd.DataFrame(self.rows)

    def summary(self) -> pd.DataFrame:
        """A line for each arm and rival: rate, budget, and the mean scores of the verdict's seeds, with their spread."""
        pd = needed("pandas", "plots")

        lines = []
        for name in self.arms:
            rows = self.verdict_rows(name)
            lines.append(
                {
                    "arm": name, "rate": rows[0].rate, "epochs": rows[0].epochs, "seeds": len(rows),
                    **{part: np.mean([getattr(row, part) for row in rows]) for part in ("train", "validation", "test")},
                    "from": min(row.test for row in rows), "to": max(row.test for row in rows),
                    "settled": self.settled(name),
                }
            )  # fmt: skip
        lines += [
            {"arm": name, "train": row.train, "validation": row.validation, "test": row.test}
            for name, row in self.rivals.items()
        ]
        return pd.DataFrame(lines).set_index("arm")

    def rate(self, arm: str) -> float | None:
        """The arm's own best rate; None where it has none."""
        search = self._rows(arm, "search")
        return rules.best_rate(search) if search else None

    def budget(self, arm: str) -> int:
        """The epochs whose rows give the verdict: the shortest budget that doubling did not move."""
        budgets = self._budgets(arm)
        for short, long in itertools.pairwise(budgets):
            if not rules.moved(self._judged(arm), short, long):
                return short
        return budgets[-1] if self.settle and len(budgets) > 1 else budgets[0]

    def settled(self, arm: str) -> bool:
        """Whether doubling the budget left the arm's scores where they were."""
        budgets = self._budgets(arm)
        if len(budgets) < 2:
            return not self._rows(arm, "doubled") and self._has_no_budget(arm)
        return any(not rules.moved(self._judged(arm), a, b) for a, b in itertools.pairwise(budgets))

    def verdict_rows(self, arm: str) -> list[Row]:
        """The rows by which an arm is judged, in the order of their seeds."""
        budget = self.budget(arm)
        return sorted((row for row in self._judged(arm) if row.epochs == budget), key=lambda row: row.seed)

    def refusals(self, arm: str) -> list[str]:
        """Why no verdict can rest on this arm: sentences, none when it can."""
        rows = self.verdict_rows(arm)
        found = []
        if [row.seed for row in rows] != list(range(len(rows))):
            found.append(
                f"the seeds of '{arm}' are {', '.join(str(row.seed) for row in rows)}, and not 0 to {len(rows) - 1}: some "
                "were left out; run the trial to its end"
            )
        if len({(row.settings, row.versions) for row in self._rows(arm, *_KINDS)}) > 1:
            found.append(
                f"the rows of '{arm}' are of different settings or versions: begin again with fresh=True"
            )
        if len(rows) < FEWEST_SEEDS:
            found.append(
                f"'{arm}' has {len(rows)} seeds, and a verdict takes {FEWEST_SEEDS}: let seeds={FEWEST_SEEDS}"
            )
        if exploded := [row.seed for row in rows if row.status != "ok" or not np.isfinite(row.test)]:
            found.append(
                f"'{arm}' exploded with seed {exploded[0]} at its best rate: give it lower rates, or clip=1.0"
            )
            return found
        if edge := rules.at_edge(search) if (search := self._rows(arm, "search")) else None:
            found.append(
                f"'{arm}' does best at the {edge} rate that was tried ({rules.best_rate(search):g}), so its best may lie "
                "beyond: widen the rates"
            )
        if (trivial := self.rivals.get(TRIVIAL)) is None:
            found.append(
                f"the table lacks the rival '{TRIVIAL}', which an arm must beat: run the trial to its end"
            )
        else:
            train = np.array([row.train for row in rows])
            margin = max(0.02 * abs(1 - trivial.train), 2 * train.std() / np.sqrt(len(train)))
            if train.mean() <= trivial.train + margin:
                found.append(
                    f"'{arm}' did not learn: it reads {self.told(train.mean())} of its own training part, where the "
                    f"majority gives {self.told(trivial.train)}: try other rates, another start, or look for a dead layer"
                )
            elif dead := [
                row.seed for row in rows if row.train - trivial.train < 0.1 * (train.mean() - trivial.train)
            ]:
                found.append(
                    f"'{arm}' did not learn with seed {dead[0]}, as it did with others: its mean tells of neither; try other "
                    "rates, or another start"
                )
            elif rows[0].loss and 1 == len({(r.train, r.validation, r.test, r.loss) for r in rows}) < len(
                rows
            ):
                found.append(
                    f"every seed of '{arm}' gave the same run, to the last digit of its loss: look whether the arm sets a seed "
                    "of its own, or has no use for one"
                )
        if self.settle and not self.settled(arm):
            budgets = self._budgets(arm)
            what = (
                " and ".join(rules.moved(self._judged(arm), *budgets[-2:]))
                if len(budgets) > 1
                else "not tried"
            )
            found.append(
                f"'{arm}' has not settled: doubling {budgets[max(0, len(budgets) - 2)]} epochs still moves its scores "
                f"({what}): allow more doublings, or ask about a fixed budget (settle=False)"
            )
        if groups := rules.two_groups(
            [row.test for row in rows], max(rules.NOTABLE, 4 * self._error(rows, "test"))
        ):
            low, high = groups
            found.append(
                f"the seeds of '{arm}' fall into two groups, {self._listed(low)} and {self._listed(high)}, of which no mean "
                "tells: find out what parts them"
            )
        if leak := self._leak(arm, rows):
            found.append(leak)
        return found

    def lead(self, arm: str, over: str) -> Lead:
        """By how much an arm is ahead of another arm, or of a rival, with its 95 % interval over paired seeds.

        The interval tells how the mean would differ with other seeds, on this test part.  Over a rival, which has no seeds,
        it trusts five seeds to show how all seeds spread: where one in ten fails badly, they may not.

        Raises:
            NoVerdict: where the comparison would not be fair; the sentence says for which arm, and what to do.
        """
        arms = [self._known(name) for name in (arm, over) if name not in self.rivals]
        if arm == over or not arms:
            raise NoVerdict(
                f"no verdict from trial '{self.name}': "
                + (
                    f"'{arm}' has no lead over itself"
                    if arm == over
                    else f"'{arm}' and '{over}' are rivals, without seeds"
                )
                + f"; compare two of the arms {', '.join(self.arms)}"
            )
        refused = [sentence for name in arms for sentence in self.refusals(name)]
        if not refused and len({len(self.verdict_rows(name)) for name in arms}) > 1:
            refused = [f"'{arm}' and '{over}' have different numbers of seeds: run the trial to its end"]
        if not refused and len({row.versions for name in arms for row in self.verdict_rows(name)}) > 1:
            refused = [f"'{arm}' and '{over}' were run with different versions: begin again with fresh=True"]
        if not refused:
            differences = self._differences(arm, over)
            low, high = rules.interval(differences)
            if later := self._uneven(arm, over, low, high) or self._turns(arm, over, low, high):
                refused = [later]
        if refused:
            raise NoVerdict(f"no verdict from trial '{self.name}': " + "; ".join(refused))
        value = float(np.mean(differences))
        return Lead(value, low, high, self._sentence(arm, over, value, low, high, len(differences)))

    def _differences(self, arm: str, over: str, epochs: dict[str, int] | None = None) -> list[float]:
        """Seed by seed, at the budgets of the verdict or, where they were run, at others."""
        ours, theirs = ([row.test for row in self._at(name, epochs or {})] for name in (arm, over))
        return list(
            np.subtract(ours or self.rivals[arm].test, theirs or self.rivals[over].test)
            if ours or theirs
            else []
        )

    def _at(self, name: str, epochs: dict[str, int]) -> list[Row]:
        if name in self.rivals:
            return []
        rows = self.verdict_rows(name)
        later = [row for row in self._judged(name) if row.epochs == epochs.get(name)]
        return sorted(later, key=lambda row: row.seed) if len(later) == len(rows) else rows

    def _turns(self, arm: str, over: str, low: float, high: float) -> str | None:
        """Whether the arms were settled each by itself, and yet change places, or meet, when both have twice as long."""
        arms = [name for name in (arm, over) if name not in self.rivals]
        twice = self._differences(arm, over, {name: 2 * self.budget(name) for name in arms})
        later = rules.interval(twice)
        change = rules.interval(np.subtract(twice, self._differences(arm, over)), confidence=0.995)
        first, last = (arm, over) if low > 0 else (over, arm)
        if (low > 0 > later[1]) or (high < 0 < later[0]):
            return f"'{first}' is ahead of '{last}' at this budget and behind it at twice the budget: begin with more epochs"
        if (low > 0 >= later[0] and change[1] < 0) or (high < 0 <= later[1] and change[0] > 0):
            return f"'{first}' is ahead of '{last}' at this budget and no more at twice the budget: begin with more epochs"
        return None

    def _uneven(self, arm: str, over: str, low: float, high: float) -> str | None:
        """Whether a lead is one of budgets: the arms settled at different ones, and it is gone where both have the longer.

        Of two equal arms that still gain less than their seeds differ, chance lets one settle earlier than the other.  What
        the shorter one would have gained beyond its longest run is taken from what its last doubling gave.
        """
        if {arm, over} & set(self.rivals) or self.budget(arm) == self.budget(over) or low <= 0 <= high:
            return None
        longer = max(self.budget(arm), self.budget(over))
        short = min((arm, over), key=self.budget)
        reach = max(budget for budget in self._budgets(short) if budget <= longer)
        last, before = ([row.test for row in self._at(short, {short: n})] for n in (reach, reach // 2))
        gained = math.log2(longer / reach) * np.subtract(last, before) * (1 if short == arm else -1)
        again = rules.interval(np.add(self._differences(arm, over, {short: reach}), gained))
        if again[0] > 0 < low or again[1] < 0 > high:
            return None
        return (
            f"'{arm}' and '{over}' settled after {self.budget(arm)} and {self.budget(over)} epochs, and that may be all that "
            f"parts them, as the lead is gone where '{short}' has as many: begin with {longer} epochs"
        )

    def again(self, arm: str, seed: int = 0) -> None:
        """Train one row of the verdict here and hold it to the table, so that the table cannot rot.

        Raises:
            TrialError: where what comes out differs from the table by more than the arm's seeds do.
        """
        from cnnkit.data import DataUnavailable

        if self.trial is None:
            raise TrialError(
                f"the file that describes trial '{self.name}' was not found, so no row can be run again"
            )
        rows = self.verdict_rows(self._known(arm))
        recorded = next((row for row in rows if row.seed == seed), None)
        if recorded is None:
            raise TrialError(
                f"trial '{self.name}' has no verdict of '{arm}' with seed {seed}; seeds: 0 to {len(rows) - 1}"
            )
        try:
            here = about()["versions"]
            # settings hold bytecode and first weights, which each version and backend has its own of
            if recorded.versions == here and self.trial.settings().get(arm) != recorded.settings:
                raise TrialError(
                    f"'{arm}' of trial '{self.name}' was recorded with other settings than the file that describes it has "
                    "now: the table is not of this code; run it with fresh=True (--fresh)"
                )
            found = self.trial.outcome(Task("verdict", arm, recorded.rate, seed, recorded.epochs))
        except DataUnavailable as error:
            print(
                f"NOT RUN AGAIN: the data of trial '{self.name}' cannot be had here ({str(error).splitlines()[0]})"
            )
            return
        spread = float(np.ptp([row.test for row in rows]))
        allowed = max(2 * spread, 0.01)
        if abs(found.test - recorded.test) > allowed:
            raise TrialError(
                f"'{arm}' with seed {seed} gives {self.told(found.test)} here and {self.told(recorded.test)} in the table "
                f"of '{self.name}'; they may differ by {self.told(allowed)}: the table is not of this code"
            )
        print(
            f"✓ {arm}, seed {seed}, run again: {self.told(found.test)} here, {self.told(recorded.test)} in the table "
            f"(allowed: {self.told(allowed)}, twice what its seeds differ)"
            + (f"; recorded with {recorded.versions}" if recorded.versions != here else "")
        )

    def figure(self, width: float = 7.0) -> Figure:
        """Every seed of every arm: training score hollow, test score full, the mean's interval as a bar, rivals as lines."""
        from cnnkit.trials.picture import draw

        return draw(self, width)

    @property
    def alt(self) -> str:
        """What `figure` shows, in words."""
        told = [
            f"{name}: training {self.told(np.mean([r.train for r in rows]))}, test {self._listed([r.test for r in rows])}"
            for name in self.arms
            if (rows := self.verdict_rows(name))
        ]
        told += [f"{name} as a line at {self.told(row.test)}" for name, row in self.rivals.items()]
        return f"The {self.score.name} of every seed. " + "; ".join(told) + "."

    def _sentence(self, arm: str, over: str, value: float, low: float, high: float, seeds: int) -> str:
        unit = f" {self.score.unit}" if self.score.unit else ""
        more = "more" if value >= 0 else "less"
        between = (low, high) if value >= 0 else (-high, -low)  # of how much more, or of how much less
        spread = (
            "95 %: {} to {}".format(*map(self._size, between)) if low < high else "the same with every seed"
        )
        arms = [name for name in (arm, over) if name not in self.rivals]
        if self.settle:
            how = "both arms settled" if len(arms) == 2 else f"{arms[0]} settled"
        else:
            first = [self.verdict_rows(name)[0] for name in arms]
            steps = {row.steps for row in first if row.steps} or {0}  # a learner without a budget takes none
            how = f"after {max(steps):,} steps" if len(steps) == 1 else f"after {first[0].epochs} epochs"
        best = max(np.mean([row.test for row in self.verdict_rows(name)]) for name in arms)
        better = [
            f"; {name} reads {self.told(row.test)}, which is more than {'either' if len(arms) == 2 else 'that'}"
            for name, row in self.rivals.items()
            if row.test > best and name not in (arm, over)
        ]
        return (
            f"{arm} reads {self._size(abs(value))}{unit} {more} than {over} "
            f"({spread}; {_COUNTS.get(seeds, seeds)} seeds, {how}{''.join(better)})"
        )

    def _size(self, value: float) -> str:
        """A difference in the units of the score: two digits or more, and no power of ten."""
        size = value * self.score.scale
        if size == 0:
            return "0"
        digits = max(1 - math.floor(math.log10(abs(size))), 1 if abs(size) < 1000 else 0)
        return f"{size:,.{digits}f}"

    def _leak(self, arm: str, rows: Sequence[Row]) -> str | None:
        """Whether an arm reads one of test and validation part far better than the other, of which it has seen as little."""
        if self.score is not ACCURACY:
            return None
        apart = np.array([row.test - row.validation for row in rows])
        chance = np.hypot(self._error(rows, "test"), self._error(rows, "validation"))
        error = max(chance, apart.std() / np.sqrt(len(rows)), 1e-3)
        calm = [
            rival for name, rival in self.rivals.items() if name != NEAREST
        ]  # which finds near copies itself
        means = {
            part: float(np.mean([getattr(row, part) for row in rows])) for part in ("test", "validation")
        }
        for better, worse in (("test", "validation"), ("validation", "test")):
            usual = max((getattr(r, better) - getattr(r, worse) for r in calm), default=0.0)
            if means[better] - means[worse] - max(usual, 0.0) > 4 * error:
                return (
                    f"'{arm}' reads {self.told(means[better])} of the {better} part and {self.told(means[worse])} of the "
                    f"{worse} part, which it has seen as little: look whether it was given the {better} examples"
                )
        return None

    def _error(self, rows: Sequence[Row], part: str) -> float:
        """How far chance moves an accuracy of this size on so many examples: one standard deviation."""
        if self.score is not ACCURACY:
            return 0.0
        share = float(np.mean([getattr(row, part) for row in rows]))
        examples = dict(zip(PARTS, map(int, rows[0].examples.split("/")), strict=True))
        return float(np.sqrt(share * (1 - share) / examples[part]))

    def _known(self, arm: str) -> str:
        if arm not in self.arms:
            raise TrialError(unknown(f"arm or rival of trial '{self.name}'", arm, [*self.arms, *self.rivals]))
        return arm

    def _rows(self, arm: str, *kinds: str) -> list[Row]:
        return [row for row in self.rows if row.arm == arm and row.kind in kinds]

    def _judged(self, arm: str) -> list[Row]:
        if arm not in self._at_best:
            rate = self.rate(arm)
            self._at_best[arm] = [row for row in self._rows(arm, "verdict", "doubled") if row.rate == rate]
        return self._at_best[arm]

    def _budgets(self, arm: str) -> list[int]:
        rows = self._judged(self._known(arm))
        if not rows:
            raise TrialError(f"trial '{self.name}' has no verdict rows of '{arm}' yet: run it to its end")
        seeds = {
            budget: {row.seed for row in rows if row.epochs == budget}
            for budget in sorted({r.epochs for r in rows})
        }
        first = next(iter(seeds.values()))
        return [
            budget for budget, own in seeds.items() if own == first
        ]  # a doubling that was not finished tells nothing

    def _has_no_budget(self, arm: str) -> bool:
        return self._judged(arm)[0].steps == 0

    def told(self, value: float) -> str:
        """A score as it is told: a share in per cent, another in three digits."""
        if self.score.unit == "points":
            return f"{value * self.score.scale:.1f} %"
        return f"{value * self.score.scale:.3g}"

    def _listed(self, values: Sequence[Any]) -> str:
        return ", ".join(self.told(v) for v in sorted(values))

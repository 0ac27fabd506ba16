"""Verdicts on planted truths: what is so is found, what is not so is not, and what is unfair is refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnkit.trials import NoVerdict, TrialError, rules
from tests.trials.planted import flat, majority, race, rows_of


def test_the_interval_of_two_equal_arms_covers_zero_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2_000):
        differences = rng.normal(size=5) - rng.normal(size=5)
        low, high = rules.interval(differences)
        covered += low <= 0 <= high
    assert 0.94 <= covered / 2_000 <= 0.96


def test_a_whole_race_of_two_equal_arms_covers_zero_as_often_as_it_says() -> None:
    covered, repetitions = 0, 2_000
    ours, theirs = rows_of("a", flat()), rows_of("b", flat())
    rng = np.random.default_rng(1)
    for _ in range(repetitions):
        a, b = ([_moved(row, rng) for row in arm] for arm in (ours, theirs))
        try:
            lead = race(a, b).lead("a", over="b")
        except NoVerdict:  # once in a hundred or so two groups are seen where there is one
            repetitions -= 1
            continue
        covered += lead.low <= 0 <= lead.high
    assert repetitions > 1_900
    assert 0.94 <= covered / repetitions <= 0.96


def _moved(row, rng):
    return row if row.kind == "search" else replace(row, test=0.8 + 0.004 * rng.normal())


def test_a_planted_difference_is_found_and_told_with_its_interval() -> None:
    lead = race(rows_of("relu", flat(0.85)), rows_of("tanh", flat(0.82))).lead("relu", over="tanh")
    assert 0.02 < lead.low < lead.value < lead.high < 0.04
    assert float(lead) == lead.value
    assert lead.sentence.startswith("relu reads ") and " points more than tanh (95 %: " in lead.sentence
    assert lead.sentence.endswith("five seeds, both arms settled)")


def test_an_arm_that_is_behind_reads_less() -> None:
    lead = race(rows_of("relu", flat(0.82)), rows_of("tanh", flat(0.85))).lead("relu", over="tanh")
    assert lead.high < 0 and " points less than tanh " in lead.sentence


def test_a_rival_is_led_or_leads() -> None:
    nearest = replace(majority(), arm="nearest neighbour", train=1.0, validation=0.84, test=0.84)
    found = race([nearest], rows_of("net", flat(0.80)))
    assert found.lead("net", over="nearest neighbour").high < 0
    assert found.lead("nearest neighbour", over="net").low > 0


REFUSED = {
    "still falling": (
        rows_of("b", lambda n, rng: (0.9 + (n > 10) * 0.05, 0.8 + 0.002 * rng.normal(), 0.8)),
        "'b' has not settled: doubling 10 epochs still moves its scores (train)",
    ),
    "untrained": (
        rows_of("b", lambda n, rng: (0.101 + 0.002 * rng.normal(), 0.1, 0.1)),
        "'b' did not learn: it reads 10.1 % of its own training part, where the majority gives 10.0 %",
    ),
    "flat because dead": (rows_of("b", lambda n, rng: (0.1, 0.1, 0.1)), "'b' did not learn"),
    "leaking": (
        rows_of("b", lambda n, rng: (0.99, 0.8 + 0.002 * rng.normal(), 0.97 + 0.002 * rng.normal())),
        "look whether it was given the test examples",
    ),
    "rate at the edge": (rows_of("b", flat(), best=0.1), "'b' does best at the highest rate that was tried (0.1)"),
    "rate at the lower edge": (rows_of("b", flat(), best=0.001), "'b' does best at the lowest rate that was tried (0.001)"),
    "too few seeds": (rows_of("b", flat(), seeds=3), "'b' has 3 seeds, and a verdict takes 5"),
    "exploding": (
        rows_of("b", lambda n, rng: (float("-inf"), float("-inf"), float("-inf"))),
        "'b' exploded with seed 0",
    ),
    "two groups of seeds": (
        rows_of("b", lambda n, rng: (0.99, 0.8, rng.choice([0.48, 0.95]) + 0.003 * rng.normal()), seed=2),
        "the seeds of 'b' fall into two groups",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_unfair_comparison_is_refused_by_the_name_of_the_arm(case: str) -> None:
    rows, message = REFUSED[case]
    found = race(rows_of("a", flat()), rows)
    for ours, theirs in (("a", "b"), ("b", "a")):
        with pytest.raises(NoVerdict) as refused:
            found.lead(ours, over=theirs)
        assert message in str(refused.value)
    assert found.refusals("a") == []


def test_a_noisy_learner_that_does_not_improve_has_settled() -> None:
    for seed in range(50):
        assert race(rows_of("a", flat(noise=0.03), seed=seed)).settled("a")


def test_a_learner_that_falls_out_of_its_noise_has_not_settled() -> None:
    for seed in range(50):
        rows = rows_of("a", lambda n, rng: (0.8 + 0.004 * n + 0.003 * rng.normal(), 0.8, 0.8), seed=seed)
        assert not race(rows).settled("a")


def test_the_verdict_rests_on_the_shortest_budget_that_doubling_did_not_move() -> None:
    rows = rows_of("a", lambda n, rng: (min(0.5 + 0.02 * n, 0.9) + 0.001 * rng.normal(), 0.8, 0.8))
    longer = [replace(row, epochs=40, train=0.9) for row in rows if row.kind == "doubled"]
    found = race([*rows, *longer])
    assert found.budget("a") == 20 and found.settled("a")
    assert {row.epochs for row in found.verdict_rows("a")} == {20}


def test_a_question_about_a_fixed_budget_says_so() -> None:
    found = race(rows_of("a", flat(0.9), doubled=False), rows_of("b", flat(0.8), doubled=False))
    assert found.lead("a", over="b").sentence.endswith("five seeds, after 300 steps)")


def test_arms_that_took_different_numbers_of_steps_are_told_by_their_epochs() -> None:
    fast = [replace(row, steps=10 * row.steps) for row in rows_of("a", flat(0.9), doubled=False)]
    others = rows_of("b", flat(0.8), doubled=False)
    assert race(fast, others).lead("a", over="b").sentence.endswith("five seeds, after 10 epochs)")
    none = [replace(row, steps=0) for row in others]  # a learner without a budget
    assert race(fast, none).lead("a", over="b").sentence.endswith("five seeds, after 3,000 steps)")


def test_an_unknown_arm_is_told_the_nearest() -> None:
    with pytest.raises(TrialError, match="did you mean 'relu'"):
        race(rows_of("relu", flat())).lead("rely", over="majority")


@pytest.mark.parametrize("count", [5, 6, 8, 10])
def test_seeds_of_one_group_are_seldom_taken_for_two(count: int) -> None:
    rng = np.random.default_rng(3)
    seen = sum(rules.two_groups(0.1 * rng.normal(size=count)) is not None for _ in range(5_000))
    assert seen / 5_000 < 0.02


def test_the_table_and_the_words_of_a_race_hold_every_arm_and_rival() -> None:
    found = race(rows_of("relu", flat(0.85)), rows_of("tanh", flat(0.82)))
    assert list(found.summary().index) == ["relu", "tanh", "majority"]
    assert len(found.table) == 1 + 2 * 20
    assert "relu: training 94." in found.alt and "majority as a line at 10.0 %" in found.alt
    fig = found.figure()
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["relu", "tanh", "majority"]
    assert [t.get_text() for t in fig.axes[0].texts] == ["◂ 10.0 %"]  # too far from the arms to be drawn

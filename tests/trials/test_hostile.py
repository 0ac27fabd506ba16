"""Plants and users that once got a false verdict, a raw error or a wrong number: each is refused, or mended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import trials
from cnnkit.trials import Learner, NoVerdict, Race, Training, TrialError, learners, rules, table, workers
from tests.trials.planted import flat, majority, race, rows_of
from tests.trials.test_running import LINE, dense, make, parts


def settling(arm: str, seed: int, gain: float, spread: float = 0.01) -> list[table.Row]:
    """The rows that the protocol makes of a learner that gains so many spreads of its seeds with each doubling."""
    curve = lambda n, rng: 0.7 + gain * spread * np.log2(n / 10) + spread * rng.normal(size=3)  # noqa: E731
    rows, budgets = rows_of(arm, curve, seed=seed), [10, 20]
    while len(budgets) <= 3 and rules.moved(rows, *budgets[-2:]):
        budgets.append(2 * budgets[-1])
        longer = rows_of(arm, curve, epochs=budgets[-1] // 2, seed=seed + budgets[-1])
        rows += [row for row in longer if row.epochs == budgets[-1]]
    return [row if row.kind != "search" else replace(row, epochs=10) for row in rows]


def test_of_two_equal_arms_the_one_that_chance_lets_train_longer_is_not_ahead() -> None:
    ahead = given = 0
    for seed in range(200):
        try:
            lead = race(settling("a", 1000 * seed, 1.5), settling("b", 1000 * seed + 7, 1.5)).lead(
                "a", over="b"
            )
        except NoVerdict:
            continue
        given += 1
        ahead += not lead.low <= 0 <= lead.high
    assert given > 100
    assert ahead / given < 0.1  # nearly a third, before both were held to one budget


def test_a_lead_of_budgets_alone_says_so() -> None:
    slow = lambda n, rng: (0.7 + 0.1 * (n > 10), 0.8 + 0.05 * (n > 10), 0.8 + 0.05 * (n > 10))  # noqa: E731
    late = rows_of("b", slow)
    late += [replace(row, epochs=40) for row in late if row.kind == "doubled"]
    same = rows_of("a", lambda n, rng: (0.8, 0.8, 0.8 + 0.05 * (n > 10)))
    with pytest.raises(
        NoVerdict, match=r"'b' and 'a' settled after 20 and 10 .* where 'a' has as many: begin with 20"
    ):
        race(same, late).lead("b", over="a")
    steady = rows_of("a", lambda n, rng: (0.8, 0.8, 0.8))
    assert race(steady, late).lead("b", over="a").value == pytest.approx(0.05)


def test_a_lead_that_is_gone_when_both_have_twice_as_long_is_none() -> None:
    starts = [-0.03, -0.015, 0.0, 0.015, 0.03]  # within the wide spread of its seeds the slow arm has settled

    def planted(arm: str, first: float, gain: float) -> list[table.Row]:
        scores = {(n, s): first + gain * (n > 10) + start for n in (10, 20) for s, start in enumerate(starts)}
        wobble = {(n, s): 0.001 * ((s * n // 10 + ord(arm)) % 3) for n in (10, 20) for s in range(5)}
        return [
            row
            if row.kind == "search"
            else replace(row, test=(t := scores[key] + wobble[key]), validation=t, train=t)
            for row in rows_of(arm, flat())
            for key in [(row.epochs, row.seed)]
        ]

    with pytest.raises(NoVerdict, match="'a' is ahead of 'b' at this budget and no more at twice the budget"):
        race(planted("a", 0.82, 0.0), planted("b", 0.8, 0.02)).lead("b", over="a")
    assert race(planted("a", 0.82, 0.0), planted("b", 0.8, 0.0)).lead("a", over="b").low > 0.01


def test_a_dead_seed_among_seeds_that_differ_much_is_named() -> None:
    trains = dict(enumerate([0.55, 0.60, 0.101, 0.65, 0.70]))
    rows = [
        row if row.kind == "search" else replace(row, train=trains[row.seed], test=trains[row.seed])
        for row in rows_of("b", flat())
    ]
    assert any("'b' did not learn with seed 2" in sentence for sentence in race(rows).refusals("b"))


def test_an_arm_that_sets_its_own_seed_has_one_seed_and_not_five(tmp_path: Path) -> None:
    stubborn = [replace(row, loss=0.1) for row in rows_of("b", lambda n, rng: (0.95, 0.8, 0.8))]
    assert any("every seed of 'b' gave the same run" in sentence for sentence in race(stubborn).refusals("b"))
    solved = Learner(lambda x, y, **_: LINE.fit(x, y, 1.0, 50, 0), LINE.predict, False, False)
    alike = make(tmp_path, name="alike", arms={"net": solved}, seeds=5).run(progress=False)
    assert alike.refusals("net") == []  # what has no start has no seeds to differ


def test_a_model_that_every_seed_goes_on_with_is_refused(tmp_path: Path) -> None:
    model, layer = dense(0), keras.layers.Dense(2)
    for arm in (lambda seed: model, lambda seed: keras.Sequential([keras.Input((4,)), layer])):
        with pytest.raises(TrialError, match="gives the same weights to every seed"):
            learners.check_arm("net", arm, parts(), Training())
    base = keras.layers.Dense(4)
    base.trainable = False  # a frozen part may be shared
    learners.check_arm(
        "net",
        lambda seed: keras.Sequential([keras.Input((4,)), base, keras.layers.Dense(2)]),
        parts(),
        Training(),
    )


def test_a_learner_that_changes_its_examples_in_place_changes_a_copy(tmp_path: Path) -> None:
    data = parts()
    before = data.parts["train"][0].copy(), data.parts["test"][0].copy()

    def fit(x, y, **_):
        x *= 0.5
        y[:] = 0

    def predict(fitted, x):
        x *= 0.5
        return np.zeros(len(x), int)

    make(tmp_path, arms={"net": Learner(fit, predict)}, data=data).run(progress=False)
    assert np.array_equal(before[0], data.parts["train"][0]) and np.array_equal(
        before[1], data.parts["test"][0]
    )


def test_half_precision_targets_do_not_overflow_into_a_perfect_score() -> None:
    x = np.random.default_rng(0).normal(size=(2_000, 3)).astype("float16")
    y = 100 * x[:, 0]
    data = trials.split(((x[:1_000], y[:1_000]), (x[1_000:], y[1_000:])), train=800, validation=200)
    assert abs(trials.rivals(data)["majority"].test) < 0.05


def test_near_copies_of_the_test_part_are_seen_although_the_nearest_neighbour_finds_them_too() -> None:
    near = replace(majority(), arm="nearest neighbour", train=1.0, validation=0.8, test=1.0)
    rows = rows_of("a", lambda n, rng: (0.99, 0.8 + 0.002 * rng.normal(), 0.97))
    assert any("given the test examples" in s for s in Race([majority(), near, *rows]).refusals("a"))


def test_seeds_that_differ_much_are_no_leak() -> None:
    leaks = 0
    for seed in range(100):
        found = race(rows_of("a", flat(noise=0.05), seed=seed)).refusals("a")
        leaks += any("which it has seen as little" in sentence for sentence in found)
    assert leaks <= 4


def test_arms_of_two_versions_are_not_compared() -> None:
    other = [replace(row, versions="Keras 2") for row in rows_of("b", flat(0.7))]
    with pytest.raises(NoVerdict, match="'a' and 'b' were run with different versions"):
        race(rows_of("a", flat()), other).lead("a", over="b")


def test_a_row_run_again_on_other_versions_is_held_to_its_number_alone(tmp_path: Path, capsys) -> None:
    found = make(tmp_path).run(progress=False)
    recorded = [replace(row, versions="Keras 3 on another", settings="another's") for row in found.rows]
    Race(recorded, found.trial).again("net", seed=1)
    assert capsys.readouterr().out.endswith("; recorded with Keras 3 on another\n")
    forged = [replace(row, test=0.01) if row.seed == 1 else replace(row, test=0.02) for row in recorded]
    with pytest.raises(TrialError, match="the table is not of this code"):
        Race(forged, found.trial).again("net", seed=1)


def test_a_fixed_budget_is_told_by_the_arm_that_has_one() -> None:
    once = [replace(row, steps=0) for row in rows_of("a", flat(), doubled=False)]
    lead = race(once, rows_of("b", flat(), doubled=False)).lead("a", over="b")
    assert "after 300 steps" in lead.sentence


def test_a_table_that_git_checked_out_on_windows_is_read(tmp_path: Path) -> None:
    rows = make(tmp_path).run(progress=False).rows
    file = tmp_path / "small.csv"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert str(table.Table(file).rows) == str(rows)  # of which some hold NaN, which equals nothing


def test_a_trial_in_no_variable_of_its_own_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "listed_trials.py").write_text("every = []\n")
    with pytest.raises(TrialError, match="holds the trial 'small' in no variable of its own"):
        workers._work(str(tmp_path / "listed_trials.py"), "small", None)


WRONG = [
    ({"rates": 0.01}, r"takes a row of rates, such as \(0.001, 0.01\), not 0.01"),
    ({"rates": ("fast",)}, "takes a row of rates"),
    ({"rates": (float("nan"),)}, "rates above zero in rising order"),
    ({"rates": (0.1, float("inf"))}, "rates above zero in rising order"),
    ({"seeds": "5"}, "takes its seeds as int, not '5'"),
    ({"seeds": 5.0}, "takes its seeds as int, not 5.0"),
    ({"score": trials.ACCURACY.measure}, r"takes its score as trials.Score\(...\), not <function"),
    ({"training": None}, "takes its training as Training, not None"),
    ({"arms": [dense]}, "takes its arms as Mapping, not "),
    ({"arms": {2: LINE, 4: LINE}}, "has an arm called 2: give it a name"),
    ({"training": Training(schedule="constant")}, "keeps its rate, and then nothing settles"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=lambda value: None)
def test_what_is_no_rate_no_seed_no_score_and_no_name_is_refused_in_a_sentence(
    change, message, tmp_path
) -> None:
    with pytest.raises(TrialError, match=message):
        make(tmp_path, **change)

"""What someone would try who wants a verdict that is not deserved, or has bad luck: each was tried, and each is seen."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import trials
from cnnkit.trials import Learner, NoVerdict, Training, TrialError, learners, rules, table
from tests.trials.planted import ROW, flat, majority, race, rows_of
from tests.trials.test_running import LINE, blobs, dense, make, parts, scores_of


def refused(found: trials.Race, arm: str = "b") -> str:
    with pytest.raises(NoVerdict) as error:
        found.lead("a", over=arm)
    return str(error.value)


def test_a_doubling_that_was_not_finished_settles_nothing() -> None:
    curve = lambda n, rng: (0.9 + (n > 10) * rng.choice([0.0, 0.09]), 0.8, 0.8)  # noqa: E731
    rows = [r for r in rows_of("b", curve) if r.kind != "doubled" or r.train < 0.95]
    assert "'b' has not settled" in refused(race(rows_of("a", flat()), rows))


def test_seeds_that_were_left_out_are_missed() -> None:
    rows = [row for row in rows_of("b", flat(), seeds=7) if row.seed not in (1, 4)]
    assert "the seeds of 'b' are 0, 2, 3, 5, 6, and not 0 to 4" in refused(race(rows_of("a", flat()), rows))
    more = rows_of("b", flat(), seeds=7)
    assert "have different numbers of seeds" in refused(race(rows_of("a", flat()), more))


def test_a_race_prints_a_line_for_each_arm_and_under_them_what_forbids_a_verdict() -> None:
    told = str(race(rows_of("a", flat()), rows_of("b", flat(), rates=(0.01,)))).splitlines()
    assert [line.split()[0] for line in told if line[:1] in ("a", "b")] == ["arm", "a", "b"]
    assert told[-1].startswith("! 'b' does best at the highest rate that was tried")


def test_one_rate_alone_is_an_edge() -> None:
    rows = rows_of("b", flat(), rates=(0.01,))
    assert "'b' does best at the highest rate that was tried (0.01)" in refused(
        race(rows_of("a", flat()), rows)
    )


def test_a_rival_taken_out_of_the_table_is_missed() -> None:
    other = replace(majority(), arm="nearest neighbour")
    assert "lacks the rival 'majority'" in refused(
        race(rows_of("a", flat()), rows_of("b", flat()), rival=other)
    )


def test_rows_of_two_settings_do_not_make_one_verdict() -> None:
    rows = [replace(row, settings="other") if row.kind == "doubled" else row for row in rows_of("b", flat())]
    assert "the rows of 'b' are of different settings" in refused(race(rows_of("a", flat()), rows))


def test_an_arm_that_was_trained_on_the_validation_part_is_seen() -> None:
    rows = rows_of("b", lambda n, rng: (0.99, 0.97 + 0.002 * rng.normal(), 0.8 + 0.002 * rng.normal()))
    assert "look whether it was given the validation examples" in refused(race(rows_of("a", flat()), rows))


def test_a_lead_that_turns_when_both_have_twice_as_long_is_none() -> None:
    def late(budget, rng):  # within the wide spread of its seeds it has settled
        start = next(starts)
        return 0.95 + start, 0.8 + start, 0.79 + start + 0.02 * (budget > 10)

    starts = iter(2 * [-0.03, -0.015, 0.0, 0.015, 0.03])
    slow = rows_of("b", late)
    steady = [
        replace(row, arm="a", test=row.test + (0.01 if row.kind == "verdict" else -0.01)) for row in slow
    ]
    assert "'a' is ahead of 'b' at this budget and behind it at twice the budget" in refused(
        race(steady, slow)
    )


def test_an_arm_has_no_lead_over_itself_and_rivals_none_over_each_other() -> None:
    found = race(rows_of("a", flat()), rows_of("b", flat()))
    assert "'a' has no lead over itself" in refused(found, "a")
    with pytest.raises(NoVerdict, match="'majority' has no lead over itself; compare two of the arms a, b"):
        found.lead("majority", over="majority")


def test_a_rival_that_is_better_than_both_arms_stands_in_the_sentence() -> None:
    nearest = replace(majority(), arm="nearest neighbour", train=1.0, validation=0.9, test=0.9)
    found = race([nearest], rows_of("a", flat(0.85)), rows_of("b", flat(0.8)))
    assert found.lead("a", over="b").sentence.endswith(
        "both arms settled; nearest neighbour reads 90.0 %, which is more than either)"
    )


def test_how_much_less_is_told_with_its_own_sign_and_without_powers_of_ten() -> None:
    ours, theirs = rows_of("a", flat(0.0)), rows_of("b", flat(0.0))
    for difference, told in (
        ([-0.02, 0.01, 0.0, -0.01, 0.005], "a reads 0.30 points less than b (95 %: -1.2 to 1.8;"),
        ([1.0, 0.99, 0.98, 0.97, 0.96], "a reads 98.0 points more than b (95 %: 96.0 to 100.0;"),
        ([0.25] * 5, "a reads 25.0 points more than b (the same with every seed; five seeds,"),
    ):
        made = {("a", seed): 0.5 + d for seed, d in enumerate(difference)} | {
            ("b", seed): 0.5 for seed in range(5)
        }
        found = race(
            [replace(r, test=made.get((r.arm, r.seed), 0.5)) for r in ours],
            [replace(r, test=0.5) for r in theirs],
        )
        low, high = rules.interval(difference)
        assert found._sentence("a", "b", float(np.mean(difference)), low, high, 5).startswith(told)


def test_a_perfect_score_at_many_rates_is_no_edge_and_no_two_groups() -> None:
    def search(*scores):
        return [replace(ROW, rate=10.0**-n, validation=s) for n, s in enumerate(scores)]

    assert rules.at_edge(search(1.0, 1.0, 1.0, 1.0)) is None
    assert rules.best_rate(search(0.9, 1.0, 1.0, 1.0)) == 0.01
    assert rules.at_edge(search(1.0, 0.9, 0.9)) == "highest"
    perfect = rows_of("b", lambda n, rng: (1.0, 1.0, 1.0))
    assert race(rows_of("a", flat(0.9)), perfect).lead("b", over="a").low > 0.05


@pytest.mark.parametrize(("examples", "share"), [(50, 0.98), (90, 0.97), (445, 0.97), (10_000, 0.98)])
def test_few_test_examples_do_not_make_two_groups_of_seeds(examples: int, share: float) -> None:
    rng = np.random.default_rng(0)
    arm = [
        r
        for r in rows_of("a", flat(noise=0.0))
        if r.kind == "search" or r.epochs == 20 or r.kind == "verdict"
    ]
    seen = 0
    for _ in range(200):
        tests = rng.binomial(examples, share, 5) / examples
        rows = [
            r
            if r.kind == "search"
            else replace(r, test=tests[r.seed], validation=share, examples=f"100/100/{examples}")
            for r in arm
        ]
        seen += any("two groups" in sentence for sentence in race(rows).refusals("a"))
    assert seen <= 4


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_t3"])
def test_the_interval_of_two_equal_arms_keeps_its_word_when_seeds_are_not_normal(draw: str) -> None:
    rng = np.random.default_rng(1)
    sample = {
        "normal": rng.normal,
        "exponential": rng.exponential,
        "standard_t3": partial(rng.standard_t, 3),
    }[draw]
    pairs = sample(size=(2_000, 5)) - sample(size=(2_000, 5))
    covered = np.mean([low <= 0 <= high for low, high in map(rules.interval, pairs)])
    assert 0.94 <= covered <= 0.98


def adding(step: float):
    def fit(x, y, **_):
        return step

    return fit


def told(fit, predict=LINE.predict) -> str:
    return learners.fingerprint(Learner(fit, predict))


def test_learners_of_one_name_that_do_different_things_are_told_apart() -> None:
    assert told(adding(1)) == told(adding(1)) != told(adding(2))
    assert told(partial(adding, 1)) == told(partial(adding, 1)) != told(partial(adding, 2))
    assert told(adding(np.ones(3))) != told(adding(np.zeros(3)))


def test_networks_of_one_configuration_that_begin_or_learn_differently_are_told_apart() -> None:
    def zeroed(seed: int) -> keras.Model:
        model = dense(seed)
        model.set_weights([0 * weight for weight in model.get_weights()])
        return model

    def frozen(seed: int) -> keras.Model:
        model = dense(seed)
        model.layers[0].trainable = False
        return model

    assert len({learners.fingerprint(arm) for arm in (dense, zeroed, frozen, partial(dense, units=9))}) == 4
    assert learners.fingerprint(dense) == learners.fingerprint(dense)


def test_layers_of_the_user_that_compute_differently_are_told_apart() -> None:
    def arm(times: float):
        class Times(keras.layers.Layer):
            def call(self, inputs):
                return times * inputs

        def model(seed: int) -> keras.Model:
            inputs = keras.Input((5,))
            return keras.Model(inputs, Times(name="times")(inputs))

        return model

    assert learners.fingerprint(arm(2.0)) == learners.fingerprint(arm(2.0)) != learners.fingerprint(arm(3.0))


def test_a_learner_looks_through_a_function_at_what_it_learns_and_at_what_it_is_asked() -> None:
    x, y = np.array([[1.0, 5.0], [3.0, -5.0]]), np.array([0, 1])
    first = trials.nearest().through(lambda x: x[:, :1])
    assert list(first.predict(first.fit(x, y), np.array([[3.0, 5.0]]))) == [1]
    assert (first.has_rate, first.has_budget) == (False, False)
    with_rate = LINE.through(np.negative)
    assert with_rate.has_rate == LINE.has_rate
    assert learners.fingerprint(first) != learners.fingerprint(trials.nearest().through(lambda x: x[:, 1:]))


def test_losses_of_one_name_that_differ_are_told_apart_and_a_function_is_the_same_in_each_process() -> None:
    def settings(loss) -> str:
        return str(learners.settings(Training(loss=loss)))

    assert (
        settings(keras.losses.Huber(1.0))
        == settings(keras.losses.Huber(1.0))
        != settings(keras.losses.Huber(2.0))
    )
    assert " at 0x" not in settings(adding(1)) and settings(adding(1)) != settings(adding(2))


def test_another_arm_under_the_same_name_does_not_go_on_with_its_rows_and_a_new_arm_may_join(
    tmp_path: Path,
) -> None:
    make(tmp_path, arms={"net": LINE}).run(progress=False)
    before = scores_of(table.Table(tmp_path / "small.csv").rows)
    other = Learner(LINE.fit, lambda w, x: 1 - LINE.predict(w, x))
    with pytest.raises(TrialError, match="was recorded with the settings of 'net'"):
        make(tmp_path, arms={"net": other}).run(progress=False)
    found = make(tmp_path, arms={"net": LINE, "new": other}).run(progress=False)
    assert found.arms == ["net", "new"] and scores_of(r for r in found.rows if r.arm != "new") == before
    with pytest.raises(TrialError, match="holds the arm 'new', which this trial does not have"):
        make(tmp_path, arms={"net": LINE}).run(progress=False)


def test_a_rival_that_is_added_later_or_was_not_reached_is_run(tmp_path: Path) -> None:
    make(tmp_path).run(progress=False)
    kept = table.Table(tmp_path / "small.csv")
    kept.rows = [row for row in kept.rows if row.arm != "nearest neighbour"]
    kept.tidy()
    found = make(
        tmp_path, rivals={"ones": Learner(lambda x, y, **_: 0, lambda f, x: np.ones(len(x), int))}
    ).run(progress=False)
    assert set(found.rivals) == {"majority", "nearest neighbour", "linear, raw values", "ones"}


def test_a_race_is_read_alike_without_the_file_that_describes_it(tmp_path: Path) -> None:
    score = trials.Score("share", trials.ACCURACY.measure, scale=100.0, unit="points")
    once = Learner(
        lambda x, y, seed, **_: LINE.fit(x, y, 1.0, 50, seed), LINE.predict, has_rate=False, has_budget=False
    )
    found = make(tmp_path, arms={"b": LINE, "a": once}, seeds=5, score=score).run(progress=False)
    alone = trials.recorded("small", tmp_path)
    assert alone.arms == found.arms == ["b", "a"]
    assert alone.trial is None and alone.score.name == "share"
    assert alone.refusals("a") == found.refusals("a") == [] and alone.alt == found.alt


def test_a_table_cut_at_any_byte_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    rows = [replace(row, arm='a, "β"', score="R²") for row in rows_of("a", flat())[:3]]
    for count in (1, 3):
        whole = written(file, rows[:count])
        for cut in range(max(0, len(whole) - 300), len(whole) + 1, 4):
            file.write_bytes(whole[:cut])
            assert written(file, rows[len(table.Table(file).rows) : count]) == whole
        file.unlink()


def written(file: Path, rows: list[table.Row]) -> bytes:
    kept = table.Table(file)
    with kept.locked():
        for row in rows:
            kept.add(row)
    return file.read_bytes()


def test_beginning_again_twice_keeps_both_old_tables_and_waits_for_nobody_elses(tmp_path: Path) -> None:
    first = make(tmp_path, seeds=2).run(progress=False)
    make(tmp_path, seeds=3).run(fresh=True, progress=False)
    make(tmp_path, seeds=2).run(fresh=True, progress=False)
    assert len(table.Table(tmp_path / "small.csv.old").rows) == len(first.rows)
    assert (tmp_path / "small.csv.old2").exists()
    before = (tmp_path / "small.csv").read_bytes()
    with (
        table.Table(tmp_path / "small.csv").locked(),
        pytest.raises(TrialError, match="is running this trial"),
    ):
        make(tmp_path).run(fresh=True, progress=False)
    assert (tmp_path / "small.csv").read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrialError, match=r"file/deeper cannot be written to .* let folder= name another"):
        make(tmp_path / "file" / "deeper").run(progress=False)


def test_a_disk_that_is_really_full_keeps_whole_rows(tmp_path: Path) -> None:
    process = get_context("fork").Process(target=_until_full, args=(tmp_path / "p.csv",))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert 0 < len(table.Table(tmp_path / "p.csv").rows) < 20
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def _until_full(file: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
    try:
        written(file, rows_of("a", flat()))
    except TrialError as error:
        os._exit(0 if "could not be written" in str(error) else 1)
    os._exit(2)


def test_four_processes_that_begin_at_one_instant_enter_one_at_a_time(tmp_path: Path) -> None:
    context = get_context("fork")
    for left_behind in ("", "999999999"):  # nothing, or the lock of a process that was killed
        if left_behind:
            (tmp_path / "p.csv.lock").write_text(left_behind)
        start, inside, most = context.Barrier(4), context.Value("i", 0), context.Value("i", 0)
        own = [context.Process(target=_enter, args=(tmp_path, start, inside, most)) for _ in range(4)]
        for process in own:
            process.start()
        for process in own:
            process.join()
        assert most.value == 1


def _enter(folder: Path, start, inside, most) -> None:
    kept = table.Table(folder / "p.csv")
    start.wait()
    try:
        with kept.locked():
            with inside.get_lock():
                inside.value += 1
                most.value = max(most.value, inside.value)
            time.sleep(0.01)
            with inside.get_lock():
                inside.value -= 1
    except TrialError:
        pass
    os._exit(0)


def test_yes_and_no_and_labels_in_a_column_are_classes() -> None:
    (x, y), (x_test, y_test) = blobs()
    for made in (lambda labels: labels[:, None], lambda labels: labels == 1):
        data = trials.split(((x, made(y)), (x_test, made(y_test))), train=120, validation=80)
        assert data.asks_for_classes and data.parts["train"][1].shape == (120,)


def test_a_probability_is_refused_only_where_the_loss_applies_the_softmax() -> None:
    arm = lambda seed: keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])  # noqa: E731
    learners.check_arm("x", arm, parts(), Training(loss="sparse_categorical_crossentropy"))
    with pytest.raises(TrialError, match="ends in probabilities"):
        learners.check_arm("x", arm, parts(), Training())


def test_numbers_in_another_order_than_the_targets_are_refused() -> None:
    (x, _), (x_test, _) = blobs()
    data = trials.split(((x, x), (x_test, x_test)), train=120, validation=80)
    for shape in ((2, 2), (4, 1, 1)):
        arm = lambda seed, s=shape: keras.Sequential(  # noqa: E731
            [keras.Input((4,)), keras.layers.Dense(4), keras.layers.Reshape(s)]
        )
        with pytest.raises(TrialError, match="gives outputs of shape"):
            learners.check_arm("x", arm, data, Training())


def test_a_score_that_is_no_number_is_named(tmp_path: Path) -> None:
    score = trials.Score("odd", lambda y, outputs: float("nan"))
    with pytest.raises(TrialError, match="the score 'odd' is NaN"):
        make(tmp_path, score=score).run(progress=False)


def test_an_arm_that_explodes_can_be_drawn_beside_others() -> None:
    bad = rows_of("b", lambda n, rng: 3 * (float("-inf"),))
    fig = race(rows_of("a", flat()), bad).figure()
    assert "◂ exploded" in [t.get_text() for t in fig.axes[0].texts]


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        (lambda x: 0, r"int64 of shape \(\) for 120 examples"),
        (lambda x: None, r"object of shape \(\)"),
        (lambda x: np.zeros(3), r"float64 of shape \(3,\)"),
        (lambda x: np.array(["a"] * len(x)), "<U1 of shape"),
    ],
)
def test_an_arm_that_predicts_no_row_of_numbers_for_each_example_is_named(outputs, told, tmp_path) -> None:
    arm = Learner(lambda x, y, **_: None, lambda fitted, x: outputs(x))
    message = f"arm 'odd' of trial 'small' fails with seed 1000 at rate 0.01: ValueError: it predicts {told}"
    with pytest.raises(TrialError, match=message):
        make(tmp_path, arms={"odd": arm}).run(progress=False)

"""Trials that really run, small: rates, budgets, tables, kills, and what bad input gets."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import trials
from cnnkit.trials import Learner, Training, TrialError, table
from tests.layering import ROOT

QUICK = Training(epochs=2, batch_size=50)


def blobs(seed: int = 0, count: int = 400) -> tuple:
    """Two clouds that a line parts, nearly."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    x = (rng.normal(size=(count, 4)) + 1.2 * y[:, None]).astype("float32")
    return (x[: count // 2], y[: count // 2]), (x[count // 2 :], y[count // 2 :])


def parts(**options) -> trials.Split:
    return trials.split(blobs(), **{"train": 120, "validation": 80, "name": "blobs", **options})


def dense(seed: int, units: int = 8) -> keras.Model:
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(2)]
    )


def descend(x, y, rate, epochs, seed):
    """Logistic regression by gradient descent, in NumPy: an arm that takes a thousandth of a second."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=x.shape[1] + 1)
    x = np.c_[x, np.ones(len(x))]
    for _ in range(10 * epochs):
        w -= rate * x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(x)
    return w


LINE = Learner(descend, lambda w, x: (np.c_[x, np.ones(len(x))] @ w > 0).astype(int))


def shifted(by: int) -> Learner:
    """Learners whose functions have one name and do different things."""
    return Learner(partial(descend), lambda w, x: (np.c_[x, np.ones(len(x))] @ w > by).astype(int))


def make(folder: Path, name: str = "small", **options) -> trials.Trial:
    settings = {
        "arms": {"net": LINE}, "data": parts(), "rates": (0.01, 0.03, 0.1), "seeds": 2, "training": QUICK,
        "doublings": 1, "widenings": 1, "folder": folder,
    }  # fmt: skip
    return trials.trial(name, **{**settings, **options})


def scores_of(rows) -> dict:
    return {(row.kind, *row.task): (row.train, row.validation, row.test) for row in rows}


def test_a_trial_tries_each_rate_twice_and_judges_by_other_seeds_at_the_best(tmp_path) -> None:
    race = make(tmp_path).run(progress=False)
    search = [row for row in race.rows if row.kind == "search"]
    assert {row.seed for row in search} == {1000, 1001}
    assert {0.01, 0.03, 0.1} <= {row.rate for row in search}
    verdict = race.verdict_rows("net")
    assert [row.seed for row in verdict] == [0, 1]
    assert {row.rate for row in verdict} == {race.rate("net")}
    assert {row.epochs for row in race.rows if row.kind == "doubled"} >= {4}
    assert race.rivals["majority"].test < 0.7 < race.rivals["nearest neighbour"].test


def test_the_grid_widens_while_the_best_lies_at_its_edge_up_to_a_limit(tmp_path) -> None:
    learner = Learner(
        lambda x, y, rate, **_: rate, lambda rate, x: np.full(len(x), int(rate > 0)), has_budget=False
    )
    better_when_faster = trials.Score("speed", lambda y, outputs: 0.0)
    found = make(tmp_path, arms={"fast": learner}, widenings=2, score=better_when_faster)
    seen = []
    object.__setattr__(found, "outcome", lambda task: seen.append(task.rate) or _outcome(task.rate))
    race = found.run(progress=False)
    assert sorted(set(seen)) == [0.01, 0.03, 0.1, 0.3, 0.9]
    assert race.rate("fast") == 0.9
    assert any("does best at the highest rate" in sentence for sentence in race.refusals("fast"))


def _outcome(score: float) -> trials.Outcome:
    return trials.Outcome(score, score, score, 0.0, 1, 0.0)


@pytest.mark.parametrize("arm", [LINE, dense], ids=["learner", "Keras"])
def test_the_same_trial_gives_the_same_numbers_and_runs_nothing_twice(arm, tmp_path) -> None:
    first = make(tmp_path / "one", arms={"net": arm}, widenings=0, rates=(0.01, 0.03)).run(progress=False)
    second = make(tmp_path / "two", arms={"net": arm}, widenings=0, rates=(0.01, 0.03)).run(progress=False)
    assert scores_of(first.rows) == scores_of(second.rows)
    before = (tmp_path / "one" / "small.csv").read_text()
    make(tmp_path / "one", arms={"net": arm}, widenings=0, rates=(0.01, 0.03)).run(progress=False)
    assert (tmp_path / "one" / "small.csv").read_text() == before


def test_one_row_run_again_holds_the_table_and_finds_a_table_of_other_code(tmp_path, capsys) -> None:
    race = make(tmp_path).run(progress=False)
    race.again("net", seed=1)
    assert "✓ net, seed 1, run again" in capsys.readouterr().out
    forged = table.Table(tmp_path / "small.csv")  # by someone who knows how to write the last column
    forged.rows = [replace(row, test=0.01) if row.kind != "search" else row for row in forged.rows]
    forged.tidy()
    with pytest.raises(TrialError, match="the table is not of this code"):
        make(tmp_path).race().again("net", seed=1)


def test_one_row_run_again_refuses_the_row_of_another_arm(tmp_path) -> None:
    make(tmp_path, arms={"net": shifted(0)}).run(progress=False)
    with pytest.raises(TrialError, match="'net' of trial 'small' was recorded with other settings"):
        make(tmp_path, arms={"net": shifted(1)}).race().again("net", seed=1)


def test_a_number_changed_by_hand_and_a_row_copied_are_seen(tmp_path) -> None:
    make(tmp_path).run(progress=False)
    file = tmp_path / "small.csv"
    whole = file.read_text()
    line = next(line for line in whole.splitlines() if ",verdict," in line)
    values = line.split(",")
    values[table.COLUMNS.index("test")] = "0.999"
    file.write_text(whole.replace(line, ",".join(values)))
    with pytest.raises(TrialError, match="its numbers are not those that were recorded"):
        make(tmp_path).race()
    file.write_text(whole + line + "\n")
    with pytest.raises(TrialError, match="holds a row twice: arm 'net'"):
        make(tmp_path).race()


def test_data_that_cannot_be_had_is_said_and_the_chapter_goes_on(tmp_path, capsys) -> None:
    from cnnkit.data import DataUnavailable

    race = make(tmp_path).run(progress=False)

    def absent() -> None:
        raise DataUnavailable("blobs cannot be had")

    race.trial = make(tmp_path, data=trials.split(absent))
    race.again("net")
    assert capsys.readouterr().out.startswith("NOT RUN AGAIN: the data of trial 'small' cannot be had here")


SCRIPT = """
import keras
from cnnkit import trials
from tests.trials.test_running import QUICK, dense, parts
race = trials.trial("scripted", arms={{"net": dense}}, data=parts(), rates=(0.01, 0.03, 0.1), seeds=2,
                    training=QUICK, doublings=1, widenings=0, folder={folder!r})
if __name__ == "__main__":
    raise SystemExit(trials.main())
"""


def script(folder: Path) -> list[str]:
    (folder / "scripted_trials.py").write_text(SCRIPT.format(folder=str(folder)))
    return [sys.executable, str(folder / "scripted_trials.py")]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.mark.slow  # three processes that import a backend each, twice
def test_a_trial_that_was_killed_goes_on_with_the_same_numbers(tmp_path) -> None:
    command, file = script(tmp_path), tmp_path / "scripted.csv"
    first = subprocess.Popen(command, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while time.time() < deadline and (not file.exists() or file.read_text().count(",search,") < 2):
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = file.read_text().splitlines()[1:]
    assert (tmp_path / "scripted.csv.lock").exists()
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = table.Table(file).rows
    assert {line.rsplit(",", 8)[0] for line in kept[:-1]} <= {
        line.rsplit(",", 8)[0] for line in file.read_text().splitlines()
    }
    whole = make(tmp_path / "again", name="scripted", arms={"net": dense}, widenings=0).run(progress=False)
    near = {key: np.round(value, 3) for key, value in scores_of(whole.rows).items()}
    assert scores_of(rows).keys() == near.keys()
    for key, value in scores_of(rows).items():
        assert np.allclose(value, near[key], atol=0.02), key


def test_a_csv_cut_in_the_middle_of_a_row_loses_that_row_alone(tmp_path) -> None:
    race = make(tmp_path).run(progress=False)
    file = tmp_path / "small.csv"
    file.write_bytes(file.read_bytes()[:-40])
    assert len(table.Table(file).rows) == len(race.rows) - 1
    assert scores_of(make(tmp_path).run(progress=False).rows) == scores_of(race.rows)


def test_a_file_that_is_no_table_is_refused_and_left_alone(tmp_path) -> None:
    (tmp_path / "small.csv").write_text("name,age\nAda,36\n")
    with pytest.raises(TrialError, match="is not the table of a trial"):
        make(tmp_path).run(progress=False)
    assert (tmp_path / "small.csv").read_text() == "name,age\nAda,36\n"


def test_other_settings_or_versions_do_not_mix(tmp_path, monkeypatch) -> None:
    make(tmp_path).run(progress=False)
    before = (tmp_path / "small.csv").read_text()
    with pytest.raises(TrialError, match="was recorded with the settings"):
        make(tmp_path, training=Training(epochs=3, batch_size=50)).run(progress=False)
    with pytest.raises(TrialError, match="was recorded with the settings"):
        make(tmp_path, arms={"net": dense}).run(progress=False)
    monkeypatch.setattr("cnnkit.trials.definition.about", lambda: {"versions": "Keras 4", "hardware": "h"})
    with pytest.raises(TrialError, match=r"with the versions 'Keras 3.*and this run has 'Keras 4'"):
        make(tmp_path).run(progress=False)
    assert (tmp_path / "small.csv").read_text() == before
    make(tmp_path).run(fresh=True, progress=False)
    assert (tmp_path / "small.csv.old").read_text() == before


def test_two_processes_do_not_write_one_table(tmp_path) -> None:
    own = make(tmp_path)
    with (
        table.Table(own.path).locked(),
        pytest.raises(TrialError, match=f"process {os.getpid()} is running this trial"),
    ):
        own.run(progress=False)
    assert not own.path.with_suffix(".csv.lock").exists()
    own.path.with_suffix(".csv.lock").write_text("999999999")  # left by a process that was killed
    own.run(progress=False)


def test_a_full_disk_loses_no_row_and_leaves_no_half_row(tmp_path, monkeypatch) -> None:
    fsync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        TrialError,
        match=r"could not be written .* \(No space left on device\); the 5 rows before it are kept",
    ):
        make(tmp_path).run(progress=False)
    assert len(table.Table(tmp_path / "small.csv").rows) == 5
    assert (tmp_path / "small.csv").read_text().endswith("\n")


def raising(seed: int) -> keras.Model:
    raise RuntimeError("no such layer")


class Moody:
    """Fits twice, and then no more."""

    count = 0

    def fit(self, x, y, **_):
        Moody.count += 1
        if Moody.count > 2:
            raise ZeroDivisionError("out of luck")

    def predict(self, fitted, x):
        return np.zeros(len(x), int)


def test_an_arm_that_raises_is_named_with_its_seed_and_the_rows_before_it_are_kept(tmp_path) -> None:
    moody = Moody()
    with pytest.raises(
        TrialError, match=r"arm 'moody' of trial 'small' fails with seed 1000 at rate 0.03: ZeroDivisionError"
    ):
        make(tmp_path, arms={"moody": Learner(moody.fit, moody.predict)}).run(progress=False)
    assert sum(row.kind == "search" for row in table.Table(tmp_path / "small.csv").rows) == 2


WRONG_ARMS = {
    "raises": (raising, "arm 'x' cannot be made or called: RuntimeError: no such layer"),
    "gives no model": (lambda seed: 3, "returned int"),
    "has too few outputs": (
        lambda seed: keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]),
        r"gives outputs of shape \(2, 1\) for two examples; blobs asks for \(2, 2\)",
    ),
    "ends in a softmax": (
        lambda seed: keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")]),
        "ends in probabilities",
    ),
}


@pytest.mark.parametrize("case", WRONG_ARMS)
def test_an_arm_that_does_not_fit_is_refused_before_anything_is_trained(case, tmp_path) -> None:
    arm, message = WRONG_ARMS[case]
    with pytest.raises(TrialError, match=message):
        make(tmp_path, arms={"x": arm}).run(progress=False)
    assert not (tmp_path / "small.csv").exists()


def with_nan() -> tuple:
    (x, y), test = blobs()
    x = x.copy()
    x[3, 1] = np.nan
    return (x, y), test


def leaked() -> tuple:
    (x, y), _ = blobs()
    return (x, y), (x, y)


WRONG_DATA = {
    "one class": (
        lambda: ((np.ones((9, 4)) * np.arange(9)[:, None], np.zeros(9, int)), blobs()[1]),
        "one class",
    ),
    "an empty test part": (
        lambda: (blobs()[0], (np.ones((0, 4)), np.zeros(0, int))),
        "the test part of data is empty",
    ),
    "NaN": (with_nan, "hold NaN or infinity in 1 of"),
    "the test set in the training set": (leaked, "stand in the training part too: the test set has leaked"),
    "no pair of pairs": (lambda: np.ones((3, 4)), r"a split is made of \(\(x, y\), \(x_test, y_test\)\)"),
    "unequal lengths": (
        lambda: (blobs()[0], (np.ones((3, 4)), np.zeros(2, int))),
        "3 examples and 2 targets",
    ),
    "labels from -1": (lambda: ((blobs()[0][0], blobs()[0][1] - 1), blobs()[1]), "begin at -1"),
    "a class unseen": (lambda: (blobs()[0], (blobs()[1][0], blobs()[1][1] + 5)), "has the class 6"),
    "one-hot targets": (
        lambda: tuple((x, np.eye(2)[y]) for x, y in blobs()),
        r"the targets of data are one-hot: give the labels themselves, y.argmax\(axis=-1\)",
    ),
    "names for classes": (
        lambda: ((blobs()[0][0], blobs()[0][1].astype(str)), blobs()[1]),
        "train targets of data are of dtype <U",
    ),
    "examples of another shape": (
        lambda: (blobs()[0], (blobs()[1][0][:, :3], blobs()[1][1])),
        r"the test examples of data have the shape \(3,\) each, and those of training \(4,\)",
    ),
    "the test set in the training set, as other numbers": (
        lambda: (blobs()[0], (blobs()[0][0].astype("float64"), blobs()[0][1])),
        "the test set has leaked",
    ),
    "a constant test part": (
        lambda: ((blobs()[0][0], blobs()[0][0][:, 0]), (blobs()[1][0], np.full(200, 2.5))),
        "every test target of data is 2.5",
    ),
    "constant numbers": (
        lambda: ((blobs()[0][0], np.full(200, 2.5)), blobs()[1]),
        "every training target of data is 2.5",
    ),
}


@pytest.mark.parametrize("case", WRONG_DATA)
def test_data_on_which_nothing_can_be_compared_are_refused(case) -> None:
    source, message = WRONG_DATA[case]
    few = {"train": 6, "validation": 3} if case == "one class" else {"train": 190, "validation": 10}
    with pytest.raises(TrialError, match=message):
        trials.split(source, **few).sizes  # noqa: B018 - read now


def test_a_split_that_asks_for_more_than_there_is_says_so() -> None:
    with pytest.raises(TrialError, match="train=150 and validation=80 are 230 examples, and there are 200"):
        parts(train=150).sizes  # noqa: B018 - read now


def test_the_parts_share_no_example_and_a_seed_draws_others() -> None:
    (x, y), (_, y_test) = blobs()
    x, test = np.arange(len(x))[:, None], (-1 - np.arange(len(y_test))[:, None], y_test)
    one = trials.split(((x, y), test), train=120, validation=80)
    assert not set(one.parts["train"][0].ravel()) & set(one.parts["validation"][0].ravel())
    other = trials.split(((x, y), test), train=120, validation=80, seed=1)
    assert one.digest != other.digest == trials.split(((x, y), test), train=120, validation=80, seed=1).digest


WRONG_TRIALS = [
    ({"rates": (0.1, 0.01)}, "rising order"),
    ({"rates": (0.0, 0.1)}, "above zero"),
    ({"arms": {}}, "has no arms"),
    ({"seeds": 1}, "at least two seeds"),
    ({"arms": {"majority": dense}}, "an arm and a rival of one name: majority"),
    (
        {"arms": {"net": 3}},
        "arm 'net' of trial 'small' is of type int: an arm is a function seed -> keras.Model",
    ),
    ({"arms": {"a\nb": LINE}}, "give it a name that can be printed"),
    ({"name": "../small"}, "'../small' is no name for a file"),
    ({"data": blobs()}, r"takes its data from trials.split\(...\), not a tuple"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_TRIALS, ids=lambda value: None)
def test_a_trial_described_wrongly_is_refused(change, message, tmp_path) -> None:
    with pytest.raises(TrialError, match=message):
        make(tmp_path, **change)


def test_numbers_maps_and_series_can_be_tried_too(tmp_path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6, 6, 1)).astype("float32")
    maps = (x[..., 0] > 0).astype(int)
    numbers = x.mean(axis=(1, 2, 3)).astype("float32")
    steps = np.cumsum(rng.normal(size=(120, 9)), axis=1).astype("float32")

    def pixelwise(seed: int) -> keras.Model:
        return keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 1)])

    def mean(seed: int) -> keras.Model:
        return keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])

    def forecast(seed: int) -> keras.Model:
        return keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])

    made = {
        "maps": (pixelwise, x, maps, {"local threshold": trials.local_threshold(5)}),
        "numbers": (mean, x, numbers, {}),
        "series": (forecast, steps[:, :-1], steps[:, -1], {"last value": trials.last_value()}),
    }
    for name, (arm, given, wanted, rivals) in made.items():
        data = trials.split(
            ((given[:80], wanted[:80]), (given[80:], wanted[80:])), train=50, validation=30, name=name
        )
        race = make(
            tmp_path,
            name=name,
            arms={"net": arm},
            data=data,
            rivals=rivals,
            rates=(0.03,),
            widenings=0,
            settle=False,
            training=Training(epochs=30, batch_size=10),
        )
        found = race.run(progress=False)
        assert found.verdict_rows("net")[0].train > found.rivals["majority"].train
        assert set(rivals) <= set(found.rivals)
    assert found.rivals["last value"].test > 0.8


def test_a_template_that_slides_reads_shifted_patterns() -> None:
    rng = np.random.default_rng(0)
    templates = rng.uniform(size=(3, 4, 4))
    x, y = 1e-3 * rng.uniform(size=(60, 10, 10, 1)), rng.integers(0, 3, 60)
    for image, label in zip(x, y, strict=True):
        r, c = rng.integers(0, 7, 2)
        image[r : r + 4, c : c + 4, 0] = templates[label]
    data = trials.split(((x[:40], y[:40]), (x[40:], y[40:])), train=25, validation=15)
    found = trials.rivals(data, {"sliding template": trials.sliding_template(templates)})
    assert found["sliding template"].test == 1.0 > found["nearest neighbour"].test
    with pytest.raises(TrialError, match=r"templates of \(12, 12\) do not fit"):
        trials.rivals(data, {"t": trials.sliding_template(np.ones((3, 12, 12)))})


def test_an_unknown_trial_is_told_the_nearest(tmp_path) -> None:
    script(tmp_path)
    assert list(trials.described(tmp_path)) == ["scripted_trials"]
    assert trials.find("scripted", tmp_path).name == "scripted"
    with pytest.raises(TrialError, match="did you mean 'scripted'"):
        trials.find("scriptet", tmp_path)
    with pytest.raises(TrialError, match="no recorded trial is called"):
        trials.recorded("nowhere", tmp_path)


def test_the_command_runs_lists_and_shows_trials(tmp_path, capsys) -> None:
    from cnnkit import cli

    text = SCRIPT.format(folder=str(tmp_path)).replace("dense", "LINE")
    (tmp_path / "scripted_trials.py").write_text(text)
    assert cli.main(["trial", "list", "--folder", str(tmp_path)]) == 0
    assert "(not run yet)" in capsys.readouterr().out
    assert cli.main(["trial", "run", "scripted", "--jobs", "1", "--folder", str(tmp_path)]) == 0
    ran = capsys.readouterr().out
    assert "net" in ran and "majority" in ran and "! 'net' has 2 seeds, and a verdict takes 5" in ran
    assert cli.main(["trial", "show", "scripted", "--json", "--folder", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {row["arm"] for row in shown["arms"]} >= {"net", "majority"} and shown["refusals"]["net"]
    assert cli.main(["trial", "run", "scriptet", "--folder", str(tmp_path)]) == 2
    assert "did you mean 'scripted'" in capsys.readouterr().err

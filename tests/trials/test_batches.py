"""A learner whose batches are not the trial's."""

from __future__ import annotations

from dataclasses import replace

from tests.trials.test_running import LINE, QUICK, make, parts


def test_the_steps_of_a_learner_with_a_batch_of_its_own_are_counted_by_it(tmp_path) -> None:
    alone = replace(LINE, batch_size=1)
    found = make(tmp_path, arms={"net": LINE, "alone": alone}, settle=False).run(progress=False)
    steps = {arm: found.verdict_rows(arm)[0].steps for arm in ("net", "alone")}
    assert steps["alone"] == QUICK.epochs * len(parts().parts["train"][0]) > steps["net"]
    assert (
        len({row.settings for row in found.rows if row.arm in ("net", "alone")}) == 1
    )  # told by what it does

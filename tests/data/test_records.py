"""Recorded results are found by their names."""

from __future__ import annotations

import pytest

from cnnkit import data


def test_the_ablation_has_eight_nets_two_tasks_and_five_seeds_and_names_its_recipe():
    table = data.recorded("digits-ablation-5-seeds")
    assert len(table) == 8 * 2 * 5 and table.groupby(["task", "net"]).seed.nunique().eq(5).all()
    within = table[~table.net.str.contains("as wide")]
    assert (within.parameters <= 6500).all() and (table.parameters > 6500).any()
    assert table.test_accuracy.between(0, 1).all()
    assert table.recipe.str.contains("epochs").all() and table.versions.str.contains("Keras").all()


def test_an_unknown_table_gets_the_nearest_name():
    with pytest.raises(KeyError, match="did you mean 'digits-ablation-5-seeds'"):
        data.recorded("digits-ablation-seeds")

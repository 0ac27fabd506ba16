"""Where the axes of a value go, on paper."""

from __future__ import annotations

import pytest

from cnnkit.insight.moves import regroup
from cnnkit.insight.reach import IDENTITY


@pytest.mark.parametrize(
    ("shape", "output", "lives_on"),
    [
        ((None, 12, 8, 3), (None, 12, 8, 3), {1: 1, 2: 2, 3: 3}),
        ((None, 12, 8, 3), (None, 12, 24), {1: 1}),
        ((None, 12, 24), (None, 12, 8, 3), {1: 1}),
        ((None, 12, 8), (None, 1, 12, 8, 1), {1: 2, 2: 3}),
        ((None, 1, 12, 8), (None, 12, 8), {2: 1, 3: 2}),
        ((None, 6, 4, 5), (None, 24, 5), {3: 2}),
        ((None, 24, 5), (None, 6, 4, 5), {2: 3}),
        ((None, 4, 6, 5), (None, 8, 3, 5), {3: 3}),
        ((None, 2, 3, 4, 5), (None, 6, 20), {}),
        ((None, 12, 8, 3), (None, 288), {}),
        ((None, None, 8, 3), (None, None, 24), {1: 1}),
        ((None, 4, None, 3), (None, 12, None), {}),
        ((None, 12, None), (None, 4, None, 3), {}),
        ((None, None, 3), (None, 3), {}),
    ],
)
def test_of_a_reshaped_value_those_axes_live_on_that_stand_alone_in_both_shapes(shape, output, lives_on):
    maps = regroup(shape, output)
    assert {axis: target for axis, (target, _) in maps.items()} == lives_on
    assert all(reach == IDENTITY for _, reach in maps.values())

"""How partially connected layers begin: each map's kernels by the numbers that reach it."""

from __future__ import annotations

import numpy as np
from keras import ops

from cnnkit.layers import PartiallyConnected2D


def test_kernels_begin_by_how_many_numbers_reach_their_map() -> None:
    table = np.zeros((6, 40), int)
    table[0, :20] = table[:, 20:] = 1  # the first twenty maps are joined to one input map, the others to six
    layer = PartiallyConnected2D(table, 5)
    layer.build((None, 8, 8, 6))
    kernels = np.abs(ops.convert_to_numpy(layer.kernel)).reshape(25, -1)
    by_one = np.nonzero(table)[1] < 20
    largest = [kernels[:, by_one].max(), kernels[:, ~by_one].max()]
    np.testing.assert_allclose(largest, [2.4 / 25, 2.4 / 150], rtol=0.03)

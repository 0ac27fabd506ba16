"""Images that a layer cannot take are refused before an operation of the backend fails."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.layers import CCell, SCell, TrainableSubsampling2D


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: SCell(2), (1, 3, 9, 1), r"a window of \(5, 5\) does not fit into sides of \(3, 9\)"),
        (lambda: CCell(padding=0), (1, 9, 4, 2), r"a window of \(5, 5\) does not fit into sides of \(9, 4\)"),
        (lambda: TrainableSubsampling2D(2), (1, 1, 8, 3), "a side of 1 is smaller than the window of 2"),
    ],
)
def test_an_image_below_the_window_is_refused_in_words(make, shape, words) -> None:
    with pytest.raises(ValueError, match=words):
        make()(np.ones(shape, "float32"))


def test_a_padding_that_makes_room_is_enough() -> None:
    assert tuple(SCell(2, padding=1)(np.ones((1, 3, 3, 1), "float32")).shape) == (1, 1, 1, 2)

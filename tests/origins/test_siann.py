"""Zhang's network: shifted pictures give shifted planes, and without its last layer it segments."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import data
from cnnkit.origins import siann, siann_segmenter


def test_shifted_letters_give_shifted_planes() -> None:
    model = siann(input_shape=(24, 24, 1))
    planes = keras.Model(model.input, model.get_layer("planes2").output)
    field = np.zeros((2, 24, 24, 1), "float32")
    field[0, 6:13, 6:11] = field[1, 9:16, 8:13] = data.letter("R")
    one, two = keras.ops.convert_to_numpy(planes(field))
    np.testing.assert_allclose(two[7:19, 6:18], one[4:16, 4:16], atol=1e-5)
    scores = keras.ops.convert_to_numpy(model(field))
    assert np.abs(scores[0] - scores[1]).max() > 1e-3  # the last layer is not indifferent to place


def test_it_learns_letters() -> None:
    x, y = data.letters(26, 16)
    keras.utils.set_random_seed(0)
    model = siann()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss)
    model.fit(x, y, batch_size=26, epochs=40, verbose=0)
    assert np.mean(keras.ops.convert_to_numpy(model(x)).argmax(axis=1) == y) > 0.9


def test_the_segmenter_takes_any_size_and_answers_for_every_pixel() -> None:
    model = siann_segmenter(planes=(4,))
    assert model.count_params() == 4 * 26 + 101
    for shape in ((1, 9, 14, 1), (2, 20, 11, 1)):
        assert tuple(model(np.zeros(shape, "float32")).shape) == shape


@pytest.mark.parametrize("options", [{"planes": ()}, {"kernel_size": 4}])
def test_kernels_without_a_middle_and_networks_without_planes_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="an odd kernel"):
        siann_segmenter(**options)

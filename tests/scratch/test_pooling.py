import keras
import numpy as np
import pytest

from cnnkit import gradients
from cnnkit.scratch import average_pool2d, average_pool2d_backward, max_pool2d, max_pool2d_backward

POOLS = {
    "max": (max_pool2d, max_pool2d_backward, keras.ops.max_pool),
    "average": (average_pool2d, average_pool2d_backward, keras.ops.average_pool),
}
GEOMETRIES = [(k, s, p) for k, s in [(2, 2), (3, 2), (3, 1), (2, 3)] for p in ("same", "valid")]


@pytest.mark.parametrize(("size", "stride", "padding"), GEOMETRIES)
@pytest.mark.parametrize("kind", POOLS)
def test_pooling_gives_the_values_and_gradients_of_keras(kind, size, stride, padding):
    forward, backward, by_keras = POOLS[kind]
    x = np.random.default_rng(0).normal(size=(2, 7, 9, 3)).astype("float32") - 3  # below the padding's zeros
    y = forward(x, size, stride, padding)
    np.testing.assert_allclose(y, keras.ops.convert_to_numpy(by_keras(x, size, stride, padding)), atol=1e-5)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")

    def loss(x):
        return keras.ops.sum(keras.ops.multiply(by_keras(x, size, stride, padding), dy))

    dx = gradients.gradient(loss, x)
    np.testing.assert_allclose(backward(dy, x, size, stride, padding), dx, atol=1e-5)


@pytest.mark.parametrize("kind", POOLS)
def test_gradients_of_pooling_share_out_exactly_what_comes_in(kind):
    forward, backward, _ = POOLS[kind]
    x = np.zeros((1, 6, 6, 2))  # all ties
    dy = np.arange(2.0 * forward(x, 3, 2, 1).size / 2).reshape(forward(x, 3, 2, 1).shape)
    assert np.isclose(backward(dy, x, 3, 2, 1).sum(), dy.sum())


def test_the_first_of_equal_pixels_wins_alone():
    dx = max_pool2d_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 2, 2, 1)))
    assert dx.ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("forward", [max_pool2d, average_pool2d])
def test_a_wrong_rank_is_told_what_is_needed(forward):
    with pytest.raises(ValueError, match=r"\(4, 4\).*\(batch, height, width, channels\)"):
        forward(np.ones((4, 4)))

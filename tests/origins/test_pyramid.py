"""The pyramid: the same weights at every iteration, as many as the feed-forward net, and errors that fall."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import data
from cnnkit.gradients import weight_gradients
from cnnkit.origins import abstraction_pyramid, occlude

SMALL = (4, 6, 8)


def test_more_iterations_need_no_more_weights_and_begin_alike() -> None:
    short, long = abstraction_pyramid(5, SMALL), abstraction_pyramid(8, SMALL)
    long.set_weights(short.get_weights())
    x = np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    few, many = (keras.ops.convert_to_numpy(model(x)) for model in (short, long))
    np.testing.assert_allclose(many[:, :5], few, atol=1e-6)
    assert np.abs(many[:, 7] - many[:, 4]).max() > 1e-4


def test_context_arrives_from_afar_only_after_some_iterations() -> None:
    model = abstraction_pyramid(5, SMALL, input_shape=(16, 16, 1))
    x = np.zeros((2, 16, 16, 1), "float32")
    x[1, 15, 15] = 1.0
    here = keras.ops.convert_to_numpy(model(x))[:, :, 8, 8, 0]
    moved = np.abs(here[1] - here[0])
    assert moved[:2].max() == 0.0 and moved[4] > 0.0


@pytest.mark.parametrize("recurrent", [True, False])
def test_a_gradient_reaches_every_link(recurrent: bool) -> None:
    model = abstraction_pyramid(6, SMALL, recurrent=recurrent)
    x = np.random.default_rng(1).random((2, 8, 8, 1), "float32")
    _, gradients = weight_gradients(model, lambda y: keras.ops.mean(keras.ops.square(y)), x)
    assert len(gradients) == len(abstraction_pyramid(5, SMALL, recurrent=not recurrent).trainable_weights)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_it_learns_to_repair() -> None:
    (x, _), _ = data.load("digits")
    x = x[:256]
    covered, masks = occlude(x, seed=1)
    keras.utils.set_random_seed(0)
    model = abstraction_pyramid(5, SMALL)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(covered, np.repeat(x[:, None], 5, axis=1), batch_size=32, epochs=4, verbose=0)
    repaired = keras.ops.convert_to_numpy(model(covered))
    errors = [np.mean((repaired[:, t] - x)[masks] ** 2) for t in range(5)]
    assert errors[4] < errors[0] < np.mean((covered - x)[masks] ** 2)


def test_the_square_covers_as_much_as_was_asked_and_nothing_else() -> None:
    x = np.random.default_rng(2).random((20, 8, 10, 1)).astype("float32")
    covered, masks = occlude(x, side=3)
    assert (masks.sum(axis=(1, 2)) == 9).all()
    np.testing.assert_array_equal(covered[~masks], x[~masks])
    assert (covered[masks] == 0.5).all() and (x != 0.5).all()


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        abstraction_pyramid(input_shape=(10, 8, 1))
    with pytest.raises(ValueError, match="after five iterations; got 2"):
        abstraction_pyramid(2)
    with pytest.raises(ValueError, match="side=9"):
        occlude(np.zeros((1, 8, 8, 1)), side=9)

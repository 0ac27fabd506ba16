"""The whole backward pass by hand, against autodiff, against differences, and at work."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import data, models, scratch
from cnnkit.gradients import value_and_gradient, weight_gradients

RNG = np.random.default_rng(0)


def ring() -> np.ndarray:
    return np.array([[(i - j) % 12 < 8 for j in range(12)] for i in range(12)])


def targets(labels: np.ndarray) -> np.ndarray:
    return 2.0 * np.eye(10)[labels] - 1.0


def test_every_gradient_of_the_net_of_1989_equals_autodiff() -> None:
    keras.utils.set_random_seed(3)
    model = models.create("lenet-1989")
    spread = np.random.default_rng(3)
    for weight in model.weights:  # large enough that each tanh bends, and each bias counts
        weight.assign(spread.normal(0, 0.25, weight.shape))
    x, t = RNG.uniform(-1, 1, (6, 16, 16, 1)), targets(RNG.integers(0, 10, 6))
    aim = keras.ops.convert_to_tensor(t.astype("float32"))
    loss, theirs = weight_gradients(
        model, lambda y: keras.ops.mean(keras.ops.square(y - aim)), x.astype("float32")
    )

    chain = scratch.net_of_1989(model.get_weights())
    ours, dy = scratch.mean_squared_error(chain.forward(x), t)
    chain.backward(dy)
    assert ours == pytest.approx(loss, abs=1e-6)
    gradients = chain.gradients
    gradients[0] = gradients[0][:, :, 0]
    gradients[2] = gradients[2][:, :, ring()]  # only joined pairs have weights in the layer
    for mine, other in zip(gradients, theirs, strict=True):
        assert np.abs(other).max() > 1e-4, "a gradient of zero proves nothing"
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_the_gradient_reaches_the_picture_as_autodiff_says() -> None:
    model = models.create("lenet-1989")
    for weight in model.weights:
        weight.assign(np.random.default_rng(4).normal(0, 0.25, weight.shape))
    x = RNG.uniform(-1, 1, (2, 16, 16, 1))
    _, (theirs,) = value_and_gradient(lambda image: keras.ops.sum(model(image)), x)
    chain = scratch.net_of_1989(model.get_weights())
    ours = chain.backward(np.ones_like(chain.forward(x)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


STEPS = {
    "pad": lambda: scratch.Pad(1, -1.0),
    "convolve": lambda: scratch.Convolve(RNG.normal(size=(3, 3, 2, 4)), RNG.normal(size=4), stride=2),
    "convolve, a bias a unit": lambda: scratch.Convolve(RNG.normal(size=(3, 3, 2, 4)), RNG.normal(size=(3, 3, 4))),
    "convolve by a table": lambda: scratch.Convolve(
        RNG.normal(size=(3, 3, 2, 4)), RNG.normal(size=4), table=np.array([[1, 0, 1, 1], [0, 1, 1, 0]])
    ),
    "squash": scratch.Squash,
    "flatten": scratch.Flatten,
    "join": lambda: scratch.Chain([scratch.Flatten(), scratch.Join(RNG.normal(size=(50, 3)), RNG.normal(size=3))]),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_each_step_answers_as_small_differences_do(name: str) -> None:
    step = STEPS[name]()
    x = RNG.normal(size=(2, 5, 5, 2))
    dy = RNG.normal(size=step.forward(x).shape)
    dx = step.backward(dy)
    for array, gradient in zip([x, *step.weights], [dx, *step.gradients], strict=True):
        nudge = RNG.normal(size=array.shape)
        if name == "convolve by a table" and array.ndim == 4 and array.shape[-1] == 4:
            nudge = nudge * step.joined
        before = array.copy()
        array += 1e-6 * nudge
        up = (dy * step.forward(x)).sum()
        array -= 2e-6 * nudge
        down = (dy * step.forward(x)).sum()
        array[...] = before
        assert (up - down) / 2e-6 == pytest.approx((gradient * nudge).sum(), rel=1e-5, abs=1e-7)


def test_weights_that_join_nothing_stay_zero() -> None:
    chain = scratch.net_of_1989(seed=1)
    _, dy = scratch.mean_squared_error(chain.forward(RNG.normal(size=(3, 16, 16, 1))), targets(np.arange(3)))
    chain.backward(dy)
    chain.descend(1.0)
    assert not chain.weights[2][:, :, ~ring()].any()
    assert np.count_nonzero(chain.weights[2]) == 2_400


def test_two_passes_by_hand_learn_digits() -> None:
    (x, y), (x_test, y_test) = data.load("digits")
    prepare = models.card("lenet-1989").prepare
    x, x_test = prepare(x), prepare(x_test)
    chain, order = scratch.net_of_1989(seed=0), np.random.default_rng(0)
    assert np.mean(chain.forward(x_test).argmax(axis=1) == y_test) < 0.3
    for _ in range(2):
        for rows in np.array_split(order.permutation(len(x)), 85):
            _, dy = scratch.mean_squared_error(chain.forward(x[rows]), targets(y[rows]))
            chain.backward(dy)
            chain.descend(0.6)
    assert np.mean(chain.forward(x_test).argmax(axis=1) == y_test) > 0.7


def test_a_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="four kernels and four biases; got 2 arrays"):
        scratch.net_of_1989([np.zeros(1)] * 2)

"""The small network that the trials of layers/heads-and-losses train in NumPy is the one that Keras would build."""

from __future__ import annotations

import functools
from types import ModuleType

import keras
import numpy as np
import pytest
from keras import layers, losses

from cnnkit import _paths, gradients, scratch
from cnnkit.trials.workers import load


@pytest.fixture(scope="module")
def here() -> ModuleType:
    return load(_paths.chapters() / "layers" / "heads_and_losses_trials.py")


def twin(outputs: int) -> keras.Model:
    half = {"strides": 2, "padding": "same", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(8, 3, **half),
            layers.Conv2D(16, 3, **half),
            layers.Flatten(),
            layers.Dense(outputs),
        ]
    )


def as_keras(weights: list[np.ndarray]) -> list[np.ndarray]:
    w1, b1, w2, b2, w3, b3 = weights
    return [w1.reshape(3, 3, 1, 8), b1, w2.reshape(3, 3, 8, 16), b2, w3, b3]


def test_its_scores_are_those_of_keras(here: ModuleType) -> None:
    x = np.random.default_rng(0).uniform(size=(7, 14, 14, 1)).astype("float32")
    weights = here.start(10, 0.3, seed=1)
    model = twin(10)
    model.set_weights(as_keras(weights))
    np.testing.assert_allclose(here.scores(weights, x), keras.ops.convert_to_numpy(model(x)), atol=1e-5)


def test_its_gradients_are_those_of_keras(here: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(7, 14, 14, 1)).astype("float32"), rng.integers(0, 10, 7)
    weights = here.start(10, 0.3, seed=1)
    columns = here.windows(x, before=0)
    kept = here.forward(weights, columns)
    slope = scratch.softmax_cross_entropy(kept[0], y)[1].astype("float32")
    found = here.backward(weights, columns, kept, slope)

    model = twin(10)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)

    def of_weights(*values: object) -> object:
        said, _ = model.stateless_call(list(values), [], x)
        return loss(y, said)

    _, wanted = gradients.value_and_gradient(of_weights, *as_keras(weights))
    for mine, theirs in zip(as_keras(found), wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_a_loss_is_at_rest_where_no_other_constant_costs_less(here: ModuleType) -> None:
    truth = (np.arange(100) < 2)[:, None].astype(float)
    assert here.rest(here.CROSS) == pytest.approx(np.log(0.02 / 0.98), abs=1e-4)
    assert here.rest(here.WEIGHTED) == pytest.approx(0, abs=1e-4)
    for loss in (here.CROSS, here.WEIGHTED, here.FOCAL):
        cost = functools.partial(lambda score, loss: loss(np.full((100, 1), score), truth)[0], loss=loss)
        assert cost(here.rest(loss)) < min(cost(here.rest(loss) - 0.1), cost(here.rest(loss) + 0.1))


def test_the_cut_is_the_lowest_at_which_half_of_those_called_are_right(here: ModuleType) -> None:
    truth = np.array([0, 1, 0, 0, 1, 1])
    said = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert here.half_right(said, truth) == 0.1
    assert here.half_right(said, np.array([0, 0, 0, 0, 0, 1])) == 0.5
    assert here.half_right(said, np.array([1, 0, 0, 0, 0, 0])) > 0.6

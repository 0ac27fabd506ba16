from functools import partial

import keras
import numpy as np
import pytest

from cnnkit import scratch
from cnnkit.training import schedule

RULES = {
    "gradient descent": (scratch.sgd, keras.optimizers.SGD),
    "momentum": (partial(scratch.sgd, 0.9), partial(keras.optimizers.SGD, momentum=0.9)),
    "Nesterov": (
        partial(scratch.sgd, 0.8, nesterov=True),
        partial(keras.optimizers.SGD, momentum=0.8, nesterov=True),
    ),
    "RMSprop": (scratch.rmsprop, keras.optimizers.RMSprop),
    "RMSprop, wide epsilon": (
        partial(scratch.rmsprop, 0.7, 0.1),
        partial(keras.optimizers.RMSprop, rho=0.7, epsilon=0.1),
    ),
    "Adam": (scratch.adam, keras.optimizers.Adam),
    "Adam, wide epsilon": (
        partial(scratch.adam, 0.8, 0.99, 0.1),
        partial(keras.optimizers.Adam, beta_1=0.8, beta_2=0.99, epsilon=0.1),
    ),
    "AdamW": (scratch.adamw, keras.optimizers.AdamW),
    "AdamW, strong decay": (
        partial(scratch.adamw, 0.5, beta_1=0.5),
        partial(keras.optimizers.AdamW, weight_decay=0.5, beta_1=0.5),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_walks_as_that_of_keras_does(name):
    mine, theirs = RULES[name]
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 2)).astype("float32")
    variable, optimizer, step = keras.Variable(w), theirs(learning_rate=0.01), mine()
    for _ in range(100):
        gradient = (rng.normal(size=w.shape) * [1.0, 1e-3]).astype("float32")
        w = step(w, gradient, 0.01)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        np.testing.assert_allclose(w, keras.ops.convert_to_numpy(variable), rtol=1e-5, atol=2e-6)
    assert w.dtype == "float32"


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("warmup", [0.0, 0.25])
def test_schedules_are_those_of_the_recipes(kind, warmup):
    falls = schedule(kind, 0.3, 40, warmup)
    for step in range(41):
        theirs = falls if isinstance(falls, float) else float(keras.ops.convert_to_numpy(falls(step)))
        assert scratch.learning_rate(kind, 0.3, step, 40, warmup) == pytest.approx(theirs, abs=1e-6)


def test_step_decay_is_that_of_keras():
    falls = keras.optimizers.schedules.PiecewiseConstantDecay([19, 29], [1.0, 0.1, 0.01])
    mine = [scratch.learning_rate("step", 1.0, step, 40) for step in range(40)]
    np.testing.assert_allclose(mine, [float(keras.ops.convert_to_numpy(falls(step))) for step in range(40)])


def test_a_rule_keeps_the_memory_of_its_own_weights_alone():
    one, other = scratch.adam(), scratch.adam()
    start, slope = np.zeros(2), np.ones(2)
    one(start, slope, 0.1)
    np.testing.assert_array_equal(other(start, slope, 0.1), scratch.adam()(start, slope, 0.1))


def test_decay_is_not_divided_by_the_size_of_the_gradient():
    rng = np.random.default_rng(0)
    coupled, decoupled = np.ones((2, 400)), np.ones((2, 400))
    plain, apart = scratch.adam(), scratch.adamw(0.1)
    for _ in range(300):
        noise = rng.normal(size=(2, 400)) * [[1e-2], [1.0]]
        coupled = plain(coupled, noise + 0.1 * coupled, 1e-2)
        decoupled = apart(decoupled, noise, 1e-2)
    np.testing.assert_allclose(decoupled.mean(axis=1), (1 - 1e-3) ** 300, atol=0.03)
    quiet, loud = coupled.mean(axis=1)
    assert quiet < 0.2 < 0.6 < loud


def test_a_schedule_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no schedule is called 'steps'"):
        scratch.learning_rate("steps", 0.1, 0, 10)

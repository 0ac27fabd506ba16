"""What `cnnkit.training.fit` costs beside the same `Model.fit`: at most three hundredths."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import training
from tests.benchmarks.test_trials import cost

HOW = training.Recipe("Adam", rate=1e-3, momentum=None, batch_size=128)
EPOCHS = 3


def net() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


def bare(x: np.ndarray, y: np.ndarray) -> None:
    model, steps = net(), EPOCHS * -(-len(x) // HOW.batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, epochs=EPOCHS, batch_size=HOW.batch_size, verbose=0)


@pytest.mark.slow  # trains a net ten times or more
def test_fit_costs_at_most_three_hundredths_more_than_keras() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2_500, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 2_500)

    def ours() -> object:
        return training.fit(net(), (x, y), recipe=HOW, epochs=EPOCHS, verbose=0)

    assert cost(ours, lambda: bare(x, y), bound=1.03) <= 1.03

"""The race between activations: epochs until a network reads 95 of 100 digits that it has not seen.

    python chapters/layers/activations_trials.py        # writes data/results/activation-race-digits.csv

For each activation and depth, each learning rate of a grid is tried with each seed; chapter
`layers/activations` takes for each activation its best rate, as the AlexNet paper did.
"""

from __future__ import annotations

import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from cnnkit import data
from cnnkit._paths import resource

ACTIVATIONS = {"relu": "he_normal", "tanh": "glorot_uniform", "sigmoid": "glorot_uniform"}
DEPTHS = (2, 8)
RATES = (0.01, 0.03, 0.1, 0.3)
SEEDS = (0, 1, 2)
EPOCHS = 25
GOAL = 0.95


def build(activation: str, depth: int) -> keras.Model:
    """`depth` convolutions of 16 maps at full size, then ten scores."""
    layers = [keras.Input((8, 8, 1))]
    for _ in range(depth):
        layers.append(
            keras.layers.Conv2D(
                16, 3, padding="same", activation=activation, kernel_initializer=ACTIVATIONS[activation]
            )
        )
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])


def epochs_to_goal(activation: str, depth: int, rate: float, seed: int, epochs: int = EPOCHS) -> list[float]:
    """Test accuracy after each epoch, until the goal is reached or the epochs are over."""
    keras.utils.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test) = data.load("digits")
    model = build(activation, depth)
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    reached = []
    for _ in range(epochs):
        model.fit(x_train, y_train, batch_size=64, verbose=0)
        accuracy = float(np.mean(model.predict_on_batch(x_test).argmax(-1) == y_test))
        reached.append(accuracy)
        if accuracy >= GOAL:
            break
    return reached


def main() -> None:
    rows = []
    for depth in DEPTHS:
        for activation in ACTIVATIONS:
            for rate in RATES:
                for seed in SEEDS:
                    start = time.perf_counter()
                    reached = epochs_to_goal(activation, depth, rate, seed)
                    done = reached[-1] >= GOAL
                    rows.append(
                        {
                            "activation": activation,
                            "depth": depth,
                            "rate": rate,
                            "seed": seed,
                            "epochs": len(reached) if done else EPOCHS + 1,
                            "best": round(max(reached), 4),
                            "seconds": round(time.perf_counter() - start, 1),
                            "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
                            "versions": f"Keras {keras.__version__} on {keras.backend.backend()}",
                        }
                    )
                    print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(resource("results") / "activation-race-digits.csv", index=False)


if __name__ == "__main__":
    main()

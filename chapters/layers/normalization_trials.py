"""What normalisation buys a net of ten convolutions: data/results/normalization-digits-3-seeds.csv.

    python chapters/layers/normalization_trials.py

Four questions: `rate` (many learning rates), `scale` (He's start, multiplied), `order` (before
or after the activation, with and without shortcuts), `batch` (few images in a batch, as many images seen in all,
in the net of convolutions and in one of two dense layers).
1,300 of scikit-learn's digits to learn from, the rest to test on; the net and the images seen are the same within
a question, and the test set is looked at once, after the last step. Rows that the file holds are kept, so an
interrupted run goes on; delete the file to measure all again (some five minutes on two idle cores).
Chapter `layers/normalization` plots the table and trains some rows again.
"""

from __future__ import annotations

import csv
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from cnnkit import data
from cnnkit._paths import resource

TABLE = resource("results") / "normalization-digits-3-seeds.csv"
KEY = ["question", "norm", "order", "rate", "scale", "batch", "seed"]
DEPTH, WIDTH, SEEDS, EPOCHS = 10, 16, 3, 6
NORMS = {
    "none": lambda _: None,
    "batch": lambda batch: layers.BatchNormalization(momentum=0.9 ** (batch / 32)),  # over as many images
    "group": lambda _: layers.GroupNormalization(4),
    "layer": lambda _: layers.GroupNormalization(1),
}


def net(norm: str = "none", order: str = "before", batch: int = 32) -> keras.Model:
    """Ten convolutions on 4 x 4 maps, `order` says where the norm stands, nine with shortcuts; or two dense layers."""

    def unit(x, *parts):
        for part in parts:
            if part == "conv":
                x = layers.Conv2D(WIDTH, 3, padding="same")(x)
            elif part == "relu":
                x = layers.Activation("relu")(x)
            elif (layer := NORMS[norm](batch)) is not None:
                x = layer(x)
        return x

    image = keras.Input((8, 8, 1))
    x = (
        layers.Conv2D(WIDTH, 3, 2, padding="same")(image)
        if order != "vector"
        else layers.Reshape((64,))(image)
    )
    if order == "vector":  # no places: two dense layers
        for _ in range(2):
            x = unit(layers.Dense(2 * WIDTH)(x), "norm", "relu")
    elif order == "before":
        x = unit(x, *("norm", "relu"), *("conv", "norm", "relu") * (DEPTH - 1))
    elif order == "after":
        x = unit(x, *("relu", "norm"), *("conv", "relu", "norm") * (DEPTH - 1))
    else:
        post = order == "shortcut, before"
        x = unit(x, "norm", "relu") if post else x
        for _ in range((DEPTH - 1) // 2):
            inside = ("conv", "norm", "relu", "conv", "norm") if post else ("norm", "relu", "conv") * 2
            x = layers.Add()([x, unit(x, *inside)])
            x = unit(x, "relu") if post else x
        x = x if post else unit(x, "norm", "relu")
    x = x if order == "vector" else layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(momentum=0.9), loss, jit_compile=False)
    return model


def restart(model: keras.Model, seed: int, scale: float = 1.0) -> None:
    """He's start: normal weights of variance 2 / inputs, times `scale`; all the rest as Keras begins it."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if len(weight.shape) > 1:
            deviation = scale * np.sqrt(2 / np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, deviation, weight.shape))
        else:
            weight.assign(np.full(weight.shape, float(weight.name in ("gamma", "moving_variance"))))
    for state in model.optimizer.variables:
        if len(state.shape):  # the velocities
            state.assign(np.zeros(state.shape))


def train(model: keras.Model, x, y, rate: float, batch: int, seed: int, epochs: int = EPOCHS) -> None:
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(len(x)) for _ in range(epochs)])
    model.optimizer.learning_rate = rate
    model.fit(x[rows], y[rows], batch_size=batch, shuffle=False, verbose=0)


def accuracy(model: keras.Model, x, y) -> float:
    return round(float(np.mean(model.predict(x, batch_size=500, verbose=0).argmax(axis=1) == y)), 4)


def digits():
    """With mean 0 and deviation 1 over all pixels of the training set."""
    (x, y), (x_test, y_test) = data.load("digits")
    mean, deviation = x.mean(), x.std()
    return ((x - mean) / deviation, y), ((x_test - mean) / deviation, y_test)


def questions() -> list[tuple]:
    rates = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    rows = [("rate", n, "before", r, 1.0, 32) for n in ("none", "batch") for r in rates]
    scales = (0.25, 0.5, 1.0, 2.0, 4.0)
    rows += [("scale", n, "before", 0.01, s, 32) for n in ("none", "batch") for s in scales]
    few = ((32, 0.03), (8, 0.0075), (2, 0.001875))  # the rate shrinks with the batch
    rows += [("batch", n, "before", r, 1.0, b) for b, r in few for n in ("batch", "group", "layer")]
    rows += [("batch", n, "vector", r, 1.0, b) for b, r in few for n in ("batch", "group", "layer")]
    places = ("before", "after", "shortcut, before", "shortcut, pre")
    rows += [("order", "batch", p, r, 1.0, 32) for p in places for r in (0.01, 0.03, 0.1, 0.3)]
    return rows


def main() -> None:
    rows: dict[tuple[str, ...], list[object]] = {}
    if TABLE.exists():
        with TABLE.open(newline="", encoding="utf-8") as file:
            rows = {tuple(row[: len(KEY)]): row for row in list(csv.reader(file))[1:]}
    (x, y), (x_test, y_test) = digits()
    recipe = f"{len(x)} digits, {EPOCHS} epochs, gradient descent with momentum 0.9; 2 x86-64 cores"
    versions = f"Keras {keras.__version__} on {keras.backend.backend()}, Python {platform.python_version()}"
    models: dict[tuple, keras.Model] = {}
    known = {key[1:]: row[len(KEY) :] for key, row in rows.items()}  # one run may answer two questions
    for question, norm, order, rate, scale, batch in questions():
        for seed in range(SEEDS):
            key = tuple(map(str, (question, norm, order, rate, scale, batch, seed)))
            if key in rows:
                continue
            if key[1:] not in known:
                kind = (norm, order, batch if norm == "batch" else 32)
                if kind not in models:
                    models[kind] = net(*kind)
                model = models[kind]
                restart(model, seed, scale)
                train(model, x, y, rate, batch, seed)
                figures = [accuracy(model, x, y), accuracy(model, x_test, y_test)]
                known[key[1:]] = [model.count_params(), *figures, recipe, versions]
            rows[key] = [*key, *known[key[1:]]]
            print(time.strftime("%H:%M:%S"), *rows[key][:10], flush=True)
            with TABLE.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow([*KEY, "parameters", "train", "test", "recipe", "versions"])
                writer.writerows(rows.values())


if __name__ == "__main__":
    main()

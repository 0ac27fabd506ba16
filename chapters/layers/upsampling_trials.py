"""Train what makes small maps large: three ways to unpool, and three ways to draw a picture.

    python chapters/layers/upsampling_trials.py [--go-on]

It writes data/results/upsampling-checkerboards.csv, how strong a checkerboard three generators draw as they learn to
enlarge Fashion-MNIST's pictures from 7 x 7 to 28 x 28 (Adam, cosine decay, 2,000 steps of 32 out of 2,000 pictures), and
data/results/upsampling-unpooling.csv, the errors of three mirrored nets that squeeze digits into 16 numbers and draw them
again (Adam, cosine decay; four rates with two seeds on 300 digits held out, then five seeds at the best rate); --go-on
keeps the rows of the second that are there.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
from keras import layers

from cnnkit import data, scratch
from cnnkit.course import recording
from cnnkit.layers import BedOfNailsUnpooling2D, MaxPoolingWithSwitches2D, MaxUnpooling2D, ResizeConv2D

STEPS = (0, 10, 30, 100, 300, 1_000, 2_000)


def mirrored(seed: int, way: str = "copies") -> keras.Model:
    """8 x 8 pixels to 2 x 2 x 4 numbers and back; only `way`, the unpooling, differs."""
    relu = {"padding": "same", "activation": "relu"}
    plain = {"copies": layers.UpSampling2D, "bed of nails": BedOfNailsUnpooling2D}

    def unpool(x, switches):
        return MaxUnpooling2D(2)([x, switches]) if way == "switches" else plain[way](2)(x)

    picture = keras.Input((8, 8, 1))
    x, first = MaxPoolingWithSwitches2D(2)(layers.Conv2D(8, 3, **relu)(picture))
    x, second = MaxPoolingWithSwitches2D(2, name="code")(layers.Conv2D(4, 3, **relu)(x))
    x = layers.Conv2DTranspose(8, 3, **relu)(unpool(x, second))
    x = layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")(unpool(x, first))
    return keras.Model(picture, x)


def learn_to_mirror() -> None:
    """Write the first table: each net at four rates with two seeds, then five seeds at the best, for longer and longer."""
    (x, _), (x_test, _) = data.load("digits")
    x, held_out = x[:-300], x[-300:]
    rows = data.recorded("upsampling-unpooling").to_dict("records") if "--go-on" in sys.argv else []

    def row(way: str, rate: float, seed: int, epochs: int) -> float:
        for known in rows:
            if (known["way"], known["rate"], known["seed"], known["epochs"]) == (way, rate, seed, epochs):
                return known["validation"]
        keras.utils.set_random_seed(seed)
        model = mirrored(seed, way)
        schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x) // 64))
        model.compile(keras.optimizers.Adam(schedule), "mse")
        model.fit(x, x, epochs=epochs, batch_size=64, verbose=0)
        parts = {"train": x, "validation": held_out, "test": x_test}
        errors = {
            part: round(float(np.mean((model.predict(a, verbose=0) - a) ** 2)), 6)
            for part, a in parts.items()
        }
        rows.append({"way": way, "rate": rate, "seed": seed, "epochs": epochs, **errors, **recording.about()})
        print(*rows[-1].values(), flush=True)
        recording.write("upsampling-unpooling.csv", rows)
        return errors["validation"]

    for way in ("copies", "bed of nails", "switches"):
        rates = (3e-3, 1e-2, 3e-2, 1e-1)
        best = min(rates, key=lambda rate: sum(row(way, rate, seed, 30) for seed in (100, 101)))
        for epochs in (30, 60, 240):
            for seed in range(5):
                row(way, best, seed, epochs)


TWICE = {"strides": 2, "padding": "same"}
WAYS = {
    "transposed, 3 x 3": lambda maps, **o: layers.Conv2DTranspose(maps, 3, **TWICE, **o),
    "transposed, 4 x 4": lambda maps, **o: layers.Conv2DTranspose(maps, 4, **TWICE, **o),
    "enlarge, then 3 x 3": lambda maps, **o: ResizeConv2D(maps, 3, **o),
}


def generator(seed: int, way: str) -> keras.Model:
    """7 x 7 pixels to 28 x 28 in two steps; only the way to enlarge differs."""
    keras.utils.set_random_seed(seed)
    bent = {"activation": "relu", "kernel_initializer": "he_normal"}
    enlarge = WAYS[way]
    first = layers.Conv2D(16, 3, padding="same", **bent)
    return keras.Sequential(
        [keras.Input((7, 7, 1)), first, enlarge(16, **bent), enlarge(16, **bent), layers.Conv2D(1, 1)]
    )


def shrunk(pictures: np.ndarray) -> np.ndarray:
    """Each square of sixteen pixels averaged: what the generators are given."""
    return pictures.reshape(-1, 7, 4, 7, 4, 1).mean(axis=(2, 4))


def learn_to_draw(rate: float = 3e-3, seeds: int = 5) -> None:
    """Write the second table: each generator's checkerboard after so many steps, on pictures and on their negatives."""
    (x, _), (x_test, _) = data.load("fashion_mnist")
    x, x_test = x[:2_000], x_test[:1_000]
    rows = []
    for way in WAYS:
        for seed in range(seeds):
            model = generator(seed, way)
            model.compile(
                keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, STEPS[-1])), "mse"
            )
            order, done = np.random.default_rng(seed), 0
            for step in STEPS:
                for _ in range(step - done):
                    batch = order.integers(len(x), size=32)
                    model.train_on_batch(shrunk(x[batch]), x[batch])
                done = step
                drawn, negatives = (
                    model.predict(part, verbose=0) for part in (shrunk(x_test), 1 - shrunk(x_test))
                )
                rows.append(
                    {
                        "way": way,
                        "seed": seed,
                        "step": step,
                        "error": float(np.mean((drawn - x_test) ** 2)),
                        "checkerboard": scratch.checkerboard_strength(drawn[:, 2:-2, 2:-2, 0]),
                        "on negatives": scratch.checkerboard_strength(negatives[:, 2:-2, 2:-2, 0]),
                        **recording.about(),
                    }
                )
                print(*rows[-1].values(), flush=True)
            recording.write("upsampling-checkerboards.csv", rows)


if __name__ == "__main__":
    if "--go-on" not in sys.argv:
        learn_to_draw()
    learn_to_mirror()

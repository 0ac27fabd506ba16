"""Change only the pooling of a small net: data/results/pooling-digits-3-seeds.csv.

    python chapters/layers/pooling_trials.py

Convolution (8 maps), pooling, convolution (16 maps), head; 300 of scikit-learn's digits to learn from, in the
middle of a field of 16 x 16, the seed choosing which; 445 to be tested on, as they are and moved by one and by
two pixels.  `similar` is the accuracy on 3, 5, 8 and 9 when only these four may be answered.  Rows that the
file holds already are kept, so an interrupted run goes on; delete the file to measure all again (about five
minutes on two idle cores).
"""

from __future__ import annotations

import csv
import os
import platform

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers as kl

from cnnkit import data, insight
from cnnkit import layers as ours
from cnnkit._paths import resource

TABLE = resource("results") / "pooling-digits-3-seeds.csv"
COLUMNS = [
    "variant",
    "pooling",
    "head",
    "seed",
    "parameters",
    "multiply_adds",
    "activations",
    "train",
    "test",
    "shift1",
    "shift2",
    "similar",
    "share",
    "recipe",
    "versions",
]
EPOCHS, BATCH, RATE, SEEDS, TRAIN = 40, 30, 5e-3, 3, 300
POOLINGS = {
    "none": lambda: None,
    "max": lambda: kl.MaxPooling2D(2),
    "average": lambda: kl.AveragePooling2D(2),
    "L2": lambda: ours.L2Pooling2D(),
    "L4": lambda: ours.LpPooling2D(p=4),
    "softmax": lambda: ours.SoftmaxPooling2D(beta=2.0),
    "mixed": lambda: ours.MixedPooling2D(),
    "stochastic": lambda: ours.StochasticPooling2D(seed=0),
    "max 3/2": lambda: kl.MaxPooling2D(3, 2, padding="same"),
    "max 4": lambda: kl.MaxPooling2D(4),
    "max 8": lambda: kl.MaxPooling2D(8),
    "max 16": lambda: kl.MaxPooling2D(16),
}
HEADS = {
    "flatten": lambda: [kl.Flatten()],
    "dense": lambda: [kl.Flatten(), kl.Dense(32, activation="relu")],
    "global average": lambda: [kl.GlobalAveragePooling2D()],
    "global average, long": lambda: [kl.GlobalAveragePooling2D()],  # five times the epochs
    "global max": lambda: [kl.GlobalMaxPooling2D()],
    "channel max": lambda: [ours.ChannelMaxPooling(4), kl.Flatten()],
    "attention": lambda: [ours.AttentionPooling(4)],
    "pyramid": lambda: [ours.SpatialPyramidPooling2D()],
}
VARIANTS = (
    [(p, "flatten") for p in POOLINGS]
    + [("max", h) for h in HEADS if h != "flatten"]
    + [("none", "global average")]
)


def small_net(pooling: keras.Layer | None, head: list[keras.Layer]) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            kl.Conv2D(8, 3, padding="same", activation="relu"),
            *([pooling] if pooling is not None else []),
            kl.Conv2D(16, 3, padding="same", activation="relu"),
            *head,
            kl.Dense(10),
        ]
    )


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """In the middle of an empty field, so that there is room to move."""
    middle = ((0, 0), (4, 4), (4, 4), (0, 0))
    (x, y), (x_test, y_test) = data.load("digits")
    return (np.pad(x, middle), y), (np.pad(x_test, middle), y_test)


def moved(x: np.ndarray, pixels: int) -> list[np.ndarray]:
    """Up, down, left and right; the field is empty where the images are rolled over its edge."""
    return [np.roll(x, step, axis) for axis in (1, 2) for step in (-pixels, pixels)]


def measure(pooling: str, head: str, seed: int) -> list[object]:
    (x, y), (x_test, y_test) = digits()
    epochs = 5 * EPOCHS if head.endswith("long") else EPOCHS
    chosen = np.random.default_rng(seed).permutation(len(x))[:TRAIN]
    keras.utils.set_random_seed(seed)
    pool = POOLINGS[pooling]()
    model = small_net(pool, HEADS[head]())
    rate = keras.optimizers.schedules.CosineDecay(RATE, epochs * -(-TRAIN // BATCH))
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x[chosen], y[chosen], epochs=epochs, batch_size=BATCH, verbose=0)

    def accuracy(images: np.ndarray, labels: np.ndarray) -> float:
        return float(np.mean(model.predict(images, batch_size=512, verbose=0).argmax(axis=1) == labels))

    few = np.array([3, 5, 8, 9])
    among = np.isin(y_test, few)
    scores = model.predict(x_test[among], batch_size=512, verbose=0)[:, few]
    similar = float(np.mean(few[scores.argmax(axis=1)] == y_test[among]))
    shifts = [np.mean([accuracy(m, y_test) for m in moved(x_test, by)]) for by in (1, 2)]
    figures = [accuracy(x[chosen], y[chosen]), accuracy(x_test, y_test), *shifts, similar]
    activations = sum(int(np.prod(layer.output.shape[1:])) for layer in model.layers)
    return [
        pooling if head == "flatten" else f"{pooling}, {head}",
        pooling,
        head,
        seed,
        model.count_params(),
        insight.multiply_adds(model),
        activations,
        *(round(float(v), 4) for v in figures),
        round(pool.share, 4) if isinstance(pool, ours.MixedPooling2D) else "",
        f"{TRAIN} digits, {epochs} epochs, batch {BATCH}, Adam {RATE} with cosine decay; 2 x86-64 cores",
        f"Keras {keras.__version__} on {keras.backend.backend()}, Python {platform.python_version()}",
    ]


def main() -> None:
    rows: dict[tuple[str, ...], list[object]] = {}
    if TABLE.exists():
        with TABLE.open(newline="", encoding="utf-8") as file:
            rows = {(row[1], row[2], row[3]): row for row in list(csv.reader(file))[1:]}
    for seed in range(SEEDS):
        for pooling, head in VARIANTS:
            if (pooling, head, str(seed)) not in rows:
                rows[pooling, head, str(seed)] = measure(pooling, head, seed)
                print(*rows[pooling, head, str(seed)][:13], flush=True)
            with TABLE.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                order = {variant: i for i, variant in enumerate(VARIANTS)}
                ranked = sorted(rows, key=lambda key: (order[key[0], key[1]], key[2]))
                writer.writerows(rows[key] for key in ranked)


if __name__ == "__main__":
    main()

"""Take one idea out of a small CNN at a time, at one budget of parameters: data/results/digits-ablation-5-seeds.csv.

    python data/results/ablate_digits.py

Each net is `create("classic", ...)`, as wide as the budget allows.  All are trained alike; the test set is
looked at once, after the last epoch.  About four minutes on two idle cores.
"""

from __future__ import annotations

import csv
import os
import platform
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from cnnkit import data, models

BUDGET, EPOCHS, BATCH, RATE, SEEDS = 6_500, 20, 32, 5e-3, 5
NETS = {
    "all three ideas": {},
    "average pooling": {"pooling": "average"},
    "stride for pooling": {"pooling": "stride"},
    "no pooling": {"pooling": "none"},
    "no sharing": {"connection": "local"},
    "no window (dense)": {"connection": "dense"},
}


def widest(side: int, **options: str) -> int:
    """The largest number of filters with which the net keeps to the budget."""
    filters = 1
    while create(side, filters + 1, **options).count_params() <= BUDGET:
        filters += 1
    return filters


def create(side: int, filters: int, **options: str) -> keras.Model:
    return models.create("classic", input_shape=(side, side, 1), filters=filters, dense=16, **options)


def main() -> None:
    rows = []
    for task, side in (("centred", 8), ("scattered", 12)):
        (x, y), (x_test, y_test) = data.load("digits", canvas=side)
        for net, options in NETS.items():
            filters = widest(side, **options)
            for seed in range(SEEDS):
                keras.utils.set_random_seed(seed)
                model = create(side, filters, **options)
                loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))
                model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
                model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
                train = model.evaluate(x, y, verbose=0)[1]
                test = model.evaluate(x_test, y_test, verbose=0)[1]
                rows.append((task, net, filters, model.count_params(), seed, round(train, 4), round(test, 4)))
                print(*rows[-1], flush=True)
    versions = f"Keras {keras.__version__} on {keras.backend.backend()}, Python {platform.python_version()}"
    recipe = f"{EPOCHS} epochs, batch {BATCH}, Adam {RATE} with cosine decay, at most {BUDGET} parameters; 2 x86-64 cores"
    path = Path(__file__).with_name("digits-ablation-5-seeds.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["task", "net", "filters", "parameters", "seed", "train_accuracy", "test_accuracy"]
            + ["recipe", "versions"]
        )
        writer.writerows((*row, recipe, versions) for row in rows)


if __name__ == "__main__":
    main()

"""Take one idea out of a small CNN at a time: data/results/digits-ablation-5-seeds.csv.

    python chapters/orientation_trials.py

Each net is `create("classic", ...)`, as wide as a budget of parameters allows; the last two are as wide as the
full net instead, whatever that costs.  All are trained alike; the test set is looked at once, after the last
epoch.  Rows that the file holds already are kept, so an interrupted run goes on where it stopped; delete the
file to measure all again (about six minutes on two idle cores).
"""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from cnnkit import data, models
from cnnkit._paths import resource

TABLE = resource("results") / "digits-ablation-5-seeds.csv"
COLUMNS = [
    "task",
    "net",
    "filters",
    "parameters",
    "seed",
    "train_accuracy",
    "test_accuracy",
    "recipe",
    "versions",
]
BUDGET, EPOCHS, BATCH, RATE, SEEDS = 6_500, 20, 32, 5e-3, 5
NETS = {
    "all three ideas": {},
    "average pooling": {"pooling": "average"},
    "stride for pooling": {"pooling": "stride"},
    "no pooling": {"pooling": "none"},
    "no sharing": {"connection": "local"},
    "no window (dense)": {"connection": "dense"},
    "no pooling, as wide": {"pooling": "none"},
    "no sharing, as wide": {"connection": "local"},
}


def create(side: int, filters: int, **options: str) -> keras.Model:
    return models.create("classic", input_shape=(side, side, 1), filters=filters, dense=16, **options)


def widest(side: int, **options: str) -> int:
    """The largest number of filters with which the net keeps to the budget."""
    filters = 1
    while create(side, filters + 1, **options).count_params() <= BUDGET:
        filters += 1
    return filters


def runs() -> Iterator[tuple[str, int, str, int]]:
    for task, side in (("centred", 8), ("scattered", 12)):
        for net in NETS:
            for seed in range(SEEDS):
                yield task, side, net, seed


def measure(task: str, side: int, net: str, seed: int) -> list[object]:
    (x, y), (x_test, y_test) = data.load("digits", canvas=side)
    filters = widest(side, **({} if "as wide" in net else NETS[net]))
    keras.utils.set_random_seed(seed)
    model = create(side, filters, **NETS[net])
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    train, test = (model.evaluate(*split, verbose=0)[1] for split in ((x, y), (x_test, y_test)))
    recipe = f"{EPOCHS} epochs, batch {BATCH}, Adam {RATE} with cosine decay; 2 x86-64 cores"
    versions = f"Keras {keras.__version__} on {keras.backend.backend()}, Python {platform.python_version()}"
    return [task, net, filters, model.count_params(), seed, round(train, 4), round(test, 4), recipe, versions]


def main() -> None:
    rows: dict[tuple[str, ...], list[object]] = {}
    if TABLE.exists():
        with TABLE.open(newline="", encoding="utf-8") as file:
            rows = {(row[0], row[1], row[4]): row for row in list(csv.reader(file))[1:]}
    for task, side, net, seed in runs():
        if (task, net, str(seed)) not in rows:
            rows[task, net, str(seed)] = measure(task, side, net, seed)
            print(*rows[task, net, str(seed)][:-2], flush=True)
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows[t, n, str(s)] for t, _, n, s in runs() if (t, n, str(s)) in rows)


if __name__ == "__main__":
    main()

"""Trained nets read digits that walk to the right: data/results/walking-digits-5-seeds.csv.

    python chapters/layers/invariance_walks_trials.py        # some four minutes on one core

Builds of `tolerant` with eight and sixteen maps learn 1,000 digits in the middle of their field, or digits that are moved
anew in every round, for a fixed number of rounds, from five seeds each.  A row holds the shares of validation digits that
a net reads when all of them are moved so many pixels to the right, and of how many of 200 the class changes under some
shift of up to four pixels.  Rows that the table holds already are kept, so an interrupted run goes on.
"""

from __future__ import annotations

import csv
from pathlib import Path

import keras
import numpy as np
from keras import layers

from cnnkit import insight
from cnnkit._paths import resource
from cnnkit.course.recording import about, write
from cnnkit.trials.workers import load

invariance = load(Path(__file__).with_name("invariance_trials.py"))

TABLE, SEEDS, ROUNDS, RATE, BATCH = "walking-digits-5-seeds.csv", 5, 40, 1e-2, 50
STEPS = range(-6, 7)
NETS = {  # how places are skipped, and whether the training digits move
    "stride": ("stride", False),
    "blur": ("blur", False),
    "stride, moved in training": ("stride", True),
}


def trained(kind: str, seed: int) -> keras.Model:
    """One net, all of it trained; its pictures are made eight times as bright, for averages of a nearly empty field are small."""
    downsampling, moving = NETS[kind]
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [keras.Input((16, 16, 1)), layers.Rescaling(8.0), invariance.build(seed, downsampling=downsampling)]
    )
    images, labels = invariance.DIGITS.parts["train"]
    schedule = keras.optimizers.schedules.CosineDecay(RATE, ROUNDS * -(-len(images) // BATCH))
    net.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for turn in range(ROUNDS if moving else 1):
        shown = invariance.moved(images, ROUNDS * seed + turn) if moving else images
        net.fit(shown, labels, batch_size=BATCH, epochs=1 if moving else ROUNDS, verbose=0)
    return net


def classes(net: keras.Model, images: np.ndarray) -> np.ndarray:
    """The class that the net gives each image."""
    return np.asarray(net.predict_on_batch(images)).argmax(axis=-1)


def walked(net: keras.Model) -> dict[int, float]:
    """What share of the validation digits the net reads after each number of pixels to the right."""
    images, labels = invariance.DIGITS.parts["validation"]
    return {step: float(np.mean(classes(net, insight.shifted(images, 0, step)) == labels)) for step in STEPS}


def changed(net: keras.Model, count: int = 200) -> float:
    """What share of the digits gets another class than in the middle under some shift of up to four pixels."""
    images = invariance.DIGITS.parts["validation"][0][:count]
    here = [classes(net, insight.shifted(images, *step)) for step in np.ndindex(5, 5)]
    return float(np.mean((np.stack(here) != here[0]).any(axis=0)))


def main() -> None:
    file = resource("results") / TABLE
    rows = list(csv.DictReader(file.open(encoding="utf-8"))) if file.exists() else []
    done = {(row["net"], row["seed"]) for row in rows}
    for kind in NETS:
        for seed in range(SEEDS):
            if (kind, str(seed)) in done:
                continue
            net = trained(kind, seed)
            (x, y), (x_test, y_test) = invariance.DIGITS.parts["train"], invariance.DIGITS.parts["test"]
            scores = {
                "train": np.mean(classes(net, x) == y),
                "moved": np.mean(classes(net, x_test) == y_test),
            }
            rows.append(
                {
                    "net": kind, "seed": seed, "rounds": ROUNDS, "rate": RATE,
                    **{name: round(float(score), 4) for name, score in scores.items()},
                    "changed": round(changed(net), 4),
                    **{f"right {step}": round(share, 4) for step, share in walked(net).items()},
                    "recipe": f"Adam, {ROUNDS} rounds of 1,000 digits in batches of {BATCH}, cosine", **about(),
                }
            )  # fmt: skip
            print(
                {
                    name: rows[-1][name]
                    for name in ("net", "seed", "train", "moved", "changed", "right 0", "right 2")
                },
                flush=True,
            )
            write(TABLE, rows)


if __name__ == "__main__":
    main()

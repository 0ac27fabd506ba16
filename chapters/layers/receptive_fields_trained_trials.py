"""Where a unit looks before and after training, by what it was trained to tell: data/results/trained-fields-5-seeds.csv.

    python chapters/layers/receptive_fields_trained_trials.py        # a minute on one core

The stacks of eight layers of the trial `far-clue` learn to name a pixel so many columns to the left of the unit, five
seeds each.  `place` is the mean column of the squared gradient of the unit's answer, counted from the unit, and `spread`
its standard deviation.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

from cnnkit import gradients
from cnnkit.course.recording import about, write

sys.path.insert(0, str(Path(__file__).parent))

from receptive_fields_trials import MARGIN, PLAIN, far_clue, looker

DISTANCES, SEEDS, RATE, EPOCHS = (0, 2, 4), 5, 3e-3, 20


def profile(net: keras.Model, images: np.ndarray, distance: int) -> np.ndarray:
    """The squared gradient of one unit's answer, summed over rows and images: one number for each column."""
    column = images.shape[2] // 2 - MARGIN - distance  # of the answers that the unit in the middle gives

    def answer(x: object) -> object:
        scores = net(x, training=False)[:, 2, column]
        return keras.ops.sum(scores[:, 1] - scores[:, 0])

    return (gradients.gradient(answer, images) ** 2).sum(axis=(0, 1, 3))


def place_and_spread(columns: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of a profile, in pixels from the middle."""
    share, at = columns / columns.sum(), np.arange(len(columns)) - len(columns) // 2
    place = float(share @ at)
    return place, float(np.sqrt(share @ (at - place) ** 2))


def trained(distance: int, seed: int) -> tuple[keras.Model, keras.Model, float]:
    """The net before and after training, and what it reads of new strips afterwards."""
    keras.utils.set_random_seed(seed)
    net = looker(seed, PLAIN, distance)
    before = looker(seed, PLAIN, distance)
    before.set_weights(net.get_weights())
    (x, y), (x_test, y_test) = (far_clue.data.parts[part] for part in ("train", "test"))
    steps = EPOCHS * -(-len(x) // 16)
    net.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    net.fit(x, y, batch_size=16, epochs=EPOCHS, verbose=0)
    right = np.asarray(net.predict_on_batch(x_test)).argmax(axis=-1) == y_test
    return before, net, float(right.mean())


def main() -> None:
    images, rows = far_clue.data.parts["test"][0][:50], []
    for distance in DISTANCES:
        for seed in range(SEEDS):
            before, after, right = trained(distance, seed)
            for when, net in (("before", before), ("after", after)):
                place, spread = place_and_spread(profile(net, images, distance))
                rows.append(
                    {
                        "distance": distance,
                        "seed": seed,
                        "training": when,
                        "place": round(place, 3),
                        "spread": round(spread, 3),
                        "test": round(right, 4) if when == "after" else "",
                        "recipe": f"Adam {RATE}, {EPOCHS} epochs of {len(far_clue.data.parts['train'][0])}, cosine",
                        **about(),
                    }
                )
                print(distance, seed, when, place, spread, right, flush=True)
    write("trained-fields-5-seeds.csv", rows)


if __name__ == "__main__":
    main()

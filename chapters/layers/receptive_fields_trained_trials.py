"""Where a unit looks before and after training, and how far away a clue may lie: data/results/trained-fields-5-seeds.csv.

    python chapters/layers/receptive_fields_trained_trials.py        # some eight minutes on one core

Stacks learn to name a pixel of noise so many columns to the left of the unit that answers, or of which sign most pixels
are among the thirteen around it, with five seeds each.  `place` is the mean column of the squared gradient of the unit's
answer, counted from the unit, and `spread` its standard deviation.  Rows that the table holds already are kept, so an
interrupted run goes on.
"""

from __future__ import annotations

import csv
from typing import Any

import keras
import numpy as np
from keras import layers

from cnnkit import gradients, trials
from cnnkit._paths import resource
from cnnkit.course.recording import about, write

HEIGHT, WIDTH, MARGIN = 4, 40, 8  # strips of noise; the columns that are asked for lie MARGIN from either end
TABLE, SEEDS, EPOCHS, BATCH = "trained-fields-5-seeds.csv", 5, 20, 16
PIXEL, MAJORITY, AROUND = (
    "pixel",
    "majority",
    6,
)  # what is asked for; the majority reaches so far to either side
LEANING = "8 plain layers, leaning left"
STACKS = {
    "8 plain layers": (1,) * 8,
    LEANING: (1,) * 8,
    "4 plain layers": (1,) * 4,
    "4 dilated layers": (1, 2, 4, 8),
}
RUNS = (  # stack, what is asked for, distance, rate, epochs
    *(("8 plain layers", PIXEL, distance, 3e-3, EPOCHS) for distance in (0, 2, 4, 6, 8)),
    ("4 dilated layers", PIXEL, 8, 3e-3, EPOCHS),
    ("4 plain layers", PIXEL, 8, 3e-3, EPOCHS),
    ("8 plain layers", PIXEL, 8, 1e-2, EPOCHS),
    ("8 plain layers", MAJORITY, 0, 3e-3, EPOCHS),
    (LEANING, PIXEL, 8, 3e-3, EPOCHS),
    ("4 plain layers", PIXEL, 2, 3e-3, EPOCHS),
    ("8 plain layers", PIXEL, 8, 3e-3, 4 * EPOCHS),
)


def noise() -> Any:
    """Strips whose pixels are -1 or 1 by chance, and as targets whether the pixels are 1, all but the margins."""
    rng = np.random.default_rng(0)
    parts = []
    for count in (400, 200):
        x = rng.choice([-1.0, 1.0], size=(count, HEIGHT, WIDTH, 1)).astype("float32")
        parts.append((x, (x[:, :, MARGIN:-MARGIN, 0] > 0).astype("int64")))
    return tuple(parts)


STRIPS = trials.split(noise, train=200, validation=200, name="strips of noise")


def majority(strips: np.ndarray) -> np.ndarray:
    """Whether most of the thirteen pixels around each one in its row are 1, all but the margins."""
    columns = range(MARGIN - AROUND, MARGIN + AROUND + 1)
    inside = strips.shape[2] - 2 * MARGIN
    return (sum(strips[:, :, at : at + inside, 0] for at in columns) > 0).astype("int64")


def leaning(net: keras.Model) -> keras.Model:
    """Every kernel's left column made three times as strong, and the kernel as strong as before."""
    for layer in net.layers[1:-2]:
        kernel, bias = layer.get_weights()
        leant = kernel * np.array([3.0, 1.0, 1.0])[:, None, None]
        layer.set_weights([leant * np.sqrt(np.sum(kernel**2) / np.sum(leant**2)), bias])
    return net


def looker(stack: str, distance: int) -> keras.Model:
    """A stack whose answer for a pixel is given by the unit that stands `distance` columns to its right."""
    inputs = x = keras.Input((HEIGHT, WIDTH, 1))
    for d in STACKS[stack]:
        x = layers.Conv2D(
            8, 3, padding="same", dilation_rate=d, activation="relu", kernel_initializer="he_normal"
        )(x)
    x = layers.Conv2D(2, 1)(x)
    return keras.Model(inputs, layers.Cropping2D(((0, 0), (MARGIN + distance, MARGIN - distance)))(x))


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


def trained(
    stack: str, distance: int, seed: int, rate: float = 3e-3, asked: str = PIXEL, epochs: int = EPOCHS
) -> tuple[keras.Model, keras.Model, float]:
    """The net before and after training, and what share of the pixels of new strips it answers rightly."""
    keras.utils.set_random_seed(seed)
    net, before = looker(stack, distance), looker(stack, distance)
    if stack == LEANING:
        leaning(net)
    before.set_weights(net.get_weights())
    (x, y), (images, targets) = (STRIPS.parts[part] for part in ("train", "test"))
    if asked == MAJORITY:
        y, targets = majority(x), majority(images)
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x) // BATCH))
    net.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    net.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
    answers = np.asarray(net.predict_on_batch(images)).argmax(axis=-1)
    return before, net, float(np.mean(answers == targets))


def main() -> None:
    file = resource("results") / TABLE
    rows = list(csv.DictReader(file.open(encoding="utf-8"))) if file.exists() else []
    done = {
        (row["stack"], row["asked"], row["distance"], row["rate"], row["epochs"], row["seed"]) for row in rows
    }
    images = STRIPS.parts["test"][0][:50]
    for stack, asked, distance, rate, epochs in RUNS:
        for seed in range(SEEDS):
            if (stack, asked, *map(str, (distance, rate, epochs, seed))) in done:
                continue
            before, after, right = trained(stack, distance, seed, rate, asked, epochs)
            for when, net in (("before", before), ("after", after)):
                place, spread = place_and_spread(profile(net, images, distance))
                rows.append(
                    {
                        "stack": stack, "asked": asked, "distance": distance, "rate": rate, "epochs": epochs, "seed": seed,
                        "training": when, "place": round(place, 3), "spread": round(spread, 3),
                        "test": round(right, 4) if when == "after" else "",
                        "recipe": f"Adam, {epochs} epochs of 200 strips in batches of {BATCH}, cosine",
                        **about(),
                    }
                )  # fmt: skip
            print(stack, asked, distance, rate, epochs, seed, place, spread, right, flush=True)
            write(TABLE, rows)


if __name__ == "__main__":
    main()

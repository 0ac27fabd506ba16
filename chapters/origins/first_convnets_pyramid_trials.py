"""Two experiments on scikit-learn's 8x8 digits: a pyramid that fills in, and a support-vector machine against a CNN.

    python data/results/early_digits.py pyramid    # writes pyramid-digits-5-seeds.csv, keeps one net's weights
    python data/results/early_digits.py winter     # writes svm-cnn-digits-5-seeds.csv

`pyramid`: a grey square of 4x4 pixels covers a part of each digit; Behnke's recurrent network, with six
iterations in training and twenty in the test, against the same links used once each, feed-forward.  Both see
the same pictures, 30 passes.  `winter`: 100, 500 and 1,500 digits to learn from, 297 to be tested on; each
seed cuts the 1,797 digits anew, the same for both.  Both machines keep one setting throughout.  Chapter
origins/first-convnets plots both files.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from recording import about, write

from cnnkit import data
from cnnkit.origins import abstraction_pyramid, occlude

HERE = Path(__file__).parent
ITERATIONS, LONGER, BATCH = 6, 20, 32
SIZES, STEPS = (100, 500, 1_500), 600


def fill_in(
    recurrent: bool, seed: int, passes: int = 30, channels: tuple[int, int, int] = (8, 16, 32)
) -> keras.Model:
    """A pyramid taught to restore occluded digits: squared error, Adam with a cosine, a new square every time."""
    (x, _), _ = data.load("digits")
    keras.utils.set_random_seed(seed)
    model = abstraction_pyramid(ITERATIONS, channels, recurrent=recurrent)
    covered = np.concatenate([occlude(x, seed=1000 * seed + one)[0] for one in range(passes)])
    steps = -(-len(covered) // BATCH)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)), "mse")
    whole = np.repeat(np.tile(x, (passes, 1, 1, 1))[:, None], model.output_shape[1], axis=1)
    model.fit(covered, whole, batch_size=BATCH, shuffle=False, verbose=0)
    return model


def damage(model: keras.Model) -> tuple[list[float], float]:
    """Mean squared error under the square after each iteration, on the test digits, and that of the grey square."""
    _, (x, _) = data.load("digits")
    covered, masks = occlude(x, seed=99)
    repaired = keras.ops.convert_to_numpy(model(covered))
    errors = [float(np.mean((picture - x)[masks] ** 2)) for picture in np.moveaxis(repaired, 1, 0)]
    return errors, float(np.mean((covered - x)[masks] ** 2))


def small_cnn() -> keras.Model:
    """Two convolutions, a maximum after the first, one dense layer."""
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(x)))


def cut(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All 1,797 digits in a new order: 1,500 to learn from, 297 to be tested on."""
    (a, b), (c, d) = data.load("digits")
    x, y = np.concatenate([a, c]), np.concatenate([b, d])
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1_500], y[:1_500], x[1_500:], y[1_500:]


def machine(x: np.ndarray, y: np.ndarray, x_test: np.ndarray) -> np.ndarray:
    """A support-vector machine with a Gaussian kernel, C = 10."""
    from sklearn.svm import SVC

    return SVC(C=10.0).fit(x.reshape(len(x), -1), y).predict(x_test.reshape(len(x_test), -1))


def network(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, seed: int) -> np.ndarray:
    """The small CNN after 600 steps of Adam with a cosine."""
    keras.utils.set_random_seed(seed)
    model = small_cnn()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, STEPS)), loss)
    draw, passes = np.random.default_rng(seed), -(-STEPS * BATCH // len(x))
    rows = np.concatenate([draw.permutation(len(x)) for _ in range(passes)])[: STEPS * BATCH]
    model.fit(x[rows], y[rows], batch_size=BATCH, shuffle=False, verbose=0)
    return keras.ops.convert_to_numpy(model(x_test)).argmax(axis=1)


def pyramid(seeds: int = 5) -> None:
    """Recurrent and feed-forward, the same links."""
    rows = []
    for seed in range(seeds):
        for recurrent in (True, False):
            started = time.process_time()
            model = fill_in(recurrent, seed)
            seconds = round(time.process_time() - started, 1)
            if recurrent and seed == 0:
                model.save_weights(HERE.parent / "weights/pyramid-digits.weights.h5")
            if recurrent:
                longer = abstraction_pyramid(LONGER)
                longer.set_weights(model.get_weights())
                model = longer
            errors, before = damage(model)
            for number, error in enumerate(errors, 1):
                rows.append(
                    {
                        "net": "recurrent" if recurrent else "feed-forward",
                        "seed": seed,
                        "iteration": number,
                        "error": round(error, 5),
                        "error_of_the_grey_square": round(before, 5),
                        "parameters": model.count_params(),
                        "cpu_seconds": seconds,
                        **about(),
                    }
                )
            print(recurrent, seed, [round(e, 4) for e in errors], seconds, flush=True)
    write("pyramid-digits-5-seeds.csv", rows)


def winter(seeds: int = 5) -> None:
    """A machine and a network, less and more to learn from."""
    rows = []
    for seed in range(seeds):
        x, y, x_test, y_test = cut(seed)
        for size in SIZES:
            for name in ("SVM", "CNN"):
                started = time.process_time()
                few = x[:size], y[:size], x_test
                guess = machine(*few) if name == "SVM" else network(*few, seed)
                rows.append(
                    {
                        "method": name,
                        "training_digits": size,
                        "seed": seed,
                        "test_errors": int(np.sum(guess != y_test)),
                        "test_digits": len(y_test),
                        "accuracy": round(float(np.mean(guess == y_test)), 4),
                        "cpu_seconds": round(time.process_time() - started, 2),
                        **about(),
                    }
                )
                print(*list(rows[-1].values())[:7], flush=True)
    write("svm-cnn-digits-5-seeds.csv", rows)


if __name__ == "__main__":
    tasks = {"pyramid": pyramid, "winter": winter}
    if len(sys.argv) != 2 or sys.argv[1] not in tasks:
        sys.exit(f"say which: {' or '.join(tasks)}")
    tasks[sys.argv[1]]()

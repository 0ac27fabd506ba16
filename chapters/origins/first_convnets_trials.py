"""The nets of 1988 and 1989 on digits of 16x16 pixels, as many as there were then.

    python chapters/origins/first_convnets_trials.py published    # writes data/results/first-convnets-published-3-seeds.csv
    python chapters/origins/first_convnets_trials.py kernels      # writes data/results/first-convnets-kernels-5-seeds.csv
    python chapters/origins/first_convnets_trials.py letters      # writes data/results/first-convnets-letters-5-seeds.csv

7,291 digits to learn from and 2,007 to be tested on, drawn from MNIST and scaled to 16x16: the original zip
codes are not published.  `published` trains the net of 1989 as its paper says: targets of +1 and -1, squared
error, one digit at a time in a constant order, 23 passes (plain gradient descent; the paper scaled its steps
by second derivatives).  `kernels` compares learned kernels with drawn ones and with the same numbers shuffled,
in the net of 1989 and under a head alone; all take the same number of steps.  The test set is looked at once,
after the last step.  `letters` shows Zhang's net, and a dense one of as many weights, each letter at some of 25
places, and asks at the others.  Chapter origins/first-convnets plots the files and repeats a slice of the third.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from cnnkit import data, models
from cnnkit.course.recording import about, write
from cnnkit.origins import drawn_kernels, feature_recognizer, shuffled_kernels, siann, skeletons

TRAIN, TEST, PASSES = 7_291, 2_007, 23
Digits = tuple[np.ndarray, np.ndarray]


def zip_codes(seed: int = 0) -> tuple[Digits, Digits]:
    """As many digits as in 1989, from MNIST, at 16x16 pixels from -1 (paper) to 1 (ink)."""
    (x, y), (x_test, y_test) = data.load("mnist")
    draw = np.random.default_rng(seed)
    train, test = draw.permutation(len(x))[:TRAIN], draw.permutation(len(x_test))[:TEST]
    prepare = models.card("lenet1").prepare
    return (prepare(x[train]), y[train]), (prepare(x_test[test]), y_test[test])


def targets(labels: np.ndarray) -> np.ndarray:
    """+1 for the digit that it is, -1 for the nine others."""
    return (2 * np.eye(10)[labels] - 1).astype("float32")


def net_of_1989(kernels: np.ndarray | None) -> keras.Model:
    """The net of 1989; with kernels given, its first layer keeps them (its biases still learn)."""
    model = models.create("lenet1")
    if kernels is not None:
        kernel = model.get_layer("H1").kernel
        kernel.assign(kernels[:, :, 0])
        kernel.trainable = False
    return model


def kinds(seed: int) -> dict[tuple[str, str], tuple[keras.Model, bool]]:
    """What is compared: a model, and whether it looks at skeletons."""
    shuffled = shuffled_kernels(seed)
    return {
        ("net of 1989", "learned"): (net_of_1989(None), False),
        ("net of 1989", "drawn"): (net_of_1989(drawn_kernels()), False),
        ("net of 1989", "shuffled"): (net_of_1989(shuffled), False),
        ("head alone", "learned"): (feature_recognizer(shuffled, train_kernels=True), False),
        ("head alone", "drawn"): (feature_recognizer(), False),
        ("head alone", "shuffled"): (feature_recognizer(shuffled), False),
        ("head alone", "drawn, on skeletons"): (feature_recognizer(), True),
    }


def prepared(x: np.ndarray, net: str, thin: bool) -> np.ndarray:
    """The net of 1989 looks at -1 to 1, the recogniser with a head alone at 0 to 1, or at skeletons."""
    x01 = (x + 1) / 2
    return x if net == "net of 1989" else skeletons(x01) if thin else x01


def train(model: keras.Model, x: np.ndarray, y: np.ndarray, seed: int, steps: int, batch: int = 32) -> None:
    """Adam with a cosine on the squared error; `steps` batches, whatever the number of digits."""
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.Adam(schedule), "mse", steps_per_execution=10)
    draw, passes = np.random.default_rng(seed), -(-steps * batch // len(x))
    rows = np.concatenate([draw.permutation(len(x)) for _ in range(passes)])[: steps * batch]
    model.fit(x[rows], targets(y[rows]), batch_size=batch, shuffle=False, verbose=0)


def errors(model: keras.Model, x: np.ndarray, y: np.ndarray) -> int:
    """How many digits are read wrongly."""
    scores = keras.ops.convert_to_numpy(model(x, training=False))
    return int(np.sum(scores.argmax(axis=1) != y))


def published(seeds: int = 3, rate: float = 0.03) -> None:
    """23 passes, one digit at a time."""
    rows = []
    for seed in range(seeds):
        (x, y), (x_test, y_test) = zip_codes(seed)
        keras.utils.set_random_seed(seed)
        model = models.create("lenet1")
        model.compile(keras.optimizers.SGD(rate), "mse", steps_per_execution=100)
        started = time.process_time()
        for done in range(1, PASSES + 1):
            model.fit(x, targets(y), batch_size=1, shuffle=False, verbose=0)
            rows.append(
                {
                    "seed": seed,
                    "passes": done,
                    "train_errors": errors(model, x, y),
                    "train_digits": len(x),
                    "test_errors": errors(model, x_test, y_test),
                    "test_digits": len(x_test),
                    "test_error_percent": round(100 * errors(model, x_test, y_test) / len(x_test), 2),
                    "rate": rate,
                    "cpu_seconds": round(time.process_time() - started, 1),
                    **about(),
                }
            )
            print(*list(rows[-1].values())[:9], flush=True)
        write("first-convnets-published-3-seeds.csv", rows)


def kernels(seeds: int = 5) -> None:
    """Learned, drawn and shuffled kernels at an equal number of steps."""
    rows, steps = [], PASSES * TRAIN // 32
    for seed in range(seeds):
        (x, y), (x_test, y_test) = zip_codes(seed)
        keras.utils.set_random_seed(seed)
        for (net, kind), (model, thin) in kinds(seed).items():
            started = time.process_time()
            train(model, prepared(x, net, thin), y, seed, steps)
            wrong = errors(model, prepared(x_test, net, thin), y_test)
            rows.append(
                {
                    "net": net,
                    "kernels": kind,
                    "seed": seed,
                    "trained_weights": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
                    "train_errors": errors(model, prepared(x, net, thin), y),
                    "test_errors": wrong,
                    "test_digits": len(x_test),
                    "test_error_percent": round(100 * wrong / len(x_test), 2),
                    "steps": steps,
                    "cpu_seconds": round(time.process_time() - started, 1),
                    **about(),
                }
            )
            print(*list(rows[-1].values())[:10], flush=True)
        write("first-convnets-kernels-5-seeds.csv", rows)


def standing_at(places: np.ndarray) -> Digits:
    """Letters of 16x16 on a field of 20x20: a row of places, 0 to 24, for each letter."""
    pictures = np.zeros((*places.shape, 20, 20, 1), "float32")
    for (letter, number), place in np.ndenumerate(places):
        row, column = divmod(int(place), 5)
        drawn = data.letter(data.ALPHABET[letter], 16)
        pictures[letter, number, row : row + 16, column : column + 16] = drawn
    return pictures.reshape(-1, 20, 20, 1), np.repeat(np.arange(26), places.shape[1])


def dense_net() -> keras.Model:
    """One hidden layer that shares nothing, with as many weights as Zhang's net."""
    hidden, last = keras.layers.Dense(200, "sigmoid"), keras.layers.Dense(26)
    return keras.Sequential([keras.Input((20, 20, 1)), keras.layers.Flatten(), hidden, last])


def letters(seeds: int = 5, steps: int = 200) -> None:
    """Shown at few places, known at how many others?"""
    rows = []
    for seed in range(seeds):
        order = np.array([np.random.default_rng((seed, k)).permutation(25) for k in range(26)])
        for shown in (1, 2, 5, 12):
            (x, y), (x_test, y_test) = standing_at(order[:, :shown]), standing_at(order[:, shown:])
            for net in ("shared", "dense"):
                keras.utils.set_random_seed(seed)
                model = siann(26, (20, 20, 1)) if net == "shared" else dense_net()
                loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                model.compile(keras.optimizers.Adam(0.005), loss)
                passes = -(-steps // shown)
                started = time.process_time()
                model.fit(x, y, batch_size=26, epochs=passes, verbose=0)
                rows.append(
                    {
                        "net": net,
                        "places_shown": shown,
                        "seed": seed,
                        "weights": model.count_params(),
                        "known_where_shown": round(1 - errors(model, x, y) / len(x), 4),
                        "known_elsewhere": round(1 - errors(model, x_test, y_test) / len(x_test), 4),
                        "steps": passes * shown,
                        "cpu_seconds": round(time.process_time() - started, 1),
                        **about(),
                    }
                )
                print(*list(rows[-1].values())[:8], flush=True)
        write("first-convnets-letters-5-seeds.csv", rows)


if __name__ == "__main__":
    tasks = {"published": published, "kernels": kernels, "letters": letters}
    if len(sys.argv) != 2 or sys.argv[1] not in tasks:
        sys.exit(f"say which: {' or '.join(tasks)}")
    tasks[sys.argv[1]]()

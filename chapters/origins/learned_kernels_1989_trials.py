"""The net of 1989 trained as its paper says, on as many digits of 16x16 pixels as there were then.

    python chapters/origins/learned_kernels_1989_trials.py published   # writes data/results/learned-kernels-published-3-seeds.csv
    python chapters/origins/learned_kernels_1989_trials.py first       # writes data/results/learned-kernels-first-5-seeds.csv

7,291 digits to learn from and 2,007 to be tested on, drawn from MNIST and scaled to 16x16: the original zip
codes are not published.  `published`: targets of +1 and -1, squared error, one digit at a time in a constant order, 23 passes (plain
gradient descent; the paper scaled its steps by second derivatives).  `first`: the first layer learned, drawn or
shuffled, 5,240 steps of Adam in batches of 32, which is as many digits, at one rate for all.  The test digits are
looked at after the last step.
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
from cnnkit.origins import drawn_kernels, shuffled_kernels

TRAIN, TEST, PASSES = 7_291, 2_007, 23
Digits = tuple[np.ndarray, np.ndarray]


def zip_codes(seed: int = 0) -> tuple[Digits, Digits]:
    """As many digits as in 1989, from MNIST, at 16x16 pixels from -1 (paper) to 1 (ink)."""
    (x, y), (x_test, y_test) = data.load("mnist")
    draw = np.random.default_rng(seed)
    train, test = draw.permutation(len(x))[:TRAIN], draw.permutation(len(x_test))[:TEST]
    prepare = models.card("lenet-1989").prepare
    return (prepare(x[train]), y[train]), (prepare(x_test[test]), y_test[test])


def targets(labels: np.ndarray) -> np.ndarray:
    """+1 for the digit that it is, -1 for the nine others."""
    return (2 * np.eye(10)[labels] - 1).astype("float32")


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
        model = models.create("lenet-1989")
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
        write("learned-kernels-published-3-seeds.csv", rows)


def net_of_1989(kernels: np.ndarray | None) -> keras.Model:
    """The net of 1989; with kernels given, its first layer keeps them (its biases still learn)."""
    model = models.create("lenet-1989")
    if kernels is not None:
        kernel = model.get_layer("H1").kernel
        kernel.assign(kernels[:, :, 0])
        kernel.trainable = False
    return model


def train(model: keras.Model, x: np.ndarray, y: np.ndarray, seed: int, steps: int, batch: int = 32) -> None:
    """Adam with a cosine on the squared error."""
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.Adam(schedule), "mse", steps_per_execution=10)
    draw, passes = np.random.default_rng(seed), -(-steps * batch // len(x))
    rows = np.concatenate([draw.permutation(len(x)) for _ in range(passes)])[: steps * batch]
    model.fit(x[rows], targets(y[rows]), batch_size=batch, shuffle=False, verbose=0)


def first(seeds: int = 5) -> None:
    """Learned, drawn and shuffled kernels of the first layer at an equal number of steps."""
    rows, steps = [], PASSES * TRAIN // 32
    for seed in range(seeds):
        (x, y), (x_test, y_test) = zip_codes(seed)
        keras.utils.set_random_seed(seed)
        for kind, kernels in (
            ("learned", None),
            ("drawn", drawn_kernels()),
            ("shuffled", shuffled_kernels(seed)),
        ):
            started = time.process_time()
            model = net_of_1989(kernels)
            train(model, x, y, seed, steps)
            wrong = errors(model, x_test, y_test)
            rows.append(
                {
                    "kernels": kind,
                    "seed": seed,
                    "trained_weights": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
                    "train_errors": errors(model, x, y),
                    "train_digits": len(x),
                    "test_errors": wrong,
                    "test_digits": len(x_test),
                    "test_error_percent": round(100 * wrong / len(x_test), 2),
                    "steps": steps,
                    "cpu_seconds": round(time.process_time() - started, 1),
                    **about(),
                }
            )
            print(*list(rows[-1].values())[:10], flush=True)
        write("learned-kernels-first-5-seeds.csv", rows)


if __name__ == "__main__":
    tasks = {"published": published, "first": first}
    if len(sys.argv) != 2 or sys.argv[1] not in tasks:
        sys.exit(f"say which: {' or '.join(tasks)}")
    tasks[sys.argv[1]]()

"""The net of 1989 trained as its paper says, on as many digits of 16x16 pixels as there were then.

    python chapters/origins/learned_kernels_1989_trials.py published   # writes data/results/learned-kernels-published-3-seeds.csv

7,291 digits to learn from and 2,007 to be tested on, drawn from MNIST and scaled to 16x16: those of 1989 are not among this
project's data.  Targets of +1 and -1, squared error, one digit at a time in a constant order, 23 passes (plain gradient descent;
the paper scaled its steps by second derivatives).  The test digits choose nothing.
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


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["published"]):
        sys.exit("it takes no argument but 'published'")
    published()

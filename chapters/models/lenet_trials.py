"""LeNet-5's peculiarities taken out one by one, and less and less to learn from, on scikit-learn's digits.

    python chapters/models/lenet_trials.py

It writes data/results/lenet5-digits-ablation.csv and data/results/lenet5-digits-training-size.csv.
Five seeds each; every run takes the same number of steps.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from cnnkit import data, models
from cnnkit.course.recording import about, write

SEEDS, STEPS, BATCH, RATE, SHARPNESS = 5, 600, 32, 2e-3, 0.05
USUAL = {"connections": "full", "subsampling": "average", "output": "dense"}
VARIANTS = {
    "as published": {},
    "full C3": {"connections": "full"},
    "average pooling": {"subsampling": "average"},
    "dense output": {"output": "dense"},
    "all three": USUAL,
}
SIZES = (100, 200, 400, 800)


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The 8x8 digits as LeNet-5 wants them: enlarged to 20x20, padded to 32x32, paper -0.1, ink 1.175."""
    (x, y), (x_test, y_test) = data.load("digits")
    prepare = models.card("lenet5").prepare
    return (prepare(x), y), (prepare(x_test), y_test)


def train(x: np.ndarray, y: np.ndarray, seed: int, steps: int = STEPS, **options: str) -> keras.Model:
    """One run: Adam with a cosine; the distances are scaled down, or the softmax saturates."""
    keras.utils.set_random_seed(seed)
    model = models.create("lenet5", kernel_initializer="lecun_uniform", **options)
    sharpness = SHARPNESS if options.get("output", "bitmaps") == "bitmaps" else 1.0

    def loss(labels, scores):
        scaled = ops.multiply(scores, sharpness)
        return keras.losses.sparse_categorical_crossentropy(labels, scaled, from_logits=True)

    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)), loss)
    order = np.random.default_rng(seed).permuted(np.resize(np.arange(len(x)), steps * BATCH))
    model.fit(x[order], y[order], batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    return model


def errors(model: keras.Model, x: np.ndarray, y: np.ndarray) -> int:
    scores = ops.convert_to_numpy(model(x, training=False))
    return int(np.sum(scores.argmax(axis=1) != y))


def main() -> None:
    (x, y), (x_test, y_test) = digits()
    runs = [(name, len(x), options) for name, options in VARIANTS.items()]
    runs += [("as published", size, {}) for size in SIZES]
    rows = []
    for name, size, options in runs:
        for seed in range(SEEDS):
            started = time.process_time()
            chosen = np.random.default_rng(100 + seed).permutation(len(x))[:size]
            model = train(x[chosen], y[chosen], seed, **options)
            wrong = errors(model, x_test, y_test)
            rows.append(
                {
                    "variant": name,
                    "training_digits": size,
                    "seed": seed,
                    "parameters": model.count_params(),
                    "test_errors": wrong,
                    "test_digits": len(x_test),
                    "test_error_percent": round(100 * wrong / len(x_test), 2),
                    "cpu_seconds": round(time.process_time() - started, 1),
                    **about(),
                }
            )
            print(*list(rows[-1].values())[:8], flush=True)
    write("lenet5-digits-ablation.csv", [row for row in rows if row["training_digits"] == len(x)])
    write("lenet5-digits-training-size.csv", [row for row in rows if row["variant"] == "as published"])


if __name__ == "__main__":
    main()

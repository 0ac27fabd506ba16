"""A support-vector machine against a small CNN, less and more to learn from: data/results/svm-cnn-digits-5-seeds.csv.

    python chapters/origins/first_convnets_svm_trials.py

100, 500 and 1,500 of scikit-learn's 8x8 digits to learn from, 297 to be tested on; each seed cuts the 1,797 digits
anew, the same for both.  Both machines keep one setting throughout.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from cnnkit import data
from cnnkit.course.recording import about, write

SIZES, STEPS, BATCH = (100, 500, 1_500), 600, 32


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


def main(seeds: int = 5) -> None:
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
    main()

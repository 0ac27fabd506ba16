"""Train LeNet-5 as it was (60,000 parameters) on MNIST, over some seeds, and keep the weights of the first.

    python chapters/models/lenet_mnist_trials.py            # writes data/results/lenet5-mnist-5-seeds.csv
    python chapters/models/lenet_mnist_trials.py --keep     # and data/weights/lenet5-mnist.weights.h5 (seed 0)
    python chapters/models/lenet_mnist_trials.py --pack     # trains nothing: the kept weights, packed for the live figure

The test set is looked at once a seed, after training.  `seconds` is wall-clock from the making of the net to
the end of training, `cpu_seconds` what the process used on all cores; reading the data is not counted.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from cnnkit import data, models
from cnnkit._paths import resource
from cnnkit.course.live import FIGURES
from cnnkit.layers import character_codes

RESULTS = resource("results") / "lenet5-mnist-5-seeds.csv"
WEIGHTS = resource("weights") / "lenet5-mnist.weights.h5"
PACKED = FIGURES / "lenet.bin"
COMMAND = "python chapters/models/lenet_mnist_trials.py"

BATCH, RATE, SHARPNESS = 128, 3e-3, 0.05


def loss(labels, scores):
    """Cross-entropy of the scores, softened: squared distances over 84 units would saturate the softmax."""
    return keras.losses.sparse_categorical_crossentropy(
        labels, ops.multiply(scores, SHARPNESS), from_logits=True
    )


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by -1, 0 or 1 pixel in both directions; the margin is paper, so nothing is cut off."""
    moved, moves = np.empty_like(images), rng.integers(-1, 2, size=(len(images), 2))
    for move in np.ndindex(3, 3):
        chosen = (moves + 1 == move).all(axis=1)
        moved[chosen] = np.roll(images[chosen], np.subtract(move, 1), axis=(1, 2))
    return moved


def train(x: np.ndarray, y: np.ndarray, seed: int, epochs: int) -> keras.Model:
    """All epochs but the last on shifted digits; Adam, one half-epoch of warm-up, then a cosine."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = models.create("lenet5", kernel_initializer="lecun_uniform")
    steps = -(-len(x) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        RATE / 10, epochs * steps - steps // 2, warmup_target=RATE, warmup_steps=steps // 2
    )
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=16)
    for epoch in range(epochs):
        images = shifted(x, rng) if epoch < epochs - 1 else x
        model.fit(images, y, batch_size=BATCH, epochs=1, verbose=0)
        print(f"seed {seed}, epoch {epoch + 1} of {epochs}", flush=True)
    return model


def packed(arrays: list[np.ndarray]) -> bytes:
    """Weights in a byte each: for each array its scale as a float, then its numbers as whole multiples of it.

    The figure `lenet` reads them in this order, and after them the ten codes.
    """
    found = b""
    for numbers in arrays:
        scale = np.float32(np.abs(numbers).max() / 127)
        found += scale.astype("<f4").tobytes() + np.round(numbers / scale).astype("int8").tobytes()
    return found


def pack() -> None:
    """Write the kept weights and the codes to where the live figure finds them."""
    arrays = models.create("lenet5", weights="mnist").get_weights()
    PACKED.write_bytes(packed([*arrays, character_codes(10)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many runs (default 5)")
    parser.add_argument("--epochs", type=int, default=9, help="passes over the 60,000 digits (default 9)")
    parser.add_argument("--keep", action="store_true", help="write the weights of seed 0")
    parser.add_argument("--pack", action="store_true", help="pack the kept weights, and train nothing")
    arguments = parser.parse_args()
    if arguments.pack:
        pack()
        return

    (x, y), (x_test, y_test) = data.load("mnist")
    prepare = models.card("lenet5").prepare
    x, x_test = prepare(x), prepare(x_test)
    rows = []
    for seed in range(arguments.seeds):
        started, used = time.perf_counter(), time.process_time()
        model = train(x, y, seed, arguments.epochs)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
        found = model.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
        rows.append(
            {
                "model": "lenet5",
                "command": COMMAND + (" --keep" if arguments.keep else ""),
                "seed": seed,
                "epochs": arguments.epochs,
                "seconds": round(seconds, 1),
                "cpu_seconds": round(cpu_seconds, 1),
                "test_accuracy": round(float(np.mean(found == y_test)), 4),
                "test_errors": int(np.sum(found != y_test)),
                "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}, {cpu_name()}",
                "load_average": round(os.getloadavg()[0], 1),
                "python": platform.python_version(),
                "keras": keras.__version__,
                "backend": f"{keras.backend.backend()} {backend_version()}",
                "numpy": np.__version__,
            }
        )
        print({key: rows[-1][key] for key in ("seed", "seconds", "cpu_seconds", "test_accuracy")}, flush=True)
        if arguments.keep and seed == 0:
            bare = models.create("lenet5")  # without the optimiser, whose state is twice as large
            bare.set_weights(model.get_weights())
            bare.save_weights(WEIGHTS)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def cpu_name() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(": ")[2] if names else platform.processor()


def backend_version() -> str:
    return __import__(keras.backend.backend()).__version__


if __name__ == "__main__":
    main()

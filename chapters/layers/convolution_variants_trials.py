"""Small nets with one part exchanged, on digits scattered over 12 x 12 pixels: data/results/variants-digits-5-seeds.csv.

    python chapters/layers/convolution_variants_trials.py

`kernel` is the question of the separable convolution, `shrink` that of the stride in place of pooling; chapter
`layers/convolution-variants` plots the table and trains two rows again.  The net, the epochs and the rate are
the same for all rows; the test set is looked at once, after the last epoch.  Some minutes on two cores.
"""

from __future__ import annotations

import csv
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from cnnkit import data, insight
from cnnkit._paths import resource

SEEDS, EPOCHS, BATCH, RATE = 5, 30, 64, 3e-3
ROWS = [
    ("kernel", "standard", {}),
    ("kernel", "separable", {"kernel": "separable"}),
    ("kernel", "separable, wider", {"kernel": "separable", "width": 40}),
    ("kernel", "standard, narrower", {"width": 6}),
    ("kernel", "4 groups", {"kernel": "grouped"}),
    ("shrink", "max pooling", {}),
    ("shrink", "average pooling", {"shrink": "average"}),
    ("shrink", "stride in the kernel", {"shrink": "stride"}),
    ("shrink", "one more kernel with a stride", {"shrink": "extra"}),
    ("shrink", "nothing", {"shrink": "none"}),
]


def net(kernel: str = "standard", shrink: str = "max", width: int = 16) -> keras.Model:
    """Three convolutions of width, 2 width and 4 width maps, shrunk by 2 after the first and the second."""
    layers = keras.layers

    def convolve(x, maps, strides=1):
        options = {"strides": strides, "padding": "same", "activation": "relu"}
        if kernel == "separable" and x.shape[-1] > 1:
            return layers.SeparableConv2D(maps, 3, **options)(x)
        groups = 4 if kernel == "grouped" and x.shape[-1] > 1 else 1
        return layers.Conv2D(maps, 3, groups=groups, **options)(x)

    inputs = x = keras.Input((12, 12, 1))
    for maps in (width, 2 * width):
        x = convolve(x, maps, strides=2 if shrink == "stride" else 1)
        if shrink == "extra":
            x = convolve(x, maps, strides=2)
        elif shrink in ("max", "average"):
            x = (layers.MaxPooling2D if shrink == "max" else layers.AveragePooling2D)(2)(x)
    x = layers.GlobalAveragePooling2D()(convolve(x, 4 * width))
    return keras.Model(inputs, layers.Dense(10)(x))


def main() -> None:
    (x, y), (x_test, y_test) = data.load("digits", canvas=12)
    path = resource("results") / "variants-digits-5-seeds.csv"
    recipe = f"{EPOCHS} epochs, batch {BATCH}, Adam {RATE} with cosine decay; 2 x86-64 cores"
    versions = f"Keras {keras.__version__} on {keras.backend.backend()}, Python {platform.python_version()}"
    done: dict[str, list[list[object]]] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["question", "row", "seed", "parameters", "multiply_adds", "train", "test", "recipe", "versions"]
        )
        for question, row, options in ROWS:
            key = str(sorted(options.items()))
            for seed in range(SEEDS):
                start = time.perf_counter()
                if len(done.get(key, [])) <= seed:
                    keras.utils.set_random_seed(seed)
                    model = net(**options)
                    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))
                    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=False)
                    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
                    scores = [
                        round(model.evaluate(*split, verbose=0)[1], 5) for split in ((x, y), (x_test, y_test))
                    ]
                    cost = [model.count_params(), insight.multiply_adds(model)]
                    done.setdefault(key, []).append([*cost, *scores])
                table.writerow([question, row, seed, *done[key][seed], recipe, versions])
                file.flush()
                print(
                    question, row, seed, done[key][seed], f"{time.perf_counter() - start:.0f} s", flush=True
                )


if __name__ == "__main__":
    main()

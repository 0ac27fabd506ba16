"""Leave something out of the later convolutions of a small net, and train each net until it knows its pictures by heart.

    python chapters/layers/convolution_variants_trials.py

It writes data/results/variants-fashion.csv.  The pictures are Fashion-MNIST's at half their size, 14 x 14; the
pooling, the head and the recipe are the same for all, and the first convolution is full.
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np

from cnnkit import data, trials


def pictures() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Fashion-MNIST, each square of four pixels averaged; 2,500 pictures to train and choose with."""
    (x, y), (x_test, y_test) = data.load("fashion_mnist")
    halved = [part.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4)) for part in (x[:2_500], x_test)]
    return (halved[0], y[:2_500]), (halved[1], y_test)


def net(seed: int, kernel: str = "full", width: int = 16) -> keras.Model:
    """Three convolutions of width, 2 width and 4 width maps; what `kernel` says holds for the second and third."""
    layers = keras.layers
    kinds = {
        "full": partial(layers.Conv2D, kernel_size=3),
        "separable": partial(layers.SeparableConv2D, kernel_size=3),
    }
    options = {"padding": "same", "activation": "relu"}
    inputs = x = keras.Input((14, 14, 1))
    x = layers.MaxPooling2D(2)(layers.Conv2D(width, 3, **options)(x))
    x = layers.MaxPooling2D(2)(kinds[kernel](2 * width, **options)(x))
    x = layers.GlobalAveragePooling2D()(kinds[kernel](4 * width, **options)(x))
    return keras.Model(inputs, layers.Dense(10)(x))


ARMS = {
    "full": net,
    "separable": partial(net, kernel="separable"),
    "full, as cheap": partial(net, width=7),
}

race = trials.trial(
    "variants-fashion",
    arms=ARMS,
    data=trials.split(pictures, validation=1_000, name="fashion_mnist, 14 x 14"),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=60, batch_size=64),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

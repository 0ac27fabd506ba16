"""Seconds of each layer beside the nearest that Keras has, at 32 x 64 x 64 x 32: `data/results/layer-times-<n>-cores.csv`.

    .venv/bin/python tests/benchmarks/layer_times.py            with the default backend
    KERAS_BACKEND=jax .venv/bin/python tests/benchmarks/layer_times.py

Forward passes, compiled as Keras compiles them on this machine (`predict`, or `train=True` where chance is
drawn), in turns: ours, Keras's, ours, ... ; the smallest of all turns counts, so that a busy machine hurts
both alike. Rows of other backends stay. What is compared with what stands in the table.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.layers import (  # noqa: E402
    AdaptiveMaxPooling2D,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dropout,
    Flatten,
    MaxPooling1D,
    MaxPooling2D,
    MultiHeadAttention,
    Reshape,
    Softmax,
    UpSampling2D,
)

from cnnkit import layers  # noqa: E402
from tests.benchmarks.bench import cores, machine, versions  # noqa: E402

SHAPE, BOXES, TURNS = (64, 64, 32), 8, 12
BOUND = 1.5
FIELDS = ("layer", "nearest", "backend", "ms", "nearest_ms", "ratio", "bound", "machine", "versions")


def cropped_one_by_one(inputs):
    """Each box by its own crop and Keras's adaptive pooling: what there is without a layer of boxes."""
    x, _ = inputs
    return [AdaptiveMaxPooling2D(7)(Cropping2D(((i, 32 - i), (2 * i, 32 - 2 * i)))(x)) for i in range(BOXES)]


def pyramid(x):
    return Concatenate()([Flatten()(MaxPooling2D(window)(x)) for window in (64, 32, 16)])


def attend(x):
    tokens = Reshape((64 * 64, 32))(x)
    return MultiHeadAttention(4, 8)(tokens[:, :1], tokens)


PAIRS: dict[str, tuple[Callable, str, Callable]] = {
    "L2Pooling2D()": (layers.L2Pooling2D(), "AveragePooling2D", AveragePooling2D(2)),
    "LpPooling2D(3)": (layers.LpPooling2D(3), "AveragePooling2D", AveragePooling2D(2)),
    "LpPooling2D(12)": (layers.LpPooling2D(12), "AveragePooling2D", AveragePooling2D(2)),
    "MixedPooling2D()": (
        layers.MixedPooling2D(),
        "MaxPooling2D and AveragePooling2D, added",
        lambda x: MaxPooling2D(2)(x) + AveragePooling2D(2)(x),
    ),
    "StochasticPooling2D()": (
        layers.StochasticPooling2D(),
        "two AveragePooling2D, divided",
        lambda x: AveragePooling2D(2)(x) / AveragePooling2D(2)(x),
    ),
    "StochasticPooling2D(), training": (
        layers.StochasticPooling2D(),
        "Dropout, MaxPooling2D, training",
        lambda x: MaxPooling2D(2)(Dropout(0.5)(x)),
    ),
    "SoftmaxPooling2D()": (
        layers.SoftmaxPooling2D(),
        "Softmax, AveragePooling2D",
        lambda x: AveragePooling2D(2)(Softmax()(x)),
    ),
    "ChannelMaxPooling()": (
        layers.ChannelMaxPooling(),
        "Reshape, MaxPooling1D",
        lambda x: MaxPooling1D(2)(Reshape((64 * 64 * 32, 1))(x)),
    ),
    "SpatialPyramidPooling2D()": (layers.SpatialPyramidPooling2D(), "three MaxPooling2D, joined", pyramid),
    "RoIPooling(7), 8 boxes": (layers.RoIPooling(7), "8 crops, AdaptiveMaxPooling2D", cropped_one_by_one),
    "RoIAlign(7), 8 boxes": (layers.RoIAlign(7), "8 crops, AdaptiveMaxPooling2D", cropped_one_by_one),
    "AttentionPooling(4)": (layers.AttentionPooling(4), "MultiHeadAttention", attend),
    "LocallyConnected2D(32, 3)": (layers.LocallyConnected2D(32, 3), "Conv2D", Conv2D(32, 3)),
    "MultiDilationConv2D(32, 3)": (
        layers.MultiDilationConv2D(32, 3),
        "three dilated Conv2D, joined",
        lambda x: Concatenate()(
            [Conv2D(f, 3, padding="same", dilation_rate=d)(x) for f, d in ((11, 1), (11, 2), (10, 4))]
        ),
    ),
    "ResizeConv2D(32, 3)": (
        layers.ResizeConv2D(32, 3),
        "UpSampling2D, Conv2D",
        lambda x: Conv2D(32, 3, padding="same")(UpSampling2D(2)(x)),
    ),
    "MaskedConv2D(32, 3)": (
        lambda x: layers.MaskedConv2D(32, 3)([x, x[..., :1]]),
        "Conv2D",
        Conv2D(32, 3, padding="same"),
    ),
    "MaxPoolingWithSwitches2D()": (
        layers.MaxPoolingWithSwitches2D(),
        "MaxPooling2D, UpSampling2D, compared with the input",
        lambda x: [
            MaxPooling2D(2)(x),
            keras.ops.cast(keras.ops.equal(UpSampling2D(2)(MaxPooling2D(2)(x)), x), "int32"),
        ],
    ),
    "MaxUnpooling2D()": (
        lambda x: layers.MaxUnpooling2D()([x, 3 * x]),
        "UpSampling2D, times a mask",
        lambda x: UpSampling2D(2)(x) * UpSampling2D(2)(3 * x),
    ),
    "BedOfNailsUnpooling2D()": (layers.BedOfNailsUnpooling2D(), "UpSampling2D", UpSampling2D(2)),
}


def model_of(function: Callable, with_boxes: bool) -> keras.Model:
    x = keras.Input(SHAPE)
    inputs = [x, keras.Input((BOXES, 4))] if with_boxes else x
    outputs = keras.tree.flatten(function(inputs))
    # One number comes back, so that the copy of a large output does not hide the layer. All of the output is
    # in it: a compiler leaves out what nobody asks for.
    model = keras.Model(inputs, [keras.ops.sum(y) for y in outputs])
    model.compile()
    return model


def runner(model: keras.Model, arrays: list, training: bool) -> Callable[[], float]:
    """Run the compiled model once; the inputs are tensors already."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda *a: model(list(a) if len(a) > 1 else a[0], training=training))
    elif backend == "jax":
        import jax

        compiled = jax.jit(lambda *a: model(list(a) if len(a) > 1 else a[0], training=training))
    else:
        import torch

        def compiled(*a):
            with torch.no_grad():
                return model(list(a) if len(a) > 1 else a[0], training=training)

    def run() -> float:
        start = time.perf_counter()
        for value in keras.tree.flatten(compiled(*arrays)):
            keras.ops.convert_to_numpy(value)
        return time.perf_counter() - start

    return run


def measure(name: str) -> tuple[float, float]:
    ours, _, theirs = PAIRS[name]
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1, size=(32, *SHAPE)).astype("float32")]
    if "boxes" in name:
        boxes = np.array([[2 * i, i, 2 * i + 32, i + 32] for i in range(BOXES)], "float32")
        arrays.append(np.tile(boxes, (32, 1, 1)))
    arrays = [keras.ops.convert_to_tensor(a) for a in arrays]
    runs = [runner(model_of(f, len(arrays) > 1), arrays, "training" in name) for f in (ours, theirs)]
    times: list[list[float]] = [[], []]
    for turn in range(TURNS + 2):
        for which, run in enumerate(runs):
            seconds = run()
            if turn >= 2:
                times[which].append(1e3 * seconds)
    return min(times[0]), min(times[1])


def main() -> None:
    backend = keras.backend.backend()
    path = ROOT / "data" / "results" / f"layer-times-{cores()}-cores.csv"
    kept = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["backend"] != backend]
    rows = []
    for name in PAIRS:
        ours, theirs = measure(name)
        rows.append(
            {
                "layer": name,
                "nearest": PAIRS[name][1],
                "backend": backend,
                "ms": round(ours, 2),
                "nearest_ms": round(theirs, 2),
                "ratio": round(ours / theirs, 2),
                "bound": BOUND,
                "machine": machine(),
                "versions": versions(),
            }
        )
        print(f"{name:34s} {ours:8.2f} ms   {PAIRS[name][1]:42s} {theirs:8.2f} ms   x{ours / theirs:.2f}")
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(sorted(kept + rows, key=lambda row: (row["backend"], row["layer"])))


if __name__ == "__main__":
    main()

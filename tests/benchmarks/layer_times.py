"""Milliseconds of each layer beside the nearest that Keras has, at 32 x 64 x 64 x 32: `data/results/layer-times-<n>-cores.csv`.

    .venv/bin/python tests/benchmarks/layer_times.py                   with the default backend
    KERAS_BACKEND=jax .venv/bin/python tests/benchmarks/layer_times.py L2 RoI       only names that begin so

Forward passes, compiled as `predict` compiles them on this machine (PyTorch has nothing compiled), or with
`training=True` where the row says so. Input and output stay in the backend's memory: neither the copy from
NumPy nor the copy back is counted, which would make any two layers look alike. Ours and Keras's run in turns
and the smallest of all turns counts. `cpu_ms` is the same by the time that all cores spent on it, which does
not count waiting: on a busy machine, where a longer turn waits more often, `cpu_ratio` is the fairer one.

`ratio`, which the bound is about, is taken to one plain layer of Keras, the nearest that there is.
`work_ratio` is taken to the same work put together from what Keras has, where one layer does not do it.
`note` says what a layer does more where it breaks the bound. Rows of other backends, and of layers that were
not asked for, stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import ops  # noqa: E402
from keras.layers import (  # noqa: E402
    AdaptiveMaxPooling2D,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LayerNormalization,
    MaxPooling1D,
    MaxPooling2D,
    MultiHeadAttention,
    Reshape,
    Resizing,
    UpSampling2D,
)

from cnnkit import layers  # noqa: E402
from tests.benchmarks.bench import cores, machine, versions  # noqa: E402

SHAPE, BATCH, BOXES = (64, 64, 32), 32, 8
BOUND = 1.5


@dataclass(frozen=True)
class Row:
    """One layer, its nearest in Keras, and the same work put together, if that is something else."""

    layer: Callable
    nearest: str
    beside: Callable
    work: str = ""
    composed: Callable | None = None
    training: bool = False
    boxes: bool = False
    why: str = ""  # what it does more, for a ratio over the bound


def average(x):
    return AveragePooling2D(2)(x)


def power_mean(p):
    return lambda x: ops.power(average(ops.power(ops.abs(x), p)), 1 / p)


def each_crop(inputs):
    """What there is without a layer of boxes: each box is a crop of its own, known when the net is built."""
    x, _ = inputs
    return [AdaptiveMaxPooling2D(7)(Cropping2D(((i, 32 - i), (2 * i, 32 - 2 * i)))(x)) for i in range(BOXES)]


def pyramid(x):
    return Concatenate()([Flatten()(MaxPooling2D(window)(x)) for window in (64, 32, 16)])


def attend(x):
    tokens = Reshape((64 * 64, 32))(x)
    return MultiHeadAttention(4, 8)(tokens[:, :1], tokens)


def dilated(x):
    runs = ((11, 1), (11, 2), (10, 4))
    return Concatenate()([Conv2D(f, 3, padding="same", dilation_rate=d)(x) for f, d in runs])


def turned(x):
    """For each picture a rotation by a twentieth of a turn, as the six numbers of an affine map."""
    angle = np.pi / 10
    numbers = [[np.cos(angle), -np.sin(angle), 0.0, np.sin(angle), np.cos(angle), 0.0]]
    return ops.zeros_like(x[:, 0, 0, :6]) + np.array(numbers, "float32")


def where_largest(x):
    y = MaxPooling2D(2)(x)
    return [y, ops.cast(ops.equal(UpSampling2D(2)(y), x), "int32")]


ROWS: dict[str, Row] = {
    "L2Pooling2D()": Row(
        layers.L2Pooling2D(),
        "AveragePooling2D",
        average,
        "square, AveragePooling2D, root",
        lambda x: ops.sqrt(average(ops.square(x))),
        why="the squares are a pass over the image before the average, the root one after it",
    ),
    "LpPooling2D(3)": Row(
        layers.LpPooling2D(p=3),
        "AveragePooling2D",
        average,
        "power, AveragePooling2D, root",
        power_mean(3),
        why="power and sign are three passes over the image before the average, the root by logarithms one after it",
    ),
    "LpPooling2D(12)": Row(
        layers.LpPooling2D(p=12),
        "AveragePooling2D",
        average,
        "power, AveragePooling2D, root",
        power_mean(12),
        why="each window is counted in units of its largest value, so that no power is lost: four slices, each with its powers",
    ),
    "MixedPooling2D()": Row(
        layers.MixedPooling2D(),
        "MaxPooling2D",
        MaxPooling2D(2),
        "MaxPooling2D and AveragePooling2D, added",
        lambda x: MaxPooling2D(2)(x) + average(x),
        why="two poolings, the maximum and the average, where Keras does one",
    ),
    "StochasticPooling2D()": Row(
        layers.StochasticPooling2D(),
        "AveragePooling2D",
        average,
        "two AveragePooling2D, divided",
        lambda x: average(ops.square(x)) / average(x),
        why="two averages, of the activations and of their squares, where Keras does one",
    ),
    "StochasticPooling2D(), training": Row(
        layers.StochasticPooling2D(),
        "MaxPooling2D",
        MaxPooling2D(2),
        "Dropout, MaxPooling2D",
        lambda x: MaxPooling2D(2)(Dropout(0.5)(x)),
        training=True,
        why="a random number is drawn for each window, then compared with the running sums of its pixels",
    ),
    "SoftmaxPooling2D()": Row(
        layers.SoftmaxPooling2D(),
        "AveragePooling2D",
        average,
        "exponential, two AveragePooling2D, divided",
        lambda x: average(x * ops.exp(x)) / average(ops.exp(x)),
        why="an exponential for each pixel, shifted by the largest of its window, and two sums over four slices",
    ),
    "ChannelMaxPooling()": Row(
        layers.ChannelMaxPooling(),
        "MaxPooling1D",
        lambda x: MaxPooling1D(2)(Reshape((64 * 64 * 32, 1))(x)),
    ),
    "SpatialPyramidPooling2D()": Row(
        layers.SpatialPyramidPooling2D(),
        "MaxPooling2D(16)",
        MaxPooling2D(16),
        "three MaxPooling2D, joined",
        pyramid,
    ),
    "RoIPooling(7), 8 boxes": Row(
        layers.RoIPooling(7),
        "AdaptiveMaxPooling2D, 8 crops",
        each_crop,
        boxes=True,
        why="gathers for each bin as many rows as the largest box could need, and XLA gathers slowly on a CPU",
    ),
    "RoIAlign(7), 8 boxes": Row(layers.RoIAlign(7), "AdaptiveMaxPooling2D, 8 crops", each_crop, boxes=True),
    "AttentionPooling(4)": Row(layers.AttentionPooling(4), "MultiHeadAttention", attend),
    "LocallyConnected2D(32, 3)": Row(
        layers.LocallyConnected2D(32, 3),
        "Conv2D",
        Conv2D(32, 3),
        why="has 3,844 times the weights of Conv2D; these and the patches are 142 MB each, to be read once",
    ),
    "MultiDilationConv2D(32, 3)": Row(
        layers.MultiDilationConv2D(32, 3),
        "Conv2D",
        Conv2D(32, 3, padding="same"),
        "three dilated Conv2D, joined",
        dilated,
        why="three convolutions with few filters each, as slow as Keras's three; the multiply-adds are those of one",
    ),
    "ResizeConv2D(32, 3)": Row(
        layers.ResizeConv2D(32, 3),
        "Conv2DTranspose",
        Conv2DTranspose(32, 4, 2, padding="same"),
        "UpSampling2D, Conv2D",
        lambda x: Conv2D(32, 3, padding="same")(UpSampling2D(2)(x)),
        why="nine taps for each pixel of the enlarged map, where the transposed kernel has four",
    ),
    "MaskedConv2D(32, 3)": Row(
        lambda x: layers.MaskedConv2D(32, 3)([x, x[..., :1]]), "Conv2D", Conv2D(32, 3, padding="same")
    ),
    "MaxPoolingWithSwitches2D()": Row(
        layers.MaxPoolingWithSwitches2D(),
        "MaxPooling2D",
        MaxPooling2D(2),
        "MaxPooling2D, UpSampling2D, compared with the input",
        where_largest,
        why="says where each maximum stood: three of four slices are compared with it, after the pooling",
    ),
    "MaxUnpooling2D()": Row(
        lambda x: layers.MaxUnpooling2D()([x, 3 * x]),
        "UpSampling2D",
        UpSampling2D(2),
        "UpSampling2D, times a mask",
        lambda x: UpSampling2D(2)(x) * ops.cast(UpSampling2D(2)(3 * x) > 1, "float32"),
        why="chooses for each pixel between a maximum and zero, where UpSampling2D copies",
    ),
    "BedOfNailsUnpooling2D()": Row(layers.BedOfNailsUnpooling2D(), "UpSampling2D", UpSampling2D(2)),
    "BlurPool2D()": Row(
        layers.BlurPool2D(),
        "DepthwiseConv2D",
        DepthwiseConv2D(3, strides=2, padding="same"),
        why="pads the image before the convolution, so that 'same' means the same on every backend",
    ),
    "LocalResponseNormalization()": Row(
        layers.LocalResponseNormalization(),
        "LayerNormalization",
        LayerNormalization(),
        why="a power for each pixel, where LayerNormalization has one root for all channels of a pixel",
    ),
    "GlobalResponseNormalization()": Row(
        layers.GlobalResponseNormalization(), "LayerNormalization", LayerNormalization()
    ),
    "Maxout(2)": Row(
        layers.Maxout(2),
        "MaxPooling1D",
        lambda x: MaxPooling1D(2)(Reshape((64 * 64 * 32, 1))(x)),
    ),
    "PartiallyConnected2D(32 of 32 maps, 3)": Row(
        layers.PartiallyConnected2D(np.eye(32) + np.eye(32)[::-1], 3), "Conv2D", Conv2D(32, 3)
    ),
    "TrainableSubsampling2D()": Row(
        layers.TrainableSubsampling2D(),
        "AveragePooling2D",
        average,
        "AveragePooling2D, DepthwiseConv2D(1)",
        lambda x: DepthwiseConv2D(1)(average(x)),
        why="a coefficient and a bias for each map, after the average",
    ),
    "SCell(32, 5)": Row(
        layers.SCell(32, 5),
        "Conv2D",
        Conv2D(32, 5),
        "two Conv2D, divided",
        lambda x: Conv2D(32, 5)(x) / (1 + ops.sqrt(Conv2D(1, 5)(ops.square(x)))),
    ),
    "CCell(5)": Row(
        layers.CCell(5),
        "DepthwiseConv2D",
        DepthwiseConv2D(5, strides=2, padding="same"),
        why="pads by four, and each cell is braked by the mean of all maps",
    ),
    "SpatialTransformer()": Row(
        lambda x: layers.SpatialTransformer()([x, turned(x)]),
        "Resizing",
        Resizing(64, 64),
        "ops.image.affine_transform",
        lambda x: ops.image.affine_transform(x, ops.concatenate([turned(x), turned(x)[:, :2]], axis=1)),
        why="every picture has a grid of its own, gathered pixel by pixel, where Resizing has one for all",
    ),
}


def built(function: Callable, shapes: list) -> keras.Model:
    """The function as a model of one input, or of a list of several."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, function(inputs if len(inputs) > 1 else inputs[0]))


def runner(function: Callable, arrays: list, training: bool) -> Callable[[], tuple[float, float]]:
    """Run the function once, as a compiled model, and tell the milliseconds by the clock and on all cores."""
    model = built(function, [a.shape[1:] for a in arrays])
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda *a: model(list(a), training=training))
        finished = compiled  # on the CPU the result stands when the call returns
    elif backend == "jax":
        import jax

        compiled = jax.jit(lambda *a: model(list(a), training=training))

        def finished(*a):
            return jax.block_until_ready(compiled(*a))
    else:
        import torch

        def finished(*a):
            with torch.no_grad():
                return model(list(a), training=training)

    def run() -> tuple[float, float]:
        start, used = time.perf_counter(), time.process_time()
        finished(*arrays)
        return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - used)

    return run


def memory(row: Row) -> float:
    """What XLA sets aside for the arrays between input and output, in units of the input (JAX only)."""
    import jax

    shapes = [SHAPE, (BOXES, 4)] if row.boxes else [SHAPE]
    model = built(row.layer, shapes)
    arrays = [jax.ShapeDtypeStruct((BATCH, *shape), "float32") for shape in shapes]
    lowered = jax.jit(lambda *a: model(list(a), training=row.training)).lower(*arrays)
    return lowered.compile().memory_analysis().temp_size_in_bytes / (BATCH * np.prod(SHAPE) * 4)


def measure(row: Row, turns: int) -> np.ndarray:
    """Least milliseconds by the clock, and on all cores, of ours, the nearest and the composed one, if any."""
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1, size=(BATCH, *SHAPE)).astype("float32")]
    if row.boxes:
        boxes = np.array([[2 * i, i, 2 * i + 32, i + 32] for i in range(BOXES)], "float32")
        arrays.append(np.tile(boxes, (BATCH, 1, 1)))
    arrays = [ops.convert_to_tensor(a) for a in arrays]
    runs = [runner(f, arrays, row.training) for f in (row.layer, row.beside, row.composed) if f]
    times = np.array([[run() for run in runs] for _ in range(turns + 3)])[3:]
    return times.min(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="layers whose name begins so (default: all)")
    parser.add_argument("--turns", type=int, default=40, help="how often each runs (default 40)")
    parser.add_argument(
        "--again",
        action="store_true",
        help="keep the smaller of this run's times and the table's, for a busy machine",
    )
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    arguments = parser.parse_args()
    backend = keras.backend.backend()
    path = ROOT / "data" / "results" / f"layer-times-{cores()}-cores.csv"
    rows = {}
    if path.exists():
        with path.open(newline="") as file:
            rows = {(row["backend"], row["layer"]): row for row in csv.DictReader(file)}
    rows = {key: row for key, row in rows.items() if key[1] in ROWS}
    for name, row in ROWS.items():
        if arguments.names and not name.startswith(tuple(arguments.names)):
            continue
        times, turns = measure(row, arguments.turns), arguments.turns
        if arguments.again and (before := rows.get((backend, name))):
            told = [
                [before[f"{kind}{unit}"] for unit in ("ms", "cpu_ms")] for kind in ("", "nearest_", "work_")
            ]
            times = np.minimum(times, np.array(told[: len(times)], float))
            turns += int(before["turns"])
        ours, nearest, *composed = times.round(2).tolist()
        ratio, cpu_ratio = (round(one / other, 2) for one, other in zip(ours, nearest, strict=True))
        rows[backend, name] = {
            "layer": name,
            "nearest": row.nearest,
            "backend": backend,
            "ms": ours[0],
            "nearest_ms": nearest[0],
            "ratio": ratio,
            "cpu_ms": ours[1],
            "nearest_cpu_ms": nearest[1],
            "cpu_ratio": cpu_ratio,
            "bound": BOUND,
            "note": row.why if ratio > BOUND else "",
            "work": row.work,
            "work_ms": composed[0][0] if composed else "",
            "work_cpu_ms": composed[0][1] if composed else "",
            "work_ratio": round(ours[0] / composed[0][0], 2) if composed else "",
            "memory": round(memory(row), 2) if backend == "jax" else "",
            "turns": turns,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": machine(),
            "versions": versions(),
        }
        beside = f"{row.work} x{ours[0] / composed[0][0]:.2f}" if composed else ""
        print(
            f"{name:32s}{ours[0]:7.2f} ms  {row.nearest:29s}{nearest[0]:7.2f} ms  x{ratio:.2f}  cpu x{cpu_ratio:.2f}  {beside}",
            flush=True,
        )
    if not arguments.dry:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(next(iter(rows.values()))))
            writer.writeheader()
            writer.writerows(row for _, row in sorted(rows.items()))


if __name__ == "__main__":
    main()

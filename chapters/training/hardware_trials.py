"""How long convolutions and nets take on one thread, for chapter training/hardware.

    OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 python chapters/training/hardware_trials.py

Some three minutes; run it on a machine that does nothing else. It writes data/results/hardware-ways.csv, one convolution of 64 to
64 channels on maps of 32 x 32 results, by side of the kernel, batch and way, the whole (with the kernels transformed beforehand)
and its products alone; data/results/hardware-layers.csv, layers of Keras as the roofline predicts them and as they are; and
data/results/hardware-net.csv, a small net by batch, engine and precision. All times are processor milliseconds, the quickest of several turns in which every row has its turn.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from scipy import fft

from cnnkit import insight, scratch
from cnnkit.course.recording import about, write

CHANNELS, SIDE = 64, 32  # of every convolution: channels in and out, and sides of the map of results
KERNELS, BATCHES = (3, 5, 7, 9, 11, 15), (1, 8, 64)
LARGEST = 1e9  # bytes that an unrolled image may fill
CPU = Path("/proc/cpuinfo")  # where Linux tells which instructions there are

HIDDEN = "compiled, bfloat16 instructions hidden"

Work = Callable[[], Any]


def quickest(works: dict[Any, Work], turns: int) -> dict[Any, float]:
    """Processor seconds of each work: the shortest of some turns, in which all take part."""
    for work in works.values():
        work()
    times: dict[Any, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            start = time.process_time()
            work()
            times[name].append(time.process_time() - start)
    return {name: min(found) for name, found in times.items()}


def ways(k: int, batch: int) -> dict[tuple[str, str], Work]:
    """The ways of one convolution: (way, whole or products) -> what is timed."""
    rng = np.random.default_rng(0)
    side = SIDE + k - 1
    x = rng.normal(size=(batch, side, side, CHANNELS)).astype("float32")
    w = rng.normal(size=(k, k, CHANNELS, CHANNELS)).astype("float32")
    spectra = scratch.kernel_spectra(w, side, side)
    image = fft.rfft2(x, s=[fft.next_fast_len(side, real=True)] * 2, axes=(1, 2)).transpose(1, 2, 0, 3)
    tensor = keras.ops.convert_to_tensor(x)
    layer = layers.Conv2D(CHANNELS, k, use_bias=False)
    layer.build(x.shape)
    works: dict[tuple[str, str], Work] = {
        ("sliding sum", "whole"): lambda: scratch.convolve2d(x, w),
        ("FFT", "whole"): lambda: scratch.convolve2d_fft(x, w, spectra),
        ("FFT", "products"): lambda: image @ spectra,
        ("Keras", "whole"): lambda: keras.ops.convert_to_numpy(layer(tensor)),
    }
    if 4 * batch * SIDE**2 * k**2 * CHANNELS < LARGEST:
        unrolled, flat = scratch.im2col(x, k), w.reshape(-1, CHANNELS)
        works["im2col", "whole"] = lambda: scratch.convolve2d_im2col(x, w)
        works["im2col", "products"] = lambda: unrolled @ flat
    if k == 3:
        for m in (2, 4, 6):
            kernels, tiles = scratch.winograd_kernels(w, m), batch * (-(-SIDE // m)) ** 2
            blocks = rng.normal(size=(m + 2, m + 2, tiles, CHANNELS)).astype("float32")
            name = f"Winograd F({m})"
            works[name, "whole"] = functools.partial(scratch.convolve2d_winograd, x, w, m, kernels)
            works[name, "products"] = functools.partial(np.matmul, blocks, kernels)
        if batch == BATCHES[1]:
            matrix, columns = scratch.toeplitz(w, side, side), np.ascontiguousarray(x.reshape(batch, -1).T)
            works["Toeplitz", "whole"] = lambda: matrix @ columns
    return works


def time_ways() -> None:
    rows = []
    for k in KERNELS:
        for batch in BATCHES:
            found = quickest(ways(k, batch), turns=3 if k > 7 and batch == BATCHES[-1] else 5)
            for (way, part), seconds in found.items():
                rows.append({"way": way, "part": part, "kernel": k, "batch": batch, "channels": CHANNELS, "side": SIDE,
                             "ms": round(1e3 * seconds, 4), **about()})  # fmt: skip
            print(k, batch, {name: round(1e3 * s / batch, 2) for name, s in found.items()}, flush=True)
    write("hardware-ways.csv", rows)


def candidates() -> list[tuple[str, int, tuple[int, ...], keras.Layer]]:
    """Layers as nets have them: name, batch, shape of an example, layer."""
    maps = (32, 32, 64)
    free = {"padding": "same", "use_bias": False}
    return [
        ("convolution 5 × 5", 64, maps, layers.Conv2D(64, 5, **free)),
        ("convolution 3 × 3", 64, maps, layers.Conv2D(64, 3, **free)),
        ("convolution 1 × 1", 64, maps, layers.Conv2D(64, 1, **free)),
        ("depthwise 3 × 3", 64, maps, layers.DepthwiseConv2D(3, **free)),
        ("max pooling", 64, maps, layers.MaxPooling2D()),
        ("batch normalisation", 64, maps, layers.BatchNormalization()),
        ("ReLU", 64, maps, layers.ReLU()),
        ("dense, 512 images", 512, (4096,), layers.Dense(4096, use_bias=False)),
        ("dense, 1 image", 1, (4096,), layers.Dense(4096, use_bias=False)),
    ]


def time_layers() -> None:
    here = insight.machine(clock=time.process_time, turns=7)
    print("multiply-adds a second", here.peak, "bytes a second", here.bandwidth)
    works, told = {}, {}
    for name, batch, shape, layer in candidates():
        inputs = keras.Input(shape)
        (row,) = insight.roofline(keras.Model(inputs, layer(inputs)), here, batch)
        rng = np.random.default_rng(0)
        x = keras.ops.convert_to_tensor(rng.normal(size=(batch, *shape)).astype("float32"))
        works[name], told[name] = lambda x=x, layer=layer: keras.ops.convert_to_numpy(layer(x)), row
    found = quickest(works, turns=9)
    rows = [{"layer": name, "multiply_adds": row.multiply_adds, "moved": row.moved, "bound": row.bound,
             "predicted_ms": round(1e3 * row.seconds, 4), "ms": round(1e3 * found[name], 4),
             "peak": f"{here.peak:.4g}", "bandwidth": f"{here.bandwidth:.4g}", **about()}
            for name, row in told.items()]  # fmt: skip
    for row in rows:
        print(row["layer"], row["predicted_ms"], row["ms"], row["bound"])
    write("hardware-layers.csv", rows)


def net(dtype: str) -> keras.Model:
    """Two convolutions and a dense layer, as small nets of this book are."""
    options = {"padding": "same", "activation": "relu", "dtype": dtype}
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, **options),
            layers.Conv2D(64, 3, **options),
            layers.MaxPooling2D(dtype=dtype),
            layers.Conv2D(64, 3, **options),
            layers.GlobalAveragePooling2D(dtype=dtype),
            layers.Dense(10, dtype="float32"),
        ]
    )


def of_nets(
    engines: dict[str, dict[str, Any]], batches: tuple[int, ...]
) -> dict[tuple[str, str, int], float]:
    """Processor seconds of the net, by engine, precision and batch."""
    works = {}
    rng = np.random.default_rng(0)
    for engine, options in engines.items():
        for dtype in ("float32", "mixed_bfloat16"):
            for batch in batches:
                model = net(dtype)
                model.compile(**options)
                x = rng.normal(size=(batch, 32, 32, 3)).astype("float32")
                works[engine, dtype, batch] = functools.partial(model.predict_on_batch, x)
    return quickest(works, turns=7)


def time_net() -> None:
    found = of_nets(
        {
            "eager": {"run_eagerly": True},
            "compiled": {"jit_compile": False},
            "compiled by XLA": {"jit_compile": True},
        },
        (1, 8, 64, 512),
    )
    native = "bf16" in CPU.read_text(encoding="utf-8") if CPU.exists() else False
    if native:  # the same once more where oneDNN is told to see none of these instructions
        told = subprocess.run(
            [sys.executable, __file__, HIDDEN],
            env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"},
            capture_output=True,
            text=True,
            check=True,
        )
        for engine, dtype, batch, seconds in json.loads(told.stdout.strip().splitlines()[-1]):
            found[engine, dtype, batch] = seconds
    rows = [{"engine": engine, "precision": dtype, "batch": batch, "ms": round(1e3 * seconds, 4),
             "computes_bfloat16": native and engine != HIDDEN, **about()}
            for (engine, dtype, batch), seconds in found.items()]  # fmt: skip
    for row in rows:
        print(row["engine"], row["precision"], row["batch"], round(row["ms"] / row["batch"], 3))
    write("hardware-net.csv", rows)


if __name__ == "__main__":
    if HIDDEN in sys.argv:
        seconds = of_nets({HIDDEN: {"jit_compile": False}}, (64,))
        print(json.dumps([[*name, value] for name, value in seconds.items()]))
    else:
        time_layers()
        time_net()
        time_ways()

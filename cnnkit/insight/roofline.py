"""How fast a layer could be: what it multiplies and what it moves, against what the machine can do of each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnnkit.insight.cost import cost_of, unknown_cost
from cnnkit.insight.graph import Call, keras_family, read

__all__ = ["Machine", "RooflineRow", "machine", "roofline"]


@dataclass(frozen=True)
class Machine:
    """What a machine can do at most: multiply-adds a second, and bytes a second to and from memory.

    >>> Machine(peak=50e9, bandwidth=10e9).ridge
    5.0

    Chapter: training/hardware.
    Paper: doi:10.1145/1498765.1498785.
    """

    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """The intensity, in multiply-adds a byte, from which on arithmetic is what takes the time."""
        return self.peak / self.bandwidth

    def attainable(self, intensity: float) -> float:
        """The roof: the most multiply-adds a second at so many multiply-adds a byte."""
        return min(self.peak, self.bandwidth * intensity)

    def seconds(self, multiply_adds: float, moved: float) -> float:
        """The least time for so many multiply-adds and so many bytes, if the one hides behind the other."""
        return max(multiply_adds / self.peak, moved / self.bandwidth)


@dataclass(frozen=True)
class RooflineRow:
    """One layer under the roof: its multiply-adds and bytes for a whole batch, and its least time.

    Chapter: training/hardware.
    """

    layer: str
    kind: str
    multiply_adds: int
    moved: int
    seconds: float
    bound: str

    @property
    def intensity(self) -> float:
        """Multiply-adds for each byte that has to be moved."""
        return self.multiply_adds / self.moved if self.moved else 0.0


def machine(
    side: int = 2048, megabytes: int = 128, turns: int = 3, clock: Callable[[], float] = time.perf_counter
) -> Machine:
    """Measure this machine with the backend that runs: a matrix product, and the sum of two arrays beyond the cache.

    Both numbers are those of one kind of work in one library, not what the maker promises: the sum also pays for
    the memory of its result, as every layer does.

    Args:
        side: of the two square matrices.
        megabytes: of each of the two arrays.
        turns: how often each is run; the quickest counts.
        clock: `time.process_time` counts processor seconds over all threads, which other programs disturb less, but
            not the seconds of a GPU.

    Example:
        >>> measured = machine(side=64, megabytes=1)
        >>> measured.peak > 0 and measured.bandwidth > 0
        True

    Chapter: training/hardware.
    Paper: doi:10.1145/1498765.1498785.
    """
    rng = np.random.default_rng(0)

    def array(shape: tuple[int, ...]) -> Any:
        return keras.ops.convert_to_tensor(rng.random(shape, dtype="float32"))

    a, b = array((side, side)), array((side, side))
    product = _quickest(lambda: keras.ops.matmul(a, b), turns, clock)
    a, b = array((megabytes, 2**18)), array((megabytes, 2**18))
    total = _quickest(lambda: keras.ops.add(a, b), turns, clock)
    return Machine(peak=side**3 / product, bandwidth=3 * megabytes * 2**20 / total)


def roofline(
    model: keras.Model, machine: Machine, batch: int = 1, input_shape: Any = None
) -> list[RooflineRow]:
    """Predict the least time of every layer of one forward pass over a batch.

    Moved are what a layer reads, what it writes, and its weights, each once, in the type in which it computes.
    A layer whose products take longer than its bytes is bound by "arithmetic", any other by "memory".

    Args:
        model: any functional or sequential Keras model.
        machine: of which the peaks are known: `machine()` measures this one.
        batch: how many examples.
        input_shape: shape without the batch, for a model that leaves sides open.

    Raises:
        ValueError: if a size is open, or a layer's cost unknown.

    Example:
        >>> inputs = keras.Input((32, 32, 16))
        >>> outputs = keras.layers.ReLU()(keras.layers.Conv2D(64, 3)(inputs))
        >>> for row in roofline(keras.Model(inputs, outputs), Machine(peak=50e9, bandwidth=10e9), batch=8):
        ...     print(row.kind, row.bound, round(row.intensity, 1))
        Conv2D arithmetic 27.6
        ReLU memory 0.0

    Chapter: training/hardware.
    Paper: doi:10.1145/1498765.1498785.
    """
    rows = []
    for call in read(model, input_shape).whole().calls:
        if keras_family(call.operation) in ("core", "reshaping") and call.kind in _STILL:
            continue
        cost, moved = cost_of(call), _moved(call, batch)
        if cost is None or moved is None:
            remark = unknown_cost(call) or (
                f"it depends on a size that model '{model.name}' leaves open; give one: roofline(model, machine, "
                "input_shape=(224, 224, 3))."
            )
            raise ValueError(f"The cost of layer '{call.path}' is unknown. {remark}")
        work = batch * cost
        arithmetic = work / machine.peak > moved / machine.bandwidth
        bound = "arithmetic" if arithmetic else "memory"
        rows.append(RooflineRow(call.path, call.kind, work, moved, machine.seconds(work, moved), bound))
    return rows


#: Layers that only give the same numbers another shape.
_STILL = {"Flatten", "Identity", "InputLayer", "Reshape"}


def _moved(call: Call, batch: int) -> int | None:
    """Bytes that a call reads and writes if each number travels once; None where a size is open."""
    shapes = [*call.input_shapes, *call.output_shapes]
    if any(side is None for shape in shapes for side in shape[1:]):
        return None
    numbers = batch * sum(math.prod(shape[1:]) for shape in shapes)
    weights = getattr(call.operation, "weights", ())
    numbers += sum(math.prod(weight.shape) for weight in weights)
    return numbers * _bytes(getattr(call.operation, "compute_dtype", None) or keras.config.floatx())


def _bytes(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _quickest(work: Callable[[], Any], turns: int, clock: Callable[[], float]) -> float:
    """The shortest of some runs, in seconds; the result is waited for, and the first run is for nothing."""
    times = []
    for _ in range(turns + 1):
        start = clock()
        keras.ops.convert_to_numpy(work())
        times.append(clock() - start)
    return min(times[1:])

"""What only a backend can tell or do: its devices, what they are good at, its quickest feed, copies on several devices.

Beside `cnnkit.gradients` the only module that asks which backend runs; the rest of `cnnkit.training` speaks Keras.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnnkit.gradients import backend_name as _name
from cnnkit.training import hosts

__all__ = ["Device", "device", "devices_at_hand", "feed"]


@dataclass(frozen=True)
class Device:
    """What a network is trained on, and how: made by `device`.

    `kind` is "gpu", "tpu" or "cpu", `count` how many of them there are, `precision` the dtype policy that pays there, and `why`
    says why.

    Chapter: training/hardware.
    """

    kind: str
    count: int
    precision: str
    why: str

    def told(self, used: int = 1) -> str:
        """A sentence on what is used of it."""
        which = f"1 {self.kind.upper()}" if used == 1 else f"{used} {self.kind.upper()}s"
        of = f" of {self.count}" if used != self.count else ""
        return f"{which}{of} under {_name()}, in {self.precision} ({self.why})"


def device(precision: str = "auto") -> Device:
    """The best device that this process can see, and the precision that pays on it.

    A GPU with bfloat16 of its own (NVIDIA's from compute capability 8.0) trains in it, an older one with tensor cores
    (7.0) in float16 with a scaled loss, a TPU in bfloat16, and a CPU in float32.

    Args:
        precision: a dtype policy to use in any case, or `"auto"`.

    Example:
        >>> device("float32").precision
        'float32'

    Chapter: training/hardware.
    """
    kind, names = devices_at_hand()
    native, why = _native(kind)
    chosen = native if precision == "auto" else precision
    return Device(kind, len(names), chosen, why if precision == "auto" else "as it was asked for")


def devices_at_hand() -> tuple[str, list[str]]:
    """The kind of the best devices of this process, and their names.

    Example:
        >>> kind, names = devices_at_hand()
        >>> kind in ("gpu", "tpu", "cpu") and len(names) >= 1
        True

    Chapter: training/hardware.
    """
    if _name() == "torch":
        import torch

        found = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return ("gpu", found) if found else ("cpu", ["cpu"])
    for kind in ("gpu", "tpu", "cpu"):
        with contextlib.suppress(RuntimeError):  # JAX raises where there is none of a kind
            if found := keras.distribution.list_devices(kind):
                return kind, list(found)
    return "cpu", ["cpu:0"]


def feed(
    x: np.ndarray, y: np.ndarray, order: Callable[[int], np.ndarray], batch_size: int, first: int, last: int
) -> Any:
    """Batches of examples, epoch by epoch in an order of ours, by the backend's quickest way.

    Args:
        x: the examples.
        y: their targets.
        order: of an epoch, the places of the examples in the order in which they are to come.
        batch_size: examples a step.
        first: the epoch with which it begins.
        last: the epoch before which it ends.

    Returns:
        A data set that `Model.fit` takes; it holds the epochs one after another on TensorFlow, and shuffles at the end of
        each elsewhere, so that `fit` is told the steps of an epoch in either case.

    Chapter: training/hardware.
    """
    if _name() == "tensorflow":
        return _tensorflow_feed(x, y, order, batch_size, first, last)
    return Shuffled(x, y, order, batch_size, first)


class Shuffled(keras.utils.PyDataset):
    """Batches in an order that is a function of the epoch alone."""

    def __init__(
        self, x: Any, y: Any, order: Callable[[int], np.ndarray], batch_size: int, epoch: int
    ) -> None:
        super().__init__()
        self.x, self.y, self.of, self.batch_size, self.epoch = x, y, order, batch_size, epoch
        self.order = order(epoch)

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        places = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        return self.x[places], self.y[places]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = self.of(self.epoch)


def _tensorflow_feed(x: Any, y: Any, order: Any, batch_size: int, first: int, last: int) -> Any:
    import tensorflow as tf

    with tf.device("CPU"):
        images, targets = tf.constant(x), tf.constant(y)

    def epoch(number: Any) -> Any:
        places = tf.numpy_function(
            lambda n: order(int(n)).astype("int64"), [number], tf.int64, stateful=False
        )
        places.set_shape((None,))
        return tf.data.Dataset.from_tensor_slices(places).batch(batch_size)

    def gathered(places: Any) -> Any:
        return tf.gather(images, places), tf.gather(targets, places)

    batches = tf.data.Dataset.range(first, last).flat_map(epoch).map(gathered, num_parallel_calls=1)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.with_options(options).prefetch(2)


@contextlib.contextmanager
def several_devices(wanted: str | None) -> Iterator[int]:
    """Within it, models are made and trained as copies on every device of this host; yields their number.

    Args:
        wanted: `"data"`: copies that share each batch; `"auto"`: so, where there is more than one GPU or TPU;
            None: one device.
    """
    kind, names = devices_at_hand()
    if wanted not in ("data", "auto", None):
        raise ValueError(f"distribute is 'data', 'auto' or None, not {wanted!r}")
    alone = kind == "cpu" or len(names) == 1 or _name() == "torch"
    if wanted is None or (wanted == "auto" and alone and hosts.count() == 1):
        yield 1
        return
    if _name() == "tensorflow":
        strategy = _mirrored(kind.upper())
        with strategy.scope():
            yield strategy.num_replicas_in_sync
    elif _name() == "jax":
        before = keras.distribution.distribution()
        shares = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
        keras.distribution.set_distribution(shares)
        try:
            yield len(names)
        finally:
            keras.distribution.set_distribution(before)
    else:
        raise ValueError(
            "on PyTorch, Keras trains on one device: use KERAS_BACKEND=jax or tensorflow for several, or distribute=None"
        )


@functools.cache
def _mirrored(kind: str) -> Any:
    """One for all trainings: a second would number its sums like the first, which fails for a network of other shapes."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])


def _native(kind: str) -> tuple[str, str]:
    if kind == "cpu":
        return "float32", "a CPU gains nothing by less"
    if kind == "tpu":
        return "mixed_bfloat16", "which a TPU computes natively"
    capability = _capability()
    version = ".".join(map(str, capability))
    if capability >= (8, 0):
        return "mixed_bfloat16", f"which a GPU of compute capability {version} computes natively"
    if capability >= (7, 0):
        return "mixed_float16", f"for which a GPU of compute capability {version} has tensor cores"
    return "float32", f"a GPU of compute capability {version} gains nothing by less"


def _capability() -> tuple[int, int]:
    """The compute capability of the first GPU; (0, 0) where it tells none."""
    if _name() == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        return tuple(details.get("compute_capability") or (0, 0))
    if _name() == "jax":
        import jax

        told = str(getattr(jax.devices()[0], "compute_capability", "0.0"))
        major, _, minor = told.partition(".")
        return (int(major), int(minor or 0)) if major.isdigit() else (0, 0)
    import torch

    return torch.cuda.get_device_capability(0)

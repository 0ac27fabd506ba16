"""The trials of chapter layers/normalization: speed and its causes, and how many numbers a norm should average.

    python chapters/layers/normalization_trials.py        # some twenty minutes on one core

It writes data/results/normalization-first-160-steps.csv and, with another depth or other pictures,
data/results/normalization-5-layers.csv and data/results/normalization-fashion.csv; and data/results/normalization-side-<n>.csv.

The nets are those of `cnnkit.scratch`, forward and backward as the chapter writes them: on maps of a few places NumPy takes
a tenth of the time that a framework spends on a batch normalisation.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials

BATCH, MOMENTUM = 32, 0.9


def standard(name: str = "mnist") -> Any:
    """A data set with mean 0 and deviation 1 over all pixels."""
    (x, y), (x_test, y_test) = data.load(name)
    mean, deviation = x.mean(), x.std()
    return ((x - mean) / deviation, y), ((x_test - mean) / deviation, y_test)


def calibrate(net: scratch.Chain, x: np.ndarray) -> None:
    """Normalise once: set weights and biases so that on these images each channel has mean 0 and deviation 1."""
    for step in net.steps[:-2]:
        y = step.forward(x)
        if step.weights:
            w, b = step.weights
            b -= y.mean(axis=(0, 1, 2))
            deviation = y.std(axis=(0, 1, 2)) + np.float32(1e-3)
            w /= deviation
            b /= deviation
            y = step.forward(x)
        x = y


def kernels(net: scratch.Chain) -> list[np.ndarray]:
    """The kernels of the convolutions, that of the patches included; the scores' weights are no kernels."""
    return [w for w in net.weights[:-2] if w.ndim > 1]


def lengths(net: scratch.Chain) -> list[np.ndarray]:
    """Of each kernel of each convolution."""
    return [np.sqrt((w**2).sum(axis=tuple(range(w.ndim - 1)), keepdims=True)) for w in kernels(net)]


def fit(
    norm: str, x: Any, y: Any, rate: float, epochs: int, seed: int,
    at: float | None = None, once: bool = False, held: bool = False, noisy: bool = False,
    **options: Any,
) -> scratch.Chain:  # fmt: skip
    """Descent with momentum; the rate, or `at`, falls to zero along half a wave; whole batches only.

    Args:
        norm: the stack's; `options` are the rest of its arguments.
        at: a rate in place of the one that is tried.
        once: normalise at the start and never again.
        held: bring every kernel back to its first length after each step.
        noisy: shift and stretch what is normalised, anew at each step.
    """
    rng = np.random.default_rng(seed)
    if noisy:
        options["noise"] = np.random.default_rng([seed, 1])
    net = scratch.normed_stack(norm, seed=seed, **options)
    if once:
        calibrate(net, x[:512])
    weights, first = net.weights, lengths(net)
    speeds = [np.zeros_like(w) for w in weights]
    steps = len(x) // BATCH
    with np.errstate(all="ignore"):  # too large a rate explodes, and its scores say so
        for step in range(epochs * steps):
            if step % steps == 0:
                order = rng.permutation(len(x))
            rows = order[step % steps * BATCH :][:BATCH]
            _, dy = scratch.softmax_cross_entropy(net.forward(x[rows]), y[rows])
            net.backward(dy.astype("float32"))
            now = np.float32((at or rate) * (1 + np.cos(np.pi * step / (epochs * steps))) / 2)
            for w, speed, slope in zip(weights, speeds, net.gradients, strict=True):
                speed *= np.float32(MOMENTUM)
                speed -= now * slope
                w += speed
            if held:
                for w, length, wanted in zip(kernels(net), lengths(net), first, strict=True):
                    w *= wanted / length
            if not np.isfinite(weights[-1]).all():
                break
        return scratch.gather_statistics(net, x[:2_048], BATCH) if norm == "batch" else net


def scores(net: scratch.Chain, x: np.ndarray) -> np.ndarray:
    """What a net says of images."""
    with np.errstate(all="ignore"):
        return np.concatenate([net.forward(x[start : start + 500]) for start in range(0, len(x), 500)])


def arm(norm: str, at: float | None = None, **options: Any) -> trials.Learner:
    """A stack and how it is trained."""
    return trials.Learner(partial(fit, norm, at=at, **options), scores, has_rate=at is None)


ONCE = trials.split(standard, train=5_120, validation=2_000, test=5_000, name="mnist")
HALF = trials.split(standard, train=1_024, validation=2_000, name="mnist")

CLOTHES = trials.split(
    partial(standard, "fashion_mnist"), train=5_120, validation=2_000, test=5_000, name="fashion_mnist"
)


def sprint(name: str, parts: trials.Split, depth: int, kept: tuple[str, ...] = ()) -> trials.Trial:
    """160 steps, each on images that were not seen before: how far each net gets, and what of batch norm it takes."""
    arms = {
        "plain": arm("none", **depths(depth)),
        "batch norm": arm("batch", **depths(depth)),
        "noise behind batch norm": arm("batch", noisy=True, **depths(depth)),
        "statistics as constants": arm("batch", constant=True, **depths(depth)),
        "kernels held at length": arm("batch", held=True, **depths(depth)),
        "plain, normalised once": arm("none", once=True, **depths(depth)),
        "batch norm after ReLU": arm("batch", after=True, **depths(depth)),
    }
    return trials.trial(
        name,
        {name: learner for name, learner in arms.items() if name in kept} if kept else arms,
        parts,
        rates=(0.01, 0.03, 0.1),
        training=trials.Training(epochs=1, batch_size=BATCH),
        settle=False,
    )


def depths(depth: int) -> dict[str, int]:
    """Ten layers are the stack's own."""
    return {} if depth == 10 else {"depth": depth}


KEPT = "plain", "batch norm", "noise behind batch norm", "kernels held at length", "plain, normalised once"
first_steps = sprint("normalization-first-160-steps", ONCE, 10)
shallow = sprint("normalization-5-layers", ONCE, 5, KEPT)
clothes = sprint("normalization-fashion", CLOTHES, 10, KEPT[:2])


def sweep(side: int, epochs: int, images: tuple[int, ...], *alone: str) -> trials.Trial:
    """Five layers on maps of `side` x `side` places, normalised over so many images at a time, or each image by itself.

    One trial for each side, since its nets are of their own kind.
    """
    shared = {f"batch norm, {n} images": arm("batch", depth=5, side=side, images=n) for n in images}
    return trials.trial(
        f"normalization-side-{side}",
        {**shared, **{f"{norm} norm": arm(norm, depth=5, side=side) for norm in alone}},
        HALF,
        rates=(0.01, 0.03, 0.1),
        training=trials.Training(epochs=epochs, batch_size=BATCH),
        doublings=2,
    )


one_place = sweep(1, 40, (2, 4, 32), "group", "layer")
sixteen_places = sweep(4, 10, (2, 32))

if __name__ == "__main__":
    raise SystemExit(trials.main())

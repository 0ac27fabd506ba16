"""The solutions are right: each beside another way to the same answer, by cnnkit, by Keras, or by what must hold.

`test_exercises.py` lets a solution pass its own check, which a wrong one would do as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from cnnkit import insight, models, origins, scratch, training
from cnnkit.course import catalogue
from cnnkit.course.nets import classic
from cnnkit.gradients import gradient

EXERCISES = catalogue.exercises()


def image(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, float)[None, :, :, None]


def kernel(w: np.ndarray) -> np.ndarray:
    return np.asarray(w, float)[:, :, None, None]


def plain(y: np.ndarray) -> np.ndarray:
    return y[0, :, :, 0]


def parameters(*stack: keras.Layer, shape: Sequence[int]) -> int:
    return keras.Sequential([keras.Input(shape), *stack]).count_params()


def unseen(n: int, k: int, s: int) -> int:
    """Pixels that no gradient reaches; where no window fits, all of them."""
    if k > n:
        return n
    x, w = np.zeros((1, 1, n, 1)), np.ones((1, k, 1, 1))
    dy = np.ones((1, 1, scratch.output_size(n, k, s), 1))
    return int(np.sum(scratch.convolve2d_backward(dy, x, w, stride=(1, s))[0] == 0))


def folded(w, b, gamma, beta, mean, variance, epsilon) -> np.ndarray:
    """The two layers asked for each unit vector, and for zeros."""
    y = scratch.batch_normalize(np.eye(len(w)) @ w + b, gamma, beta, (mean, variance), epsilon)
    y0 = scratch.batch_normalize(b[None], gamma, beta, (mean, variance), epsilon)
    return np.vstack([y - y0, y0])


def field(chain: Sequence[tuple[int, int, int]], dilated: bool) -> insight.ReceptiveField:
    inputs = x = keras.Input((500, 1))
    for k, s, last in chain:
        if dilated:
            x = layers.Conv1D(1, k, dilation_rate=last)(x)[:, ::s]
        else:
            x = layers.Conv1D(1, k, s)(layers.ZeroPadding1D(last)(x))
    return insight.receptive_field(keras.Model(inputs, x))


def holes(dilations: Sequence[int]) -> int:
    ways = np.ones(1)
    for d in dilations:
        ways = np.convolve(ways, scratch.dilate_kernel(np.ones((3, 1)), d)[:, 0])
    return int(np.sum(ways == 0))


def alias(f: float, s: int) -> float:
    """Where the strongest line of the spectrum stands once every s-th pixel is kept."""
    n = 4200
    power = np.abs(np.fft.rfft(np.cos(2 * np.pi * f * s * np.arange(n))))
    return np.fft.rfftfreq(n)[power.argmax()]


def undone(p: np.ndarray, w: float) -> np.ndarray:
    """The share at which the weighted cross-entropy is at rest at p: found by its gradient, which is linear in the share."""
    z = np.log(np.clip(np.asarray(p, float), 1e-12, 1 - 1e-12) / (1 - np.clip(p, 1e-12, 1 - 1e-12)))
    rare, common = (scratch.binary_cross_entropy(z, np.full_like(z, y))[1] for y in (1.0, 0.0))
    return common / (common - w * rare)


def slopes(x: np.ndarray, layers: int) -> np.ndarray:
    chain = scratch.Chain([scratch.Activate("sigmoid") for _ in range(layers)])
    chain.forward(np.asarray(x, dtype="float64"))
    return chain.backward(np.ones(np.shape(x)))


def sides_of(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    found = [n for n in range(max(1, k - 2 * p), (o + 1) * s + k) if scratch.output_size(n, k, s, p) == o]
    return found[0], found[-1]


def under_the_roof(layer: keras.Layer, shape: Sequence[int], batch: int = 1) -> insight.RooflineRow:
    inputs = keras.Input(shape)
    return insight.roofline(keras.Model(inputs, layer(inputs)), insight.Machine(50e9, 10e9), batch)[0]


def keeping() -> list[bool]:
    """Each net under every mask of four units, and whole; a dense layer's four weights are dropped as its inputs are."""
    rng = np.random.default_rng(0)
    x, w, v = rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=(4, 3))
    masks = [2.0 * np.array(m) for m in itertools.product((0, 1), repeat=4)]
    nets = (
        lambda m, _: (x * m) @ w,
        lambda m, _: scratch.relu((x * m) @ w),
        lambda m, other: (((x * m) @ w) * other) @ v,
        lambda m, _: scratch.softmax((x * m) @ w),
        lambda m, _: x @ (m[:, None] * w[:, :1]),
    )
    ones = np.ones(4)
    return [
        bool(np.allclose(np.mean([net(m, n) for m in masks for n in masks], axis=0), net(ones, ones)))
        for net in nets
    ]


def misses(scores: Sequence[int], patience: int) -> bool:
    """Whether a training that early stopping ends never sees the largest of these scores."""
    best, waited = -1, 0
    for number, score in enumerate(scores):
        best, waited = (score, 0) if score > best else (best, waited + 1)
        if waited == patience:
            return max(scores[: number + 1]) < max(scores) and len(scores) == patience + 2
    return False


def left_to_train() -> int:
    """The head, built by Keras, and all up to the maps and the norm frozen."""
    maps = keras.Input((7, 7, 320))
    y = layers.BatchNormalization()(layers.Conv2D(1280, 1, use_bias=False)(maps))
    net = keras.Model(maps, layers.Dense(5)(layers.GlobalAveragePooling2D()(y)))
    training.freeze_norms(net)
    return sum(int(np.prod(weight.shape)) for weight in net.trainable_weights)


def what_moves() -> list[int]:
    """A step of training for each of the three."""
    moved = []
    for case in range(3):
        norm = layers.BatchNormalization()
        x = keras.Input((3,))
        y = norm(x, training=False) if case == 2 else norm(x)
        net = keras.Model(x, layers.Dense(1)(y))
        norm.trainable = case != 1
        before = norm.get_weights()
        net.compile("sgd", "mse")
        net.fit(np.arange(12.0).reshape(4, 3), np.ones(4), verbose=0)
        moved.append(sum(not np.array_equal(a, b) for a, b in zip(before, norm.get_weights(), strict=True)))
    return moved


def depth_rates(sizes: Sequence[int], factor: float, frozen: int) -> list[float]:
    """What `rates_by_depth` says of such a net; layers without weights are ReLUs."""
    stack = [
        layers.Dense(2, name=f"l{i}") if size else layers.ReLU(name=f"l{i}") for i, size in enumerate(sizes)
    ]
    for layer in stack[:frozen]:
        layer.trainable = False
    net = keras.Sequential([keras.Input((2,)), *stack])
    rates = training.rates_by_depth(net, factor) if net.trainable_weights else {}
    return [rates.get(layer.name, 0.0) for layer in stack]


def fooled(x: list[float]) -> int:
    """The answers of a batch norm before and after it is restated."""
    net = keras.Sequential([keras.Input((1,)), layers.BatchNormalization(epsilon=1e-6)])
    column = np.array(x)[:, None]
    before = net.predict(column, verbose=0)
    training.restate_norms(net, column)
    return int(np.sum((before > 1e-4) != (net.predict(column, verbose=0) > 1e-4)))


# The other way to each answer; a value's is a function without arguments.
def clipped(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    """Keras's own global clipping, on a step of rate 1."""
    weights = [keras.Variable(np.zeros(slope.shape, "float32")) for slope in (dw, db)]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=longest)
    optimizer.apply([keras.ops.convert_to_tensor(-slope.astype("float32")) for slope in (dw, db)], weights)
    return np.vstack([keras.ops.convert_to_numpy(weight) for weight in weights])


def last_rate(H: np.ndarray, momentum: float) -> float:
    """Halve the interval between a rate at which place and speed shrink together and one at which they do not."""
    one, low, high = np.eye(len(H)), 0.0, 5 / np.linalg.eigvalsh(H).max()
    for _ in range(60):
        rate = (low + high) / 2
        forth = np.block([[one - rate * H, momentum * one], [-rate * H, momentum * one]])
        low, high = (rate, high) if abs(np.linalg.eigvals(forth)).max() < 1 else (low, rate)
    return low


ORACLES: dict[str, Callable[..., Any]] = {
    "parameters-on-mnist": lambda: classic(input_shape=(28, 28, 1)).count_params(),
    "feature-maps": lambda x, w, b: scratch.relu(
        scratch.convolve2d(x[None].astype(float), w.astype(float), b.astype(float))
    )[0],
    "move-by-one-pixel": lambda x, size: np.array_equal(
        *(scratch.max_pool2d(image(p), size) for p in (x, np.roll(x, 1, axis=1)))
    ),
    "reverse": lambda frames, spikes: origins.spike_triggered_average(frames, spikes),
    "stepping-kernel": lambda x, dy, stride, side: scratch.convolve2d_backward(
        image(dy), image(x), np.zeros((side, side, 1, 1)), stride=stride
    )[1][:, :, 0, 0],
    "who-hears-most": lambda height, width, side: scratch.true_convolve2d(
        np.ones((height - side + 1, width - side + 1)), np.ones((side, side))
    ),
    "image-sides": sides_of,
    "strided-correlation": lambda x, w, s=1, p=0: plain(
        scratch.convolve2d(image(x), kernel(w), stride=s, padding=p)
    ),
    "blind-pixels": unseen,
    "separable-saving": lambda k, c, maps, multiplier: np.divide(
        *(
            insight.multiply_adds(keras.Sequential([keras.Input((k, k, c)), layer]))
            for layer in (
                layers.Conv2D(maps, k),
                layers.SeparableConv2D(maps, k, depth_multiplier=multiplier),
            )
        )
    ),
    "exactly-twice": lambda k, s: len(np.convolve(np.ones(4 * s + 1), np.ones(k))) - 5 * s,
    "straight-lines": lambda s: np.interp(np.arange(1 - s, s), [-s, 0, s], [0, 1, 0]),
    "lp-gradient": lambda a, p: gradient(
        lambda a: keras.ops.power(keras.ops.mean(keras.ops.power(keras.ops.abs(a), p)), 1 / p), a
    ),
    "in-secret": lambda x: np.sum(plain(scratch.upsample2d(scratch.max_pool2d(image(x)))) - x),
    "overlapping-windows": lambda x, size, stride: plain(scratch.max_pool2d(image(x), size, stride)),
    "ten-sigmoids": slopes,
    "fitted-gain": lambda z, f_of_z: np.linalg.norm(z) / np.linalg.norm(f_of_z),
    "fold": folded,
    "intensity": lambda: round(
        under_the_roof(layers.Conv2D(64, 1, use_bias=False), (32, 32, 64)).intensity, 2
    ),
    "which-batch": lambda: next(
        n
        for n in range(1, 100)
        if under_the_roof(layers.Dense(4096, use_bias=False), (4096,), n).bound == "arithmetic"
    ),
    "least-time": lambda parts, peak, bandwidth: sum(
        insight.Machine(peak, bandwidth).seconds(*part) for part in parts
    ),
    "overflow": lambda b: (
        65504
        / max(np.abs(b @ np.outer(np.sign(row), np.sign(column)) @ b.T).max() for row in b for column in b)
    ),
    "left-to-train": left_to_train,
    "what-moves": what_moves,
    "depth-rates": depth_rates,
    "undo-the-camera": fooled,
    "from-the-top": lambda chain: field(chain, dilated=True).size[0],
    "window-of-a-unit": lambda chain, unit: field(chain, dilated=False).window(unit)[0],
    "blind-spots": holes,
    "alias": alias,
    "blur-pool": lambda x: scratch.blur_pool2d(np.tile(x, (4, 1))[None, :, :, None], padding="circular")[
        0, 0, :, 0
    ],
    "head-parameters": lambda: (
        parameters(layers.Flatten(), layers.Dense(1000), shape=(7, 7, 2048)),
        parameters(layers.GlobalAveragePooling2D(), layers.Dense(1000), shape=(7, 7, 2048)),
    ),
    "stable-cross-entropy": lambda logits, labels: scratch.softmax_cross_entropy(logits, labels)[0],
    "two-yeses": lambda: tuple(
        int(np.sum(f(np.array([4.0, 4.0, -4.0])) > 0.5)) for f in (scratch.softmax, scratch.sigmoid)
    ),
    "undo-the-weight": undone,
    "margin": lambda share, classes: np.ptp(np.log((1 - share) * np.eye(classes)[0] + share / classes)),
    "who-keeps-the-mean": keeping,
    "max-norm": lambda w, c: keras.constraints.MaxNorm(c)(keras.ops.convert_to_tensor(w, "float32")),
    "coins": lambda: np.mean([sum(coins) in (0, 1, 9, 10) for coins in itertools.product((0, 1), repeat=10)]),
    "flip-signs": lambda leads: np.mean(
        [
            abs(np.dot(signs, leads)) > abs(sum(leads)) - 1e-6
            for signs in itertools.product((1, -1), repeat=len(leads))
        ]
    ),
    "worst-split": lambda origins: (
        ~np.isin(np.arange(len(origins)), np.unique(origins, return_index=True)[1])
    ),
    "connections": lambda side, maps, inputs: (
        insight.multiply_adds(keras.Sequential([keras.Input((side, side, inputs)), layers.Conv2D(maps, 1)]))
        + side * side * maps
    ),
    "seen-by": lambda j: np.flatnonzero(models.c3_table()[:, j]),
    "first-step": lambda: np.round(
        [
            rule(np.zeros(1), np.array([-0.04]), 0.01)[0]
            for rule in (
                scratch.sgd(),
                scratch.sgd(0.9),
                scratch.rmsprop(0.99, epsilon=0.0),
                scratch.adam(epsilon=0.0),
            )
        ],
        9,
    ),
    "how-many-steps": lambda: next(
        n for n in range(1000) if np.prod(np.full(n, abs(1 - 2 / 51 * np.array([1.0, 50.0])).max())) <= 0.01
    ),
    "clip": clipped,
    "edge": last_rate,
}


def dense(width: int, inputs: int, classes: int) -> int:
    return parameters(layers.Dense(width), layers.Dense(classes), shape=(inputs,))


# What must hold of an answer, where there is no other way to it: a function (answer, *arguments) -> bool.
PROPERTIES: dict[str, Callable[..., bool]] = {
    "same-budget": lambda width, budget, inputs, classes: (
        dense(width, inputs, classes) <= budget < dense(width + 1, inputs, classes)
    ),
    "blind-spot": lambda hidden, x, w: bool(
        np.isclose(np.sum(hidden * w), 0, atol=1e-9)
        and np.linalg.matrix_rank(np.stack([(x - hidden).ravel(), w.ravel()]), tol=1e-9) < 2
    ),
    "kill": lambda b, x, w: bool((x @ w + b).max() <= 1e-12 and np.allclose((x @ w + b).max(axis=0), 0)),
    "impatient": misses,
    "bad-company": lambda companion, x: bool(np.isclose(np.mean([*x, companion]), x[0])),
}


@pytest.mark.parametrize("name", ORACLES)
def test_a_solution_gives_what_another_way_gives(name: str) -> None:
    task = EXERCISES[name]
    other = ORACLES[name]
    if task.asks_for_a_value:
        assert np.array_equal(task(), other())
        return
    for arguments in task.arguments():
        np.testing.assert_allclose(
            np.asarray(task(*arguments), float),
            np.asarray(other(*arguments), float),
            atol=1e-5,
            rtol=1e-5,
        )


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_solution_does_what_the_task_asks(name: str) -> None:
    task = EXERCISES[name]
    for arguments in task.arguments():
        assert PROPERTIES[name](task(*arguments), *arguments), arguments

"""The trials of chapter origins/speech: one graph with its weights shared over time and not, when sounds move.

    python chapters/origins/speech_trials.py        # some eight minutes on one core

It writes data/results/speech-taught-in-place.csv, data/results/speech-taught-moved.csv and
data/results/speech-taught-few.csv.

All speech is synthetic (`cnnkit.data.spoken_stops`), and the voices that choose the rate and that test are never those
that taught.  The nets are those of `cnnkit.origins.speech`, forward and backward in NumPy: a step through so few weights
takes NumPy a twentieth of the time that a framework spends on calling it.  The loss is the squared error, as in 1989.
"""

from __future__ import annotations

import functools
from functools import partial
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials

BATCH = 50
Part = tuple[np.ndarray, np.ndarray]


class Windows:
    """Units that look at windows of (frames, bands): one set of weights for all windows, or one for each.

    `(batch, frames, bands, channels)` in; beyond the lowest and the highest band lie zeros, `around` of them.
    """

    def __init__(self, shape: tuple[int, ...], size: tuple[int, int], units: int, shared: bool, seed: int,
                 around: tuple[int, int] = (0, 0)) -> None:  # fmt: skip
        frames, bands, channels = shape
        self.size, self.shared, self.around = size, shared, around
        self.places = (frames - size[0] + 1, bands + sum(around) - size[1] + 1)
        self.shape = (*self.places, units)
        inputs, copies = size[0] * size[1] * channels, 1 if shared else int(np.prod(self.places))
        limit = np.sqrt(
            6 / (inputs + units * size[0] * size[1])
        )  # Glorot's, as Keras has it for a convolution
        w = np.random.default_rng(seed).uniform(-limit, limit, (copies, inputs, units))
        self.weights = [w.astype("float32"), np.zeros((copies, 1, units), "float32")]
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Each window times the weights of its place."""
        self.padded = np.pad(x, ((0, 0), (0, 0), self.around, (0, 0)))
        seen = np.lib.stride_tricks.sliding_window_view(self.padded, self.size, axis=(1, 2))
        seen = np.moveaxis(seen, 3, -1)  # (batch, places, size, channels)
        batch, copies = len(x), len(self.weights[0])
        seen = seen.reshape(batch, -1, self.weights[0].shape[1])
        self.seen = (
            seen.reshape(1, -1, seen.shape[-1]) if self.shared else np.ascontiguousarray(seen.swapaxes(0, 1))
        )
        y = self.seen @ self.weights[0] + self.weights[1]
        y = y if copies == 1 else y.swapaxes(0, 1)
        return y.reshape(batch, *self.shape)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Shared weights gather the error of all places, others that of their own."""
        w, batch = self.weights[0], len(dy)
        rows = dy.reshape(batch, -1, dy.shape[-1])
        rows = (
            rows.reshape(1, -1, rows.shape[-1]) if self.shared else np.ascontiguousarray(rows.swapaxes(0, 1))
        )
        self.gradients = [self.seen.swapaxes(1, 2) @ rows, rows.sum(axis=1, keepdims=True)]
        back = rows @ w.swapaxes(1, 2)
        back = back if self.shared else back.swapaxes(0, 1)
        back = back.reshape(batch, *self.places, *self.size, -1)
        dx = np.zeros_like(self.padded)
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                dx[:, i : i + self.places[0], j : j + self.places[1]] += back[:, :, :, i, j]
        return dx[:, :, self.around[0] : dx.shape[2] - self.around[1]]


class Evidence:
    """What the units of a class have said in all places, times a weight: one for all places, or one for each."""

    def __init__(self, shape: tuple[int, int, int], shared: bool) -> None:
        count, classes = shape[0] * shape[1], shape[2]
        gain = np.full((1 if shared else count, classes), 9 / count, "float32")
        self.weights = [gain, np.full((1, classes), -4.5, "float32")]
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The sum over all places."""
        self.shape, self.x = x.shape, x.reshape(len(x), -1, x.shape[-1])
        return (self.x * self.weights[0]).sum(axis=1) + self.weights[1]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Every place hears the error of its class."""
        gain = (self.x * dy[:, None]).sum(axis=0)
        shared = len(self.weights[0]) == 1
        self.gradients = [gain.sum(axis=0, keepdims=True) if shared else gain, dy.sum(axis=0, keepdims=True)]
        return (dy[:, None] * self.weights[0] + 0 * self.x).reshape(self.shape)


def _stacked(one: Windows, two: Windows, shared: bool) -> scratch.Chain:
    bent, bounded, last = scratch.Activate("tanh"), scratch.Activate("sigmoid"), scratch.Activate("sigmoid")
    return scratch.Chain([one, bent, two, bounded, Evidence(two.shape, shared), last])


def time_delay_net(seed: int, shared: bool = True, classes: int = 3, frames: int = 15) -> scratch.Chain:
    """`origins.tdnn`, or the same graph in which each connection has a weight of its own."""
    one = Windows((frames, 16, 1), (3, 16), 8, shared, 2 * seed)
    return _stacked(one, Windows(one.shape, (5, 1), classes, shared, 2 * seed + 1), shared)


def dense_net(seed: int, hidden: int = 8) -> scratch.Chain:
    """Hidden units that see the whole patch at once."""
    one = Windows((15, 16, 1), (15, 16), hidden, True, 2 * seed)
    two = Windows(one.shape, (1, 1), 3, True, 2 * seed + 1)
    return scratch.Chain([one, scratch.Activate("tanh"), two, scratch.Flatten(), scratch.Activate("sigmoid")])


def squared(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The gradient of the mean squared error, as in 1989."""
    return (outputs - np.eye(outputs.shape[1])[labels]) * (2 / outputs.size)


def cross_entropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The gradient of the cross-entropy of scores."""
    return scratch.softmax_cross_entropy(outputs, labels)[1]


def descend(
    net: scratch.Chain, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int, loss: Any = squared
) -> scratch.Chain:
    """Adam; the rate falls to zero along half a wave."""
    rng = np.random.default_rng(seed)
    weights = net.weights
    first, second = ([np.zeros_like(w) for w in weights] for _ in range(2))
    batches = -(-len(x) // BATCH)
    for step in range(epochs * batches):
        if step % batches == 0:
            order = rng.permutation(len(x))
        rows = order[step % batches * BATCH :][:BATCH]
        net.backward(loss(net.forward(x[rows]), y[rows]).astype("float32"))
        now = rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2
        for w, m, v, slope in zip(weights, first, second, net.gradients, strict=True):
            m += 0.1 * (slope - m)
            v += 0.001 * (slope * slope - v)
            w -= now * (m / (1 - 0.9 ** (step + 1))) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-7)
    return net


def fit(build: Any, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int) -> scratch.Chain:
    """A new net, trained."""
    return descend(build(seed), x[..., None], y, rate, epochs, seed)


def outputs(net: scratch.Chain, x: np.ndarray) -> np.ndarray:
    """What a net says of patches."""
    return net.forward(x[..., None])


def arm(build: Any) -> trials.Learner:
    """An arm: a net, trained as all are."""
    return trials.Learner(partial(fit, build), outputs)


# What moves, and what could be done about it without a network


@functools.cache
def stops(part: str) -> data.Speech:
    """Stops behind another syllable, with frames and bands to spare; each part has twenty voices of its own."""
    count, seed = {"train": (600, 1), "validation": (500, 2), "test": (1_500, 3)}[part]
    people = data.voices(20, (0.93, 1.07), seed=10 + seed)
    return data.spoken_stops(count, (4, 3), people, noise=0.3, running=True, seed=seed)


def moved(part: str, frames: int, bands: int) -> np.ndarray:
    """Patches of 15 by 16, each as many frames and bands from its place as chance will have it, within bounds."""
    rng, wide = np.random.default_rng(7), stops(part).frames
    by = zip(
        rng.integers(-frames, frames + 1, len(wide)), rng.integers(-bands, bands + 1, len(wide)), strict=True
    )
    return np.stack(
        [data.window_of(one[None], int(t), int(f))[0] for one, (t, f) in zip(wide, by, strict=True)]
    )


def parts(taught: tuple[int, int], tested: tuple[int, int], count: int = 600) -> dict[str, Part]:
    """Taught with patches moved so far, chosen by and tested with patches moved so far."""
    found = {part: (moved(part, *tested), stops(part).labels) for part in ("validation", "test")}
    return {"train": (moved("train", *taught)[:count], stops("train").labels[:count]), **found}


def told(predict: Any) -> trials.Learner:
    """A rival that keeps the training part and answers by it."""
    return trials.Learner(
        lambda x, y, **_: (x, y), lambda kept, x: predict(*kept, x), has_rate=False, has_budget=False
    )


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The squared distance of each row of b to each row of a."""
    return (b**2).sum(1)[:, None] + (a**2).sum(1) - 2 * b @ a.T


def slid(known: np.ndarray, labels: np.ndarray, x: np.ndarray, reach: int = 8) -> np.ndarray:
    """The nearest neighbour after each has been slid over each, as far as `reach` frames."""
    best, frames = np.full((len(x), len(known)), np.inf), x.shape[1]
    for by in range(-reach, reach + 1):
        a = known[:, max(0, -by) : frames - max(0, by)].reshape(len(known), -1)
        b = x[:, max(0, by) : frames - max(0, -by)].reshape(len(x), -1)
        best = np.minimum(best, apart(a, b) / a.shape[1])
    return labels[best.argmin(axis=1)]


def warped(known: np.ndarray, labels: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The nearest neighbour by dynamic time warping: frames may be heard longer or shorter than they were."""
    found, n = [], known.shape[1]
    for start in range(0, len(x), 50):
        part = x[start : start + 50]
        cost = apart(known.reshape(-1, known.shape[2]), part.reshape(-1, x.shape[2])).astype("float32")
        cost = cost.reshape(len(part), n, len(known), n).transpose(1, 3, 0, 2)
        sums = np.full((n + 1, n + 1, len(part), len(known)), np.inf, "float32")
        sums[0, 0] = 0
        for i, j in np.ndindex(n, n):
            sums[i + 1, j + 1] = cost[i, j] + np.minimum(
                np.minimum(sums[i, j], sums[i, j + 1]), sums[i + 1, j]
            )
        found.append(labels[sums[n, n].argmin(axis=1)])
    return np.concatenate(found)


def at_its_onset(x: np.ndarray) -> np.ndarray:
    """Each patch moved so that its loudness climbs most in the middle; what is missing repeats the edge."""
    loud = np.pad(x.mean(axis=2), ((0, 0), (3, 3)), mode="edge")
    climbs = np.stack(
        [loud[:, t + 4 : t + 7].mean(1) - loud[:, t : t + 3].mean(1) for t in range(x.shape[1])], axis=1
    )
    where = climbs.argmax(axis=1)[:, None] - x.shape[1] // 2 + np.arange(x.shape[1])
    return np.take_along_axis(x, np.clip(where, 0, x.shape[1] - 1)[..., None], axis=1)


def aligned(split: trials.Split) -> trials.Learner:
    """The linear reader, of patches that were moved to their onset first."""
    there = trials.Split(
        split.name, lambda: {part: (at_its_onset(x), y) for part, (x, y) in split.make().items()}
    )
    reader = trials.linear(there)
    return trials.Learner(
        lambda x, y, **_: reader.fit(at_its_onset(x), y),
        lambda fitted, x: reader.predict(fitted, at_its_onset(x)),
        has_rate=False,
        has_budget=False,
    )


SHARED, OWN = partial(time_delay_net, shared=True), partial(time_delay_net, shared=False)
ARMS = {"shared": arm(SHARED), "not shared": arm(OWN), "dense": arm(dense_net)}


def stops_trial(name: str, arms: dict[str, trials.Learner], taught: tuple[int, int], tested: tuple[int, int],
                count: int = 600, epochs: int = 40) -> Any:  # fmt: skip
    """One way of moving what is taught and what is tested."""
    cut = trials.Split(name, partial(parts, taught, tested, count))
    rivals = {
        "sliding neighbour": told(slid),
        "time warping": told(warped),
        "linear, at its onset": aligned(cut),
    }
    training = trials.Training(epochs=epochs, batch_size=BATCH)
    return trials.trial(name, arms, cut, rates=(0.006, 0.02, 0.06), training=training, rivals=rivals)


IN_TIME = (4, 0)
centred = stops_trial("speech-taught-in-place", ARMS, (0, 0), IN_TIME)
everywhere = stops_trial("speech-taught-moved", ARMS, IN_TIME, IN_TIME)
few = stops_trial("speech-taught-few", ARMS, IN_TIME, IN_TIME, count=60, epochs=200)

if __name__ == "__main__":
    raise SystemExit(trials.main())

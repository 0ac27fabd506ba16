"""The trials of chapter layers/convolution: five ways to wire one hidden layer, on digits that moved and on centred ones;
four times as many digits for the dense one; pixels in another order; and a task whose answer depends on the place.

    python chapters/layers/convolution_trials.py        # some ten minutes on one core

It writes data/results/convolution-moved-600.csv, data/results/convolution-moved-2400.csv,
data/results/convolution-centred-600.csv and data/results/convolution-faces.csv.

The nets are written out in NumPy, one class for all: at this size that takes a tenth of the time that a framework spends
on being called.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials

BATCH = 50


class Net:
    """One hidden layer of ReLUs and a head.

    `seen` has the axes (places, images, pixels of a window).  A dense layer is one place that sees the whole picture.
    Where a layer is shared, the first axis of its weights has the length 1, and that is all that sharing is.

    Args:
        wiring: dense, local or shared.
        head: dense reads the units of all places side by side, max the largest of each map over all places.
        picture: the sides of an image.
        side: of a window.
        units: of the dense layer, or maps.
        classes: how many scores.
        seed: draws the weights.
        permuted: whether the pixels of all images are put into one other order first, another for each seed.
    """

    def __init__(
        self,
        wiring: str,
        head: str,
        picture: tuple[int, int],
        side: int,
        units: int,
        classes: int,
        seed: int,
        permuted: bool = False,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.wiring, self.head, self.side = wiring, head, side
        pixels, places = int(np.prod(picture)), int(np.prod([n - side + 1 for n in picture]))
        self.order = rng.permutation(pixels) if permuted else None
        kernels = places if wiring == "local" else 1
        window = pixels if wiring == "dense" else side * side
        width = units if wiring == "dense" or head == "max" else places * units
        self.weights = [
            rng.normal(0, np.sqrt(2 / window), (kernels, window, units)).astype("float32"),
            np.zeros((kernels, 1, units), "float32"),
            rng.normal(0, np.sqrt(1 / width), (width, classes)).astype("float32"),
            np.zeros(classes, "float32"),
        ]

    def windows(self, x: np.ndarray) -> np.ndarray:
        """What each place sees of each image."""
        if self.order is not None:
            x = x.reshape(len(x), -1)[:, self.order].reshape(x.shape)
        if self.wiring == "dense":
            return x.reshape(1, len(x), -1)
        seen = scratch.im2col(x, self.side)
        return np.ascontiguousarray(seen.reshape(len(x), -1, self.side**2).swapaxes(0, 1))

    def forward(self, seen: np.ndarray) -> np.ndarray:
        """The scores."""
        w, b, head, bias = self.weights
        places, images, pixels = seen.shape
        if self.wiring == "shared":  # one product is quicker than one for each place
            z = (seen.reshape(-1, pixels) @ w[0]).reshape(places, images, -1) + b
        else:
            z = np.matmul(seen, w) + b
        self.seen, self.h = seen, np.maximum(z, 0)
        if self.head == "max":
            self.winner = self.h.argmax(axis=0)[None]
            self.features = np.take_along_axis(self.h, self.winner, axis=0)[0]
        else:
            self.features = self.h.swapaxes(0, 1).reshape(images, -1)
        return self.features @ head + bias

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        """The gradients of the weights, in their order."""
        (places, images, units), head = self.h.shape, self.weights[2]
        features = dy @ head.T
        if self.head == "max":
            dh = np.zeros_like(self.h)
            np.put_along_axis(dh, self.winner, features[None], axis=0)
        else:
            dh = features.reshape(images, places, units).swapaxes(0, 1)
        dz = dh * (self.h > 0)
        if self.wiring == "shared":  # summed over the images, and over the places
            dw = (self.seen.reshape(places * images, -1).T @ dz.reshape(places * images, -1))[None]
            db = dz.sum(axis=(0, 1))[None, None]
        else:
            dw, db = np.matmul(self.seen.swapaxes(1, 2), dz), dz.sum(axis=1, keepdims=True)
        return [dw, db, self.features.T @ dy, dy.sum(axis=0)]


def fit(net: Any, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int) -> Net:
    """Adam; the rate falls to zero along half a wave."""
    net = net(picture=x.shape[1:3], classes=int(y.max()) + 1, seed=seed)
    seen, rng = net.windows(x), np.random.default_rng(seed + 1)
    means, squares = ([np.zeros_like(w) for w in net.weights] for _ in range(2))
    batches = -(-len(x) // BATCH)
    for step in range(epochs * batches):
        if step % batches == 0:
            order = rng.permutation(len(x))
        rows = order[step % batches * BATCH :][:BATCH]
        _, dy = scratch.softmax_cross_entropy(net.forward(seen[:, rows]), y[rows])
        now = rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2
        now *= np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        for w, m, v, g in zip(net.weights, means, squares, net.backward(dy.astype("float32")), strict=True):
            m += np.float32(0.1) * (g - m)
            v += np.float32(0.001) * (g * g - v)
            w -= np.float32(now) * m / (np.sqrt(v) + np.float32(1e-7))
    return net


def scores(net: Net, x: np.ndarray) -> np.ndarray:
    """What a net says of images, five hundred at a time."""
    return np.concatenate([net.forward(net.windows(x[i : i + 500])) for i in range(0, len(x), 500)])


def arm(wiring: str, head: str, units: int, side: int = 7, permuted: bool = False) -> trials.Learner:
    """An arm."""
    net = partial(Net, wiring=wiring, head=head, side=side, units=units, permuted=permuted)
    return trials.Learner(partial(fit, net), scores)


def digits(moved: bool) -> Any:
    """MNIST at half its size, 12 x 12, at any of the 25 places on a field of 16 x 16, or in its middle."""
    (x, y), (x_test, y_test) = data.load("mnist")
    parts = []
    for seed, images, labels in ((0, x[:10_000], y[:10_000]), (1, x_test[:5_000], y_test[:5_000])):
        halved = images[:, 2:26, 2:26].reshape(-1, 12, 2, 12, 2, 1).mean(axis=(2, 4)).astype("float32")
        middle = np.pad(halved, ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts.append((data.scattered(halved, 16, seed) if moved else middle, labels))
    return tuple(parts)


def in_the_middle(images: np.ndarray) -> np.ndarray:
    """Each picture shifted so that the box round its ink lies in the middle of the field."""
    boxes = [
        (ink.min(axis=0) + ink.max(axis=0)) / 2 for ink in (np.argwhere(i[..., 0] > 0.1) for i in images)
    ]
    shifts = np.round(7.5 - np.array(boxes)).astype(int)
    return np.array([np.roll(image, shift, axis=(0, 1)) for image, shift in zip(images, shifts, strict=True)])


SMILE = np.array([[1, 0, 0, 0, 1], [1, 1, 0, 1, 1], [0, 1, 1, 1, 0]], "float32")


def faces(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy faces of 18 x 18; class 1 has a mouth that smiles. The brows bend up or down by chance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.25, (count, 18, 18, 1)).astype("float32")
    smiles, up = rng.integers(0, 2, (2, count))
    for top, which in ((11, smiles), (4, up)):
        x[:, top : top + 3, 6:11, 0] += np.where(which[:, None, None], SMILE, SMILE[::-1])
    return x, smiles


DENSE, LOCAL, CONVOLUTION = "dense", "local + dense head", "convolution + dense head"
LOCAL_MAX, CONVOLUTION_MAX = "local + maximum", "convolution + maximum"
PERMUTED = "convolution + maximum, permuted"


def ways(units: int, side: int) -> dict[str, trials.Learner]:
    """Shared or not, under either head."""
    return {
        LOCAL: arm("local", "dense", units, side),
        CONVOLUTION: arm("shared", "dense", units, side),
        LOCAL_MAX: arm("local", "max", units, side),
        CONVOLUTION_MAX: arm("shared", "max", units, side),
    }


FIVE = {DENSE: arm("dense", "dense", 200), **ways(16, 7)}


def race(kind: str, n: int, arms: dict[str, trials.Learner], epochs: int) -> trials.Trial:
    """One trial on digits, `moved` or `centred`."""
    return trials.trial(
        f"convolution-{kind}-{n}",
        arms,
        trials.split(partial(digits, kind == "moved"), train=n, validation=1_000, name=f"{kind} digits"),
        rates=(3e-3, 1e-2, 3e-2),
        training=trials.Training(epochs=epochs, batch_size=BATCH),
        rivals={"nearest neighbour, centred first": trials.nearest().through(in_the_middle)}
        if kind == "moved"
        else {},
    )


moved_600 = race("moved", 600, FIVE, epochs=60)
# What four times as many digits bring the dense layer.
moved_2400 = race("moved", 2_400, {DENSE: FIVE[DENSE]}, epochs=60)
centred_600 = race("centred", 600, {**FIVE, PERMUTED: arm("shared", "max", 16, permuted=True)}, epochs=60)
placed = trials.trial(
    "convolution-faces",
    ways(4, 5),
    trials.split(lambda: (faces(2_000, 1), faces(5_000, 2)), train=1_000, validation=1_000, name="faces"),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=30, batch_size=BATCH),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

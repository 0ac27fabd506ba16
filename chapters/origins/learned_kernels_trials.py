"""Who draws the kernels: a person, chance, or the error; for digits and for cells.

    python chapters/origins/learned_kernels_trials.py

It writes data/results/kernels-under-a-head.csv, data/results/kernels-and-500-digits.csv,
data/results/kernels-of-the-first-layer.csv and data/results/kernels-for-cells.csv.

The digits are MNIST's in the format of 1989, 16 x 16 pixels.  Where kernels are frozen, their thresholds still
learn, so that kernels that learn and kernels that do not differ in nothing else.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from scipy import ndimage

from cnnkit import data, models, scratch, trials
from cnnkit.origins import drawn_kernels, shuffled_kernels, siann_segmenter

Pair = tuple[np.ndarray, np.ndarray]


def digits() -> tuple[Pair, Pair]:
    """MNIST at 16 x 16: 12,000 to learn from and all 10,000 of the test set; paper 0, ink 1."""
    (x, y), (x_test, y_test) = data.load("mnist")
    prepare = models.card("lenet-1989").prepare
    x, x_test = ((prepare(images) + 1) / 2 for images in (x[:12_000], x_test))
    return (x.astype("float32"), y[:12_000]), (x_test.astype("float32"), y_test)


NO_KERNEL = np.ones((1, 1, 1, 1), "float32")
BATCH, HIDDEN = 100, 40


def windows(x: np.ndarray, side: int, blocks: int) -> np.ndarray:
    """The pixels under a kernel at every place, paper outside: `(n, blocks * blocks, places in a block, side * side)`."""
    margin, width = side // 2, 16 // blocks
    padded = np.pad(x[..., 0], ((0, 0), (margin, margin), (margin, margin)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    seen = seen.reshape(len(x), blocks, width, blocks, width, side * side)
    return seen.transpose(0, 1, 3, 2, 4, 5).reshape(len(x), blocks * blocks, width * width, side * side)


def head(found: np.ndarray, weights: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Thresholds and a ReLU, a hidden layer, scores: what `feature_recognizer` does with the largest answers."""
    _, threshold, w1, b1, w2, b2 = weights
    seen = np.maximum(0, found + threshold).reshape(len(found), -1)
    z = seen @ w1 + b1
    return seen, z, scratch.scaled_tanh(z) @ w2 + b2


def slid(under: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """The answer of each kernel at every place."""
    return (under.reshape(-1, len(kernels)) @ kernels).reshape(*under.shape[:-1], -1)


def winners(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest answer of each block, and its place; of equals the first."""
    in_rows = np.ascontiguousarray(answers.swapaxes(2, 3))
    return in_rows.max(axis=3), in_rows.argmax(axis=3)


def train(kind: str, blocks: int, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int) -> Any:
    """Adam and a cosine, in NumPy: nets so small are trained ten times as fast as by calling a framework."""
    rng = np.random.default_rng(seed)
    kernels = {"none": NO_KERNEL, "drawn": drawn_kernels()}.get(kind, shuffled_kernels(seed))
    side, maps = kernels.shape[0], kernels.shape[-1]
    inputs = blocks * blocks * maps

    def start(rows: int, columns: int) -> np.ndarray:
        reach = np.sqrt(6 / (rows + columns))
        return rng.uniform(-reach, reach, (rows, columns)).astype("float32")

    weights = [kernels.reshape(side * side, maps).astype("float32"), np.zeros(maps, "float32"),
               start(inputs, HIDDEN), np.zeros(HIDDEN, "float32"), start(HIDDEN, 10), np.zeros(10, "float32")]  # fmt: skip
    learned = range(kind != "learned", 6)
    slow, square = ([np.zeros_like(w) for w in weights] for _ in range(2))
    under = windows(x, side, blocks)
    frozen = None if kind == "learned" else slid(under, weights[0]).max(axis=2)
    batches = -(-len(x) // BATCH)
    for step in range(epochs * batches):
        if step % batches == 0:
            order = rng.permutation(len(x))
        rows = order[step % batches * BATCH :][:BATCH]
        if frozen is None:
            answers = slid(under[rows], weights[0])
            found, where = winners(answers)
        else:
            found = frozen[rows]
        seen, z, scores = head(found, weights)
        _, dy = scratch.softmax_cross_entropy(scores, y[rows])
        dz = (dy @ weights[4].T) * scratch.scaled_tanh_derivative(z)
        back = ((dz @ weights[2].T) * (seen > 0)).reshape(found.shape)
        slopes = [
            back,
            back.sum(axis=(0, 1)),
            seen.T @ dz,
            dz.sum(axis=0),
            scratch.scaled_tanh(z).T @ dy,
            dy.sum(axis=0),
        ]
        if frozen is None:  # a block's error goes to the window of its largest answer, and to no other
            winning = under[rows[:, None, None], np.arange(blocks * blocks)[:, None], where]
            slopes[0] = np.einsum("nbm,nbmk->km", back, winning)
        now = rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2
        for i in learned:
            slow[i] += 0.1 * (slopes[i] - slow[i])
            square[i] += 0.001 * (slopes[i] ** 2 - square[i])
            true = slow[i] / (1 - 0.9 ** (step + 1)), square[i] / (1 - 0.999 ** (step + 1))
            weights[i] -= (now * true[0] / (np.sqrt(true[1]) + 1e-7)).astype("float32")
    return weights


def read(blocks: int, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """The scores of digits, a thousand at a time."""
    side = int(np.sqrt(len(weights[0])))
    parts = (windows(x[i : i + 1_000], side, blocks) for i in range(0, len(x), 1_000))
    return np.concatenate([head(slid(part, weights[0]).max(axis=2), weights)[-1] for part in parts])


def recogniser(kind: str, blocks: int) -> trials.Learner:
    """One head on the picture itself, or on maps whose kernels were drawn, are shuffled, or begin shuffled and learn."""
    return trials.Learner(partial(train, kind, blocks), partial(read, blocks))


KINDS = ("none", "drawn", "shuffled", "learned")
COARSE = {kind: recogniser(kind, 4) for kind in KINDS}
FINE = {f"{kind}, every place": recogniser(kind, 16) for kind in ("none", "drawn")}


def of_digits(name: str, size: int, **arms: trials.Learner) -> trials.Trial:
    """The same number of steps, however many digits there are to learn from."""
    return trials.trial(
        name,
        arms,
        trials.split(digits, train=size, validation=2_000, name="mnist, 16 x 16"),
        rates=(3e-3, 1e-2, 3e-2),
        training=trials.Training(epochs=80_000 // size, batch_size=BATCH),
    )


under_a_head = of_digits("kernels-under-a-head", 2_000, **COARSE, **FINE)
few = of_digits("kernels-and-500-digits", 500, **COARSE)


def white_and_black() -> tuple[Pair, Pair]:
    """The same digits from -1 (paper) to 1 (ink), as the net of 1989 takes them."""
    (x, y), (x_test, y_test) = digits()
    return (2 * x - 1, y), (2 * x_test - 1, y_test)


def strokes(x: np.ndarray) -> np.ndarray:
    """The 5 x 5 places that each unit sees, two steps apart, paper around the map: `(n, height, width, 25 * channels)`."""
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=-1)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))[:, ::2, ::2]
    return seen.transpose(0, 1, 2, 4, 5, 3).reshape(*seen.shape[:3], -1)


def through(weights: list[np.ndarray], seen: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The net of 1989, from what H1 sees to its ten answers: what came in at each layer, and its sums before the squash."""
    came, sums = [seen], []
    for layer in range(4):
        w, b = weights[2 * layer : 2 * layer + 2]
        sums.append(came[-1] @ w + b)
        out = scratch.scaled_tanh(sums[-1])
        came.append(strokes(out) if layer == 0 else out.reshape(len(out), -1))
    return came, sums


def slopes_of(weights: list[np.ndarray], came: list, sums: list, dy: np.ndarray, down_to: int) -> list:
    """The way back, as in `scratch.net_of_1989` and several times as fast; it ends where nothing learns."""
    found = [None] * 8
    for layer in (3, 2, 1, 0):
        dz = dy.reshape(sums[layer].shape) * scratch.scaled_tanh_derivative(sums[layer])
        flat = came[layer].reshape(-1, came[layer].shape[-1])
        if layer or not down_to:
            found[2 * layer] = flat.T @ dz.reshape(len(flat), -1)
        found[2 * layer + 1] = dz.sum(axis=0)
        if layer:
            dy = dz @ weights[2 * layer].T
        if layer == 1:  # each place of H1 hears of every window that it lay in
            heard = np.zeros((len(dy), 12, 12, 12), dy.dtype)
            for place, (m, n) in enumerate(np.ndindex(5, 5)):
                heard[:, m : m + 7 : 2, n : n + 7 : 2] += dy[..., 12 * place : 12 * place + 12]
            dy = heard[:, 2:10, 2:10]
    return found


def train_1989(
    kind: str, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int
) -> list[np.ndarray]:
    """Adam and a cosine on the squared error of 1989, +1 for the digit that it is and -1 for the nine others."""
    weights = scratch.net_of_1989(seed=seed).weights
    weights[0] = drawn_kernels() if kind == "drawn" else shuffled_kernels(seed)
    table = (weights[2] != 0).reshape(300, 12)
    weights = [w.reshape(-1, w.shape[-1]) if w.ndim == 4 else w for w in weights]
    weights = [w.astype("float32") for w in weights]
    seen, wanted = strokes(x), (2 * np.eye(10)[y] - 1).astype("float32")
    slow, square = ([np.zeros_like(w) for w in weights] for _ in range(2))
    rng, batches = np.random.default_rng(seed), -(-len(x) // BATCH)
    first = int(kind != "learned")
    for step in range(epochs * batches):
        if step % batches == 0:
            order = rng.permutation(len(x))
        rows = order[step % batches * BATCH :][:BATCH]
        came, sums = through(weights, seen[rows])
        slopes = slopes_of(weights, came, sums, (came[-1] - wanted[rows]) / len(rows), first)
        slopes[2] *= table
        now = rate * (1 + np.cos(np.pi * step / (epochs * batches))) / 2
        for i in range(first, 8):
            slow[i] += 0.1 * (slopes[i] - slow[i])
            square[i] += 0.001 * (slopes[i] ** 2 - square[i])
            true = slow[i] / (1 - 0.9 ** (step + 1)), square[i] / (1 - 0.999 ** (step + 1))
            weights[i] -= (now * true[0] / (np.sqrt(true[1]) + 1e-7)).astype("float32")
    return weights


def read_1989(weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """The ten answers, a thousand digits at a time."""
    return np.concatenate(
        [through(weights, strokes(x[i : i + 1_000]))[0][-1] for i in range(0, len(x), 1_000)]
    )


first_layer = trials.trial(
    "kernels-of-the-first-layer",
    {kind: trials.Learner(partial(train_1989, kind), read_1989) for kind in ("shuffled", "drawn", "learned")},
    trials.split(white_and_black, train=2_000, validation=2_000, name="mnist, 16 x 16, from -1 to 1"),
    rates=(3e-3, 1e-2, 3e-2),
    training=trials.Training(epochs=60, batch_size=BATCH),
    settle=False,  # the rows of twice as many rounds were run while it was to settle
)


def mosaics() -> tuple[Pair, Pair]:
    """Cells under uneven light: pictures of 24 x 24, and +1 where a border is, -1 elsewhere."""
    (x, y), (x_test, y_test) = data.cell_mosaics(200, 24, seed=0), data.cell_mosaics(500, 24, seed=1)
    return (x, 2 * y.astype("float32") - 1), (x_test, 2 * y_test.astype("float32") - 1)


def overlap(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Of the pixels that are a border, or are called one, the share that is both."""
    true, said = targets > 0, np.reshape(outputs, targets.shape) > 0
    return float((true & said).sum() / max(1, (true | said).sum()))


def logistic(targets: Any, outputs: Any) -> Any:
    """Cross-entropy for targets of +1 and -1."""
    return keras.ops.softplus(-targets * keras.ops.reshape(outputs, keras.ops.shape(targets)))


def outliner(seed: int) -> keras.Model:
    """Zhang's net without its last layer."""
    return siann_segmenter()


def compared(x: np.ndarray, blur: float, window: int, divide: bool) -> np.ndarray:
    """Each pixel, a little blurred, beside the mean of the window around it: over it, or less it."""
    images = x[..., 0].astype("float64")
    around = ndimage.uniform_filter(images, (0, window, window), mode="nearest")
    point = ndimage.gaussian_filter(images, (0, blur, blur)) if blur else images
    return point / (around + 1e-3) if divide else point - around


def best_cut(values: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The overlap of the best threshold below which a pixel is a border, and that threshold."""
    cuts = np.quantile(values, np.linspace(0.02, 0.8, 79))
    return max((overlap(y, np.where(values < cut, 1, -1)), cut) for cut in cuts)


def drawn_threshold() -> trials.Learner:
    """Drawn by hand: blur, compare with the local mean, cut; what to choose is chosen on the training part."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> tuple:
        ways = [
            (b, w, d) for b in (0, 0.5, 0.7, 0.9) for w in (5, 7, 9, 11, 13, 17, 21) for d in (False, True)
        ]
        (_, cut), way = max((best_cut(compared(x, *way), y), way) for way in ways)
        return way, cut

    def predict(fitted: tuple, x: np.ndarray) -> np.ndarray:
        way, cut = fitted
        return np.where(compared(x, *way) < cut, 1.0, -1.0)

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


def one_threshold() -> trials.Learner:
    """The best single brightness for all pictures and places."""
    return trials.Learner(
        lambda x, y, **_: best_cut(x[..., 0], y)[1],
        lambda cut, x: np.where(x[..., 0] < cut, 1.0, -1.0),
        has_rate=False,
        has_budget=False,
    )


def one_kernel(side: int = 13) -> trials.Learner:
    """One kernel as wide as the net sees, learned by ridge regression on every pixel's window."""

    def rows(x: np.ndarray) -> np.ndarray:
        margin = side // 2
        padded = np.pad(x[..., 0], ((0, 0), (margin, margin), (margin, margin)), mode="edge")
        seen = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
        return np.concatenate([seen.reshape(-1, side * side), np.ones((x[..., 0].size, 1))], axis=1)

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> tuple:
        seen = rows(x)
        kernel = np.linalg.solve(seen.T @ seen + np.eye(seen.shape[1]), seen.T @ y.ravel())
        return kernel, best_cut(-(seen @ kernel).reshape(y.shape), y)[1]

    def predict(fitted: tuple, x: np.ndarray) -> np.ndarray:
        kernel, cut = fitted
        return np.where(-(rows(x) @ kernel).reshape(x.shape[:3]) < cut, 1.0, -1.0)

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


cells = trials.trial(
    "kernels-for-cells",
    {"learned": outliner, "learned, one pixel": lambda seed: siann_segmenter(kernel_size=1)},
    trials.split(mosaics, train=100, validation=100, name="cells under uneven light"),
    rates=(1e-2, 3e-2, 1e-1),
    training=trials.Training(epochs=40, batch_size=10, loss=logistic),
    score=trials.Score("overlap", overlap, scale=100.0, unit="points"),
    rivals={
        "one threshold": one_threshold(),
        "drawn: local mean": drawn_threshold(),
        "one learned kernel": one_kernel(),
    },
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

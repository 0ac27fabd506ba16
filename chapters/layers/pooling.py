"""Claims and exercises of chapter layers/pooling."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

STOCHASTIC, NIN, SPRINGENBERG = "arXiv:1301.3557", "arXiv:1312.4400", "arXiv:1412.6806"
SCHERER, BOUREAU, HERE = (
    "doi:10.1007/978-3-642-15825-4_10",
    "Boureau, Ponce and LeCun, ICML 2010",
    "measured here",
)

QUESTION = "Which of the four reasons for pooling hold?"

CLAIMS = {
    "stochastic-pooling-expectation": Claim(
        "Of a window of 1, 2, 3 and 4 stochastic pooling draws {measured} on average, as Σa²/Σa = 3 says; the mean is 2.5.",
        source=STOCHASTIC,
    ),
    "pooling-saves-time": Claim(
        "With two max poolings of 2 × 2 a small net is {measured} times as fast as without.",
        source=HERE,
        ledger=("pooling-purposes",),
    ),
    "pooling-reduces-parameters": Claim(
        "Two poolings take {measured} weights from the convolutions and from a head behind a global average.",
        source="arithmetic",
    ),
    "pooling-shrinks-a-flattened-head": Claim(
        "They take {measured} weights from a head behind a flattened map of 32 × 32.",
        source="arithmetic",
    ),
    "pooling-local-not-global-invariance": Claim(
        "Six pixels of shift change the global maximum of each map by {measured}.", source="arithmetic"
    ),
    "max-forgives-a-pixel": Claim(
        "After a shift of one pixel, a map pooled by maxima of 2 × 2 has moved less far than the map itself, by {measured} "
        "of the distance to another digit.",
        source=HERE,
    ),
    "max-over-none-moved": Claim(
        "After 300 digits in the middle, on others moved by up to two pixels, {measured}.", source=HERE
    ),
    "avg-out-of-favour": Claim(
        "After 300 digits in the middle, on others moved by up to two pixels, {measured}.", source=SCHERER
    ),
    "max-over-weights-moved": Claim(
        "After 300 digits in the middle, on others moved by up to two pixels, {measured}.",
        source=SPRINGENBERG,
    ),
    "pooling-in-the-middle": Claim("After 300 digits in the middle, {measured}.", source=HERE),
    "pooling-anywhere": Claim("After 300 digits that lie anywhere, {measured}.", source=HERE),
    "fewer-weights-anywhere": Claim("After 300 digits that lie anywhere, {measured}.", source=HERE),
    "gap-reduces-overfitting": Claim("After 300 digits that lie anywhere, {measured}.", source=NIN),
    "gmp-small-objects": Claim(
        "Where all of an object's energy lies in one of 256 noisy places, the global maximum ranks a share of {measured} more "
        "pairs right than the global mean.",
        source=HERE,
        ledger=("global-max-pooling",),
    ),
    "mean-leads-on-dense-maps": Claim(
        "From windows of 7 × 7 over maps of which no unit is silent, a linear reader of the means reads at least {measured} "
        "points more than one of the maxima, in each of five draws of kernels.",
        source=BOUREAU,
    ),
    "greater-pooling-information-loss": Claim(
        "From means of 7 × 7 windows a linear reader reads {measured} points less than from means of 2 × 2.",
        source=HERE,
    ),
}

BREAKS = {
    "pooling-saves-time": Break(
        "the pooling is taken out",
        old='"max pooling": "max", "stride 2"',
        new='"max pooling": "none", "stride 2"',
    ),
    "max-forgives-a-pixel": Break(
        "the windows hold one pixel",
        old='"max 2 × 2": lambda t: scratch.max_pool2d(t, 2)',
        new='"max 2 × 2": lambda t: scratch.max_pool2d(t, 1)',
    ),
    "max-over-none-moved": Break(
        "the pooling is taken out",
        old='race.lead("max pooling", over="no pooling")',
        new='race.lead("stride 2", over="no pooling")',
    ),
    "avg-out-of-favour": Break(
        "a stride takes the place of the mean",
        old='race.lead("max pooling", over="average pooling")',
        new='race.lead("max pooling", over="stride 2")',
    ),
    "max-over-weights-moved": Break(
        "a stride takes the place of the maximum",
        old='race.lead("max pooling", over="stride 2, 4 x 4 weights")',
        new='race.lead("stride 2", over="stride 2, 4 x 4 weights")',
    ),
    "pooling-in-the-middle": Break(
        "the digits lie anywhere",
        old='middle.lead("max pooling", over="no pooling")',
        new='anywhere.lead("max pooling", over="no pooling")',
    ),
    "pooling-anywhere": Break(
        "every digit lies in the middle",
        old='anywhere.lead("max pooling", over="no pooling")',
        new='middle.lead("max pooling", over="no pooling")',
    ),
    "fewer-weights-anywhere": Break(
        "the stride is a pooling",
        old='anywhere.lead("stride 2", over="no pooling")',
        new='anywhere.lead("average pooling", over="no pooling")',
    ),
    "gap-reduces-overfitting": Break(
        "every digit lies in the middle",
        old='anywhere.lead("max pooling, global average", over="max pooling")',
        new='middle.lead("max pooling, global average", over="max pooling")',
    ),
    "gmp-small-objects": Break(
        "the object is spread over all places",
        old="noise[1, :, :side, :side] += 5 / side",
        new="noise[1] += 5 / 16",
    ),
    "mean-leads-on-dense-maps": Break(
        "nearly all units are silent",
        old="maps = np.maximum(answers - np.quantile(answers[:1000], share), 0)",
        new="maps = np.maximum(answers - np.quantile(answers[:1000], 0.98), 0)",
    ),
    "greater-pooling-information-loss": Break(
        "the large windows are small",
        old="large, read_right = (0, 0.8, 0.95, 0.98), 7, {}",
        new="large, read_right = (0, 0.8, 0.95, 0.98), 2, {}",
    ),
}


@solves(
    "one-step",
    title="Predict: one step to the right",
    task="A row of 16 pixels holds a single dot, and is max-pooled with windows of 2 and stride 2. The dot moves "
    "from column c to c + 1. For how many of the 15 places c = 0 ... 14 does the pooled row change? "
    "Predict, then try it.",
    hints=(
        "In which window does column c lie? In which c + 1?",
        "Two columns share a window when the first of them is even.",
    ),
)
def one_step() -> int:
    return 7


one_step.wrong(
    0, "pooling tolerates some steps, not all: from column 1 to column 2 the dot enters another window."
)
one_step.wrong(
    8, "those are the steps that change nothing: the ones from an even column stay in their window."
)
one_step.wrong(
    15, "a step from column 0 to column 1 stays within one window, and the maximum does not notice."
)


def _signed_windows(rng: np.random.Generator) -> Cases:
    yield "both signs", (np.array([3.0, -4.0]), 2.0)
    yield "a zero among the entries", (np.array([0.0, 2.0, -1.0]), 2.0)
    yield "the mean of the sizes, p = 1", (np.array([-2.0, 0.0, 5.0]), 1.0)
    yield "a single entry", (np.array([-3.0]), 3.0)
    yield "whole numbers", (np.array([1, -2, 2, 4]), 3)
    yield "p between the whole numbers", (rng.normal(size=5), 1.5)
    yield "a large window", (rng.normal(size=9), 4.0)


@solves(
    "lp-gradient",
    title="Compute: Lp pooling backwards",
    task="Write `gradient(a, p)`: how the Lp pooling $y = (\\frac{1}{N}\\sum_i |a_i|^p)^{1/p}$ of the whole array "
    "`a` changes with each of its entries. The entries may be negative, but not all zero.",
    hints=(
        "Outer derivative first: (1/p) m^(1/p - 1) for the mean m of the powers.",
        "m^(1/p - 1) is y^(1 - p).",
    ),
    inputs=_signed_windows,
)
def gradient(a: np.ndarray, p: float) -> np.ndarray:
    y = np.mean(np.abs(a) ** p) ** (1 / p)
    return np.sign(a) * np.abs(a) ** (p - 1) * y ** (1 - p) / a.size


@gradient.mistake("almost: the powers are averaged, so each entry carries 1 / N.")
def _(a: np.ndarray, p: float) -> np.ndarray:
    y = np.mean(np.abs(a) ** p) ** (1 / p)
    return np.sign(a) * np.abs(a) ** (p - 1) * y ** (1 - p)


@gradient.mistake(
    "right in size, but where an entry is negative, raising it lowers |a|: the sign is missing."
)
def _(a: np.ndarray, p: float) -> np.ndarray:
    y = np.mean(np.abs(a) ** p) ** (1 / p)
    return np.abs(a) ** (p - 1) * y ** (1 - p) / a.size


@gradient.mistake("that is the gradient of the mean of |a|^p / p; the p-th root has a derivative too.")
def _(a: np.ndarray, p: float) -> np.ndarray:
    return np.sign(a) * np.abs(a) ** (p - 1) / a.size


def _images(rng: np.random.Generator) -> Cases:
    yield "a single window", (np.array([[5.0, 2.0], [2.0, 1.0]]),)
    yield "all alike", (np.ones((4, 4)),)
    yield "below zero", (-rng.uniform(1, 2, size=(2, 4)),)
    yield "whole numbers", (rng.integers(0, 9, size=(4, 6)),)
    yield "higher than wide", (rng.normal(size=(8, 2)),)
    yield "a whole image", (rng.uniform(size=(6, 8)),)


@solves(
    "in-secret",
    title="Break: change an image in secret",
    task="A guard looks at an image only through 2 × 2 max pooling with stride 2. Write `slack(x)`: how much, "
    "summed over all pixels, may be added to an image of even sides without the guard seeing any change? "
    "For [[1, 2], [3, 4]] it is 3 + 2 + 1 + 0 = 6.",
    hints=(
        "Up to where may each pixel rise before it becomes the winner of its window?",
        "Give the rows and the columns of a window axes of their own, as at the top of this chapter.",
    ),
    inputs=_images,
)
def slack(x: np.ndarray) -> float:
    tiles = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2)
    return np.sum(tiles.max(axis=(1, 3), keepdims=True) - tiles)


@slack.mistake("each pixel may rise to the largest of its own window, not of the whole image.")
def _(x: np.ndarray) -> float:
    return np.sum(x.max() - x)


@slack.mistake("three of four pixels are free, but asked is by how much they may rise.")
def _(x: np.ndarray) -> int:
    return 3 * x.size // 4


@slack.mistake("`reshape(-1, 4)` takes four neighbours in a row; a window has two rows and two columns.")
def _(x: np.ndarray) -> float:
    w = x.reshape(-1, 4)
    return np.sum(w.max(axis=1, keepdims=True) - w)


def _overlaps(rng: np.random.Generator) -> Cases:
    x = rng.normal(size=(7, 9)).round(2)
    yield "windows that overlap", (x, 3, 2)
    yield "windows side by side", (x[:6, :8], 2, 2)
    yield "rows and columns left over", (x[:6], 3, 2)
    yield "gaps between the windows", (x, 2, 3)
    yield "a window at every place", (x, 2, 1)
    yield "a window as large as the map", (x[:5, :5], 5, 2)
    yield "a single row of windows", (x[:3], 3, 1)
    yield "below zero", (-np.abs(x) - 1, 3, 2)
    yield "whole numbers", (rng.integers(-9, 9, size=(8, 5)), 4, 2)
    yield "windows of one pixel", (x, 1, 2)


@solves(
    "overlapping-windows",
    title="Build: windows that overlap",
    task="The one line at the top of this chapter works for windows that lie side by side. AlexNet pooled windows of "
    "3 × 3 with a stride of 2, which overlap. Write `overlapping(x, size, stride)`: max pooling of a map `x` of rows "
    "and columns, with windows of `size` × `size` that begin at every `stride`-th row and column and lie wholly "
    "inside. For `[[1, 2, 3], [4, 9, 6], [7, 8, 5]]`, 2 and 1 it gives [[9, 9], [9, 9]].",
    hints=(
        "How many windows fit along a side of n? The last begins at n - size at the latest.",
        "`x[a : a + rows : stride, b : b + columns : stride]` holds entry (a, b) of every window at once; choose rows "
        "and columns so that each slice has as many entries as there are windows.",
    ),
    inputs=_overlaps,
)
def overlapping(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(0, side - size + 1, stride) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].max() for j in rights] for i in downs])


@overlapping.mistake("the windows are right; max pooling takes the largest of each, not the mean.")
def _(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(0, side - size + 1, stride) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].mean() for j in rights] for i in downs])


@overlapping.mistake("the last window is missing where it just fits: a range ends before its second number.")
def _(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(0, max(side - size, 1), stride) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].max() for j in rights] for i in downs])


@overlapping.mistake("some of your windows hang over the edge: only those count that lie wholly inside.")
def _(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(0, side, stride) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].max() for j in rights] for i in downs])


@overlapping.mistake(
    "your windows lie side by side: a new one begins every `stride` rows and columns, not every `size`."
)
def _(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(0, side - size + 1, size) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].max() for j in rights] for i in downs])


@overlapping.mistake("the windows start at every place; with a stride of 2 every second one is left out.")
def _(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    downs, rights = (range(side - size + 1) for side in x.shape)
    return np.array([[x[i : i + size, j : j + size].max() for j in rights] for i in downs])

"""Claims and exercises of chapter layers/pooling."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

WIKIPEDIA = "Wikipedia, Convolutional neural network"
SURVEY, STOCHASTIC, SCHERER = "arXiv:2009.07485", "arXiv:1301.3557", "doi:10.1007/978-3-642-15825-4_10"

QUESTION = "Which of the four reasons for pooling hold?"

CLAIMS = {
    "pooling-definition": Claim(
        "A pooling layer turns each small window of each channel into one number; by hand as in Keras.",
        source=SURVEY,
    ),
    "maxpool-formula": Claim(
        "f(X, Y) is the maximum over a, b in {0, 1} of S(2X + a, 2Y + b).", source=WIKIPEDIA
    ),
    "maxpool-75-percent": Claim(
        "Max pooling of 2 × 2 with stride 2 discards 75 % of the activations.", source="arithmetic"
    ),
    "pool-depth-unchanged": Claim(
        "Pooling leaves the number of channels as it is and works on each alone.", source=SURVEY
    ),
    "average-pooling": Claim(
        "Average pooling is a depthwise convolution with a box of equal weights.", source="arithmetic"
    ),
    "local-vs-global-pooling": Claim(
        "Local pooling of 2 × 2 halves each side of a 32 × 32 × 8 map; global pooling leaves one number a map.",
        source=SURVEY,
        ledger=("pooling-types-list-003",),
    ),
    "max-pooling": Claim(
        "Max pooling sends the gradient of each window to its largest value alone.", source=SURVEY
    ),
    "poolings-agree": Claim("Seven pooling layers give what their twins in NumPy give.", source="arithmetic"),
    "l2-norm-pooling": Claim(
        "L2 pooling of 1, 2, 3, 4 is √7.5, the root of the mean square.", source="arithmetic"
    ),
    "lp-pooling": Claim("Lp pooling of 1, 2, 3, 4 with p = 3 is the cube root of 25.", source="arithmetic"),
    "lp-limits": Claim("Lp pooling is the average at p = 1 and the maximum as p grows.", source=SURVEY),
    "softmax-pooling": Claim(
        "Softmax pooling is the average as β falls to 0 and the maximum as it grows.", source=SURVEY
    ),
    "stochastic-pooling": Claim(
        "Stochastic pooling draws each activation in proportion to its size: of 1, 2, 3, 4 the last at 0.4.",
        source=STOCHASTIC,
    ),
    "stochastic-pooling-expectation": Claim(
        "On 1, 2, 3, 4 stochastic pooling expects Σa²/Σa = 3, not the average 2.5, as is often said.",
        source=STOCHASTIC,
    ),
    "stochastic-above-average": Claim(
        "Its expectation exceeds the mean of every window, except where all values are alike.",
        source="arithmetic",
    ),
    "stochastic-pooling-deformation-view": Claim(
        "Each draw is a copy of the image, deformed within the windows only, with three of four pixels left out.",
        source=STOCHASTIC,
    ),
    "pooling-reduces-parameters": Claim(
        "Pooling has no parameters and takes none from the convolutions or from a global head.",
        source="arithmetic",
    ),
    "pooling-shrinks-a-flattened-head": Claim(
        "Behind a flattened map, 2 × 2 pooling saves three quarters of the head's weights.",
        source="arithmetic",
    ),
    "greater-pooling-information-loss": Claim(
        "Larger windows lose information: from windows of 2 to one of 16, a linear reader of digits loses much.",
        source=WIKIPEDIA,
    ),
    "pooling-buys-shift-tolerance": Claim(
        "With windows of 8 more digits are read after a shift by two pixels than without pooling.",
        source=WIKIPEDIA,
    ),
    "pooling-purposes": Claim(
        "One max pooling of 2 × 2 in a small net saves more than two thirds of the multiply-adds.",
        source=WIKIPEDIA,
    ),
    "avg-out-of-favour": Claim(
        "In windows of 8 max pooling reads more digits than average pooling.", source=SCHERER
    ),
    "average-wins-small-windows": Claim(
        "In windows of 2 average pooling reads at least as many digits as max pooling.", source="this page"
    ),
    "side-by-side-loses-places": Claim(
        "A dot on 16 × 16 has 64 different answers under 2 × 2 windows that lie side by side.",
        source="arithmetic",
    ),
    "overlapping-pooling": Claim(
        "Under overlapping windows of 3 × 3 with stride 2 it has 225: its place is kept but for one border.",
        source="arithmetic",
    ),
    "nonoverlap-best": Claim(
        "That windows side by side are best is no law: after a shift by one pixel overlapping ones read more digits.",
        source="doi:10.1145/3065386",
    ),
    "pooling-local-not-global-invariance": Claim(
        "Global max pooling does not notice a shift.", source=WIKIPEDIA
    ),
    "local-pooling-gives-way": Claim(
        "Local pooling does: a shift by the side of its windows changes the whole answer.", source="this page"
    ),
    "rough-location-idea": Claim(
        "After pooling, swapped parts of a face count for more than jittered ones.", source=WIKIPEDIA
    ),
    "global-pooling-forgets-relations": Claim(
        "Global max pooling cannot tell a face from one whose eyes and mouth are swapped.",
        source="arithmetic",
    ),
    "global-average-pooling": Claim(
        "Global average pooling is the mean of each map, for any size of map.", source="arXiv:1312.4400"
    ),
    "global-max-pooling": Claim("Global max pooling is the maximum of each map.", source=SURVEY),
    "spatial-pyramid-pooling": Claim(
        "A pyramid of 1, 4 and 16 parts gives 21 C numbers for any size of map.", source="arXiv:1406.4729"
    ),
    "multihead-attention-pooling": Claim(
        "Attention pooling does not depend on the order of the places.",
        source="arXiv:1810.00825",
    ),
    "attention-without-a-question": Claim(
        "With a query of zero attention pooling weighs all places alike.", source="arithmetic"
    ),
    "gmp-small-objects": Claim(
        "Of a small bright object in noise the global maximum tells more than the mean.", source="this page"
    ),
    "gap-large-objects": Claim(
        "Of a large faint object in noise the mean tells more than the global maximum.", source="this page"
    ),
    "roi-pooling": Claim(
        "RoI pooling gives one size for boxes of any size.",
        source="arXiv:1504.08083",
    ),
    "roi-pooling-agrees": Claim("The layer equals the loop over boxes and bins.", source="arithmetic"),
    "roi-pooling-rcnn": Claim(
        "RoI pooling (Fast R-CNN, not R-CNN) of the whole map is one level of a spatial pyramid.",
        source="arXiv:1504.08083",
    ),
    "roi-align-agrees": Claim(
        "RoIAlign as two matrix products equals the loop over samples.", source="arXiv:1703.06870"
    ),
    "roi-align-reads-between-cells": Claim(
        "A box that slides over a ramp is read by RoI pooling in steps of one cell, by RoIAlign exactly.",
        source="arXiv:1703.06870",
    ),
    "channel-max-pooling": Claim(
        "Channel max pooling of 32 channels in groups of 4 leaves 8 and all places.",
        source="doi:10.1109/tvt.2019.2899972",
    ),
    "recorded-run-repeats": Claim(
        "One net of the recorded table, trained again here, comes near the recorded test accuracy.",
        source="data/results/pooling-digits-3-seeds.csv",
    ),
    "mixed-pooling": Claim(
        "Mixed pooling learns its blend: the share of the maximum moves from one half towards the maximum.",
        source="arXiv:1509.08985",
    ),
    "stochastic-pooling-no-hyperparams": Claim(
        "On 300 digits stochastic pooling, without a hyperparameter, is no worse than max pooling.",
        source=STOCHASTIC,
    ),
    "gap-head-has-fewer-parameters": Claim(
        "A net with a global average head has less than a twentieth of the parameters of one with a dense head.",
        source="arXiv:1312.4400",
    ),
    "gap-reduces-overfitting": Claim(
        "That a global average head overfits less does not show on 300 digits: trained five times as long, its gap "
        "between training and test accuracy is no smaller than that of a dense head.",
        source="measured here; that it does, in arXiv:1312.4400",
    ),
    "gap-forgives-shifts": Claim(
        "After a shift by two pixels a global average head reads many more digits than a dense head.",
        source="this page",
    ),
    "cmp-fine-grained": Claim(
        "With a quarter of the head's parameters, channel max pooling tells similar digits apart within two points as well.",
        source="doi:10.1109/tvt.2019.2899972",
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


def _boxes(rng: np.random.Generator) -> Cases:
    x = rng.normal(size=(10, 12))
    yield "bins that share a cell", (x, (1, 2, 8, 7), 2)
    yield "bins that share none", (x, (0, 0, 8, 4), 4)
    yield "a single bin", (x, (3, 1, 6, 6), 1)
    yield "more bins than cells", (x, (4, 4, 6, 5), 3)
    yield "a single cell", (x, (9, 8, 10, 9), 2)
    yield "a map below zero", (-rng.uniform(1, 2, size=(7, 7)), (1, 0, 7, 4), 3)
    yield "whole numbers", (rng.integers(-9, 9, size=(6, 6)), (0, 1, 5, 6), 3)


@solves(
    "one-box",
    title="Build: what lies in the box",
    task="Write `pool_box(x, box, n)`: RoI pooling of one box over one map. `x` has rows and columns, `box` is "
    "(x1, y1, x2, y2) in whole cells inside the map, x2 and y2 no longer in it. Cut its h rows into n "
    "bins, bin i "
    "from floor(i h / n) up to and without ceil((i + 1) h / n), its columns likewise, and give the n x n "
    "maxima. "
    "Over a 4 × 4 map of 0 ... 15, row by row, the box (0, 0, 4, 2) with n = 2 gives [[1, 3], [5, 7]].",
    hints=(
        "First cut the box out of the map: which of the four numbers are rows, which are columns?",
        "Write a small function that gives the (first, one past the last) of each of n bins of a length; "
        "`-(-a // b)` is a / b rounded up.",
    ),
    inputs=_boxes,
)
def pool_box(x: np.ndarray, box: tuple[int, int, int, int], n: int) -> np.ndarray:
    x1, y1, x2, y2 = box
    patch = x[y1:y2, x1:x2]

    def bins(size):
        return [(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]

    return np.array([[patch[a:b, c:d].max() for c, d in bins(x2 - x1)] for a, b in bins(y2 - y1)])


@pool_box.mistake("rows and columns have changed places: an array is indexed by row first, and the row is y.")
def _(x: np.ndarray, box: tuple[int, int, int, int], n: int) -> np.ndarray:
    x1, y1, x2, y2 = box
    return pool_box(x, (y1, x1, y2, x2), n)


@pool_box.mistake("the box is one cell too large: x2 and y2 are the first that no longer belong to it.")
def _(x: np.ndarray, box: tuple[int, int, int, int], n: int) -> np.ndarray:
    x1, y1, x2, y2 = box
    return pool_box(x, (x1, y1, min(x2 + 1, x.shape[1]), min(y2 + 1, x.shape[0])), n)


@pool_box.mistake(
    "both ends of a bin are rounded down; its end is rounded up, so that neighbours share a cell where n "
    "does not divide the side."
)
def _(x: np.ndarray, box: tuple[int, int, int, int], n: int) -> np.ndarray:
    x1, y1, x2, y2 = box
    patch = x[y1:y2, x1:x2]

    def bins(size):
        return [(i * size // n, max((i + 1) * size // n, i * size // n + 1)) for i in range(n)]

    return np.array([[patch[a:b, c:d].max() for c, d in bins(x2 - x1)] for a, b in bins(y2 - y1)])


@pool_box.mistake("the bins are right; RoI pooling takes the maximum of each, not the mean.")
def _(x: np.ndarray, box: tuple[int, int, int, int], n: int) -> np.ndarray:
    x1, y1, x2, y2 = box
    patch = x[y1:y2, x1:x2]

    def bins(size):
        return [(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]

    return np.array([[patch[a:b, c:d].mean() for c, d in bins(x2 - x1)] for a, b in bins(y2 - y1)])

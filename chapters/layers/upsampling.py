"""Claims and exercises of chapter layers/upsampling."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

GUIDE, DISTILL = "arXiv:1603.07285", "doi:10.23915/distill.00003"

QUESTION = "How does a small map become a large one?"

CLAIMS = {
    "max-unpooling": Claim(
        "Max unpooling sends {measured} more of four maxima back to where they stood than to other places.",
        source="arXiv:1511.00561",
    ),
    "unpooling-copy": Claim(
        "Copying each entry into its block puts values on {measured} places where no maximum stood: it is nearest-neighbour enlarging, "
        "not max unpooling.",
        source="arXiv:1311.2901 arXiv:1511.00561",
    ),
    "transposed-is-no-inverse": Claim(
        "There and back by a convolution from 7 × 7 to 3 × 3 and its transpose keeps {measured} of 49 directions.",
        source="arithmetic",
    ),
    "checkerboard-overlap": Claim(
        "With side 3 and stride 2, some inner pixels are reached {measured} times as often as others.",
        source=DISTILL,
    ),
    "checkerboard-even": Claim("With side 4 and stride 2, the factor is {measured}.", source=DISTILL),
    "checkerboard-artifacts": Claim(
        "Untrained generators of transposed convolutions, 3 × 3, have {measured} times their neighbours' energy at period two, or more.",
        source=DISTILL,
    ),
    "checkerboard-divisible": Claim(
        "With 4 × 4, which the stride divides, they have {measured} times as much, or more: even overlap is not even weight.",
        source="measured here",
    ),
    "checkerboard-cured": Claim(
        "Enlarging first and convolving then leaves at most {measured} times.", source=DISTILL
    ),
    "training-unlearns-it": Claim(
        "After the last step the strongest checkerboard of the generators with transposed convolutions is {measured} times its neighbours.",
        source="measured here",
    ),
    "ties-buy-little-in-the-end": Claim(
        "After the last step the largest of the three ways' errors is {measured} times the smallest (medians of five seeds).",
        source="measured here",
    ),
    "deconvolutional-network": Claim(
        "A mirrored net with copies redraws unseen digits from 16 numbers with {measured} of the mean digit's error.",
        source="doi:10.1109/iccv.2011.6126474",
    ),
    "switches-draw-better": Claim(
        "With switches the error is {measured} of that with copies.", source="measured here"
    ),
    "switches-draw-the-picture": Claim(
        "Given one digit's switches and another's code, the net's drawing has {measured} of the distance to the code's digit from the digit of "
        "the switches.",
        source="measured here",
    ),
}

BREAKS = {
    "max-unpooling": Break(
        "the switches are forgotten",
        old="MaxUnpooling2D(2)([pooled, switches])",
        new="MaxUnpooling2D(2)([pooled, ops.zeros_like(switches)])",
    ),
    "checkerboard-artifacts": Break(
        "the weights are tied",
        old='"transposed, 3 x 3": lambda maps, **o: layers.Conv2DTranspose(maps, 3, **TWICE, **o)',
        new='"transposed, 3 x 3": lambda maps, **o: ResizeConv2D(maps, 3, **o)',
    ),
    "checkerboard-divisible": Break(
        "the weights are tied",
        old='"transposed, 4 x 4": lambda maps, **o: layers.Conv2DTranspose(maps, 4, **TWICE, **o)',
        new='"transposed, 4 x 4": lambda maps, **o: ResizeConv2D(maps, 4, **o)',
    ),
    "checkerboard-cured": Break(
        "the weights are free",
        old='"enlarge, then 3 x 3": lambda maps, **o: ResizeConv2D(maps, 3, **o)',
        new='"enlarge, then 3 x 3": lambda maps, **o: layers.Conv2DTranspose(maps, 3, **TWICE, **o)',
    ),
    "training-unlearns-it": Break(
        "the nets are hardly trained",
        old="last = table[table.step == table.step.max()]",
        new="last = table[table.step == 10]",
    ),
    "ties-buy-little-in-the-end": Break(
        "the nets are hardly trained",
        old="last = table[table.step == table.step.max()]",
        new="last = table[table.step == 30]",
    ),
    "deconvolutional-network": Break(
        "the net draws the same for every digit",
        old="settled = mirrors[mirrors.epochs == mirrors.epochs.max()]",
        new='settled = mirrors.assign(test=rivals["the mean digit"])[mirrors.epochs == mirrors.epochs.max()]',
    ),
    "switches-draw-better": Break(
        "the nails take the place of the switches",
        old='settled.max()["switches"]',
        new='settled.max()["bed of nails"]',
    ),
    "switches-draw-the-picture": Break(
        "the switches come from the digit of the code",
        old="swapped = np.asarray(decoder([ops.take(numbers, other, axis=0), *where]))",
        new="swapped = np.asarray(decoder([ops.take(v, other, axis=0) for v in (numbers, *where)]))",
    ),
}


def _sizes(rng: np.random.Generator) -> Cases:
    yield "one pixel", (1, 3, 2, 0)
    yield "stride 1", (5, 3, 1, 1)
    yield "a kernel of one", (4, 1, 3, 0)
    yield "padding cut away", (7, 4, 2, 1)
    for _ in range(4):
        yield "drawn by lot", tuple(int(v) for v in rng.integers((2, 3, 1, 0), (30, 9, 5, 2)))


@solves(
    "stamped-size",
    title="Compute: how large does it become?",
    task="Write `stamped_size(n, k, s, p)`: the side of what a transposed convolution draws from a map of side `n`, with kernels of side `k` "
    "stamped `s` apart, when `p` pixels are cut away on each side. For example, `stamped_size(3, 3, 2, 0)` is 7.",
    hints=(
        "Where does the last of n stamps begin, and how far does it reach?",
        "Cutting p away on each side takes 2p off the whole.",
    ),
    inputs=_sizes,
)
def stamped_size(n: int, k: int, s: int, p: int) -> int:
    return (n - 1) * s + k - 2 * p


@stamped_size.mistake("That is the size of a convolution, from large to small; here the map grows.")
def _(n: int, k: int, s: int, p: int) -> int:
    return (n + 2 * p - k) // s + 1


@stamped_size.mistake("The last of n stamps begins n - 1 strides after the first.")
def _(n: int, k: int, s: int, p: int) -> int:
    return n * s + k - 2 * p


@stamped_size.mistake("Pixels are cut away on both sides.")
def _(n: int, k: int, s: int, p: int) -> int:
    return (n - 1) * s + k - p


@stamped_size.mistake("Here padding is cut away, as the convolution that goes the other way had added it.")
def _(n: int, k: int, s: int, p: int) -> int:
    return (n - 1) * s + k + 2 * p


@solves(
    "which-stripes",
    title="Predict, then check: stripes or none?",
    task="A map of ones on a line is stamped with the kernel `w`, `s` apart. Away from the ends, is the result the same everywhere? Assign "
    'to `prediction` a list of four words, `"even"` or `"stripes"`, for (1) `w = [1, 2, 1]`, s = 2; (2) `w = [1, 1, 1, 1, 1]`, s = 2; '
    "(3) `w = [1, -1, 2, 3, 1, 1]`, s = 3; (4) `w = [3, 1, 0, 2]`, s = 2. Then look at the figure of stamps, or compute.",
    hints=(
        "Which weights reach one pixel? Those that lie s apart in the kernel.",
        "Add up every s-th weight, once for each place to begin, and compare.",
    ),
    name="prediction",
)
def which_stripes() -> list[str]:
    return ["even", "stripes", "stripes", "even"]


which_stripes.wrong(
    ["stripes", "stripes", "even", "even"],
    "It looks as if you asked whether the stride divides the side. What counts is the sum of the weights that reach a pixel.",
)
which_stripes.wrong(
    ["even", "even", "stripes", "even"],
    "Five equal weights at stride 2: three reach one pixel, two the next.",
)
which_stripes.wrong(
    ["stripes", "stripes", "stripes", "even"], "Look at [1, 2, 1] again: the two ones meet on one pixel."
)
which_stripes.wrong(
    ["even", "stripes", "even", "even"], "In the third, add the weights 1 and 4, then 2 and 5, then 3 and 6."
)


def _signals(rng: np.random.Generator) -> Cases:
    yield "copies that overlap", (np.array([1.0, 10.0]), np.array([1.0, 2.0, 3.0]), 2)
    yield "a single entry", (np.array([2.0]), rng.normal(size=3), 2)
    yield "a kernel of one", (rng.normal(size=3), np.array([-2.0]), 2)
    yield "copies that lie apart", (rng.normal(size=3), rng.normal(size=2), 3)
    yield "stride 1", (rng.normal(size=6), rng.normal(size=3), 1)
    yield "whole numbers", (np.array([1, -2, 3]), np.array([2, 1]), 1)
    yield "a whole signal", (rng.normal(size=5), rng.normal(size=4), 2)


@solves(
    "paint",
    title="Build: a transposed convolution, by painting",
    task="Write `paint(x, w, s)` for a line: each entry of `x` adds its multiple of the whole kernel `w` to the "
    "result, the copies `s` apart. No padding. `paint(np.array([1, 2]), np.array([1, 1, 1]), 2)` is "
    "`[1, 1, 3, 2, 2]`.",
    hints=(
        "Where does the last copy begin, and where does it end? That is the length of the result.",
        "Add (`+=`); where copies overlap, both count.",
    ),
    inputs=_signals,
)
def paint(x: np.ndarray, w: np.ndarray, s: int) -> np.ndarray:
    y = np.zeros((len(x) - 1) * s + len(w))
    for i, value in enumerate(x):
        y[i * s : i * s + len(w)] += value * w
    return y


@paint.mistake("Copies overwrite one another here; where they overlap they must be added.")
def _(x: np.ndarray, w: np.ndarray, s: int) -> np.ndarray:
    y = np.zeros((len(x) - 1) * s + len(w))
    for i, value in enumerate(x):
        y[i * s : i * s + len(w)] = value * w
    return y


@paint.mistake("You turned the kernel. Painting needs no turn: a single 1 must give w itself.")
def _(x: np.ndarray, w: np.ndarray, s: int) -> np.ndarray:
    return paint(x, w[::-1], s)


@paint.mistake("Right, but too long: the last copy begins at (n - 1) s.")
def _(x: np.ndarray, w: np.ndarray, s: int) -> np.ndarray:
    y = np.zeros(len(x) * s + len(w))
    for i, value in enumerate(x):
        y[i * s : i * s + len(w)] += value * w
    return y


@solves(
    "even-is-not-enough",
    title="Break: a checkerboard in spite of the rule",
    task="Stride 2 divides a kernel of side 2, and every pixel is painted exactly once. Assign to "
    "`stamp` the 2 x 2 kernel that turns a map of ones into a perfect checkerboard of +1 and -1, with +1 in the top "
    "left corner.",
    hints=(
        "Each input pixel paints one block of 2 x 2. What should the block look like?",
        "A checkerboard is itself made of blocks of 2 x 2, all alike.",
    ),
    name="stamp",
)
def even_is_not_enough() -> np.ndarray:
    return np.array([[1, -1], [-1, 1]])


even_is_not_enough.wrong(np.array([[-1, 1], [1, -1]]), "A checkerboard, but with -1 in the top left corner.")
even_is_not_enough.wrong(np.array([[1, 0], [0, 1]]), "A pattern of 1 and 0; the task asks for +1 and -1.")
even_is_not_enough.wrong(
    np.array([[1, -1], [1, -1]]), "These are stripes: each row of the block is the same."
)
even_is_not_enough.wrong(
    np.array([[1, 1], [-1, -1]]), "These are stripes: each column of the block is the same."
)

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
        "After the last step the strongest checkerboard of ten generators with transposed convolutions, on pictures and their negatives, is "
        "{measured} times its neighbours.",
        source="measured here",
    ),
    "ties-buy-little-in-the-end": Claim(
        "After the last step the largest of the three ways' errors is {measured} times the smallest (medians of five seeds).",
        source="measured here",
    ),
    "deconvolutional-network": Claim(
        "After 240 rounds a mirrored net with copies redraws unseen digits from 16 numbers with {measured} of the mean digit's error at most.",
        source="doi:10.1109/iccv.2011.6126474",
    ),
    "switches-draw-better": Claim(
        "After 240 rounds the error with switches is {measured} of that with copies, the worst seed over the best.",
        source="measured here",
    ),
    "switches-draw-the-picture": Claim(
        "Given one digit's switches and another's code, a net's drawing is at most {measured} times as far from the digit of the switches as from "
        "that of the code.",
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
        "the nets are hardly trained",
        old="settled = mirrors[mirrors.epochs == mirrors.epochs.max()]",
        new="settled = mirrors[mirrors.epochs == mirrors.epochs.min()]",
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


def _kernels(rng: np.random.Generator) -> Cases:
    yield "the usual one", (3, 2)
    yield "stamps side by side", (4, 4)
    yield "stride 1", (5, 1)
    yield "a gap between stamps", (1, 3)
    for _ in range(4):
        yield "drawn by lot", tuple(int(v) for v in rng.integers((3, 1), (12, 5)))


@solves(
    "exactly-twice",
    title="Compute: how much is cut away?",
    task='Kernels of side `k` are stamped `s` pixels apart, one for each of n pixels on a line. Keras\'s `padding="same"` cuts the result until it '
    "is exactly s times as long as the map. Write `cut(k, s)`: how many pixels go, both ends together, whatever n is; below zero, if some must be "
    "added. For example, `cut(3, 2)` is 1.",
    hints=(
        "Where does the last of n stamps begin, and how far does it reach?",
        "Take s n from the length of the result; n must drop out.",
    ),
    inputs=_kernels,
)
def cut(k: int, s: int) -> int:
    return k - s


@cut.mistake("That is what a convolution adds in order to keep a map's size; here the stride counts too.")
def _(k: int, s: int) -> int:
    return k - 1


@cut.mistake("That is for one end; both ends together are asked for.")
def _(k: int, s: int) -> int:
    return (k - s) // 2


@cut.mistake("The other way round: this is what must be added.")
def _(k: int, s: int) -> int:
    return s - k


@cut.mistake("Where stamps lie apart, pixels are missing: then the number is below zero.")
def _(k: int, s: int) -> int:
    return max(0, k - s)


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


def _strides(rng: np.random.Generator) -> Cases:
    yield "stride 2", (2,)
    yield "stride 1: nothing is enlarged", (1,)
    yield "stride 3", (3,)
    yield "stride 5", (5,)
    yield "drawn by lot", (int(rng.integers(6, 12)),)


@solves(
    "straight-lines",
    title="Build: a kernel that draws straight lines",
    task="Linear interpolation, too, is a transposed convolution. Write `tent(s)`: the kernel of side 2 s - 1 that, stamped `s` apart, puts each number "
    "of a line into the middle of its stamp and joins neighbours by a straight line. For example, `tent(1)` is `[1]`.",
    hints=(
        "Stamp a single 1 among zeros: what does the line between neighbours look like?",
        "It rises from 0 to 1 in s equal steps, and falls again; the two zeros at the ends are left out.",
    ),
    inputs=_strides,
)
def tent(s: int) -> np.ndarray:
    return 1 - np.abs(np.arange(1 - s, s)) / s


@tent.mistake("Those are copies, cut off at the side: every number stays level and then jumps.")
def _(s: int) -> np.ndarray:
    return np.ones(2 * s - 1)


@tent.mistake("The right shape, but its sum is 1: on a map of ones the line would lie too low.")
def _(s: int) -> np.ndarray:
    return tent(s) / s


@tent.mistake("The zeros at both ends belong to the neighbours: the side is 2 s - 1.")
def _(s: int) -> np.ndarray:
    return 1 - np.abs(np.arange(-s, s + 1)) / s


@tent.mistake("It falls to 0 inside the stamp; the first number outside it must be the first 0.")
def _(s: int) -> np.ndarray:
    return 1 - np.abs(np.linspace(-1, 1, 2 * s - 1)) if s > 1 else np.ones(1)


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

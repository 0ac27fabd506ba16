"""Claims and exercises of chapter layers/convolution-variants."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

GUIDE, DISTILL = "arXiv:1603.07285", "doi:10.23915/distill.00003"
XCEPTION, MOBILENET = "arXiv:1610.02357", "arXiv:1704.04861"
DILATED, CONVNEXT2 = "arXiv:1511.07122", "arXiv:2301.00808"

QUESTION = "What can be left out of a convolution?"

CLAIMS = {
    "dsc-two-operations-list": Claim(
        "A separable convolution is two: depthwise, one k × k kernel for each channel; then pointwise, 1 × 1, "
        "which mixes the channels.",
        source=f"{XCEPTION} {MOBILENET}",
    ),
    "pointwise-1x1-conv": Claim(
        "A 1 × 1 convolution is a dense layer applied to every pixel: it mixes channels only.",
        source="arXiv:1512.00567",
    ),
    "depthwise-separable-conv": Claim(
        "SeparableConv2D is a depthwise convolution followed by a 1 × 1 convolution.", source=XCEPTION
    ),
    "grouped-conv": Claim(
        "A convolution in 4 groups is 4 small convolutions side by side.", source="arXiv:1611.05431"
    ),
    "grouped-weights": Claim("With 4 groups a kernel has a quarter of the weights.", source="arithmetic"),
    "depthwise-is-grouped": Claim(
        "With as many groups as channels, a grouped convolution is a depthwise one.", source=XCEPTION
    ),
    "dsc-param-formula": Claim(
        "A separable layer without bias has C k² + C C' weights, for any C, C' and k.", source=MOBILENET
    ),
    "dsc-nine-times": Claim(
        "From 256 to 256 channels with 3 × 3 kernels: 589,824 weights in full, 67,840 separable.",
        source=f"arithmetic; {MOBILENET}",
    ),
    "dsc-multiply-adds": Claim(
        "The multiply-adds fall by the same factor, 8.69: eight to nine times.", source=MOBILENET
    ),
    "dsc-accuracy-tradeoff": Claim(
        "On scattered digits the separable net of the same width loses more than a few points (median of 5 seeds).",
        source=f"measured here; on ImageNet one point, {MOBILENET}",
    ),
    "dsc-equal-cost": Claim(
        "A plain net made narrower until it costs no more is about as accurate as the separable one.",
        source="measured here",
    ),
    "separable-again": Claim(
        "Trained again, the full kernels are ahead of the separable ones.", source="measured here"
    ),
    "dilated-conv": Claim(
        "A dilated convolution is an ordinary one whose kernel has zeros between its taps.", source=DILATED
    ),
    "dilated-effective-kernel": Claim(
        "A kernel of side k at rate r covers k + (k − 1)(r − 1): measured for k = 3, 5 and r = 1 to 4.",
        source=DILATED,
    ),
    "dilation-2-5x5": Claim("A 3 × 3 kernel at rate 2 covers 5 × 5 with 9 taps.", source="arithmetic"),
    "dilation-4-size": Claim(
        "At rate 4 a 3 × 3 kernel covers 9 × 9; the 7 × 7 that is sometimes given belongs to rate 3.",
        source="arithmetic",
    ),
    "dilation-memory-claim": Claim(
        "Dilation changes neither weights nor multiply-adds: rates 1, 2 and 4 have one and the same cost.",
        source="arithmetic",
    ),
    "dilation-against-dense": Claim(
        "It saves against a full kernel of its width only: 9 weights in place of 25.", source="arithmetic"
    ),
    "dilated-constant-pixels": Claim(
        "Three layers read 49 pixels at rate 1, 49 at rate 2 throughout, and 169 at rates 1, 2, 3.",
        source=DILATED,
    ),
    "gridding-fields": Claim(
        "The fields of these stacks are 7, 13 and 13 wide: a constant rate leaves holes.", source="arithmetic"
    ),
    "exponential-dilation-stack": Claim(
        "Six layers with rates 1, 2, 4, ..., 32 see 2⁷ − 1 = 127 samples; undilated they see 13.",
        source="arXiv:1609.03499",
    ),
    "multi-dilation-layer": Claim(
        "A layer of mixed rates equals several dilated convolutions, joined.", source="arithmetic"
    ),
    "multi-dilation-reach": Claim("Its maps see 3, 5 and 9 pixels.", source="arithmetic"),
    "multi-dilation-cost": Claim(
        "It costs what an ordinary layer with as many maps costs.", source="arithmetic"
    ),
    "factorized-conv": Claim(
        "A 7 × 7 kernel that is an outer product equals a column of 7 followed by a row of 7.",
        source="arXiv:1512.00567",
    ),
    "factorized-weights": Claim("That is 14 weights in place of 49.", source="arithmetic"),
    "transposed-conv": Claim(
        "A transposed convolution multiplies by the transposed matrix of the convolution.", source=GUIDE
    ),
    "transposed-adjoint": Claim("⟨C x, y⟩ = ⟨x, Cᵀ y⟩ for random x and y.", source="arithmetic"),
    "transposed-is-no-inverse": Claim(
        "It is no inverse: CᵀC x is more than half of x's own length away from x.", source=GUIDE
    ),
    "checkerboard-overlap": Claim(
        "With k = 3 and stride 2, inner pixels are painted 1, 2 or 4 times.", source=DISTILL
    ),
    "checkerboard-even": Claim("With k = 4 and stride 2, all are painted 4 times.", source=DISTILL),
    "checkerboard-in-gradients": Claim(
        "A strided convolution sends its gradients back in the same pattern.", source=DISTILL
    ),
    "checkerboard-artifacts": Claim(
        "An untrained generator with transposed convolutions, k = 3, has 20 times its neighbours' energy at "
        "period two, or more.",
        source=DISTILL,
    ),
    "checkerboard-divisible": Claim(
        "With k = 4, which the stride divides, so has it: even overlap is not even weight.",
        source="measured here",
    ),
    "checkerboard-cured": Claim("Enlarging first and convolving then leaves no such peak.", source=DISTILL),
    "resize-is-transposed": Claim(
        "Enlarge by copies, then convolve: a transposed convolution whose kernel is blurred by a box.",
        source="arithmetic",
    ),
    "resize-phases-agree": Claim(
        "All four kinds of output pixel then get the same sum of weights.", source="arithmetic"
    ),
    "unpooling-copy": Claim(
        "Copying each entry into a block is nearest-neighbour enlarging, not max unpooling.",
        source="arXiv:1311.2901 arXiv:1511.00561",
    ),
    "max-unpooling": Claim(
        "Max unpooling puts each maximum back where it stood, and zeros elsewhere.", source="arXiv:1511.00561"
    ),
    "deconvolutional-network": Claim(
        "A mirrored net of unpooling and transposed convolutions redraws unseen digits from 16 numbers, with at "
        "most 0.7 of the mean digit's error.",
        source="doi:10.1109/iccv.2011.6126474",
    ),
    "switches-draw-better": Claim(
        "With switches the error is at most 0.7 of that with copies.", source="measured here"
    ),
    "switches-alone": Claim(
        "With one code for all digits and only their switches, the error is no larger than with copies and the "
        "right code.",
        source="measured here",
    ),
    "switches-draw-the-picture": Claim(
        "Given one digit's switches and another's code, the net draws the digit of the switches.",
        source="measured here",
    ),
    "strided-conv-downsampling": Claim(
        "On scattered digits max pooling stays ahead of both ways to replace it by a stride (medians of 5 seeds); "
        "on larger sets nothing is lost.",
        source="measured here; arXiv:1412.6806",
    ),
    "stride-in-the-kernel": Claim(
        "Where the convolution itself takes steps of two, three fifths of the multiply-adds remain.",
        source="arithmetic",
    ),
    "stride-overfits": Claim(
        "A further convolution with a stride is ahead of max pooling on the training digits, and behind on new ones.",
        source="measured here",
    ),
    "sparse-masked-conv": Claim(
        "Through three masked convolutions, with biases, hidden pixels stay exactly zero.", source=CONVNEXT2
    ),
    "ordinary-conv-leaks": Claim(
        "After three ordinary ones, at least nine in ten hidden pixels hold a value.", source="measured here"
    ),
    "masked-fills-in": Claim(
        "The masked encoder with response normalisation fills hidden pixels in better than the mean digit does.",
        source=CONVNEXT2,
    ),
    "masked-probe": Claim(
        "On 8 × 8 digits the learned features are read about as well as an untrained encoder's (within 10 points).",
        source="measured here",
    ),
}


def _layers(rng: np.random.Generator) -> Cases:
    yield "a middle layer", (5, 32, 64)
    yield "one map", (3, 8, 1)
    yield "one channel", (3, 1, 8)
    yield "kernels of one pixel", (1, 16, 16)
    for _ in range(4):
        yield "drawn by lot", tuple(int(number) for number in rng.integers((2, 2, 2), (9, 99, 99)))


@solves(
    "separable-saving",
    title="Compute: what does separating save?",
    task="Write `saving(k, c, maps)`: how many times fewer weights a separable layer has than a full one, "
    "without biases, for kernels of side `k` from `c` to `maps` channels. For example, "
    "`saving(3, 256, 256)` is 589,824 / 67,840, about 8.69.",
    hints=(
        "Count the two steps of the separable layer one by one: which numbers does each of them need?",
        "Depthwise: k² for each of c channels. Pointwise: c for each of the maps.",
    ),
    inputs=_layers,
)
def saving(k: int, c: int, maps: int) -> float:
    return k**2 * c * maps / (k**2 * c + c * maps)


@saving.mistake("That is the limit for very many maps; it is never reached.")
def _(k: int, c: int, maps: int) -> int:
    return k**2


@saving.mistake("Depthwise has one kernel for each input channel, whatever the number of maps.")
def _(k: int, c: int, maps: int) -> float:
    return k**2 * c * maps / (k**2 * c * maps + c * maps)


@saving.mistake("Upside down: this is the share that is left.")
def _(k: int, c: int, maps: int) -> float:
    return (k**2 * c + c * maps) / (k**2 * c * maps)


@saving.mistake("Each of the c channels has a little kernel of its own.")
def _(k: int, c: int, maps: int) -> float:
    return k**2 * c * maps / (k**2 + c * maps)


@solves(
    "holes",
    title="Predict, then check: which stacks have holes?",
    task="Three layers with kernels of 3 and no pooling. For each of these rates, is every pixel inside the "
    'field read? Assign to `prediction` a list of four words, `"all"` or `"holes"`, for the rates '
    "(1, 2, 4), (2, 4, 8), (1, 3, 9) and (1, 4, 4). Then look: `paths((1, 3, 9), side=41)`.",
    hints=(
        "A pixel is read if its distance is a sum of one of {-r, 0, r} for each rate r.",
        "Three layers have 27 paths along a line. How wide may the field be at most, if all is read?",
    ),
    name="prediction",
)
def holes() -> list[str]:
    return ["all", "holes", "all", "holes"]


holes.wrong(
    ["all", "all", "all", "holes"],
    "The rates 2, 4, 8 double, and yet all are even: can an odd distance be a sum of them?",
)
holes.wrong(
    ["all", "holes", "holes", "holes"],
    "Look at 1, 3, 9 again: which whole numbers can you weigh with -1, 0 or 1 of each?",
)
holes.wrong(["all", "holes", "all", "all"], "With 1, 4, 4: which distances lie between 1 and 3?")
holes.wrong(
    ["holes", "holes", "holes", "holes"],
    "The doubling that starts at 1 is what WaveNet uses, and it reads everything. Try distance 3 = 4 - 1.",
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

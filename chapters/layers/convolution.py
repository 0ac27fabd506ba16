"""Claims and exercises of chapter layers/convolution."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

LECUN, HERE = "doi:10.1162/neco.1989.1.4.541", "measured here"
DEEPFACE = "doi:10.1109/CVPR.2014.220"

QUESTION = "What is assumed when one small kernel serves everywhere?"

CLAIMS = {
    "weight-sharing-fewer-params": Claim(
        "From 32 × 32 × 3 to 30 × 30 × 8 a dense layer has {measured} times as many parameters as a convolution.",
        source="arithmetic",
    ),
    "tile-25-neurons": Claim(
        "A shared tile of 5 × 5 has {measured} parameters: 25 weights and a bias, not 25 neurons.",
        source="arithmetic",
    ),
    "equivariant-is-shared": Claim(
        "Of the 144 weights of a linear layer on a ring of twelve pixels, {measured} different ones are left when it is to move with the picture.",
        source="arXiv:1802.03690",
    ),
    "stride-integrality": Claim(
        "A 3 × 3 kernel with stride 2 leaves {measured} of the 64 pixels of an 8 × 8 image unseen: the last row and column.",
        source="arithmetic",
    ),
    "sharing-under-a-maximum": Claim("Where a digit may lie at 25 places, {measured}.", source=HERE),
    "sharing-under-a-dense-head": Claim("Where a digit may lie at 25 places, {measured}.", source=HERE),
    "sharing-needs-movement": Claim("Where every digit lies in the middle, {measured}.", source=HERE),
    "sharing-smaller-datasets": Claim(
        "Where a digit may lie at 25 places: what a convolution under a maximum reads after 600 digits, less what a dense layer "
        "reads after 2,400, is {measured} points (means of five seeds, all settled).",
        source=HERE,
    ),
    "pixel-permutation-mlp": Claim("Where every digit lies in the middle, {measured}.", source=HERE),
    "permuted-below-dense": Claim("Where every digit lies in the middle, {measured}.", source=HERE),
    "sharing-cannot-tell-place": Claim(
        "Of faces whose mouth is to be read, a convolution under a global maximum reads a share of {measured}: it cannot tell mouth "
        "from brow, and is right where the two agree and half of the time where they do not.",
        source="arithmetic",
    ),
    "locally-connected-layer": Claim("On aligned faces, {measured}.", source=DEEPFACE),
    "head-keeps-the-place": Claim("On aligned faces, {measured}.", source=HERE),
}

BREAKS = {
    "equivariant-is-shared": Break(
        "the layer may treat each place as it likes",
        old='len(set(matrices["equivariant"].ravel()',
        new='len(set(matrices["dense"].ravel()',
    ),
    "sharing-under-a-maximum": Break(
        "no digit moves",
        old='moved.lead("convolution + maximum", over="local + maximum")',
        new='centred.lead("convolution + maximum", over="local + maximum")',
    ),
    "sharing-under-a-dense-head": Break(
        "the head forgets the place",
        old='moved.lead("convolution + dense head", over="local + dense head")',
        new='moved.lead("convolution + maximum", over="local + maximum")',
    ),
    "sharing-needs-movement": Break(
        "the digits move",
        old='centred.lead("convolution + maximum", over="local + maximum")',
        new='moved.lead("convolution + maximum", over="local + maximum")',
    ),
    "sharing-smaller-datasets": Break(
        "the kernels are not shared",
        old='("convolution + maximum", 600, moved)):\n    rows = race.verdict_rows(name)',
        new='("convolution + maximum", 600, moved)):\n    rows = race.verdict_rows(name.replace("convolution", "local"))',
    ),
    "pixel-permutation-mlp": Break(
        "the rival's pixels keep their order",
        old='over="convolution + maximum, permuted"), at_least=0.05',
        new='over="local + maximum"), at_least=0.05',
    ),
    "permuted-below-dense": Break(
        "the convolution's pixels keep their order",
        old='centred.lead("dense", over="convolution + maximum, permuted")',
        new='centred.lead("dense", over="convolution + maximum")',
    ),
    "sharing-cannot-tell-place": Break(
        "every place has a kernel of its own",
        old='placed.verdict_rows("convolution + maximum")',
        new='placed.verdict_rows("local + maximum")',
    ),
    "locally-connected-layer": Break(
        "the convolution's head knows the place",
        old='placed.lead("local + maximum", over="convolution + maximum")',
        new='placed.lead("local + maximum", over="convolution + dense head")',
    ),
    "head-keeps-the-place": Break(
        "the rival's kernels know the place",
        old='placed.lead("convolution + dense head", over="convolution + maximum")',
        new='placed.lead("convolution + dense head", over="local + maximum")',
    ),
}


def _sides_of_maps(rng: np.random.Generator) -> Cases:
    yield "stride 1", (24, 5, 1, 0)
    yield "the example", (3, 3, 2, 0)
    yield "padding", (28, 5, 1, 2)
    yield "stride and padding", (16, 3, 2, 1)
    yield "a single place", (1, 4, 3, 0)
    yield "a kernel of one pixel", (5, 1, 4, 0)
    yield "AlexNet's first layer", (55, 11, 4, 0)
    for _ in range(4):
        o, k, s, p = (int(number) for number in rng.integers((6, 4, 2, 1), (30, 8, 6, 4)))
        yield "drawn by lot", (o, k, s, p)


@solves(
    "image-sides",
    title="Compute: which images give this map?",
    task="The formula leads from an image to its map. Go back: write `image_sides(o, k, s, p)`, the smallest and the largest "
    "side of an image on which a kernel of side `k` with stride `s` and `p` zeros on *each* side finds just `o` places. "
    "For example, `image_sides(3, 3, 2, 0)` is `(7, 8)`.",
    hints=(
        "Let the last window end with the last pixel: how long is the padded side then?",
        "How many pixels can you add at the end before another window fits?",
    ),
    inputs=_sides_of_maps,
)
def image_sides(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    smallest = (o - 1) * s + k - 2 * p
    return smallest, smallest + s - 1


@image_sides.mistake("you took the padding off once; it was added on both sides.")
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return (o - 1) * s + k - p, (o - 1) * s + k - p + s - 1


@image_sides.mistake(
    "the smallest is right; a stride above 1 leaves room at the end that no further window can use."
)
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return (o - 1) * s + k - 2 * p, (o - 1) * s + k - 2 * p


@image_sides.mistake("your largest image has room for one more window.")
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return (o - 1) * s + k - 2 * p, o * s + k - 2 * p


@image_sides.mistake("between o places there are o - 1 steps.")
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return o * s + k - 2 * p, o * s + k - 2 * p + s - 1


@image_sides.mistake(
    "padding gives the window more room: the same map then needs a smaller image, not a larger one."
)
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return (o - 1) * s + k + 2 * p, (o - 1) * s + k + 2 * p + s - 1


@image_sides.mistake("give the smallest first.")
def _(o: int, k: int, s: int, p: int) -> tuple[int, int]:
    return image_sides(o, k, s, p)[::-1]


@solves(
    "which-way",
    title="Predict: which way does it move?",
    task="A `Conv2D` with “same” padding has the kernel "
    '`[[0, 0, 0], [0, 0, 1], [0, 0, 0]]`. Predict where the picture goes: `"left"`, `"right"`, `"up"` or '
    '`"down"`. Then try it, in the live figure or in code.',
    hints=(
        "Write the formula for this kernel: y[i, j] is which x?",
        "Each pixel of the result takes over what its neighbour has. If everybody copies the one in front, where does "
        "the whole row seem to go?",
    ),
)
def which_way() -> str:
    return "left"


which_way.wrong(
    "right",
    "that is what a true convolution would do. Conv2D does not turn its kernel: from which neighbour "
    "does each pixel take its value?",
)
which_way.wrong("up", "the 1 stands in the middle row, so no row changes.")
which_way.wrong("down", "rows stay where they are, for the 1 stands in the middle row; look at its column.")


def _matrices(rng: np.random.Generator) -> Cases:
    x, w = rng.normal(size=(8, 7)), rng.normal(size=(3, 3))
    yield "stride 1, no padding", (x, w)
    yield "stride 2", (x, w, 2)
    yield "padding 1", (x, w, 1, 1)
    yield "stride 2, padding 1", (x, w, 2, 1)
    yield "a stride larger than the kernel", (rng.normal(size=(6, 9)), rng.normal(size=(2, 2)), 3, 2)
    yield "a kernel of one pixel", (rng.normal(size=(3, 4)), np.array([[2.0]]), 2, 1)
    yield "a kernel as large as the picture", (rng.normal(size=(3, 3)), w)
    yield "whole numbers", (rng.integers(0, 9, (5, 6)), rng.integers(-2, 3, (3, 3)), 2, 1)


@solves(
    "strided-correlation",
    title="Build: stride and padding",
    task="Extend `correlate` from above: write `strided(x, w, s, p)` for a matrix `x` and a square kernel `w`, with "
    "stride `s` and `p` zeros on each side. Do not change `x`.",
    hints=(
        "`np.pad(x, p)` puts p zeros on each side.",
        "The window of output (i, j) starts at (i s, j s).",
    ),
    inputs=_matrices,
)
def strided(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    x, k = np.pad(x, p), len(w)
    rows, columns = (x.shape[0] - k) // s + 1, (x.shape[1] - k) // s + 1
    return np.array(
        [[np.sum(x[i * s : i * s + k, j * s : j * s + k] * w) for j in range(columns)] for i in range(rows)]
    )


@strided.mistake("your kernel is turned: that is true convolution, and layers do not turn theirs.")
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    return strided(x, w[::-1, ::-1], s, p)


@strided.mistake(
    "the size is right, but your windows still start one pixel apart: multiply i and j by the stride."
)
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    x, k = np.pad(x, p), len(w)
    rows, columns = (x.shape[0] - k) // s + 1, (x.shape[1] - k) // s + 1
    return np.array([[np.sum(x[i : i + k, j : j + k] * w) for j in range(columns)] for i in range(rows)])


@strided.mistake("the zeros stand on top and on the left only; add them on all four sides.")
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    return strided(np.pad(x, ((p, 0), (p, 0))), w, s)


def _sides(rng: np.random.Generator) -> Cases:
    yield "windows that end with the side", (7, 3, 2)
    yield "a remainder at the end", (10, 3, 3)
    yield "a kernel of one pixel", (9, 1, 2)
    yield "a stride larger than the kernel", (12, 3, 5)
    yield "a kernel as large as the side", (6, 6, 2)
    yield "a kernel larger than the side", (4, 5, 1)
    yield "AlexNet's first layer", (224, 11, 4)
    for _ in range(5):
        n, k, s = (int(number) for number in rng.integers((8, 2, 1), (40, 7, 9)))
        yield "drawn by lot", (n, k, s)


@solves(
    "blind-pixels",
    title="Break: pixels that nobody sees",
    task="Any picture can be changed in secret where no window falls. Write `blind(n, k, s)`: how many of the `n` "
    "pixels along one side are seen by no window of side `k` with stride `s` and no padding. For example, "
    "`blind(8, 3, 2)` is 1.",
    hints=(
        "At the end, what the floor of the size formula drops is lost.",
        "And if the stride is larger than the kernel?",
    ),
    inputs=_sides,
)
def blind(n: int, k: int, s: int) -> int:
    seen = {start + i for start in range(0, n - k + 1, s) for i in range(k)}
    return n - len(seen)


@blind.mistake(
    "right at the end of the side; but a stride larger than the kernel also leaves gaps between the windows."
)
def _(n: int, k: int, s: int) -> int:
    return (n - k) % s


@blind.mistake("windows that overlap see some pixels twice; count pixels, not visits.")
def _(n: int, k: int, s: int) -> int:
    return n - k * ((n - k) // s + 1)


@blind.mistake("you took one pixel off for each window; a window sees k of them.")
def _(n: int, k: int, s: int) -> int:
    return n - ((n - k) // s + 1)


blind.equivalent(
    "seen = {start - i for start in range(0, n - k + 1, s) for i in range(k)}",
    "Windows that reach to the left of their start overlap as those to the right do: as many pixels are seen.",
)

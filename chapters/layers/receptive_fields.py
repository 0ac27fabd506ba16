"""Claims and exercises of chapter layers/receptive-fields."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

ARAUJO, LUO, VGG, HERE = "doi:10.23915/distill.00021", "arXiv:1701.04128", "arXiv:1409.1556", "measured here"

QUESTION = "How far does a unit see?"

CLAIMS = {
    "rf-definition": Claim(
        "Of 169 pixels, {measured} move the middle unit of one 3 × 3 layer, of two, of one 5 × 5 layer, and of a dense one.",
        source=ARAUJO,
        ledger=("rf-first-layer",),
    ),
    "rf-formula": Claim(
        "In {measured} of thirteen stacks gradients reach as far as the sum says: L(F − 1) + 1 pixels a side for L = 1 to 6 layers of side F = 3 or 5, "
        "and twice the growth after a stride of 2.",
        source=ARAUJO,
        ledger=("rf-grows-with-depth", "rf-stride-doubling"),
    ),
    "fields-of-four-nets": Claim(
        "A unit of the last map of VGG16, ResNet-50, MobileNet and Inception v3 has a field of {measured} pixels a side.",
        source=ARAUJO,
    ),
    "effective-rf-gaussian": Claim(
        "At 20 layers a Gaussian leaves {measured} times as much of the influence unexplained as the better of a triangle and a "
        "raised cosine, each at its best width.",
        source=LUO,
    ),
    "effective-rf-at-40": Claim(
        "At 40 layers 95 % of the influence lie within {measured} % of the field's side; a random walk gives that number.",
        source=LUO,
    ),
    "more-layers-not-more-context": Claim(
        "From 5 to 40 layers the spread of the influence grows like the power {measured} of the depth; the field grows like the power 1.",
        source=LUO,
    ),
    "training-moves-the-field": Claim(
        "Trained to tell the pixel four columns to its left, the influence on a unit of eight layers lies {measured} columns to its left, on average.",
        source=HERE,
    ),
    "training-widens-the-field": Claim(
        "Trained to tell which value most of thirteen pixels around it have, it spreads over {measured} times the columns that it had before training.",
        source=HERE,
    ),
    "training-narrows-the-field": Claim(
        "Trained to tell the pixel under it, it spreads over {measured} times the columns that it had before training.",
        source=HERE,
    ),
    "the-rim-is-learned-late": Claim(
        "After 260 steps at a rate of 0.003 the worst of five nets asked for the pixel six columns away reads a share of {measured} more than the best of five "
        "asked for the pixel eight columns away, on the rim.",
        source=HERE,
    ),
    "rf-dense-prediction": Claim(
        "Of a pixel eight columns away the worst of five stacks of four layers dilated by 1, 2, 4 and 8 reads a share of {measured} more than the best of "
        "five plain ones with as many weights, whose field ends before it.",
        source="measured here, with the dilation of arXiv:1511.07122",
    ),
    "two-3x3-equals-5x5": Claim(
        "Two 3 × 3 layers and one 5 × 5 see so many pixels a side, at this ratio of weights: {measured}.",
        source=VGG,
    ),
    "two-kernels-are-no-gain": Claim("Digits of 12 × 12 pixels: {measured}.", source=HERE),
}

BREAKS = {
    "effective-rf-gaussian": Break(
        "the stack has two layers",
        old="gauss_20, *others_20 = misfits[20]",
        new="gauss_20, *others_20 = misfits[2]",
    ),
    "effective-rf-at-40": Break(
        "no weight is negative",
        old="kernel.assign(rng.normal(size=kernel.shape) *",
        new="kernel.assign(np.abs(rng.normal(size=kernel.shape)) / 9 *",
    ),
    "more-layers-not-more-context": Break(
        "each pixel that reaches the unit counts alike, by however few ways",
        old="squared = slope(images)[..., 0] ** 2",
        new="squared = slope(images)[..., 0] != 0",
    ),
    "training-moves-the-field": Break(
        "the nets have not been trained",
        old='for when in ("after", "before"))',
        new='for when in ("before", "before"))',
    ),
    "training-widens-the-field": Break(
        "the net is asked for one pixel",
        old='wide, narrow = "most of 13 around it"',
        new='wide, narrow = "the pixel under it"',
    ),
    "training-narrows-the-field": Break(
        "the net is asked for most of thirteen pixels",
        old='wide, narrow = "most of 13 around it", "the pixel under it"',
        new='wide, narrow = "most of 13 around it", "most of 13 around it"',
    ),
    "the-rim-is-learned-late": Break(
        "the kernels lean to the left at the start, so that many ways lead to the rim",
        old="shares(eight, 8).max()",
        new="shares(leaning, 8).max()",
    ),
    "rf-dense-prediction": Break(
        "the pixel lies inside the field of the plain layers, two columns away",
        old='shares("4 plain layers", 8).max()',
        new='shares("4 plain layers", 2).max()',
    ),
    "two-kernels-are-no-gain": Break(
        "the rival has no kernels at all",
        old='kernels.lead(pair, over="one 5 x 5")',
        new='kernels.lead(pair, over="nearest neighbour")',
    ),
}


def _stacks(rng: np.random.Generator) -> Cases:
    yield "one layer", ([(3, 1, 1)],)
    yield "the example", ([(3, 2, 1), (3, 1, 1)],)
    yield "pooling between", ([(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)],)
    yield "dilated", ([(3, 1, 1), (3, 1, 2), (3, 1, 4)],)
    yield "a dilated layer under a stride", ([(3, 1, 3), (3, 2, 2), (5, 3, 2)],)
    yield "kernels of one", ([(7, 2, 1), (3, 2, 1), (3, 1, 2), (3, 2, 1), (1, 1, 1)],)
    yield "the first layers of AlexNet", ([(11, 4, 1), (3, 2, 1), (5, 1, 1)],)
    yield "drawn", ([tuple(int(n) for n in rng.integers(1, (6, 4, 4))) for _ in range(4)],)


@solves(
    "from-the-top",
    title="Compute: the field from the top",
    task="The recursion above carries two numbers up from the picture. Walk the other way, from the unit down, "
    "and one number is enough: how many units in a row of the layer below are needed? Write "
    "`from_the_top(layers)`, "
    "each layer `(kernel, stride, dilation)`, the first one next to the picture. "
    "`from_the_top([(3, 2, 1), (3, 1, 1)])` is 7.",
    hints=(
        "One unit needs d (k - 1) + 1 places of the layer below, from the first that it reads to the last.",
        "r units in a row: their windows begin s places apart, so the last begins (r - 1) s after the first.",
    ),
    inputs=_stacks,
)
def from_the_top(layers: list[tuple[int, int, int]]) -> int:
    r = 1
    for k, s, d in reversed(layers):
        r = (r - 1) * s + d * (k - 1) + 1
    return r


@from_the_top.mistake(
    "the step is right, the direction is not: the unit sits on top, so the last layer comes first."
)
def _(layers: list[tuple[int, int, int]]) -> int:
    r = 1
    for k, s, d in layers:
        r = (r - 1) * s + d * (k - 1) + 1
    return r


@from_the_top.mistake("r windows have r - 1 steps between their beginnings, not r.")
def _(layers: list[tuple[int, int, int]]) -> int:
    r = 1
    for k, s, d in reversed(layers):
        r = r * s + d * (k - 1)
    return r


@from_the_top.mistake("right without dilation: a dilated kernel reaches over d (k - 1) + 1 places.")
def _(layers: list[tuple[int, int, int]]) -> int:
    r = 1
    for k, s, _ in reversed(layers):
        r = (r - 1) * s + k
    return r


@from_the_top.mistake("you left the strides out: neighbouring units look s places apart.")
def _(layers: list[tuple[int, int, int]]) -> int:
    r = 1
    for k, _, d in reversed(layers):
        r = r + d * (k - 1)
    return r


@solves(
    "deep-enough",
    title="Predict, then check: how deep must it be?",
    task="3 × 3 layers without stride, and a picture of 224 pixels a side. How many layers are needed until (1) the field, (2) four "
    "standard deviations of the effective field of a random net, by the square-root rule of this page, are at least 224 pixels? "
    "First guess the second number: is it twice the first, four times, ten times? Then compute, and assign a list of both to `prediction`.",
    hints=(
        "Each layer adds two pixels to the field. How many must be added to the first one?",
        "The square of the spread is 2L/3. Write down what 4 times the spread has to be, and square it.",
    ),
    name="prediction",
)
def deep_enough() -> list[int]:
    return [112, 4704]


deep_enough.wrong([111, 4704], "nearly: put your first number into L(F - 1) + 1 and compare.")
deep_enough.wrong(
    [112, 112], "four standard deviations of 112 layers are some 35 pixels: the root grows slowly."
)
deep_enough.wrong([75, 4704], "layers do not tile the picture, they overlap: each adds 2 pixels, not 3.")
deep_enough.wrong(
    [8, 4704], "sides double only with strides; without them the field grows by 2 for each layer."
)
deep_enough.wrong([112, 4703], "nearly: your second number is one layer short; put it into the rule.")
deep_enough.wrong([112, 4705], "nearly: is there a smaller second number that reaches 224 already?")
deep_enough.wrong(
    [112, 1176], "four of its spreads are 112 pixels, half of the picture; the two halves are in the four."
)
deep_enough.wrong([112, 3136], "the spread is the root of 2L/3, not of L.")
deep_enough.wrong(
    [112, 75264], "four standard deviations, so two on either side of the middle: 224 = 4 spreads, not one."
)


def _units(rng: np.random.Generator) -> Cases:
    yield "the example", ([(3, 1, 1)], 0)
    yield "no padding", ([(3, 1, 0), (3, 1, 0)], 4)
    yield "a stride below", ([(5, 2, 2), (3, 1, 1)], 3)
    yield "a stride in each of two layers", ([(3, 1, 0), (2, 2, 0), (3, 2, 1)], 5)
    yield "the start of a ResNet", ([(7, 2, 3), (3, 2, 1), (3, 1, 1)], 10)
    yield "drawn", ([tuple(int(n) for n in rng.integers((1, 1, 0), (6, 4, 3))) for _ in range(3)], 6)


@solves(
    "window-of-a-unit",
    title="Build: where does it look?",
    task="Write `seen_by(layers, unit)`: first and last pixel that unit number `unit` of the last layer sees, along "
    "one side, as a pair. Each layer is `(kernel, stride, padding)`; a pixel in the padding before the "
    "picture has "
    "a negative number. `seen_by([(3, 1, 1)], 0)` is `(-1, 1)`.",
    hints=(
        "Go backwards, from the unit to the picture: unit i of a layer sees which units of the one below?",
        "Unit i sees i s - p up to i s - p + k - 1. Now do the same to both ends.",
    ),
    inputs=_units,
)
def seen_by(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k - 1
    return first, last


@seen_by.mistake("you walked from the picture upwards; the unit is on top, so begin with the last layer.")
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in layers:
        first, last = first * s - p, last * s - p + k - 1
    return first, last


@seen_by.mistake(
    "the windows have the right width and lie too far right: the padding moves each window back by p."
)
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, _ in reversed(layers):
        first, last = first * s, last * s + k - 1
    return first, last


@seen_by.mistake("pixels in the padding count too: they have negative numbers, which you cut off.")
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k - 1
    return max(first, 0), last


@seen_by.mistake("one too far: a window of k that begins at a ends at a + k - 1.")
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k
    return first, last


def _dilations(rng: np.random.Generator) -> Cases:
    yield "doubling", ([1, 2, 4],)
    yield "twice the same", ([2, 2],)
    yield "three times the same", ([2, 2, 2],)
    yield "threefold each time", ([1, 3, 9],)
    yield "the small one last", ([3, 3, 1],)
    yield "doubling from two", ([2, 4, 8],)
    yield "one layer", ([5],)
    yield "a step too large", ([1, 2, 5],)
    yield "drawn", (rng.integers(1, 7, size=3).tolist(),)


@solves(
    "blind-spots",
    title="Break: holes in the field",
    task="Dilated layers may leave holes. Write `holes(dilations)`: for a stack of kernels of side 3 with these "
    "dilations (no stride), how many pixels in one row of the receptive field cannot reach the unit? "
    "`holes([1, 2, 4])` is 0 and `holes([2, 2])` is 4. Then look at the same stacks in the live figure.",
    hints=(
        "Start with the set of places {0}. A kernel of dilation d adds the places d to the left and to the right.",
        "The side of the field counts from the first to the last place, holes and all.",
    ),
    inputs=_dilations,
)
def holes(dilations: list[int]) -> int:
    seen = {0}
    for d in dilations:
        seen = {place + step for place in seen for step in (-d, 0, d)}
    return max(seen) - min(seen) + 1 - len(seen)


@holes.mistake("several ways may lead to the same pixel: count places, not ways.")
def _(dilations: list[int]) -> int:
    return 2 * sum(dilations) + 1 - 3 ** len(dilations)


@holes.mistake(
    "true of one layer and of equal dilations only: different dilations combine to more places than that."
)
def _(dilations: list[int]) -> int:
    return 2 * sum(dilations) + 1 - (2 * len(dilations) + 1)


@holes.mistake("these are the pixels that do reach the unit; the task asks for the others.")
def _(dilations: list[int]) -> int:
    seen = {0}
    for d in dilations:
        seen = {p + s for p in seen for s in (-d, 0, d)}
    return len(seen)


for _first in ("seen = {1}", "seen = {-1}"):
    holes.equivalent(
        _first, "Where the set starts moves all places alike, and the holes between them stay as many."
    )
holes.equivalent(
    "seen = {place - step for place in seen for step in (-d, 0, d)}",
    "The steps are the same to the left as to the right.",
)

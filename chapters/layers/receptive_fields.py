"""Claims and exercises of chapter layers/receptive-fields."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

ARAUJO, LUO, ZHANG = "doi:10.23915/distill.00021", "arXiv:1701.04128", "arXiv:1904.11486"
AZULAY, ISLAM, MOUTON = "arXiv:1805.12177", "arXiv:2001.08248, arXiv:2003.07064", "arXiv:2103.10097"

QUESTION = "How far does a unit see, and what happens when the picture moves?"

CLAIMS = {
    "rf-definition": Claim(
        "Of 169 pixels, so many move a unit of a 5 × 5 convolution, and a dense unit.",
        source=ARAUJO,
    ),
    "rf-first-layer": Claim(
        "A unit of the first 3 × 3 layer sees 3 pixels a side, one of the second sees 5.", source="arithmetic"
    ),
    "rf-formula": Claim(
        "L layers of kernel side F without stride see L(F − 1) + 1 pixels, exactly; cases measured, L = 1 .. 6, F = 3 and 5.",
        source=ARAUJO,
    ),
    "rf-grows-with-depth": Claim(
        "Each layer of a small net sees further than the one before; sides by gradient.", source=ARAUJO
    ),
    "rf-stride-doubling": Claim(
        "After a layer with stride 2 every further layer adds twice as much to the field.", source=ARAUJO
    ),
    "field-of-resnet50": Claim("The last map of ResNet-50 has a field of 483 pixels a side.", source=ARAUJO),
    "field-of-vgg16": Claim("The last map of VGG16 has a field of 212 pixels a side.", source=ARAUJO),
    "field-of-mobilenet": Claim("The last map of MobileNet has a field of 315 pixels a side.", source=ARAUJO),
    "field-of-inception-v3": Claim(
        "The last map of Inception v3 has a field of 1,311 pixels a side.", source=ARAUJO
    ),
    "fields-by-gradient": Claim(
        "Arithmetic and gradient draw the same window for a net with branches, pooling, dilation and upsampling.",
        source=ARAUJO,
    ),
    "effective-rf-gaussian": Claim(
        "In random nets of 20 layers the influence of pixels follows a Gaussian curve: variance explained, in %.",
        source=LUO,
    ),
    "effective-rf-fraction": Claim(
        "The part of the field's side that holds 95 % of the influence falls with every doubling of the depth: the "
        "largest ratio of one depth's to the last one's.",
        source=LUO,
    ),
    "effective-rf-at-40": Claim(
        "At 40 layers, 95 % of the influence lie within less than half of the field's side: how much, in %.",
        source=LUO,
    ),
    "more-layers-not-more-context": Claim(
        "The width of the effective field grows like a power of depth near 1/2; the field itself like power 1.",
        source=LUO,
    ),
    "two-3x3-equals-5x5": Claim(
        "Two 3 × 3 layers see 5 pixels a side, as one 5 × 5 does, with 18/25 of its weights.",
        source="arXiv:1409.1556",
    ),
    "two-3x3-reads-as-well": Claim(
        "On small digits, two 3 × 3 read as well as one 5 × 5: difference of medians over 5 seeds, in points.",
        source="this page",
    ),
    "rf-dense-prediction": Claim(
        "When a label depends on a cue 20 pixels away, a net with a field of 63 finds it: pixels of bars given the right class, in %.",
        source="arXiv:1606.00915, arXiv:1612.01105",
    ),
    "small-field-finds": Claim(
        "A net of the same weights with a field of 11 finds the bars as well: pixels of bars not called empty, in %.",
        source="this page",
    ),
    "small-field-guesses": Claim(
        "But between the two classes it can but guess: pixels of bars given the right class, in %.",
        source="arithmetic",
    ),
    "translation-equivariance": Claim(
        "On a torus, the map of a moved picture is the moved map, to machine precision.", source="arithmetic"
    ),
    "stride1-equivariant": Claim("The same holds of pooling, as long as no place is skipped.", source=AZULAY),
    "strides-break-equivariance": Claim(
        "With stride 2 it holds for even shifts only: error of an odd shift, in % of the largest value.",
        source=AZULAY,
    ),
    "equivariance-border-caveat": Claim(
        "With zero padding the maps differ at the border, by so many % of the largest value.", source=ISLAM
    ),
    "zeros-tell-the-place": Claim(
        "From noise and random weights a linear reader tells how far a pixel is from the border: variance explained, "
        "zero padding, in %.",
        source=ISLAM,
    ),
    "torus-hides-the-place": Claim(
        "The same reader learns nothing with circular padding: variance explained on new pictures, in %.",
        source=ISLAM,
    ),
    "aliasing-nyquist": Claim(
        "Stripes of 0.4 cycles per pixel come out of stride 2 as stripes of 0.2 cycles per new pixel.",
        source="sampling theorem",
    ),
    "blur-removes-the-alias": Claim(
        "A binomial blur of side 3 leaves cos²(π f) of stripes of frequency f: at 0.4, in %.",
        source=ZHANG,
    ),
    "cnns-dont-learn-antialias": Claim(
        "Trained kernels in front of a stride hold 75 % of their energy above the new Nyquist frequency, as a flat "
        "spectrum would.",
        source="arithmetic; arXiv:2102.07757 for large networks",
    ),
    "binomial-is-low-pass": Claim("The binomial blur of side 3 holds far less there, in %.", source=ZHANG),
    "cnn-not-invariant": Claim(
        "A strided net with global average pooling, trained on centred digits, is of one mind about two shifts of up "
        "to 4 pixels in less than half the cases, in %.",
        source=f"{AZULAY}, {ZHANG}",
    ),
    "fc-breaks-invariance": Claim(
        "Nothing skipped, yet a dense head is lost when the digit moves: accuracy lost in points, median of 5.",
        source=AZULAY,
    ),
    "gap-full-invariance": Claim(
        "Global average pooling makes scores invariant only where nothing was skipped: digits that change class "
        "under some shift, with stride, in %.",
        source=f"{AZULAY}, {MOUTON}",
    ),
    "full-invariance-recipe": Claim(
        "No stride, circular padding, global average pooling: the largest change of any score over all 400 shifts.",
        source=MOUTON,
    ),
    "translation-invariance": Claim(
        "With pooling, the share of digits read right at every distance stays higher than with strides: mean gain "
        "in points.",
        source=MOUTON,
    ),
    "antialias-before-downsampling": Claim(
        "Blurring before subsampling raises consistency over max pooling: gain of medians.", source=ZHANG
    ),
    "subsampling-plus-pooling": Claim(
        "Subsampling with pooling is more consistent than a bare stride: gain of medians.", source=MOUTON
    ),
    "augmentation-helps": Claim(
        "Shifted digits in training make a dense head tolerant of shifts: accuracy on shifted digits, in %.",
        source=AZULAY,
    ),
    "modern-cnn-equi-inv": Claim(
        "From the first maps a linear reader tells where the digit lies: variance explained, in %.",
        source=ISLAM,
    ),
    "place-is-gone-at-the-end": Claim(
        "From the pooled vector of a net without strides and borders it does not: variance explained, in %.",
        source="arithmetic",
    ),
    "place-survives-with-zeros": Claim(
        "With zero padding the pooled vector still tells the place, although the classifier ignores it: variance explained, in %.",
        source="this page; arXiv:2001.08248",
    ),
    "spatial-transformer": Claim(
        "A spatial transformer brings digits into the middle: their scatter after it, in % of that before.",
        source="arXiv:1506.02025",
    ),
    "transformer-reads-as-well": Claim(
        "It reads moved digits about as well as a net without one that sees the whole field: difference of medians in points.",
        source="arXiv:1506.02025",
    ),
    "multi-scale-image-pyramid": Claim(
        "On digits of 1.5 to 4 times the learned size, averaging over an image pyramid gains accuracy: mean, in points.",
        source="doi:10.1109/TCOM.1983.1095851",
    ),
    "pyramid-needs-to-know": Claim(
        "At twice the size, knowing the right level is worth more than averaging over levels: gain in points.",
        source="this page",
    ),
}


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
    inputs=[
        ([(3, 1, 1)],),
        ([(3, 2, 1), (3, 1, 1)],),
        ([(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)],),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)],),
        ([(7, 2, 1), (3, 2, 1), (3, 1, 2), (3, 2, 1), (1, 1, 1)],),
        ([(11, 4, 1), (3, 2, 1), (5, 1, 1)],),
    ],
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
    title="Predict: how deep must it be?",
    task="With 3 × 3 layers and no stride, how many layers does a unit need before it sees all of a picture of "
    "224 pixels a side? First guess, then compute, and give the number.",
    hints=("Each layer adds two pixels. How many must be added to the first one?",),
)
def deep_enough() -> int:
    return 112


deep_enough.wrong(111, "nearly: put your number into L(F - 1) + 1 and compare.")
deep_enough.wrong(75, "layers do not tile the picture, they overlap: each adds 2 pixels, not 3.")
deep_enough.wrong(8, "sides double only with strides; without them the field grows by 2 for each layer.")
deep_enough.wrong(224, "each layer adds a pixel on both sides.")


@solves(
    "window-of-a-unit",
    title="Build: where does it look?",
    task="Write `window(layers, unit)`: first and last pixel that unit number `unit` of the last layer sees, along "
    "one side, as a pair. Each layer is `(kernel, stride, padding)`; a pixel in the padding before the "
    "picture has "
    "a negative number. `window([(3, 1, 1)], 0)` is `(-1, 1)`.",
    hints=(
        "Go backwards, from the unit to the picture: unit i of a layer sees which units of the one below?",
        "Unit i sees i s - p up to i s - p + k - 1. Now do the same to both ends.",
    ),
    inputs=[
        ([(3, 1, 1)], 0),
        ([(3, 1, 0), (3, 1, 0)], 4),
        ([(5, 2, 2), (3, 1, 1)], 3),
        ([(3, 1, 0), (2, 2, 0), (3, 2, 1)], 5),
        ([(7, 2, 3), (3, 2, 1), (3, 1, 1)], 10),
    ],
)
def window(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k - 1
    return first, last


@window.mistake("you walked from the picture upwards; the unit is on top, so begin with the last layer.")
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in layers:
        first, last = first * s - p, last * s - p + k - 1
    return first, last


@window.mistake(
    "the windows have the right width and lie too far right: the padding moves each window back by p."
)
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, _ in reversed(layers):
        first, last = first * s, last * s + k - 1
    return first, last


@window.mistake("one too far: a window of k that begins at a ends at a + k - 1.")
def _(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first = last = unit
    for k, s, p in reversed(layers):
        first, last = first * s - p, last * s - p + k
    return first, last


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
    inputs=[
        ([1, 2, 4],),
        ([2, 2],),
        ([2, 2, 2],),
        ([1, 3, 9],),
        ([3, 3, 1],),
        ([2, 4, 8],),
        ([5],),
        ([1, 2, 5],),
    ],
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


@solves(
    "alias",
    title="Compute: which stripes come out?",
    task="Stripes of frequency `f` (cycles per pixel, 0 to 0.5) meet a layer that keeps every `s`-th pixel. Write "
    "`alias(f, s)`: the frequency that one sees afterwards, in cycles per *new* pixel, between 0 and 0.5. "
    "`alias(0.4, 2)` is 0.2.",
    hints=(
        "In new pixels the stripes have f s cycles per pixel. What if that is more than half?",
        "A whole number of cycles between two samples cannot be seen: only the distance to the nearest whole "
        "number remains.",
    ),
    inputs=[(0.4, 2), (0.1, 2), (0.3, 3), (0.45, 4), (0.26, 2), (0.2, 4), (0.49, 3)],
)
def alias(f: float, s: int) -> float:
    return abs(f * s - round(f * s))


@alias.mistake("more than half a cycle per pixel cannot be seen: it folds back.")
def _(f: float, s: int) -> float:
    return f * s


@alias.mistake("nearly: 0.8 cycles per pixel look the same as 0.2, running the other way.")
def _(f: float, s: int) -> float:
    return (f * s) % 1


@alias.mistake("high frequencies are not cut off at the limit, they come back as lower ones.")
def _(f: float, s: int) -> float:
    return min(f * s, 0.5)


@alias.mistake("that is the frequency in old pixels; a new pixel is s old ones wide.")
def _(f: float, s: int) -> float:
    return abs(f - round(f * s) / s)


def _rows() -> Inputs:
    generator = np.random.default_rng(9)
    return [(generator.normal(size=n).round(2),) for n in (6, 8, 12)] + [(np.array([0.0, 1.0] * 4),)]


@solves(
    "blur-pool",
    title="Build: a stride that does not alias",
    task="Write `blur_pool(x)` for a row of numbers on a circle (the last is a neighbour of the first): blur with "
    "(1, 2, 1) / 4, then keep every second number, beginning with the first. Do not change `x`.",
    hints=("`np.roll(x, 1)[i]` is the left neighbour of `x[i]`, round the circle.",),
    inputs=_rows,
)
def blur_pool(x: np.ndarray) -> np.ndarray:
    blurred = (np.roll(x, 1) + 2 * x + np.roll(x, -1)) / 4
    return blurred[::2]


@blur_pool.mistake(
    "you blurred after skipping: by then the harm is done, and a blur can't tell alias from truth."
)
def _(x: np.ndarray) -> np.ndarray:
    y = x[::2]
    return (np.roll(y, 1) + 2 * y + np.roll(y, -1)) / 4


@blur_pool.mistake("that is a bare stride: the row of 0, 1, 0, 1 ... becomes all zeros.")
def _(x: np.ndarray) -> np.ndarray:
    return x[::2]


@blur_pool.mistake("keep the first of each pair, not the second.")
def _(x: np.ndarray) -> np.ndarray:
    return ((np.roll(x, 1) + 2 * x + np.roll(x, -1)) / 4)[1::2]


@blur_pool.mistake("inside it is right; at the ends yours meets zeros, and the task wants a circle.")
def _(x: np.ndarray) -> np.ndarray:
    return (np.convolve(x, [0.25, 0.5, 0.25], mode="same"))[::2]


@blur_pool.mistake("the weights 1, 2, 1 add up to 4: divide, or an even grey gets four times as bright.")
def _(x: np.ndarray) -> np.ndarray:
    return (np.roll(x, 1) + 2 * x + np.roll(x, -1))[::2]

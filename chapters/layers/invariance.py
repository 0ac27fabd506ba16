"""Claims and exercises of chapter layers/invariance."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

AZULAY, ZHANG, MOUTON = "arXiv:1805.12177", "arXiv:1904.11486", "arXiv:2103.10097"
ISLAM, ISLAM2021 = "arXiv:2001.08248", "arXiv:2108.07884"

QUESTION = "What happens when the picture moves?"

CLAIMS = {
    "translation-equivariance": Claim(
        "On a torus the map of a moved picture differs from the moved map by a share of {measured} of its largest value, for a "
        "convolution and for a pooling that skip nothing.",
        source="arithmetic",
        ledger=("stride1-equivariant",),
    ),
    "strides-break-equivariance": Claim(
        "With stride 2 an odd shift gives a map that differs from every shift of the first map, by {measured} % of its largest value at least.",
        source=AZULAY,
    ),
    "equivariance-border-caveat": Claim(
        "With zero padding the maps differ at the border, by {measured} % of the largest value.", source=ISLAM
    ),
    "place-survives-with-zeros": Claim(
        "From the pooled vector of an untrained net with zeros at the border a linear reader tells where the digit lies: {measured} % of the variance.",
        source=ISLAM2021,
        ledger=("modern-cnn-equi-inv",),
    ),
    "aliasing-nyquist": Claim(
        "Stripes of 0.4 cycles per pixel come out of stride 2 as stripes of {measured} cycles per new pixel.",
        source="sampling theorem",
    ),
    "cnn-not-invariant": Claim(
        "Trained on digits in the middle, each of five strided nets with global average pooling reads a share of {measured} or more fewer of them "
        "when they stand two pixels further to the right.",
        source=f"{AZULAY}, {ZHANG}",
        ledger=("translation-invariance",),
    ),
    "fc-breaks-invariance": Claim(
        "With a dense head on the strided maps the best of five draws reads a share of {measured} of the moved digits.",
        source=AZULAY,
    ),
    "antialias-before-downsampling": Claim("On moved digits, {measured}.", source=ZHANG),
    "augmentation-helps": Claim(
        "Of digits two pixels further to the right the worst of five strided nets that met moved digits in training reads a share of {measured} more "
        "than the best of five that did not.",
        source=AZULAY,
        ledger=("subsampling-plus-pooling",),
    ),
    "full-invariance-recipe": Claim(
        "With nothing skipped, no border and global average pooling, no score changes by more than {measured} over all 256 shifts.",
        source=f"{AZULAY}, {MOUTON}",
    ),
    "gap-full-invariance": Claim(
        "Global average pooling behind strides: of the digits, {measured} % change class under some shift of up to four pixels.",
        source=f"{AZULAY}, {MOUTON}",
    ),
}

BREAKS = {
    "strides-break-equivariance": Break(
        "the shift is a whole stride",
        old="once = torus(insight.shifted(picture, 1, 1), 2)",
        new="once = torus(insight.shifted(picture, 2, 2), 2)",
    ),
    "equivariance-border-caveat": Break(
        "what leaves on one side comes in on the other",
        old="100 * error(zeros, picture, 3, 5)",
        new="100 * error(torus, picture, 3, 5)",
    ),
    "place-survives-with-zeros": Break(
        "the border lies out of sight of the digits",
        old='told["zero", 0], at_least',
        new='told["zero", 8], at_least',
    ),
    "cnn-not-invariant": Break(
        "the step is as long as the strides, four pixels", old="step = 2", new="step = 4"
    ),
    "fc-breaks-invariance": Break(
        "an average takes the place of the dense head",
        old='race.verdict_rows("stride, dense head")',
        new='race.verdict_rows("stride")',
    ),
    "antialias-before-downsampling": Break(
        "the maximum is not blurred",
        old='race.lead("blur", over="max pooling of side 4")',
        new='race.lead("max pooling", over="max pooling of side 4")',
    ),
    "augmentation-helps": Break(
        "the digits stand a whole stride further, where both nets have met them",
        old="step = 2",
        new="step = 4",
    ),
    "full-invariance-recipe": Break(
        "places are skipped",
        old="proof = tolerant(input_shape=(16, 16, 1), filters=8)",
        new='proof = tolerant(input_shape=(16, 16, 1), filters=8, downsampling="stride")',
    ),
    "gap-full-invariance": Break(
        "nothing is skipped",
        old="classes = np.stack([net.predict_on_batch(images)",
        new="classes = np.stack([proof.predict_on_batch(images)",
    ),
}


def _stripes(rng: np.random.Generator) -> Cases:
    yield "the example", (0.4, 2)
    yield "slow enough to be kept", (0.1, 2)
    yield "nearly a whole cycle", (0.3, 3)
    yield "nearly two whole cycles", (0.45, 4)
    yield "just above the limit", (0.26, 2)
    yield "a stride of four", (0.2, 4)
    yield "a stride of three", (0.49, 3)
    yield "even grey", (0.0, 3)
    yield "nothing skipped", (0.37, 1)
    for _ in range(3):
        yield "drawn", (round(float(rng.uniform(0.01, 0.49)), 2), int(rng.integers(2, 6)))


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
    inputs=_stripes,
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


@alias.mistake("right from half a cycle per new pixel to one and a half; what is slower is kept as it is.")
def _(f: float, s: int) -> float:
    return abs(1 - f * s)


@alias.mistake("that is the frequency in old pixels; a new pixel is s old ones wide.")
def _(f: float, s: int) -> float:
    return abs(f - round(f * s) / s)


def _rows(rng: np.random.Generator) -> Cases:
    for n in (6, 8, 12):
        yield f"{n} drawn numbers", (rng.normal(size=n).round(2),)
    yield "stripes", (np.array([0.0, 1.0] * 4),)
    yield "integers", (np.array([1, 0, 0, 0, 2, 0]),)
    yield "two numbers", (np.array([3.0, 5.0]),)


@solves(
    "blur-pool",
    title="Build: a stride that does not alias",
    task="Write `blur_pool(x)` for a row of numbers on a circle (the last is a neighbour of the first): blur with "
    "(1, 2, 1) / 4, then keep every second number, beginning with the first. Do not change `x`.",
    hints=(
        "Which comes first, the blur or the skipping? Try both on a row that alternates.",
        "`np.roll(x, 1)[i]` is the left neighbour of `x[i]`, round the circle.",
    ),
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


@blur_pool.mistake("three equal weights are a blur, too, but not this one: the pixel itself counts twice.")
def _(x: np.ndarray) -> np.ndarray:
    return ((np.roll(x, 1) + x + np.roll(x, -1)) / 3)[::2]


@blur_pool.mistake("keep the first of each pair, not the second.")
def _(x: np.ndarray) -> np.ndarray:
    return ((np.roll(x, 1) + 2 * x + np.roll(x, -1)) / 4)[1::2]


@blur_pool.mistake("inside it is right; at the ends yours meets zeros, and the task wants a circle.")
def _(x: np.ndarray) -> np.ndarray:
    return (np.convolve(x, [0.25, 0.5, 0.25], mode="same"))[::2]


@blur_pool.mistake("the weights 1, 2, 1 add up to 4: divide, or an even grey gets four times as bright.")
def _(x: np.ndarray) -> np.ndarray:
    return (np.roll(x, 1) + 2 * x + np.roll(x, -1))[::2]


@solves(
    "who-notices",
    title="Predict: who notices?",
    task="A picture on a torus is moved by two pixels to the right. Which of these nets, with random weights, give exactly the same scores "
    "as before? (1) two convolutions with circular padding, global average pooling; (2) the same, the second with stride 2; (3) the same, "
    "both with stride 2; (4) as (1), with zero padding; (5) as (1), with a dense layer on the flattened maps in place of the pooling. Assign a list of "
    "five, `True` or `False`, to `prediction`. Then ask `tolerant`, or build them.",
    hints=(
        "Behind one stride of 2 a shift of two pixels is one step on the map. Behind two?",
        "What does a unit at the border see before the shift, and after it?",
    ),
    name="prediction",
)
def who_notices() -> list[bool]:
    return [True, True, False, False, False]


who_notices.wrong(
    [True, False, False, False, False],
    "one stride of 2 keeps every second place: a shift of two pixels moves its map by a whole step.",
)
who_notices.wrong(
    [True, True, True, False, False],
    "two strides of 2 make steps of four pixels; two pixels are half a step, which no map can take.",
)
who_notices.wrong(
    [True, True, False, True, False],
    "zeros beyond the border are seen by the units next to it, wherever the picture lies.",
)
who_notices.wrong(
    [True, True, False, False, True], "a dense layer has another weight for each place of the map."
)


who_notices.wrong(
    [False, False, False, False, False],
    "one of them skips nothing and has no border: its map moves along whole, and an average forgets where.",
)
who_notices.wrong(
    [True, True, True, True, True],
    "sharing weights is not enough: what do the last three do to a map that has moved by half a step, met a border, or is read place by place?",
)


def _pictures(rng: np.random.Generator) -> Cases:
    yield "a square picture", (rng.normal(size=(4, 4)).round(2), 2)
    yield "a wide picture", (rng.normal(size=(3, 7)).round(2), 2)
    yield "a tall picture, every third pixel", (rng.normal(size=(7, 4)).round(2), 3)
    yield "nothing skipped", (rng.normal(size=(3, 3)).round(2), 1)
    yield "integers", (np.arange(1, 13).reshape(3, 4), 2)
    yield "all alike", (np.ones((5, 5)), 4)


@solves(
    "unseen",
    title="Break: a picture that a stride does not see",
    task="A layer looks at single pixels, and at every `s`-th of them only, down and across, beginning with the first. Break it: write `unseen(x, s)`, "
    "which returns the picture nearest to `x` (the smallest sum of squared changes) of which this layer sees nothing but zeros. Do not change `x` "
    "itself. For `x = [[1, 2], [3, 4]]` and `s = 2` it is `[[0, 2], [3, 4]]`. Then move your picture by one pixel and look what the layer sees.",
    hints=(
        "Which pixels does the layer look at? `x[::s, ::s]` names them.",
        "All others may stay as they are: changing them would only take the picture further away from `x`.",
    ),
    inputs=_pictures,
)
def unseen(x: np.ndarray, s: int) -> np.ndarray:
    hidden = np.array(x, dtype="float64")
    hidden[::s, ::s] = 0
    return hidden


@unseen.mistake(
    "the layer sees nothing of it, but there are pictures nearer to x: how many pixels does it look at?"
)
def _(x: np.ndarray, s: int) -> np.ndarray:
    return np.zeros(np.shape(x))


@unseen.mistake("you emptied whole rows; the layer skips columns too.")
def _(x: np.ndarray, s: int) -> np.ndarray:
    hidden = np.array(x, dtype="float64")
    hidden[::s] = 0
    return hidden


@unseen.mistake("you emptied whole columns; the layer skips rows too.")
def _(x: np.ndarray, s: int) -> np.ndarray:
    hidden = np.array(x, dtype="float64")
    hidden[:, ::s] = 0
    return hidden


@unseen.mistake("these are the pixels that the layer does not look at; empty the others.")
def _(x: np.ndarray, s: int) -> np.ndarray:
    hidden = np.zeros(np.shape(x))
    hidden[::s, ::s] = x[::s, ::s]
    return hidden


@unseen.mistake("the layer begins with the first pixel, not with the second.")
def _(x: np.ndarray, s: int) -> np.ndarray:
    hidden = np.array(x, dtype="float64")
    hidden[1::s, 1::s] = 0
    return hidden

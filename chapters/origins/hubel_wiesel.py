"""Claims and exercises of chapter origins/hubel-wiesel."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

QUESTION = "How can a cell know an angle?"

CLAIMS = {
    "round-fields-are-not-tuned": Claim(
        "A cell with a round field, as before the cortex, answers alike to a bar at any angle: its selectivity is {measured}.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "a-row-alone-answers": Claim(
        "Five round cells in a row give {measured} of their best answer to a bar that lies across the row.",
        source="arithmetic",
    ),
    "simple-cells": Claim(
        "With a threshold at half its best, the row answers to a bar turned by 90 degrees with {measured} of its best.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "the-line-matters": Claim(
        "Nine round cells in a square, with a threshold at half of their best, never fall below {measured} of it, whatever the angle.",
        source="measured here",
    ),
    "threshold-needs-light": Claim(
        "Without noise the width of tuning differs by a factor of {measured} between 60 % of the contrast and all of it.",
        source="measured here; doi:10.1007/BF00238641 for the cat, where it does not",
    ),
    "noise-keeps-the-width": Claim(
        "With noise of a fifth of the best answer the widths at 40 to 100 % of the contrast differ by a factor of {measured} at most.",
        source="doi:10.1523/JNEUROSCI.22-12-05118.2002",
    ),
    "no-more-a-gabor": Claim(
        "The best of two other curves with dark sides explains as much, up to a share of {measured}.",
        source="measured here",
    ),
    "complex-cells": Claim(
        "The loudest of many simple cells is louder for a standing bar anywhere than for one turned by 15 degrees or more anywhere in a "
        "share of {measured} of all pairs.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "order-matters": Claim(
        "Added up before the threshold, the same simple cells are right in a share of {measured} of the pairs at most, where 0.5 is guessing.",
        source="measured here",
    ),
    "noise-finds-the-field": Claim(
        "The mean of the noise frames before a spike points along the hidden field of a simple cell: the cosine is {measured}.",
        source="arithmetic",
    ),
    "noise-average-is-blind": Claim(
        "For an energy cell that mean has a length of {measured} of the simple cell's: a pattern and its negative count alike.",
        source="arithmetic",
    ),
    "photographs-teach-gabors": Claim(
        "A Gabor patch explains a share of {measured} more of the typical independent component of photographs than of principal components, of "
        "the same space turned at random, or of components of noise with the same correlations.",
        source="doi:10.1016/S0042-6989(97)00121-1",
    ),
    "hw-cascade-model": Claim(
        "Chained, simple and complex cells make a cell for lines that end: it is louder for a short standing bar anywhere than for a "
        "long one, or a short one of another angle, in a share of {measured} of all pairs.",
        source="doi:10.1152/jn.1965.28.2.229",
    ),
}

BREAKS = {
    "round-fields-are-not-tuned": Break(
        "the round field is stretched",
        old="field = origins.round_field(size=13, sigma=1.5, ratio=2.0)",
        new="field = np.repeat(origins.round_field(size=13, sigma=1.5, ratio=2.0)[3:10], 2, axis=0)[:13]",
    ),
    "a-row-alone-answers": Break(
        "the row has three cells",
        old="def row(rounds, count=5, gap=3):",
        new="def row(rounds, count=3, gap=3):",
    ),
    "simple-cells": Break(
        "there is no threshold",
        old='"row and threshold": np.maximum(0, heard - best / 2)',
        new='"row and threshold": heard',
    ),
    "the-line-matters": Break(
        "the nine cells stand in a row",
        old="square = at_the_middle(block(round_cells(bars)))",
        new="square = at_the_middle(row(round_cells(bars), count=9))",
    ),
    "threshold-needs-light": Break(
        "there is no threshold",
        old="np.maximum(0, drive - best / 2 + trembling)",
        new="np.maximum(0, drive + trembling)",
    ),
    "noise-keeps-the-width": Break(
        "nothing trembles", old="trembling = noise * best * moments", new="trembling = 0 * moments"
    ),
    "no-more-a-gabor": Break(
        "the other curves have no dark sides",
        old='others = max(fits["row"][s] for s in ("difference of two ridges", "bent ridge (second derivative)"))',
        new='others = max(fits["row"][s] for s in ("ridge",))',
    ),
    "complex-cells": Break(
        "the cell listens at one place",
        old="return over(around(row(rounds), up=up))",
        new="return over(around(row(rounds), 0, up=up))",
    ),
    "order-matters": Break(
        "the threshold comes first",
        old="over(around(row(rounds)).sum(axis=(1, 2)))",
        new="over(around(row(rounds))).sum(axis=(1, 2))",
    ),
    "noise-finds-the-field": Break(
        "the cell fires by chance",
        old="spikes = origins.poisson_spikes(origins.simple_cell(snow, hidden), seed=2)",
        new="spikes = origins.poisson_spikes(np.full(len(snow), 0.4), seed=2)",
    ),
    "noise-average-is-blind": Break(
        "the cell rectifies and does not square",
        old="loud = origins.poisson_spikes(origins.complex_cell_energy(snow, hidden, partner), seed=3)",
        new="loud = origins.poisson_spikes(origins.simple_cell(snow, hidden) + origins.simple_cell(snow, partner), seed=3)",
    ),
    "photographs-teach-gabors": Break(
        "the photographs lose their contours",
        old="patches = data.natural_patches(8_000, size=12)",
        new="patches = origins.gaussian_surrogate(data.natural_patches(8_000, size=12), seed=7)",
    ),
    "hw-cascade-model": Break(
        "nothing inhibits",
        old="complex_cell(rounds) - complex_cell(rounds, beyond) - complex_cell(rounds, -beyond))",
        new="complex_cell(rounds))",
    ),
}


@solves(
    "by-hand",
    title="Compute: what does the cell say?",
    task="A simple cell has the receptive field\n\n"
    "$$w = \\begin{pmatrix} -1 & 2 & -1 \\\\ -1 & 2 & -1 \\\\ -1 & 2 & -1 \\end{pmatrix}$$\n\n"
    "and a threshold of 2. On a picture that is 1 in the whole middle column and 0 elsewhere it fires "
    "at $\\max(0, 6 - 2) = 4$. Assign to `fired` its three rates, in this order, for: the picture "
    "with ones in the **left** column only; the picture with ones in the middle **row** only; the "
    "picture with ones at the **top and the centre** of the middle column only.",
    hints=(
        "Multiply each pixel with the weight at its place, and add. Only then take the threshold away, and "
        "only then rectify.",
        "The three sums are -3, 0 and 4.",
    ),
    name="fired",
)
def by_hand() -> list[int]:
    return [0, 0, 2]


by_hand.wrong([-5, -2, 2], "A rate cannot be negative: you forgot the rectifier.")
by_hand.wrong([0, -2, 2], "One rate is negative: the rectifier comes last, also where the sum is 0.")
by_hand.wrong([0, 0, 4], "You rectified, but did not take the threshold away.")
by_hand.wrong([-3, 0, 4], "These are the weighted sums; the threshold and the rectifier follow.")
by_hand.wrong([1, 0, 2], "You dropped the sign of -3. A rectifier makes negative sums zero, not positive.")


@solves(
    "dim-light",
    title="Predict, then check: change the wiring",
    task="Before you measure: what happens to the width of tuning of the row with its threshold at half its best, if (1) the row has "
    "**nine** round cells, still three pixels apart, and its threshold is half of *its* best; (2) everything is **twice as large**, "
    "the round fields, the gaps and the bar; (3) the row of five trembles by a fifth of its best, and the contrast is raised "
    "to **four times** the full one? Assign to `prediction` a list of three words, each "
    '`"narrower"`, `"wider"` or `"same"` (within 4 degrees). Then measure, with `row`, `rates` and `bandwidth`.',
    hints=(
        "Turn a long row by ten degrees, and a short one. Whose end moves further from the bar? And what does a photocopier do to an angle?",
        "What a threshold takes away stays the same while the answer grows: what is it worth beside a very large answer?",
    ),
    name="prediction",
)
def dim_light() -> list[str]:
    return ["narrower", "same", "wider"]


dim_light.wrong(
    ["wider", "same", "wider"],
    "The other way round for the first: the further the row reaches, the sooner a turned bar leaves its ends.",
)
dim_light.wrong(
    ["narrower", "narrower", "wider"],
    "The second is the same picture, enlarged, and enlarging changes no angle. What is left is the pixels' doing.",
)
dim_light.wrong(
    ["narrower", "wider", "wider"],
    "The second doubles every length, and a ratio of lengths stays: look at what turns the bar out of the row.",
)
dim_light.wrong(
    ["narrower", "same", "same"],
    "The noise keeps the width only while it can lift the answer over the threshold and fail to: very bright light makes both small.",
)
dim_light.wrong(
    ["narrower", "same", "narrower"],
    "More light lifts more of the peak above the threshold, not less.",
)


def _fields(rng: np.random.Generator) -> Cases:
    yield "two pixels", (np.array([[1.0, 0.5]]), np.array([[2.0, -1.0]]))
    yield "a single pixel", (np.array([[0.7]]), np.array([[3.0]]))
    yield "a black picture", (np.zeros((2, 3)), rng.normal(size=(2, 3)))
    yield "even light, which a balanced cell ignores", (np.ones((2, 2)), np.array([[1.0, -1.0], [1.0, -1.0]]))
    yield "a picture of whole numbers", (rng.integers(0, 5, (3, 4)), rng.normal(size=(3, 4)))
    for _ in range(3):
        yield "a random picture and field", (rng.random((5, 4)), 2 * rng.normal(size=(5, 4)))


@solves(
    "blind-spot",
    title="Break: a change that the cell cannot see",
    task="Write `hide(image, field)`: a picture whose weighted sum under this receptive field is exactly 0, before any rectifier, "
    "**as near as possible** to the given one (the smallest sum of squared changes). Pixels may leave "
    "[0, 1]; the field need not have unit length. Try it on a photograph: can you see the difference?",
    hints=(
        "The cell sees one direction in the space of all pictures. Every change along it counts, every "
        "other change is wasted.",
        "Take away a multiple of the field. Which multiple makes the answer zero?",
    ),
    inputs=_fields,
)
def hide(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return image - np.sum(image * field) * field / np.sum(field * field)


@hide.mistake("Nearly: this works for a field of unit length only. Divide by the field's own squared length.")
def _(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return image - np.sum(image * field) * field


@hide.mistake(
    "Divide by the squared length: one length makes the field a unit vector, and the sum along it needs one more."
)
def _(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return image - np.sum(image * field) * field / np.linalg.norm(field)


@hide.mistake("The right direction, but a fixed step: how far must you go until the answer is 0?")
def _(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return image - field


@hide.mistake("Silent, certainly. But a black picture is not the nearest one.")
def _(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return np.zeros_like(image)


@hide.mistake(
    "Taking the mean away silences a cell only to even light, which a balanced cell ignores anyway."
)
def _(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    return image - image.mean()


def _noise(rng: np.random.Generator) -> Cases:
    yield "two frames of one pixel", (np.array([[[1.0]], [[5.0]]]), np.array([1, 3]))
    yield "one frame, one spike", (rng.normal(size=(1, 2, 3)), np.array([1]))
    yield "a spike for every frame", (rng.normal(size=(4, 2, 2)), np.ones(4, dtype=int))
    yield "frames of whole numbers", (rng.integers(-3, 4, (6, 2, 3)), np.array([0, 2, 0, 1, 1, 0]))
    for _ in range(3):
        yield "many frames of noise", (rng.normal(size=(30, 4, 5)), rng.poisson(1.0, 30))


@solves(
    "reverse",
    title="Build: reverse correlation",
    task="Write `average_before_a_spike(frames, spikes)`: `frames` is `(n, height, width)`, `spikes` holds n "
    "counts, and the result is the mean frame, each counted **once for every spike** that it caused.",
    hints=(
        "It is a weighted mean. What are the weights, and what must they be divided by?",
        "A frame that caused three spikes is added three times, and counts as three in the number of them.",
    ),
    inputs=_noise,
)
def average_before_a_spike(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.tensordot(spikes, frames, axes=(0, 0)) / np.sum(spikes)


@average_before_a_spike.mistake("A frame with three spikes counts three times; you counted it once.")
def _(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return frames[spikes > 0].mean(axis=0)


@average_before_a_spike.mistake("You divided by the number of frames; the mean is over spikes.")
def _(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.tensordot(spikes, frames, axes=(0, 0)) / len(frames)


@average_before_a_spike.mistake(
    "You divided by the number of frames that made it fire; a frame may cause several spikes."
)
def _(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.tensordot(spikes, frames, axes=(0, 0)) / np.count_nonzero(spikes)


@average_before_a_spike.mistake("This is the mean of all frames, whatever the cell did.")
def _(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return frames.mean(axis=0)


@average_before_a_spike.mistake("This is the sum; divide it by the number of spikes.")
def _(frames: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.tensordot(spikes, frames, axes=(0, 0))


average_before_a_spike.equivalent(
    "return np.tensordot(spikes, frames, axes=(-1, 0)) / np.sum(spikes)",
    "`spikes` has one axis, which is the first and the last.",
)

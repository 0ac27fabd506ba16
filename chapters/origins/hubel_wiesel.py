"""Claims and exercises of chapter origins/hubel-wiesel."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

QUESTION = "How can a cell know an angle?"

CLAIMS = {
    "simple-cells": Claim(
        "A simple cell answers to a bar or an edge of one orientation at one place: turned by 90 degrees, "
        "the same bar leaves it silent.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "orientation-bandwidth": Claim(
        "Cells of the macaque's striate cortex are tuned to orientation with full widths at half height from "
        "6 degrees upwards and a median near 40; a field twice as long as wide is sharper than that median.",
        source="De Valois, Yund and Hepler 1982, Vision Research 22(5):531-544",
    ),
    "bandwidth-from-length": Claim(
        "The bandwidth of a Gabor cell follows from the length of its field: 2 √(2 ln 2) λ / (2π σ) radians.",
        source="arithmetic",
    ),
    "round-fields-are-not-tuned": Claim(
        "A cell with a round field, as in the retina, answers alike to a bar at any angle.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "receptive-field-biology": Claim(
        "A cell is driven from one patch of the picture only; the patches of neighbouring cells overlap, and "
        "together they cover the view.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "complex-cells": Claim(
        "A complex cell keeps answering when a bar of its orientation moves within its field: its curve of "
        "position is several times as wide as a simple cell's.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "complex-cells-keep-the-angle": Claim(
        "What a complex cell forgives is place, not orientation: its tuning to angle stays as narrow.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "simple-cells-follow-the-stripes": Claim(
        "Under a drifting grating a linear cell with a rectifier has F1/F0 = π/2, well above the border of 1 "
        "that divides simple from complex.",
        source="arithmetic; doi:10.1016/0042-6989(91)90033-2",
    ),
    "energy-does-not-follow-the-stripes": Claim(
        "The energy of two filters a quarter wave apart does not follow the stripes of a drifting grating: "
        "F1/F0 is near 0.",
        source="doi:10.1364/JOSAA.2.000284",
    ),
    "energy-from-simple-cells": Claim(
        "Four rectified simple cells, a quarter wave apart, squared and added, are the energy model.",
        source="arithmetic",
    ),
    "noise-finds-the-field": Claim(
        "The mean of the noise frames before a spike points along the hidden receptive field of a simple cell.",
        source="arithmetic",
    ),
    "noise-average-is-blind": Claim(
        "For an energy cell that mean tells nothing, because a pattern and its negative count alike.",
        source="arithmetic",
    ),
    "noise-covariance-sees": Claim(
        "The covariance of the same frames finds the plane of the energy cell's two hidden filters.",
        source="Schwartz, Pillow, Rust and Simoncelli 2006, Journal of Vision 6(4):13",
    ),
    "photographs-teach-gabors": Claim(
        "Filters learned from photographs alone look like the fields of simple cells: localised, oriented, "
        "and well described by Gabor patches.",
        source="doi:10.1038/381607a0",
    ),
    "noise-teaches-no-gabors": Claim(
        "Filters learned from noise with the same pairwise correlations are described worse by Gabor patches.",
        source="this page",
    ),
    "pinwheel-density": Claim(
        "There are π pinwheels to each square hypercolumn, in three distantly related mammals and in a map "
        "made of random waves.",
        source="doi:10.1126/science.1194869",
    ),
    "retinotopic-map": Claim(
        "The cortex gives the centre of gaze far more room: on the map k log(z + a) the central 15 degrees, 3 % of "
        "the view, take a share between the 25 % of the oldest human map and the macaque's 70 %.",
        source="doi:10.1007/BF01885636; Horton and Hoyt 1991, Archives of Ophthalmology 109(6):816-824",
    ),
    "retinotopic-map-size": Claim(
        "The ring from 2 to 12 degrees takes so many mm² of one hemisphere, on the map and on average in people, "
        "who differ from one another by a factor of 2.5.",
        source="doi:10.1167/3.10.1",
    ),
    "hw-cascade-model": Claim(
        "Chained, simple and complex cells make a detector of something new: a corner, wherever it lies.",
        source="doi:10.1113/jphysiol.1962.sp006837",
    ),
    "cascade-needs-pooling": Claim(
        "Without complex cells between, the same detector fails: at a corner the two arms do not lie on one "
        "another.",
        source="this page",
    ),
    "cascade-needs-locality": Claim(
        "With a window as wide as the picture it fails again: two bars far apart pass for a corner.",
        source="this page",
    ),
    "cells-higher-level": Claim(
        "Higher stages answer to things rather than to lines: in a trained network the share of a unit's "
        "answer that the object explains grows at every step; the smallest step.",
        source="doi:10.1162/jocn.1991.3.1.1; doi:10.1038/nature03687",
    ),
    "training-not-depth": Claim(
        "It is training that does it, not depth alone: rise from the first layer to the last, trained less "
        "untrained.",
        source="this page",
    ),
    "visual-cortex-inspiration": Claim(
        "A layer of simple cells is a convolution with a rectifier: "
        "the connectivity of a CNN is that of the model of 1962.",
        source="doi:10.1113/jphysiol.1962.sp006837",
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
by_hand.wrong([0, 0, 4], "You rectified, but did not take the threshold away.")
by_hand.wrong([-3, 0, 4], "These are the weighted sums; the threshold and the rectifier follow.")
by_hand.wrong([1, 0, 2], "You dropped the sign of -3. A rectifier makes negative sums zero, not positive.")


@solves(
    "longer-field",
    title="Predict, then check: stretch the field",
    task="Before you measure: what happens to the bandwidth of orientation tuning, with gratings of the "
    "cell's own wavelength, if (1) the field becomes twice as **long**, its width and stripes unchanged "
    "(`origins.gabor(49, aspect=0.25)` against `origins.gabor(49)`); (2) the field becomes twice as "
    "large in **every** way (`origins.gabor(49, wavelength=12)` against `origins.gabor(25)`); (3) the "
    "grating has **half the contrast**? Assign to `prediction` a list of three words, each "
    '`"narrower"`, `"wider"` or `"same"`. Then measure, with `origins.measure_tuning` as above.',
    hints=(
        "Turn a long thin bar and a short thin bar by ten degrees each. Which end moves further?",
        "Enlarge a picture of cell and grating together on a photocopier: does any angle change? And what "
        "does a factor do to a width at *half* height?",
    ),
    name="prediction",
)
def longer_field() -> list[str]:
    return ["narrower", "same", "same"]


longer_field.wrong(
    ["wider", "same", "same"],
    "The other way round for the first: the further the field reaches along the bar, the sooner a turned "
    "bar leaves it.",
)
longer_field.wrong(
    ["narrower", "narrower", "same"],
    "The second is the same picture, enlarged, and enlarging changes no angle.",
)
longer_field.wrong(
    ["narrower", "same", "narrower"],
    "Half the contrast halves every rate, the half height included. (A cell with a threshold would be "
    "narrower; this one has none.)",
)
longer_field.wrong(
    ["narrower", "same", "wider"],
    "Half the contrast halves every rate, the half height included: look at the definition of the bandwidth.",
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

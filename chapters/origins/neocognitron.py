"""Claims and exercises of chapter origins/neocognitron."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

PAPER = "doi:10.1007/BF00344251"

QUESTION = "What can a net learn without being told?"

CLAIMS = {
    "neocognitron-no-relu": Claim(
        "The S-cell of 1980 contains a half-wave rectifier: without it, most answers of the grown first layer would be negative.",
        source=PAPER,
    ),
    "s-cell-threshold-4": Claim(
        "A grown S-cell with r = 4 fires where the likeness to its pattern exceeds r / (r + 1) = 0.8.",
        source="arithmetic",
    ),
    "s-cell-threshold-high": Claim(
        "A grown S-cell with r = 1.5 fires where the likeness to its pattern exceeds r / (r + 1) = 0.6.",
        source="arithmetic",
    ),
    "neocognitron-depth": Claim(
        "The network of 1980 has seven layers: the input and three pairs of S and C. The nine of many tables fit "
        "the later network with four pairs.",
        source=PAPER,
    ),
    "neocognitron-first-weight-sharing": Claim(
        "All cells of a plane learn the same weights: shared, the network has 29,472 of them; with weights of "
        "its own for each cell it would have 1,140,576.",
        source="arithmetic; doi:10.1007/BF00344251",
    ),
    "neocognitron": Claim(
        "Without a teacher the network grows planes that answer to letters wherever they stand: share known "
        "over all shifts, median of five seeds.",
        source=PAPER,
    ),
    "neocognitron-size": Claim(
        "Grown on letters of 9 pixels, it knows them at sides from 7 to 13 pixels: the worst of these, the median of five seeds.",
        source="this page",
    ),
    "neocognitron-turn": Claim(
        "Turned by 10 degrees, few letters are known: share, median of five seeds.",
        source="this page",
    ),
    "neocognitron-thick": Claim(
        "Drawn with lines of twice the width, few letters are known: share, median of five seeds.",
        source="this page",
    ),
    "neocognitron-nine-layers": Claim(
        "With a fourth pair the network has nine layers, and 43,896 weights.",
        source="arithmetic; doi:10.1109/TSMC.1983.6313076",
    ),
    "neocognitron-fourth-pair-apart": Claim(
        "Without a teacher a fourth pair tells no more characters apart: of ten networks, this many gain one.",
        source="this page",
    ),
    "neocognitron-fourth-pair-shift": Claim(
        "A fourth pair makes the share recognised after a shift no smaller, for letters or digits, by medians of five seeds.",
        source="this page",
    ),
    "neocognitron-ten-digits": Claim(
        "Grown on all ten digits, the network of 1980 makes fewer than ten planes for them, the median of five seeds.",
        source="this page",
    ),
    "neocognitron-digits": Claim(
        "Grown on the digits 0 to 4, it recognises them wherever they stand: share known over all shifts, "
        "median of five seeds.",
        source=PAPER,
    ),
    "templates-do-not-shift": Claim(
        "Comparing the pixels with the four originals, over the same shifts, is right far less often: share.",
        source="this page",
    ),
    "neocognitron-s-c-layers": Claim(
        "S-layers find features in shared windows, C-layers blur where: a pattern moved by one pixel changes the "
        "answers of each C-layer less than those of the S-layer below it.",
        source=PAPER,
    ),
    "neocognitron-unsupervised": Claim(
        "Grown without labels from five letters, the network recognises this share of distorted ones, "
        "the median of five seeds.",
        source="this page",
    ),
    "neocognitron-training-later": Claim(
        "Backpropagation trains the same graph of S- and C-cells, and beats the published rule by a wide margin.",
        source="this page",
    ),
    "cresceptron-apart": Claim(
        "With the maximum no fewer characters get a plane of their own: so many more than with the blur, in ten networks each.",
        source="this page",
    ),
    "cresceptron": Claim(
        "With the cresceptron's maximum in place of the blur the network grows and recognises as well.",
        source="doi:10.1109/ICCV.1993.378228",
    ),
}


@solves(
    "thresholds",
    title="Compute: how picky is a cell?",
    task="A thoroughly grown S-cell fires where the likeness to its pattern exceeds $r/(r+1)$. Assign to "
    "`selectivity` the $r$ at which a cell starts to fire at a likeness of 0.9.",
    hints=("Solve r / (r + 1) = 0.9 for r.",),
    name="selectivity",
)
def thresholds() -> float:
    return 9.0


thresholds.wrong(0.9, "0.9 is the likeness; which r makes r / (r + 1) equal to it?")
thresholds.wrong(10.0, "Close: 10 / 11 is a little more than 0.9.")
thresholds.wrong(0.9 / 1.9, "You put 0.9 in for r; solve for r instead.")


@solves(
    "count-later",
    title="Predict: the later network",
    task="The network of 1983 has four pairs of S- and C-layers behind its input. Assign to `answer` a list: "
    "how many layers has it if the input is counted, and in how many of them is anything learned?",
    hints=("The input is a layer, U0. In which of the two cells of a pair are the weights fixed?",),
)
def count_later() -> list[int]:
    return [9, 4]


count_later.wrong([8, 4], "Count the input as well, as the tables do.")
count_later.wrong([9, 8], "The C-layers have fixed weights; only S-layers learn.")
count_later.wrong([7, 3], "That is the network of 1980; the later one has a pair more.")


def _cells() -> Inputs:
    generator = np.random.default_rng(3)
    trials = []
    for selectivity in (1.5, 4.0, 4.0):
        excitatory, mask = generator.random((2, 3, 3))
        trials.append((generator.random((3, 3)), 3 * excitatory, 2.0, mask / mask.sum(), selectivity))
    trials.append((np.zeros((3, 3)), np.ones((3, 3)), 1.0, np.full((3, 3), 1 / 9), 4.0))
    trials.append((np.eye(3), np.ones((3, 3)) / 9, 9.0, np.full((3, 3), 1 / 9), 1.5))
    return trials


@solves(
    "one-s-cell",
    title="Build: an S-cell",
    task="Write `s_cell(x, excitatory, inhibitory, mask, r)` for one cell: `x`, `excitatory` and `mask` are "
    "arrays of one shape, `inhibitory` and `r` numbers. With $e = \\sum a x$ and $v = \\sqrt{\\sum c x^2}$ "
    "return $r \\max(0, (1 + e) / (1 + \\frac{2r}{1 + r} b v) - 1)$.",
    hints=(
        "Compute e and v first, each in one line.",
        "The rectifier stands around the whole fraction less one.",
    ),
    inputs=_cells,
)
def s_cell(x: np.ndarray, excitatory: np.ndarray, inhibitory: float, mask: np.ndarray, r: float) -> float:
    e = np.sum(excitatory * x)
    v = np.sqrt(np.sum(mask * x**2))
    return r * np.maximum(0, (1 + e) / (1 + 2 * r / (1 + r) * inhibitory * v) - 1)


@s_cell.mistake("You left out the rectifier: one of your answers is negative.")
def _(x: np.ndarray, excitatory: np.ndarray, inhibitory: float, mask: np.ndarray, r: float) -> float:
    e = np.sum(excitatory * x)
    v = np.sqrt(np.sum(mask * x**2))
    return r * ((1 + e) / (1 + 2 * r / (1 + r) * inhibitory * v) - 1)


@s_cell.mistake("v is a root mean square: take the root.")
def _(x: np.ndarray, excitatory: np.ndarray, inhibitory: float, mask: np.ndarray, r: float) -> float:
    e = np.sum(excitatory * x)
    v = np.sum(mask * x**2)
    return r * np.maximum(0, (1 + e) / (1 + 2 * r / (1 + r) * inhibitory * v) - 1)


@s_cell.mistake("You subtracted the inhibition; here it divides. That is what *shunting* means.")
def _(x: np.ndarray, excitatory: np.ndarray, inhibitory: float, mask: np.ndarray, r: float) -> float:
    e = np.sum(excitatory * x)
    v = np.sqrt(np.sum(mask * x**2))
    return r * np.maximum(0, e - 2 * r / (1 + r) * inhibitory * v)


def _columns() -> Inputs:
    generator = np.random.default_rng(4)
    return [(generator.random(shape),) for shape in ((3, 3, 4), (5, 5, 2), (2, 4, 6))]


@solves(
    "loudest",
    title="Build: who learns?",
    task="Write `loudest(column)`: `column` holds the answers of one column of cells, `(height, width, "
    "planes)`. Return `(plane, row, place)` of the loudest cell.",
    hints=("np.argmax counts through a flattened array; np.unravel_index finds the way back.",),
    inputs=_columns,
)
def loudest(column: np.ndarray) -> tuple[int, int, int]:
    row, place, plane = np.unravel_index(np.argmax(column), column.shape)
    return plane, row, place


@loudest.mistake("The right cell, but its numbers in another order: the plane comes first.")
def _(column: np.ndarray) -> tuple[int, int, int]:
    return np.unravel_index(np.argmax(column), column.shape)


@loudest.mistake("This is the quietest cell.")
def _(column: np.ndarray) -> tuple[int, int, int]:
    row, place, plane = np.unravel_index(np.argmin(column), column.shape)
    return plane, row, place


@solves(
    "without-brake",
    title="Break: a cell without inhibition",
    task="Suppose $b$ stays 0. Write `fool(excitatory)`: the picture with pixels in [0, 1] to which such a "
    "cell answers most. The excitatory weights are given, all of them above zero. What does a cell "
    "that likes this picture best know about shapes?",
    hints=("With b = 0 the answer is r · e, and e = Σ a x grows with every pixel.",),
    inputs=lambda: [(np.random.default_rng(k).random((5, 5)) + 0.01,) for k in range(3)],
)
def fool(excitatory: np.ndarray) -> np.ndarray:
    return np.ones_like(excitatory)


@fool.mistake(
    "Its own pattern, scaled. With inhibition you would be right; without, more light is always better."
)
def _(excitatory: np.ndarray) -> np.ndarray:
    return excitatory / excitatory.max()


@fool.mistake("Its own pattern. With inhibition you would be right; without, more light is always better.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return excitatory


@fool.mistake("Why leave pixels dark? Every weight is above zero, so each of them still adds something.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return (excitatory > excitatory.mean()).astype(float)

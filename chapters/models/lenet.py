"""Claims and exercises of chapter models/lenet."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

_1989 = "doi:10.1162/neco.1989.1.4.541"
_1998 = "doi:10.1109/5.726791"

QUESTION = "What did a network need to read the cheques of 1998?"

CLAIMS = {
    "lenet1-params": Claim("The net of 1989 has 9,760 independent parameters.", _1989),
    "lenet1-connections": Claim("The net of 1989 has 64,660 connections.", _1989),
    "lenet5-input-32": Claim("LeNet-5 takes images of 32 by 32 pixels.", _1998),
    "lenet5-layer-params": Claim(
        "C1, S2, C3, S4, C5 and F6 have 156, 12, 1,516, 32, 48,120 and 10,164 parameters.", _1998
    ),
    "lenet5-params": Claim("LeNet-5 has 60,000 trainable parameters.", _1998),
    "lenet5-modern-params": Claim(
        "With a full C3, plain pooling and a dense output LeNet-5 has 61,706 parameters.", "arithmetic"
    ),
    "lenet5-connections": Claim("LeNet-5 has 340,908 connections.", _1998),
    "lenet5-c5-sees-all": Claim("A unit of C5 sees the whole image of 32 by 32.", _1998),
    "lenet5-by-hand": Claim(
        "LeNet-5 in eight lines of NumPy gives the scores of the Keras model (to 1 in 10,000).", "arithmetic"
    ),
    "lenet5-average-pooling": Claim(
        "LeNet-5's subsampling is average pooling only as long as its coefficients are 1/4 and its biases 0; "
        "after training most of the 22 coefficients are more than a tenth away from that.",
        _1998,
    ),
    "subsampling-or-and": Claim(
        "With a large coefficient a subsampling unit is an OR or an AND of its window, as the bias decides.",
        _1998,
    ),
    "c3-table-saves": Claim("C3's table keeps 60 of 96 pairs, hence 1,516 of 2,416 parameters.", _1998),
    "c3-breaks-symmetry": Claim(
        "With equal kernels everywhere a full C3 computes one map sixteen times; the table makes all 16 differ.",
        _1998,
    ),
    "lenet5": Claim(
        "LeNet-5, convolutions, subsampling and dense layers trained end to end by gradients, reads digits.",
        _1998,
    ),
    "lenet5-f6-draws": Claim("F6 learns to draw the digit that it sees, on 7 by 12 pixels.", _1998),
    "lenet5-peculiarities": Claim(
        "Taking out the table, the trainable subsampling or the bitmaps moves the median error on small digits "
        "by less than one per cent.",
        "measured here, five seeds",
    ),
    "lenet5-training-size": Claim("The more digits LeNet-5 learns from, the fewer errors it makes.", _1998),
    "lenet5-mnist": Claim(
        "With each of five seeds LeNet-5, trained here, reads at least 99.0 % of MNIST's test digits "
        "(published: 99.05 %, with distorted copies 99.2 %).",
        _1998,
    ),
    "lenet5-mnist-weights": Claim(
        "The weights kept in the package read nearly all of MNIST's first 2,000 test digits.", "measured here"
    ),
    "lenet5-depth": Claim(
        "LeNet-5 has seven levels, of which five convolve or are dense in the version written today.", _1998
    ),
}


def _layers(rng: np.random.Generator) -> Cases:
    yield "a single map", (10, 1, 75)
    yield "a single unit in each map, as in C5", (1, 120, 400)
    yield "the first hidden layer of 1989", (8, 12, 25)
    for _ in range(4):
        yield "drawn by lot", tuple(int(number) for number in rng.integers((2, 2, 2), (30, 30, 90)))


@solves(
    "connections",
    title="Parameters are shared, connections are not",
    task="A convolutional layer makes `maps` maps of `side` by `side` units. Each unit has `inputs` inputs, and a "
    "bias that counts as one more connection. How many connections has the layer? C1 of LeNet-5 is "
    "`count_connections(28, 6, 25)` and has 122,304.",
    hints=(
        "Count for one unit, then count the units.",
        "One unit: its inputs and its bias. Units: height times width times maps.",
    ),
    inputs=_layers,
)
def count_connections(side: int, maps: int, inputs: int) -> int:
    return side * side * maps * (inputs + 1)


@count_connections.mistake("You left out the biases: each unit has one, and it is a connection too.")
def _(side: int, maps: int, inputs: int) -> int:
    return side * side * maps * inputs


@count_connections.mistake(
    "These are the parameters, which a whole map shares. Every unit of the map has its own connections."
)
def _(side: int, maps: int, inputs: int) -> int:
    return maps * (inputs + 1)


@count_connections.mistake("You counted one row of units; a map has side times side of them.")
def _(side: int, maps: int, inputs: int) -> int:
    return side * maps * (inputs + 1)


@count_connections.mistake(
    "One bias a position is too few: each of the maps has its own unit there, with its own bias."
)
def _(side: int, maps: int, inputs: int) -> int:
    return side * side * (maps * inputs + 1)


@solves(
    "larger-page",
    title="A larger page",
    task="The authors call C5 a convolution, though it makes maps of one unit, because on a larger image the maps "
    "would be larger. Predict first: how many units a side has a map of C5 when the image is 64 by 64? "
    "Then build it: `models.create('lenet5', input_shape=(64, 64, 1)).get_layer('C5').output.shape`.",
    hints=(
        "Follow one side through the layers: minus 4, halved, minus 4, halved, minus 4.",
        "Or at once: a window of 32 that moves in steps of 4, since there are two halvings before it.",
    ),
)
def larger_page() -> int:
    return 9


larger_page.wrong(2, "Twice the image is not twice the map: the window of 32 can stand in between too.")
larger_page.wrong(33, "You moved the window by one pixel; the two subsamplings make its step four.")
larger_page.wrong(8, "64 - 32 over 4 counts the steps; the window also stands where it begins.")
larger_page.wrong(1, "That is the map for 32 by 32; here there is room to slide.")
larger_page.wrong(81, "That is the number of units in the whole map; a side was asked for.")


@solves(
    "seen-by",
    title="Rebuild the table",
    task="Write `seen_by(j)`: the sorted list of the maps of S2 (0 to 5) that map `j` of C3 looks at, for the first "
    "twelve maps. Maps 0 to 5 see three neighbours, beginning with map `j`; maps 6 to 11 see four, beginning "
    "with map `j - 6`. The six maps stand in a ring: after 5 comes 0. `seen_by(4)` is `[0, 4, 5]`.",
    hints=("`%` closes the ring.", "(j - 6) % 6 and j % 6 are the same."),
    inputs=[(j,) for j in range(12)],
)
def seen_by(j: int) -> list[int]:
    size = 3 if j < 6 else 4
    return sorted((j + step) % 6 for step in range(size))


@seen_by.mistake("The ring is open: after map 5 comes map 0, and there is no map 6.")
def _(j: int) -> list[int]:
    size = 3 if j < 6 else 4
    return [j % 6 + step for step in range(size)]


@seen_by.mistake("The right maps, but not sorted.")
def _(j: int) -> list[int]:
    size = 3 if j < 6 else 4
    return [(j + step) % 6 for step in range(size)]


@seen_by.mistake("Maps 6 to 11 look at four maps, not at three.")
def _(j: int) -> list[int]:
    return sorted((j + step) % 6 for step in range(3))


@solves(
    "turned-ink",
    title="Break it: white ink",
    task="The net was trained on bright ink on dark paper. Turn the test digits into dark ink on bright paper "
    "(`1 - x_test`, before `prepare`), and let the net with the weights `mnist` read them. Which share "
    "of the "
    "445 does it still get right? Predict, then measure; two decimals are enough.",
    hints=(
        "Chance is 0.10.",
        "`scores = np.asarray(reader(card.prepare(1 - x_test)))`, then compare `scores.argmax(axis=1)` with `y_test`.",
    ),
    tolerance=0.015,
)
def turned_ink() -> float:
    return 0.02


turned_ink.wrong(0.10, "That is chance, the natural guess; the net does worse than chance. Measure it.")
turned_ink.wrong(0.76, "That is the share for the digits as they are; turn the ink first.")

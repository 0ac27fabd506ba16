"""Claims and exercises of chapter models/lenet."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

_1998 = "doi:10.1109/5.726791"

QUESTION = "What did each part of LeNet-5 buy?"

CLAIMS = {
    "lenet5-params": Claim("LeNet-5 has {measured} trainable parameters.", _1998),
    "lenet5-connections": Claim("LeNet-5 has {measured} connections.", _1998),
    "lenet5-c5-sees-all": Claim(
        "A unit of C5 sees the whole image, {measured} pixels.", _1998, ledger=("lenet5-input-32",)
    ),
    "lenet5-modern-params": Claim(
        "With a full C3, plain pooling and a dense output LeNet-5 has {measured} parameters.", "arithmetic"
    ),
    "lenet5-depth": Claim(
        "LeNet-5 has {measured} layers: the first as the paper counts, with the subsampling that learns, the second as what "
        "convolves or is dense is counted today.",
        _1998,
    ),
    "lenet5-average-pooling": Claim(
        "LeNet-5's subsampling is an average only while its coefficients are 1/4; after training {measured} of the 22 are more "
        "than a tenth away from that.",
        _1998,
    ),
    "c3-breaks-symmetry": Claim(
        "Of C3's 16 maps so many differ, from equal and from random kernels: {measured}.", _1998
    ),
    "c3-table-is-even": Claim("Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"),
    "maximum-leads-subsampling": Claim(
        "Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"
    ),
    "subsampling-leads-average": Claim(
        "Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"
    ),
    "codes-lead-dense": Claim("Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"),
    "relu-leads-tanh": Claim("Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"),
    "nearest-neighbour-trails": Claim(
        "Of MNIST's test digits, {measured}.", "measured here, 2,000 training digits"
    ),
    "lenet5-f6-draws": Claim(
        "Where the ten codes differ, a share of {measured} of the pixels that F6 draws is that of the digit's own code.",
        _1998,
    ),
    "lenet5-mnist": Claim(
        "With each of five seeds LeNet-5, trained here on all of MNIST, reads a share of at least {measured} of its test digits.",
        _1998,
        ledger=("lenet5",),
    ),
}

BREAKS = {
    "lenet5-average-pooling": Break(
        "the net was not trained",
        old='reader = models.create("lenet5", weights="mnist")',
        new='reader = models.create("lenet5")',
    ),
    "c3-breaks-symmetry": Break(
        "the table joins all maps", old='("table", table)):', new='("table", np.ones((6, 16), dtype=int))):'
    ),
    "c3-table-is-even": Break(
        "it is the pooling that is exchanged, and not the table",
        old='parts.lead("full C3", over="LeNet-5")',
        new='parts.lead("max pooling", over="LeNet-5")',
    ),
    "maximum-leads-subsampling": Break(
        "the average is taken in place of the maximum",
        old='parts.lead("max pooling", over="LeNet-5")',
        new='parts.lead("average pooling", over="LeNet-5")',
    ),
    "subsampling-leads-average": Break(
        "the maximum is taken instead of the average",
        old='parts.lead("LeNet-5", over="average pooling")',
        new='parts.lead("LeNet-5", over="max pooling")',
    ),
    "codes-lead-dense": Break(
        "the net that should lead gives up its codes, and the other keeps them",
        old='parts.lead("LeNet-5", over="dense output")',
        new='parts.lead("dense output", over="full C3")',
    ),
    "relu-leads-tanh": Break(
        "no net has a ReLU, and one of them no learned subsampling",
        old='parts.lead("ReLU", over="LeNet-5")',
        new='parts.lead("average pooling", over="LeNet-5")',
    ),
    "nearest-neighbour-trails": Break(
        "a net with maxima takes the place of the look-up",
        old='parts.lead("LeNet-5", over="nearest neighbour")',
        new='parts.lead("LeNet-5", over="max pooling")',
    ),
    "lenet5-f6-draws": Break(
        "the net was not trained",
        old='reader = models.create("lenet5", weights="mnist")',
        new='reader = models.create("lenet5")',
    ),
    "lenet5-mnist": Break(
        "a linear reader of the pixels takes its place",
        old="measured=float(mnist.test_accuracy.min())",
        new='measured=parts.rivals["linear, raw values"].test',
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
    title="Parameters are shared, connections are not (compute)",
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


@count_connections.mistake(
    "One bias a map is right for parameters. As connections they are counted where they are used: at every unit."
)
def _(side: int, maps: int, inputs: int) -> int:
    return side * side * maps * inputs + maps


@solves(
    "larger-page",
    title="A larger page (predict, then check)",
    task="The authors call C5 a convolution, though it makes maps of one unit, because on a larger image the maps "
    "would be larger. Predict first: how many units a side has a map of C5 when the image is 64 by 64? Assign it to `prediction`. "
    "Then build it: `models.create('lenet5', input_shape=(64, 64, 1)).get_layer('C5').output.shape`.",
    hints=(
        "Follow one side through the layers: minus 4, halved, minus 4, halved, minus 4.",
        "Or at once: a window of 32 that moves in steps of 4, since there are two halvings before it.",
    ),
    name="prediction",
)
def larger_page() -> int:
    return 9


larger_page.wrong(2, "Twice the image is not twice the map: the window of 32 can stand in between too.")
larger_page.wrong(33, "You moved the window by one pixel; the two subsamplings make its step four.")
larger_page.wrong(13, "That is a side of S4; C5 is a convolution too, and takes four more away.")
larger_page.wrong(16, "The two halvings alone would leave 16; each convolution takes four more away.")
larger_page.wrong(8, "64 - 32 over 4 counts the steps; the window also stands where it begins.")
larger_page.wrong(1, "That is the map for 32 by 32; here there is room to slide.")
larger_page.wrong(81, "That is the number of units in the whole map; a side was asked for.")


@solves(
    "seen-by",
    title="Rebuild the table (build)",
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
    title="White paper (break)",
    task="The net was trained on light ink on dark paper. Turn the 445 digits of `x_test` into dark ink on light paper "
    "(`1 - x_test`, before `card.prepare`), and let `reader` read them. Which share does it get right? Guess, measure, and "
    "assign what you measured to `share`; two decimals are enough.",
    hints=(
        "Chance is 0.10.",
        "`scores = np.asarray(reader(card.prepare(1 - x_test)))`, then compare `scores.argmax(axis=1)` with `y_test`.",
    ),
    tolerance=0.015,
    name="share",
)
def turned_ink() -> float:
    return 0.02


turned_ink.wrong(0.10, "That is chance, the natural guess; the net does worse than chance. Measure it.")
turned_ink.wrong(0.76, "That is the share for the digits as they are; turn the ink first.")
turned_ink.wrong(1.8, "That is in per cent, or near it; a share lies between 0 and 1.")
turned_ink.wrong(2, "That is in per cent; a share lies between 0 and 1.")
turned_ink.wrong(0.98, "That is the share that it gets wrong; the share that it gets right was asked for.")

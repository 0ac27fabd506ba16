"""Claims and exercises of chapter origins/learned-kernels."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

ZIP = "doi:10.1162/neco.1989.1.4.541"
HERE = "measured here"

QUESTION = "Who draws the kernels?"

CLAIMS = {
    "drawn-beats-linear": Claim(
        "With 2,000 digits to learn from, {measured}.",
        source="after Denker et al., NIPS 1, 323-331",
        ledger=("denker-1989-zip",),
    ),
    "drawn-beats-shuffled": Claim("Under one head, {measured}.", source=HERE),
    "learned-beats-drawn": Claim(
        "Under one head, {measured}.", source=HERE, ledger=("lecun-1989-backprop-digits",)
    ),
    "learned-beats-drawn-of-few": Claim("With 500 digits to learn from, {measured}.", source=HERE),
    "head-was-the-weakness": Claim(
        "Without kernels, two dense layers that read every pixel read {measured} points more digits than the best that they ever read from the "
        "largest of each of 16 blocks.",
        source=HERE,
    ),
    "kernels-still-help": Claim("Under the same two dense layers, {measured}.", source=HERE),
    "weights-of-1989": Claim("The net of 1989 learns {measured} weights and biases.", source=ZIP),
    "connections-of-1989": Claim("It has {measured} connections.", source=ZIP),
    "first-layer-learned": Claim(
        "In the first layer of the net of 1989, learned kernels and shuffled ones differ by {measured} points, the mean of five seeds.",
        source=HERE,
    ),
    "first-layer-drawn": Claim(
        "There drawn ones and shuffled ones differ by {measured} points.", source=HERE
    ),
    "letters-where-taught": Claim(
        "Taught 26 letters at one place, Zhang's net reads a share of {measured} fewer one pixel beside it: the least of five seeds.",
        source="after doi:10.1364/AO.29.004790",
    ),
    "net-beats-threshold": Claim(
        "Of the borders of cells under uneven light, {measured}.",
        source="after doi:10.1364/AO.30.004211",
        ledger=("zhang-medical-1991-1994",),
    ),
    "net-beats-drawn": Claim("Of the same borders, {measured}.", source=HERE),
    "net-beats-one-kernel": Claim("Of the same borders, {measured}.", source=HERE),
}

BREAKS = {
    "drawn-beats-linear": Break(
        "the head reads the picture in blocks, without kernels",
        old='under.lead("drawn", over="linear, raw values")',
        new='np.mean([row.test for row in under.verdict_rows("none")]) - under.rivals["linear, raw values"].test',
    ),
    "drawn-beats-shuffled": Break(
        "nothing is drawn",
        old='under.lead("drawn", over="shuffled")',
        new='under.lead("none, every place", over="shuffled")',
    ),
    "learned-beats-drawn": Break(
        "the kernels do not learn",
        old='claim("learned-beats-drawn", under.lead("learned",',
        new='claim("learned-beats-drawn", under.lead("shuffled",',
    ),
    "learned-beats-drawn-of-few": Break(
        "the kernels do not learn",
        old='heads[500].lead("learned", over="drawn")',
        new='heads[500].lead("shuffled", over="drawn")',
    ),
    "head-was-the-weakness": Break(
        "the blocks are of maps, not of the picture",
        old='if row.arm == "none")',
        new='if row.arm == "drawn")',
    ),
    "kernels-still-help": Break(
        "the blocks take away what the kernels would bring: the picture in blocks",
        old='under.lead("drawn, every place", over="none, every place")',
        new='(mean(under, "none") - mean(under, "none, every place")) / 100',
    ),
    "first-layer-learned": Break(
        "behind the kernels learn the two dense layers of the head above, and no other kernels",
        old='100 * abs(float(leads["learned"]))',
        new='100 * abs(float(under.lead("learned", over="shuffled")))',
    ),
    "first-layer-drawn": Break(
        "behind the kernels learn the two dense layers of the head above, and only 500 digits teach them",
        old='100 * abs(float(leads["drawn"]))',
        new='100 * abs(float(heads[500].lead("drawn", over="shuffled")))',
    ),
    "letters-where-taught": Break(
        "the last layer sees the largest answer of each plane, wherever it is",
        old="letters = origins.siann()",
        new="letters = origins.siann()\n"
        "    top = keras.layers.GlobalMaxPooling2D()(letters.get_layer('planes2').output)\n"
        "    letters = keras.Model(letters.input, keras.layers.Dense(26)(top))",
    ),
    "net-beats-threshold": Break(
        "the net sees one pixel, not its neighbourhood",
        old='cells.lead("learned", over="one threshold")',
        new='cells.lead("learned, one pixel", over="one threshold")',
    ),
    "net-beats-drawn": Break(
        "the net sees one pixel, not its neighbourhood",
        old='cells.lead("learned", over="drawn: local mean")',
        new='cells.lead("learned, one pixel", over="drawn: local mean")',
    ),
    "net-beats-one-kernel": Break(
        "the net learns at a third of the rate, and is not finished",
        old='cells.lead("learned", over="one learned kernel")',
        new="np.mean([row.test for row in cells.rows if row.arm == 'learned' and row.rate == 0.01]) "
        '- cells.rivals["one learned kernel"].test',
    ),
}


@solves(
    "count-connections",
    title="Compute: the connections of 1989",
    task="A unit of H1 sees 5 × 5 pixels of the picture, a unit of H2 sees 5 × 5 places in eight maps of H1, and each unit has a "
    "bias besides. H1 has twelve maps of 8 × 8 units, H2 twelve of 4 × 4. Every number that a unit takes in is a connection, "
    "its bias too. Assign to `answer` a list: how many connections has H1, and how many has H2?",
    hints=(
        "Sharing does not matter here: a connection is counted wherever it is used.",
        "Units times what one unit takes in. H1 has 12 · 64 units, and each takes in 25 pixels and its bias.",
    ),
)
def count_connections() -> list[int]:
    return [12 * 64 * 26, 12 * 16 * 201]


count_connections.wrong([12 * 64 * 25, 12 * 16 * 200], "You left out the biases: each unit has one.")
count_connections.wrong(
    [12 * 64 * 26, 12 * 16 * 26], "H1 is right. A unit of H2 looks into eight maps at once, not into one."
)
count_connections.wrong(
    [12 * 64 * 26, 12 * 16 * 301], "H1 is right. A unit of H2 sees only eight of the twelve maps."
)
count_connections.wrong(
    [12 * 25 + 12 * 64, 12 * 200 + 12 * 16],
    "Those are the numbers that are learned, a shared kernel once; a connection is counted wherever it is used.",
)
count_connections.wrong([12 * 16 * 201, 12 * 64 * 26], "Right numbers, but H1 comes first.")


def _sizes(rng: np.random.Generator) -> Cases:
    yield "a square and a kernel of three", (5, 5, 3)
    yield "a kernel of one", (3, 4, 1)
    yield "a kernel as large as the picture", (4, 4, 4)
    yield "wide", (4, 9, 3)
    yield "tall", (8, 5, 2)
    yield "drawn", tuple(int(n) for n in (*rng.integers(6, 12, 2), 5))


@solves(
    "who-hears-most",
    title="Predict, then check: which pixel hears most?",
    task="A kernel of `side` × `side` goes over a picture of `height` × `width`, stride 1, no padding. Going back, each "
    "place of the map sends its error to the pixels that it read. How many errors does each pixel get? First predict for "
    "5 × 5 and a kernel of 3: what do a corner, the middle of an edge and the centre get? Then write "
    "`errors_heard(height, width, side)`, a matrix of whole numbers. For `(2, 3, 2)` it is `[[1, 2, 1], [1, 2, 1]]`.",
    hints=(
        "Begin with zeros of the picture's size, and go over the places of the map: which pixels did each read?",
        "The place (i, j) read rows i to i + side - 1 and columns j to j + side - 1; there are height - side + 1 rows of places.",
    ),
    inputs=_sizes,
)
def errors_heard(height: int, width: int, side: int) -> np.ndarray:
    heard = np.zeros((height, width), int)
    for i in range(height - side + 1):
        for j in range(width - side + 1):
            heard[i : i + side, j : j + side] += 1
    return heard


@errors_heard.mistake(
    "You let every pixel hear side × side errors; at the rim fewer windows fit, and a corner lay in one."
)
def _(height: int, width: int, side: int) -> np.ndarray:
    return np.full((height, width), side * side)


@errors_heard.mistake(
    "You counted the places of a map with padding; here the kernel stays within the picture."
)
def _(height: int, width: int, side: int) -> np.ndarray:
    rows, columns = (np.convolve(np.ones(n, int), np.ones(side, int), "same") for n in (height, width))
    return np.outer(rows, columns)[:height, :width]


@errors_heard.mistake("That has the size of the map; the question is about the picture's pixels.")
def _(height: int, width: int, side: int) -> np.ndarray:
    return np.full((height - side + 1, width - side + 1), side * side)


@errors_heard.mistake("You stopped one place short: a kernel of k fits at n - k + 1 places.")
def _(height: int, width: int, side: int) -> np.ndarray:
    heard = np.zeros((height, width), int)
    for i in range(height - side):
        for j in range(width - side):
            heard[i : i + side, j : j + side] += 1
    return heard


def _strides(rng: np.random.Generator) -> Cases:
    yield "stride 1", (rng.normal(size=(5, 6)), rng.normal(size=(3, 4)), 1, 3)
    yield "stride 2, a row that nothing read", (rng.normal(size=(8, 9)), rng.normal(size=(3, 4)), 2, 3)
    yield "stride 3, a kernel of two", (rng.normal(size=(8, 5)), rng.normal(size=(3, 2)), 3, 2)
    yield "one place", (rng.normal(size=(4, 4)), np.array([[-2.0]]), 2, 4)
    yield "stride 2, a wide map", (rng.normal(size=(5, 11)), rng.normal(size=(2, 5)), 2, 3)
    yield "integers", (rng.integers(-3, 4, (7, 7)), rng.integers(-3, 4, (3, 3)), 2, 3)


@solves(
    "stepping-kernel",
    title="Build: the gradient of a kernel that takes steps",
    task="On the page the kernel moves by one pixel. H1 and H2 move by two. Write "
    "`kernel_gradient(x, dy, stride, side)` for $y_{ij} = \\sum_{m,n} w_{mn}\\,x_{si+m,\\,sj+n}$: from the picture, the error "
    "at the map, the stride and the kernel's side give the gradient of the kernel, `(side, side)`. No padding; at the right "
    "and at the bottom pixels may be left that no window read. For `x = [[1, 2, 3, 4]]`-like rows think of two windows, "
    "`[1, 2]` and `[3, 4]`: with stride 2 and errors 1 and 10 the two weights hear 31 and 42.",
    hints=(
        "Which window did the place (i, j) of the map read? Its error multiplies each pixel of that window.",
        "The window begins at row stride * i and column stride * j; add dy[i, j] times it to a matrix of zeros.",
    ),
    inputs=_strides,
)
def kernel_gradient(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    dw = np.zeros((side, side))
    for i, j in np.ndindex(dy.shape):
        top, left = stride * i, stride * j
        dw += dy[i, j] * x[top : top + side, left : left + side]
    return dw


@kernel_gradient.mistake("You took windows one pixel apart; place i of the map began at row stride · i.")
def _(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    return kernel_gradient(x, dy, 1, side)


@kernel_gradient.mistake(
    "The right numbers, turned by 180 degrees: on the way to the kernel nothing is flipped."
)
def _(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    return kernel_gradient(x, dy, stride, side)[::-1, ::-1]


@kernel_gradient.mistake(
    "You turned the error round, as a true convolution does; on the way to the kernel nothing is flipped."
)
def _(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    return kernel_gradient(x, dy[::-1, ::-1], stride, side)


@kernel_gradient.mistake("You took the mean over the places; each place adds its share, so it is a sum.")
def _(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    return kernel_gradient(x, dy, stride, side) / dy.size


@kernel_gradient.mistake("You added the windows without their errors.")
def _(x: np.ndarray, dy: np.ndarray, stride: int, side: int) -> np.ndarray:
    return kernel_gradient(x, np.ones(dy.shape), stride, side)


@solves(
    "begin-at-zero",
    title="Break: begin at nothing",
    task="Set all eight arrays of the net of 1989 to zero (`scratch.net_of_1989` takes them in the order kernel, bias, "
    "kernel, bias, ...), show it a digit with targets of ±1, and go backward once. Assign to `answer` "
    "the list of "
    "the numbers, 0 to 7, of the arrays whose gradient is not all zero. First think, then try.",
    hints=(
        "What are the answers of H1, H2 and H3 when every weight is zero?",
        "A weight's gradient is what came in times the error that comes back; a bias needs the error alone. "
        "And the error passes through the weights.",
    ),
)
def begin_at_zero() -> list[int]:
    return [7]


begin_at_zero.wrong([6, 7], "The last kernel multiplies H3, and H3 is all zeros: nothing came in.")
begin_at_zero.wrong(
    [], "The outputs are 0 and the targets ±1: there is an error, and one array hears of it directly."
)
begin_at_zero.wrong(
    [1, 3, 5, 7],
    "Biases need no input, true, but the error must reach them: it goes back through kernels of zeros.",
)
begin_at_zero.wrong([0, 1, 2, 3, 4, 5, 6, 7], "The error would have to pass back through kernels of zeros.")

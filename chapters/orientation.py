"""Claims, breaks and exercises of chapter orientation."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

LECUN1998, HERE = "doi:10.1109/5.726791", "this page"

QUESTION = "What does a convolutional network do that another network does not?"

CLAIMS = {
    "cnn-definition": Claim(
        "Where digits are moved, with as many weights, {measured}.",
        source=LECUN1998,
    ),
    "wide-dense": Claim(
        "Where digits are moved, with as many multiplications, {measured}.",
        source=HERE,
    ),
    "moved-over-neighbour": Claim(
        "Where digits are moved, {measured}.",
        source=HERE,
    ),
    "told-about-place": Claim(
        "Where digits are moved, and the rival may shift each into the middle first, {measured}.",
        source=HERE,
    ),
    "sharing-is-worth": Claim(
        "Where digits are moved, {measured}.",
        source=LECUN1998,
        ledger=("three-design-principles",),
    ),
    "local-before-shared": Claim(
        "Where digits are moved, {measured}.",
        source=HERE,
    ),
    "locality-is-worth": Claim(
        "Where digits are moved, {measured}.",
        source=LECUN1998,
    ),
    "whole-not-small": Claim(
        "Where digits are moved, wide windows without gaps serve as well as small ones, give or take three points: {measured}.",
        source=HERE,
    ),
    "pooling-is-worth": Claim(
        "Where digits are moved, {measured}.",
        source=LECUN1998,
    ),
}

BREAKS = {
    "cnn-definition": Break(
        "every digit lies in the middle",
        old='moved.lead("convolutional", over="dense")',
        new='centred.lead("convolutional", over="dense")',
    ),
    "wide-dense": Break(
        "every digit lies in the middle",
        old='moved.lead("convolutional", over="wide dense")',
        new='centred.lead("convolutional", over="wide dense")',
    ),
    "moved-over-neighbour": Break(
        "every digit lies in the middle",
        old='moved.lead("convolutional", over="nearest neighbour")',
        new='centred.lead("convolutional", over="nearest neighbour")',
    ),
    "sharing-is-worth": Break(
        "the other net shares its kernels, which are only wider",
        old='moved.lead("convolutional", over="not shared")',
        new='moved.lead("convolutional", over="gaps filled")',
    ),
    "local-before-shared": Break(
        "the kernels are shared and not local",
        old='moved.lead("not shared", over="wide dense")',
        new='moved.lead("not local", over="wide dense")',
    ),
    "locality-is-worth": Break(
        "the gaps in the kernels are filled",
        old='moved.lead("convolutional", over="not local")',
        new='moved.lead("convolutional", over="gaps filled")',
    ),
    "whole-not-small": Break(
        "the wide windows have gaps",
        old='moved.lead("gaps filled", over="convolutional")',
        new='moved.lead("not local", over="convolutional")',
    ),
    "pooling-is-worth": Break(
        "the other net pools, and only its kernels are wider",
        old='moved.lead("convolutional", over="not pooled")',
        new='moved.lead("convolutional", over="gaps filled")',
    ),
    "told-about-place": Break(
        "the rival gets no hint",
        old='over="nearest neighbour, centred first")',
        new='over="nearest neighbour")',
    ),
}


def _budgets(rng: np.random.Generator) -> Cases:
    yield "the example", (1000, 64, 10)
    yield "exactly enough for two units", (14, 3, 2)
    yield "one weight too few for two units", (13, 3, 2)
    yield "exactly enough for ten units", (62, 3, 2)
    yield "one weight too few for ten units", (61, 3, 2)
    yield "one input and one class", (9, 1, 1)
    for _ in range(4):
        yield (
            "drawn",
            (int(rng.integers(2_000, 30_000)), int(rng.integers(20, 800)), int(rng.integers(2, 20))),
        )


@solves(
    "same-budget",
    title="Compute: a fair opponent",
    task="To compare a CNN with a dense net, both must have the same budget. Write a function that gives the "
    "widest hidden layer of a net `inputs` → hidden → `classes` (dense layers, with biases) that has at "
    "most `budget` parameters. For example `widest(1000, 64, 10)` is 13.",
    hints=(
        "How many parameters does one more hidden unit bring, on its way in and on its way out?",
        "A hidden unit has `inputs` weights, a bias, and `classes` weights that lead out of it. "
        "The classes' own biases are there in any case.",
    ),
    inputs=_budgets,
)
def widest(budget: int, inputs: int, classes: int) -> int:
    return (budget - classes) // (inputs + 1 + classes)


@widest.mistake("you left the biases out: one for each hidden unit and one for each class.")
def _(budget: int, inputs: int, classes: int) -> int:
    return budget // (inputs + classes)


@widest.mistake("you left out the biases of the classes: there is one for each.")
def _(budget: int, inputs: int, classes: int) -> int:
    return budget // (inputs + 1 + classes)


@widest.mistake("the weights from the hidden layer to the classes cost something too.")
def _(budget: int, inputs: int, classes: int) -> int:
    return budget // inputs


@widest.mistake("a layer has a whole number of units: round down.")
def _(budget: int, inputs: int, classes: int) -> float:
    return (budget - classes) / (inputs + 1 + classes)


@solves(
    "parameters-on-mnist",
    title="Predict, then check: the same net on larger pictures",
    task="The net of this chapter has 9,802 weights on pictures of 16 × 16. How many has it on pictures of 28 × 28, "
    "the size of MNIST's? Work it out on paper before you ask Keras: which layers change, and which do not?",
    hints=(
        "A kernel does not know how large the picture is.",
        "28 is halved to 14 and to 7. How long is the vector that the first dense layer sees?",
    ),
)
def parameters_on_mnist() -> int:
    return 8 * (9 + 1) + 16 * (9 * 8 + 1) + 32 * (7 * 7 * 16 + 1) + 10 * (32 + 1)


parameters_on_mnist.wrong(
    9802, "the convolutions stay as they are, but the first dense layer sees a longer vector."
)
parameters_on_mnist.wrong(
    8 * 9 + 16 * 9 * 8 + 32 * 7 * 7 * 16 + 10 * 32,
    "you left the biases out: one for each kernel and one for each dense unit.",
)
parameters_on_mnist.wrong(
    8 * 10 + 16 * 10 + 32 * (7 * 7 * 16 + 1) + 10 * 33,
    "a kernel of the second layer spans all 8 maps of the first: 3 × 3 × 8 weights, not 3 × 3.",
)
parameters_on_mnist.wrong(
    8 * (9 + 1) + 16 * (9 * 8 + 1) + 32 * (14 * 14 * 16 + 1) + 10 * (32 + 1),
    "you halved the sides once; there are two poolings.",
)
parameters_on_mnist.wrong(
    8 * (9 + 1) + 16 * (9 * 8 + 1) + 32 * (28 * 28 * 16 + 1) + 10 * (32 + 1),
    "you forgot the pooling: the two halvings leave 7 × 7 positions.",
)


def _pictures(rng: np.random.Generator) -> Cases:
    def drawn(picture: tuple[int, ...], kernels: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        return tuple(rng.normal(size=shape).round(2) for shape in (picture, kernels, kernels[3:]))

    yield "drawn", drawn((6, 8, 3), (3, 3, 3, 4))
    yield "kernels that are not square", drawn((5, 7, 2), (2, 3, 2, 5))
    yield "kernels of one pixel", drawn((4, 4, 1), (1, 1, 1, 2))
    yield "kernels as large as the picture", drawn((3, 2, 2), (3, 2, 2, 1))
    yield (
        "integers",
        (rng.integers(-3, 4, (5, 6, 2)), rng.integers(-2, 3, (3, 3, 2, 2)), np.array([0, 1])),
    )
    yield "an empty picture", (np.zeros((4, 5, 2)), np.ones((3, 3, 2, 2)), np.array([0.5, -0.5]))


@solves(
    "feature-maps",
    title="Build: a whole layer",
    task="The page asks one question of a grey picture. A layer asks several, of a picture with channels. Write it: "
    "for `picture` of shape `(H, W, C)`, `kernels` of shape `(k, l, C, K)` and `bias` of shape `(K,)` give the `K` "
    "feature maps, `(H - k + 1, W - l + 1, K)`. Use each kernel as it is, wherever it fits; sum over its window and over "
    "all channels, add its bias, and let what is negative be zero.",
    hints=(
        "Two loops over the places, as on the page; `picture[i:i + k, j:j + l]` now has the shape `(k, l, C)`.",
        "The window times `kernels[..., m]` has one number for each weight of kernel m: its sum, with the bias, is the answer.",
    ),
    inputs=_pictures,
)
def feature_maps(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    k, l, _, count = kernels.shape
    rows, columns = picture.shape[0] - k + 1, picture.shape[1] - l + 1
    maps = np.empty((rows, columns, count))
    for i in range(rows):
        for j in range(columns):
            window = picture[i : i + k, j : j + l]
            maps[i, j] = np.tensordot(window, kernels, axes=3) + bias
    return np.maximum(maps, 0)


def _linear(picture: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    k, l = kernels.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (k, l), axis=(0, 1))
    return np.einsum("ijckl,klcm->ijm", windows, kernels)


@feature_maps.mistake("the sums are right, but negative answers should have become zero.")
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return _linear(picture, kernels) + bias


@feature_maps.mistake("you left the biases out.")
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.maximum(_linear(picture, kernels), 0)


@feature_maps.mistake("the bias belongs inside: add it first, and only then let what is negative be zero.")
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.maximum(_linear(picture, kernels), 0) + bias


@feature_maps.mistake(
    "you turned the kernels upside down: that is true convolution; here each is used as it is."
)
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.maximum(_linear(picture, kernels[::-1, ::-1]) + bias, 0)


@feature_maps.mistake("you stopped one place short: a window of k fits at n - k + 1 places.")
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.maximum(_linear(picture, kernels) + bias, 0)[:-1, :-1]


@feature_maps.mistake("you used the first channel alone: a kernel sums over all of them.")
def _(picture: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.maximum(_linear(picture[..., :1], kernels[:, :, :1]) + bias, 0)


def _moves(rng: np.random.Generator) -> Cases:
    for row, column in ((0, 0), (3, 5), (6, 4), (5, 2)):
        dot = np.zeros((8, 8))
        dot[row, column] = 1.0
        yield "a dot, blocks of 2", (dot, 2)
        yield "a dot, blocks of 4", (dot, 4)
    stripes = np.tile([[1.0, 0.5, 1.0, 0.25]], (4, 1))
    yield "the same maxima with other means", (stripes, 2)
    yield "all below zero", (-stripes, 2)
    yield "the same means with other maxima", (np.tile([[1.0, 0.0, 0.5, 0.5]], (2, 1)), 2)
    yield "integers, all alike", (np.ones((4, 6), int), 2)
    yield "a slanting line", (np.eye(6), 3)
    yield "a dot that goes round the edge of a wide picture", (np.eye(1, 18, 5).reshape(3, 6), 3)
    yield "a dot that goes round the edge of a tall picture", (np.eye(1, 18, 2).reshape(6, 3), 3)
    noise = rng.normal(size=(4, 12)).round(2)
    yield "a row of blocks", (noise, 4)
    yield "blocks of one pixel", (noise, 1)
    yield "the same along every row", (np.repeat(noise[:, :1], 12, axis=1), 2)
    yield "the same along every column", (np.repeat(noise[:1], 4, axis=0), 2)
    yield "a single block", (noise[:, :4], 4)


@solves(
    "move-by-one-pixel",
    title="Break: how much of a shift does pooling forgive?",
    task="Pooling is said to make a net indifferent to small shifts. Put it to the test. Write a function that "
    "says (`True` or `False`) whether max pooling of `picture` in blocks of `size` × `size` gives the same "
    "result before and after the picture is moved one pixel to the right. What leaves on the right comes in "
    "on the left (`np.roll`); the sides divide by `size`. Then try it on dots at different places.",
    hints=(
        "`x.reshape(rows // size, size, columns // size, size).max(axis=(1, 3))` pools without a loop.",
        "A dot stays in its block unless it stood at the block's right edge.",
    ),
    inputs=_moves,
)
def survives(picture: np.ndarray, size: int) -> bool:
    rows, columns = picture.shape

    def pool(x):
        return x.reshape(rows // size, size, columns // size, size).max(axis=(1, 3))

    return bool(np.array_equal(pool(picture), pool(np.roll(picture, 1, axis=1))))


@survives.mistake("you moved the picture down: axis 0 runs over rows, axis 1 over columns.")
def _(picture: np.ndarray, size: int) -> bool:
    return survives(picture.T, size)


@survives.mistake("you took the mean of each block: max pooling keeps its largest number.")
def _(picture: np.ndarray, size: int) -> bool:
    def pool(x):
        return x.reshape(x.shape[0] // size, size, -1, size).mean(axis=(1, 3))

    return bool(np.allclose(pool(picture), pool(np.roll(picture, 1, axis=1))))


@survives.mistake("you compared the pictures themselves; pool both first.")
def _(picture: np.ndarray, size: int) -> bool:
    return bool(np.array_equal(picture, np.roll(picture, 1, axis=1)))

"""Claims and exercises of chapter orientation."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

LECUN1998, LECUN2015, ZEILER = "doi:10.1109/5.726791", "doi:10.1038/nature14539", "arXiv:1311.2901"

QUESTION = "What does a convolutional network do that another network does not?"

CLAIMS = {
    "eli5-cat-explanation": Claim(
        "Two layers of little questions, asked everywhere, find both eyes of the cat (pixels from the nearer eye).",
        source="this page",
    ),
    "canonical-pipeline": Claim(
        "The standard layout is [convolution, ReLU, pooling] N times, flatten, dense, dense.",
        source=LECUN2015,
    ),
    "layer-types-overview": Claim(
        "Convolutions and dense layers hold every parameter; activation, pooling and flattening have none.",
        source="arithmetic",
    ),
    "pipeline-by-hand": Claim(
        "Six lines of NumPy give the scores of the Keras model, to four decimals.", source="this page"
    ),
    "grid-data-types": Claim(
        "One layer for each kind of grid: sound (1-D), pictures (2-D), volumes and films (3-D).",
        source=LECUN2015,
    ),
    "input-tensor-shape": Claim(
        "A batch of pictures is batch × height × width × channels: 3 channels in colour, 1 in grey.",
        source="Keras documentation",
    ),
    "feature-map-shape": Claim(
        "K kernels give K maps of side ⌊(n + 2p − k)/s⌋ + 1: settings that do, of 162 run, with padding and stride.",
        source="arXiv:1603.07285",
        ledger=("seed-000-broken-fences",),
    ),
    "shift-moves-the-map": Claim(
        "A convolution answers to a moved picture with the same map, moved: the older name SIANN calls it "
        "shift-invariant or space-invariant.",
        source="doi:10.1364/AO.29.004790",
        ledger=("cnn-aliases",),
    ),
    "differentiable-stack": Claim(
        "Every weight of the stack gets a finite gradient from the loss at its end.", source=LECUN1998
    ),
    "first-net-reads-digits": Claim(
        "A net with 3,658 parameters reads handwritten digits that it has not seen.", source="this page"
    ),
    "feature-hierarchy-low": Claim(
        "First-layer kernels grow towards edges, bars and corners: learnt minus untrained likeness, median.",
        source=ZEILER,
    ),
    "favourites-are-alike": Claim(
        "The patches that excite one second-layer map most are alike: correlation, less that of patches anywhere.",
        source=ZEILER,
    ),
    "feature-hierarchy-mid": Claim(
        "The middle layers' favourite patches are offered as proof of what was learnt; those of an untrained map are "
        "nearly as alike: learnt minus untrained correlation.",
        source=ZEILER,
    ),
    "feature-hierarchy-high": Claim(
        "After two blocks a linear reader knows more digits if the blocks were trained: learnt minus untrained "
        "accuracy, median of the seeds.",
        source=ZEILER,
    ),
    "depth-pays-when-trained": Claim(
        "What learning adds grows from the first block to the second: by how much, in accuracy.",
        source="this page",
    ),
    "context-widens": Claim(
        "A unit further in sees more of the picture: 5 pixels a side after one layer, 14 after the second.",
        source="arithmetic",
    ),
    "learned-not-engineered-features": Claim(
        "Learnt first-layer kernels beat a hand-made bank of Gabor filters, same size, same linear reader.",
        source=LECUN1998,
    ),
    "three-design-principles": Claim(
        "On scattered digits, at one budget, taking out the window, sharing or pooling costs accuracy "
        "(the smallest loss, medians of five seeds).",
        source=LECUN1998,
    ),
    "window-and-sharing-on-centred": Claim(
        "On centred digits the three ideas hardly matter: six nets of one budget lie close together "
        "(spread of their medians).",
        source="this page",
    ),
    "window-needs-sharing": Claim(
        "A window without sharing does no better than a dense net of the same budget (gain, medians).",
        source="this page",
    ),
    "cnn-definition": Claim(
        "A CNN beats a dense net of the same budget where digits may lie anywhere (gain, re-run here).",
        source=LECUN1998,
    ),
}


@solves(
    "how-long-is-the-vector",
    title="Compute: how long is the flattened vector?",
    task="A net of the canonical layout takes a square picture of side `side`. Each of its `blocks` blocks keeps "
    "the size (padding `same`), then halves it (pooling by 2, rounding down); the first block has `filters` "
    "kernels, each further block twice as many. Write a function that gives the length of the vector that "
    "`Flatten` hands to the dense layers. For the net of this chapter, `flattened(8, 2, 8)` is 64.",
    hints=(
        "Follow one side of the picture through the blocks first, then the number of maps.",
        "After $N$ blocks the side is $\\lfloor n/2^N \\rfloor$, and there are $f\\,2^{N-1}$ maps.",
    ),
    inputs=[(8, 2, 8), (28, 2, 6), (28, 3, 16), (32, 1, 4), (224, 5, 32)],
)
def flattened(side: int, blocks: int, filters: int) -> int:
    return (side // 2**blocks) ** 2 * filters * 2 ** (blocks - 1)


@flattened.mistake("you counted one row of each map; a map has as many rows as columns.")
def _(side: int, blocks: int, filters: int) -> int:
    return side // 2**blocks * filters * 2 ** (blocks - 1)


@flattened.mistake(
    "you doubled the maps once too often: the first block has `filters` maps, not twice as many."
)
def _(side: int, blocks: int, filters: int) -> int:
    return (side // 2**blocks) ** 2 * filters * 2**blocks


@flattened.mistake("the maps double from block to block; you kept the number of the first.")
def _(side: int, blocks: int, filters: int) -> int:
    return (side // 2**blocks) ** 2 * filters


@flattened.mistake("halving twice divides by four, three times by eight: 2**N, not 2*N.")
def _(side: int, blocks: int, filters: int) -> int:
    return (side // (2 * blocks)) ** 2 * filters * 2 ** (blocks - 1)


@solves(
    "parameters-on-mnist",
    title="Predict, then check: the same net on larger pictures",
    task='`models.create("classic")` has 3,658 parameters on pictures of 8 × 8. How many has it on MNIST\'s '
    "28 × 28? Work it out on paper before you ask Keras: which layers change, and which do not?",
    hints=(
        "A kernel does not know how large the picture is.",
        "28 is halved to 14 and to 7, so the first dense layer sees 7 · 7 · 16 = 784 numbers.",
    ),
)
def parameters_on_mnist() -> int:
    return 8 * (9 + 1) + 16 * (9 * 8 + 1) + 32 * (7 * 7 * 16 + 1) + 10 * (32 + 1)


parameters_on_mnist.wrong(
    3658, "the convolutions stay as they are, but the first dense layer sees a longer vector."
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
    8 * (9 + 1) + 16 * (9 * 8 + 1) + 32 * (28 * 28 * 16 + 1) + 10 * (32 + 1),
    "you forgot the pooling: the two halvings leave 7 × 7 positions.",
)


def _pictures() -> Inputs:
    generator = np.random.default_rng(5)
    return [
        (generator.normal(size=(6, 8)).round(2), generator.normal(size=(3, 3)).round(2)),
        (generator.normal(size=(5, 5)).round(2), generator.normal(size=(2, 3)).round(2)),
    ]


@solves(
    "ask-the-picture",
    title="Build: a question, asked everywhere",
    task="Write the first two steps of the pipeline for one grey picture and one kernel: slide the kernel over "
    "every place where it fits (no padding, no flipping), sum the products, and let negative answers be "
    "zero. "
    "For `picture` of shape `(H, W)` and `kernel` of shape `(k, l)` the result is `(H - k + 1, W - l + 1)`.",
    hints=(
        "Two loops over the places, one sum of products in the middle.",
        "`picture[i:i + k, j:j + l]` is the window whose upper left corner lies at row i, column j.",
    ),
    inputs=_pictures,
)
def answers(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    k, l = kernel.shape
    rows, columns = picture.shape[0] - k + 1, picture.shape[1] - l + 1
    y = [[(picture[i : i + k, j : j + l] * kernel).sum() for j in range(columns)] for i in range(rows)]
    return np.maximum(np.array(y), 0)


@answers.mistake("the sums are right, but negative answers should have become zero.")
def _(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    k, l = kernel.shape
    return np.array(
        [
            [(picture[i : i + k, j : j + l] * kernel).sum() for j in range(picture.shape[1] - l + 1)]
            for i in range(picture.shape[0] - k + 1)
        ]
    )


@answers.mistake(
    "you turned the kernel upside down: that is true convolution; here the kernel is used as it is."
)
def _(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return answers(picture, kernel[::-1, ::-1])


@answers.mistake("you stopped one place short: a window of k fits at n - k + 1 places.")
def _(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return answers(picture, kernel)[:-1, :-1]


@solves(
    "same-budget",
    title="Build: a fair opponent",
    task="To compare a CNN with a dense net, both must have the same budget. Write a function that gives the "
    "widest hidden layer of a net `inputs` → hidden → `classes` (dense layers, with biases) that has at "
    "most `budget` parameters. For example `widest(1000, 64, 10)` is 13.",
    hints=(
        "How many parameters does one more hidden unit bring, on its way in and on its way out?",
        "A hidden unit has `inputs` weights, a bias, and `classes` weights that lead out of it. "
        "The classes' own biases are there in any case.",
    ),
    inputs=[(1000, 64, 10), (3658, 64, 10), (6500, 144, 10), (500, 20, 2), (25010, 784, 10)],
)
def widest(budget: int, inputs: int, classes: int) -> int:
    return (budget - classes) // (inputs + 1 + classes)


@widest.mistake("you left the biases out: one for each hidden unit and one for each class.")
def _(budget: int, inputs: int, classes: int) -> int:
    return budget // (inputs + classes)


@widest.mistake("the weights from the hidden layer to the classes cost something too.")
def _(budget: int, inputs: int, classes: int) -> int:
    return budget // inputs


@widest.mistake("a layer has a whole number of units: round down.")
def _(budget: int, inputs: int, classes: int) -> float:
    return (budget - classes) / (inputs + 1 + classes)


def _dots() -> Inputs:
    pictures = []
    for row, column in ((0, 0), (3, 5), (6, 4), (5, 2)):
        picture = np.zeros((8, 8))
        picture[row, column] = 1.0
        pictures += [(picture, 2), (picture, 4)]
    return pictures


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
    inputs=_dots,
)
def survives(picture: np.ndarray, size: int) -> bool:
    def pool(x):
        return x.reshape(x.shape[0] // size, size, -1, size).max(axis=(1, 3))

    return bool(np.array_equal(pool(picture), pool(np.roll(picture, 1, axis=1))))


@survives.mistake("you moved the picture down: axis 0 runs over rows, axis 1 over columns.")
def _(picture: np.ndarray, size: int) -> bool:
    return survives(picture.T, size)


@survives.mistake("you compared the pictures themselves; pool both first.")
def _(picture: np.ndarray, size: int) -> bool:
    return bool(np.array_equal(picture, np.roll(picture, 1, axis=1)))


@survives.mistake("not every shift is forgiven: a dot at the right edge of its block crosses into the next.")
def _(picture: np.ndarray, size: int) -> bool:
    return True

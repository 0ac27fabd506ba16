"""Claims and exercises of chapter layers/convolution."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

LECUN, GUIDE = "doi:10.1162/neco.1989.1.4.541", "arXiv:1603.07285"
WIKIPEDIA = "Wikipedia, Convolutional neural network"

QUESTION = "What is assumed when one small kernel serves everywhere?"

CLAIMS = {
    "filter-detects-feature": Claim(
        "Each of three kernels answers most strongly to the bar that runs its way.", source=LECUN
    ),
    "fc-100x100-weights": Claim(
        "A dense neuron on a grey image of 100 × 100 has 10,000 weights.", source="arithmetic"
    ),
    "cifar-3072-weights": Claim("A dense neuron on a CIFAR-10 image has 3,072 weights.", source="arithmetic"),
    "fc-200x200-120000": Claim(
        "A dense neuron on a colour image of 200 × 200 × 3 has 120,000 weights.", source="arithmetic"
    ),
    "fc-1000x1000-3m": Claim(
        "A dense neuron on a colour image of 1000 × 1000 × 3 has 3 million weights.", source="arithmetic"
    ),
    "tile-25-neurons": Claim(
        "A shared tile of 5 × 5 has 25 weights and a bias: weights, not 25 neurons, as is often said.",
        source="arithmetic",
    ),
    "mlp-curse-of-dimensionality": Claim(
        "Twice the side of the image means 16 times the weights of a dense layer of the image's size.",
        source="arithmetic",
    ),
    "weight-sharing-fewer-params": Claim(
        "From 32 × 32 × 3 to 30 × 30 × 8: a dense layer has 22,125,600 parameters, a convolution 224: so many times fewer.",
        source="arithmetic",
        ledger=("conv-two-properties-list", "mlp-vs-cnn-features-list"),
    ),
    "local-connectivity-full-depth": Claim(
        "A kernel is small in height and width and spans the full depth: its shape is k × k × C_in × C_out.",
        source=GUIDE,
    ),
    "cross-correlation-formula": Claim(
        "Conv2D is a cross-correlation plus a bias; each of its maps is the map of one kernel.",
        source=GUIDE,
        ledger=("depth-slice", "frobenius-inner-product", "sliding-dot-product"),
    ),
    "bias-and-weights-vector": Claim(
        "One output is one neuron: the sum of its window times its weights, plus its bias.", source=LECUN
    ),
    "scratch-agrees-with-keras": Claim(
        "Forward and backward passes written by hand give the values and gradients of Keras.", source=GUIDE
    ),
    "conv-true-formula": Claim(
        "True convolution turns the kernel by 180 degrees; ours equals SciPy's.",
        source="SciPy, signal.convolve2d",
    ),
    "conv-formula-mismatch": Claim(
        "A true convolution is a cross-correlation with the kernel turned; Conv2D computes the latter.",
        source="arithmetic",
    ),
    "convolution-equals-correlation-trained": Claim(
        "Learned by convolution or by correlation, kernels are mirror images and errors the same.",
        source=WIKIPEDIA,
    ),
    "conv-output-size-formula": Claim(
        "A kernel fits ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 times: cases in which Keras disagrees.",
        source=GUIDE,
        ledger=("conv-hyperparams-list", "conv-key-params"),
    ),
    "conv-param-formula": Claim(
        "A layer has C_out (C_in k² + 1) parameters: cases in which Keras disagrees.", source="arithmetic"
    ),
    "same-vs-valid-padding": Claim(
        "A 5 × 5 kernel on 28 × 28 gives 28 with “same” padding (2 zeros a side) and 24 with none.",
        source=GUIDE,
        ledger=("padding-same-formula",),
    ),
    "stride-definition": Claim("Stride 2 halves each side: 32 × 32 becomes 16 × 16.", source=GUIDE),
    "padding-one-less-than-kernel": Claim(
        "For 3 × 3 kernels, one zero a side keeps 32; two a side give 34. “One less than the kernel” is the total.",
        source=GUIDE,
    ),
    "partial-padding": Claim("Padding may be partial: two zeros on top alone make 32 × 30.", source=GUIDE),
    "padding-why": Claim(
        "One window sees a corner pixel without padding, four with one zero a side (3 × 3 kernel).",
        source="arithmetic",
    ),
    "stride-integrality": Claim(
        "A 3 × 3 kernel with stride 2 on 8 × 8 leaves the last row and column, 15 pixels, unseen.",
        source="arithmetic",
    ),
    "common-input-sizes": Claim(
        "VGG16 and ResNet-50 take 224 pixels, Inception v3 299, EfficientNet-B7 600 (not 384).",
        source="arXiv:1409.1556, arXiv:1512.00567, arXiv:1905.11946",
    ),
    "inceptionv3-kernel-sizes": Claim(
        "Inception v3 has 13, 13, 4 and 4 layers of 1×7, 7×1, 1×3 and 3×1, and only three of 5×5.",
        source="Keras, applications.InceptionV3",
    ),
    "typical-kernel-range": Claim(
        "In seven well-known networks no kernel is larger than 7 × 7: a habit, not a bound.",
        source="arXiv:2201.03545",
    ),
    "alexnet-kernel-sizes": Claim(
        "AlexNet's kernels of 11, 5 and 3 lead from 227 pixels to maps of 55, 27, 13 and finally 6; from 224 they do not.",
        source="doi:10.1145/3065386 and BVLC/caffe, bvlc_alexnet",
    ),
    "spatial-progression-224": Claim("VGG16 halves 224 to 112, 56, 28, 14, 7.", source="arXiv:1409.1556"),
    "channel-progression": Claim(
        "VGG16 widens to 64, 128, 256, 512, 512 channels as its maps shrink.",
        source="arXiv:1409.1556",
        ledger=("filters-grow-with-depth",),
    ),
    "preserve-information-activations": Claim(
        "The number of activations is not kept: in VGG16 it falls 32-fold from the first convolution to the last.",
        source="arXiv:1409.1556",
    ),
    "equalize-computation": Claim(
        "When sides halve, doubling the channels keeps the work of a layer (×1); keeping maps × positions "
        "constant multiplies it (×64 after three halvings).",
        source="arithmetic",
    ),
    "im2col-matmul": Claim("A convolution is a product with a sparse Toeplitz matrix.", source=GUIDE),
    "toeplitz-entries": Claim(
        "For a 3 × 3 kernel on 5 × 5 that matrix has 225 entries, 81 not zero, 9 different.",
        source="arithmetic",
    ),
    "fft-cost-ignores-kernel": Claim(
        "From k = 3 to k = 31 the direct way slows down more than four times as much as the spectral way.",
        source="arXiv:1312.5851",
    ),
    "im2col-memory": Claim("With “same” padding, im2col copies each pixel k² times.", source="arithmetic"),
    "three-ways-agree": Claim(
        "Offsets, im2col and spectra give the same convolution.", source="arXiv:1312.5851"
    ),
    "matched-filter-analogy": Claim(
        "Correlating with the template finds it in noise: share of 200 scenes.",
        source="doi:10.1109/TIT.1960.1057571",
    ),
    "matched-filter-is-best": Claim(
        "No nudged template has a better ratio of signal to noise: best of 1,000 beside 1.",
        source="doi:10.1109/TIT.1960.1057571",
    ),
    "neuron-becomes-matched-filter": Claim(
        "A neuron fitted to noisy examples becomes the matched filter: cosine with the template.",
        source="doi:10.1109/TIT.1960.1057571",
    ),
    "sharing-assumption": Claim(
        "A shared kernel finds a stroke wherever it lies: the map moves with the image, exactly.",
        source=LECUN,
    ),
    "sharing-smaller-datasets": Claim(
        "For digits anywhere on a sheet, a convolution beats a perceptron with twice its weights at 50, 200 "
        "and 1,300 examples; smallest lead in points.",
        source=WIKIPEDIA,
    ),
    "pixel-permutation-mlp": Claim(
        "One fixed shuffling of the pixels costs the convolution many points of accuracy.", source=WIKIPEDIA
    ),
    "permutation-leaves-perceptron": Claim(
        "The same shuffling leaves the perceptron as it was; largest change in points.", source=WIKIPEDIA
    ),
    "locally-connected-layer": Claim(
        "On aligned faces a locally connected layer beats a shared one, by so many points.",
        source="doi:10.1109/CVPR.2014.220",
    ),
    "locally-connected-loses": Claim(
        "When the pattern may lie anywhere, sharing wins, by so many points.",
        source="doi:10.1109/CVPR.2014.220",
    ),
    "sharing-cannot-tell-place": Claim(
        "A shared kernel under a global maximum cannot tell a mouth from a brow: 75 % is all it can get.",
        source="arithmetic",
    ),
    "border-tells-place": Claim(
        "Near the border of the image, a shared kernel can tell places apart after all; accuracy in %.",
        source="measured here",
    ),
    "number-of-hyperparameters": Claim(
        "A convolution has six settings beyond a dense layer's.", source="Keras, layers.Conv2D"
    ),
    "granularity-challenge": Claim(
        "The kernel's side sets the grain: the best of 3, 5, 7 against 1 × 1, in points.", source=WIKIPEDIA
    ),
    "feature-map-count-capacity": Claim(
        "The number of kernels sets capacity: 32 against 1, in points, with 1,300 examples.", source=WIKIPEDIA
    ),
    "little-data-overfits": Claim(
        "With 200 examples, 32 kernels fit the training set and not the test set: gap in points.",
        source=WIKIPEDIA,
    ),
    "stacked-linear-collapse": Claim(
        "Two 3 × 3 convolutions with nothing between them are one of 5 × 5.", source=GUIDE
    ),
    "conv-reduces-vanishing-claim": Claim(
        "Sharing does not prevent vanishing gradients: over 20 sigmoid convolutions they shrink by so many "
        "powers of ten.",
        source="measured here",
    ),
    "he-start-keeps-gradients": Claim(
        "ReLU and a start after He keep gradients within two powers of ten over 20 convolutions.",
        source="measured here",
    ),
}


def _sizes(rng: np.random.Generator) -> Cases:
    yield "a plain kernel", (7, 3)
    yield "a kernel of one pixel", (6, 1)
    yield "a kernel as large as the side", (5, 5)
    yield "stride", (8, 3, 2)
    yield "padding", (32, 5, 1, 2)
    yield "stride and padding", (33, 3, 2, 1)
    yield "dilation", (16, 3, 1, 0, 2)
    yield "all at once", (20, 4, 3, 1, 2)
    for _ in range(4):
        k, s, p, d = (int(number) for number in rng.integers((2, 2, 1, 2), (5, 5, 4, 4)))
        yield "drawn by lot", (int(rng.integers(20, 60)), k, s, p, d)


@solves(
    "output-size",
    title="Compute: how many places?",
    task="Write `output_size(n, k, s, p, d)`: the number of places along one side of length `n` where a kernel of "
    "side `k` fits, with stride `s`, `p` zeros on *each* side and dilation `d`. "
    "For example, `output_size(28, 5)` is 24.",
    hints=(
        "How many pixels does a dilated kernel reach over? For k = 3 and d = 2 it touches pixels 0, 2 and 4.",
        "Its left edge may stand at 0, s, 2s, ... as long as the right edge is still on the padded image.",
    ),
    inputs=_sizes,
)
def output_size(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


@output_size.mistake("you counted the padding once; it is added on both sides.")
def _(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return (n + p - d * (k - 1) - 1) // s + 1


@output_size.mistake("one too few each time: the first place counts too.")
def _(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return (n + 2 * p - d * (k - 1) - 1) // s


@output_size.mistake("a kernel of 3 with dilation 2 reaches over 5 pixels, not over 6: it has k - 1 gaps.")
def _(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return (n + 2 * p - d * k) // s + 1


@output_size.mistake("right without dilation; with it, the kernel reaches further than k.")
def _(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    return (n + 2 * p - k) // s + 1


@output_size.mistake("round down: half a place is no place.")
def _(n: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> float:
    return (n + 2 * p - d * (k - 1) - 1) / s + 1


@solves(
    "which-way",
    title="Predict: which way does it move?",
    task="A `Conv2D` with “same” padding has the kernel "
    '`[[0, 0, 0], [0, 0, 1], [0, 0, 0]]`. Predict where the picture goes: `"left"`, `"right"`, `"up"` or '
    '`"down"`. Then try it, in the live figure or in code.',
    hints=(
        "Write the formula for this kernel: y[i, j] is which x?",
        "Each pixel of the result takes over what its neighbour has. If everybody copies the one in front, where does "
        "the whole row seem to go?",
    ),
)
def which_way() -> str:
    return "left"


which_way.wrong(
    "right",
    "that is what a true convolution would do. Conv2D does not turn its kernel: from which neighbour "
    "does each pixel take its value?",
)
which_way.wrong("up", "the 1 stands in the middle row, so no row changes.")
which_way.wrong("down", "rows stay where they are, for the 1 stands in the middle row; look at its column.")


def _matrices(rng: np.random.Generator) -> Cases:
    x, w = rng.normal(size=(8, 7)), rng.normal(size=(3, 3))
    yield "stride 1, no padding", (x, w)
    yield "stride 2", (x, w, 2)
    yield "padding 1", (x, w, 1, 1)
    yield "stride 2, padding 1", (x, w, 2, 1)
    yield "a stride larger than the kernel", (rng.normal(size=(6, 9)), rng.normal(size=(2, 2)), 3, 2)
    yield "a kernel of one pixel", (rng.normal(size=(3, 4)), np.array([[2.0]]), 2, 1)
    yield "a kernel as large as the picture", (rng.normal(size=(3, 3)), w)
    yield "whole numbers", (rng.integers(0, 9, (5, 6)), rng.integers(-2, 3, (3, 3)), 2, 1)


@solves(
    "strided-correlation",
    title="Build: stride and padding",
    task="Extend `correlate` from above: write `strided(x, w, s, p)` for a matrix `x` and a square kernel `w`, with "
    "stride `s` and `p` zeros on each side. Do not change `x`.",
    hints=(
        "`np.pad(x, p)` puts p zeros on each side.",
        "The window of output (i, j) starts at (i s, j s).",
    ),
    inputs=_matrices,
)
def strided(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    x, k = np.pad(x, p), len(w)
    rows, columns = (x.shape[0] - k) // s + 1, (x.shape[1] - k) // s + 1
    return np.array(
        [[np.sum(x[i * s : i * s + k, j * s : j * s + k] * w) for j in range(columns)] for i in range(rows)]
    )


@strided.mistake("your kernel is turned: that is true convolution, and layers do not turn theirs.")
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    return strided(x, w[::-1, ::-1], s, p)


@strided.mistake(
    "the size is right, but your windows still start one pixel apart: multiply i and j by the stride."
)
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    x, k = np.pad(x, p), len(w)
    rows, columns = (x.shape[0] - k) // s + 1, (x.shape[1] - k) // s + 1
    return np.array([[np.sum(x[i : i + k, j : j + k] * w) for j in range(columns)] for i in range(rows)])


@strided.mistake("the zeros stand on top and on the left only; add them on all four sides.")
def _(x: np.ndarray, w: np.ndarray, s: int = 1, p: int = 0) -> np.ndarray:
    return strided(np.pad(x, ((p, 0), (p, 0))), w, s)


def _sides(rng: np.random.Generator) -> Cases:
    yield "windows that end with the side", (7, 3, 2)
    yield "a remainder at the end", (10, 3, 3)
    yield "a kernel of one pixel", (9, 1, 2)
    yield "a stride larger than the kernel", (12, 3, 5)
    yield "a kernel as large as the side", (6, 6, 2)
    yield "a kernel larger than the side", (4, 5, 1)
    yield "AlexNet's first layer", (224, 11, 4)
    for _ in range(5):
        n, k, s = (int(number) for number in rng.integers((8, 2, 1), (40, 7, 9)))
        yield "drawn by lot", (n, k, s)


@solves(
    "blind-pixels",
    title="Break: pixels that nobody sees",
    task="Any picture can be changed in secret where no window falls. Write `blind(n, k, s)`: how many of the `n` "
    "pixels along one side are seen by no window of side `k` with stride `s` and no padding. For example, "
    "`blind(8, 3, 2)` is 1.",
    hints=(
        "At the end, what the floor of the size formula drops is lost.",
        "And if the stride is larger than the kernel?",
    ),
    inputs=_sides,
)
def blind(n: int, k: int, s: int) -> int:
    seen = {start + i for start in range(0, n - k + 1, s) for i in range(k)}
    return n - len(seen)


@blind.mistake(
    "right at the end of the side; but a stride larger than the kernel also leaves gaps between the windows."
)
def _(n: int, k: int, s: int) -> int:
    return (n - k) % s


@blind.mistake("windows that overlap see some pixels twice; count pixels, not visits.")
def _(n: int, k: int, s: int) -> int:
    return n - k * ((n - k) // s + 1)


blind.equivalent(
    "seen = {start - i for start in range(0, n - k + 1, s) for i in range(k)}",
    "Windows that reach to the left of their start overlap as those to the right do: as many pixels are seen.",
)

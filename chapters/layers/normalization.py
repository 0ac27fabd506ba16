"""Claims and exercises of chapter layers/normalization."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

IOFFE, WU, HERE = "arXiv:1502.03167", "arXiv:1803.08494", "measured here"

QUESTION = "Why does normalising let a net learn faster?"

CLAIMS = {
    "bn-before-era": Claim(
        "Without normalisation, doubling the starting weights of ten ReLU layers makes the tenth {measured} times as loud: 2¹⁰.",
        source="arithmetic",
    ),
    "batch-norm-leads": Claim("After 160 steps, {measured}.", source=HERE, ledger=("bn-benefits",)),
    "leads-on-clothes-too": Claim("On the clothes of Fashion-MNIST, {measured}.", source=HERE),
    "once-is-not-enough": Claim(
        "Normalised at the start and never again: {measured}.", source="measured here; arXiv:1511.06422"
    ),
    "noise-costs-the-lead": Claim(
        "With its channels shifted and stretched at random at every step: {measured}.",
        source="measured here, beside arXiv:1805.11604, whose noise was drawn for each image",
    ),
    "the-way-back-matters": Claim(
        "At a third of the best rate of both, the better of two nets whose way back takes mean and deviation as constants reads a "
        "share of {measured} less than the worse with batch norm.",
        source="measured here; " + IOFFE,
    ),
    "held-as-fast": Claim("Each kernel kept at its first length: {measured}.", source=HERE),
    "bn-placement": Claim(
        "Normalised after the ReLU in place of before it: {measured}.",
        source="measured here; " + IOFFE,
    ),
    "ten-times-the-kernel": Claim(
        "Before a batch norm, kernels ten times as long have a gradient {measured} times as long.",
        source="arithmetic; " + IOFFE,
    ),
    "orthogonal-to-the-kernels": Claim(
        "The gradient at a batch-normed layer's kernels has a cosine of {measured} at most with any of them.",
        source="arithmetic; arXiv:1812.03981",
    ),
    "any-rate-will-do": Claim(
        "With batch normalisation, kernels that learn at rates from 0.1 to 100 leave a share of {measured} of the test digits read "
        "right in the worst of twelve runs.",
        source=HERE,
        ledger=("bn-lr-10-100",),
    ),
    "held-kernels-fail": Claim(
        "Held at their first length, kernels that learn at a rate of 100 let the best of three nets read a share of {measured}.",
        source=HERE,
    ),
    "rate-tunes-itself": Claim(
        "Kernels that learn at rates a thousandfold apart end with effective rates {measured} times apart.",
        source="measured here; arXiv:1812.03981",
    ),
    "group-norm": Claim(
        "On maps of one place, two images to a mean, the best of all nets, rates and budgets reads a share of {measured}.",
        source=HERE,
        ledger=("group-norm",),
    ),
    "two-images-of-sixteen-places": Claim(
        "On maps of sixteen places, {measured}.", source="measured here; " + WU
    ),
    "four-numbers-learn": Claim(
        "On maps of one place, four images or four channels to a mean, the worst of ten nets reads a share of {measured}.",
        source=HERE,
    ),
}

BREAKS = {
    "batch-norm-leads": Break(
        "the net is normalised once and never again",
        old='race.lead("batch norm", over="plain")',
        new='race.lead("plain, normalised once", over="plain")',
    ),
    "leads-on-clothes-too": Break(
        "the net is normalised once and never again (and reads digits)",
        old='clothes.lead("batch norm", over="plain")',
        new='race.lead("plain, normalised once", over="plain")',
    ),
    "once-is-not-enough": Break(
        "it is normalised at every step",
        old='race.lead("plain, normalised once", over="plain")',
        new='race.lead("batch norm", over="plain")',
    ),
    "noise-costs-the-lead": Break(
        "there is no noise",
        old='race.lead("noise behind batch norm", over="plain")',
        new='race.lead("batch norm", over="plain")',
    ),
    "the-way-back-matters": Break(
        "the way back is whole, and noise is added",
        old='np.max(tried["statistics as constants"])',
        new='np.max(tried["noise behind batch norm"])',
    ),
    "held-as-fast": Break(
        "no layer is normalised any more after the start",
        old='race.lead("kernels held at length", over="batch norm")',
        new='race.lead("plain, normalised once", over="batch norm")',
    ),
    "bn-placement": Break(
        "the other net has no norm",
        old='race.lead("batch norm after ReLU", over="batch norm")',
        new='race.lead("batch norm after ReLU", over="plain")',
    ),
    "any-rate-will-do": Break(
        "no layer is normalised", old='"batch norm": ("batch", False)', new='"batch norm": ("none", False)'
    ),
    "held-kernels-fail": Break(
        "the kernels may grow",
        old='"kernels held at length": ("batch", True)',
        new='"kernels held at length": ("batch", False)',
    ),
    "rate-tunes-itself": Break(
        "the kernels are held at their length",
        old='"batch norm": ("batch", False)',
        new='"batch norm": ("batch", True)',
    ),
    "group-norm": Break(
        "32 images share a mean",
        old='best["batch norm, 2 images"]',
        new='best["batch norm, 32 images"]',
    ),
    "two-images-of-sixteen-places": Break(
        "the maps have one place",
        old='sides[4].lead("batch norm, 32 images", over="batch norm, 2 images")',
        new='sides[1].lead("batch norm, 32 images", over="batch norm, 2 images")',
    ),
    "four-numbers-learn": Break(
        "two images share a mean",
        old='few = "batch norm, 4 images", "group norm"',
        new='few = "batch norm, 2 images", "group norm"',
    ),
}


@solves(
    "by-hand",
    title="Compute: a batch of four",
    task="One channel holds the values 2, 4, 4, 10 in a batch of four. Give what batch normalisation with "
    "$\\gamma = 3$, $\\beta = 1$ and $\\varepsilon = 0$ makes of them in training, as a list. "
    "For example, with $\\gamma = 1$ and $\\beta = 0$ the batch 1, 3 becomes `[-1, 1]`.",
    hints=(
        "The mean is 5.",
        "The squared distances from it are 9, 1, 1 and 25; their mean is the variance.",
    ),
    name="values",
)
def by_hand() -> list[int]:
    return [-2, 0, 0, 6]


by_hand.wrong(
    3 * (np.array([2, 4, 4, 10]) - 5) / np.sqrt(12) + 1,
    "you divided the squares by n - 1; this layer divides by n.",
)
by_hand.wrong([0, 2, 2, 8], "you added β before you multiplied with γ.")
by_hand.wrong(
    (np.array([2, 4, 4, 10]) - 5) / 3 + 1,
    "you divided by 9, the variance; divide by the deviation, its root.",
)
by_hand.wrong([-1, -1 / 3, -1 / 3, 5 / 3], "those are normalised; γ and β are still to come.")


@solves(
    "idle-parameters",
    title="Predict, then check: who never learns?",
    task="`Conv2D(16, 3)` on an image of 8 channels, with its bias, is followed by `BatchNormalization()` in training. "
    "How many of the convolution's 1,168 parameters get a gradient of zero, always? Predict; then check with "
    "`gradients.weight_gradients(model, loss, x, training=True)`.",
    hints=(
        "What does the volume control do to a constant that is added to a whole channel?",
        "There is one such constant for each kernel.",
    ),
    name="idle",
)
def idle_parameters() -> int:
    return 16


idle_parameters.wrong(0, "add a constant to a channel: its mean grows by the same, and is taken off.")
idle_parameters.wrong(
    1152, "those are the kernel's weights. Their *common scale* is idle, but each single one matters."
)
idle_parameters.wrong(1168, "then the convolution could learn nothing at all; its kernels do matter.")
idle_parameters.wrong(
    32,
    "you counted the lengths of the kernels as well. A length is idle, but it is no parameter: each weight gets a gradient.",
)
idle_parameters.wrong(8, "one for each kernel, not for each channel that comes in.")
idle_parameters.wrong(1, "not one for the whole layer: each kernel has its own.")


def _layers(rng: np.random.Generator) -> Cases:
    one = np.ones(1)
    yield "one weight", (np.array([[2.0]]), 3 * one, 5 * one, one, 2 * one, 4 * one, 0.0)
    yield "a variance of zero", (np.array([[1.0], [2.0]]), one, 2 * one, -one, 3 * one, 0 * one, 1e-3)
    for inputs, outputs in ((3, 2), (2, 5), (4, 4)):
        statistics = (*rng.normal(size=(4, outputs)), rng.uniform(0.001, 2, outputs))
        yield "a random layer", (rng.normal(size=(inputs, outputs)), *statistics, 1e-3)


@solves(
    "fold",
    title="Build: make it disappear",
    task="At inference batch normalisation is a multiplication and an addition, so the layer before can do it for free. "
    "Write `fold(w, b, gamma, beta, mean, variance, epsilon)` for a dense layer `x @ w + b`, "
    "`w` of shape `(inputs, outputs)`: the new weights **with the new bias as last row**, `(inputs + 1, "
    "outputs)`. "
    "For example, with `w = [[2.0]]`, `b = [1.0]`, γ = 3, β = 0, mean 1, variance 4 and ε = 0 it is "
    "`[[3.0], [0.0]]`.",
    hints=(
        "Write γ (x w + b − μ) / √(σ² + ε) + β as x (...) + (...).",
        "One scale per output: it multiplies a column of w.",
    ),
    inputs=_layers,
)
def fold(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / np.sqrt(variance + epsilon)
    return np.vstack([w * scale, (b - mean) * scale + beta])


@fold.mistake("the old bias passes through the normalisation as well: it is scaled too.")
def _(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / np.sqrt(variance + epsilon)
    return np.vstack([w * scale, b - mean * scale + beta])


@fold.mistake("you lost the old bias.")
def _(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / np.sqrt(variance + epsilon)
    return np.vstack([w * scale, beta - mean * scale])


@fold.mistake("β is missing: what the normalisation adds at the end belongs into the new bias.")
def _(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / np.sqrt(variance + epsilon)
    return np.vstack([w * scale, (b - mean) * scale])


@fold.mistake("without ε; with a variance near zero that is a great difference.")
def _(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / np.sqrt(variance)
    return np.vstack([w * scale, (b - mean) * scale + beta])


@fold.mistake("divide by the deviation: the root is missing.")
def _(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    scale = gamma / (variance + epsilon)
    return np.vstack([w * scale, (b - mean) * scale + beta])


def _batches(rng: np.random.Generator) -> Cases:
    yield "four images", ([2.0, 4.0, 4.0, 10.0],)
    yield "one image", ([-3.0],)
    yield "all alike", ([2.0, 2.0, 2.0],)
    for size in (2, 3, 7):
        yield "a random batch", (rng.normal(size=size).round(2).tolist(),)


@solves(
    "bad-company",
    title="Break: the bad companion",
    task="In training an image's output depends on its companions. A channel holds the values `x` (one number per image). "
    "Write `companion(x)`: the one value that, added to the batch, makes the normalised output of the "
    "*first* image "
    "exactly 0, whatever it was. For example, `companion([3.0, 1.0])` is 5.",
    hints=(
        "The output is 0 where the value equals the mean.",
        "The mean is now taken over one number more.",
    ),
    inputs=_batches,
)
def companion(x: list[float]) -> float:
    return (len(x) + 1) * x[0] - np.sum(x)


@companion.mistake("the companion itself counts in the mean: it is divided by n + 1.")
def _(x: list[float]) -> float:
    return len(x) * x[0] - np.sum(x)


@companion.mistake("that would make these two cancel if there were nobody else; bring the *mean* to x[0].")
def _(x: list[float]) -> float:
    return -x[0]


@companion.mistake("right for a batch of one image: the others weigh more than that together.")
def _(x: list[float]) -> float:
    return 2 * x[0] - np.mean(x)


@companion.mistake("that pulls the mean towards x[0] without reaching it.")
def _(x: list[float]) -> float:
    return x[0]

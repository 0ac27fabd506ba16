"""Claims, breaks and exercises of chapter layers/heads-and-losses."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

QUESTION = "What should the last layer say, and how is it told that it is wrong?"

CLAIMS = {
    "fc-holds-most-parameters": Claim(
        "VGG-16 has {measured} parameters, most of them in the three dense layers of its head.",
        source="arXiv:1409.1556, table 2: 138 million",
    ),
    "loss-before-learning": Claim(
        "A network that has learned nothing spreads its bets over ten digits: its first cross-entropy is {measured}.",
        source="arithmetic: ln 10",
        ledger=("loss-layer",),
    ),
    "binary-cross-entropy": Claim(
        "One digit of ten, trained until nothing moves, ten sigmoids from their rest in place of a softmax: {measured}.",
        source="measured here",
    ),
    "start-of-ten": Claim(
        "One digit of ten, trained until nothing moves, ten sigmoids start where each says a tenth or where each says a half: {measured}.",
        source="measured here",
    ),
    "squared-scores": Claim(
        "One digit of ten, trained until nothing moves, the squared error of bare scores in place of softmax and cross-entropy: {measured}.",
        source="measured here; on larger tasks arXiv:2006.07322",
    ),
    "squared-probability": Claim(
        "Ten sigmoids from a bias of zero and the squared error of what they say: the best run at rates of 0.01 and 0.03 reads a share of "
        "{measured} of its training digits.",
        source="measured here",
    ),
    "rest-ranks-early": Claim(
        "Is it an 8, where one in fifty is? The bias starts at the prior or at zero, average precision: {measured}.",
        source="measured here; the start is that of arXiv:1708.02002, section 3.3",
    ),
    "rest-under-focal": Claim(
        "Under the focal loss the bias starts where that loss is at rest, or at the prior, average precision: {measured}.",
        source="measured here",
    ),
    "focal-loss": Claim(
        "Each from its rest, average precision: {measured}.",
        source="measured here; arXiv:1708.02002 is about far rarer objects",
    ),
    "pixels-rank-better": Claim(
        "Beside a reader of pixels that learns nothing, average precision: {measured}.",
        source="measured here",
    ),
    "rest-finds-early": Claim(
        "Eights found, at a cut where half of those that are called are right, both biases at the prior, which is rest for "
        "cross-entropy alone: {measured}.",
        source="measured here",
    ),
    "rest-ranks-later": Claim(
        "Trained until nothing moves, the bias starts at rest or at zero, average precision: {measured}.",
        source="measured here",
    ),
    "focal-later": Claim(
        "Trained until nothing moves, each from its rest, average precision: {measured}.",
        source="measured here; arXiv:1708.02002 is about far rarer objects",
    ),
    "squares-lean-to-the-mean": Claim(
        "With one label in ten at 99 degrees, the network of the squared error leans by {measured} degrees.",
        source="arithmetic: the mean of the labels is moved by 9.9",
        ledger=("mse-euclidean-loss",),
    ),
    "mae-loss": Claim(
        "With one label in ten wrong, R² on right ones: {measured}.",
        source="measured here",
    ),
    "huber-loss": Claim(
        "With one label in ten wrong, R² on right ones: {measured}.",
        source="measured here; doi:10.1214/aoms/1177703732",
    ),
}

BREAKS = {
    "binary-cross-entropy": Break(
        "training ends after 600 steps",
        old='which.lead("sigmoids, cross-entropy, rest", over="softmax, cross-entropy")',
        new='hasty.lead("sigmoids, cross-entropy, rest", over="softmax, cross-entropy")',
    ),
    "start-of-ten": Break(
        "training ends after 600 steps",
        old='which.lead("sigmoids, cross-entropy, rest", over="sigmoids, cross-entropy")',
        new='hasty.lead("sigmoids, cross-entropy, rest", over="sigmoids, cross-entropy")',
    ),
    "squared-scores": Break(
        "a sigmoid stands in the error's way, and training ends after 600 steps",
        old='which.lead("scores, squared error", over',
        new='hasty.lead("sigmoids, squared error", over',
    ),
    "squared-probability": Break(
        "each sigmoid starts at its rest, one tenth",
        old='row.arm == "sigmoids, squared error" and',
        new='row.arm == "sigmoids, squared error, rest" and',
    ),
    "rest-ranks-early": Break(
        "half of the pictures are eights",
        old='early.lead("cross-entropy, rest", over="cross-entropy, zero")',
        new='even.lead("cross-entropy, rest", over="cross-entropy, zero")',
    ),
    "rest-under-focal": Break(
        "the loss is cross-entropy, between the same two biases",
        old='early.lead("focal, rest", over="focal, prior")',
        new='early.lead("cross-entropy, focal\'s rest", over="cross-entropy, rest")',
    ),
    "focal-loss": Break(
        "the focal loss starts from the prior too",
        old='early.lead("focal, rest", over="cross-entropy, rest")',
        new='early.lead("focal, prior", over="cross-entropy, rest")',
    ),
    "pixels-rank-better": Break(
        "the reader of pixels may say no more than yes or no",
        old='over="distance to the nearest 8"',
        new='over="nearest neighbour"',
    ),
    "rest-finds-early": Break(
        "the focal loss starts at its own rest",
        old='found.lead("cross-entropy, rest", over="focal, prior")',
        new='found.lead("cross-entropy, rest", over="focal, rest")',
    ),
    "rest-ranks-later": Break(
        "training ends after sixty steps",
        old='later.lead("cross-entropy, rest", over="cross-entropy, zero")',
        new='early.lead("cross-entropy, rest", over="cross-entropy, zero")',
    ),
    "focal-later": Break(
        "training ends after sixty steps",
        old='later.lead("focal, rest", over="cross-entropy, rest")',
        new='early.lead("focal, rest", over="cross-entropy, rest")',
    ),
    "mae-loss": Break(
        "every label is right",
        old='turn.lead("absolute error", over="squared error")',
        new='right.lead("absolute error", over="squared error")',
    ),
    "huber-loss": Break(
        "every label is right",
        old='turn.lead("Huber", over="squared error")',
        new='right.lead("Huber", over="squared error")',
    ),
}


@solves(
    "head-parameters",
    title="What the last layer costs (compute)",
    task="A network ends in maps of 7 × 7 with 2,048 channels, and has 1,000 classes. How many parameters, with "
    "biases, has the last dense layer if the maps are (1) flattened, (2) averaged globally? Assign the pair "
    "to `answer`, as two integers.",
    hints=("One weight for each pair of an input and an output.", "And one bias for each output."),
)
def head_parameters() -> tuple[int, int]:
    return (7 * 7 * 2048 * 1000 + 1000, 2048 * 1000 + 1000)


head_parameters.wrong(
    (7 * 7 * 2048 * 1000, 2048 * 1000), "You forgot the biases: one for each of the 1,000 outputs."
)
head_parameters.wrong(
    (7 * 7 * 2048 * 1000 + 1000, 2048 * 1000),
    "The averaged head has biases as well: one for each of the 1,000 outputs.",
)
head_parameters.wrong(
    (2048 * 1000 + 1000, 7 * 7 * 2048 * 1000 + 1000),
    "The other way round: the average leaves one number of each map.",
)
head_parameters.wrong(
    (7 * 7 * 2048 * 1000 + 1000, 7 * 7 * 1000 + 1000),
    "The global average runs over the places, so the 2,048 channels are what is left.",
)


@solves(
    "two-yeses",
    title="Two labels on one picture (predict, then check)",
    task="A picture shows two digits at once, and the network is as sure of one as of the other: its three logits are "
    "`[4, 4, -4]`. Predict how many of the three classes get **more than a half** (1) from a softmax, (2) from three "
    "sigmoids. Assign the pair to `prediction`, as two integers; then compute.",
    hints=(
        "Which of the two makes its answers share one whole?",
        "Two equal shares, and a third that is small but not nothing: can either of the two be above a half?",
    ),
    name="prediction",
)
def two_yeses() -> tuple[int, int]:
    return (0, 2)


two_yeses.wrong(
    (1, 2), "A softmax cannot prefer one of two equal logits: whatever the first gets, the second gets too."
)
two_yeses.wrong((0, 1), "Each sigmoid answers for itself: what do two equal logits give?")
two_yeses.wrong(
    (1, 1), "Nothing here tells the two equal logits apart: whatever the first gets, the second gets too."
)
two_yeses.wrong((2, 2), "Two shares of one whole cannot both be above a half.")
two_yeses.wrong((2, 0), "The other way round: which of the two makes its answers share one whole?")
two_yeses.wrong((0, 0), "A sigmoid does not know of the other logits: what does it make of 4?")
two_yeses.wrong((0, 3), "A sigmoid is above a half where its logit is above zero: is the third?")


def _batches(rng: np.random.Generator) -> Cases:
    yield "drawn", (rng.normal(size=(4, 3)), np.array([0, 2, 1, 1]))
    yield "two of five classes", (rng.normal(size=(2, 5)) * 2, np.array([4, 0]))
    yield "a logit of 1000", (np.array([[1000.0, 0.0], [-3.0, 1000.0]]), np.array([0, 0]))
    yield "rows far apart", (np.array([[900.0, 899.0], [-900.0, -901.0]]), np.array([1, 1]))
    yield "integers and ties", (np.array([[3, -2, 0], [1, 1, 1]]), np.array([2, 0]))
    yield "one picture, all logits far below zero", (np.array([[-700.0, -702.0, -701.0]]), np.array([1]))


@solves(
    "stable-cross-entropy",
    title="A cross-entropy that survives (build)",
    task="Write `cross_entropy(logits, labels)`: the mean over the batch of $-\\log p_{label}$, for logits "
    "(batch, classes) and class numbers (batch,). One of the hidden batches has a logit of 1000. For "
    "`[[0, 0]]` and `[1]` the answer is $\\ln 2 = 0.693$.",
    hints=(
        "Softmax does not notice a constant added to all logits: subtract the largest.",
        "Take the logarithm by hand: log p = z - log(sum of exp z). Then no p can be 0 on its way to the logarithm.",
    ),
    inputs=_batches,
)
def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean()


@cross_entropy.mistake(
    "exp(1000) is infinite, and infinity over infinity is no number. Subtract the largest logit of each "
    "row first."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).mean()


@cross_entropy.mistake(
    "Nothing overflows now, but a p that has been rounded to 0 has no logarithm: work with log p = z - "
    "log(sum of exp z) throughout."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).mean()


@cross_entropy.mistake(
    "A p that is clipped has a logarithm, but the wrong one: where the truth gets e^-1000, the loss is 1000. Take the logarithm by "
    "hand."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = np.clip(e / e.sum(axis=1, keepdims=True), 1e-7, 1)
    return -np.log(p[np.arange(len(labels)), labels]).mean()


@cross_entropy.mistake(
    "The largest logit was taken from the sum and not from the logit of the label: shift both, or neither."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - logits[np.arange(len(labels)), labels]).mean()


@cross_entropy.mistake(
    "That is the sum over the batch; take the mean, or a larger batch would mean larger steps."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    return cross_entropy(logits, labels) * len(labels)


@cross_entropy.mistake(
    "`log_p[:, labels]` takes every label from every row; pair each row with its own: "
    "`log_p[np.arange(len(labels)), labels]`."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[:, labels].mean()


@cross_entropy.mistake(
    "You subtract the largest logit of the whole batch; a row far below it underflows. Each row has a largest of its own: "
    "`axis=1, keepdims=True`."
)
def _(logits: np.ndarray, labels: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        shifted = logits - logits.max()
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -log_p[np.arange(len(labels)), labels].mean()


def _probabilities(rng: np.random.Generator) -> Cases:
    yield "drawn", (rng.uniform(size=7), 49.0)
    yield "zero, a half and one", (np.array([0.0, 0.5, 1.0]), 3.0)
    yield "a weight below one, in rows", (np.array([[0.2, 0.8], [0.9, 0.1]]), 0.25)
    yield "a weight of one", (np.array([0.3]), 1.0)
    yield "integers", (np.array([0, 1]), 2)


@solves(
    "undo-the-weight",
    title="Undo a weight (break, then mend)",
    task="Let the rare class weigh $w$ times as much in the cross-entropy, and you break the probabilities: where a share "
    "$q$ of the pictures that look like this are rare, the loss is smallest at another $p$. Find that $p$ (set the "
    "derivative of $-w\\,q\\log p-(1-q)\\log(1-p)$ to zero), and mend it: write `mended(p, w)`, which gives $q$ back. "
    "For `p = [0.75]` and `w = 3` it is `[0.5]`.",
    hints=(
        "The derivative is zero where w q / p = (1 - q) / (1 - p).",
        "In odds, p / (1 - p), a weight is a factor. Take it out again, then go back from odds to a share.",
    ),
    inputs=_probabilities,
)
def mended(p: np.ndarray, w: float) -> np.ndarray:
    return p / (p + w * (1 - p))


@mended.mistake("That breaks it a second time: you multiplied the odds by w. Divide them.")
def _(p: np.ndarray, w: float) -> np.ndarray:
    return w * p / (w * p + 1 - p)


@mended.mistake("The weight is a factor of the odds, p / (1 - p), not of p itself: a p of 1 should stay 1.")
def _(p: np.ndarray, w: float) -> np.ndarray:
    return p / w


@mended.mistake(
    "Right where p is below 1; at 1 its odds are infinite. Multiply above and below by 1 - p, and no division by zero is left."
)
def _(p: np.ndarray, w: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        odds = p / (1 - p) / w
        return odds / (1 + odds)


@mended.mistake("These are the odds of q; the share is odds / (1 + odds).")
def _(p: np.ndarray, w: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        return p / (1 - p) / w

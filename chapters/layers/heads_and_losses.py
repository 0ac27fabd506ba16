"""Claims and exercises of chapter layers/heads-and-losses."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

QUESTION = "What should the last layer say, and how is it told that it is wrong?"

CLAIMS = {
    "fully-connected-layer": Claim(
        "A dense layer joins every output to every input: it is one matrix product plus an offset.",
        source="arithmetic",
        ledger=("fc-affine-formula",),
    ),
    "flatten-step": Claim(
        "Flattening renames 7 × 7 × 32 numbers and computes nothing; the dense layer behind it then has this many parameters for ten classes.",
        source="arithmetic",
    ),
    "logits-n-outputs": Claim(
        "A head for N classes puts out N raw scores for each picture, of either sign and any sum.",
        source="arithmetic",
    ),
    "alexnet-dense-share": Claim(
        "Of AlexNet's 61.0 million parameters the three dense layers hold 58.6 million, this share.",
        source="doi:10.1145/3065386",
    ),
    "fc-holds-most-parameters": Claim(
        "Of VGG-16's 138.4 million parameters the three dense layers hold 123.6 million, this share.",
        source="arXiv:1409.1556",
    ),
    "gap-replaces-fc": Claim(
        "VGG-16 ends in three dense layers, ResNet-50 in one, behind a global average.",
        source="arXiv:1512.03385",
    ),
    "flatten-minds-the-place": Claim(
        "A flattened head, trained on centred digits, forgets most of what it knew when they move by two pixels; this is its accuracy there.",
        source="measured here",
    ),
    "average-minds-less": Claim(
        "A global average in the same place holds on better; this is its lead in accuracy two pixels off.",
        source="arXiv:1312.4400",
    ),
    "average-has-its-price": Claim(
        "In the middle, where both were trained, the flattened head is ahead; this is by how much.",
        source="measured here",
    ),
    "average-of-maps": Claim(
        "A dense layer behind a global average is the average of a 1 × 1 convolution: both orders give the same scores.",
        source="arXiv:1312.4400",
    ),
    "dense-is-a-convolution": Claim(
        "A dense layer behind a flattened 7 × 7 map is a convolution with 7 × 7 kernels, and so it can slide over a larger picture.",
        source="arXiv:1411.4038",
    ),
    "dense-pixel-output": Claim(
        "A 1 × 1 convolution with a softmax gives each pixel of a picture of any size a distribution over the classes.",
        source="arXiv:1411.4038",
    ),
    "softmax-output": Claim(
        "Softmax turns any scores into positive numbers that add up to 1, and does not notice a constant added to all of them.",
        source="arithmetic",
    ),
    "sigmoid-output-binary": Claim(
        "For two classes softmax is the sigmoid of the difference of the two logits.",
        source="arithmetic",
    ),
    "linear-output-regression": Claim(
        "An amount needs a linear output: the same layer behind a ReLU, which knows no negative numbers, errs this many times more.",
        source="measured here",
    ),
    "loss-layer": Claim(
        "Before it has learned anything, softmax over ten classes costs ln 10, a sigmoid ln 2, and a squared error the variance of the targets.",
        source="arithmetic",
    ),
    "categorical-cross-entropy": Claim(
        "The cross-entropy of a softmax is -sum of y log p, and its gradient with respect to the logits is p - y.",
        source="arithmetic",
    ),
    "losses-are-keras": Claim(
        "The losses written in NumPy, and their gradients, are Keras's to six decimals.",
        source="this package",
    ),
    "square-finds-the-mean": Claim(
        "The constant with the smallest squared error is the mean.", source="arithmetic"
    ),
    "absolute-finds-the-median": Claim(
        "The constant with the smallest absolute error is the median.", source="arithmetic"
    ),
    "mse-euclidean-loss": Claim(
        "While the labels are right, the squared error is at least as good as the absolute one; this is the ratio of their test errors.",
        source="measured here",
    ),
    "outliers-pull-squares": Claim(
        "One wrong label in ten multiplies the test error of the squared loss many times; this is by how much.",
        source="doi:10.1214/aoms/1177703732",
    ),
    "mae-loss": Claim(
        "The absolute error is robust to outliers: the same wrong labels multiply its test error by little more than one.",
        source="measured here",
    ),
    "huber-loss": Claim(
        "Huber's loss, a square that goes on as a straight line, stays near the absolute error when labels are wrong; this is by how much its test error grows.",
        source="doi:10.1214/aoms/1177703732",
    ),
    "focal-loss": Claim(
        "With gamma = 2 an example that is right with p = 0.9 costs a hundredth of its cross-entropy.",
        source="arXiv:1708.02002",
    ),
    "focal-early": Claim(
        "Focal loss handles class imbalance, early: after 60 steps it finds many more of a class that is one in twenty than cross-entropy; this is its lead in recall.",
        source="arXiv:1708.02002; measured here",
    ),
    "focal-late": Claim(
        "After 500 steps the lead is gone: this is what is left of it.",
        source="measured here; arXiv:1708.02002 is about one in a thousand",
    ),
    "weights-find-more": Claim(
        "Weighing the rare class nineteen times finds more of it also in the end; this is the gain in recall.",
        source="measured here",
    ),
    "a-cut-finds-as-much": Claim(
        "Cutting cross-entropy's probabilities at 0.05 in place of 0.5 finds more as well, with no other training; this is the gain in recall.",
        source="measured here",
    ),
    "same-ranking": Claim(
        "How well the pictures are ranked in the end hardly depends on the loss: the largest gap in average precision between the four.",
        source="measured here",
    ),
    "binary-cross-entropy": Claim(
        "For several yes-or-no questions at once, sigmoids with binary cross-entropy get all four answers right more often than a softmax with its best threshold; this is the lead.",
        source="measured here",
    ),
    "softmax-cannot-say-none": Claim(
        "At the threshold that suits it best, a softmax hardly ever says that no label applies: share of ones, which have none, read as such.",
        source="arithmetic",
    ),
    "dice-minds-no-background": Claim(
        "Ten thousand more empty pixels leave the Dice loss as it was, and make the mean cross-entropy smaller.",
        source="arXiv:1606.04797",
    ),
    "dice-with-squares": Claim(
        "Between masks of zeros and ones V-Net's Dice, with squares below the line, is the plain one.",
        source="arXiv:1606.04797",
    ),
    "dice-at-a-half": Claim(
        "For masks of 3 % of a picture, training with Dice gives a better overlap at the usual cut than cross-entropy; this is the gain.",
        source="arXiv:1606.04797",
    ),
    "dice-after-a-cut": Claim(
        "With the cut chosen on the training pictures nothing of that lead is left; this is what remains, at most.",
        source="measured here",
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
    (2048 * 1000 + 1000, 7 * 7 * 2048 * 1000 + 1000),
    "The other way round: the average leaves one number of each map.",
)
head_parameters.wrong(
    (7 * 7 * 2048 * 1000 + 1000, 7 * 7 * 1000 + 1000),
    "The global average runs over the places, so the 2,048 channels are what is left.",
)


@solves(
    "who-pulls",
    title="Who pulls harder? (predict, then check)",
    task="A picture whose label is 1 has the logit -4: the network is sure, and wrong. Predict the *sizes* of the "
    "gradient with respect to the logit for (1) the cross-entropy, (2) the focal loss with gamma = 2, "
    "(3) the squared error of the sigmoid, $(p - 1)^2$. Order them from the largest to the smallest: assign "
    "a list such as `[1, 2, 3]` to `prediction`. The first figure of this chapter helps; then compute.",
    hints=(
        "Look at the left-hand picture at -4. Does the focal curve stay below the other?",
        "The derivative of a product: the factor (1 - p)² falls while p grows, and that adds to the slope.",
    ),
    name="prediction",
)
def who_pulls() -> list[int]:
    return [2, 1, 3]


who_pulls.wrong(
    [1, 2, 3],
    "So one would think: a factor below 1 can only weaken. But the factor changes with p too, and where "
    "the network is wrong this makes the focal loss steeper.",
)
who_pulls.wrong(
    [3, 1, 2], "The squared error passes back through the sigmoid, whose slope at -4 is next to nothing."
)
who_pulls.wrong(
    [1, 3, 2], "The focal loss lets go of what is right; this picture is wrong, and its factor is nearly 1."
)


def _batches() -> Inputs:
    rng = np.random.default_rng(5)
    return [
        (rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])),
        (rng.normal(size=(2, 5)) * 2, np.array([4, 0])),
        (np.array([[1000.0, 0.0], [-3.0, 1000.0]]), np.array([0, 0])),
    ]


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


def _errors() -> Inputs:
    rng = np.random.default_rng(6)
    return [
        (rng.normal(size=8) * 3, rng.normal(size=8), 1.0),
        (np.array([0.0, 4.0, -4.0, 0.5]), np.zeros(4), 2.0),
        (np.array([[1.0, -7.0]]), np.array([[0.5, 0.0]]), 0.25),
    ]


@solves(
    "huber-gradient",
    title="Huber's pull (build)",
    task="Write the gradient of the *mean* Huber loss with respect to `y`. For `y = [4, 0.5]`, `target = [0, 0]` "
    "and `delta = 1` that is `[0.5, 0.25]`.",
    hints=("Inside, the slope of e²/2; outside, a constant.", "`np.clip` is both at once."),
    inputs=_errors,
)
def huber_gradient(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> np.ndarray:
    return np.clip(y - target, -delta, delta) / y.size


@huber_gradient.mistake("That is the gradient of the sum; the mean divides by the number of entries.")
def _(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> np.ndarray:
    return np.clip(y - target, -delta, delta)


@huber_gradient.mistake("Inside it is e²/2, whose slope is e, not 2e: with 2e the slope would jump at delta.")
def _(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> np.ndarray:
    e = y - target
    return np.where(np.abs(e) <= delta, 2 * e, delta * np.sign(e)) / y.size


@huber_gradient.mistake("Outside, the slope is delta, not 1: otherwise it jumps wherever delta is not 1.")
def _(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> np.ndarray:
    e = y - target
    return np.where(np.abs(e) <= delta, e, np.sign(e)) / y.size


@huber_gradient.mistake(
    "The sign is turned round: the gradient points where the loss grows, and the step goes against it."
)
def _(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> np.ndarray:
    return -huber_gradient(y, target, delta)


def _masks() -> Inputs:
    rng = np.random.default_rng(7)
    return [
        (rng.integers(0, 2, (5, 5)), rng.integers(0, 2, (5, 5))),
        (np.array([1, 1, 0, 0]), np.array([0, 1, 1, 1])),
        (np.array([0, 0, 1, 0, 0, 0]), np.array([1, 0, 1, 0, 0, 0])),
    ]


@solves(
    "dice-of-masks",
    title="Break a score (break, then mend)",
    task="On masks of small things, *accuracy* is easily fooled: all-empty masks score 97 % where things cover 3 %. "
    "Write the score that this cannot fool: `dice(p, t)` for two masks of zeros and ones, twice what they "
    "share over what they hold together. For `[1, 1, 0]` and `[1, 0, 0]` it is 2/3.",
    hints=(
        "What they share is the sum of the product.",
        "Does your score change if you add empty pixels to both?",
    ),
    inputs=_masks,
)
def dice(p: np.ndarray, t: np.ndarray) -> float:
    return 2 * np.sum(p * t) / (np.sum(p) + np.sum(t))


@dice.mistake("That is the accuracy, which counts the agreement on emptiness, and so is fooled.")
def _(p: np.ndarray, t: np.ndarray) -> float:
    return np.mean(p == t)


@dice.mistake(
    "That is the intersection over the union, Jaccard's index: a relation of Dice, which counts what is "
    "shared twice."
)
def _(p: np.ndarray, t: np.ndarray) -> float:
    return np.sum(p * t) / (np.sum(p) + np.sum(t) - np.sum(p * t))


@dice.mistake("You forgot the 2: two equal masks should score 1.")
def _(p: np.ndarray, t: np.ndarray) -> float:
    return dice(p, t) / 2


@dice.mistake("That is the loss; the score is one minus it.")
def _(p: np.ndarray, t: np.ndarray) -> float:
    return 1 - dice(p, t)


@dice.mistake("That is the recall, which a mask of nothing but ones would fool.")
def _(p: np.ndarray, t: np.ndarray) -> float:
    return np.sum(p * t) / np.sum(t)

"""Claims and exercises of chapter training/regularization."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

ZHANG, FELDMAN, ARPIT, HERE = "arXiv:1611.03530", "arXiv:2008.03703", "arXiv:1706.05394", "measured here"

QUESTION = "When does a net know by heart?"

CLAIMS = {
    "fits-shuffled-labels": Claim(
        "A net with a hidden layer of 64 units learns {measured} of 1,000 labels that were shuffled among the images.",
        source=f"measured here; {ZHANG}",
        ledger=("overfitting-definition",),
    ),
    "known-by-heart": Claim(
        "Of 1,000 right labels a net gives {measured} in a hundred only for images that it was shown.",
        source=f"measured here; the measure follows {FELDMAN}",
    ),
    "wrong-labels-by-heart": Claim(
        "Of a hundred wrong labels it gives {measured} more where it was shown them than where they were left out.",
        source=f"measured here; the measure follows {FELDMAN}",
    ),
    "decay-forgets-wrong-labels": Claim(
        "With weight decay {measured} in a hundred of the wrong labels are known by heart.",
        source=f"measured here, beside {ARPIT}, which did it with dropout",
    ),
    "whole-net-for-the-average": Claim(
        "A net that was trained with dropout, asked once and whole, gives in {measured} of a hundred cases the answer on which "
        "a hundred thinned nets agree on average.",
        source="measured here; arXiv:1207.0580",
        ledger=("dropout-test-scaling", "dropout-2n-networks"),
    ),
    "dropout-coadaptation": Claim(
        "With half of its hidden units missing, a net reads {measured} points more if it was trained with dropout.",
        source="measured here; arXiv:1207.0580",
    ),
    "dropout-speed-claim": Claim(
        "Until it reads 95 % of its training images, a net with dropout takes {measured} times as many steps.",
        source="measured here; http://jmlr.org/papers/v15/srivastava14a.html",
    ),
    "decay-is-worth-points": Claim(
        "On each of four more draws of 1,000 images weight decay gains the small net {measured} points or more.",
        source=HERE,
    ),
    "dropout-weak-on-conv": Claim(
        "In a small net with two layers of eight maps, {measured}.", source="measured here; arXiv:1810.12890"
    ),
    "early-stopping": Claim("With 1,000 images and right labels, {measured}.", source=HERE),
    "limit-parameters": Claim("At the width of four that validation images chose, {measured}.", source=HERE),
    "ensemble-leads": Claim(
        "With their probabilities averaged, {measured}.", source=HERE, ledger=("ensembles",)
    ),
    "ordinary-net-leads": Claim(
        "A common net with pooling, to which nothing is done, reads {measured} points more than the small net with weight decay.",
        source=HERE,
    ),
    "worth-more-with-wrong-labels": Claim("Where a fifth of the labels is wrong, {measured}.", source=HERE),
}

BREAKS = {
    "fits-shuffled-labels": Break(
        "the hidden layer has four units",
        old="net = learn(x, labels, rate=3e-3, epochs=40, seed=0)",
        new="net = learn(x, labels, rate=3e-3, epochs=40, seed=0, hidden=4)",
    ),
    "known-by-heart": Break(
        "the labels are shuffled among the images",
        old='"right labels": by_heart(y)',
        new='"right labels": by_heart(shuffled)',
    ),
    "wrong-labels-by-heart": Break(
        "they are right after all", old="labels = np.where(moved, ", new="labels = np.where(moved & False, "
    ),
    "decay-forgets-wrong-labels": Break(
        "nothing decays", old="by_heart(labels, **decay)", new="by_heart(labels)"
    ),
    "whole-net-for-the-average": Break(
        "no unit was dropped in training",
        old='("trained with dropout", {"units": 0.5})',
        new='("trained with dropout", {})',
    ),
    "dropout-coadaptation": Break(
        "no unit was dropped in training",
        old='("trained with dropout", {"units": 0.5})',
        new='("trained with dropout", {})',
    ),
    "dropout-speed-claim": Break("nothing is dropped", old='"with": {"units": 0.5}', new='"with": {}'),
    "decay-is-worth-points": Break(
        "nothing decays", old='gains["weight decay"].min()', new='gains["nothing"].min()'
    ),
    "dropout-weak-on-conv": Break(
        "nothing is dropped from the maps",
        old='race.lead("dropout, hidden units", over="dropout, places of maps")',
        new='race.lead("dropout, hidden units", over="nothing")',
    ),
    "early-stopping": Break(
        "a fifth of the labels is wrong",
        old='race.lead("early stopping", over="nothing")',
        new='noisy.lead("early stopping", over="nothing, all learned")',
    ),
    "limit-parameters": Break(
        "there are twice as many, and not fewer",
        old='race.lead("fewer hidden units", over="nothing")',
        new='race.lead("twice the hidden units", over="nothing")',
    ),
    "ensemble-leads": Break(
        "one net has the hidden units of two",
        old='race.lead("ensemble of five", over="nothing")',
        new='race.lead("twice the hidden units", over="nothing")',
    ),
    "ordinary-net-leads": Break(
        "the common net is the small one",
        old='common.test["nothing"] - test("weight decay")',
        new='test("nothing") - test("weight decay")',
    ),
    "worth-more-with-wrong-labels": Break(
        "all labels are right",
        old='noisy.lead("weight decay", over="nothing, all learned")',
        new='race.lead("weight decay", over="nothing")',
    ),
}


def _shares(rng: np.random.Generator) -> Cases:
    yield "the example", (0.1, 10)
    yield "two classes", (0.2, 2)
    yield "a thousand classes", (0.1, 1_000)
    yield "nearly nothing spread", (0.001, 10)
    yield "nearly everything spread", (0.95, 5)
    for _ in range(3):
        yield "drawn", (round(float(rng.uniform(0.05, 0.6)), 2), int(rng.integers(3, 50)))


@solves(
    "margin",
    title="Compute: how sure a smoothed label wants you to be",
    task="Label smoothing takes the `share` of each label and spreads it over all `classes`, the right one included, as Keras does. Its "
    "cross-entropy is smallest when the probabilities equal the smoothed label. Write `margin(share, classes)`: by how much the "
    "score of the right class then lies above each other score. `margin(0.1, 10)` is about 4.51.",
    hints=(
        "What does the smoothed label say of the right class, and what of each other?",
        "Scores are logarithms of probabilities, up to a constant that all share.",
    ),
    inputs=_shares,
)
def margin(share: float, classes: int) -> float:
    return np.log((1 - share + share / classes) / (share / classes))


@margin.mistake("the right class gets its part of what is spread, too.")
def _(share: float, classes: int) -> float:
    return np.log((1 - share) / (share / classes))


@margin.mistake("Keras spreads the share over all classes, not over the wrong ones alone.")
def _(share: float, classes: int) -> float:
    return np.log((1 - share) / (share / (classes - 1)))


@margin.mistake("the share is divided among all classes: no single wrong class gets the whole of it.")
def _(share: float, classes: int) -> float:
    return np.log((1 - share) / share)


@margin.mistake("that is the ratio of the two probabilities; scores are logarithms.")
def _(share: float, classes: int) -> float:
    return (1 - share + share / classes) / (share / classes)


@margin.mistake("that is the difference of the probabilities; scores are logarithms.")
def _(share: float, classes: int) -> float:
    return 1 - share


@margin.mistake("you divided the wrong class's probability by the right one's.")
def _(share: float, classes: int) -> float:
    return np.log((share / classes) / (1 - share + share / classes))


@solves(
    "who-keeps-the-mean",
    title="Predict, then check: who keeps the mean?",
    task="Inverted dropout at a rate of one half is drawn anew many times. In which of these nets, with random weights, is the average "
    "output exactly that of the whole net? (1) dropout, dense layer; (2) dropout, dense layer, ReLU; (3) dropout, dense layer, another "
    "dropout with a mask of its own, dense layer; (4) dropout, dense layer, softmax; (5) DropConnect on a dense layer without activation. "
    "Assign a list of five, `True` or `False`, to `prediction`. Then draw.",
    hints=(
        "The mean of a sum is the sum of the means. For which functions may mean and function change places?",
        "The masks of (3) are independent: the mean of a product of independent numbers is the product of their means.",
    ),
    name="prediction",
)
def who_keeps_the_mean() -> list[bool]:
    return [True, False, True, False, True]


who_keeps_the_mean.wrong(
    [True, True, True, True, True],
    "a ReLU of a mean is not the mean of ReLUs: take a unit that is negative in the whole net and positive under some mask.",
)
who_keeps_the_mean.wrong(
    [True, False, False, False, True],
    "two layers without anything bent between them are still linear in each mask.",
)
who_keeps_the_mean.wrong(
    [True, False, True, True, True],
    "a softmax is bent, too: its probabilities are no weighted sums of the scores.",
)
who_keeps_the_mean.wrong(
    [True, False, True, False, False],
    "DropConnect drops weights in place of units; what it does before the activation is linear all the same.",
)
who_keeps_the_mean.wrong(
    [True, True, True, False, True],
    "a ReLU is linear on either side of zero, and some masks take the unit from one side to the other.",
)


def _kernels(rng: np.random.Generator) -> Cases:
    yield "the example", (np.array([[3.0, 0.3], [4.0, 0.4]]), 2.0)
    yield "a unit of zeros", (np.array([[0.0, 6.0], [0.0, 8.0]]), 1.0)
    yield "all short enough", (np.array([[0.1, -0.2], [0.3, 0.1], [0.0, 0.2]]), 3.0)
    yield "just as long as allowed", (np.array([[3.0], [4.0]]), 5.0)
    yield "integers", (np.array([[3, 1], [4, 1]]), 1.0)
    for inputs, units in ((2, 5), (5, 2), (4, 4)):
        yield "drawn", (rng.normal(size=(inputs, units)).round(2), 1.5)


@solves(
    "max-norm",
    title="Build: a leash for every unit",
    task="Write `max_norm(w, c)` for the weights `(inputs, units)` of a dense layer: each unit whose weights are longer than `c` "
    "(the root of the sum of their squares) is shortened to length `c`, in the same direction; the others stay as they are. "
    "For `w = [[3, 0.3], [4, 0.4]]` and `c = 2` it is `[[1.2, 0.3], [1.6, 0.4]]`. Do not change `w`.",
    hints=(
        "A unit is a column of `w`: `np.sqrt((w**2).sum(axis=0))` has one length a unit.",
        "Divide by the length and multiply by `c`, but only where the length is above `c`; mind units of zeros.",
    ),
    inputs=_kernels,
)
def max_norm(w: np.ndarray, c: float) -> np.ndarray:
    lengths = np.sqrt((w**2).sum(axis=0))
    return w * (c / np.maximum(lengths, c))


@max_norm.mistake("units that are shorter than c are to stay as they are; yours are stretched.")
def _(w: np.ndarray, c: float) -> np.ndarray:
    return w * c / np.maximum(np.sqrt((w**2).sum(axis=0)), 1e-12)


@max_norm.mistake("you took the length of a row: what leaves one input. A unit's weights are a column.")
def _(w: np.ndarray, c: float) -> np.ndarray:
    return w * (c / np.maximum(np.sqrt((w**2).sum(axis=1, keepdims=True)), c))


@max_norm.mistake("you took the length of the whole matrix; each unit has a leash of its own.")
def _(w: np.ndarray, c: float) -> np.ndarray:
    return w * (c / max(np.sqrt((w**2).sum()), c))


@max_norm.mistake(
    "you cut off each weight at c; the length of the unit is what counts, and its direction is to stay."
)
def _(w: np.ndarray, c: float) -> np.ndarray:
    return np.clip(w, -c, c)


@max_norm.mistake("the length is the root of the sum of squares; you left out the root.")
def _(w: np.ndarray, c: float) -> np.ndarray:
    return w * (c / np.maximum((w**2).sum(axis=0), c))


@max_norm.mistake(
    "that is the sum of absolute values, the L1 norm; the length is the root of the sum of squares."
)
def _(w: np.ndarray, c: float) -> np.ndarray:
    return w * (c / np.maximum(np.abs(w).sum(axis=0), c))


def _patience(rng: np.random.Generator) -> Cases:
    yield "the example", (2,)
    yield "no patience to speak of", (1,)
    for patience in (3, 5, 10):
        yield "more patience", (patience,)
    yield "drawn", (int(rng.integers(11, 30)),)


@solves(
    "impatient",
    title="Break: early stopping that misses the best",
    task="Early stopping with `patience=p` ends a training after `p` rounds in a row in which the validation score was not above the best one "
    "so far. The first round always counts as the best so far. Break it: write `missed(p)`, the shortest list of validation scores, round by round, whose largest comes after the training "
    "was ended. Use whole numbers from 0, as small as they can be. `missed(2)` is `[0, 0, 0, 1]`: it ends after the third round.",
    hints=(
        "How many rounds does it train at least, counting the first?",
        "A score that equals the best is not above it.",
    ),
    inputs=_patience,
)
def missed(p: int) -> list[int]:
    return [0] * (p + 1) + [1]


@missed.mistake(
    "the first round is the best so far; the patience is counted from the second. Your best one is still seen."
)
def _(p: int) -> list[int]:
    return [0] * p + [1]


@missed.mistake("it had ended one round before: a shorter list will do.")
def _(p: int) -> list[int]:
    return [0] * (p + 2) + [1]


@missed.mistake("smaller numbers will do: a score that equals the best so far is no gain.")
def _(p: int) -> list[int]:
    return [1] + [0] * p + [2]


@missed.mistake("smaller numbers will do: any score above the best so far is a gain.")
def _(p: int) -> list[int]:
    return [0] * (p + 1) + [2]


@missed.mistake("your best score comes first, so that nothing is missed.")
def _(p: int) -> list[int]:
    return [1] + [0] * (p + 1)

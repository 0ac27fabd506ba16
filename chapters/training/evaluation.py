"""Claims and exercises of chapter training/evaluation."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

DIETTERICH, SUMMERS, BOUTHILLIER = "doi:10.1162/089976698300017197", "arXiv:2103.04514", "arXiv:2103.03098"
HERE = "measured here"

QUESTION = "How do you know that it is better?"

CLAIMS = {
    "equal-nets-told-apart": Claim(
        "Of pairs of nets of one recipe, McNemar's test on 10,000 digits calls a share of {measured} different at the level of 0.05.",
        source=f"{HERE}; the test for classifiers: {DIETTERICH}",
    ),
    "more-digits-more-winners": Claim(
        "On 10,000 digits in place of 500 it finds a winner between equal nets in a share of {measured} more of the pairs.",
        source=HERE,
    ),
    "a-hair-is-enough": Claim(
        "Two nets, one of whose first weights differs by its last bit, say different classes of {measured} of 10,000 digits.",
        source=f"{HERE}; {SUMMERS}",
    ),
    "voting-nets": Claim(
        "Ten nets that vote read more digits than they do one by one: {measured}.",
        source=HERE,
    ),
    "five-seeds-keep-the-level": Claim(
        "The interval over five nets of each finds a winner between equal recipes in a share of {measured}.",
        source=HERE,
    ),
    "leak-crowns-memory": Claim(
        "Cut through the photographs, the nearest neighbour reads a share of {measured} more than the net.",
        source=HERE,
    ),
    "leak-mended": Claim(
        "Cut between the photographs, the net reads a share of {measured} more than the nearest neighbour.",
        source=HERE,
        ledger=("k-fold-cross-validation",),
    ),
    "net-over-svm": Claim(
        "Taught by the same 2,000 digits, the net reads a share of {measured} more than the support vector machine.",
        source=HERE,
        ledger=("ai-winter-svm",),
    ),
    "conformal-coverage": Claim(
        "Sets that promise to hold the class of 49 digits in 50 hold it, over 200 lots of digits held back, in a share of {measured}.",
        source="measured here; arXiv:2107.07511, arXiv:2303.02770",
        ledger=("conformal-prediction",),
    ),
    "leak-seen": Claim(
        "Of the versions held back, a share of {measured} lies nearer to a training picture than 19 of 20 of those lie to any other photograph.",
        source=HERE,
    ),
    "conformal-moved": Claim(
        "With the digits moved by two pixels the same sets hold the class in a share of {measured}.",
        source=HERE,
    ),
}

BREAKS = {
    "equal-nets-told-apart": Break(
        "the digits on which two nets differ are dealt out by coin",
        old="told_apart(one, other, digits)",
        new="told_apart(*dealt(one, other), digits)",
    ),
    "more-digits-more-winners": Break(
        "the digits on which two nets differ are dealt out by coin",
        old="told_apart(one, other, digits)",
        new="told_apart(*dealt(one, other), digits)",
    ),
    "a-hair-is-enough": Break("no weight is changed", old="hair=1", new="hair=0"),
    "voting-nets": Break(
        "the ten who vote are one net", old="voters = list(range(10))", new="voters = [0] * 10"
    ),
    "five-seeds-keep-the-level": Break(
        "one of the two recipes saw 800 digits, the other 1,000",
        old="comparisons(recipe, recipe)",
        new="comparisons(recipe, fewer)",
    ),
    "leak-crowns-memory": Break(
        "versions of one photograph stay together", old="groups=None", new="groups=origin"
    ),
    "leak-mended": Break("versions of one photograph are shared out", old="groups=origin", new="groups=None"),
    "net-over-svm": Break(
        "the pixels of all digits are shuffled, all in the same way",
        old="np.arange(196)",
        new="np.random.default_rng(0).permutation(196)",
    ),
    "conformal-coverage": Break(
        "the threshold is found on digits that the net was trained on",
        old="conformal(y_test[held], sure[held], ",
        new="conformal(y[rows], probabilities(x[rows]), ",
    ),
    "leak-seen": Break("versions of one photograph stay together", old="groups=None", new="groups=origin"),
    "conformal-moved": Break(
        "the digits stay where they are",
        old="shifted(x_test, 0, pixels)",
        new="shifted(x_test, 0, 0 * pixels)",
    ),
}


@solves(
    "coins",
    title="Compute: ten digits",
    task="Two nets disagree on ten test digits, and the first is right on nine of them. Give McNemar's exact two-sided p: how likely "
    "ten fair coins fall as unevenly as this, or more. With two disagreements, both won by the first, it is 0.5.",
    hints=(
        "Of the 1,024 ways in which ten coins fall, how many show one tail or none?",
        "Uneven on either side counts: one head or none is as uneven.",
    ),
    name="as_uneven",
)
def coins() -> float:
    return 2 * (1 + 10) / 2**10


coins.wrong(11 / 1024, "that is one side; uneven in favour of the other net counts as well.")
coins.wrong(20 / 1024, "that is 'exactly nine to one'; ten to none is more uneven still, and counts.")
coins.wrong(
    10 / 1024, "that is 'exactly nine to one', on one side; add what is more uneven, and the other side."
)
coins.wrong(0.9, "that is the share of digits won by the first; p is how often coins do as much.")
coins.wrong(0.1, "that is a share of digits; p is how often coins fall so unevenly.")


@solves(
    "what-shrinks",
    title="Predict: ten times as many test digits",
    task="You test on 10,000 digits in place of 1,000. Which of these become much smaller? (1) The interval of one trained net's accuracy. (2) The "
    "spread between the *true* accuracies of nets of one recipe. (3) The gap between a net's accuracy on its training digits and on the test digits. (4) The "
    "calibration error that a perfectly calibrated net shows by chance. (5) The points that copies on both sides of a cut buy. Assign five "
    "`True` or `False` to `smaller`.",
    hints=(
        "Which of them come from the draw of the test digits, and which are there before any digit is drawn?",
        "A finer scale does not make two bags of flour weigh the same.",
    ),
    name="smaller",
)
def what_shrinks() -> list[bool]:
    return [True, False, False, True, False]


what_shrinks.wrong(
    [True, False, True, True, False],
    "what a net has learned by heart helps it on no new digit, however many of them it is shown.",
)
what_shrinks.wrong(
    [True, True, False, True, False],
    "more test digits measure the nets better; they do not train them again.",
)
what_shrinks.wrong(
    [True, True, True, True, True],
    "more digits help against the chance of which digits were drawn, and against nothing else.",
)
what_shrinks.wrong(
    [True, False, False, False, False],
    "even a perfectly calibrated net misses the accuracy of a bin by chance; does that not depend on how many digits the bin holds?",
)
what_shrinks.wrong(
    [True, False, False, True, True],
    "a leak is not a matter of chance: each copy is as easy as the last, however many there are.",
)


def _leads(rng: np.random.Generator) -> Cases:
    yield "the example", ([1.0, 2.0],)
    yield "one pair", ([0.7],)
    yield "all alike", ([0.5, 0.5, 0.5, 0.5, 0.5],)
    yield "all against", ([-0.5, -1.0, -0.25],)
    yield "no lead at all", ([0.0, 0.0, 0.0],)
    yield "one against four", ([1.0, 1.0, 1.0, 1.0, -2.0],)
    for n in (4, 6, 8):
        yield f"{n} drawn leads", ((rng.integers(-8, 12, n) / 4).tolist(),)


@solves(
    "flip-signs",
    title="Build: a test without a bell curve",
    task="If two recipes are equal, each paired lead might as well have had the other sign. Write `flip_signs(leads)`: of all the $2^n$ ways to give "
    "the sizes of `leads` their signs, the share whose sum is at least as far from 0 as the one that was seen. "
    "`flip_signs([1.0, 2.0])` is 0.5. (Then ask it for the smallest p that five pairs can give.)",
    hints=(
        "Begin with the sum 0. Each lead makes two sums of every sum: one with it added, one with it taken away.",
        "As far on either side counts, and so does the way that was seen; mind ties, which count too.",
    ),
    inputs=_leads,
)
def flip_signs(leads: list[float]) -> float:
    sums = np.array([0.0])
    for lead in leads:
        sums = np.concatenate([sums + lead, sums - lead])
    return np.mean(np.abs(sums) >= abs(sum(leads)) - 1e-9)


flip_signs.equivalent(
    "return np.mean(np.abs(sums) > abs(sum(leads)) - 1e-09)",
    "no sum lies at the bound: the bound is a billionth below the sum that was seen",
)


@flip_signs.mistake("you counted one side only; a lead of the other recipe would have been as strange.")
def _(leads: list[float]) -> float:
    sums = np.array([0.0])
    for lead in leads:
        sums = np.concatenate([sums + lead, sums - lead])
    return np.mean(sums >= sum(leads) - 1e-9)


@flip_signs.mistake("ways that are exactly as far count too, the one that was seen among them.")
def _(leads: list[float]) -> float:
    sums = np.array([0.0])
    for lead in leads:
        sums = np.concatenate([sums + lead, sums - lead])
    return np.mean(np.abs(sums) > abs(sum(leads)) + 1e-9)


@flip_signs.mistake("that only looks at how many leads are positive; their sizes count as well.")
def _(leads: list[float]) -> float:
    sums = np.array([0.0])
    for lead in np.sign(leads):
        sums = np.concatenate([sums + lead, sums - lead])
    return np.mean(np.abs(sums) >= abs(sum(np.sign(leads))) - 1e-9)


@flip_signs.mistake("that is the share of leads that are negative; ask of each way to give out signs.")
def _(leads: list[float]) -> float:
    return np.mean(np.array(leads) < 0)


def _origins(rng: np.random.Generator) -> Cases:
    yield "the example", (["cat", "dog", "cat"],)
    yield "no copies", ([3, 1, 2],)
    yield "all copies of one", ([5, 5, 5, 5],)
    yield "one picture", ([0],)
    yield "copies side by side", ([1, 1, 2, 2, 3],)
    for n in (8, 12):
        yield f"{n} drawn pictures", (rng.integers(0, 5, n).tolist(),)


@solves(
    "worst-split",
    title="Break: the leakiest cut",
    task="`origins` tells of each picture from which photograph it was made. Break an evaluation: write `worst_split(origins)`, a list with `True` for "
    "each picture that goes to the test set, so that **every** test picture has a version of its own photograph in the training set, as many "
    "pictures as possible are tested, and of each photograph the first version is trained on. `worst_split(['cat', 'dog', 'cat'])` is "
    "`[False, False, True]`. (Which option of `k_fold` forbids this?)",
    hints=(
        "How many versions of a photograph must stay in the training set, so that all others are leaked?",
        "A picture is tested if its photograph has been met before.",
    ),
    inputs=_origins,
)
def worst_split(origins: list) -> list[bool]:
    return [origin in origins[:place] for place, origin in enumerate(origins)]


@worst_split.mistake("these are the training pictures: turn it round.")
def _(origins: list) -> list[bool]:
    return [origin not in origins[:place] for place, origin in enumerate(origins)]


@worst_split.mistake(
    "you tested all versions of a photograph that has several: then none is left to train on."
)
def _(origins: list) -> list[bool]:
    return [origins.count(origin) > 1 for origin in origins]


@worst_split.mistake("you keep the last version of each photograph for training; the task wants the first.")
def _(origins: list) -> list[bool]:
    return [origin in origins[place + 1 :] for place, origin in enumerate(origins)]


@worst_split.mistake("more pictures can be leaked: one version of each photograph is enough to train on.")
def _(origins: list) -> list[bool]:
    return [origins[:place].count(origin) == 1 for place, origin in enumerate(origins)]

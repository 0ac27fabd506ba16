"""Claims and exercises of chapter training/transfer-learning."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

HERE = "measured here"

QUESTION = "What is worth keeping from another task?"

CLAIMS = {
    "order-not-size": Claim(
        "With twenty labels a digit, a net that learned 0 to 4 reads a share of {measured} more of 5 to 9 than the same weights "
        "shuffled within each kernel (mean of three nets and ten draws).",
        source=HERE,
        ledger=("transfer-learning",),
    ),
    "imagenet-over-shuffled": Claim(
        "Twenty labels a class, ants and bees: weights learned on ImageNet read {measured} points more than the same weights "
        "shuffled, in the worst of five draws.",
        source=HERE,
        ledger=("feature-extraction",),
    ),
    "imagenet-for-signs": Claim(
        "Twenty labels a kind, traffic signs: learned weights read {measured} points more than the same shuffled, cut after "
        "block 6 with places kept, in the worst of five draws.",
        source=HERE,
    ),
    "places-for-signs": Claim(
        "Twenty labels a kind, traffic signs: what block 6 says in 4 × 4 places reads {measured} points more than its averages, in the "
        "worst of five draws.",
        source=HERE,
    ),
    "hog-with-few-labels": Claim(
        "Five labels a kind, traffic signs: gradients by hand read {measured} points more than block 6 of ImageNet's net with its "
        "places, in the worst of five draws.",
        source=HERE,
    ),
    "early-over-scratch": Claim(
        "Twenty labels a kind, traffic signs: block 6 with its places reads {measured} points more than a small net trained from "
        "scratch on the same labels, in the worst of five draws.",
        source=HERE,
    ),
    "the-leak": Claim(
        "Without a single label of ours, ImageNet's own scores for ant and bee tell {measured} per cent of the test photographs.",
        source=HERE,
    ),
    "cut-before-the-end": Claim(
        "For signs and for digits the best cut reads {measured} points more than the end of the net, in the set where it gains less.",
        source="measured here; arXiv:1411.1792",
    ),
    "first-layer-alone": Claim(
        "After the first convolution learned weights lead the same weights shuffled by {measured} points, in the set and to the "
        "reader where they do best.",
        source=HERE,
        ledger=("early-layers-transfer",),
    ),
    "new-statistics": Claim(
        "With the batch statistics of dark or pale photographs readers tell {measured} points more of them than with ImageNet's, in the "
        "worse case (mean of five draws).",
        source="measured here; arXiv:1603.04779",
        ledger=("domain-adaptation",),
    ),
    "new-statistics-harm": Claim(
        "With their own batch statistics readers tell {measured} points fewer of clean, cubed or blurred photographs than with "
        "ImageNet's, in the mildest case (mean of five draws).",
        source=HERE,
    ),
    "tuning-beats-freezing": Claim(
        "Fifty digits of kinds that a net does not know, its norms frozen and all else learning: {measured}.",
        source=HERE,
        ledger=("fine-tuning",),
    ),
    "frozen-norms-need-small-rates": Claim(
        "At a rate of 0.03 the worse of two nets whose batch norms learn reads a share of {measured} more than the better of two whose "
        "norms are frozen.",
        source=HERE,
    ),
}

BREAKS = {
    "order-not-size": Break(
        "the net's weights are shuffled",
        old='"taught 0 to 4": taught,',
        new='"taught 0 to 4": shuffled,',
    ),
    "imagenet-over-shuffled": Break(
        "the net was never taught",
        old='known, places, hog = "learned"',
        new='known, places, hog = "random"',
    ),
    "imagenet-for-signs": Break(
        "the net was never taught",
        old='known, places, hog = "learned"',
        new='known, places, hog = "random"',
    ),
    "places-for-signs": Break(
        "places are averaged there too",
        old='EARLY = ("out_relu", "averages"), ("block_6_expand_relu", "places")',
        new='EARLY = ("out_relu", "averages"), ("block_6_expand_relu", "averages")',
    ),
    "hog-with-few-labels": Break(
        "colours take the place of gradients",
        old='hog = "learned", EARLY, ("gradients (HOG), linear",)',
        new='hog = "learned", EARLY, ("colours, linear",)',
    ),
    "early-over-scratch": Break(
        "the net was never taught",
        old='known, places, hog = "learned"',
        new='known, places, hog = "random"',
    ),
    "the-leak": Break(
        "its first word of a thousand is asked for",
        old='head["pair"]',
        new='head["first"]',
    ),
    "cut-before-the-end": Break(
        "ImageNet knows the kinds",
        old='far, last = ("signs", "digits")',
        new='far, last = ("ants and bees",)',
    ),
    "first-layer-alone": Break(
        "all layers are kept",
        old="here = 0",
        new="here = last",
    ),
    "new-statistics": Break(
        "the statistics stay those of clean photographs",
        old='theirs = "of photographs like it"',
        new='theirs = "of clean photographs"',
    ),
    "new-statistics-harm": Break(
        "the light changes",
        old='harmed = ("none", "gamma", "blurred")',
        new='harmed = ("dark", "pale")',
    ),
    "tuning-beats-freezing": Break(
        "the rival is fine-tuned too",
        old='race.lead("norms frozen", over="frozen, linear")',
        new='race.lead("norms frozen, rates by depth", over="norms frozen")',
    ),
    "frozen-norms-need-small-rates": Break(
        "the rate is a tenth",
        old="large = 0.03",
        new="large = 0.003",
    ),
}


@solves(
    "left-to-train",
    title="Compute: what is left to train",
    task="A backbone ends in maps of 7 × 7 places and 320 channels. After them come a 1 × 1 convolution without bias to 1,280 channels, a "
    "batch norm, an average over all places, and a new dense layer for 5 classes. All up to the 320 maps is frozen, and so is the batch "
    "norm. How many numbers are trained? For example, with the convolution frozen as well it would be the dense layer's alone.",
    hints=(
        "The dense layer sees one number a channel, and has a bias.",
        "A 1 × 1 convolution has one weight for each pair of channels.",
    ),
    name="count",
)
def left_to_train() -> int:
    return 320 * 1280 + 1280 * 5 + 5


left_to_train.wrong(
    320 * 1280 + 1280 * 5 + 5 + 2 * 1280, "the scale and the shift of the batch norm are frozen too."
)
left_to_train.wrong(
    320 * 1280 + 1280 * 5 + 5 + 4 * 1280,
    "of a frozen batch norm nothing is trained, its statistics least of all.",
)
left_to_train.wrong(320 * 1280 + 1280 * 5, "the new classes have a bias each.")
left_to_train.wrong(1280 * 5 + 5, "that is the dense layer; the convolution after the cut learns as well.")
left_to_train.wrong(
    320 * 1280 + 7 * 7 * 1280 * 5 + 5, "the average leaves one number of each channel, not one of each place."
)
left_to_train.wrong(
    320 * 1280 + 1280 + 1280 * 5 + 5, "the convolution has no bias: the norm after it has a shift of its own."
)


@solves(
    "what-moves",
    title="Predict, then check: what moves in a batch norm",
    task="A batch norm has four vectors: scale, shift, moving mean and moving variance. How many of them change in a training step (a) as it "
    "is; (b) after `norm.trainable = False`; (c) when it stays trainable, but the net is built with `norm(x, training=False)`? Give a "
    "list of three numbers. Predict; then check with a net of two layers and `get_weights()`. For example, if one vector changed in each "
    "case the list would be `[1, 1, 1]`.",
    hints=(
        "The optimiser moves what is trainable; the layer itself moves its statistics, when it works as in training.",
        "What `fit` tells a functional net goes to every layer in it. Does that come before what the layer was built with, or after?",
    ),
    name="prediction",
)
def what_moves() -> list[int]:
    return [4, 0, 4]


what_moves.wrong(
    [4, 0, 2],
    "(c) is what everyone expects. Try it: `fit` tells each layer of a functional net that it trains, whatever it was built with.",
)
what_moves.wrong(
    [4, 2, 2],
    "(b) would hold elsewhere: in Keras a frozen batch norm leaves its statistics alone, too. And try (c).",
)
what_moves.wrong(
    [4, 2, 4], "(b) would hold elsewhere: in Keras a frozen batch norm leaves its statistics alone, too."
)
what_moves.wrong([4, 0, 0], "(c) scale and shift are trainable still, for a start. Try it.")
what_moves.wrong(
    [2, 0, 2], "(a) the layer moves its statistics in training, although no gradient reaches them."
)
what_moves.wrong([2, 0, 0], "(a) the statistics move as well; (c) scale and shift are trainable still.")


def _nets(rng: np.random.Generator) -> Cases:
    yield "nothing is frozen", ([10, 20, 30], 2.0, 0)
    yield "a layer without weights", ([10, 0, 30, 0], 2.0, 0)
    yield "a single weight", ([1, 5, 1], 3.0, 0)
    yield "all is frozen", ([10, 20], 3.0, 2)
    yield "only the last is left", ([10, 20, 30], 2.6, 2)
    yield "the frozen ones have no weights", ([0, 0, 5, 6], 4.0, 2)
    yield "one rate for all", ([10, 20, 30], 1.0, 1)
    for layers in (4, 6, 7):
        sizes = (rng.integers(0, 3, layers) * rng.integers(1, 100, layers)).tolist()
        yield "a random net", (sizes, float(rng.integers(2, 5)), int(rng.integers(0, 3)))


@solves(
    "depth-rates",
    title="Build: rates by depth",
    task="Write `depth_rates(sizes, factor, frozen)`. `sizes` says how many weights each layer has, from the first to the last; the first "
    "`frozen` layers are frozen. Return a list with what each layer's rate is multiplied by: 1 for the last layer that has weights, for each "
    "layer with weights before it `factor` times less, and 0 for layers that are frozen or have no weights. For example, "
    "`depth_rates([9, 4, 0, 7], 10.0, 1)` is `[0, 0.1, 0, 1]`.",
    hints=(
        "Walk from the last layer to the first, and keep the multiplier in hand.",
        "Layers without weights take no step.",
    ),
    inputs=_nets,
)
def depth_rates(sizes: list[int], factor: float, frozen: int) -> list[float]:
    rates, times = [], 1.0
    for place, size in reversed(list(enumerate(sizes))):
        learns = size > 0 and place >= frozen
        rates.append(times if learns else 0.0)
        times = times / factor if learns else times
    return rates[::-1]


depth_rates.equivalent("learns = size != 0 and place >= frozen", "no layer has fewer weights than none")


@depth_rates.mistake("a layer without weights is no step: the layer before it gets one factor less, not two.")
def _(sizes: list[int], factor: float, frozen: int) -> list[float]:
    last = max((place for place, size in enumerate(sizes) if size), default=0)
    return [factor ** (place - last) if size and place >= frozen else 0.0 for place, size in enumerate(sizes)]


@depth_rates.mistake(
    "it is the last layers that learn fastest: they are new, and the first ones are worth keeping."
)
def _(sizes: list[int], factor: float, frozen: int) -> list[float]:
    rates, times = [], 1.0
    for place, size in enumerate(sizes):
        learns = size > 0 and place >= frozen
        rates.append(times if learns else 0.0)
        times = times / factor if learns else times
    return rates


@depth_rates.mistake("the first layers are frozen: their rate is 0, however small it would be.")
def _(sizes: list[int], factor: float, frozen: int) -> list[float]:
    return depth_rates(sizes, factor, 0)


@depth_rates.mistake("each step divides by the factor, it does not subtract.")
def _(sizes: list[int], factor: float, frozen: int) -> list[float]:
    rates = np.array(depth_rates(sizes, np.e, frozen))
    return np.where(rates > 0, 1 + np.log(np.maximum(rates, 1e-300)) / factor, 0).tolist()


def _mixtures(rng: np.random.Generator) -> Cases:
    yield "half and half", ([-1.0, 1.0, -2.0, 2.0],)
    yield "bees only", ([1.0, 2.0, 3.0],)
    yield "ants only", ([-4.0, -3.0, -1.0],)
    yield "all alike", ([2.0, 2.0],)
    yield "one ant among bees", ([-6.0, 1.0, 2.0, 3.0, 2.5],)
    yield "one exactly between", ([0.0, 1.0, -1.0],)
    for size in (4, 7, 9):
        yield "random", ((rng.normal(0.7, 1.0, size)).round(2).tolist(),)


@solves(
    "undo-the-camera",
    title="Break: the right camera, another mixture",
    task="A reader says *bee* where a feature, normalised by a batch norm, is above 0. While it learned, half the pictures were bees, and the "
    "feature's mean was 0. Now the camera is the same but the mixture is not, and somebody restates the norm on the new pictures `x`, a list "
    "with one feature each. Write `fooled(x)`: how many of their answers change by that. For example, `fooled([1.0, 2.0, 3.0])` is 2: all were "
    "bees, and only the last still is one.",
    hints=(
        "Dividing by the deviation changes no sign.",
        "Restated, the norm takes the mean of the new pictures off.",
    ),
    inputs=_mixtures,
)
def fooled(x: list[float]) -> int:
    mean = sum(x) / len(x)
    return sum((one > 0) != (one > mean) for one in x)


@fooled.mistake(
    "some answers change from ant to bee as well: count those that differ, not how many bees there are fewer."
)
def _(x: list[float]) -> int:
    return sum(one > 0 for one in x) - sum(one > np.mean(x) for one in x)


@fooled.mistake("a norm takes the mean off, not the median.")
def _(x: list[float]) -> int:
    return sum((one > 0) != (one > np.median(x)) for one in x)


@fooled.mistake(
    "that is how many read *bee* afterwards; asked for is how many answers are others than before."
)
def _(x: list[float]) -> int:
    return sum(one > np.mean(x) for one in x)


@fooled.mistake(
    "that is how many read *ant* afterwards; asked for is how many answers are others than before."
)
def _(x: list[float]) -> int:
    return sum(one <= np.mean(x) for one in x)

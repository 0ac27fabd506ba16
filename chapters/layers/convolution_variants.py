"""Claims and exercises of chapter layers/convolution-variants."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

MOBILENET, DILATED = "arXiv:1704.04861", "arXiv:1511.07122"

QUESTION = "What can be left out of a convolution?"

CLAIMS = {
    "dsc-param-formula": Claim(
        "A separable layer of 256 to 256 channels with 3 × 3 kernels has {measured} weights: C k² + C C'.",
        source=MOBILENET,
    ),
    "dsc-nine-times": Claim(
        "A full layer there needs {measured} times as many multiply-adds: 1 / (1/C' + 1/k²).",
        source=MOBILENET,
    ),
    "dsc-accuracy-tradeoff": Claim(
        "At equal width, {measured}.", source=f"measured here; on ImageNet one point, {MOBILENET}"
    ),
    "dsc-equal-cost": Claim(
        "At about equal cost a full net and a separable one differ by {measured} points, the mean of five seeds.",
        source="measured here",
    ),
    "separable-can-follow": Claim(
        "The separable net reads a share of {measured} of its training pictures at least.",
        source="measured here",
    ),
    "trained-is-not-separable": Claim(
        "A separable layer could hold a share of {measured} at most of the energy of LeNet-5's trained C3 and C5 (medians over their input maps).",
        source="measured here",
    ),
    "trained-is-not-factorised": Claim(
        "A column and a row hold a share of {measured} at most more of their kernels' energy than of random ones' (medians).",
        source="measured here",
    ),
    "dilated-effective-kernel": Claim(
        "The side that a kernel of k at rate r covers differs from k + (k − 1)(r − 1) by {measured} pixels at most, for k = 3, 5 and r = 1 to 4.",
        source=DILATED,
    ),
    "dilation-4-size": Claim(
        "At rate 4 a 3 × 3 kernel covers a square of side {measured}.", source="arithmetic"
    ),
    "dilation-memory-claim": Claim(
        "Among rates 1, 2 and 4 there is {measured} cost in weights and multiply-adds: dilation changes neither.",
        source="arithmetic",
    ),
    "dilation-against-dense": Claim(
        "A full kernel as wide as 3 × 3 at rate 2 has {measured} times the weights.", source="arithmetic"
    ),
    "dilated-constant-pixels": Claim(
        "Three layers at rate 2 read {measured} pixels of their field of 13 × 13, as many as undilated ones of their 7 × 7.",
        source=DILATED,
    ),
    "exponential-dilation-stack": Claim(
        "Six layers with rates 1, 2, 4, ..., 32 see {measured} samples.", source="arXiv:1609.03499"
    ),
}

BREAKS = {
    "dsc-accuracy-tradeoff": Break(
        "the full net is as narrow as it is cheap",
        old='race.lead("full", over="separable")',
        new='race.lead("full, as cheap", over="separable")',
    ),
    "dsc-equal-cost": Break(
        "the full net costs five times as much",
        old='abs(float(race.lead("full, as cheap", over="separable")))',
        new='abs(float(race.lead("full", over="separable")))',
    ),
    "separable-can-follow": Break(
        "the nets are trained for sixty rounds",
        old='min(row.train for row in race.verdict_rows("separable"))',
        new='min(row.train for row in race.rows if row.arm == "separable" and row.kind == "verdict")',
    ),
    "trained-is-not-separable": Break(
        "the layers are made of products",
        old="chance = np.random.default_rng(0)",
        new="kernels = {n: k.mean(axis=3, keepdims=True) * (k != 0) for n, k in kernels.items()}\nchance = np.random.default_rng(0)",
    ),
    "trained-is-not-factorised": Break(
        "each kernel is its own first column and row",
        old="chance = np.random.default_rng(0)",
        new="kernels = {n: k[:, :1] * k[:1] for n, k in kernels.items()}\nchance = np.random.default_rng(0)",
    ),
    "dilated-constant-pixels": Break(
        "the second layer of the constant stack has another rate",
        old="(2, 2, 2), (1, 2, 3)]",
        new="(2, 1, 2), (1, 2, 3)]",
    ),
}


def _layers(rng: np.random.Generator) -> Cases:
    yield "a middle layer", (5, 32, 64, 1)
    yield "two kernels for each channel", (3, 16, 24, 2)
    yield "one map", (3, 8, 1, 1)
    yield "one channel", (3, 1, 8, 3)
    yield "kernels of one pixel", (1, 16, 16, 1)
    for _ in range(4):
        yield "drawn by lot", tuple(int(number) for number in rng.integers((2, 2, 2, 2), (9, 99, 99, 5)))


@solves(
    "separable-saving",
    title="Compute: what does separating save?",
    task="Keras's separable layers have a `depth_multiplier`: so many little kernels for each input channel, whose maps are then all "
    "mixed. Write `saving(k, c, maps, multiplier)`: how many times fewer weights such a layer has than a full one, "
    "without biases, for kernels of side `k` from `c` to `maps` channels. For example, "
    "`saving(3, 256, 256, 1)` is 589,824 / 67,840, about 8.69.",
    hints=(
        "Count the two steps of the separable layer one by one: which numbers does each of them need?",
        "Depthwise: k² for each kernel, and there are c times multiplier of them. Pointwise: each of the maps mixes all that they give.",
    ),
    inputs=_layers,
)
def saving(k: int, c: int, maps: int, multiplier: int) -> float:
    between = c * multiplier
    return k**2 * c * maps / (k**2 * between + between * maps)


@saving.mistake("That is right for a single kernel a channel: the multiplier does not come in yet.")
def _(k: int, c: int, maps: int, multiplier: int) -> float:
    return k**2 * maps / (k**2 + maps)


@saving.mistake(
    "The depthwise step has more kernels now; its maps are more, too, and all of them must be mixed."
)
def _(k: int, c: int, maps: int, multiplier: int) -> float:
    return k**2 * c * maps / (k**2 * c * multiplier + c * maps)


@saving.mistake("Depthwise has its kernels for each input channel, whatever the number of maps.")
def _(k: int, c: int, maps: int, multiplier: int) -> float:
    return k**2 * c * maps / (k**2 * c * maps * multiplier + c * multiplier * maps)


@saving.mistake("Upside down: this is the share that is left.")
def _(k: int, c: int, maps: int, multiplier: int) -> float:
    return multiplier * (k**2 + maps) / (k**2 * maps)


@solves(
    "holes",
    title="Predict, then check: which stacks have holes?",
    task="Three layers with kernels of 3 and no pooling. For each of these rates, is every pixel inside the "
    'field read? Assign to `prediction` a list of four words, `"all"` or `"holes"`, for the rates '
    "(1, 2, 4), (2, 4, 8), (1, 3, 9) and (1, 4, 4). Then look: `paths((1, 3, 9), side=41)`.",
    hints=(
        "A pixel is read if its distance is a sum of one of {-r, 0, r} for each rate r.",
        "Three layers have 27 paths along a line. How wide may the field be at most, if all is read?",
    ),
    name="prediction",
)
def holes() -> list[str]:
    return ["all", "holes", "all", "holes"]


holes.wrong(
    ["all", "all", "all", "holes"],
    "The rates 2, 4, 8 double, and yet all are even: can an odd distance be a sum of them?",
)
holes.wrong(
    ["all", "holes", "holes", "holes"],
    "Look at 1, 3, 9 again: which whole numbers can you weigh with -1, 0 or 1 of each?",
)
holes.wrong(["all", "holes", "all", "all"], "With 1, 4, 4: which distances lie between 1 and 3?")
holes.wrong(
    ["holes", "holes", "holes", "holes"],
    "The doubling that starts at 1 is what WaveNet uses, and it reads everything. Try distance 3 = 4 - 1.",
)


def _maps(rng: np.random.Generator) -> Cases:
    yield "two groups of one channel", (np.ones((1, 1, 2)), np.array([[[2.0]], [[3.0]]]))
    yield "one group", (rng.normal(size=(2, 3, 4)), rng.normal(size=(1, 4, 3)))
    yield "more outputs than inputs", (rng.normal(size=(2, 2, 4)), rng.normal(size=(2, 2, 5)))
    yield "three groups", (rng.normal(size=(3, 2, 6)), rng.normal(size=(3, 2, 1)))
    yield "whole numbers", (rng.integers(0, 5, (2, 2, 4)), rng.integers(-2, 3, (2, 2, 2)))


@solves(
    "grouped-by-hand",
    title="Build: a grouped 1 x 1 convolution",
    task="Write `grouped_pointwise(x, w)`: `x` is `(height, width, C)` and `w` is `(g, C / g, m)`, the weights of g groups. The first group "
    "mixes the first C / g channels into the first m maps, the second the next, and so on; the result is `(height, width, g m)`.",
    hints=(
        "Cut the channels into g parts, mix each with its own weights, and join the results.",
        "`x[..., i * c : (i + 1) * c] @ w[i]`, for each group, and `np.concatenate` along the last axis.",
    ),
    inputs=_maps,
)
def grouped_pointwise(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    groups, c, _ = w.shape
    return np.concatenate([x[..., i * c : (i + 1) * c] @ w[i] for i in range(groups)], axis=-1)


@grouped_pointwise.mistake("Each group has weights of its own; here all use those of the first.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    groups, c, _ = w.shape
    return np.concatenate([x[..., i * c : (i + 1) * c] @ w[0] for i in range(groups)], axis=-1)


@grouped_pointwise.mistake("The maps of the groups stand side by side; they are not added.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    groups, c, _ = w.shape
    return sum(x[..., i * c : (i + 1) * c] @ w[i] for i in range(groups))


@grouped_pointwise.mistake("A group is a run of neighbouring channels, not every g-th one.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    groups, _, _ = w.shape
    return np.concatenate([x[..., i::groups] @ w[i] for i in range(groups)], axis=-1)


def _rates(rng: np.random.Generator) -> Cases:
    yield "one layer", ((3,),)
    yield "two even rates", ((2, 2),)
    yield "no holes", ((1, 2, 3),)
    yield "rates that fall", ((4, 2),)
    yield "a long gap at the end", ((1, 5),)
    for _ in range(3):
        yield "drawn by lot", (tuple(int(r) for r in rng.integers(1, 6, rng.integers(2, 4))),)


@solves(
    "unread",
    title="Break: what a stack never reads",
    task="Layers with kernels of 3 and the given dilation rates are stacked on a line. Write `unread(rates)`: an array of the "
    "distances, from 0 to the edge of the field, of the pixels that the unit in the middle never reads, in rising order. For example, "
    "`unread((2, 2))` is `[1, 3]`.",
    hints=(
        "Keep the set of distances that are reached, and let each layer add -r, 0 or r to every one of them.",
        "The field ends at the sum of the rates.",
    ),
    inputs=_rates,
)
def unread(rates: tuple[int, ...]) -> np.ndarray:
    reached = {0}
    for rate in rates:
        reached = {at + step for at in reached for step in (-rate, 0, rate)}
    return np.array([at for at in range(sum(rates)) if at not in reached])


@unread.mistake("Each tap may also lie to the left: a step of 4 and one of -1 lead to 3.")
def _(rates: tuple[int, ...]) -> np.ndarray:
    reached = {0}
    for rate in rates:
        reached = {at + step for at in reached for step in (0, rate)}
    return np.array([at for at in range(sum(rates)) if at not in reached])


@unread.mistake("The kernel has a tap in the middle too: a layer may stay where it is.")
def _(rates: tuple[int, ...]) -> np.ndarray:
    reached = {0}
    for rate in rates:
        reached = {at + step for at in reached for step in (-rate, rate)}
    return np.array([at for at in range(sum(rates)) if at not in reached])


@unread.mistake("These are the distances that are read.")
def _(rates: tuple[int, ...]) -> np.ndarray:
    reached = {0}
    for rate in rates:
        reached = {at + step for at in reached for step in (-rate, 0, rate)}
    return np.array([at for at in range(sum(rates)) if at in reached])


unread.equivalent(
    "reached = {at - step for at in reached for step in (-rate, 0, rate)}",
    "A layer reaches as far to the left as to the right.",
)

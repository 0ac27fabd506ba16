"""Claims and exercises of chapter training/optimization."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

HERE = "measured here"

QUESTION = "Which knob makes a net learn: the rule, or its rate?"

CLAIMS = {
    "momentum-in-a-ravine": Claim(
        "There momentum needs {measured} times fewer steps than gradient descent, however the ravine lies.",
        source=HERE,
    ),
    "adam-turned": Claim(
        "Turned by 45°, the same ravine takes Adam {measured} times as many steps.",
        source=HERE,
        ledger=("adam-adamw",),
    ),
    "adam-any-loss": Claim(
        "With the loss multiplied by 100, a net trained by Adam reads {measured} points more or less.",
        source=HERE,
    ),
    "decay-divided": Claim(
        "With the decay in the slope, Adam leaves {measured} more of loud weights than of quiet ones, of 1 at the start.",
        source="measured here; arXiv:1711.05101",
    ),
    "five-rules-alike": Claim(
        "After 400 steps of a net of two convolutions, each at its own best rate, the best of five rules reads {measured} points "
        "more than the worst.",
        source=HERE,
        ledger=("optimizers-list",),
    ),
    "ten-times-off": Claim(
        "In that net a rate ten times too low, or ten times too high, costs each rule {measured} points at least.",
        source=HERE,
    ),
    "sooner": Claim("When training stops early, {measured}.", source=HERE),
    "room-at-the-top": Claim("In ten convolutions, {measured}.", source=HERE),
    "unequal-scales": Claim("With half of each image thirty times fainter, {measured}.", source=HERE),
    "momentum-is-ten": Claim(
        "In two convolutions, gradient descent at a rate and momentum 0.9 at a tenth of it read alike to {measured} points, at five "
        "rates up to 0.3.",
        source=HERE,
    ),
    "settled-alike": Claim(
        "Trained until nothing moves, the best of four rules without a decay reads {measured} points more than the worst.",
        source=HERE,
    ),
    "decay-at-the-end": Claim("Trained to the end, {measured}.", source=HERE),
    "decay-helps": Claim(
        "Each at its best rate, {measured}.", source=HERE, ledger=("lr-scheduling", "cosine-annealing")
    ),
    "average-does-as-well": Claim("In place of the decay, a mean of the weights: {measured}.", source=HERE),
    "same-epochs": Claim(
        "At equal numbers of epochs, {measured}.", source=HERE, ledger=("batch-size-optimization",)
    ),
    "same-steps": Claim("At equal numbers of steps, {measured}.", source=HERE),
}

BREAKS = {
    "momentum-in-a-ravine": Break(
        "the ball has no momentum",
        old='"momentum": partial(scratch.sgd, 0.9), "RMSprop"',
        new='"momentum": partial(scratch.sgd, 0.0), "RMSprop"',
    ),
    "adam-turned": Break("the ravine is not turned", old="SLANT = np.pi / 4", new="SLANT = 0.0"),
    "adam-any-loss": Break(
        "Adam's epsilon is so large that it divides by nothing else",
        old='("Adam", scratch.adam, 0.003)',
        new='("Adam", partial(scratch.adam, epsilon=1.0), 0.3)',
    ),
    "decay-divided": Break(
        "the decay is set apart", old="quiet, loud = left(apart=False)", new="quiet, loud = left(apart=True)"
    ),
    "five-rules-alike": Break(
        "all have the same rate",
        old="alike = [at_best(race, arm) for arm in FIVE]",
        new="alike = [reads(race, arm, 0.01) for arm in FIVE]",
    ),
    "ten-times-off": Break("the rate is right", old="PLACES = (-2, 2)", new="PLACES = (0, 0)"),
    "sooner": Break(
        "they are given 400 steps",
        old='early.lead("RMSprop", over="momentum")',
        new='race.lead("RMSprop", over="momentum")',
    ),
    "room-at-the-top": Break(
        "both have momentum",
        old='deep.lead("momentum", over="SGD")',
        new='deep.lead("momentum, warm-up", over="momentum")',
    ),
    "unequal-scales": Break(
        "the images are as they were",
        old='dimmed.lead("Adam", over="momentum")',
        new='race.lead("Adam", over="momentum")',
    ),
    "momentum-is-ten": Break("both have the same rate", old="TENTH = 10", new="TENTH = 1"),
    "settled-alike": Break(
        "all have the same rate",
        old="ends = [at_best(long, arm) for arm in FIVE",
        new="ends = [reads(long, arm, 0.01) for arm in FIVE",
    ),
    "decay-at-the-end": Break(
        "neither arm has a decay",
        old='long.lead("AdamW", over="Adam")',
        new='long.lead("Adam", over="momentum")',
    ),
    "decay-helps": Break(
        "there is no decay, only a warm-up",
        old='schedules.lead("cosine", over="constant")',
        new='schedules.lead("constant, warm-up", over="constant")',
    ),
    "average-does-as-well": Break(
        "the weights are not averaged",
        old='schedules.lead("constant, averaged", over="cosine")',
        new='schedules.lead("constant", over="cosine")',
    ),
    "same-epochs": Break(
        "the steps are equal",
        old='by_epochs.lead("batch 50", over="batch 250")',
        new='by_steps.lead("batch 50", over="batch 250")',
    ),
    "same-steps": Break(
        "the large batch takes a fifth of the steps",
        old='by_steps.lead("batch 250", over="batch 50")',
        new='by_epochs.lead("batch 250", over="batch 50")',
    ),
}


@solves(
    "first-step",
    title="Compute: four first steps",
    task="A weight stands at 0, and its first slope is $g = -0.04$; the rate is 0.01. Where does it stand after one step of "
    "gradient descent, of momentum 0.9, of RMSprop with $\\rho = 0.99$ and of Adam? Give four numbers; take every "
    "$\\varepsilon$ as 0. For example, with a slope of 0 all four are 0.",
    hints=(
        "RMSprop begins its mean of squares at 0 and does not make up for it.",
        "Adam makes up for both: after one step the hats leave g and g².",
    ),
    name="stands_at",
)
def first_step() -> list[float]:
    return [0.0004, 0.0004, 0.1, 0.01]


first_step.wrong([-0.0004, -0.0004, -0.1, -0.01], "downhill: the slope is negative, so the weight grows.")
first_step.wrong(
    [0.0004, 0.0004, 0.01, 0.01],
    "RMSprop's first mean is (1 - ρ) g², a hundredth of g²: what is its root?",
)
first_step.wrong(
    [0.0004, 0.0004, 0.1, 0.0316228],
    "Adam makes up for the start of its first mean as well as of its second.",
)
first_step.wrong(
    [0.0004, 0.0004, 1.0, 0.01], "divide by the root of the mean of the squares, not by the mean itself."
)
first_step.wrong(
    [0.0004, 0.00004, 0.1, 0.01],
    "that is the momentum of libraries that weigh the slope with 1 − β; ours adds the whole of it.",
)
first_step.wrong([0.0004, 0.004, 0.1, 0.01], "momentum has no speed yet: its first step is a plain one.")


@solves(
    "how-many-steps",
    title="Predict, then check: fifty times as steep",
    task="A ravine is fifty times as steep across as along. Gradient descent runs at its best rate, 2/51. After how many steps "
    "is at most a hundredth of the distance left? Predict; then check by walking. For example, where it is three times as "
    "steep, each step halves the distance, and 7 steps are needed.",
    hints=(
        "The distance shrinks by (κ − 1)/(κ + 1) a step.",
        "Solve (49/51)ⁿ = 1/100 for n, and think of what is a whole number of steps.",
    ),
    name="how_many",
)
def how_many_steps() -> int:
    return 116


how_many_steps.wrong(115, "after 115 steps a little more than a hundredth is left: round up.")
how_many_steps.wrong(
    228, "that is the rate 1/50, at which the flat direction shrinks by 49/50 a step; 2/51 is higher."
)
how_many_steps.wrong(50, "after κ steps about e⁻² = 13 % is left, not a hundredth.")
how_many_steps.wrong(7, "that is the example, three times as steep.")
how_many_steps.wrong(58, "to a hundredth, not to a tenth.")


def _slopes(rng: np.random.Generator) -> Cases:
    yield "all zeros", (np.zeros((2, 2)), np.zeros(2), 1.0)
    yield "short enough", (np.array([[0.3]]), np.array([0.4]), 1.0)
    yield "just as long", (np.array([[3.0, 0.0]]), np.array([4.0, 0.0]), 5.0)
    yield "one long, one short", (np.array([[30.0]]), np.array([0.4]), 1.0)
    yield "each short, together long", (np.array([[0.8]]), np.array([-0.9]), 1.0)
    for _ in range(3):
        yield "random", (rng.normal(0, 3, (2, 3)), rng.normal(0, 3, 3), float(rng.uniform(0.5, 20)))


@solves(
    "clip",
    title="Build: clip the gradient",
    task="Where gradients explode, nets are kept alive by *clipping*. A layer has the slopes `dw`, of shape `(inputs, outputs)`, "
    "and `db`, of shape `(outputs,)`. Write `clip(dw, db, longest)`: if all numbers together are longer than `longest` (the root "
    "of the sum of their squares), shrink them all by one factor, so that they are just so long. Return them in one array, "
    "**`db` as its last row**. For example, `clip(np.array([[3.0]]), np.array([4.0]), 1.0)` is `[[0.6], [0.8]]`.",
    hints=(
        "`np.vstack([dw, db])` comes first; then there is one length.",
        "Short ones must come back as they were: the factor is never above 1, and beware of a length of zero.",
    ),
    inputs=_slopes,
)
def clip(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    both = np.vstack([dw, db])
    length = np.linalg.norm(both)
    return both * longest / length if length > longest else both


clip.equivalent(
    "return both * longest / length if length >= longest else both",
    "at just that length the factor is 1",
)


@clip.mistake("you clip each array by itself, which turns the direction of the step; one length for both.")
def _(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    parts = [part * min(1.0, longest / max(np.linalg.norm(part), 1e-12)) for part in (dw, db)]
    return np.vstack(parts)


@clip.mistake("that cuts every number by itself; the direction of the step must stay.")
def _(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    return np.clip(np.vstack([dw, db]), -longest, longest)


@clip.mistake("slopes that are short enough are left as they are; you make them longer.")
def _(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    both = np.vstack([dw, db])
    return both * longest / max(np.linalg.norm(both), 1e-12)


@clip.mistake("the length is the *root* of the sum of the squares.")
def _(dw: np.ndarray, db: np.ndarray, longest: float) -> np.ndarray:
    both = np.vstack([dw, db])
    return both * min(1.0, longest / max((both**2).sum(), 1e-12))


def _bowls(rng: np.random.Generator) -> Cases:
    yield "round, no momentum", (np.eye(2), 0.0)
    yield "a ravine", (np.diag([1.0, 100.0]), 0.0)
    yield "a ravine, momentum", (np.diag([1.0, 100.0]), 0.9)
    for size, momentum in ((2, 0.5), (3, 0.9), (4, 0.0)):
        root = rng.normal(size=(size, size))
        yield "a random bowl", (root @ root.T + 0.1 * np.eye(size), momentum)


@solves(
    "edge",
    title="Break: the rate at which it flies off",
    task="A loss is $w \\cdot Hw / 2$, $H$ symmetric and positive. Descent with momentum (our `sgd`) flies off above a certain "
    "rate and comes down below it. Write `edge(H, momentum)`, that rate. Find out by walking how momentum moves it: does the "
    "heavier ball need a lower rate? For example, `edge(np.eye(2), 0.0)` is 2.",
    hints=(
        "Only the steepest direction counts: the largest of `np.linalg.eigvalsh(H)`.",
        "In one direction of steepness a, w' = w + β (w − w₋) − η a w. At the edge w only changes its sign with every step: "
        "put w' = −w and w₋ = −w.",
    ),
    inputs=_bowls,
)
def edge(H: np.ndarray, momentum: float) -> float:
    return 2 * (1 + momentum) / np.linalg.eigvalsh(H).max()


@edge.mistake("that is the edge without momentum; walk once with 0.9 and see.")
def _(H: np.ndarray, momentum: float) -> float:
    return 2 / np.linalg.eigvalsh(H).max()


@edge.mistake(
    "momentum lets the ball go farther, but it also brakes a ball that leaps from side to side: walk, and see."
)
def _(H: np.ndarray, momentum: float) -> float:
    return 2 * (1 - momentum) / np.linalg.eigvalsh(H).max()


@edge.mistake(
    "ten past slopes add up only where they point the same way; at the edge each points against the last."
)
def _(H: np.ndarray, momentum: float) -> float:
    return 2 / (1 - momentum) / np.linalg.eigvalsh(H).max()


@edge.mistake(
    "the steepest *direction* counts, which need not be one of the axes: take the largest eigenvalue."
)
def _(H: np.ndarray, momentum: float) -> float:
    return 2 * (1 + momentum) / np.diag(H).max()


@edge.mistake("that is the best rate of gradient descent, not the last one at which it comes down.")
def _(H: np.ndarray, momentum: float) -> float:
    own = np.linalg.eigvalsh(H)
    return 2 / (own.min() + own.max())


@edge.mistake("the flattest direction sets no limit; the steepest does.")
def _(H: np.ndarray, momentum: float) -> float:
    return 2 * (1 + momentum) / np.linalg.eigvalsh(H).min()

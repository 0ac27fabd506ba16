"""Claims and exercises of chapter layers/activations."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

QUESTION = "What must a nonlinearity do for a deep net to learn?"

CLAIMS = {
    "relu-halves": Claim(
        "ReLU leaves {measured} of the mean square of normal numbers: half, so that He's start doubles the variance of the weights.",
        source="arXiv:1502.01852",
        ledger=("relu",),
    ),
    "sigmoid-vanishes": Claim(
        "From layer 20 to layer 1 a gradient changes by {measured} powers of ten through sigmoids with Glorot's start; a slope "
        "of 1/4 a layer gives that number.",
        source="arithmetic",
    ),
    "fitted-sigmoid-carries": Claim(
        "Through the same twenty sigmoids from their fitted start it changes by {measured} powers of ten.",
        source="measured here",
    ),
    "relu-under-glorot": Claim(
        "Through twenty ReLU layers with Glorot's start a gradient changes by {measured} powers of ten: a factor of √2 is lost a layer.",
        source="arXiv:1502.01852",
    ),
    "nonlinear-leads-linear": Claim("With two layers, {measured}.", source="measured here"),
    "image-lost-in-rounding": Claim(
        "After twenty layers of sigmoids from Glorot's start, what differs from image to image in float32 correlates by {measured} with "
        "what differs in float64.",
        source="measured here",
    ),
    "six-sigmoids-wait": Claim(
        "Six layers of sigmoids from Glorot's start read a share of {measured} of their own training images at best, in every run of up to "
        "1,600 steps, at rates from 0.01 to 2.7.",
        source="measured here",
    ),
    "six-sigmoids-wake": Claim(
        "After 12,800 steps, at rates of 0.1 and 0.3, the worst of six such runs reads a share of {measured} of its training images.",
        source="measured here",
    ),
    "three-pairs-alike": Claim(
        "Twenty layers of fitted sigmoids, of tanh from Glorot's start and of ReLU from He's differ after 160 epochs by a share of {measured} of "
        "the test images at most (means of five seeds).",
        source="measured here",
    ),
    "he-learns-earlier": Claim(
        "After 40 epochs the worst of five nets of twenty ReLU layers from He's start reads a share of {measured} more of its training images than the best from "
        "Glorot's.",
        source="arXiv:1502.01852",
    ),
    "no-head-start": Claim(
        "With three hidden layers, {measured}.",
        source="measured here, beside the six times of doi:10.1145/3065386 for another net and another measure",
        ledger=("relu-faster-than-tanh",),
    ),
    "relu-is-sparse": Claim(
        "In trained nets of four ReLU layers a share of {measured} of all outputs is exactly zero.",
        source="proceedings.mlr.press/v15/glorot11a.html",
        ledger=("relu-sparse-activation",),
    ),
    "first-layer-stays-dead": Claim(
        "Of the dead units of a first layer, a share of {measured} comes back by gradient descent alone: their gradient is exactly zero "
        "and their inputs never change.",
        source="arithmetic",
        ledger=("dying-relu",),
    ),
    "deeper-units-revive": Claim(
        "Of the dead ReLUs above the first layer, a share of {measured} answers again after five hundred steps, though their own weights had no gradient.",
        source="measured here",
    ),
    "leak-hardly-revives": Claim(
        "A leak of 0.01 brings back a share of {measured} of the first layer's dead units in five hundred steps.",
        source="measured here",
    ),
    "anew-revives": Claim(
        "With their weights drawn anew, a share of {measured} of the dead units speaks after five hundred steps in the layer where fewest do.",
        source="measured here",
    ),
}

BREAKS = {
    "fitted-sigmoid-carries": Break(
        "the biases do not take the half away",
        old='decades("sigmoid", "fitted to the sigmoid")',
        new='decades("sigmoid", "four times Glorot")',
    ),
    "image-lost-in-rounding": Break(
        "the sigmoids start fitted",
        old='both_precisions("sigmoid", "Glorot", 20)',
        new='both_precisions("sigmoid", "fitted to the sigmoid", 20)',
    ),
    "six-sigmoids-wait": Break(
        "the sigmoids start fitted",
        old='if row.arm == "sigmoid, Glorot"]',
        new='if row.arm == "sigmoid, fitted to the sigmoid"]',
    ),
    "six-sigmoids-wake": Break(
        "they get an eighth of the steps", old="row in late.rows", new="row in stuck.rows"
    ),
    "nonlinear-leads-linear": Break(
        "the reader of pixels is not linear either",
        old='over="logistic regression")',
        new='over="support vector machine")',
    ),
    "three-pairs-alike": Break(
        "ReLU starts as Glorot's",
        old='("sigmoid, fitted to the sigmoid", "tanh, Glorot", "relu, He")]',
        new='("sigmoid, fitted to the sigmoid", "tanh, Glorot", "relu, Glorot")]',
    ),
    "he-learns-earlier": Break(
        "the other net, of tanh, loses nothing from layer to layer",
        old='max(at("relu, Glorot", 40, "train"))',
        new='max(at("tanh, Glorot", 40, "train"))',
    ),
    "no-head-start": Break(
        "tanh is given sigmoids that start as Glorot's",
        old='first.lead("relu, He", over="tanh, Glorot")',
        new='first.lead("relu, He", over="sigmoid, Glorot")',
    ),
    "relu-is-sparse": Break(
        "the nets have a leak",
        old='healthy = [train(scratch.dense_stack("relu"',
        new='healthy = [train(scratch.dense_stack("leaky_relu"',
    ),
    "deeper-units-revive": Break(
        "the layers below are frozen",
        old='"ReLU goes on": revived()',
        new='"ReLU goes on": revived(frozen=3)',
    ),
    "leak-hardly-revives": Break(
        "the dead units start anew",
        old='rescue["a leak of 0.01"][0]',
        new='rescue["dead units drawn anew"][0]',
    ),
    "anew-revives": Break("no unit is drawn anew", old="enumerate(which):", new="enumerate([]):"),
}


def _inputs_of_sigmoids() -> Inputs:
    rng = np.random.default_rng(5)
    return [
        (np.array([0, 1, -2]), 1),
        (np.array([0.0]), 2),
        (np.array([-3, 0, 4]), 3),
        (rng.normal(size=(2, 3)) * 2, 10),
        (rng.normal(size=5), 4),
    ]


@solves(
    "ten-sigmoids",
    title="Through ten sigmoids (compute)",
    task="Sigmoids in a row, each fed with the output of the one before, all weights 1 and no biases. Write "
    "`slope_through(x, layers)`: by what a gradient is multiplied on its way back through all of them, for each entry of "
    "the array `x`. For `x = [0.]` and 2 layers it is about 0.0588. Then look for the `x` at which ten sigmoids let most through, and "
    "compare with $0.25^{10}$, which is a bound: is it reached?",
    hints=(
        "The chain rule multiplies the slopes, each at the place where that sigmoid stands.",
        "The slope of a sigmoid whose output is s is s (1 - s).",
    ),
    inputs=_inputs_of_sigmoids,
    tolerance=1e-9,
)
def slope_through(x: np.ndarray, layers: int) -> np.ndarray:
    slope = np.ones(np.shape(x))
    for _ in range(layers):
        x = 1 / (1 + np.exp(-np.asarray(x, dtype="float64")))
        slope = slope * x * (1 - x)
    return slope


@slope_through.mistake(
    "You take each slope at x itself; from the second sigmoid on it is fed with the output of the one before."
)
def _(x: np.ndarray, layers: int) -> np.ndarray:
    s = 1 / (1 + np.exp(-np.asarray(x, dtype="float64")))
    return (s * (1 - s)) ** layers


@slope_through.mistake(
    "That is the bound: a quarter a layer. It is the slope at zero, and a sigmoid's output is never zero."
)
def _(x: np.ndarray, layers: int) -> np.ndarray:
    return np.full(np.shape(x), 0.25**layers)


@slope_through.mistake("You added the slopes; the chain rule multiplies them.")
def _(x: np.ndarray, layers: int) -> np.ndarray:
    slope = np.zeros(np.shape(x))
    for _ in range(layers):
        x = 1 / (1 + np.exp(-np.asarray(x, dtype="float64")))
        slope = slope + x * (1 - x)
    return slope


@slope_through.mistake("That is what the sigmoids give; the task asks by what they multiply a gradient.")
def _(x: np.ndarray, layers: int) -> np.ndarray:
    for _ in range(layers):
        x = 1 / (1 + np.exp(-np.asarray(x, dtype="float64")))
    return x


@solves(
    "twice-as-bright",
    title="Twice as bright (predict, then check)",
    task="Make the input of an activation twice as large. Does its output become exactly twice as large, for every "
    "input? Predict it for (1) ReLU, (2) the leaky ReLU, (3) ELU, (4) GELU, (5) maxout of the two pieces "
    "$3x$ and "
    "$-x$: assign a list of five, `True` or `False`, to `prediction`. The first figure helps. Then compare "
    "`f(2 * x)` with `2 * f(x)`, for instance for `scratch.gelu` and `x = np.linspace(-4, 4, 401)`.",
    hints=(
        "A graph that is made of straight pieces meeting at the origin looks the same at every magnification.",
        "Which of the five has a corner, and nothing else, at zero?",
    ),
    name="prediction",
)
def twice_as_bright() -> list[bool]:
    return [True, True, False, False, True]


twice_as_bright.wrong(
    [True, True, False, True, True],
    "GELU looks like ReLU from afar, but not near zero: how does its dip change when x doubles?",
)
twice_as_bright.wrong(
    [True, True, True, False, True],
    "ELU levels out at -1: twice a large negative input gives nearly the same output.",
)
twice_as_bright.wrong(
    [True, False, False, False, True], "The leak is a straight line through the origin as well."
)
twice_as_bright.wrong(
    [True, True, False, False, False],
    "Both pieces of this maxout pass through the origin, and so the larger of them doubles too.",
)
twice_as_bright.wrong(
    [False, False, False, False, False],
    "A corner is not what spoils it: try ReLU at 1 and 2, and at -1 and -2.",
)


def _before_and_after() -> Inputs:
    rng = np.random.default_rng(8)
    z = rng.normal(size=1000)
    return [
        (z, np.tanh(z)),
        (z, np.maximum(z, 0)),
        (rng.normal(size=(4, 3)) * 2 + 1, rng.normal(size=(4, 3))),
        (np.array([3, -1, 0, 2]), np.array([3, 0, 0, 2])),
        (np.array([2.0]), np.array([-8.0])),
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)) + 1),
    ]


@solves(
    "fitted-gain",
    title="A gain for any activation (build)",
    task="Weights with the spread gain / √(number of inputs) give the next layer inputs whose mean square is gain² times the mean square "
    "of what comes in. Write `fitted_gain(z, f_of_z)`: given inputs `z` of an activation and its outputs `f_of_z`, the gain with which "
    "the next layer's inputs have the mean square of `z` again. For `z = [3, 4]` and `f_of_z = [0, 1]` it is 5. What is it for GELU, with "
    "`z = np.random.default_rng(0).normal(size=100_000)`?",
    hints=(
        "Write the two mean squares down, and what the gain has to do between them.",
        "The gain multiplies sizes, and so its square multiplies squares.",
    ),
    inputs=_before_and_after,
)
def fitted_gain(z: np.ndarray, f_of_z: np.ndarray) -> float:
    return np.sqrt(np.mean(z**2) / np.mean(f_of_z**2))


@fitted_gain.mistake("That is the square of the gain: it is sizes that the gain multiplies.")
def _(z: np.ndarray, f_of_z: np.ndarray) -> float:
    return np.mean(z**2) / np.mean(f_of_z**2)


@fitted_gain.mistake("Upside down: an activation that makes things smaller needs a larger gain.")
def _(z: np.ndarray, f_of_z: np.ndarray) -> float:
    return np.sqrt(np.mean(f_of_z**2) / np.mean(z**2))


@fitted_gain.mistake(
    "The variance leaves the mean out, but the next layer's sums are fed by the outputs as they are, mean and all."
)
def _(z: np.ndarray, f_of_z: np.ndarray) -> float:
    return np.sqrt(np.var(z) / np.var(f_of_z)) if f_of_z.size > 1 else 1.0


@fitted_gain.mistake("You took z to have the mean square 1; use its own.")
def _(z: np.ndarray, f_of_z: np.ndarray) -> float:
    return 1 / np.sqrt(np.mean(f_of_z**2))


def _images_and_weights() -> Inputs:
    rng = np.random.default_rng(9)
    below = np.abs(rng.normal(size=(4, 3)))
    return [
        (rng.normal(size=(6, 4)), rng.normal(size=(4, 5))),
        (below, -np.eye(3)),  # every answer is negative already
        (np.array([[1.0], [3.0]]), np.array([[2.0, -1.0]])),
        (np.array([[2, -1], [0, 3], [-4, 1]]), np.array([[1, 0, -2], [3, 0, 1]])),
        (np.array([[-5.0]]), np.array([[2.0]])),
    ]


@solves(
    "kill",
    title="Kill a layer (break)",
    task="A layer gives `np.maximum(0, x @ w + b)` for images `x` (images, inputs) and weights `w` (inputs, units). "
    "Break it: write `kill(x, w)`, which returns biases `b`, one for each unit, that silence *every* "
    "unit for "
    "*every* image, and the **largest** that do. For `x = [[1], [3]]` and `w = [[2, -1]]` they are `[-6, "
    "1]`. "
    "Then do it to a layer of one of the nets above, and train on: which of its units come back?",
    hints=(
        "A bias moves a unit's answers to all images alike. Which image falls silent last?",
        "ReLU is silent at exactly 0 too, so the loudest image may just touch it.",
    ),
    inputs=_images_and_weights,
)
def kill(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return -np.max(x @ w, axis=0)


@kill.mistake("That silences a unit for the average image; those above the average still make it speak.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return -np.mean(x @ w, axis=0)


@kill.mistake("All are silent, but most could have a larger bias: each unit has a loudest image of its own.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.full(w.shape[1], -np.max(x @ w))


@kill.mistake("The sign is the wrong way round: this makes every unit speak louder.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.max(x @ w, axis=0)


@kill.mistake("Large negative answers are silent anyway; only the largest answer counts, with its sign.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return -np.max(np.abs(x @ w), axis=0)


@kill.mistake("A unit that is below zero for every image may even have a positive bias: rectify later.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return -np.max(np.maximum(x @ w, 0), axis=0)

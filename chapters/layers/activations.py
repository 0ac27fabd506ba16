"""Claims and exercises of chapter layers/activations."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

QUESTION = "What must a nonlinearity do for a deep net to learn?"

CLAIMS = {
    "tanh-is-a-sigmoid": Claim(
        "tanh(x) = 2 sigmoid(2x) - 1: the two are one function on two scales.",
        source="arithmetic",
        ledger=("tanh",),
    ),
    "sigmoid-slope": Claim(
        "The sigmoid's derivative is nowhere larger than 1/4.", source="arithmetic", ledger=("sigmoid",)
    ),
    "tanh-slope": Claim("The derivative of tanh is at most 1, and that only at zero.", source="arithmetic"),
    "activations-are-keras": Claim(
        "ReLU, tanh and sigmoid written in NumPy are Keras's, to six decimals.",
        source="this package",
        ledger=("relu",),
    ),
    "sigmoid-vanishes": Claim(
        "Through twenty sigmoid layers a gradient shrinks by many powers of ten; this is the power.",
        source="doi:10.1109/5.726791 has the remedies of its day; measured here",
    ),
    "relu-keeps-gradients": Claim(
        "Through twenty ReLU layers with He initialisation a gradient keeps its length, to one power of ten.",
        source="arXiv:1502.01852",
    ),
    "relu-against-sigmoid-deep": Claim(
        "Eight convolutions with ReLU learn several times faster than with sigmoids; this is the ratio of epochs, at least.",
        source="proceedings.mlr.press/v15/glorot11a.html",
        ledger=("relu-glorot-2011",),
    ),
    "relu-against-tanh": Claim(
        "Six times faster than tanh, as in AlexNet's figure, ReLU is not on the digits: the ratio of epochs stays below two.",
        source="doi:10.1145/3065386 states the six times for CIFAR-10; measured here",
        ledger=("relu-faster-than-tanh",),
    ),
    "race-slice": Claim(
        "After three epochs eight ReLU layers read digits and eight sigmoid layers guess; this is the gap in accuracy.",
        source="measured here",
    ),
    "relu-is-sparse": Claim(
        "A good part of all ReLU outputs is exactly zero, before training and after it.",
        source="proceedings.mlr.press/v15/glorot11a.html",
        ledger=("relu-sparse-activation",),
    ),
    "relus-die": Claim(
        "A learning rate that is far too large kills most ReLUs for good; this is the fraction killed, "
        "the median of three networks.",
        source="measured here",
        ledger=("dying-relu",),
    ),
    "dead-stay-dead": Claim(
        "Twenty more epochs at a sensible rate do not bring a network of dead ReLUs back; this is its accuracy, "
        "the median of three.",
        source="measured here",
    ),
    "a-leak-revives": Claim(
        "The same weights with a slope of 0.01 on the negative side learn again; this is the gain in accuracy "
        "(medians of three).",
        source="measured here",
        ledger=("leaky-relu",),
    ),
    "few-die-unhurried": Claim(
        "At a sensible learning rate from the start few ReLUs die; this is the fraction.",
        source="measured here",
    ),
    "leaky-slope": Claim(
        "Keras's LeakyReLU lets through, unless told otherwise, thirty times the published slope of 0.01.",
        source="Maas et al. 2013",
    ),
    "elu-mean": Claim(
        "On normal inputs the mean of ELU's outputs lies nearer to zero than that of ReLU's; this is by how much.",
        source="arXiv:1511.07289",
    ),
    "elu-smooth-at-one": Claim(
        "ELU's derivative is continuous at zero only for alpha = 1.",
        source="arXiv:1511.07289",
        ledger=("elu",),
    ),
    "swish-minimum": Claim("Swish dips to about -0.278.", source="arithmetic", ledger=("swish-silu",)),
    "swish-minimum-place": Claim("Swish is lowest near x = -1.278.", source="arithmetic"),
    "hswish-gap": Claim(
        "h-swish and swish are never further apart than 0.1423.", source="arithmetic", ledger=("h-swish",)
    ),
    "gelu-is-an-expectation": Claim(
        "GELU is what is left of x on average if it is kept with probability P(Z ≤ x); this is the largest gap.",
        source="arXiv:1606.08415",
        ledger=("gelu",),
    ),
    "gelu-tanh-form": Claim(
        "The form of GELU with tanh, which many programs use, is never far from the exact one.",
        source="arXiv:1606.08415",
    ),
    "efficientnet-silus": Claim(
        "EfficientNet-B0 passes through swish 49 times; layers in Keras's model that do.",
        source="arXiv:1905.11946",
    ),
    "relu-keeps-the-field": Claim(
        "ReLU does not change a receptive field: three 3×3 convolutions see 7 pixels without it and with it.",
        source="arithmetic",
        ledger=("relu-no-rf-change",),
    ),
    "maxout-becomes-both": Claim(
        "With two straight pieces maxout can become |x|, and ReLU.", source="arXiv:1302.4389"
    ),
}


@solves(
    "ten-sigmoids",
    title="Through ten sigmoids (compute)",
    task="A gradient comes back through ten sigmoids in a row, all weights being 1. What is the largest "
    "factor by which it can be multiplied on the way? Assign it to `answer`.",
    hints=("What is the steepest slope of one sigmoid?", "Layers multiply, they do not add."),
    tolerance=1e-9,
)
def ten_sigmoids() -> float:
    return 0.25**10


ten_sigmoids.wrong(0.25 * 10, "You added up the layers; the chain rule multiplies their slopes.")
ten_sigmoids.wrong(1.0, "That is tanh's best case; the sigmoid's slope at zero is less than 1.")
ten_sigmoids.wrong(0.5**10, "0.5 is the sigmoid's value at zero; the question is about its slope there.")
ten_sigmoids.wrong(0.25, "That is one sigmoid; there are ten.")


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


def _gradients() -> Inputs:
    rng = np.random.default_rng(8)
    return [
        (rng.normal(size=(4, 3)), rng.normal(size=(4, 3))),
        (np.array([-1.0, 0.0, 2.0]), np.array([5.0, 6.0, 7.0]), 0.2),
    ]


@solves(
    "leaky-gradient",
    title="Backwards through a leak (compute)",
    task="Write the backward pass of the leaky ReLU: given its input `x` and the gradient `upstream` that arrives "
    "at its output, return the gradient at its input. At `x = -1`, `upstream = 5`, `slope = 0.2` that is "
    "1. At exactly 0 "
    "the function has no derivative: take the slope there, as `scratch.leaky_relu_derivative` does.",
    hints=("The derivative is 1 or the slope; which, depends on the input, not on the gradient.",),
    inputs=_gradients,
)
def leaky_gradient(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return upstream * np.where(x > 0, 1.0, slope)


@leaky_gradient.mistake("That is plain ReLU: on the negative side the slope has to pass, not nothing.")
def _(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return upstream * (x > 0)


@leaky_gradient.mistake("Right but at exactly 0, where the task asks for the slope: `>` and not `>=`.")
def _(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return upstream * np.where(x >= 0, 1.0, slope)


@leaky_gradient.mistake("You looked at the sign of the gradient; it is the sign of the input that decides.")
def _(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return np.where(upstream > 0, upstream, slope * upstream)


@leaky_gradient.mistake("That is the derivative alone; multiply it by the gradient that arrives.")
def _(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return np.where(x > 0, 1.0, slope)


@leaky_gradient.mistake("That is the forward pass.")
def _(x: np.ndarray, upstream: np.ndarray, slope: float = 0.01) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def _numbers() -> Inputs:
    rng = np.random.default_rng(7)
    return [(rng.normal(size=9) * 3,), (np.array([-4.0, -3.0, 0.0, 3.0, 4.0]),)]


@solves(
    "hard-swish",
    title="A swish without exponentials (build)",
    task="Write h-swish, $x \\cdot \\mathrm{ReLU6}(x + 3) / 6$, where $\\mathrm{ReLU6}$ is ReLU that stops at 6.",
    hints=("`np.clip` is ReLU6 in one call.", "At x = 3 and above it is the identity."),
    inputs=_numbers,
)
def hard_swish(x: np.ndarray) -> np.ndarray:
    return x * np.clip(x + 3, 0, 6) / 6


@hard_swish.mistake("You forgot that ReLU6 stops at 6.")
def _(x: np.ndarray) -> np.ndarray:
    return x * np.maximum(x + 3, 0) / 6


@hard_swish.mistake("That is the gate alone; it multiplies x.")
def _(x: np.ndarray) -> np.ndarray:
    return np.clip(x + 3, 0, 6) / 6


@hard_swish.mistake("The gate opens at -3, so x + 3 goes into it.")
def _(x: np.ndarray) -> np.ndarray:
    return x * np.clip(x, 0, 6) / 6


@hard_swish.mistake("Divide by 6, so that the gate ends at 1.")
def _(x: np.ndarray) -> np.ndarray:
    return x * np.clip(x + 3, 0, 6)


def _images_and_weights() -> Inputs:
    rng = np.random.default_rng(9)
    below = np.abs(rng.normal(size=(4, 3)))
    return [
        (rng.normal(size=(6, 4)), rng.normal(size=(4, 5))),
        (below, -np.eye(3)),  # every answer is negative already
        (np.array([[1.0], [3.0]]), np.array([[2.0, -1.0]])),
    ]


@solves(
    "kill",
    title="Kill a layer (break)",
    task="A layer gives `np.maximum(0, x @ w + b)` for images `x` (images, inputs) and weights `w` (inputs, units). "
    "Break it: write `kill(x, w)`, which returns biases `b`, one for each unit, that silence *every* "
    "unit for "
    "*every* image, and the **largest** that do. For `x = [[1], [3]]` and `w = [[2, -1]]` they are `[-6, "
    "1]`. "
    'Then do it to a real one: train `network("relu")` as above, put your biases, less 0.001, into its first '
    "layer, train it for twenty epochs more, and compare that layer's weights before and after.",
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


@solves(
    "maxout-by-hand",
    title="Maxout by hand (build)",
    task="`x` has shape (batch, channels). Return the largest of each run of `pieces` *neighbouring* channels, "
    "shape (batch, channels / pieces).",
    hints=(
        "A reshape can give the neighbours an axis of their own.",
        "Which axis varies fastest in a reshape?",
    ),
    inputs=lambda: [
        (np.random.default_rng(3).normal(size=(4, 6)), 2),
        (np.random.default_rng(4).normal(size=(3, 12)), 3),
    ],
)
def maxout(x: np.ndarray, pieces: int) -> np.ndarray:
    return x.reshape(len(x), -1, pieces).max(axis=-1)


@maxout.mistake(
    "You compared channels that lie far apart: the neighbours must be on the last axis of the reshape."
)
def _(x: np.ndarray, pieces: int) -> np.ndarray:
    return x.reshape(len(x), pieces, -1).max(axis=1)


@maxout.mistake("That is the mean of the pieces; maxout takes the largest.")
def _(x: np.ndarray, pieces: int) -> np.ndarray:
    return x.reshape(len(x), -1, pieces).mean(axis=-1)

"""Claims and exercises of chapter origins/neocognitron."""

from __future__ import annotations

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

PAPER = "doi:10.1007/BF00344251"

QUESTION = "What can a net learn without being told?"

CLAIMS = {
    "s-cell-threshold-4": Claim(
        "A grown S-cell with r = 4 begins to fire at a likeness of {measured} to its pattern; a cell that has learned "
        "without end begins at r / (r + 1).",
        source="arithmetic",
    ),
    "neocognitron-no-relu": Claim(
        "The S-cell of 1980 contains a rectifier: without it, a share of {measured} of the answers of the grown first "
        "layer would be negative.",
        source=PAPER,
    ),
    "neocognitron-ten-digits": Claim(
        "Grown on all ten digits, the network makes {measured} planes for them, the mean of ten seeds: some share one.",
        source="this page",
    ),
    "neocognitron": Claim(
        "Without a teacher the network comes to know digits at places where it never saw them: {measured}.",
        source=PAPER,
    ),
    "sliding-template-leads": Claim(
        "A template slid over the picture, which learns nothing, knows more of the moved digits: {measured}.",
        source="this page",
    ),
    "bent-lost-after-c1": Claim(
        "What the first C-layer knows of bent digits is lost in the layers after it: {measured}.",
        source="this page",
    ),
    "imprinted-features": Claim(
        "Patches drawn by chance serve a reader of moved digits better than those that the competition chose: {measured}.",
        source="this page",
    ),
    "competition-names": Claim(
        "Shown one of its five digits, a grown network answers with {measured} planes of its last layer, the mean of ten "
        "networks: one plane for one pattern.",
        source=PAPER,
    ),
    "unlearned-bent": Claim(
        "Wide random weights, which learned nothing, serve a reader of bent digits better than grown ones: {measured}.",
        source="this page",
    ),
    "bent-silences": Claim(
        "A share of {measured} of the bent digits leaves the third S-layer without any answer, the mean of five networks.",
        source="this page",
    ),
    "lower-threshold": Claim(
        "With a lower threshold after it has grown, the network names more bent digits: {measured}.",
        source="doi:10.1016/0925-2312(94)00065-4",
    ),
    "low-threshold-merges": Claim(
        "Grown with the low threshold, the network makes {measured} planes for the five digits, the mean of five networks.",
        source="doi:10.1016/0925-2312(94)00065-4",
    ),
    "neocognitron-s-c-layers": Claim(
        "Moved by a pixel, a digit's answers keep a larger part of themselves in each C-layer than in the S-layer below "
        "it, by {measured} (a cosine) or more, in each of ten networks.",
        source=PAPER,
    ),
    "cresceptron": Claim(
        "With the cresceptron's maximum in place of the blur the network names no fewer moved digits, give or take ten points: "
        "{measured}.",
        source="doi:10.1109/ICCV.1993.378228",
    ),
    "neocognitron-unsupervised": Claim(
        "Shown five digits at one place each, the untaught network knows more moved digits than the same graph taught by "
        "backpropagation: {measured}.",
        source="this page",
    ),
    "neocognitron-training-later": Claim(
        "Taught by backpropagation, the same graph names more bent digits than the untaught one: {measured}.",
        source="this page",
    ),
}

BREAKS = {
    "neocognitron": Break(
        "a reader looks before the first blur",
        old='moved.lead("winning plane, grown", over="nearest neighbour")',
        new='moved.lead("S1, grown", over="nearest neighbour")',
    ),
    "imprinted-features": Break(
        "the weights are drawn by chance, and not patches of the digits",
        old='moved.lead("C1, imprinted", over="C1, grown")',
        new='moved.lead("C1, unlearned", over="C1, grown")',
    ),
    "competition-names": Break(
        "the planes were imprinted and did not compete",
        old="measured=planes_each(models)",
        new="measured=planes_each(imprinted)",
    ),
    "unlearned-bent": Break(
        "the digits are moved rather than bent",
        old='bent.lead("C1, unlearned", over="C1, grown")',
        new='moved.lead("C1, unlearned", over="C1, grown")',
    ),
    "bent-silences": Break(
        "the threshold is lowered once the network has grown",
        old="five = models[:5]\n",
        new="five = [lower(one) for one in models[:5]]\n",
    ),
    "lower-threshold": Break(
        "the threshold stays, and a maximum takes the place of the blur",
        old='bent.lead("winning plane, lowered", over',
        new='bent.lead("winning plane, maximum", over',
    ),
    "low-threshold-merges": Break(
        "the threshold is lowered once the network has grown",
        old="    origins.grow(lower(one), digits)\n",
        new="    lower(one, 1.5)\n    origins.grow(one, digits)\n    lower(one)\n",
    ),
    "cresceptron": Break(
        "the answers are read before the first maximum",
        old='moved.lead("winning plane, maximum", over="winning plane, grown")',
        new='moved.lead("S1, grown", over="winning plane, grown")',
    ),
    "neocognitron-unsupervised": Break(
        "the digits are bent rather than moved",
        old='moved.lead("winning plane, grown", over="backpropagation")',
        new='bent.lead("winning plane, grown", over="backpropagation")',
    ),
    "s-cell-threshold-4": Break(
        "the inhibition weighs the same at every selectivity",
        old="(1 + 2 * r / (1 + r) * b * v) - 1)",
        new="(1 + b * v) - 1)",
    ),
    "neocognitron-training-later": Break(
        "the digits are moved rather than bent",
        old='bent.lead("backpropagation", over="winning plane, grown")',
        new='moved.lead("backpropagation", over="winning plane, grown")',
    ),
    "neocognitron-no-relu": Break(
        "the inhibition is left out",
        old="* brakes * v[..., None]) - 1",
        new="* 0 * brakes * v[..., None]) - 1",
    ),
    "neocognitron-ten-digits": Break(
        "the last layer is read whole, and not by the plane that wins",
        old="len(set(origins.winning_planes(grown[names, seed], draw(names))) - {-1})",
        new="len(np.unique(np.round(grown[names, seed](draw(names)), 3), axis=0))",
    ),
    "sliding-template-leads": Break(
        "the template stays where the digit was shown",
        old='over="sliding template"',
        new='over="blurred template"',
    ),
    "bent-lost-after-c1": Break(
        "the digits are moved rather than bent",
        old='bent.lead("C1, grown", over="C3, grown")',
        new='moved.lead("C1, grown", over="C3, grown")',
    ),
    "neocognitron-s-c-layers": Break(
        "the C-cells pass the middle of their patch on and do not blur",
        old="stays = np.array([staying(model) for model in models])\n",
        new="""for layer in (x for m in models for x in m.layers if isinstance(x, layers.CCell)):
    middle = np.zeros_like(layer._mask)
    middle[len(middle) // 2, len(middle) // 2] = 1
    layer._mask = middle
stays = np.array([staying(model) for model in models])
""",
    ),
}


@solves(
    "thresholds",
    title="Compute: how picky is a cell?",
    task="A thoroughly grown S-cell fires where the likeness to its pattern exceeds $r/(r+1)$. Assign to "
    "`selectivity` the $r$ at which a cell starts to fire at a likeness of 0.9.",
    hints=("At which likeness does a cell with r = 1 begin to fire?", "Solve r / (r + 1) = 0.9 for r."),
    name="selectivity",
)
def thresholds() -> float:
    return 9.0


thresholds.wrong(0.9, "0.9 is the likeness; which r makes r / (r + 1) equal to it?")
thresholds.wrong(10.0, "Close: 10 / 11 is a little more than 0.9.")
thresholds.wrong(0.9 / 1.9, "You put 0.9 in for r; solve for r instead.")


@solves(
    "count-later",
    title="Predict: the later network",
    task="The network of 1983 has four pairs of S- and C-layers behind its input. Assign to `answer` a list: "
    "how many layers has it if the input is counted, and in how many of them is anything learned?",
    hints=("The input is a layer, U0.", "In which of the two cells of a pair are the weights fixed?"),
)
def count_later() -> list[int]:
    return [9, 4]


count_later.wrong([8, 4], "Count the input as well, as the tables do.")
count_later.wrong([9, 8], "The C-layers have fixed weights; only S-layers learn.")
count_later.wrong([4, 9], "First how many layers there are, then in how many of them something is learned.")
count_later.wrong([7, 3], "That is the network of 1980; the later one has a pair more.")


def _lessons(draw: np.random.Generator) -> Cases:
    mask = draw.random((3, 2))
    for name, cells, windows, speed in (("many", 4, 9, 2.0), ("slow", 2, 5, 0.5), ("one window", 3, 1, 1.0)):
        yield name, (draw.random((cells, 3, 2)), 2 * draw.random((windows, 3, 2)), mask, speed)
    for number in range(4):
        yield f"strong {number}", (5 * draw.random((5, 3, 2)), 3 * draw.random((8, 3, 2)), mask, 0.3)
    equal = np.ones((2, 3, 2))
    yield "equals, of which the first learns", (equal, np.ones((2, 3, 2)), mask, 3.0)
    yield "a blank window", (equal, np.zeros((1, 3, 2)), mask, 3.0)


@solves(
    "winner-learns",
    title="Build: the winner learns",
    task="Write `grow_planes(planes, windows, mask, speed)`, growth in its barest form: `planes` holds the excitatory "
    "weights of several cells, `(cells, height, width)`. Show them the `windows`, `(n, height, width)`, one after the "
    "other. Each time the cell with the largest $\\sum a x$ learns, $a \\leftarrow a + q\\,c\\,x$ with the mask $c$ and the "
    "speed $q$; the others do not. Return the weights at the end, and leave those that you were given as they were.",
    hints=(
        "A loop over the windows; in it, np.argmax of the sums over height and width.",
        "Who wins the second window depends on what was learned from the first: work on a copy that changes.",
    ),
    inputs=_lessons,
)
def grow_planes(planes: np.ndarray, windows: np.ndarray, mask: np.ndarray, speed: float) -> np.ndarray:
    grown = np.array(planes, float)
    for x in windows:
        winner = np.argmax(np.sum(grown * x, axis=(1, 2)))
        grown[winner] += speed * mask * x
    return grown


@grow_planes.mistake("Every cell learns; only the one that answers most may.")
def _(planes: np.ndarray, windows: np.ndarray, mask: np.ndarray, speed: float) -> np.ndarray:
    return planes + speed * mask * windows.sum(axis=0)


@grow_planes.mistake("You forgot the mask, which lets the rim of the window count less.")
def _(planes: np.ndarray, windows: np.ndarray, mask: np.ndarray, speed: float) -> np.ndarray:
    grown = np.array(planes, float)
    for x in windows:
        grown[np.argmax(np.sum(grown * x, axis=(1, 2)))] += speed * x
    return grown


@grow_planes.mistake(
    "Ask the weights as they are now, not as they were: what was learned decides who wins next."
)
def _(planes: np.ndarray, windows: np.ndarray, mask: np.ndarray, speed: float) -> np.ndarray:
    grown = np.array(planes, float)
    for x in windows:
        grown[np.argmax(np.sum(planes * x, axis=(1, 2)))] += speed * mask * x
    return grown


def _excitations(draw: np.random.Generator) -> Cases:
    yield "one heavy weight among light ones", (np.array([[0.1, 0.2], [0.1, 3.0]]),)
    yield "a single weight", (np.array([[0.5]]),)
    yield "weights in a row", (draw.random((1, 4)) + 0.01,)
    for _ in range(3):
        yield "drawn by lot", (draw.random((5, 5)) + 0.01,)


@solves(
    "without-brake",
    title="Break: a cell without inhibition",
    task="Suppose $b$ stays 0. Write `fool(excitatory)`: the picture with pixels in [0, 1] to which such a "
    "cell answers most. The excitatory weights are given, all of them above zero. What does a cell "
    "that likes this picture best know about shapes?",
    hints=(
        "With b = 0, what is left of the fraction?",
        "The answer is r · e, and e = Σ a x grows with every pixel.",
    ),
    inputs=_excitations,
)
def fool(excitatory: np.ndarray) -> np.ndarray:
    return np.ones_like(excitatory)


@fool.mistake(
    "Its own pattern, scaled. With inhibition you would be right; without, more light is always better."
)
def _(excitatory: np.ndarray) -> np.ndarray:
    return excitatory / excitatory.max()


@fool.mistake("Its own pattern. With inhibition you would be right; without, more light is always better.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return excitatory


@fool.mistake("Why leave pixels dark? Every weight is above zero, so each of them still adds something.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return (excitatory > excitatory.mean()).astype(float)


@fool.mistake("A dark picture excites nothing: with all pixels at 0 the sum of a x is 0.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return np.zeros_like(excitatory)


@fool.mistake("More light is better, and yet a pixel holds no more than 1.")
def _(excitatory: np.ndarray) -> np.ndarray:
    return np.full_like(excitatory, 255)

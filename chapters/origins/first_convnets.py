"""Claims and exercises of chapter origins/first-convnets."""

from __future__ import annotations

import numpy as np

from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Inputs, solves

ZIP = "doi:10.1162/neco.1989.1.4.541"
HERE = "measured here, five seeds"
WAIBEL = "doi:10.1109/29.21701"
HOMMA = "Homma, Atlas and Marks, NIPS 1987, 31-40"

QUESTION = "Who draws the kernels, and what did the first trained convolutional nets do with theirs?"

CLAIMS = {
    "denker-1989-zip": Claim(
        "Skeletons, twelve kernels drawn by hand and a small trained head read most of the small digits.",
        source="after Denker et al., NIPS 1, 323-331",
    ),
    "drawing-beats-chance": Claim(
        "Under a head alone, drawn kernels err less often than the same numbers shuffled: "
        "the difference of the medians, in per cent.",
        source=HERE,
    ),
    "learning-beats-drawing": Claim(
        "Under the same head, learned kernels err a fraction as often as the best that we drew.", source=HERE
    ),
    "kernel-gradient-correlates": Claim(
        "The gradient of a kernel is the correlation of its input with the error at its output.",
        source="arithmetic",
    ),
    "image-gradient-convolves": Claim(
        "The gradient of the input is the full convolution of the error with the kernel, flipped.",
        source="arithmetic",
    ),
    "backward-pass-by-hand": Claim(
        "The backward pass by hand gives all 9,760 gradients of the trained net of 1989 as automatic "
        "differentiation does: the largest relative difference.",
        source="arithmetic",
    ),
    "numpy-learns-digits": Claim(
        "Five passes of gradient descent, all of it in NumPy, teach the net of 1989 most of the small digits.",
        source="this page",
    ),
    "wrong-gradients-learn": Claim(
        "With the error handed down to the first layer through kernels turned round, the net still learns: "
        "a falling error does not prove a gradient.",
        source="this page",
    ),
    "weights-of-1989": Claim("The net of 1989 learns 9,760 weights.", source=ZIP),
    "connections-of-1989": Claim("It has 64,660 connections.", source=ZIP),
    "lecun-1989-backprop-digits": Claim(
        "Trained as published, on as many digits as in 1989, the net errs on about five in a hundred "
        "(per cent, the median of three seeds, on other digits than theirs).",
        source=ZIP,
    ),
    "training-error-of-1989": Claim(
        "After 23 passes it still errs on less than 2 % of the digits that it learned from; "
        "the paper, with scaled steps, got to 0.14 %.",
        source=ZIP,
    ),
    "first-layer-hardly-matters": Claim(
        "In the net of 1989, where three more layers learn, a first layer of drawn kernels is worth no more "
        "than one of shuffled numbers: the difference of the medians, in per cent.",
        source=HERE,
    ),
    "first-layer-learned": Claim(
        "Letting the first layer of the net of 1989 learn as well lowers the error a little, in per cent.",
        source=HERE,
    ),
    "siann-planes-shift": Claim(
        "A shifted letter gives the same planes, shifted.", source="doi:10.1364/AO.29.004790"
    ),
    "zhang-siann-1988": Claim(
        "Shown each letter at five of 25 places, the shift-invariant net knows more of them at the other "
        "twenty than a dense net of as many weights: the ratio of the two.",
        source="doi:10.1364/AO.29.004790",
    ),
    "sharing-leads": Claim(
        "At the places that were not shown the shift-invariant net leads the dense one, in all five seeds and "
        "whether one place, two, five or twelve were shown.",
        source=HERE,
    ),
    "siann-last-layer-binds": Claim(
        "It is not invariant to shifts: shown each letter at twelve places of 25, it knows this share of them "
        "at the others, the median of five seeds.",
        source=HERE,
    ),
    "zhang-medical-1991-1994": Claim(
        "Without its last layer the same graph outlines cells under uneven light: overlap with the true "
        "borders, in pictures sixteen times as large as those it learned from.",
        source="doi:10.1364/AO.30.004211",
    ),
    "one-threshold-does-not": Claim(
        "The best single threshold of brightness outlines them worse.", source="this page"
    ),
    "flipping-changes-nothing": Claim(
        "Learned by correlation instead of convolution, the weights of a neuron in time come out mirrored, and are "
        "otherwise the same.",
        source=HOMMA,
    ),
    "first-homma-atlas-marks": Claim(
        "With one threshold for streams of more and less noise, neurons that convolve in time make a fraction of the "
        "mistakes of matched filters when the delta rule has taught them.",
        source=HOMMA,
    ),
    "tdnn-shape": Claim(
        "From 15 frames of 16 bands, delays of 3 and 5 leave 13 moments of 8 units and 9 moments of 3.",
        source=WAIBEL,
    ),
    "tdnn-weights": Claim(
        "The time-delay network of this shape learns 521 weights and biases.", source="arithmetic"
    ),
    "first-tdnn-connections": Claim(
        "Every use of a weight or bias counted, the time-delay network has 6,233 connections.",
        source="arithmetic",
    ),
    "tdnn-in-time": Claim(
        "A time-delay network learns to tell b, d and g apart, said by new voices.", source=WAIBEL
    ),
    "dense-in-time": Claim(
        "So does a dense net, as long as every vowel sets in at the same frame.", source="this page"
    ),
    "tdnn-two-frames-off": Claim(
        "Two frames too early or too late, the time-delay network still recognises them.", source=WAIBEL
    ),
    "dense-two-frames-off": Claim(
        "Two frames too early or too late, a dense net with almost four times the weights does not.",
        source="this page",
    ),
    "tdnn": Claim(
        "What two frames too early or too late cost the dense net more than the time-delay network: the difference "
        "of the medians.",
        source=f"{WAIBEL}; {HERE}",
    ),
    "dense-taught-shifts": Claim(
        "A dense net that is taught all shifts recognises sounds two frames off.", source=HERE
    ),
    "two-dimensions-learn": Claim(
        "With windows in time and frequency the network learns the same task.", source="this page"
    ),
    "tdnn-2d-hampshire-waibel": Claim(
        "Two mel bands too high or too low, windows in both directions recognise more than windows in time alone: "
        "the difference of the medians.",
        source=f"after Hampshire and Waibel, NIPS 1989; {HERE}",
    ),
    "dense-beats-tdnn-in-frequency": Claim(
        "Two mel bands too high or too low, even the dense net recognises more than the time-delay network.",
        source=HERE,
    ),
    "words-later": Claim(
        "Through the maximum over time, words of new voices are recognised a quarter of a second late, when none "
        "that taught came later than a tenth.",
        source="this page",
    ),
    "first-yamaguchi-1990-maxpool-speech": Claim(
        "Syllable detectors, the maximum over time and a classifier recognise words of new voices, late, slow or "
        "fast: the worst of the three medians.",
        source=f"after Yamaguchi et al., ICSLP 1990, 1077-1080; {HERE}",
    ),
    "max-beats-average-when-fast": Claim(
        "With fast speakers the maximum over time recognises more than the average: the difference of the medians.",
        source=HERE,
    ),
    "first-max-forgets-order": Claim(
        "Of words that are anagrams in syllables, the maximum over all time recognises not many more than half.",
        source=HERE,
    ),
    "three-maxima-keep-order": Claim(
        "Three maxima, one for each third of the time, tell the anagrams apart.", source=HERE
    ),
    "echoes-taught": Claim(
        "Taught near the microphone and with echoes, a time-delay network recognises stops across a new room.",
        source="this page",
    ),
    "echoes-hurt": Claim(
        "Taught near the microphone, the time-delay network recognises few of the stops across a room.",
        source=HERE,
    ),
    "first-tdnn-far-distance-speech": Claim(
        "Teaching with echoes as well brings a large part back, in rooms never heard: the difference of the medians.",
        source=f"doi:10.1109/ICASSP.2017.7953152; {HERE}",
    ),
    "learned-inverse-is-wieners": Claim(
        "A linear convolution that is taught to find spikes learns Wiener's filter: the correlation of their weights.",
        source="this page",
    ),
    "deconvolution-net-finds": Claim(
        "Two convolutions with a ReLU between find spikes better than Wiener's filter: the difference in F1.",
        source="this page",
    ),
    "emg-deconvolution-1988": Claim(
        "A learned deconvolution recovers the spikes of overlapping motor units better than the best linear filter, "
        "at each level of noise: the smallest difference of the medians.",
        source=HERE,
    ),
    "linear-learns-linear": Claim(
        "A learned linear filter gets as far as Wiener's, and no further: the largest difference of the medians.",
        source=HERE,
    ),
    "neural-abstraction-pyramid": Claim(
        "In the recurrent pyramid the error falls with each of the six iterations that it was trained for, in all five seeds.",
        source="doi:10.1007/b11963",
    ),
    "kept-net-as-recorded": Claim(
        "The pyramid whose weights are kept leaves, run here, the error under the square that was recorded.",
        source="data/results/pyramid-digits-5-seeds.csv",
    ),
    "pyramid-halves-the-error": Claim(
        "What is left after six iterations of the error after the first, the median of five seeds.",
        source=HERE,
    ),
    "one-sweep-same-links": Claim(
        "The recurrent pyramid and its feed-forward rival have the same links: 32,713 weights.",
        source="arithmetic",
    ),
    "one-sweep-is-better": Claim(
        "The same links used once each, in one sweep up and down, leave less error than six iterations, "
        "in all five seeds.",
        source=HERE,
    ),
    "pyramid-drifts": Claim(
        "Asked for twenty iterations, a pyramid trained for six drifts away: its error over that of the sixth.",
        source=HERE,
    ),
    "ai-winter-svm": Claim(
        "With 500 and 1,500 small digits to learn from, a support-vector machine makes no more errors than a "
        "small CNN: the difference of the median accuracies, the smaller of the two.",
        source=HERE,
    ),
    "svm-cheap": Claim(
        "And it learns them at least ten times as fast on a CPU.", source="measured here, five seeds"
    ),
}


@solves(
    "count-h1",
    title="Compute: the first layer of 1989",
    task="H1 has twelve maps of 8×8 units. Each unit sees 5×5 pixels; a map's units share their kernel, but each "
    "unit has a bias of its own. Assign to `answer` a list: how many numbers does H1 learn, and how many "
    "connections has it, counting each unit's bias as one?",
    hints=(
        "Kernels are counted once a map, biases once a unit.",
        "A connection is counted wherever it is used: 25 + 1 at each of 12 · 64 units.",
    ),
)
def count_h1() -> list[int]:
    return [12 * 25 + 12 * 64, 12 * 64 * 26]


count_h1.wrong([12 * 26, 12 * 64 * 26], "The biases of H1 are not shared: one for each of its units.")
count_h1.wrong([1068, 12 * 64 * 25], "The weights are right; each unit's bias is a connection, too.")
count_h1.wrong([12 * 64 * 26, 1068], "The other way round: sharing makes weights fewer than connections.")
count_h1.wrong([12 * 64 * 26, 12 * 64 * 26], "Units of a map share one kernel: count it once.")


def _gradients() -> Inputs:
    generator = np.random.default_rng(5)
    return [
        (generator.normal(size=(5, 6)), generator.normal(size=(3, 3))),
        (generator.normal(size=(6, 6)), generator.normal(size=(4, 5))),
        (generator.normal(size=(4, 4)), generator.normal(size=(4, 4))),
    ]


@solves(
    "kernel-gradient",
    title="Build: what the kernel hears",
    task="For $y = x \\star w$, stride 1 and no padding, write `kernel_gradient(x, dy)`: from the image and the "
    "gradient of the loss at the output, both matrices, return the gradient of the loss with respect to "
    "the kernel. For `x = [[1, 2, 3]]` and `dy = [[1, 10]]` it is `[[21, 32]]`.",
    hints=(
        "The kernel's corner, w[0, 0], met x[i, j] wherever y[i, j] was made. Which products does its gradient add up?",
        "w[m, n] met x[i + m, j + n]: slide dy over x.",
    ),
    inputs=_gradients,
)
def kernel_gradient(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    height, width = x.shape[0] - dy.shape[0] + 1, x.shape[1] - dy.shape[1] + 1
    dw = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            dw[i, j] = np.sum(x[i : i + dy.shape[0], j : j + dy.shape[1]] * dy)
    return dw


@kernel_gradient.mistake(
    "You turned the error round, as a true convolution does; on the way to the kernel nothing is flipped."
)
def _(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    return kernel_gradient(x, dy[::-1, ::-1])


@kernel_gradient.mistake("The right numbers, turned by 180 degrees.")
def _(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    return kernel_gradient(x, dy)[::-1, ::-1]


@kernel_gradient.mistake("You took the mean over the places; each place adds its share, so it is a sum.")
def _(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    return kernel_gradient(x, dy) / dy.size


def _errors() -> Inputs:
    generator = np.random.default_rng(6)
    return [
        (generator.normal(size=(3, 4)), generator.normal(size=(3, 3))),
        (generator.normal(size=(2, 2)), generator.normal(size=(2, 4))),
        (generator.normal(size=(1, 1)), generator.normal(size=(3, 3))),
    ]


@solves(
    "image-gradient",
    title="Build: what the layer below hears",
    task="For the same $y = x \\star w$ write `image_gradient(dy, w)`: the gradient of the loss with respect to the "
    "image. For `dy = [[1, 10]]` and `w = [[1, 2]]` it is `[[1, 12, 20]]`.",
    hints=(
        "The output y[i, j] read a window of x through w. Its error goes back to the same window, through the same w.",
        "Begin with zeros of the image's size, and let each error add its share. Or pad dy by k - 1 and slide the "
        "flipped kernel over it.",
    ),
    inputs=_errors,
)
def image_gradient(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[i : i + w.shape[0], j : j + w.shape[1]] += dy[i, j] * w
    return dx


@image_gradient.mistake(
    "Right places, but the kernel is turned. Spreading takes w as it stands; only sliding needs the flip."
)
def _(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    return image_gradient(dy, w[::-1, ::-1])


@image_gradient.mistake(
    "Windows overlap, and you kept only the last one to write: a pixel that was read often is blamed "
    "often. Add."
)
def _(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            dx[i : i + w.shape[0], j : j + w.shape[1]] = dy[i, j] * w
    return dx


@image_gradient.mistake(
    "You slid the flipped kernel over the error without padding it first; the image is larger than the "
    "output, not smaller."
)
def _(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    w = w[::-1, ::-1]
    height, width = dy.shape[0] - w.shape[0] + 1, dy.shape[1] - w.shape[1] + 1
    return np.array(
        [
            [np.sum(dy[i : i + w.shape[0], j : j + w.shape[1]] * w) for j in range(max(width, 0))]
            for i in range(max(height, 0))
        ]
    )


@solves(
    "five-iterations",
    title="Predict: how long does context take?",
    task="In the pyramid every level hears, at each iteration, what its neighbours said one iteration ago. Only the "
    "lowest level, 1, sees the picture, already in iteration 1, and the picture that we read comes from "
    "level 1. "
    "Assign to `answer` a list: in which iteration has level 3, the top, first heard of the picture; and in "
    "which can the picture that we read first depend on what the top said about it?",
    hints=("Level 2 hears of it in iteration 2.", "And the way down is as long as the way up."),
)
def five_iterations() -> list[int]:
    return [3, 5]


five_iterations.wrong(
    [2, 4], "Level 1 hears the picture in iteration 1, level 2 what level 1 said, one later."
)
five_iterations.wrong([3, 6], "Two steps down from iteration 3.")
five_iterations.wrong([3, 3], "What the top says has to come down again, one level an iteration.")


@solves(
    "begin-at-zero",
    title="Break: begin at nothing",
    task="Set all eight arrays of the net of 1989 to zero (`scratch.net_of_1989` takes them in the order kernel, bias, "
    "kernel, bias, ...), show it a digit with targets of ±1, and go backward once. Assign to `answer` "
    "the list of "
    "the numbers, 0 to 7, of the arrays whose gradient is not all zero. First think, then try.",
    hints=(
        "What are the answers of H1, H2 and H3 when every weight is zero?",
        "A weight's gradient is what came in times the error that comes back; a bias needs the error alone. "
        "And the error passes through the weights.",
    ),
)
def begin_at_zero() -> list[int]:
    return [7]


begin_at_zero.wrong([6, 7], "The last kernel multiplies H3, and H3 is all zeros: nothing came in.")
begin_at_zero.wrong(
    [], "The outputs are 0 and the targets ±1: there is an error, and one array hears of it directly."
)
begin_at_zero.wrong(
    [1, 3, 5, 7],
    "Biases need no input, true, but the error must reach them: it goes back through kernels of zeros.",
)
begin_at_zero.wrong([0, 1, 2, 3, 4, 5, 6, 7], "The error would have to pass back through kernels of zeros.")


def _signals() -> Inputs:
    rng = np.random.default_rng(8)
    return [(rng.standard_normal(n), rng.standard_normal(k)) for n, k in ((8, 3), (5, 2), (12, 5))]


@solves(
    "neuron-in-time",
    title="Build: a neuron with a memory",
    task="Write `neuron(x, w)` for one channel: `x` is a signal, `w[d]` the weight of what came in `d` steps ago. "
    "Return $y(t) = \\sum_d w_d\\,x_{t-d}$ for every time of `x`; before it began there were zeros. "
    "`neuron(np.array([1, 0, 2]), np.array([1, 10]))` is `[1, 10, 2]`.",
    hints=(
        "Put len(w) - 1 zeros before the signal.",
        "A window of the past runs from old to new, and w from new to old: one of them must be turned.",
    ),
    inputs=_signals,
)
def neuron(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    past = np.concatenate([np.zeros(len(w) - 1), x])
    return np.array([w[::-1] @ past[t : t + len(w)] for t in range(len(x))])


@neuron.mistake("You correlated: w[0] belongs to what comes in now, and your window has the oldest first.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return neuron(x, w[::-1])


@neuron.mistake("Right at every time of x, but it goes on after the signal has ended.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.convolve(x, w)


@neuron.mistake("Your neuron is too early: at time t it may know x up to t, and no later.")
def _(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.convolve(x, w)[len(w) - 1 :][: len(x)]


@solves(
    "hurried-syllable",
    title="Predict: a hurried syllable",
    task="A detector answers `peak` for `frames` frames and 0 for the rest of `total` frames. Now the speaker is "
    "`speed` times as fast, in a recording of the same length. Write `merged(peak, frames, total, speed)`: "
    "return `(largest, average)`, what the maximum and the average over time pass on.",
    hints=(
        "Does a peak become lower when it becomes shorter?",
        "The average is the area under the answer, divided by the length of the recording.",
    ),
    inputs=[(0.9, 6, 60, 1.0), (0.9, 6, 60, 1.5), (0.5, 10, 80, 2.0)],
)
def merged(peak: float, frames: int, total: int, speed: float) -> tuple[float, float]:
    return peak, peak * frames / speed / total


@merged.mistake("You forgot the speed: the syllable is over sooner.")
def _(peak: float, frames: int, total: int, speed: float) -> tuple[float, float]:
    return peak, peak * frames / total


@merged.mistake("A faster syllable fills fewer frames, not more.")
def _(peak: float, frames: int, total: int, speed: float) -> tuple[float, float]:
    return peak, peak * frames * speed / total


@merged.mistake("The average counts the silent frames, too.")
def _(peak: float, frames: int, total: int, speed: float) -> tuple[float, float]:
    return peak, peak

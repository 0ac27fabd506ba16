"""Claims, breaks and exercises of chapter origins/speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit.course.breaks import Break
from cnnkit.course.claims import Claim
from cnnkit.course.exercises import Cases, solves

WAIBEL = "doi:10.1109/29.21701"
HOMMA = "Homma, Atlas and Marks, NIPS 1987, 31-40"
HERE = "measured here, on synthetic speech"

QUESTION = (
    "Why did the first convolutional nets that backpropagation trained on real data listen rather than look?"
)

CLAIMS = {
    "homma-atlas-marks": Claim(
        "Deciding alone, by a threshold for each level of noise up to ten per cent, neurons that convolve in time make a share of {measured} of the "
        "mistakes of matched filters when the delta rule has taught them.",
        source=HOMMA,
    ),
    "loudest-matched-filter": Claim(
        "Asked which is loudest where a syllable ends, three signs in ten flipped, matched filters make a share of {measured} of the mistakes of "
        "neurons that the delta rule has taught without noise.",
        source=HERE,
    ),
    "tdnn-connections": Claim(
        "The 521 weights of the time-delay network serve {measured} connections.", source="arithmetic"
    ),
    "sharing-forgets-when": Claim(
        "Taught where each sound stands in its place, tested up to four frames off, {measured}.",
        source=WAIBEL,
        ledger=("tdnn",),
    ),
    "sliding-needs-no-net": Claim("On the same sounds, {measured}.", source=HERE),
    "teaching-forgets-when": Claim(
        "Taught with sounds that are moved as those of the test, {measured}.", source=HERE
    ),
    "sharing-saves-sounds": Claim("Taught with sixty moved sounds, {measured}.", source=HERE),
    "weights-are-not-the-reason": Claim(
        "Taught with sixty moved sounds, with 1,955 weights against 6,233, {measured}.", source=HERE
    ),
    "when-can-be-found": Claim("Taught with sixty moved sounds, {measured}.", source=HERE),
    "yamaguchi-1990-maxpool-speech": Claim(
        "Of words that come a quarter of a second late, {measured}.",
        source=f"after Yamaguchi et al., ICSLP 1990, 1077-1080; {HERE}",
    ),
    "max-outruns-the-sum": Claim("Of words said half as fast again, {measured}.", source=HERE),
    "max-forgets-order": Claim("Of words that are anagrams in syllables, {measured}.", source=HERE),
    "tdnn-far-distance-speech": Claim(
        "Across rooms that were never heard, {measured}.", source=f"doi:10.1109/ICASSP.2017.7953152; {HERE}"
    ),
}

BREAKS = {
    "homma-atlas-marks": Break(
        "the delta rule stops after its first step, which is Hebb's", old="steps=300", new="steps=1"
    ),
    "loudest-matched-filter": Break(
        "nobody says when a syllable ends, and each neuron decides alone",
        old="loudest(w, f, seed)",
        new="alone(w, f, seed)",
    ),
    "sharing-forgets-when": Break(
        "the sounds that teach are moved as well",
        old='place.lead("shared", over="not shared")',
        new='everywhere.lead("shared", over="not shared")',
    ),
    "sliding-needs-no-net": Break(
        "the neighbour may not slide",
        old='place.lead("shared", over="sliding neighbour")',
        new='place.lead("shared", over="nearest neighbour")',
    ),
    "teaching-forgets-when": Break(
        "what teaches stands in its place",
        old='everywhere.lead("shared", over="not shared")',
        new='place.lead("shared", over="not shared")',
    ),
    "sharing-saves-sounds": Break(
        "six hundred sounds teach",
        old='few.lead("shared", over="not shared")',
        new='everywhere.lead("shared", over="not shared")',
    ),
    "weights-are-not-the-reason": Break(
        "the net with fewer weights shares them over time",
        old='few.lead("dense", over="not shared")',
        new='few.lead("shared", over="not shared")',
    ),
    "when-can-be-found": Break(
        "the linear reader is not shown the onset",
        old='few.lead("linear, at its onset", over="shared")',
        new='few.lead("linear, raw values", over="shared")',
    ),
    "yamaguchi-1990-maxpool-speech": Break(
        "nobody comes late",
        old='words["late"].lead("maximum", over="every moment")',
        new='words["fast"].lead("maximum", over="every moment")',
    ),
    "max-outruns-the-sum": Break(
        "nobody speaks faster than those who taught",
        old='words["fast"].lead("maximum", over="sum")',
        new='words["late"].lead("maximum", over="sum")',
    ),
    "max-forgets-order": Break(
        "the other keeps the order, too",
        old='words["order"].lead("three maxima", over="maximum")',
        new='words["order"].lead("three maxima", over="every moment")',
    ),
    "tdnn-far-distance-speech": Break(
        "the other is taught across rooms, too",
        old='rooms.lead("taught across rooms", over="taught near")',
        new='rooms.lead("taught across rooms", over="taught both")',
    ),
}


def _sizes(rng: np.random.Generator) -> Cases:
    yield "the network of 1989", (15, [3, 5])
    yield "one layer", (10, [4])
    yield "no layer at all", (6, [])
    yield "delays of one", (8, [1, 1, 3])
    yield "exactly one moment left", (7, [3, 5])
    yield "too short by one", (6, [3, 5])
    yield "far too short", (3, [5, 6])
    yield "drawn", (int(rng.integers(60, 90)), [int(d) for d in rng.integers(2, 8, 4)])


@solves(
    "moments",
    title="How long does a unit listen? (compute)",
    task="Layers of units with delays stand on one another, nothing is padded. Write `moments(frames, delays)`: from the number of "
    "frames and a list with the delays of each layer, from the lowest to the highest, return `(moments, span)`: for how many "
    "moments the top layer has an answer (0 where the sound is too short), and how many frames of the sound one of its answers "
    "rests on. For 15 frames and the delays `[3, 5]` it is `(9, 7)`.",
    hints=(
        "A window of d frames has d - 1 fewer places than there are frames.",
        "Each layer adds its delays less one to the frames that an answer rests on, and takes as many moments away.",
    ),
    inputs=_sizes,
)
def moments(frames: int, delays: Sequence[int]) -> tuple[int, int]:
    lost = sum(d - 1 for d in delays)
    return max(frames - lost, 0), 1 + lost


@moments.mistake("A window of d frames fits at frames - d + 1 places, not at frames - d.")
def _(frames: int, delays: Sequence[int]) -> tuple[int, int]:
    return max(frames - sum(delays), 0), 1 + sum(d - 1 for d in delays)


@moments.mistake(
    "Delays of two layers overlap: the upper one looks at neighbouring answers, which share frames."
)
def _(frames: int, delays: Sequence[int]) -> tuple[int, int]:
    return max(frames - sum(d - 1 for d in delays), 0), sum(delays)


@moments.mistake("You let the layers look one after the other, and each multiply what the one below sees.")
def _(frames: int, delays: Sequence[int]) -> tuple[int, int]:
    return max(frames - sum(d - 1 for d in delays), 0), int(np.prod(delays))


@moments.mistake("Where the sound is too short there is no moment: the answer is 0, not a negative number.")
def _(frames: int, delays: Sequence[int]) -> tuple[int, int]:
    lost = sum(d - 1 for d in delays)
    return frames - lost, 1 + lost


def _hurries(rng: np.random.Generator) -> Cases:
    yield "at the old speed", (0.9, 6, 60, 1.0)
    yield "half as fast again", (0.9, 6, 60, 1.5)
    yield "twice as fast", (0.5, 10, 80, 2.0)
    yield "slower", (0.7, 8, 40, 0.5)
    yield (
        "drawn",
        (
            float(rng.uniform(0.3, 1)),
            int(rng.integers(4, 12)),
            int(rng.integers(50, 90)),
            float(rng.uniform(1.1, 2)),
        ),
    )


@solves(
    "hurried-syllable",
    title="A hurried syllable (predict, then check)",
    task="A detector answers `peak` for `frames` frames and 0 for the rest of `total` frames. Now the speaker is "
    "`speed` times as fast, in a recording of the same length. Write `merged(peak, frames, total, speed)`: "
    "return `(largest, average)`, what the maximum and the average over time pass on. Predict first which of the two the "
    "speed changes.",
    hints=(
        "Does a peak become lower when it becomes shorter?",
        "The average is the area under the answer, divided by the length of the recording.",
    ),
    inputs=_hurries,
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


@merged.mistake("The peak is as high as before: a syllable that is over sooner is not said more softly.")
def _(peak: float, frames: int, total: int, speed: float) -> tuple[float, float]:
    return peak / speed, peak * frames / speed / total


def _errors(rng: np.random.Generator) -> Cases:
    yield "one error, at the end", (np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0]), 2)
    yield "one error, at the beginning", (np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 0.0]), 3)
    yield "a single delay", (rng.normal(size=4), rng.normal(size=4), 1)
    yield "as many delays as frames", (rng.normal(size=5), rng.normal(size=5), 5)
    yield "drawn", (rng.normal(size=12), rng.normal(size=12), 4)


@solves(
    "hear-the-error",
    title="What each delay hears of an error (build)",
    task="A neuron answers $y(t) = \\sum_d w(d)\\,x(t-d)$, with $x = 0$ before the sound begins. Someone tells it at every moment "
    "by how much $y(t)$ should have been larger. Write `hear_the_error(x, error, delays)`: for each delay `d` from 0 to `delays - 1` "
    "the sum over all moments that the delta rule adds to $w(d)$, times a rate. For `x = [1, 2, 3]`, `error = [0, 0, 1]` and 2 delays it "
    "is `[3, 2]`.",
    hints=(
        "w(d) took part in y(t) through x(t - d). By how much does y(t) grow when w(d) does?",
        "For each d shift the sound by d moments, zeros first, and multiply it by the error moment by moment.",
    ),
    inputs=_errors,
)
def hear_the_error(x: np.ndarray, error: np.ndarray, delays: int) -> np.ndarray:
    return np.array([error[d:] @ x[: len(x) - d] for d in range(delays)])


@hear_the_error.mistake(
    "Right numbers, turned round: the first entry belongs to the delay of 0, the present."
)
def _(x: np.ndarray, error: np.ndarray, delays: int) -> np.ndarray:
    return np.array([error[d:] @ x[: len(x) - d] for d in range(delays)])[::-1]


@hear_the_error.mistake("You looked into the future: the answer at t knows the sound up to t, and no later.")
def _(x: np.ndarray, error: np.ndarray, delays: int) -> np.ndarray:
    return np.array([error[: len(x) - d] @ x[d:] for d in range(delays)])


@hear_the_error.mistake("You took the mean over the moments; each moment adds its share, so it is a sum.")
def _(x: np.ndarray, error: np.ndarray, delays: int) -> np.ndarray:
    return np.array([error[d:] @ x[: len(x) - d] for d in range(delays)]) / len(x)


@hear_the_error.mistake(
    "At the edge the sound came round again from its end; before the sound begins there is nothing."
)
def _(x: np.ndarray, error: np.ndarray, delays: int) -> np.ndarray:
    return np.array([error @ np.roll(x, d) for d in range(delays)])


def _words(rng: np.random.Generator) -> Cases:
    one = np.zeros((6, 2))
    one[1, 0], one[4, 1] = 0.9, 0.8
    yield "a word and itself reversed", (np.stack([one, one[::-1]]), 1)
    yield "the same, by halves", (np.stack([one, one[::-1]]), 2)
    yield "a single word", (one[None], 3)
    levels = rng.choice([0.25, 0.5, 0.75], size=(6, 12, 3))
    yield "few levels, three parts", (levels, 3)
    yield "few levels, one part", (levels, 1)
    yield "every moment a part", (np.concatenate([levels, levels[:1]]), 12)


@solves(
    "confused",
    title="Words that the maximum confuses (break)",
    task="The answers of some detectors to `n` words are an array `(n, time, syllables)`. They are cut into `parts` stretches of equal "
    "length, and of each stretch only the largest answer of each detector is kept. Write `confused(words, parts)`: an array `(n, n)` of "
    "`True` and `False` that tells for every two words whether what is kept of them is equal. Then find out with it which of "
    "`badi`, `diba`, `dogu` and `gudo` one maximum confuses.",
    hints=(
        "Cut the time axis in two: one axis for the parts, one for the moments of a part.",
        "Two words are confused if all that is kept of them is equal: each part and each syllable.",
    ),
    inputs=_words,
)
def confused(words: np.ndarray, parts: int) -> np.ndarray:
    kept = words.reshape(len(words), parts, words.shape[1] // parts, words.shape[2]).max(axis=2)
    return np.array([[bool(np.array_equal(a, b)) for b in kept] for a in kept])


@confused.mistake("You kept one maximum for the whole word; there is one for each part.")
def _(words: np.ndarray, parts: int) -> np.ndarray:
    kept = words.max(axis=1)
    return np.array([[bool(np.array_equal(a, b)) for b in kept] for a in kept])


@confused.mistake("One equal number is not enough: all that is kept must be equal.")
def _(words: np.ndarray, parts: int) -> np.ndarray:
    kept = words.reshape(len(words), parts, words.shape[1] // parts, words.shape[2]).max(axis=2)
    return np.array([[bool((a == b).any()) for b in kept] for a in kept])


@confused.mistake("You took the average of each part; the maximum is kept.")
def _(words: np.ndarray, parts: int) -> np.ndarray:
    kept = words.reshape(len(words), parts, words.shape[1] // parts, words.shape[2]).mean(axis=2)
    return np.array([[bool(np.array_equal(a, b)) for b in kept] for a in kept])


@confused.mistake("You compared the words themselves; two different words can leave the same maxima.")
def _(words: np.ndarray, parts: int) -> np.ndarray:
    return np.array([[bool(np.array_equal(a, b)) for b in words] for a in words])

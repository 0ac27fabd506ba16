"""More trials of chapter origins/speech: words by what their syllables leave over time, and stops across a room.

    python chapters/origins/speech_words_trials.py        # some four minutes on one core

It writes data/results/speech-words-late.csv, data/results/speech-words-fast.csv, data/results/speech-words-order.csv and
data/results/speech-rooms.csv.

Words are heard through detectors of four syllables (`origins.tdnn` with four classes, taught once and then kept), and what the
detectors say over time is handed to one classifier in three ways.  Nets and training are those of speech_trials.py.
"""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials
from cnnkit.trials.workers import load

speech = load(Path(__file__).with_name("speech_trials.py"))
SYLLABLES = ("ba", "di", "gu", "do")
WORDS = ("badi", "gudo", "bagu", "dido", "doba", "digu")
ANAGRAMS = ("badi", "diba", "gudo", "dogu", "bagu", "guba")
FRAMES, EARLY, USUAL = 90, (0.0, 0.1), (0.85, 1.2)  # words begin within a tenth of a second, at these speeds
PEOPLE = {
    "train": (20, 300),
    "validation": (21, 300),
    "test": (22, 900),
}  # the seed of the voices, and how many words


@functools.cache
def detectors() -> scratch.Chain:
    """Four syllables in running speech, taught to one time-delay net, which then listens to longer ones."""
    lesson = data.spoken_syllables(SYLLABLES, 600, data.voices(30, seed=20), seed=30)
    taught = speech.fit(partial(speech.time_delay_net, classes=4), lesson.frames, lesson.labels, 0.02, 80, 0)
    ear = speech.time_delay_net(0, classes=4, frames=FRAMES)
    for there, here in zip(ear.weights, taught.weights, strict=True):
        there[...] = here
    return scratch.Chain(ear.steps[:4])


def tracks(
    vocabulary: tuple[str, ...], late: tuple[float, float], speed: tuple[float, float]
) -> dict[str, Any]:
    """For each word what the four detectors say at each of 84 moments; words are said as late and as fast as this.

    The words that teach begin within the first tenth of a second, at the usual speeds.
    """
    parts = {}
    for part, (people, count) in PEOPLE.items():
        begin, tempo = (EARLY, USUAL) if part == "train" else (late, speed)
        said = data.spoken_words(
            vocabulary, count, FRAMES, begin, data.voices(20, speed=tempo, seed=people), seed=people
        )
        parts[part] = (detectors().forward(said.frames[..., None])[:, :, 0], said.labels)
    return parts


KEPT = {
    "maximum": lambda x: x.max(axis=1),
    "sum": lambda x: x.sum(axis=1),
    "every moment": lambda x: x.reshape(len(x), -1),
    "three maxima": lambda x: x.reshape(len(x), 3, -1, x.shape[2]).max(axis=2).reshape(len(x), -1),
}


def classifier(kept: str, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int) -> Any:
    """Sixteen hidden units and a score for each word, of what was kept, each number at spread 1 over the training part."""
    x = KEPT[kept](x)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    x, rng = ((x - mean) / spread).astype("float32"), np.random.default_rng(seed)
    layers = []
    for inputs, units in ((x.shape[1], 16), (16, 6)):
        limit = np.sqrt(6 / (inputs + units))
        layers.append(
            scratch.Join(
                rng.uniform(-limit, limit, (inputs, units)).astype("float32"), np.zeros(units, "float32")
            )
        )
    net = scratch.Chain([layers[0], scratch.Activate("tanh"), layers[1]])
    return speech.descend(net, x, y, rate, epochs, seed, speech.cross_entropy), mean, spread


def scores(kept: str, fitted: Any, x: np.ndarray) -> np.ndarray:
    """What a classifier says of words."""
    net, mean, spread = fitted
    return net.forward(((KEPT[kept](x) - mean) / spread).astype("float32"))


def keeping(kept: str) -> trials.Learner:
    """An arm: a classifier of what is kept of the detectors' answers."""
    return trials.Learner(partial(classifier, kept), partial(scores, kept))


def coarsely_warped(known: np.ndarray, labels: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Time warping of the detectors' answers, the mean of three moments at a time."""
    return speech.warped(*(a for a in (_thirds(known), labels, _thirds(x))))


def _thirds(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1, 3, x.shape[2]).mean(axis=2)


def words_trial(name: str, vocabulary: tuple[str, ...], late: Any, speed: Any, *arms: str) -> Any:
    """One vocabulary, and one way in which the words that choose the rate and that test differ from those that teach."""
    return trials.trial(
        name,
        {kept: keeping(kept) for kept in arms},
        trials.Split(name, partial(tracks, vocabulary, late, speed)),
        rates=(0.003, 0.01, 0.03),
        training=trials.Training(epochs=200, batch_size=speech.BATCH),
        rivals={"time warping": speech.told(coarsely_warped)},
    )


THREE = ("maximum", "sum", "every moment")
late = words_trial("speech-words-late", WORDS, (0.25, 0.3), USUAL, *THREE)
fast = words_trial("speech-words-fast", WORDS, EARLY, (1.4, 1.6), *THREE)
order = words_trial("speech-words-order", ANAGRAMS, EARLY, USUAL, "maximum", "every moment", "three maxima")


def heard() -> dict[str, Any]:
    """To be taught: 600 stops near the microphone, and the same across rooms. To be tested: others, across other rooms."""
    rooms = [
        data.room_response(t, d, seed=k)
        for k, (t, d) in enumerate(_grid((0.3, 0.5, 0.7, 0.9), (0.1, 0.2, 0.4)))
    ]
    new = [
        data.room_response(t, d, seed=100 + k) for k, (t, d) in enumerate(_grid((0.4, 0.6, 0.8), (0.15, 0.3)))
    ]
    people = {part: data.voices(20, seed=seed) for part, (seed, _) in PEOPLE.items()}
    stops = partial(data.spoken_stops, noise=0.1, running=True)
    near, far = (stops(600, speakers=people["train"], rooms=r, seed=1) for r in (None, rooms))
    tested = {
        part: stops(count, speakers=people[part], rooms=new, seed=seed)
        for part, count, seed in (("validation", 300, 2), ("test", 900, 3))
    }
    taught = np.concatenate([near.frames, far.frames]), np.concatenate([near.labels, far.labels])
    return {"train": taught, **{part: (one.frames, one.labels) for part, one in tested.items()}}


def _grid(seconds: tuple[float, ...], direct: tuple[float, ...]) -> list[tuple[float, float]]:
    return [(t, d) for t in seconds for d in direct]


def taught(
    which: slice, times: int, x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int
) -> Any:
    """The time-delay net, taught a part of the lesson, as many times more often as the part is smaller."""
    return speech.fit(speech.SHARED, x[which], y[which], rate, times * epochs, seed)


rooms = trials.trial(
    "speech-rooms",
    {
        "taught near": trials.Learner(partial(taught, slice(0, 600), 2), speech.outputs),
        "taught across rooms": trials.Learner(partial(taught, slice(600, 1200), 2), speech.outputs),
        "taught both": trials.Learner(partial(taught, slice(0, 1200), 1), speech.outputs),
    },
    trials.Split("speech-rooms", heard),
    rates=(0.006, 0.02, 0.06),
    training=trials.Training(epochs=30, batch_size=speech.BATCH),
)

if __name__ == "__main__":
    raise SystemExit(trials.main())

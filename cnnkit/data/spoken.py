"""The tasks of the first speech nets, as mel spectrograms: stops, syllables and words, said by synthetic voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit._names import positive
from cnnkit.data.sounds import SAMPLE_RATE, STOPS, VOWELS, Voice, mel_spectrogram, reverberate, speak, voices

__all__ = ["Speech", "spoken_stops", "spoken_syllables", "spoken_words", "window_of"]

FRAMES, BANDS = 15, 16  # of the patch that the time-delay network was given


@dataclass(frozen=True)
class Speech:
    """Spectrograms (n, frames, bands) in [-1, 1], labels (n,), and which voice spoke each (n,).

    Chapter: origins/speech.
    """

    frames: np.ndarray
    labels: np.ndarray
    speakers: np.ndarray


def spoken_stops(
    count: int = 600,
    margin: tuple[int, int] = (0, 0),
    speakers: Sequence[Voice] | None = None,
    noise: float = 0.3,
    rooms: Sequence[np.ndarray] | None = None,
    running: bool = False,
    seed: int = 0,
) -> Speech:
    """The task of the time-delay network: is it b, d or g?  Patches of 15 frames by 16 mel bands.

    Each is a stop before one of five vowels, and the vowel sets in at the middle frame. With a `margin` of `(t, f)`
    there are t more frames at either end and f more bands, for `window_of` to cut moved patches from. With `rooms`
    (responses, as `room_response` makes them) each utterance sounds in one of them. In `running` speech another
    syllable comes before.

    >>> spoken_stops(6).frames.shape
    (6, 15, 16)

    Chapter: origins/speech.
    Paper: doi:10.1109/29.21701.
    """
    positive("spoken_stops", count=count)
    vowels = np.random.default_rng([seed, 4]).choice(list(VOWELS), count)
    consonants = np.arange(count) % len(STOPS)
    syllables = ["bdg"[k] + vowel for k, vowel in zip(consonants, vowels, strict=True)]
    return _patches(syllables, consonants, margin, speakers, noise, rooms, running, seed)


def spoken_syllables(
    syllables: Sequence[str],
    count: int = 600,
    speakers: Sequence[Voice] | None = None,
    noise: float = 0.3,
    seed: int = 0,
) -> Speech:
    """Which of these syllables is it?  Patches like those of `spoken_stops`, from running speech.

    >>> spoken_syllables(["ba", "di"], count=4).frames.shape
    (4, 15, 16)

    Chapter: origins/speech.
    """
    positive("spoken_syllables", count=count, syllables=len(syllables))
    labels = np.arange(count) % len(syllables)
    return _patches([syllables[k] for k in labels], labels, (0, 0), speakers, noise, None, True, seed)


def window_of(frames: np.ndarray, later: int = 0, higher: int = 0) -> np.ndarray:
    """Patches of 15 by 16 out of wider ones in which all appears so many frames later and so many bands higher.

    >>> window_of(spoken_stops(6, margin=(4, 3)).frames, later=2, higher=-3).shape
    (6, 15, 16)

    Chapter: origins/speech.
    """
    time, frequency = (frames.shape[1] - FRAMES) // 2 - later, (frames.shape[2] - BANDS) // 2 - higher
    patches = frames[:, max(time, 0) : time + FRAMES, max(frequency, 0) : frequency + BANDS]
    if patches.shape[1:] != (FRAMES, BANDS):
        raise ValueError(
            f"frames of shape {frames.shape[1:]} have no room to move by {later} frames and {higher} bands; "
            "give spoken_stops a larger margin"
        )
    return patches


def spoken_words(
    vocabulary: Sequence[str],
    count: int = 400,
    frames: int = 90,
    late: tuple[float, float] = (0.0, 0.1),
    speakers: Sequence[Voice] | None = None,
    noise: float = 0.3,
    seed: int = 0,
) -> Speech:
    """Words of syllables, such as "badi": `(n, frames, 16)`.  Each begins `late` by so many seconds, drawn from a range.

    What a slow voice has not said within the frames is cut off.

    >>> spoken_words(["badi", "gubo"], count=4).frames.shape
    (4, 90, 16)

    Chapter: origins/speech.
    """
    positive("spoken_words", count=count, vocabulary=len(vocabulary))
    generator = np.random.default_rng([seed, 2])
    speakers = voices(20, seed=seed) if speakers is None else speakers
    labels = generator.permutation(np.arange(count) % len(vocabulary)).astype(np.int64)
    who = generator.integers(0, len(speakers), count)
    waves, _ = speak([vocabulary[label] for label in labels], [speakers[k] for k in who], noise, seed)
    need = frames * SAMPLE_RATE // 100 + 256
    if not 0 <= late[0] <= late[1] < frames / 100:
        raise ValueError(f"late {late} is not a range within the {frames / 100} s of {frames} frames")
    starts = (SAMPLE_RATE * generator.uniform(*late, count)).astype(int)
    placed = noise * generator.standard_normal((count, need), np.float32)
    for row, wave, start in zip(placed, waves, starts, strict=True):
        spoken = wave[: need - start]
        row[start : start + len(spoken)] = spoken
    spectrogram = mel_spectrogram(placed)[:, :frames]
    return Speech(_centred(spectrogram), labels, who.astype(np.int64))


def _patches(
    syllables: list[str],
    labels: np.ndarray,
    margin: tuple[int, int],
    speakers: Sequence[Voice] | None,
    noise: float,
    rooms: Sequence[np.ndarray] | None,
    running: bool,
    seed: int,
) -> Speech:
    time, frequency = margin
    if not (0 <= time <= 4 and 0 <= frequency <= 3):
        raise ValueError(f"a margin of {margin} reaches beyond the utterance; at most (4, 3) is there")
    generator = np.random.default_rng([seed, 1])
    order = generator.permutation(len(syllables))
    labels, texts = labels[order].astype(np.int64), [syllables[k] for k in order]
    if running:
        before = generator.integers(0, 3, len(texts)), generator.integers(0, 5, len(texts))
        texts = ["bdg"[c] + "aeiou"[v] + text for c, v, text in zip(*before, texts, strict=True)]
    speakers = voices(20, seed=seed) if speakers is None else speakers
    who = generator.integers(0, len(speakers), len(texts))
    waves, onsets = speak(texts, [speakers[k] for k in who], noise, seed)
    if rooms is not None:
        waves = _in_rooms(waves, rooms, noise, generator)
    spectrogram = mel_spectrogram(waves, BANDS + 2 * frequency, -frequency)
    first = [round(100 * times[-1]) - FRAMES // 2 - time for times in onsets]
    patches = np.stack([s[f : f + FRAMES + 2 * time] for s, f in zip(spectrogram, first, strict=True)])
    return Speech(_centred(patches), labels, who.astype(np.int64))


def _centred(spectrogram: np.ndarray) -> np.ndarray:
    """Zero mean and at most one in absolute value, each utterance on its own."""
    spectrogram = spectrogram - spectrogram.mean(axis=(1, 2), keepdims=True)
    return (spectrogram / np.abs(spectrogram).max(axis=(1, 2), keepdims=True)).astype(np.float32)


def _in_rooms(
    waves: np.ndarray, rooms: Sequence[np.ndarray], noise: float, generator: np.random.Generator
) -> np.ndarray:
    which = generator.integers(0, len(rooms), len(waves))
    heard = np.empty_like(waves)
    for k, response in enumerate(rooms):
        heard[which == k] = reverberate(waves[which == k], response)
    return heard + noise * generator.standard_normal(heard.shape, np.float32)

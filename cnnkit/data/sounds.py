"""Speech that nobody spoke: stop consonants and vowels from a small formant synthesiser, rooms, and mel bands.

A buzz or a hiss goes through four resonators whose frequencies move, as in a vocal tract that opens from a
consonant into a vowel. What tells /b/, /d/ and /g/ apart is where the resonances come from, and the burst.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "SAMPLE_RATE",
    "STOPS",
    "VOWELS",
    "Voice",
    "mel_spectrogram",
    "reverberate",
    "room_response",
    "speak",
    "voices",
]

SAMPLE_RATE = 12_000

#: Vowels: the first three formants of an average man, in Hz.
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
#: Stops: where the second and third formant point to, how far the vowel pulls them along, the burst and its width.
STOPS = {
    "b": (1000, 2150, 0.5, 700, 900),
    "d": (1700, 2700, 0.4, 3600, 900),
    "g": (2100, 2350, 0.5, 1900, 300),
}
_WIDTHS = (60.0, 90.0, 150.0, 200.0)
_LEAD = 0.07  # seconds of silence before the first closure, at least
_AT_ONCE = 512  # utterances synthesised together


@dataclass(frozen=True)
class Voice:
    """Who speaks: pitch in Hz, formants as multiples of a man's (a shorter tract raises them), and speed.

    Chapter: origins/speech.
    """

    pitch: float
    formants: float
    speed: float


def voices(
    count: int,
    formants: tuple[float, float] = (0.9, 1.15),
    speed: tuple[float, float] = (0.85, 1.2),
    seed: int = 0,
) -> list[Voice]:
    """People: formants and speed anywhere in their ranges, and a pitch that goes with the formants.

    >>> [round(voice.formants, 2) for voice in voices(2, formants=(1.0, 1.0))]
    [1.0, 1.0]

    Chapter: origins/speech.
    """
    generator = np.random.default_rng(seed)
    people = []
    for factor, pitch, tempo in zip(
        generator.uniform(*formants, count),
        generator.uniform(0.85, 1.15, count),
        generator.uniform(*speed, count),
        strict=True,
    ):
        people.append(Voice(float(115 * factor**4 * pitch), float(factor), float(tempo)))
    return people


def speak(
    texts: Sequence[str], speakers: Sequence[Voice], noise: float = 0.3, seed: int = 0
) -> tuple[np.ndarray, list[list[float]]]:
    """Say texts such as "ba" or "digabo", one by each voice: waves `(n, samples)`, and when each vowel sets in.

    A text is made of syllables, a stop (b, d, g) before a vowel (a, e, i, o, u). The onsets are in seconds. All
    waves are as long as the longest needs; `noise` is a hiss relative to the loudness of the speech.

    >>> waves, onsets = speak(["ba", "digabo"], voices(2))
    >>> len(waves), [len(times) for times in onsets]
    (2, [1, 3])

    Chapter: origins/speech.
    Paper: doi:10.1121/1.383940.
    """
    if len(texts) != len(speakers):
        raise ValueError(
            f"{len(texts)} texts for {len(speakers)} voices; give as many of the one as of the other"
        )
    generator = np.random.default_rng(seed)
    scores = [_score(text, voice, generator) for text, voice in zip(texts, speakers, strict=True)]
    length = max(len(score.buzz) for score in scores)
    waves = np.zeros((len(texts), length), np.float32)
    for start in range(0, len(scores), _AT_ONCE):
        part = scores[start : start + _AT_ONCE]
        waves[start : start + len(part)] = _resonate(part, length)
    loudness = np.sqrt((waves**2).mean(axis=1, keepdims=True)) + 1e-9
    waves /= loudness
    waves += noise * generator.standard_normal(waves.shape, np.float32)
    return waves, [score.onsets for score in scores]


def mel_spectrogram(waves: np.ndarray, bands: int = 16, lowest: int = 0) -> np.ndarray:
    """Log energies in bands of equal width on the mel scale, a frame every 10 ms: `(n, frames, bands)`.

    Windows of 21 ms (Hamming) are taken every 5 ms and averaged in pairs. Band 0 begins near 300 Hz; `lowest`
    is the first band that is wanted, and may lie below it.

    >>> mel_spectrogram(np.random.default_rng(0).standard_normal((2, 3000))).shape
    (2, 23, 16)

    Chapter: origins/speech.
    Paper: doi:10.1109/29.21701.
    """
    window, hop = 256, SAMPLE_RATE // 200
    count = (waves.shape[1] - window) // hop + 1
    if count < 2:
        raise ValueError(f"{waves.shape[1]} samples are too few for a frame; give at least {window + hop}")
    views = np.lib.stride_tricks.sliding_window_view(waves, window, axis=1)[:, ::hop]
    energy = np.empty((len(waves), count, bands), np.float32)
    bank = _mel_bank(bands, lowest, window).astype(np.float32)
    taper = np.hamming(window).astype(np.float32)
    for start in range(0, len(waves), _AT_ONCE):
        spectrum = np.fft.rfft(views[start : start + _AT_ONCE] * taper, axis=-1)
        energy[start : start + _AT_ONCE] = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ bank
    logs = np.log(energy + 1e-3)
    pairs = count // 2
    return logs[:, : 2 * pairs].reshape(len(waves), pairs, 2, bands).mean(axis=2)


def room_response(reverberation: float = 0.5, direct: float = 1.0, seed: int = 0) -> np.ndarray:
    """What a room makes of a click: the direct sound, then noise that dies away by 60 dB in `reverberation` s.

    `direct` is the energy of the direct sound relative to all that follows: small where the speaker is far.

    >>> room_response(0.1).shape
    (1200,)

    Chapter: origins/speech.
    """
    if reverberation <= 0 or direct <= 0:
        raise ValueError(f"reverberation {reverberation} and direct {direct} must be above zero")
    length = int(reverberation * SAMPLE_RATE)
    tail = np.random.default_rng(seed).standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail[: SAMPLE_RATE // 500] = 0  # the first echo is at least 2 ms late
    response = tail / np.sqrt((tail**2).sum())
    response[0] = np.sqrt(direct)
    return response / np.sqrt((response**2).sum())


def reverberate(waves: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Waves (n, samples) as they sound in a room: convolved with its response, and cut to their old length.

    Chapter: origins/speech.
    """
    size = 1 << (waves.shape[1] + len(response) - 1).bit_length()
    product = np.fft.rfft(waves, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[:, : waves.shape[1]].astype(np.float32)


@dataclass
class _Score:
    """What the synthesiser plays: buzz and hiss (samples,), formants (samples, 4), and the onsets of vowels."""

    buzz: np.ndarray
    hiss: np.ndarray
    formants: np.ndarray
    onsets: list[float]


def _score(text: str, voice: Voice, generator: np.random.Generator) -> _Score:
    syllables = re.findall(r"[bdg][aeiou]", text)
    if not syllables or "".join(syllables) != text:
        raise ValueError(
            f"'{text}' is not made of syllables of b, d, g and a, e, i, o, u, such as 'ba' or 'digabo'"
        )
    tracks, buzz, hiss, onsets = [np.tile(_neutral(), (_samples(_LEAD), 1))], [], [], []
    buzz.append(np.zeros(len(tracks[0])))
    hiss.append(np.zeros(len(tracks[0])))
    time = len(tracks[0])
    for syllable in syllables:
        second, third, pull, burst, width = STOPS[syllable[0]]
        target = np.array([*VOWELS[syllable[1]], 3500.0])
        start = np.array(
            [220.0, second + pull * (target[1] - second), third + pull * (target[2] - third), 3500.0]
        )
        closed = _samples(generator.uniform(0.04, 0.06) / voice.speed)
        released = _samples(generator.uniform(0.008, 0.014))
        voiced = _samples(generator.uniform(0.13, 0.16) / voice.speed)
        glide = 0.022 / voice.speed * generator.uniform(0.8, 1.2)
        weight = np.exp(-np.arange(voiced) / SAMPLE_RATE / glide)[:, None]
        held = np.tile(start, (closed + released, 1))
        tracks += [held, target + weight * (start - target)]
        edge = np.minimum(1, np.arange(voiced) / 90) * np.minimum(1, np.arange(voiced)[::-1] / 360)
        buzz += [np.full(closed, 0.05), np.zeros(released), edge]
        noise = _band(generator.standard_normal(released), burst * voice.formants, width)
        hiss += [np.zeros(closed), noise, np.zeros(voiced)]
        time += closed + released
        onsets.append(time / SAMPLE_RATE)
        time += voiced
    rest = _samples(0.03)
    tracks.append(np.tile(tracks[-1][-1], (rest, 1)))
    buzz.append(np.zeros(rest))
    hiss.append(np.zeros(rest))
    loud = np.concatenate(buzz)
    pitch = voice.pitch * (1 + 0.02 * generator.standard_normal() - 0.1 * np.arange(len(loud)) / len(loud))
    phase = np.cumsum(pitch / SAMPLE_RATE) + generator.random()
    pulses = np.diff(np.floor(phase), prepend=0) > 0
    return _Score(loud * pulses, np.concatenate(hiss), np.concatenate(tracks) * voice.formants, onsets)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _neutral() -> np.ndarray:
    return np.array([500.0, 1500.0, 2500.0, 3500.0])


def _band(noise: np.ndarray, centre: float, width: float) -> np.ndarray:
    """White noise through a bell around a frequency, at the loudness of a short burst."""
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    shaped = np.fft.irfft(spectrum * np.exp(-0.5 * ((frequency - centre) / width) ** 2), len(noise))
    return 0.5 * shaped / (np.sqrt((shaped**2).mean()) + 1e-9)


def _resonate(scores: list[_Score], length: int) -> np.ndarray:
    """Send each buzz through four resonators in a row whose frequencies move (Klatt's cascade); add the hiss.

    y(t) = A x(t) + B y(t-1) + C y(t-2) with C = -exp(-2 pi width), B = 2 exp(-pi width) cos(2 pi frequency) and
    A = 1 - B - C, so that a constant passes unchanged.  One step in time serves all utterances at once.
    """
    x = np.zeros((length, len(scores)), np.float32)
    frequency = np.zeros((4, length, len(scores)), np.float32)
    for k, score in enumerate(scores):
        x[: len(score.buzz), k] = score.buzz
        frequency[:, : len(score.buzz), k] = score.formants.T
        frequency[:, len(score.buzz) :, k] = score.formants[-1][:, None]
    for formant, width in enumerate(_WIDTHS):
        c = np.float32(-np.exp(-2 * np.pi * width / SAMPLE_RATE))
        b = np.float32(2 * np.sqrt(-c)) * np.cos(
            2 * np.pi * np.minimum(frequency[formant], 5500) / SAMPLE_RATE
        )
        x *= 1 - b - c
        x[1] += b[1] * x[0]
        for t in range(2, length):
            x[t] += b[t] * x[t - 1] + c * x[t - 2]
    x = x.T
    for row, score in zip(x, scores, strict=True):
        row[: len(score.hiss)] += score.hiss * np.sqrt((row**2).mean())
    return x


def _mel_bank(bands: int, lowest: int, window: int) -> np.ndarray:
    """Triangles of equal width on the mel scale, as columns (window // 2 + 1, bands)."""
    step = 105.0  # mel from one band to the next
    edges = 400.0 + step * (np.arange(bands + 2) + lowest)
    if edges[0] < 0 or 700 * (10 ** (edges[-1] / 2595) - 1) > SAMPLE_RATE / 2:
        raise ValueError(
            f"bands {lowest} to {lowest + bands - 1} leave the range of 0 to {SAMPLE_RATE // 2} Hz; -3 to 18 do not"
        )
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(window, 1 / SAMPLE_RATE) / 700)
    distance = np.abs(mel[:, None] - edges[None, 1:-1]) / step
    return np.maximum(0, 1 - distance)

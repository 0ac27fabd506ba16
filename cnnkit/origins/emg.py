"""Taking a convolution apart: spike trains recovered from an electromyogram, by formula and by learning."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike

from cnnkit.origins._building import channels_last

__all__ = [
    "SpikeScore",
    "apply_filters",
    "best_thresholds",
    "deconvolution_net",
    "find_spikes",
    "inverse_filter_net",
    "matched_filters",
    "score_spikes",
    "wiener_filters",
]


@dataclass(frozen=True)
class SpikeScore:
    """Share of the true spikes that were found, share of the found ones that are true, and their harmonic mean.

    Chapter: dimensions/signals.
    """

    recall: float
    precision: float
    f1: float


def matched_filters(shapes: np.ndarray) -> np.ndarray:
    """Filters `(length, units)` that ask how much of each shape stands here: the shapes themselves.

    Best for one shape in white noise, and blind to the other units.

    Chapter: dimensions/signals.
    """
    return np.ascontiguousarray(np.asarray(shapes).T / (np.asarray(shapes) ** 2).sum(axis=1))


def wiener_filters(shapes: np.ndarray, density: float, noise: float, length: int = 61) -> np.ndarray:
    """The linear filters `(length, units)` with the least squared error, from what is known about the signal.

    Spikes are taken as independent, each with probability `density` a sample, the noise as white of standard
    deviation `noise`. With R the autocorrelation of the signal and r that of signal and spikes, `R w = r`.

    Chapter: dimensions/signals.
    """
    from scipy.linalg import solve_toeplitz

    shapes = np.asarray(shapes, float)
    if length % 2 == 0:
        raise ValueError(f"length {length} is even; an odd filter has a middle for the spike to stand at")
    power = density * (1 - density)
    wave = shapes.shape[1]
    auto = sum(np.correlate(shape, shape, "full") for shape in shapes)[wave - 1 :]
    column = np.zeros(length)
    column[: min(wave, length)] = power * auto[:length]
    column[0] += noise**2
    reach = length // 2
    cross = np.zeros((length, len(shapes)))
    for unit, shape in enumerate(shapes):
        for place in range(-reach, reach + 1):
            if 0 <= wave // 2 + place < wave:
                cross[reach + place, unit] = power * shape[wave // 2 + place]
    return solve_toeplitz(column, cross)


def apply_filters(signals: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Slide filters (length, units) along signals (n, samples, 1), zeros beyond the ends: (n, samples, units).

    Chapter: dimensions/signals.
    """
    from scipy.signal import fftconvolve

    turned = filters[::-1].T
    return np.stack([[fftconvolve(s[:, 0], f, mode="same") for f in turned] for s in signals]).swapaxes(1, 2)


@channels_last
def inverse_filter_net(units: int = 3, length: int = 61) -> keras.Model:
    """One linear convolution from the signal to a trace for each unit: it can only learn an inverse filter.

    >>> inverse_filter_net().count_params()
    186

    Chapter: dimensions/signals.
    """
    inputs = keras.Input((None, 1), name="signal")
    x = layers.Conv1D(units, length, padding="same", kernel_initializer="zeros", name="inverse")(inputs)
    return keras.Model(inputs, x, name="inverse_filter")


@channels_last
def deconvolution_net(units: int = 3, length: int = 41, hidden: int = 12) -> keras.Model:
    """Two convolutions with a rectifier between: filters whose answers may veto each other, then a probability.

    >>> deconvolution_net().output_shape
    (None, None, 3)

    Chapter: dimensions/signals.
    """
    inputs = x = keras.Input((None, 1), name="signal")
    x = layers.Conv1D(hidden, length, padding="same", activation="relu", name="shapes")(x)
    x = layers.Conv1D(units, length // 2 + 1 - length // 2 % 2, padding="same", name="spikes")(x)
    x = layers.Activation("sigmoid", dtype=keras.config.floatx(), name="probability")(x)
    return keras.Model(inputs, x, name="deconvolution_net")


def find_spikes(traces: np.ndarray, threshold: ArrayLike, apart: int = 10) -> np.ndarray:
    """Peaks of traces `(n, samples, units)` above a threshold, the higher of two that are less than `apart` away.

    `threshold` is one number, or one for each unit.

    Chapter: dimensions/signals.
    """
    from scipy.ndimage import maximum_filter1d

    traces = np.asarray(traces)
    return (traces >= maximum_filter1d(traces, 2 * apart - 1, axis=1)) & (traces > np.asarray(threshold))


def best_thresholds(traces: np.ndarray, true: np.ndarray, tries: int = 17) -> np.ndarray:
    """For each unit the threshold with the best F1 score on recordings whose spikes are known.

    Chapter: dimensions/signals.
    """
    chosen = []
    for unit in range(true.shape[-1]):
        one, spikes = traces[..., unit : unit + 1], true[..., unit : unit + 1]
        candidates = np.linspace(0.1, 0.9, tries) * one.max()
        scores = [score_spikes(find_spikes(one, candidate), spikes).f1 for candidate in candidates]
        chosen.append(candidates[int(np.argmax(scores))])
    return np.array(chosen)


def score_spikes(found: np.ndarray, true: np.ndarray, slack: int = 2) -> SpikeScore:
    """Compare found with true spikes, each used once, forgiving up to `slack` samples (2 are one millisecond).

    >>> score_spikes(np.array([[[0], [1], [0]]]), np.array([[[1], [0], [0]]]))
    SpikeScore(recall=1.0, precision=1.0, f1=1.0)

    Chapter: dimensions/signals.
    """
    hits = 0
    for a, b in zip(np.moveaxis(found, -1, 1), np.moveaxis(true, -1, 1), strict=True):
        for one, other in zip(a, b, strict=True):
            left = np.flatnonzero(other).tolist()
            for place in np.flatnonzero(one):
                near = next((t for t in left if abs(t - place) <= slack), None)
                if near is not None:
                    left.remove(near)
                    hits += 1
    recall = hits / max(int(np.sum(true)), 1)
    precision = hits / max(int(np.sum(found)), 1)
    f1 = 2 * recall * precision / max(recall + precision, 1e-9)
    return SpikeScore(float(recall), float(precision), float(f1))

"""Reverse correlation: show noise, keep what came before the spikes, and read the receptive field off it.

The noise comes from `cnnkit.data.noise`, `(frames, height, width, 1)`; what is read off it is `(height, width)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["poisson_spikes", "spike_triggered_average", "spike_triggered_covariance"]


def poisson_spikes(rates: ArrayLike, seed: int = 0) -> NDArray[np.int64]:
    """Draw a whole number of spikes for each frame from a Poisson distribution with the given rate.

    >>> poisson_spikes([0.0, 0.0]).tolist()
    [0, 0]

    Chapter: origins/hubel-wiesel.
    """
    rates = np.asarray(rates, np.float64)
    if np.any(rates < 0) or not np.all(np.isfinite(rates)):
        raise ValueError("firing rates must be finite and at least 0: rectify the response first")
    return np.random.default_rng(seed).poisson(rates)


def spike_triggered_average(stimuli: ArrayLike, spikes: ArrayLike) -> NDArray[np.float64]:
    """The mean stimulus, each frame counted once for every spike that it caused.

    For a linear filter with any nonlinearity after it and Gaussian white noise before it, this points along
    the filter. It is blind to a cell that answers alike to a pattern and to its negative.

    >>> spike_triggered_average(np.eye(2).reshape(2, 1, 2), [3, 1]).tolist()
    [[0.75, 0.25]]

    Chapter: origins/hubel-wiesel.
    """
    stimuli, spikes = _matched(stimuli, spikes)
    return np.tensordot(spikes, stimuli, axes=(0, 0)) / spikes.sum()


def spike_triggered_covariance(
    stimuli: ArrayLike, spikes: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions in which the frames that caused spikes vary more, or less, than frames in general.

    Returns the eigenvalues of the difference of the two second-moment matrices, the largest in magnitude
    first, and for each a pattern of unit length. This finds the two filters of an energy model, where the
    average finds nothing.

    Chapter: origins/hubel-wiesel.
    """
    stimuli, spikes = _matched(stimuli, spikes)
    flat = stimuli.reshape(len(stimuli), -1)
    caused = (flat * spikes[:, None].astype(flat.dtype)).T @ flat / spikes.sum()
    everything = flat.T @ flat / len(flat)
    values, vectors = np.linalg.eigh((caused - everything).astype(np.float64))
    order = np.argsort(-np.abs(values))
    return values[order], vectors[:, order].T.reshape(-1, *stimuli.shape[1:])


def _matched(stimuli: ArrayLike, spikes: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    stimuli, spikes = np.asarray(stimuli), np.asarray(spikes, np.float64)
    if stimuli.ndim == 4 and stimuli.shape[-1] == 1:
        stimuli = stimuli[..., 0]
    if len(stimuli) != len(spikes):
        raise ValueError(f"{len(stimuli)} frames but {len(spikes)} spike counts: one count for each frame")
    if spikes.sum() <= 0:
        raise ValueError("the cell never fired, so there is nothing to average: show more frames")
    return stimuli, spikes

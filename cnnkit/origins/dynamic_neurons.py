"""Neurons that convolve where others multiply: Homma, Atlas and Marks, 1987, in plain NumPy."""

from __future__ import annotations

import numpy as np

from cnnkit.scratch import convolve1d

__all__ = ["delta_rule", "dynamic_neurons", "hebbian_weights"]


def dynamic_neurons(x: np.ndarray, w: np.ndarray, correlate: bool = False) -> np.ndarray:
    """What each neuron sums up at each time from what has come in until then: `(time, neurons)`.

    It is a true convolution in time, summed over the channels ::

        y_k(t) = sum over c and d of w(d, c, k) x_c(t - d)

    Args:
        x: `(time, channels)`.
        w: `(delays, channels, neurons)`.
        correlate: read the weights from the oldest frame to the newest, without turning them round.

    >>> dynamic_neurons(np.eye(3)[:, :1], np.array([1, 10, 100])[:, None, None])[:, 0]
    array([  1.,  10., 100.])

    Chapter: origins/speech.
    """
    if x.ndim != 2 or w.ndim != 3 or x.shape[1] != w.shape[1]:
        raise ValueError(f"x {x.shape} must be (time, channels), w {w.shape} (delays, channels, neurons)")
    past = np.pad(x, ((len(w) - 1, 0), (0, 0)))
    return convolve1d(past[None], w if correlate else w[::-1])[0]


def hebbian_weights(patterns: np.ndarray) -> np.ndarray:
    """The Hebbian rule in time, one neuron a pattern: each delay remembers what stood there, a matched filter.

    `patterns` are `(neurons, time, channels)`; the answer to its own pattern is 1 when its last frame has come.

    >>> hebbian_weights(np.ones((2, 5, 3))).shape
    (5, 3, 2)

    Chapter: origins/speech.
    """
    turned = patterns[:, ::-1]
    return np.moveaxis(turned / (patterns**2).sum(axis=(1, 2), keepdims=True), 0, -1)


def delta_rule(
    x: np.ndarray,
    target: np.ndarray,
    delays: int,
    rate: float = 0.5,
    steps: int = 300,
    correlate: bool = False,
) -> np.ndarray:
    """The delta rule in time: weights `(delays, channels, neurons)` that answer `x` with `target`.

    The error is correlated with the past of the input, which is gradient descent on the squared error ::

        w(d, c, k) gains rate * sum over t of (target_k(t) - y_k(t)) x_c(t - d)

    `rate` is relative to the fastest that is stable.

    Chapter: origins/speech.
    """
    if len(x) != len(target):
        raise ValueError(f"{len(x)} times of input and {len(target)} of target; give as many of both")
    padded = np.pad(x, ((delays - 1, 0), (0, 0)))
    past = np.lib.stride_tricks.sliding_window_view(padded, delays, axis=0).swapaxes(1, 2)  # the oldest first
    past = (past if correlate else past[:, ::-1]).reshape(len(x), -1)
    among, with_target = past.T @ past, past.T @ target  # the sums over time, taken once for all steps
    rate = rate * 2 / np.linalg.norm(among, 2)
    w = np.zeros(with_target.shape)
    for _ in range(steps):
        w += rate * (with_target - among @ w)
    return w.reshape(delays, x.shape[1], target.shape[1])

"""Five rules for moving weights down a slope, each in a few lines, and the schedules that turn their rate down.

A rule is made once for an array of weights, whose memory it keeps: `step = adam()`, and then `w = step(w, gradient, rate)`,
again and again.  Constants and the places of the epsilons are Keras's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["Rule", "adam", "adamw", "learning_rate", "rmsprop", "sgd"]

#: A rule of descent: (weights, their gradient, rate) -> the next weights.
Rule = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def sgd(momentum: float = 0.0, nesterov: bool = False) -> Rule:
    """Gradient descent, with a speed that is kept from step to step where there is momentum::

        v <- momentum v - rate g        w <- w + v        (Nesterov: w <- w + momentum v - rate g)

    Args:
        momentum: what is left of the speed after a step.
        nesterov: step on by the speed that comes next, in place of the present one.

    >>> step = sgd(momentum=0.5)
    >>> w = step(np.array([1.0]), np.array([2.0]), 0.1)
    >>> step(w, np.array([0.0]), 0.1)  # no slope any more, and half the speed
    array([0.7])

    Chapter: training/optimization.
    """
    v: np.ndarray | float = 0.0

    def step(w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        nonlocal v
        v = momentum * v - rate * g
        return w + momentum * v - rate * g if nesterov else w + v

    return step


def rmsprop(rho: float = 0.9, epsilon: float = 1e-7) -> Rule:
    """Each weight's gradient, divided by the root of a moving mean of its squares::

        s <- rho s + (1 - rho) g²        w <- w - rate g / sqrt(s + epsilon)

    Args:
        rho: what is left of the mean after a step.
        epsilon: keeps a weight that has seen no slope from dividing by zero.

    >>> w = rmsprop(rho=0.0)(np.zeros(2), np.array([0.01, -100.0]), 0.1)
    >>> w.round(3)  # one step is as long as the other
    array([-0.1,  0.1])

    Chapter: training/optimization.
    """
    s: np.ndarray | float = 0.0

    def step(w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        nonlocal s
        s = rho * s + (1 - rho) * g**2
        return w - rate * g / np.sqrt(s + epsilon)

    return step


def adam(beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> Rule:
    """A moving mean of the gradients over the root of that of their squares, both made up for having begun at zero::

        m <- beta_1 m + (1 - beta_1) g        s <- beta_2 s + (1 - beta_2) g²
        w <- w - rate sqrt(1 - beta_2^t) / (1 - beta_1^t) · m / (sqrt(s) + epsilon)

    Args:
        beta_1: what is left of the first mean after a step.
        beta_2: what is left of the second.
        epsilon: stands beside the root that has not been made up, as in Keras; the paper's Algorithm 1 has another.

    >>> adam()(np.zeros(2), np.array([0.01, -100.0]), 0.1).round(3)
    array([-0.1,  0.1])

    Chapter: training/optimization.
    Paper: arXiv:1412.6980.
    """
    m: np.ndarray | float = 0.0
    s: np.ndarray | float = 0.0
    t = 0

    def step(w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        nonlocal m, s, t
        t += 1
        m = beta_1 * m + (1 - beta_1) * g
        s = beta_2 * s + (1 - beta_2) * g**2
        made_up = rate * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
        return w - made_up * m / (np.sqrt(s) + epsilon)

    return step


def adamw(decay: float = 0.004, **options: float) -> Rule:
    """`adam`, after the weights have shrunk by a share of `rate` times `decay`, which no gradient's size divides.

    Args:
        decay: the share, in units of the rate.
        options: of `adam`.

    >>> adamw(decay=0.5)(np.array([2.0]), np.array([0.0]), 0.1)
    array([1.9])

    Chapter: training/optimization.
    Paper: arXiv:1711.05101.
    """
    move = adam(**options)

    def step(w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
        return move(w - rate * decay * w, g, rate)

    return step


def learning_rate(kind: str, rate: float, step: int, steps: int, warmup: float = 0.0) -> float:
    """The rate at one step of so many.

    Args:
        kind: "constant"; "step", a tenth from one half on, and a hundredth from three quarters on; "linear" or "cosine", which
            fall to zero.  Where there is a warm-up, they fall from its end on.
        rate: at its highest.
        step: from 0.
        steps: of the whole training.
        warmup: share of the steps in which the rate climbs from zero first, in a straight line.

    >>> [round(learning_rate("cosine", 1.0, step, 100, warmup=0.2), 2) for step in (0, 10, 20, 60, 100)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Chapter: training/optimization.
    """
    warm = round(warmup * steps)
    if step < warm:
        return rate * step / warm
    gone = (step - warm) / max(steps - warm, 1)
    falls = {
        "constant": 1.0,
        "step": 1.0 if gone < 0.5 else 0.1 if gone < 0.75 else 0.01,
        "linear": 1 - gone,
        "cosine": (1 + np.cos(np.pi * gone)) / 2,
    }
    if kind not in falls:
        raise ValueError(f"no schedule is called {kind!r}; there are {', '.join(falls)}")
    return float(rate * falls[kind])

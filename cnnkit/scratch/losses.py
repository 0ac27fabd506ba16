"""From scores to probabilities to one number to make small, and back: each loss comes with its gradient.

All of them are means over whatever they are given, as Keras's are, so a gradient has been divided
by the number of entries (of rows, for the softmax).  Those that decide take logits, not
probabilities: a probability of exactly 0 has no logarithm, and a logit always has one.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "binary_cross_entropy",
    "dice_loss",
    "focal_loss",
    "huber_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "softmax",
    "softmax_cross_entropy",
]


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """`exp(x) / sum(exp(x))`, with the largest entry subtracted first, so that nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])

    Chapter: layers/heads-and-losses.
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of `-log p(label)`, and its gradient with respect to the logits, `(p - onehot) / batch`.

    Args:
        logits: `(batch, classes)`.
        labels: class numbers, `(batch,)`.

    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), dlogits
    (0.6931, array([[-0.5,  0.5]]))

    Chapter: layers/heads-and-losses.
    """
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits have shape {logits.shape} and labels {labels.shape}; needed are (batch, classes) "
            "and (batch,), with class numbers, not one-hot rows, as labels"
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < logits.shape[1]:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}; {logits.shape[1]} classes are numbered 0 to "
            f"{logits.shape[1] - 1}"
        )
    which = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dlogits = np.exp(log_p)
    dlogits[which, labels] -= 1
    return float(-log_p[which, labels].mean()), dlogits / len(labels)


def binary_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of `-y log p - (1 - y) log(1 - p)`, `p = sigmoid(logit)`, and its gradient, `(p - y) / entries`.

    Every entry is a question of its own: several labels may be true at once, or none.

    >>> loss, dlogits = binary_cross_entropy(np.zeros(2), np.array([1.0, 0.0]))
    >>> round(loss, 4), dlogits
    (0.6931, array([-0.25,  0.25]))

    Chapter: layers/heads-and-losses.
    """
    logits, labels = _pair(logits, labels, "logits", "labels")
    loss = np.logaddexp(0, logits) - labels * logits
    return float(loss.mean()), (_sigmoid(logits) - labels) / logits.size


def focal_loss(
    logits: np.ndarray, labels: np.ndarray, gamma: float = 2.0, alpha: float | None = None
) -> tuple[float, np.ndarray]:
    """The mean of `-(1 - p_t)^gamma log p_t`, `p_t` the probability given to the truth, and its gradient.

    `gamma` = 0 is the binary cross-entropy.  `alpha` weighs the entries labelled 1, and 1 - alpha
    those labelled 0; without it both weigh 1.

    >>> easy = np.array([4.0])
    >>> [round(focal_loss(easy, np.array([1.0]), gamma)[0], 6) for gamma in (0, 2)]
    [0.01815, 6e-06]

    Chapter: layers/heads-and-losses.
    Paper: arXiv:1708.02002.
    """
    logits, labels = _pair(logits, labels, "logits", "labels")
    if not np.all((labels == 0) | (labels == 1)):
        raise ValueError("the focal loss asks which answer is true: labels must be 0 or 1, nothing between")
    if gamma < 0:
        raise ValueError(f"gamma is {gamma}; needed is 0 (the cross-entropy) or more")
    sign = 2 * labels - 1
    p = _sigmoid(sign * logits)
    log_p = -np.logaddexp(0, -sign * logits)
    weight = np.ones_like(p) if alpha is None else np.where(labels == 1, alpha, 1 - alpha)
    loss = -weight * (1 - p) ** gamma * log_p
    dlogits = weight * sign * (1 - p) ** gamma * (gamma * p * log_p - (1 - p))
    return float(loss.mean()), dlogits / logits.size


def mean_squared_error(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of `e²`, `e = y - target`, and its gradient, `2 e / entries`: twice as wrong pulls twice as hard.

    >>> mean_squared_error(np.array([3.0, 0.0]), np.array([0.0, 0.0]))
    (4.5, array([3., 0.]))

    Chapter: layers/heads-and-losses.
    """
    y, target = _pair(y, target, "y", "target")
    e = y - target
    return float((e**2).mean()), 2 * e / e.size


def mean_absolute_error(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of `|e|`, `e = y - target`, and its gradient, `sign(e) / entries`: every error pulls alike.

    >>> mean_absolute_error(np.array([3.0, -1.0]), np.array([0.0, 0.0]))
    (2.0, array([ 0.5, -0.5]))

    Chapter: layers/heads-and-losses.
    """
    y, target = _pair(y, target, "y", "target")
    e = y - target
    return float(np.abs(e).mean()), np.sign(e) / e.size


def huber_loss(y: np.ndarray, target: np.ndarray, delta: float = 1.0) -> tuple[float, np.ndarray]:
    """The mean of `e² / 2` where `|e| <= delta` and of `delta (|e| - delta / 2)` beyond, and its gradient.

    The gradient is e, clipped to -delta .. delta: a square near the truth, an absolute value far from it.

    >>> huber_loss(np.array([3.0, 0.5]), np.array([0.0, 0.0]))
    (1.3125, array([0.5 , 0.25]))

    Chapter: layers/heads-and-losses.
    Paper: doi:10.1214/aoms/1177703732.
    """
    y, target = _pair(y, target, "y", "target")
    if delta <= 0:
        raise ValueError(f"delta is {delta}; needed is a positive size of error, where the square ends")
    e = y - target
    loss = np.where(np.abs(e) <= delta, e**2 / 2, delta * (np.abs(e) - delta / 2))
    return float(loss.mean()), np.clip(e, -delta, delta) / e.size


def dice_loss(p: np.ndarray, target: np.ndarray, epsilon: float = 1e-7) -> tuple[float, np.ndarray]:
    """`1 - 2 sum(p t) / (sum(p) + sum(t))`: one minus the overlap of two masks, and its gradient.

    It is one number for all entries together, not a mean over them, and what both call empty does
    not count.  `epsilon` keeps two empty masks from dividing by zero.

    >>> round(dice_loss(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))[0], 4)
    0.3333

    Chapter: layers/heads-and-losses.
    Paper: arXiv:1606.04797.
    """
    p, target = _pair(p, target, "p", "target")
    both, all_ = (p * target).sum(), p.sum() + target.sum() + epsilon
    return float(1 - 2 * both / all_), 2 * (both - target * all_) / all_**2


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def _pair(a: np.ndarray, b: np.ndarray, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
    """Both as floats of one shape: a (batch,) beside a (batch, 1) would broadcast to (batch, batch)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(
            f"{first} has shape {a.shape} and {second} {b.shape}; needed are equal shapes, since NumPy would "
            "otherwise compare every entry with every other: reshape one of them"
        )
    return a, b

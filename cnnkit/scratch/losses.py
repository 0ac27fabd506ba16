"""From scores to probabilities to one number to make small."""

from __future__ import annotations

import numpy as np

__all__ = ["softmax", "softmax_cross_entropy"]


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(x) / sum(exp(x)), with the largest entry subtracted first, so that nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])

    Chapter: layers/10-heads-and-losses.
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of -log p(label), and its gradient with respect to the logits: (p - onehot) / batch.

    `logits` is (batch, classes), `labels` holds class numbers, (batch,).

    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), dlogits
    (0.6931, array([[-0.5,  0.5]]))

    Chapter: layers/10-heads-and-losses.
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

"""The digits that ship with scikit-learn: 1,797 handwritten digits of 8 x 8 pixels, no download."""

from __future__ import annotations

import numpy as np

__all__ = ["load_digits"]

Split = tuple[np.ndarray, np.ndarray]


def load_digits(split: str = "mixed") -> tuple[Split, Split]:
    """Scikit-learn's digits, cut into training and test set, the same on every machine.

    `split="mixed"`: of each digit, every fourth image in file order goes to the test set, so that both sets
    tend to hold the same writers.  `split="ordered"`: of each digit, the last quarter in file order is the
    test set.  Neighbours in the file tend to come from the same hand, so this test set is the harder one.

    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_test.shape
    ((1352, 8, 8, 1), (445, 8, 8, 1))

    Chapter: 00-orientation.
    """
    from sklearn.datasets import load_digits as sklearn_digits

    if split not in ("mixed", "ordered"):
        raise ValueError(
            f"split is '{split}'; choose 'mixed' (same writers) or 'ordered' (later writers are the test)"
        )
    images, labels = sklearn_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    labels = labels.astype(np.int64)
    test = np.zeros(len(labels), bool)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        test[places[3::4] if split == "mixed" else places[-(len(places) // 4) :]] = True
    return (images[~test], labels[~test]), (images[test], labels[test])

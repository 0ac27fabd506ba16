"""The digits that ship with scikit-learn: 1,797 handwritten digits of 8 x 8 pixels, no download."""

from __future__ import annotations

import numpy as np

from cnnkit._names import needed

__all__ = ["load_digits", "scattered"]

Split = tuple[np.ndarray, np.ndarray]


def load_digits(split: str = "mixed", canvas: int | None = None) -> tuple[Split, Split]:
    """Scikit-learn's digits, cut into training and test set, the same on every machine.

    Args:
        split: "mixed": of each digit, every fourth image in file order goes to the test set, so that both sets tend to
            hold the same writers.  "ordered": of each digit, the last quarter in file order is the test set;
            neighbours in the file tend to come from the same hand, so this test set is the harder one.
        canvas: put each digit at a random place on an empty field of so many pixels a side; 8 x 8 as it is if None.

    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_test.shape
    ((1352, 8, 8, 1), (445, 8, 8, 1))

    Chapter: orientation.
    """
    if split not in ("mixed", "ordered"):
        raise ValueError(
            f"split is '{split}'; choose 'mixed' (same writers) or 'ordered' (later writers are the test)"
        )
    images, labels = needed("sklearn.datasets", "course").load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    labels = labels.astype(np.int64)
    test = np.zeros(len(labels), bool)
    for digit in range(10):
        places = np.flatnonzero(labels == digit)
        test[places[3::4] if split == "mixed" else places[-(len(places) // 4) :]] = True
    if canvas is not None:
        images = scattered(images, canvas)
    return (images[~test], labels[~test]), (images[test], labels[test])


def scattered(images: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
    """Put each image at a random place on an empty field of `size` x `size`: what was centred no longer is.

    >>> scattered(np.ones((5, 8, 8, 1), np.float32), 12).shape
    (5, 12, 12, 1)

    Chapter: orientation.
    """
    if images.ndim != 4:
        raise ValueError(f"images have shape {images.shape}; needed is (count, height, width, channels)")
    count, height, width, channels = images.shape
    if size < max(height, width):
        raise ValueError(f"images of {height} x {width} do not fit on a field of {size} x {size}")
    field = np.zeros((count, size, size, channels), images.dtype)
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, size - height + 1, count)
    columns = generator.integers(0, size - width + 1, count)
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        field[place, row : row + height, column : column + width] = images[place]
    return field

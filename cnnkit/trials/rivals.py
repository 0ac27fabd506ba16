"""The dumbest competent rivals: what an accuracy is worth is seen beside what the same data yield without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnkit._names import needed
from cnnkit.trials.errors import TrialError
from cnnkit.trials.learners import Learner, Outcome, Training, run
from cnnkit.trials.scores import ACCURACY, R2, Score
from cnnkit.trials.splits import Split

__all__ = [
    "TRIVIAL",
    "last_value",
    "linear",
    "local_threshold",
    "nearest",
    "rivals",
    "sliding_template",
    "usual",
]

#: The rival that does not look: an arm that is no better than this on its own training part has not learned.
TRIVIAL = "majority"
NEAREST = "nearest neighbour"
LINEAR = "linear, raw values"
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def rivals(
    split: Split, more: Mapping[str, Learner] | None = None, score: Score | None = None
) -> dict[str, Outcome]:
    """What the data yield without a network: the usual rivals of the task, and those that the task adds.

    The usual ones are the majority (of numbers: the mean), the nearest neighbour, and a linear reader of the raw values.

    >>> x = np.concatenate([np.zeros((30, 2)), np.ones((30, 2))]) + np.arange(60)[:, None] / 600
    >>> y = np.repeat([0, 1], 30)
    >>> from cnnkit.trials import split
    >>> found = rivals(split(((x[::2], y[::2]), (x[1::2], y[1::2])), train=20, validation=10))
    >>> found["nearest neighbour"].test, found["linear, raw values"].test
    (1.0, 1.0)
    """
    score = score or default_score(split)
    every = {**usual(split), **(more or {})}
    return {
        name: run(learner, split, score, Training(epochs=1), None, 0, 1) for name, learner in every.items()
    }


def default_score(split: Split) -> Score:
    """Accuracy for classes, explained variance for numbers."""
    return ACCURACY if split.asks_for_classes else R2


def usual(split: Split) -> dict[str, Learner]:
    """The rivals that every task has, by name."""
    found = {TRIVIAL: _constant(split.asks_for_classes)}
    if split.parts["train"][1].ndim == 1 or not split.asks_for_classes:
        found[NEAREST] = nearest()
        found[LINEAR] = linear(split)
    return found


def _constant(classes: bool) -> Learner:
    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> np.ndarray:
        if classes:
            return np.full(y.shape[1:], np.bincount(y.ravel()).argmax())
        return y.mean(axis=0)

    def predict(answer: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(answer, (len(x), *np.shape(answer)))

    return _rival(fit, predict)


def nearest(neighbours: int = 1) -> Learner:
    """The answer of the most similar training example, pixel by pixel (Euclidean distance of the raw values)."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        neighbors = needed("sklearn.neighbors", "course")
        kind = neighbors.KNeighborsClassifier if y.dtype.kind in "iu" else neighbors.KNeighborsRegressor
        return kind(neighbours).fit(_flat(x), _rows(y))

    return _rival(fit, lambda fitted, x: fitted.predict(_flat(x)))


def linear(split: Split) -> Learner:
    """A linear reader of the raw values, its regularisation chosen on the validation part.

    Classes are read by a ridge classifier, numbers by ridge regression: both are solved, not trained, so that there
    is no question whether they have settled.
    """

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        models = needed("sklearn.linear_model", "course")
        chained, scaled = needed("sklearn.pipeline", "course"), needed("sklearn.preprocessing", "course")
        kind = models.RidgeClassifier if y.dtype.kind in "iu" else models.Ridge
        x_choice, y_choice = split.parts["validation"]
        fits = [
            chained.make_pipeline(scaled.StandardScaler(), kind(alpha=a * len(x))).fit(_flat(x), _rows(y))
            for a in _STRENGTHS
        ]
        return max(fits, key=lambda fitted: fitted.score(_flat(x_choice), _rows(y_choice)))

    return _rival(fit, lambda fitted, x: fitted.predict(_flat(x)))


def sliding_template(templates: np.ndarray) -> Learner:
    """For patterns that move: each class has one template, and the class whose template fits best anywhere wins.

    The fit is the normalised cross-correlation of template and window; nothing is learned.

    Args:
        templates: `(classes, height, width)`, no larger than the images.
    """

    def predict(_: Any, x: np.ndarray) -> np.ndarray:
        match_template = needed("skimage.feature", "course").match_template
        images = x[..., 0] if x.ndim == 4 else x
        if templates.shape[1] > images.shape[1] or templates.shape[2] > images.shape[2]:
            raise TrialError(
                f"templates of {templates.shape[1:]} do not fit into images of {images.shape[1:]}"
            )
        return np.array([[match_template(image, t).max() for t in templates] for image in images])

    return _rival(lambda x, y, **_: None, predict)


def local_threshold(block_size: int = 15) -> Learner:
    """For segmentation: a pixel is foreground where it is brighter than its neighbourhood's mean, or darker.

    Which of the two, and by how much, is chosen on the training part.
    """

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> tuple[int, float]:
        above = _above(x, block_size)
        tries = [
            (sign, shift) for sign in (1, -1) for shift in np.quantile(above, np.linspace(0.05, 0.95, 19))
        ]
        return max(tries, key=lambda t: np.mean((t[0] * (above - t[1]) > 0) == (y > 0)))

    def predict(fitted: tuple[int, float], x: np.ndarray) -> np.ndarray:
        sign, shift = fitted
        return (sign * (_above(x, block_size) - shift) > 0).astype(int)

    return _rival(fit, predict)


def last_value() -> Learner:
    """For series: tomorrow is as today; the last step of the input, of the channel that is asked for."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> tuple[int, ...]:
        return y.shape[1:]

    def predict(shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
        last = (
            x[:, -1]
            if len(shape) and x.ndim == 3 and x.shape[-1] == shape[-1]
            else x.reshape(len(x), -1)[:, -1:]
        )
        last = np.reshape(last, (len(x), *(1,) * (len(shape) - last.ndim + 1), *last.shape[1:]))
        return np.broadcast_to(last, (len(x), *shape)) if shape else last.reshape(len(x))

    return _rival(fit, predict)


def _rival(fit: Any, predict: Any) -> Learner:
    return Learner(fit, predict, has_rate=False, has_budget=False)


def _above(x: np.ndarray, block_size: int) -> np.ndarray:
    """Each pixel less the mean of its neighbourhood."""
    from scipy.ndimage import uniform_filter

    images = (x[..., 0] if x.ndim == 4 else x).astype("float64")
    return images - uniform_filter(images, size=(0, block_size, block_size))


def _flat(x: np.ndarray) -> np.ndarray:
    return np.reshape(x, (len(x), -1))


def _rows(y: np.ndarray) -> np.ndarray:
    return y if y.ndim == 1 else np.reshape(y, (len(y), -1))

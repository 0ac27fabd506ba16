"""Filters that nobody designed: independent components of small patches of photographs."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit._names import needed

__all__ = ["gaussian_surrogate", "learn_filters"]


def gaussian_surrogate(patches: ArrayLike, seed: int = 0) -> NDArray[np.float64]:
    """Gaussian noise with the same mean and covariance as the patches, and nothing else of theirs.

    Any two pixels go together as they do in the photographs, yet there is not one contour: the control for
    what photographs teach.

    >>> gaussian_surrogate(np.random.default_rng(0).random((50, 4, 4, 1))).shape
    (50, 4, 4, 1)

    Chapter: origins/hubel-wiesel.
    """
    patches = np.asarray(patches, np.float64)
    flat = patches.reshape(len(patches), -1)
    values, vectors = np.linalg.eigh(np.cov(flat, rowvar=False))
    colours = vectors * np.sqrt(np.clip(values, 0, None))
    white = np.random.default_rng(seed).standard_normal(flat.shape)
    return (flat.mean(axis=0) + white @ colours.T).reshape(patches.shape)


def learn_filters(
    patches: ArrayLike, filters: int = 36, iterations: int = 60, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Independent component analysis of patches: `(filters, features)`, each `(count, size, size)`.

    The patches are `(n, size, size)` or `(n, size, size, 1)`, as `cnnkit.data.natural_patches` cuts them.

    A filter is what a cell would multiply a patch with; its feature is the pattern that this cell stands for,
    the filter seen through the correlations of the photographs, and much the smoother of the two. Both are
    sorted by how sparsely the cell answers (kurtosis), the sparsest first, and scaled to unit length.

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1038/381607a0.
    """
    from scipy.stats import kurtosis

    FastICA = needed("sklearn.decomposition", "course").FastICA
    ConvergenceWarning = needed("sklearn.exceptions", "course").ConvergenceWarning
    patches = np.asarray(patches, np.float64)
    if patches.ndim not in (3, 4) or (patches.ndim == 4 and patches.shape[-1] != 1):
        raise ValueError(f"learn_filters wants grey patches (n, size, size); got shape {patches.shape}")
    count, size = len(patches), patches.shape[1]
    if filters > size * size - 1:
        raise ValueError(
            f"patches of {size}x{size} have {size * size - 1} independent pixels; got filters={filters}"
        )
    flat = patches.reshape(count, -1)
    ica = FastICA(
        filters,
        fun="logcosh",
        whiten="unit-variance",
        whiten_solver="eigh",
        max_iter=iterations,
        tol=1e-3,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits do not change the picture
        sources = ica.fit_transform(flat)
    order = np.argsort(-kurtosis(sources, axis=0))
    rows, columns = ica.components_[order], ica.mixing_.T[order]
    return tuple(
        (x / np.linalg.norm(x, axis=1, keepdims=True)).reshape(-1, size, size) for x in (rows, columns)
    )

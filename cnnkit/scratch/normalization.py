"""Normalisations in plain NumPy, forward and backward: one function of a set of axes, and what is made of it."""

from __future__ import annotations

import numpy as np

__all__ = [
    "batch_normalize",
    "batch_normalize_backward",
    "global_response_normalize",
    "global_response_normalize_backward",
    "group_normalize",
    "group_normalize_backward",
    "instance_normalize",
    "layer_normalize",
    "local_response_normalize",
    "local_response_normalize_backward",
    "normalize",
    "normalize_backward",
]

Axes = tuple[int, ...]
Weights = np.ndarray | float
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def normalize(x: np.ndarray, axes: Axes, epsilon: float = 1e-3) -> np.ndarray:
    """`(x - mean) / sqrt(variance + epsilon)`, both taken over the given axes.

    Images are `(batch, height, width, channels)`, so the axes name the method: `(0, 1, 2)` is batch
    normalisation, `(1, 2, 3)` layer, `(1, 2)` instance; `(3,)` is what ConvNeXt calls layer normalisation.

    >>> normalize(np.array([[1.0, 3.0]]), axes=(1,), epsilon=0)
    array([[-1.,  1.]])

    Chapter: layers/normalization.
    """
    mean = x.mean(axis=axes, keepdims=True)
    variance = x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def normalize_backward(dy: np.ndarray, x: np.ndarray, axes: Axes, epsilon: float = 1e-3) -> np.ndarray:
    """The gradient of `normalize`: what changes the mean or the variance is taken out of `dy`.

    The means are over the same axes ::

        dx = (dy - mean(dy) - y mean(dy y)) / sqrt(variance + epsilon)

    Chapter: layers/normalization.
    """
    y = normalize(x, axes, epsilon)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    lost_to_mean = dy.mean(axis=axes, keepdims=True)
    lost_to_variance = y * (dy * y).mean(axis=axes, keepdims=True)
    return (dy - lost_to_mean - lost_to_variance) / deviation


def batch_normalize(
    x: np.ndarray,
    gamma: Weights = 1.0,
    beta: Weights = 0.0,
    moving: tuple[np.ndarray, np.ndarray] | None = None,
    epsilon: float = 1e-3,
) -> np.ndarray:
    """Each channel brought to mean beta and deviation gamma: `gamma (x - mean) / sqrt(variance + epsilon) + beta`.

    In training mean and variance are those of the batch, over all its images and places. At inference they
    are constants gathered before, handed over as `moving=(mean, variance)`.

    >>> batch_normalize(np.array([[1.0], [3.0]]), gamma=2.0, epsilon=0).ravel()
    array([-2.,  2.])
    >>> batch_normalize(np.array([[1.0], [3.0]]), moving=(np.array([3.0]), np.array([4.0])), epsilon=0).ravel()
    array([-1.,  0.])

    Chapter: layers/normalization.
    Paper: arXiv:1502.03167.
    """
    axes = tuple(range(x.ndim - 1))
    mean, variance = (x.mean(axis=axes), x.var(axis=axes)) if moving is None else moving
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def batch_normalize_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: Weights = 1.0,
    moving: tuple[np.ndarray, np.ndarray] | None = None,
    epsilon: float = 1e-3,
) -> Gradients:
    """The gradients of `batch_normalize` for x, gamma and beta.

    At inference the statistics are constants and the layer is a multiplication; in training they depend on
    x, and two terms more appear.

    Chapter: layers/normalization.
    Paper: arXiv:1502.03167.
    """
    axes = tuple(range(x.ndim - 1))
    plain = batch_normalize(x, moving=moving, epsilon=epsilon)
    dgamma, dbeta = (dy * plain).sum(axis=axes), dy.sum(axis=axes)
    if moving is None:
        return normalize_backward(dy * gamma, x, axes, epsilon), dgamma, dbeta
    return dy * gamma / np.sqrt(moving[1] + epsilon), dgamma, dbeta


def layer_normalize(
    x: np.ndarray, gamma: Weights = 1.0, beta: Weights = 0.0, epsilon: float = 1e-3
) -> np.ndarray:
    """Each image by its own mean and variance, over all its places and channels; gamma and beta per channel.

    `keras.layers.GroupNormalization(groups=1)`. Keras's `LayerNormalization(axis=(1, 2, 3))` has the same
    statistics with a gamma and a beta for every place; its default, axis=-1, has statistics for every place.

    >>> layer_normalize(np.array([[[[1.0, 3.0]]]]), epsilon=0).ravel()
    array([-1.,  1.])

    Chapter: layers/normalization.
    Paper: arXiv:1607.06450.
    """
    return group_normalize(x, 1, gamma, beta, epsilon)


def instance_normalize(
    x: np.ndarray, gamma: Weights = 1.0, beta: Weights = 0.0, epsilon: float = 1e-3
) -> np.ndarray:
    """Each channel of each image by its own mean and variance, over its places.

    `keras.layers.GroupNormalization(groups=channels)`.

    >>> instance_normalize(np.array([[[[1.0, 10.0]], [[3.0, 30.0]]]]), epsilon=0).ravel()
    array([-1., -1.,  1.,  1.])

    Chapter: layers/normalization.
    Paper: arXiv:1607.08022.
    """
    return group_normalize(x, x.shape[-1], gamma, beta, epsilon)


def group_normalize(
    x: np.ndarray, groups: int, gamma: Weights = 1.0, beta: Weights = 0.0, epsilon: float = 1e-3
) -> np.ndarray:
    """Each group of neighbouring channels of each image by its own mean and variance.

    One group is layer normalisation, as many groups as channels are instance normalisation.

    >>> group_normalize(np.array([[[[1.0, 3.0, 10.0, 30.0]]]]), groups=2, epsilon=0).ravel()
    array([-1.,  1., -1.,  1.])

    Chapter: layers/normalization.
    Paper: arXiv:1803.08494.
    """
    return gamma * normalize(_grouped(x, groups), (1, 3), epsilon).reshape(x.shape) + beta


def group_normalize_backward(
    dy: np.ndarray, x: np.ndarray, groups: int, gamma: Weights = 1.0, epsilon: float = 1e-3
) -> Gradients:
    """The gradients of `group_normalize` for x, gamma and beta.

    Chapter: layers/normalization.
    Paper: arXiv:1803.08494.
    """
    axes = tuple(range(x.ndim - 1))
    plain = group_normalize(x, groups, epsilon=epsilon)
    inner = normalize_backward(_grouped(dy * gamma, groups), _grouped(x, groups), (1, 3), epsilon)
    return inner.reshape(x.shape), (dy * plain).sum(axis=axes), dy.sum(axis=axes)


def local_response_normalize(
    x: np.ndarray,
    n: int = 5,
    k: float = 2.0,
    alpha: float = 1e-4,
    beta: float = 0.75,
    average: bool = False,
) -> np.ndarray:
    """AlexNet's: each activation divided by `(k + alpha S)^beta`, S the sum of squares of n channels around it.

    Fewer channels at both ends. `average=True` divides alpha by n, as Caffe and PyTorch do.

    >>> local_response_normalize(np.array([3.0, 0.0, 4.0]), n=5, k=0, alpha=1, beta=0.5)
    array([0.6, 0. , 0.8])

    Chapter: layers/normalization.
    Paper: doi:10.1145/3065386.
    """
    return x * (k + (alpha / n if average else alpha) * _around(x**2, n)) ** -beta


def local_response_normalize_backward(
    dy: np.ndarray,
    x: np.ndarray,
    n: int = 5,
    k: float = 2.0,
    alpha: float = 1e-4,
    beta: float = 0.75,
    average: bool = False,
) -> np.ndarray:
    """The gradient of `local_response_normalize`: a channel also pays for having silenced its neighbours.

    Chapter: layers/normalization.
    Paper: doi:10.1145/3065386.
    """
    alpha = alpha / n if average else alpha
    base = k + alpha * _around(x**2, n)
    return dy * base**-beta - 2 * alpha * beta * x * _around(dy * x * base ** (-beta - 1), n)


def global_response_normalize(
    x: np.ndarray, gamma: Weights = 0.0, beta: Weights = 0.0, epsilon: float = 1e-6
) -> np.ndarray:
    """ConvNeXt V2's: `gamma x N + beta + x`, N each channel's length beside the mean length of all channels.

    The length is taken over all places of one image. With gamma and beta zero nothing changes.

    >>> global_response_normalize(np.array([[[[1.0, 3.0]]]]), gamma=1.0, epsilon=0).ravel()
    array([1.5, 7.5])

    Chapter: layers/normalization.
    Paper: arXiv:2301.00808.
    """
    length = np.sqrt((x**2).sum(axis=(1, 2), keepdims=True))
    return gamma * x * length / (length.mean(axis=-1, keepdims=True) + epsilon) + beta + x


def global_response_normalize_backward(
    dy: np.ndarray, x: np.ndarray, gamma: Weights = 0.0, epsilon: float = 1e-6
) -> Gradients:
    """The gradients of `global_response_normalize` for x, gamma and beta. A silent channel's length has slope 0.

    Chapter: layers/normalization.
    Paper: arXiv:2301.00808.
    """
    length = np.sqrt((x**2).sum(axis=(1, 2), keepdims=True))
    mean = length.mean(axis=-1, keepdims=True) + epsilon
    ratio = length / mean
    dratio = (dy * gamma * x).sum(axis=(1, 2), keepdims=True)
    dlength = dratio / mean - (dratio * ratio).mean(axis=-1, keepdims=True) / mean
    direction = x / np.where(length > 0, length, 1.0)
    dx = dy * (1 + gamma * ratio) + dlength * direction
    return dx, (dy * x * ratio).sum(axis=(0, 1, 2)), dy.sum(axis=(0, 1, 2))


def _grouped(x: np.ndarray, groups: int) -> np.ndarray:
    """`(batch, ..., channels)` as `(batch, places, groups, channels of a group)`."""
    if x.shape[-1] % groups:
        raise ValueError(
            f"{x.shape[-1]} channels do not divide into {groups} groups; choose groups that divide the channels"
        )
    return x.reshape(len(x), -1, groups, x.shape[-1] // groups)


def _around(x: np.ndarray, n: int) -> np.ndarray:
    """The sum over the n channels around each channel, fewer at both ends."""
    if n % 2 == 0:
        raise ValueError(f"n must be odd, so that it has a middle, not {n}; AlexNet's is 5")
    channels, half = x.shape[-1], n // 2
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)])
    return sum(padded[..., i : i + channels] for i in range(n))

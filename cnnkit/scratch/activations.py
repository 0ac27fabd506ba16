"""Activations and their derivatives, each a function of the input x."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

__all__ = [
    "abs_tanh",
    "elu",
    "elu_derivative",
    "gelu",
    "gelu_derivative",
    "hard_silu",
    "leaky_relu",
    "leaky_relu_derivative",
    "maxout",
    "relu",
    "relu_derivative",
    "scaled_tanh",
    "scaled_tanh_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "silu",
    "silu_derivative",
    "tanh",
    "tanh_derivative",
]

AMPLITUDE, SLOPE = 1.7159, 2 / 3


def relu(x: np.ndarray) -> np.ndarray:
    """`max(0, x)`: pass what is positive, silence the rest.

    >>> relu(np.array([-2.0, 3.0]))
    array([0., 3.])

    Chapter: layers/activations.
    """
    return np.maximum(x, 0)


def relu_derivative(x: np.ndarray) -> np.ndarray:
    """1 where x > 0, else 0; at 0 itself 0, as Keras has it.

    Chapter: layers/activations.
    """
    return (np.asarray(x) > 0).astype(np.result_type(x, np.float32))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """`1 / (1 + exp(-x))`, computed so that no large exponential appears.

    >>> sigmoid(np.array([-1000.0, 0.0]))
    array([0. , 0.5])

    Chapter: layers/activations.
    """
    return (1 + np.tanh(np.asarray(x) / 2)) / 2


def sigmoid_derivative(x: np.ndarray) -> np.ndarray:
    """s (1 - s), at most 1/4.

    Chapter: layers/activations.
    """
    y = sigmoid(x)
    return y * (1 - y)


def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent, from -1 to 1.

    Chapter: layers/activations.
    """
    return np.tanh(x)


def tanh_derivative(x: np.ndarray) -> np.ndarray:
    """1 - tanh(x) ** 2.

    Chapter: layers/activations.
    """
    return 1 - np.tanh(x) ** 2


def scaled_tanh(x: np.ndarray) -> np.ndarray:
    """`1.7159 tanh(2 x / 3)`: LeNet's squashing function, chosen so that +1 and -1 map to themselves.

    >>> scaled_tanh(np.array([-1.0, 1.0])).round(4)
    array([-1.,  1.])

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    return AMPLITUDE * np.tanh(SLOPE * np.asarray(x))


def scaled_tanh_derivative(x: np.ndarray) -> np.ndarray:
    """1.7159 * 2/3 * (1 - tanh(2 x / 3) ** 2).

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    return AMPLITUDE * SLOPE * (1 - np.tanh(SLOPE * np.asarray(x)) ** 2)


def abs_tanh(x: np.ndarray) -> np.ndarray:
    """`|tanh(x)|`: blind to the sign, as a detector of edges may be that does not care which side is bright.

    Chapter: layers/activations.
    Paper: doi:10.1109/ICCV.2009.5459469.
    """
    return np.abs(np.tanh(x))


def leaky_relu(x: np.ndarray, slope: float = 0.01) -> np.ndarray:
    """`max(slope x, x)`: what is negative leaks through, so that its gradient is never zero.

    >>> leaky_relu(np.array([-2.0, 3.0]))
    array([-0.02,  3.  ])

    Chapter: layers/activations.
    """
    x = np.asarray(x)
    return np.where(x > 0, x, slope * x)


def leaky_relu_derivative(x: np.ndarray, slope: float = 0.01) -> np.ndarray:
    """1 where x > 0, else the slope.

    Chapter: layers/activations.
    """
    return np.where(np.asarray(x) > 0, 1.0, slope)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """x where x > 0, else alpha (exp(x) - 1): levels out at -alpha.

    Chapter: layers/activations.
    Paper: arXiv:1511.07289.
    """
    x = np.asarray(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_derivative(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """1 where x > 0, else alpha exp(x): without a jump at 0 only if alpha is 1.

    Chapter: layers/activations.
    Paper: arXiv:1511.07289.
    """
    x = np.asarray(x)
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


def gelu(x: np.ndarray) -> np.ndarray:
    """x P(Z <= x) for a standard normal Z: what is left of x, on average, if it is kept that often.

    Chapter: layers/activations.
    Paper: arXiv:1606.08415.
    """
    x = np.asarray(x)
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_derivative(x: np.ndarray) -> np.ndarray:
    """P(Z <= x) + x times the normal density at x.

    Chapter: layers/activations.
    Paper: arXiv:1606.08415.
    """
    x = np.asarray(x)
    return (1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def silu(x: np.ndarray) -> np.ndarray:
    """x sigmoid(x), also called swish: dips below zero, and comes back to it.

    First in the paper on GELU; "swish" in arXiv:1710.05941.

    Chapter: layers/activations.
    Paper: arXiv:1606.08415.
    """
    return np.asarray(x) * sigmoid(x)


def silu_derivative(x: np.ndarray) -> np.ndarray:
    """s + x s (1 - s) with s = sigmoid(x).

    Chapter: layers/activations.
    Paper: arXiv:1710.05941.
    """
    return sigmoid(x) + np.asarray(x) * sigmoid_derivative(x)


def hard_silu(x: np.ndarray) -> np.ndarray:
    """`x min(max(x + 3, 0), 6) / 6`: silu without exponentials, a parabola between straight lines; MobileNetV3's h-swish.

    >>> hard_silu(np.array([-1.0, 1.0, 3.0])).round(3)
    array([-0.333,  0.667,  3.   ])

    Chapter: layers/activations.
    Paper: arXiv:1905.02244.
    """
    x = np.asarray(x)
    return x * np.clip(x + 3, 0, 6) / 6


def maxout(x: np.ndarray, pieces: int) -> np.ndarray:
    """The largest of each run of `pieces` neighbouring channels: a convex function, drawn by its tangents.

    Chapter: layers/activations.
    Paper: arXiv:1302.4389.
    """
    return x.reshape(*x.shape[:-1], -1, pieces).max(axis=-1)

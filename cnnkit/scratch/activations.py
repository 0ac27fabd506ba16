"""Activations and their derivatives, each a function of the input x."""

from __future__ import annotations

import numpy as np

__all__ = [
    "relu",
    "relu_derivative",
    "scaled_tanh",
    "scaled_tanh_derivative",
    "sigmoid",
    "sigmoid_derivative",
    "tanh",
    "tanh_derivative",
]

AMPLITUDE, SLOPE = 1.7159, 2 / 3


def relu(x: np.ndarray) -> np.ndarray:
    """max(0, x): pass what is positive, silence the rest.

    >>> relu(np.array([-2.0, 3.0]))
    array([0., 3.])

    Chapter: layers/07-activations.
    """
    return np.maximum(x, 0)


def relu_derivative(x: np.ndarray) -> np.ndarray:
    """1 where x > 0, else 0; at 0 itself 0, as Keras has it.

    Chapter: layers/07-activations.
    """
    return (np.asarray(x) > 0).astype(np.result_type(x, np.float32))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), computed so that no large exponential appears.

    >>> sigmoid(np.array([-1000.0, 0.0]))
    array([0. , 0.5])

    Chapter: layers/07-activations.
    """
    return (1 + np.tanh(np.asarray(x) / 2)) / 2


def sigmoid_derivative(x: np.ndarray) -> np.ndarray:
    """s (1 - s), at most 1/4.

    Chapter: layers/07-activations.
    """
    return sigmoid(x) * (1 - sigmoid(x))


def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent, from -1 to 1.

    Chapter: layers/07-activations.
    """
    return np.tanh(x)


def tanh_derivative(x: np.ndarray) -> np.ndarray:
    """1 - tanh(x) ** 2.

    Chapter: layers/07-activations.
    """
    return 1 - np.tanh(x) ** 2


def scaled_tanh(x: np.ndarray) -> np.ndarray:
    """1.7159 tanh(2 x / 3): LeNet's squashing function, chosen so that +1 and -1 map to themselves.

    >>> scaled_tanh(np.array([-1.0, 1.0])).round(4)
    array([-1.,  1.])

    Chapter: models/17-lenet.
    Paper: doi:10.1109/5.726791.
    """
    return AMPLITUDE * np.tanh(SLOPE * np.asarray(x))


def scaled_tanh_derivative(x: np.ndarray) -> np.ndarray:
    """1.7159 * 2/3 * (1 - tanh(2 x / 3) ** 2).

    Chapter: models/17-lenet.
    Paper: doi:10.1109/5.726791.
    """
    return AMPLITUDE * SLOPE * (1 - np.tanh(SLOPE * np.asarray(x)) ** 2)

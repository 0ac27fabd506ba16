"""A deep stack of dense layers with one activation throughout, and where its weights may start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnkit.scratch import activations
from cnnkit.scratch.backprop import Chain, Join

__all__ = ["STARTS", "Activate", "dense_stack"]


def _linear(x: np.ndarray) -> np.ndarray:
    return x


def _linear_derivative(x: np.ndarray) -> np.ndarray:
    return np.ones_like(x)


_OWN = {"linear": _linear, "linear_derivative": _linear_derivative}


def _function(name: str) -> Callable[[np.ndarray], np.ndarray]:
    return _OWN.get(name) or getattr(activations, name)


#: The names of the activations that have a derivative here.
NAMES = (
    "linear",
    *sorted(n[: -len("_derivative")] for n in activations.__all__ if n.endswith("_derivative")),
)


class Activate:
    """A step of a `Chain`: an activation, unit by unit, by its name in this package, or "linear".

    >>> Activate("relu").forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])

    Chapter: layers/activations.
    """

    def __init__(self, name: str) -> None:
        if name not in NAMES:
            raise ValueError(f"no activation is called {name!r}; there are {', '.join(NAMES)}")
        self.name = name
        self.function, self.derivative = _function(name), _function(f"{name}_derivative")
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The outputs; what went in is kept for the way back."""
        self.x, self.y = x, self.function(x)
        return self.y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient times the slope at the place where each unit stood."""
        self.dx = dy * self.derivative(self.x).astype(dy.dtype)
        return self.dx


def _glorot(inputs: int, outputs: int) -> float:
    return np.sqrt(2 / (inputs + outputs))


def _he(inputs: int, outputs: int) -> float:
    return np.sqrt(2 / inputs)


#: Starts by name: the spread of the weights, what it is multiplied by, and whether biases undo a sigmoid's mean of one half.
STARTS: dict[str, tuple[Callable[[int, int], float], float, bool]] = {
    "Glorot": (_glorot, 1.0, False),
    "He": (_he, 1.0, False),
    "four times Glorot": (_glorot, 4.0, False),
    "fitted to the sigmoid": (_glorot, 4.0, True),
}


def dense_stack(
    activation: str,
    start: str = "Glorot",
    depth: int = 20,
    inputs: int = 64,
    width: int = 64,
    outputs: int = 10,
    seed: int = 0,
) -> Chain:
    """`depth` dense layers of `width` units with one activation, and a dense layer of scores on top.

    Weights are normal numbers, biases zero. "Glorot" gives them the variance 2 / (inputs + outputs), "He" 2 / inputs, "four
    times Glorot" four times Glorot's spread. "fitted to the sigmoid" makes of a sigmoid, which is 1/2 + tanh(z / 2) / 2, a
    tanh: four times Glorot's spread between two sigmoids (twice where only one end is a sigmoid), and biases that take the
    half away again. Such a net of sigmoids computes at its start what the net of tanh with Glorot's start and the same seed computes.

    Args:
        activation: its name in this package, or "linear".
        start: one of `STARTS`.
        depth: how many layers have the activation.
        inputs: numbers an example.
        width: units a layer.
        outputs: scores an example.
        seed: draws the weights.

    >>> dense_stack("relu", "He", depth=2, inputs=4, width=3).forward(np.ones((5, 4))).shape
    (5, 10)

    Chapter: layers/activations.
    """
    if start not in STARTS:
        raise ValueError(f"no start is called {start!r}; there are {', '.join(STARTS)}")
    if depth < 1:
        raise ValueError(f"a stack has at least one layer, not {depth}")
    spread, times, centred = STARTS[start]
    rng = np.random.default_rng(seed)
    sizes = [inputs, *[width] * depth, outputs]
    steps: list[Join | Activate] = []
    for layer in range(depth + 1):
        w = rng.normal(size=sizes[layer : layer + 2]) * spread(*sizes[layer : layer + 2])
        ends = (layer > 0) + (layer < depth)  # at how many ends of these weights a sigmoid stands
        w *= times ** (ends / 2)
        b = -w.sum(axis=0) / 2 if centred and layer else np.zeros(sizes[layer + 1])
        steps += [
            Join(w.astype("float32"), b.astype("float32")),
            *([Activate(activation)] if layer < depth else []),
        ]
    return Chain(steps)

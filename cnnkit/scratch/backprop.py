"""Backpropagation through a whole network, in NumPy and by hand.

A network is a chain of steps.  Each step has two directions.  `forward(x)` computes its output and remembers
its input; `backward(dy)` takes the gradient of the loss with respect to that output, notes the gradient of
its own weights in `gradients`, and returns the gradient with respect to the input, which is the `dy` of the
step before.  There is nothing else to it: the loss hands its gradient to the last step, and the chain is
walked backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from cnnkit.scratch.activations import scaled_tanh, scaled_tanh_derivative
from cnnkit.scratch.convolution import convolve2d, convolve2d_backward
from cnnkit.scratch.dense import dense, dense_backward
from cnnkit.scratch.lenet import h2_table

__all__ = ["Chain", "Convolve", "Flatten", "Join", "Pad", "Squash", "Step", "net_of_1989"]


class Step(Protocol):
    """One link of the chain; `weights` and `gradients` are lists of the same length, empty for most.

    Chapter: origins/learned-kernels.
    """

    weights: list[np.ndarray]
    gradients: list[np.ndarray]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The output, and a note of what the way back will need."""
        ...

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """From the gradient at the output to that at the input; the weights' gradients are left behind."""
        ...


class _Weightless:
    """A step that has nothing to learn."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []


class Pad(_Weightless):
    """Add `size` pixels of a constant on each side.  Nobody taught them, so their gradient is dropped.

    Chapter: origins/learned-kernels.
    """

    def __init__(self, size: int, value: float = 0.0) -> None:
        super().__init__()
        self.size, self.value = size, value

    def forward(self, x: np.ndarray) -> np.ndarray:
        """A wider picture."""
        sides = (self.size, self.size)
        return np.pad(x, ((0, 0), sides, sides, (0, 0)), constant_values=self.value)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The middle of the gradient."""
        height, width = dy.shape[1:3]
        return dy[:, self.size : height - self.size, self.size : width - self.size]


class Convolve:
    """A convolution without padding; its bias is one a map, `(maps,)`, or one a unit, `(height, width, maps)`.

    With a `table` of 0 and 1, `(input maps, output maps)`, pairs that are not joined keep a kernel of zeros:
    their weights and their gradients are wiped out.

    Chapter: origins/learned-kernels.
    Paper: doi:10.1162/neco.1989.1.4.541.
    """

    def __init__(
        self, w: np.ndarray, b: np.ndarray, stride: int = 1, table: np.ndarray | None = None
    ) -> None:
        self.stride = stride
        self.joined = np.ones(w.shape[2:]) if table is None else np.asarray(table)
        self.weights = [w * self.joined, np.array(b)]
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Slide, multiply, sum, add the bias."""
        self.x = x
        w, b = self.weights
        return convolve2d(x, w, stride=self.stride) + b

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Every place used the same kernel, so its gradient is a sum over all places."""
        w, b = self.weights
        dx, dw, _ = convolve2d_backward(dy, self.x, w, stride=self.stride)
        shared = (0, 1, 2) if b.ndim == 1 else 0
        self.gradients = [dw * self.joined, dy.sum(axis=shared)]
        return dx


class Squash(_Weightless):
    """The stretched tanh of the LeNet papers, unit by unit.

    Chapter: origins/learned-kernels.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Bend."""
        self.x = x
        return scaled_tanh(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The slope at the place where each unit stood."""
        return dy * scaled_tanh_derivative(self.x)


class Flatten(_Weightless):
    """From maps to one row a picture, and back.

    Chapter: origins/learned-kernels.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        """One row a picture."""
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The same numbers in the shape of the maps."""
        return dy.reshape(self.shape)


class Join:
    """A dense layer: everything is joined to everything.

    Chapter: origins/learned-kernels.
    """

    def __init__(self, w: np.ndarray, b: np.ndarray) -> None:
        self.weights = [np.array(w), np.array(b)]
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """x w + b."""
        self.x = x
        return dense(x, *self.weights)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The same weights, walked the other way."""
        dx, dw, db = dense_backward(dy, self.x, self.weights[0])
        self.gradients = [dw, db]
        return dx


class Chain:
    """Steps one after another: a network.

    >>> chain = Chain([Flatten(), Join(np.ones((4, 1)), np.zeros(1))])
    >>> chain.forward(np.ones((1, 2, 2, 1)))
    array([[4.]])
    >>> chain.backward(np.array([[1.0]])).shape, chain.gradients[0].ravel()
    ((1, 2, 2, 1), array([1., 1., 1., 1.]))

    Chapter: origins/learned-kernels.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights of all steps, from the input to the output."""
        return [weight for step in self.steps for weight in step.weights]

    @property
    def gradients(self) -> list[np.ndarray]:
        """What the last backward pass left behind, in the order of the weights."""
        return [gradient for step in self.steps for gradient in step.gradients]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Through all steps, first to last."""
        for step in self.steps:
            x = step.forward(x)
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Through all steps, last to first; returns the gradient of the loss with respect to the input."""
        for step in reversed(self.steps):
            dy = step.backward(dy)
        return dy

    def descend(self, rate: float) -> None:
        """Move every weight a little against its gradient."""
        for weight, gradient in zip(self.weights, self.gradients, strict=True):
            weight -= rate * gradient


def net_of_1989(weights: Sequence[np.ndarray] | None = None, seed: int = 0) -> Chain:
    """The net that read zip codes, as a chain: 16x16 pixels from -1 to 1 in, ten squashed units out.

    `weights` are four kernels and four biases, in the order and the shapes of
    `cnnkit.models.create("lenet-1989").get_weights()`; without them they are drawn as in the paper, uniform
    within 2.4 / fan-in, with biases of zero.

    >>> int(sum(np.count_nonzero(w) or w.size for w in net_of_1989().weights))
    9760

    Chapter: origins/learned-kernels.
    Paper: doi:10.1162/neco.1989.1.4.541.
    """
    tables = (np.ones((1, 12), int), h2_table())
    if weights is None:
        draw = np.random.default_rng(seed)
        shapes = ((25, (5, 5, 12)), (200, (5, 5, 96)), (192, (192, 30)), (30, (30, 10)))
        biases = ((8, 8, 12), (4, 4, 12), (30,), (10,))
        weights = []
        for (fan_in, shape), bias in zip(shapes, biases, strict=True):
            weights += [draw.uniform(-2.4 / fan_in, 2.4 / fan_in, shape), np.zeros(bias)]
    if len(weights) != 8:
        raise ValueError(f"the net of 1989 has four kernels and four biases; got {len(weights)} arrays")
    weights = [np.asarray(w, np.float64) for w in weights]
    steps: list[Step] = []
    for place, table in enumerate(tables):
        pairs, bias = weights[2 * place : 2 * place + 2]
        kernel = np.zeros((5, 5, *table.shape))
        kernel[:, :, table == 1] = pairs
        steps += [Pad(2, -1.0), Convolve(kernel, bias, stride=2, table=table), Squash()]
    steps += [Flatten(), Join(*weights[4:6]), Squash(), Join(*weights[6:]), Squash()]
    return Chain(steps)

"""A small convolutional net that has more weights than its images need, and what may keep it from learning them by heart.

The net of chapter training/regularization, forward and backward in NumPy: a layer of patches, a 3 x 3 convolution, a hidden
dense layer, scores; single units or whole maps can be dropped while it learns.
"""

from __future__ import annotations

import numpy as np

from cnnkit.scratch.backprop import Chain, Flatten, Join
from cnnkit.scratch.normed import Patches, SameConvolve
from cnnkit.scratch.stack import Activate

__all__ = ["Drop", "forgetful_net", "whole"]


class Drop:
    """A step of a `Chain`: dropout. Each unit is silent with probability `rate`; the others grow by 1 / (1 - rate).

    Args:
        rate: the share that is dropped on average, from 0 to below 1.
        rng: draws who is silent; None for the whole net, in which nobody is.
        maps: drop whole maps of an image, not single units.

    >>> Drop(0.5, np.random.default_rng(0)).forward(np.ones((1, 6)))
    array([[2., 0., 0., 0., 2., 2.]])

    Chapter: training/regularization.
    Paper: arXiv:1207.0580.
    """

    def __init__(self, rate: float, rng: np.random.Generator | None, maps: bool = False) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"a rate is the share that is dropped, from 0 to below 1, not {rate}")
        self.rate, self.rng, self.maps = rate, rng, maps
        self.weights: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """A mask, drawn anew for each example at each pass."""
        if self.rng is None:
            self.mask = np.ones(1, x.dtype)
        else:
            shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1]) if self.maps else x.shape
            self.mask = (self.rng.random(shape) >= self.rate).astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * self.mask

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Who was silent learns nothing."""
        return dy * self.mask


def forgetful_net(
    channels: int = 8,
    hidden: int = 64,
    pixels: int = 28,
    outputs: int = 10,
    seed: int = 0,
    units: float = 0.0,
    places: float = 0.0,
    maps: float = 0.0,
) -> Chain:
    """Patches of 4 x 4 pixels, a 3 x 3 convolution, a hidden dense layer, scores; ReLUs between; weights start as He's.

    Args:
        channels: of both convolutions.
        hidden: units of the dense layer.
        pixels: along a side of the image; a multiple of 4.
        outputs: scores an image.
        seed: draws the weights, and what is dropped.
        units: share of the hidden units that is dropped.
        places: share of the numbers in the maps of both convolutions that is dropped.
        maps: share of the whole maps of both convolutions that is dropped.

    >>> net = forgetful_net()
    >>> net.forward(np.ones((5, 28, 28, 1), "float32")).shape, sum(w.size for w in net.weights)
    ((5, 10), 26522)

    Chapter: training/regularization.
    """
    if pixels % 4:
        raise ValueError(f"the first layer cuts patches of 4 x 4 pixels, and {pixels} is no multiple of 4")
    rng, side = np.random.default_rng(seed), pixels // 4
    chance = np.random.default_rng([seed, 1])

    def drawn(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        w = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))
        return w.astype("float32"), np.zeros(shape[-1], "float32")

    def dropped(rate: float, whole_maps: bool = False) -> list[Drop]:
        return [Drop(rate, chance, whole_maps)] if rate else []

    between = [*dropped(places), *dropped(maps, True)]
    above = [*dropped(places), *dropped(maps, True)]
    steps: list = [Patches(*drawn(16, channels), side), Activate("relu"), *between]
    steps += [SameConvolve(*drawn(3, 3, channels, channels)), Activate("relu"), *above, Flatten()]
    steps += [Join(*drawn(side**2 * channels, hidden)), Activate("relu"), *dropped(units)]
    return Chain([*steps, Join(*drawn(hidden, outputs))])


def whole(net: Chain) -> Chain:
    """The same net with nothing dropped any more: what is asked after training.

    Chapter: training/regularization.
    """
    for step in net.steps:
        if isinstance(step, Drop):
            step.rng = None
    return net

"""A small convolutional stack, normalised or not, forward and backward in NumPy: the net of chapter layers/normalization.

An image is cut into patches, so that the maps have `side` x `side` places; then come 3 x 3 convolutions on these maps, each
followed by a normalisation, or none, and a ReLU; then the scores, from all places of all maps.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnkit.scratch.backprop import Chain, Flatten, Join
from cnnkit.scratch.stack import Activate

__all__ = ["Normalize", "Patches", "SameConvolve", "gather_statistics", "normed_stack"]


class Normalize:
    """A step of a `Chain`: each channel, or each group of an image's channels, brought to mean beta and deviation gamma.

    Args:
        channels: how many there are; each has a gamma and a beta.
        images: how many images share their statistics, one run of the batch after another; all of them when None. This is
            batch normalisation.
        groups: into how many groups the channels of *each image* are divided instead: group normalisation; with 1 it is
            layer normalisation.
        constant: let the way back treat mean and deviation as constants, which they are not.
        noise: draws a shift, from -0.5 to 0.5, and a stretch, from 0.8 to 1.25, for every channel anew at each pass, and
            applies them to the output.

    `moving`, once it is set to a mean and a variance of each channel, takes the place of a batch's own.

    >>> Normalize(1).forward(np.array([[[[1.0]]], [[[3.0]]]])).round(2).ravel()
    array([-1.,  1.])

    Chapter: layers/normalization.
    Paper: arXiv:1502.03167.
    """

    def __init__(
        self,
        channels: int,
        images: int | None = None,
        groups: int | None = None,
        constant: bool = False,
        noise: np.random.Generator | None = None,
        epsilon: float = 1e-3,
    ) -> None:
        if groups and channels % groups:
            raise ValueError(f"{channels} channels do not divide into {groups} groups")
        self.images, self.groups, self.constant, self.noise = images, groups, constant, noise
        self.epsilon = epsilon
        self.axes = (1, 3) if groups else (1,)
        self.moving: tuple[np.ndarray, np.ndarray] | None = None
        self.weights = [np.ones(channels, "float32"), np.zeros(channels, "float32")]
        self.gradients: list[np.ndarray] = []

    def _together(self, x: np.ndarray) -> np.ndarray:
        """The same numbers, so that those that share a mean lie along `axes`."""
        if self.groups:
            return x.reshape(len(x), -1, self.groups, x.shape[-1] // self.groups)
        images = self.images or len(x)
        if len(x) % images:
            raise ValueError(f"a batch of {len(x)} images does not divide into runs of {images}")
        return x.reshape(len(x) // images, -1, x.shape[-1])

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Subtract the mean, divide by the deviation, multiply by gamma, add beta."""
        gamma, beta = self.weights
        if self.moving is None:
            together = self._together(x)
            mean = together.mean(axis=self.axes, keepdims=True)
            away = together - mean
            variance = (away**2).mean(axis=self.axes, keepdims=True)
            self.statistics = mean, variance
            self.deviation = np.sqrt(variance + np.float32(self.epsilon))
            self.normal = (away / self.deviation).reshape(x.shape)
        else:
            mean, variance = self.moving
            self.normal = (x - mean) / np.sqrt(variance + np.float32(self.epsilon))
        y = gamma * self.normal + beta
        self.stretch = np.float32(1)
        if self.noise is not None and self.moving is None:
            channels = x.shape[-1]
            self.stretch = self.noise.uniform(0.8, 1.25, channels).astype(x.dtype)
            return y * self.stretch + self.noise.uniform(-0.5, 0.5, channels).astype(x.dtype)
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """What would change the mean or the deviation is taken out of the gradient."""
        dy = dy * self.stretch
        rows = dy.reshape(-1, dy.shape[-1])
        self.gradients = [(rows * self.normal.reshape(rows.shape)).sum(axis=0), rows.sum(axis=0)]
        g = self._together(dy * self.weights[0])
        if not self.constant:
            normal = self._together(self.normal)
            along = (g * normal).mean(axis=self.axes, keepdims=True)
            g = g - g.mean(axis=self.axes, keepdims=True) - normal * along
        return (g / self.deviation).reshape(dy.shape)


class Patches:
    """A step of a `Chain`: the image cut into patches, the same linear map from each to the channels of one place.

    Chapter: layers/normalization.
    """

    def __init__(self, w: np.ndarray, b: np.ndarray, side: int) -> None:
        self.weights, self.side = [w, b], side
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Maps of `side` x `side` places."""
        patch = x.shape[1] // self.side
        cut = x.reshape(len(x), self.side, patch, self.side, patch).transpose(0, 1, 3, 2, 4)
        self.rows = np.ascontiguousarray(cut).reshape(-1, patch * patch)
        w, b = self.weights
        return (self.rows @ w + b).reshape(len(x), self.side, self.side, -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient of the image; those of the weights are kept."""
        g, (w, _) = dy.reshape(-1, dy.shape[-1]), self.weights
        self.gradients = [self.rows.T @ g, g.sum(axis=0)]
        patch = int(len(w) ** 0.5)
        cut = (g @ w.T).reshape(len(dy), self.side, self.side, patch, patch).transpose(0, 1, 3, 2, 4)
        return cut.reshape(len(dy), self.side * patch, self.side * patch, 1)


def _windows(x: np.ndarray) -> np.ndarray:
    """Every 3 x 3 window of maps with a border of zeros, each as a row."""
    n, height, width, channels = x.shape
    padded = np.zeros((n, height + 2, width + 2, channels), x.dtype)
    padded[:, 1:-1, 1:-1] = x
    views = sliding_window_view(padded, (3, 3), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
    return np.ascontiguousarray(views).reshape(-1, 9 * channels)


class SameConvolve:
    """A step of a `Chain`: a 3 x 3 convolution that keeps the size of the maps, as one matrix product.

    Chapter: layers/normalization.
    """

    def __init__(self, w: np.ndarray, b: np.ndarray) -> None:
        self.weights = [w, b]
        self.gradients: list[np.ndarray] = []

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Each window is a row, and the kernels are a matrix."""
        w, b = self.weights
        self.rows = _windows(x)
        return (self.rows @ w.reshape(-1, w.shape[-1]) + b).reshape(*x.shape[:3], -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """To the input the same, with kernels that are turned half round and read from output to input."""
        w, _ = self.weights
        g = dy.reshape(-1, dy.shape[-1])
        self.gradients = [(self.rows.T @ g).reshape(w.shape), g.sum(axis=0)]
        turned = np.ascontiguousarray(w[::-1, ::-1].transpose(0, 1, 3, 2)).reshape(-1, w.shape[2])
        return (_windows(dy) @ turned).reshape(*dy.shape[:3], -1)


def normed_stack(
    norm: str = "batch",
    depth: int = 10,
    side: int = 4,
    channels: int = 16,
    pixels: int = 28,
    outputs: int = 10,
    seed: int = 0,
    after: bool = False,
    **options: object,
) -> Chain:
    """`depth` layers on maps of `side` x `side` places, each with a normalisation and a ReLU; weights start as He's.

    Args:
        norm: "none", "batch", "layer" or "group" (four groups).
        depth: how many layers are normalised; the first reads the patches of the image.
        side: places along a side of every map; it divides `pixels`.
        channels: of every map.
        pixels: along a side of the image.
        outputs: scores an image.
        seed: draws the weights.
        after: normalise after the ReLU, not before it.
        options: of `Normalize`.

    >>> normed_stack("batch", depth=2).forward(np.ones((6, 28, 28, 1), "float32")).shape
    (6, 10)

    Chapter: layers/normalization.
    """
    kinds = {"none": {}, "batch": {}, "layer": {"groups": 1}, "group": {"groups": 4}}
    if norm not in kinds:
        raise ValueError(f"no normalisation is called {norm!r}; there are {', '.join(kinds)}")
    if pixels % side:
        raise ValueError(f"{pixels} pixels do not divide into {side} patches")
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        w = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))
        return w.astype("float32"), np.zeros(shape[-1], "float32")

    steps: list = []
    for layer in range(depth):
        steps.append(
            SameConvolve(*drawn(3, 3, channels, channels))
            if layer
            else Patches(*drawn((pixels // side) ** 2, channels), side)
        )
        own = [] if norm == "none" else [Normalize(channels, **kinds[norm], **options)]
        steps += [Activate("relu"), *own] if after else [*own, Activate("relu")]
    return Chain([*steps, Flatten(), Join(*drawn(side**2 * channels, outputs))])


def gather_statistics(net: Chain, x: np.ndarray, batch: int = 32) -> Chain:
    """Give every batch normalisation of a net the mean of its batches' statistics, for use from now on.

    Keras gathers them while it trains, as moving averages; this goes through the examples once more, with weights at rest.

    Chapter: layers/normalization.
    """
    norms = [step for step in net.steps if isinstance(step, Normalize) and not step.groups]
    seen: list[list] = [[] for _ in norms]
    for norm in norms:
        norm.moving = norm.noise = None
    for start in range(0, len(x) // batch * batch, batch):
        net.forward(x[start : start + batch])
        for norm, own in zip(norms, seen, strict=True):
            own.append([part.mean(axis=0).ravel() for part in norm.statistics])
    for norm, own in zip(norms, seen, strict=True):
        norm.moving = tuple(np.mean([pair[i] for pair in own], axis=0) for i in range(2))
    return net

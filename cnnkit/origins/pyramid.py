"""Behnke's neural abstraction pyramid: a convolutional network that goes on thinking about its picture.

S. Behnke, Hierarchical Neural Networks for Image Interpretation, Springer 2003, doi:10.1007/b11963

Links run up the pyramid, down again, and sideways within a level; all are local, and the same at every place
and at every moment.  The sizes here are small, for digits of eight by eight pixels.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import ArrayLike, NDArray

from cnnkit.origins._building import channels_last

__all__ = ["abstraction_pyramid", "occlude"]


@channels_last
def abstraction_pyramid(
    iterations: int = 6,
    channels: tuple[int, int, int] = (8, 16, 32),
    input_shape: tuple[int, int, int] = (8, 8, 1),
    recurrent: bool = True,
) -> keras.Model:
    """Three levels, each half as fine as the one below, that repair a picture in several iterations.

    At every iteration each level hears the level below, itself and its neighbours, and the level above, all as
    they were an iteration ago, and answers `s = tanh(up + lateral + down + b)`; the lowest also hears the
    picture.  After each iteration a picture is read from the lowest level, so the output is
    `(batch, iterations, height, width, channels)`.  The weights do not depend on `iterations`: a network
    trained with six can be asked for twenty.

    With `recurrent=False` the same links, as many weights to the last one, are used once each, in one sweep
    up and one down: a feed-forward network, and an output with one iteration.

    >>> model = abstraction_pyramid(iterations=8)
    >>> model.output_shape, model.count_params() == abstraction_pyramid(recurrent=False).count_params()
    ((None, 8, 8, 8, 1), True)

    Chapter: insight/alternatives.
    Paper: doi:10.1007/b11963.
    """
    if iterations < 5:
        raise ValueError(
            f"what the picture tells the top is back at the bottom after five iterations; got {iterations}"
        )
    if input_shape[0] % 4 or input_shape[1] % 4:
        raise ValueError(
            f"three levels halve the picture twice, so its sides must be multiples of 4; got {input_shape}"
        )
    link = {"padding": "same", "use_bias": False}
    sense = layers.Conv2D(channels[0], 3, **link, name="picture")
    lateral = [layers.Conv2D(c, 3, padding="same", name=f"lateral{i}") for i, c in enumerate(channels)]
    up = [layers.Conv2D(c, 4, strides=2, **link, name=f"up{i}") for i, c in enumerate(channels[1:])]
    down = [
        layers.Conv2DTranspose(c, 4, strides=2, **link, name=f"down{i}") for i, c in enumerate(channels[:2])
    ]
    read = layers.Conv2D(input_shape[-1], 1, activation="sigmoid", dtype=keras.config.floatx(), name="read")
    picture = keras.Input(input_shape, name="image")
    seen = sense(picture)

    if recurrent:
        answers, low = [], seen * 0.0  # every level at rest, whatever the batch
        middle = up[0](low) * 0.0
        states = [low, middle, up[1](middle) * 0.0]
        for _ in range(iterations):
            low, middle, high = states
            states = [
                ops.tanh(seen + lateral[0](low) + down[0](middle)),
                ops.tanh(up[0](low) + lateral[1](middle) + down[1](high)),
                ops.tanh(up[1](middle) + lateral[2](high)),
            ]
            answers.append(read(states[0]))
    else:
        low = ops.tanh(seen)
        middle = ops.tanh(up[0](low))
        high = ops.tanh(lateral[2](ops.tanh(up[1](middle))))
        middle = ops.tanh(lateral[1](middle) + down[1](high))
        answers = [read(ops.tanh(seen + lateral[0](low) + down[0](middle)))]
    name = "abstraction_pyramid" if recurrent else "feedforward_pyramid"
    return keras.Model(picture, ops.stack(answers, axis=1), name=name)


def occlude(
    images: ArrayLike, side: int = 4, value: float = 0.5, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Cover a square of each picture, at a random place, with grey: `(pictures, masks of what is covered)`.

    >>> pictures, masks = occlude(np.zeros((5, 8, 8, 1)))
    >>> masks.sum(axis=(1, 2))
    array([16, 16, 16, 16, 16])

    Chapter: insight/alternatives.
    Paper: doi:10.1007/b11963.
    """
    images = np.array(images, np.float32)
    if images.ndim != 4 or not 1 <= side <= min(images.shape[1:3]):
        raise ValueError(
            f"occlude wants images (n, height, width, channels) and a square that fits; got shape {images.shape} "
            f"and side={side}"
        )
    count, height, width, _ = images.shape
    draw = np.random.default_rng(seed)
    tops, lefts = draw.integers(0, height - side + 1, count), draw.integers(0, width - side + 1, count)
    rows, columns = np.mgrid[:height, :width]
    down, right = rows - tops[:, None, None], columns - lefts[:, None, None]
    masks = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    images[masks] = value
    return images, masks

"""The wiring of 1962, with nothing learned: round cells, a row of them, a cell that listens to many rows; and one of 1965."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from cnnkit.origins._building import channels_last

__all__ = ["end_stopped", "round_field", "row_kernel", "wiring"]


def round_field(size: int = 13, sigma: float = 1.5, ratio: float = 2.0) -> NDArray[np.float64]:
    """The field of a cell before the cortex: a bright centre in a dark surround that weighs as much.

    The difference of two Gaussians, each of sum 1, `ratio` times as wide the second; even light cancels.

    >>> field = round_field()
    >>> field.shape, round(abs(field.sum().item()), 6), int(field.argmax()) == 6 * 13 + 6
    ((13, 13), 0.0, True)

    Chapter: origins/hubel-wiesel.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a round field has a middle pixel: size must be odd, 1 or more; got {size}")
    if sigma <= 0 or ratio <= 1:
        raise ValueError(f"the surround must be wider than the centre: got sigma {sigma}, ratio {ratio}")
    row, column = np.mgrid[:size, :size] - size // 2
    centre, surround = (np.exp(-(row**2 + column**2) / (2 * s**2)) for s in (sigma, ratio * sigma))
    return centre / centre.sum() - surround / surround.sum()


def row_kernel(angle: float = 90.0, count: int = 5, gap: float = 3.0) -> NDArray[np.float64]:
    """Which round cells a simple cell adds: `count` of them, `gap` pixels apart on a line through the middle.

    The angle is in degrees, anticlockwise from the horizontal; each cell takes the nearest pixel.

    >>> row_kernel(90, count=3, gap=2)[:, 2].tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0]

    Chapter: origins/hubel-wiesel.
    """
    if count < 1:
        raise ValueError(f"a row takes at least one round cell; got count={count}")
    steps = gap * (np.arange(count) - (count - 1) / 2)
    reach = int(np.ceil(gap * (count - 1) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    turned = np.deg2rad(angle)
    np.add.at(
        kernel,
        (
            np.rint(reach - steps * np.sin(turned)).astype(int),
            np.rint(reach + steps * np.cos(turned)).astype(int),
        ),
        1,
    )
    return kernel


@channels_last
def wiring(
    input_shape: tuple[int | None, int | None, int] = (None, None, 1),
    angles: Sequence[float] = (0, 45, 90, 135),
    count: int = 5,
    gap: float = 3.0,
    threshold: float = 0.74,
    pool_size: int = 13,
) -> keras.Model:
    """A convolutional network of 1962: round cells, simple cells that add a row of them, complex cells that keep the loudest.

    Its layers are called `round`, `simple` and `complex`, and every weight is set by hand. The threshold is half of what
    a bright bar three pixels wide stirs in a row of five.

    >>> wiring((41, 41, 1)).output_shape
    (None, 5, 5, 4)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1113/jphysiol.1962.sp006837.
    """
    layers = keras.layers
    rows = np.stack([row_kernel(angle, count, gap) for angle in angles], axis=-1)[:, :, None]
    fields = round_field()[:, :, None, None]
    picture = keras.Input(input_shape, name="picture")
    first = layers.Conv2D(
        1, fields.shape[0], activation="relu", use_bias=False, trainable=False, name="round"
    )
    second = layers.Conv2D(len(angles), rows.shape[0], activation="relu", trainable=False, name="simple")
    loudest = layers.MaxPooling2D(pool_size, strides=1, name="complex")
    model = keras.Model(picture, loudest(second(first(picture))), name="wiring")
    first.set_weights([fields])
    second.set_weights([rows, np.full(len(angles), -threshold)])
    return model


@channels_last
def end_stopped(
    input_shape: tuple[int | None, int | None, int] = (None, None, 1),
    angle: float = 90.0,
    beyond: int = 14,
    threshold: float = 0.74,
    pool_size: int = 13,
) -> keras.Model:
    """A cell that wants its line to end: a complex cell, less the complex cells `beyond` pixels away at either end of it.

    Its last layer is called `ends`; the others are those of `wiring`.

    >>> end_stopped((65, 65, 1)).output_shape
    (None, 1, 1, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1152/jn.1965.28.2.229.
    """
    complex_cells = wiring(input_shape, (angle,), threshold=threshold, pool_size=pool_size)
    kernel = -row_kernel(angle, count=3, gap=beyond)
    kernel[beyond, beyond] = 1
    ends = keras.layers.Conv2D(
        1, kernel.shape[0], activation="relu", use_bias=False, trainable=False, name="ends"
    )
    model = keras.Model(complex_cells.input, ends(complex_cells.output), name="end_stopped")
    ends.set_weights([kernel[:, :, None, None]])
    return model

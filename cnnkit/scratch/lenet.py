"""What LeNet needs beyond plain convolution, in NumPy: sparse tables, trainable subsampling, bitmaps.

Images are `(batch, height, width, channels)`; each function says the formula that it follows and takes
the shortest road to it, so that the layers of `cnnkit.layers` can be checked against it.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "digit_bitmaps",
    "h2_table",
    "partially_connected2d",
    "radial_basis_scores",
    "trainable_subsampling2d",
]

# Seven pixels wide, twelve high, as in the paper; drawn for this course, since the paper's own stylised
# ASCII set was printed as a picture only.
_DIGITS = """
..###..  ...#...  ..###..  .#####.  ....##.  #######  ..####.  #######  ..###..  ..###..
.#...#.  ..##...  .#...#.  #.....#  ...#.#.  #......  .#....#  ......#  .#...#.  .#...#.
#.....#  .#.#...  #.....#  ......#  ...#.#.  #......  #......  ......#  #.....#  #.....#
#.....#  ...#...  ......#  ......#  ..#..#.  #......  #......  .....#.  #.....#  #.....#
#.....#  ...#...  ......#  .....#.  ..#..#.  #.###..  #......  .....#.  .#...#.  #.....#
#.....#  ...#...  .....#.  ..###..  .#...#.  ##...#.  #.####.  ....#..  ..###..  .#...##
#.....#  ...#...  ....#..  .....#.  .#...#.  ......#  ##....#  ....#..  .#...#.  ..###.#
#.....#  ...#...  ...#...  ......#  #....#.  ......#  #.....#  ...#...  #.....#  ......#
#.....#  ...#...  ..#....  ......#  #######  ......#  #.....#  ...#...  #.....#  ......#
#.....#  ...#...  .#.....  ......#  .....#.  ......#  #.....#  ..#....  #.....#  ......#
.#...#.  ...#...  #......  #.....#  .....#.  #....#.  .#...#.  ..#....  .#...#.  #....#.
..###..  .#####.  #######  .#####.  .....#.  .####..  ..###..  .#.....  ..###..  .####..
"""


def digit_bitmaps() -> np.ndarray:
    """The ten digits as 12x7 pictures of +1 (ink) and -1 (paper), shape `(10, 12, 7)`.

    They are the fixed targets of LeNet-5's last hidden layer, 84 units read as a little picture.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    rows = [line.split() for line in _DIGITS.strip().splitlines()]
    ink = np.array([[list(row) for row in digit] for digit in zip(*rows, strict=True)]) == "#"
    return np.where(ink, 1, -1)


def h2_table() -> np.ndarray:
    """Which eight of the twelve maps of H1 each map of H2 sees in the net of 1989: `(12, 12)`, 1 where joined.

    The paper gives the number and not the scheme; here they are neighbours in a ring.

    Chapter: models/lenet.
    Paper: doi:10.1162/neco.1989.1.4.541.
    """
    return np.array([[(i - j) % 12 < 8 for j in range(12)] for i in range(12)], dtype="int64")


def partially_connected2d(
    x: np.ndarray,
    w: np.ndarray,
    connections: np.ndarray,
    b: np.ndarray | None = None,
    stride: int = 1,
    padding: int = 0,
    pad_value: float = 0.0,
) -> np.ndarray:
    """Convolve only the pairs of maps that the table joins: `y_j = b_j + sum of x_i * w_ij` over joined i.

    `w` is `(k, k, number of joined pairs)`, the pairs in row order of `connections`, which is
    `(input maps, output maps)`.  A bias of shape `(output maps,)` is shared over a map; one of shape
    `(height, width, output maps)` belongs to single units.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    connections = np.asarray(connections)
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    x = np.pad(x, sides, constant_values=pad_value)
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    y = np.zeros((*windows.shape[:3], connections.shape[1]))
    for pair, (i, j) in enumerate(np.argwhere(connections)):
        y[..., j] += np.einsum("nhwab,ab->nhw", windows[:, :, :, i], w[:, :, pair])
    return y if b is None else y + b


def trainable_subsampling2d(
    x: np.ndarray, coefficient: np.ndarray, b: np.ndarray, size: int = 2
) -> np.ndarray:
    """Sum each window of `size` x `size`, multiply by one coefficient a map, add one bias a map.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    n, h, w, c = x.shape
    x = x[:, : h // size * size, : w // size * size]
    windows = x.reshape(n, h // size, size, w // size, size, c)
    return windows.sum(axis=(2, 4)) * coefficient + b


def radial_basis_scores(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Minus the squared distance of each row of `x` to each centre: 0 is a perfect match.

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    return -((x[:, None, :] - centres[None, :, :]) ** 2).sum(axis=-1)

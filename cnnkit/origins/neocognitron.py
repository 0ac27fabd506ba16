"""Fukushima's neocognitron of 1980: seven layers, or nine, grown one after another without a teacher.

The sizes, the selectivities and the speeds of learning are the paper's; how fast the fixed weights fade, and
how strongly a C-cell is driven, are ours (the paper names them without giving all their values).
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.layers.neocognitron import CCell, SCell
from cnnkit.origins._building import channels_last
from cnnkit.scratch.neocognitron import c_cells, fading_mask, s_cells

__all__ = ["grow", "imprint", "neocognitron", "representatives", "winning_planes"]

SPEEDS = (1.0, 16.0, 16.0, 16.0)
SELECTIVITIES = (4.0, 1.5, 1.5, 1.5)
PADDINGS = {3: (2, 1, 0), 4: (2, 1, 2, 1)}  # of the S-layers, by the number of pairs


@channels_last
def neocognitron(planes: int = 24, rule: str = "sum", stages: int = 3, seed: int = 0) -> keras.Model:
    """The network of 1980, 16x16 pixels in, ungrown: U0, then S and C three times.

    `rule="max"` puts the cresceptron's maximum in place of the blur in each C-layer. `stages=4` adds a pair
    and makes nine layers, as many as the network of 1983 had; its planes and its teacher are not rebuilt.

    >>> [layer.name for layer in neocognitron().layers]
    ['U0', 'S1', 'C1', 'S2', 'C2', 'S3', 'C3']

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """
    if stages not in PADDINGS:
        raise ValueError(f"stages must be 3 (seven layers, 1980) or 4 (nine layers); got {stages}")
    picture = x = keras.Input((16, 16, 1), name="U0")
    for k, (padding, selectivity) in enumerate(zip(PADDINGS[stages], SELECTIVITIES, strict=False), 1):
        x = SCell(planes, padding=padding, selectivity=selectivity, name=f"S{k}")(x)
        # A C-layer halves its planes; the last one sees them whole.
        last = {"kernel_size": x.shape[1], "strides": 1, "padding": 0} if k == stages else {}
        x = CCell(**last, rule=rule, name=f"C{k}")(x)
    model = keras.Model(picture, x, name="neocognitron")
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, SCell):  # a seed of its own, the same on every backend
            channels = layer.excitatory.shape[2]
            mask = fading_mask(layer.kernel_size, layer.falloff)[:, :, None, None] / channels
            layer.excitatory.assign((0.01 * mask * draw.random(layer.excitatory.shape)).astype("float32"))
    return model


def representatives(answers: ArrayLike, column: int = 5) -> dict[int, tuple[int, int]]:
    """The cells that learn from a pattern: plane -> (row, column) of its representative.

    In each column of cells (a square of places, all planes) the loudest cell is a candidate; where a plane
    has several candidates, the loudest of them represents it. So a place feeds one plane, and a plane learns
    from one place. A silent column names nobody.

    >>> representatives(np.eye(6)[:, :, None] * [0, 2], column=6)
    {1: (0, 0)}

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """
    answers = np.asarray(answers)
    height, width, _ = answers.shape
    tall, wide = min(column, height), min(column, width)
    best: dict[int, tuple[float, int, int]] = {}
    for top in range(height - tall + 1):
        for left in range(width - wide + 1):
            block = answers[top : top + tall, left : left + wide]
            row, place, plane = np.unravel_index(np.argmax(block), block.shape)
            loud = float(block[row, place, plane])
            if loud > best.get(int(plane), (0.0,))[0]:
                best[int(plane)] = (loud, top + int(row), left + int(place))
    return {plane: (row, place) for plane, (_, row, place) in best.items()}


def grow(model: keras.Model, patterns: ArrayLike, rounds: int = 15, column: int = 5) -> list[int]:
    """Grow a neocognitron from unlabelled patterns, layer by layer, by the published rule.

    Each pattern is shown `rounds` times to each layer in turn. Every representative strengthens its plane:
    excitatory weights by `q * c * u`, with u what it sees and c the fading mask, and the inhibitory weight
    by `q / 2 * v`. All cells of the plane share the new weights. Returns how many planes of each S-layer
    have learned something.

    Chapter: origins/neocognitron.
    Paper: doi:10.1007/BF00344251.
    """
    u = _patterns(model, patterns)
    stages = [layer for layer in model.layers if isinstance(layer, SCell | CCell)]
    grown, speeds = [], iter(SPEEDS)
    for layer in stages:
        if isinstance(layer, CCell):
            u = _through(layer, u)
            continue
        excitatory, inhibitory = (np.array(w, np.float64) for w in layer.get_weights())
        rings = layer.padding[0]
        speed, own = next(speeds), (layer.selectivity, rings, layer.falloff)
        mask = fading_mask(layer.kernel_size, layer.falloff)[:, :, None] / u.shape[-1]
        around = ((rings, rings), (rings, rings), (0, 0))
        for _ in range(rounds):
            for one in u:
                answers, v = s_cells(one[None], excitatory, inhibitory, *own)
                padded = np.pad(one, around)
                for plane, (row, place) in representatives(answers[0], column).items():
                    seen = padded[row : row + layer.kernel_size, place : place + layer.kernel_size]
                    excitatory[..., plane] += speed * mask * seen
                    inhibitory[plane] += speed / 2 * v[0, row, place]
        layer.set_weights([excitatory.astype("float32"), inhibitory.astype("float32")])
        u = s_cells(u, excitatory, inhibitory, *own)[0]
        grown.append(int((inhibitory > 0).sum()))
    return grown


def imprint(model: keras.Model, patterns: ArrayLike, seed: int = 0, rounds: int = 15) -> None:
    """Give every S-plane one patch that its layer sees, drawn by chance: growing without the competition.

    The control of `grow`: layer by layer, each plane learns from one window in whose middle something answers, drawn
    from all patterns, as much as a representative learns in so many rounds.

    Chapter: origins/neocognitron.
    """
    u, draw, speeds = _patterns(model, patterns), np.random.default_rng(seed), iter(SPEEDS)
    for layer in model.layers:
        if isinstance(layer, CCell):
            u = _through(layer, u)
        elif isinstance(layer, SCell):
            kernel, rings = layer.kernel_size, layer.padding[0]
            mask = fading_mask(kernel, layer.falloff)[:, :, None] / u.shape[-1]
            padded = np.pad(u, ((0, 0), (rings, rings), (rings, rings), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
            windows = np.moveaxis(windows.reshape(-1, *windows.shape[3:]), 1, -1)
            windows = windows[windows[:, kernel // 2, kernel // 2].max(axis=-1) > 0]
            if not len(windows):
                raise ValueError(
                    f"nothing answers in {layer.name}: the patterns show nothing to be imprinted"
                )
            seen = windows[draw.integers(len(windows), size=layer.excitatory.shape[-1])]
            strength = next(speeds) * rounds
            excitatory = strength * np.moveaxis(mask * seen, 0, -1)
            inhibitory = strength / 2 * np.sqrt(np.sum(mask * seen**2, axis=(1, 2, 3)))
            layer.set_weights([excitatory.astype("float32"), inhibitory.astype("float32")])
            u = s_cells(u, excitatory, inhibitory, layer.selectivity, rings, layer.falloff)[0]


def winning_planes(model: keras.Model, patterns: ArrayLike) -> NDArray[np.int64]:
    """For each pattern, the plane of the last layer that answers most; -1 where all are silent.

    Chapter: origins/neocognitron.
    """
    answers = keras.ops.convert_to_numpy(model(np.asarray(patterns, "float32")))
    answers = answers.reshape(len(answers), -1)
    return np.where(answers.max(axis=1) > 1e-3, answers.argmax(axis=1), -1)


def _patterns(model: keras.Model, patterns: ArrayLike) -> NDArray[np.float64]:
    u = np.asarray(patterns, np.float64)
    if u.ndim != 4 or u.shape[1:] != model.input_shape[1:]:
        raise ValueError(f"a neocognitron wants patterns (n, 16, 16, 1); got shape {u.shape}")
    return u


def _through(layer: CCell, u: NDArray[np.float64]) -> NDArray[np.float64]:
    own = ("kernel_size", "strides", "padding", "strength", "falloff", "saturation", "rule")
    config = layer.get_config()
    return c_cells(u, **{name: config[name] for name in own})

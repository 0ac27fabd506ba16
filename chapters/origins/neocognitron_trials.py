"""What each layer of a neocognitron knows of digits that it never saw: the tables of chapter origins/neocognitron.

    python chapters/origins/neocognitron_trials.py

It writes data/results/neocognitron-moved.csv (the digits 0 to 4 at other places) and data/results/neocognitron-bent.csv
(at their place, drawn by a trembling hand).

Every arm is shown the same five thin-lined digits, sixty times by backpropagation and fifteen times by the rule of 1980.
A reader takes the answers of one layer and names the digit whose answers are most alike (the largest cosine).  "winning
plane" asks the network itself: each plane of the last layer bears the name of the digit to which it answers most, and the
plane that wins tells its name.  Where every cell of a layer is silent, nothing is named.  Some minutes each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.feature import match_template

from cnnkit import data, layers, origins, trials

NAMES = "01234"
#: Where a digit of nine pixels may stand on the board of sixteen, its own place apart.
PLACES = [{"down": down, "right": right} for down in range(-3, 5) for right in range(-3, 5) if down or right]
TREMBLE = 0.8  # pixels by which the hand misses the ends of the strokes
HANDS = 100  # of the validation part, and as many others of the test part
SILENT = 1e-3  # what a layer answers at most where it says nothing
LOW = 0.3  # a selectivity at which S-cells of the second and third layer answer to nearly anything

Part = tuple[np.ndarray, np.ndarray]
_MADE: dict[Any, keras.Model] = {}


def drawn(changes: list[dict[str, Any]]) -> Part:
    """Every digit under each of these changes, and which it is."""
    pictures = [data.line_pattern(name, **change) for change in changes for name in NAMES]
    return np.stack(pictures), np.tile(np.arange(len(NAMES)), len(changes))


def changes(part: int, bent: bool) -> list[dict[str, Any]]:
    """Bent digits are drawn by a hundred hands, moved ones stand at every second place."""
    return [{"tremble": TREMBLE, "seed": 2 * k + part} for k in range(HANDS)] if bent else PLACES[part::2]


def parts(bent: bool) -> dict[str, Part]:
    """Five clean digits to learn from; changed ones to choose by, and others to be judged by."""
    clean, names = drawn([{}])
    found = {"train": (clean, names)}
    for part, name in enumerate(("validation", "test")):
        x, y = drawn(changes(part, bent))
        new = np.any(x != clean[y], axis=(1, 2, 3))  # a light tremble may leave a digit as it was
        found[name] = x[new], y[new]
    return found


def grown(x: np.ndarray, seed: int, rounds: int, rule: str = "sum") -> keras.Model:
    """The network of 1980, or with the maximum of the cresceptron, grown by the published rule."""
    model = origins.neocognitron(rule=rule, seed=seed)
    origins.grow(model, x, rounds=rounds)
    return model


def imprinted(x: np.ndarray, seed: int, rounds: int) -> keras.Model:
    """The same network, whose planes learned patches drawn by chance."""
    model = origins.neocognitron(seed=seed)
    origins.imprint(model, x, seed=seed, rounds=rounds)
    return model


def made(make: Callable[..., keras.Model], x: np.ndarray, seed: int, rounds: int) -> keras.Model:
    """A network is made once, and looked at by every reader."""
    key = make, seed, rounds, x.tobytes()
    if key not in _MADE:
        _MADE[key] = make(x, seed, rounds)
    return _MADE[key]


def selective(model: keras.Model, selectivity: float) -> keras.Model:
    """The network, its second and third S-layer as selective as this from now on."""
    for layer in model.layers:
        if isinstance(layer, layers.SCell) and layer.name != "S1":
            layer.selectivity = selectivity
    return model


def grown_strictly(x: np.ndarray, seed: int, rounds: int) -> keras.Model:
    """Grown as in 1980, and then less selective: a low threshold for recognition alone."""
    return selective(grown(x, seed, rounds), LOW)


def unlearned(x: np.ndarray, seed: int, rounds: int) -> keras.Model:
    """The network before it learns, with random weights that are wide enough to answer: where backpropagation starts."""
    model, draw = origins.neocognitron(seed=seed), np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.SCell):
            shape = layer.excitatory.shape
            layer.set_weights([16 * draw.random(shape) / (25 * shape[2]), np.full(shape[3], 2.0)])
    return model


def answers(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """What each cell answers to each picture, a row a picture."""
    return keras.ops.convert_to_numpy(model(x)).reshape(len(x), -1).astype("float64")


def alike(known: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which of the known answers each of the seen ones is most like: the largest cosine; -1 where all is silent."""
    likeness = seen @ (known / (np.linalg.norm(known, axis=1, keepdims=True) + 1e-9)).T
    return np.where(seen.max(axis=1) > SILENT, likeness.argmax(axis=1), -1)


def reader(layer: str, make: Callable[..., keras.Model]) -> trials.Learner:
    """Names a digit by the answers of one layer."""

    def fit(
        x: np.ndarray, y: np.ndarray, *, seed: int, epochs: int, **_: Any
    ) -> tuple[keras.Model, Any, Any]:
        model = made(make, x, seed, epochs // 4)
        tap = keras.Model(model.input, model.get_layer(layer).output)
        return tap, answers(tap, x), y

    def predict(fitted: tuple[keras.Model, Any, Any], x: np.ndarray) -> np.ndarray:
        tap, known, labels = fitted
        found = alike(known, answers(tap, x))
        return np.where(found >= 0, labels[found], -1)

    return trials.Learner(fit, predict, has_rate=False, has_budget=make is not unlearned)


def namer(make: Callable[..., keras.Model]) -> trials.Learner:
    """Asks the network itself: the plane of the last layer that wins tells the digit to which it answers most."""

    def fit(x: np.ndarray, y: np.ndarray, *, seed: int, epochs: int, **_: Any) -> tuple[keras.Model, Any]:
        model = made(make, x, seed, epochs // 4)
        return model, y[answers(model, x).argmax(axis=0)]

    def predict(fitted: tuple[keras.Model, Any], x: np.ndarray) -> np.ndarray:
        model, names = fitted
        won = origins.winning_planes(model, x)
        return np.where(won >= 0, names[won], -1)

    return trials.Learner(fit, predict, has_rate=False)


def without_network(smooth: float, slide: bool) -> trials.Learner:
    """The digits themselves as templates, blurred or not, laid on the picture where they stand or slid over it."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> tuple[list[np.ndarray], np.ndarray]:
        return [blurred(one) for one in x], y

    def blurred(picture: np.ndarray) -> np.ndarray:
        return gaussian_filter(np.pad(picture[..., 0], 4), smooth)

    def fits(template: np.ndarray, picture: np.ndarray) -> float:
        if not slide:
            return float(np.sum(template * picture) / np.linalg.norm(template))
        rows, columns = (np.flatnonzero(template.max(axis=axis) > 0.05) for axis in (1, 0))
        cut = template[rows[0] - 1 : rows[-1] + 2, columns[0] - 1 : columns[-1] + 2]  # with a margin
        return float(match_template(picture, cut).max())

    def predict(fitted: tuple[list[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
        templates, labels = fitted
        return labels[[np.argmax([fits(t, blurred(one)) for t in templates]) for one in x]]

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


def taught(seed: int) -> keras.Model:
    """The same graph with a linear head, for backpropagation; it starts wider, for tiny weights pass no gradient."""
    return keras.Sequential(
        [unlearned(None, seed, 0), keras.layers.Flatten(), keras.layers.Dense(len(NAMES))]
    )


ARMS = {
    **{f"{layer}, grown": reader(layer, grown) for layer in ("S1", "C1", "S2", "C2", "S3", "C3")},
    "winning plane, grown": namer(grown),
    "winning plane, maximum": namer(partial(grown, rule="max")),
    "winning plane, lowered": namer(grown_strictly),
    **{f"{layer}, imprinted": reader(layer, imprinted) for layer in ("C1", "C2", "C3")},
    "winning plane, imprinted": namer(imprinted),
    **{f"{layer}, unlearned": reader(layer, unlearned) for layer in ("C1", "C2", "C3")},
    "backpropagation": taught,
}
RIVALS = {
    "blurred template": without_network(1.0, slide=False),
    "sliding template": without_network(0.0, slide=True),
    "sliding blurred template": without_network(1.0, slide=True),
}


def on(name: str) -> trials.Trial:
    """One trial: these arms on the digits changed so."""
    return trials.trial(
        f"neocognitron-{name}",
        arms=ARMS,
        data=trials.Split(f"digits 0 to 4, {name}", partial(parts, name == "bent")),
        rates=(3e-3, 1e-2, 3e-2),
        seeds=5,
        training=trials.Training(epochs=60, batch_size=5),
        rivals=RIVALS,
        doublings=2,
    )


moved = on("moved")
bent = on("bent")

if __name__ == "__main__":
    raise SystemExit(trials.main())

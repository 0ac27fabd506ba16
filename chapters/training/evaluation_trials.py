"""The tables of chapter training/evaluation: equal nets, a leak, and two kinds of learners.

    python chapters/training/evaluation_trials.py [equal|leak|machines]        # all three: some twenty minutes on one core

They are data/results/two-equal-nets.csv, one row a net with every mistake it makes on the test digits;
data/results/leaked-copies.csv, one row a fold; and data/results/svm-and-cnn.csv, one row a fit.  A row that is there is not run again.
"""

from __future__ import annotations

import csv
import re
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import keras
import numpy as np

from cnnkit import _paths, data, training
from cnnkit.course.recording import about, write

BATCH, RATE = 32, 0.1
Rows = Generator[dict[str, Any], bool, None]
IMAGES, SHOWN = 1_000, 28_800  # 900 steps
DRAW, REST = 2_000, 1_000


def halved(x: np.ndarray) -> np.ndarray:
    """Images of half the side: means of 2 x 2 pixels."""
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4)).astype("float32")


class Fall(keras.optimizers.schedules.LearningRateSchedule):
    """Half a wave from `rate` to zero, both of which can be set anew without compiling again."""

    def __init__(self) -> None:
        self.rate, self.steps = keras.Variable(RATE, trainable=False), keras.Variable(1.0, trainable=False)

    def __call__(self, step: Any) -> Any:
        """The rate of a step."""
        gone = keras.ops.cast(step, "float32") / self.steps
        return self.rate * (1 + keras.ops.cos(np.pi * gone)) / 2


class Net:
    """Two convolutions and a dense layer; compiled once, and begun anew by each `fit`."""

    def __init__(self, shape: tuple[int, int, int], filters: int = 8) -> None:
        layers = keras.layers
        self.model = keras.Sequential([
            keras.Input(shape),
            layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
            layers.Flatten(), layers.Dense(10),
        ])  # fmt: skip
        self.fall = Fall()
        self.optimizer = keras.optimizers.SGD(self.fall, momentum=0.9)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(self.optimizer, loss, steps_per_execution=50)

    def start(self, seed: int) -> list[np.ndarray]:
        """Glorot's weights, drawn by this seed, and biases of zero."""
        rng, drawn = np.random.default_rng([seed, 1]), []
        for weight in self.model.get_weights():
            fan = (
                np.prod(weight.shape[:-2], dtype=int) * np.array(weight.shape[-2:]).sum()
                if weight.ndim > 1
                else np.inf
            )
            drawn.append(rng.uniform(-1, 1, weight.shape).astype("float32") * np.float32(np.sqrt(6 / fan)))
        return drawn

    def fit(self, x: np.ndarray, y: np.ndarray, start: list[np.ndarray], rate: float = RATE) -> Net:
        """Descend through the images in the order in which they are given, once; the rate falls to zero along half a wave."""
        self.model.set_weights(start)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        self.fall.rate.assign(rate)
        self.fall.steps.assign(len(x) // BATCH)
        self.model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
        return self

    def scores(self, x: np.ndarray) -> np.ndarray:
        """What it says of images, before the softmax."""
        return np.concatenate(
            [np.asarray(self.model.predict_on_batch(x[at : at + 1000])) for at in range(0, len(x), 1000)]
        )


def ordered(images: int, shown: int, seed: int) -> np.ndarray:
    """Which image is shown when: all of them in a new order, again and again, until so many were shown."""
    rng = np.random.default_rng([seed, 2])
    return np.concatenate([rng.permutation(images) for _ in range(-(-shown // images))])[:shown]


def drawn(seed: int, images: int = IMAGES) -> np.ndarray:
    """Which digits of the official training part are trained on."""
    return np.random.default_rng([seed, 3]).choice(60_000, images, replace=False)


def lots(net: str, draw: int, lot: int) -> dict[str, int]:
    """Which start, which order, how many of the digits drawn, and whether a weight is nudged by a hair."""
    own = {"start": 100 * draw + lot, "order": 100 * draw + lot, "images": IMAGES, "hair": 0}
    still = {"start": 0, "order": 0, "images": IMAGES, "hair": 0}
    return {
        "one recipe": own,
        "a fifth fewer digits": {"start": own["start"] + 50, "order": own["order"] + 50, "images": IMAGES * 4 // 5, "hair": 0},
        "start alone": {**still, "start": lot},
        "order alone": {**still, "order": lot},
        "digits alone": still,
        "one weight by a hair": {**still, "hair": lot},
    }[net]  # fmt: skip


def one(
    net: Net, x: np.ndarray, y: np.ndarray, draw: int, start: int, order: int, images: int, hair: int
) -> Net:
    """A net trained on the first so many digits of a draw; `hair` counts a weight that is moved to the next number of float32."""
    rows, begin = drawn(draw)[:images], net.start(start)
    if hair:
        weight = begin[0].reshape(-1)
        weight[hair] = np.nextafter(weight[hair], np.float32(1))
    shown = rows[ordered(len(rows), SHOWN, order)]
    return net.fit(x[shown], y[shown], begin)


def told(places: np.ndarray, classes: np.ndarray) -> str:
    """Mistakes in few letters: how many digits were read right since the last one, to the base of 26, and what was said."""
    found = []
    for gap, said in zip(np.diff(places, prepend=-1) - 1, classes, strict=True):
        letters = ""
        while not letters or gap:
            gap, last = divmod(int(gap), 26)
            letters = chr(97 + last) + letters
        found.append(f"{letters}{said}")
    return "".join(found)


def said(mistakes: str, labels: np.ndarray) -> np.ndarray:
    """The class that a net said of each digit, from its mistakes."""
    classes, place = labels.copy(), -1
    for letters, wrong in re.findall(r"([a-z]+)(\d)", mistakes):
        gap = 0
        for letter in letters:
            gap = 26 * gap + ord(letter) - 97
        place += gap + 1
        classes[place] = int(wrong)
    return classes


def equal() -> Rows:
    """Ten draws of digits, ten nets of one recipe on each, and ten that saw a fifth fewer; then nets that share all lots but one."""
    (x, y), (x_test, y_test) = data.load("mnist")
    x, x_test, net = halved(x), halved(x_test), Net((14, 14, 1))
    tasks = [
        (arm, draw, lot)
        for draw in range(10)
        for lot in range(10)
        for arm in ("one recipe", "a fifth fewer digits")
    ]
    tasks += [
        (arm, 0, lot) for lot in range(20) for arm in ("start alone", "order alone", "one weight by a hair")
    ]
    tasks += [("digits alone", draw, 0) for draw in range(20)]
    for arm, draw, lot in tasks:
        begun = yield {"net": arm, "draw": draw, "lot": lot}
        if not begun:
            continue
        own = lots(arm, draw, lot)
        one(net, x, y, draw, **own)
        rows = drawn(draw)[: own["images"]]
        classes = net.scores(x_test).argmax(axis=1)
        wrong = np.flatnonzero(classes != y_test)
        yield {
            **own, "train": round(float(np.mean(net.scores(x[rows]).argmax(axis=1) == y[rows])), 6),
            "test": round(1 - len(wrong) / len(y_test), 6),
            "mistakes": told(wrong, classes[wrong]),
        }  # fmt: skip


def copies(
    x: np.ndarray, y: np.ndarray, versions: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each picture so many times: moved by up to two pixels, mirrored or not, lighter or darker; and which it was."""
    rng, made = np.random.default_rng([seed, 4]), []
    for picture in np.repeat(x, versions, axis=0):
        down, right = rng.integers(0, 5, 2)
        seen = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge")[down : down + 32, right : right + 32]
        made.append(np.clip(seen[:, :: rng.choice([-1, 1])] * rng.uniform(0.8, 1.2), 0, 1))
    return halved(np.stack(made)), np.repeat(y, versions), np.repeat(np.arange(len(x)), versions)


def nearest(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The label of the nearest training picture."""
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)
    return y[((x**2).sum(axis=1) - 2 * new @ x.T).argmin(axis=1)]


def leak() -> Rows:
    """400 photographs, five versions of each; versions are cut into folds, or photographs are."""
    (x, y), _ = data.load("cifar10", subset=True)
    net = Net((16, 16, 3), filters=12)
    for seed in range(5):
        rows = np.random.default_rng([seed, 5]).choice(len(x), 400, replace=False)
        versions, labels, origin = copies(x[rows], y[rows], 5, seed)
        for cut in ("versions", "photographs"):
            parts = training.k_fold(labels, 3, groups=origin if cut == "photographs" else None, seed=seed)
            for fold, (train, test) in enumerate(parts):
                for learner in ("conv net", "nearest neighbour"):
                    begun = yield {"cut": cut, "learner": learner, "seed": seed, "fold": fold}
                    if not begun:
                        continue
                    if learner == "conv net":
                        shown = train[ordered(len(train), 51_200, seed)]
                        net.fit(versions[shown], labels[shown], net.start(seed), rate=0.03)
                        guessed = [net.scores(versions[part]).argmax(axis=1) for part in (train, test)]
                    else:
                        guessed = [
                            nearest(versions[train], labels[train], versions[part]) for part in (train, test)
                        ]
                    right = [
                        round(float(np.mean(s == labels[part])), 6)
                        for s, part in zip(guessed, (train, test), strict=True)
                    ]
                    yield {"train": right[0], "test": right[1]}


WIDTHS, RATES = (0.01, 0.03, 0.1, 0.3), (0.01, 0.03, 0.1, 0.3)
SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))


def shifted(x: np.ndarray, seed: int) -> np.ndarray:
    """Each picture moved by a pixel or not at all, by lot."""
    lots = np.random.default_rng([seed, 6]).integers(len(SHIFTS), size=len(x))
    moved = [np.roll(x, step, axis=(1, 2)) for step in SHIFTS]
    return np.choose(lots[:, None, None, None], moved)


def machine(gamma: float, x: np.ndarray, y: np.ndarray, virtual: bool) -> Any:
    """A support vector machine with a Gaussian kernel; virtual: trained again on its support vectors and their shifts."""
    from sklearn.svm import SVC

    flat = x.reshape(len(x), -1)
    found = SVC(C=10, gamma=gamma).fit(flat, y)
    if virtual:
        kept = found.support_
        more = np.concatenate([np.roll(x[kept], step, axis=(1, 2)) for step in SHIFTS])
        found = SVC(C=10, gamma=gamma).fit(more.reshape(len(more), -1), np.tile(y[kept], len(SHIFTS)))
    return found


def reader(arm: str, setting: float, seed: int, images: np.ndarray, labels: np.ndarray, net: Net) -> Any:
    """What one arm makes of digits and labels, as a function from digits to classes."""
    from sklearn.linear_model import LogisticRegression

    if arm.startswith("conv"):
        turns = ordered(len(images), 76_800 if "twice" in arm else 38_400, seed)
        shown = shifted(images[turns], seed) if "shifted" in arm else images[turns]
        net.fit(shown, labels[turns], net.start(seed), rate=setting)
        return lambda x: net.scores(x).argmax(axis=1)
    if arm == "nearest neighbour":
        return lambda x: nearest(images, labels, x)
    if arm == "linear":
        fitted = LogisticRegression(C=0.3, max_iter=200).fit(images.reshape(len(images), -1), labels)
    else:
        fitted = machine(setting, images, labels, "shifted" in arm)
    return lambda x: fitted.predict(x.reshape(len(x), -1))


ARMS = {
    "SVM": WIDTHS, "SVM, shifted": WIDTHS, "conv net": RATES, "conv net, shifted": RATES,
    "conv net, twice as long": (0.1,), "conv net, shifted, twice as long": (0.1,),
    "nearest neighbour": (0,), "linear": (0,),
}  # fmt: skip


def machines() -> Rows:
    """Five draws of 2,000 digits; each arm tries the same number of rates or widths, and 1,000 other digits choose.

    Only what was chosen then reads the test digits, all of them, so most rows have no test score.
    """
    (x, y), (x_test, y_test) = data.load("mnist")
    x, x_test, net = halved(x), halved(x_test), Net((14, 14, 1), filters=16)
    path = _paths.resource("results") / "svm-and-cnn.csv"
    old = list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []
    tried = {(row["arm"], row["seed"], row["setting"]): row for row in old if row["chosen"] == "0"}
    for seed in range(5):
        rows = drawn(seed + 500, DRAW + REST)
        images, labels = x[rows[:DRAW]], y[rows[:DRAW]]
        parts = {"train": (images, labels), "validation": (x[rows[DRAW:]], y[rows[DRAW:]])}
        for arm, settings in ARMS.items():
            scores = {}
            for setting in settings:
                begun = yield {"arm": arm, "seed": seed, "setting": setting, "chosen": 0}
                if begun:
                    says = reader(arm, setting, seed, images, labels, net)
                    found = {name: round(float(np.mean(says(a) == b)), 6) for name, (a, b) in parts.items()}
                    scores[setting] = found["validation"]
                    yield {**found, "test": "", "first half": ""}
                else:
                    scores[setting] = float(tried[arm, str(seed), str(setting)]["validation"])
            best = max(scores, key=scores.__getitem__)
            begun = yield {"arm": arm, "seed": seed, "setting": best, "chosen": 1}
            if begun:
                says = reader(arm, best, seed, images, labels, net)
                found = {name: round(float(np.mean(says(a) == b)), 6) for name, (a, b) in parts.items()}
                right = says(x_test) == y_test
                yield {
                    **found, "test": round(float(right.mean()), 6), "first half": round(float(right[:5_000].mean()), 6),
                }  # fmt: skip


def again(what: str, here: float, recorded: float, within: float) -> None:
    """Hold what was trained here to the table, so that the table cannot rot."""
    if abs(here - recorded) > within:
        raise ValueError(
            f"{what}: {here:.4f} here and {recorded:.4f} in the table; they may differ by {within}: the table is not of this code"
        )
    print(f"✓ {what}, run again: {here:.4f} here, {recorded:.4f} in the table (allowed: {within})")


TABLES = {
    "equal": ("two-equal-nets", equal),
    "leak": ("leaked-copies", leak),
    "machines": ("svm-and-cnn", machines),
}


def record(name: str, rows: Callable[[], Rows]) -> None:
    """Run what the table does not hold yet, and write it every twenty rows."""
    path = _paths.resource("results") / f"{name}.csv"
    old = list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []
    now, found = about(), list(old)
    made = rows()
    try:
        task = next(made)
        while True:
            known = next((row for row in old if all(str(row[k]) == str(v) for k, v in task.items())), None)
            if known:
                task = made.send(False)
                continue
            start = time.perf_counter()
            result = made.send(True)
            found.append({**task, **result, "seconds": round(time.perf_counter() - start, 2), **now})
            if len(found) % 20 == 0:
                write(f"{name}.csv", found)
            print(name, *task.values(), result.get("train"), result.get("test"), flush=True)
            task = next(made)
    except StopIteration:
        write(f"{name}.csv", found)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or TABLES:
        record(*TABLES[chosen])

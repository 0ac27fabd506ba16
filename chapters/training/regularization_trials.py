"""The trials of chapter training/regularization: what each remedy against overfitting is worth, in images.

    python chapters/training/regularization_trials.py strengths   # some minutes on one core
    python chapters/training/regularization_trials.py             # the two races, some minutes more
    python chapters/training/regularization_trials.py draws       # the arms of the first on four other draws of images
    python chapters/training/regularization_trials.py ordinary    # two remedies on a net with pooling

The first writes data/results/regularization-strengths.csv; the second data/results/regularization-right.csv and, where a fifth
of the training labels is wrong, data/results/regularization-wrong.csv; the third data/results/regularization-draws.csv; the
fourth data/results/regularization-ordinary.csv.

The images are Fashion-MNIST's.  Each race has its own 1,000 for training and its own 2,000 for validation, which choose
every remedy's strength: four tries for each, at one rate and with two seeds.  Then every arm, with that strength, chooses
its rate.  The net is `cnnkit.scratch.forgetful_net`.
"""

from __future__ import annotations

import functools
import itertools
import sys
from functools import partial
from typing import Any

import numpy as np

from cnnkit import data, scratch, trials
from cnnkit.course.recording import about, write

IMAGES, VALIDATION, BATCH, EPOCHS, RATE = 1_000, 2_000, 50, 40, 3e-3
SEARCH_SEEDS = (2000, 2001)  # neither those of the rates nor those of the verdict
DRAWS = range(2, 6)
#: Which draw of images, and the share of labels that is wrong.
RACES = {"right": (0, 0.0), "wrong": (1, 0.2), **{f"draw {draw}": (draw, 0.0) for draw in DRAWS}}
DROPPED = (0.1, 0.25, 0.5, 0.75)
#: The option of `fit` that each remedy turns, and the four strengths that are tried.
REMEDIES: dict[str, tuple[str, tuple[float, ...]]] = {
    "weight decay": ("decay", (0.5, 1.0, 2.0, 4.0)),
    "dropout, hidden units": ("units", DROPPED),
    "dropout, places of maps": ("places", DROPPED),
    "dropout, whole maps": ("maps", DROPPED),
    "label smoothing": ("smoothing", (0.05, 0.1, 0.2, 0.4)),
    "fewer hidden units": ("hidden", (8, 16, 32, 48)),
    "shorter training": ("share", (1 / 16, 1 / 8, 1 / 4, 1 / 2)),
}
IN_WRONG = ("weight decay", "dropout, hidden units", "label smoothing", "shorter training")


@functools.cache
def standard() -> Any:
    """Fashion-MNIST with mean 0 and deviation 1 over all pixels."""
    (x, y), (x_test, y_test) = data.load("fashion_mnist")
    mean, deviation = x.mean(), x.std()
    return (((x - mean) / deviation).astype("float32"), y), (
        ((x_test - mean) / deviation).astype("float32"),
        y_test,
    )


def mislabelled(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The same labels with a share of them, at random places, moved to another class."""
    rng = np.random.default_rng([seed, 3])
    moved = y.copy()
    rows = rng.permutation(len(y))[: round(share * len(y))]
    moved[rows] = (moved[rows] + rng.integers(1, 10, len(rows))) % 10
    return moved


@functools.cache
def pool(race: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Validation images and labels, and 4,000 others to train on, of which an arm gets the first 1,000, or more."""
    draw, wrong = RACES[race]
    (x, y), _ = standard()
    order = np.random.default_rng(draw).permutation(len(x))
    held, rows = order[:VALIDATION], order[VALIDATION : VALIDATION + 4 * IMAGES]
    thousands = [mislabelled(part, wrong, draw) for part in np.split(y[rows], 4)]
    return x[held], y[held], x[rows], np.concatenate(thousands)


def parts(race: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The three parts of a race; validation and test labels are right in both."""
    x_held, y_held, x, y = pool(race)
    return {"train": (x[:IMAGES], y[:IMAGES]), "validation": (x_held, y_held), "test": standard()[1]}


def scores(nets: Any, x: np.ndarray) -> np.ndarray:
    """What a net says of images; of several, the mean of their probabilities."""
    if not isinstance(nets, list):
        return np.concatenate([nets.forward(x[start : start + 500]) for start in range(0, len(x), 500)])
    return np.mean([scratch.softmax(scores(net, x)) for net in nets], axis=0)


def fit(
    x: np.ndarray, y: np.ndarray, *, rate: float, epochs: int, seed: int,
    decay: float = 0.0, smoothing: float = 0.0, share: float = 1.0, look: Any = None, **options: Any,
) -> scratch.Chain:  # fmt: skip
    """Adam in batches of 50, with a rate that falls to zero along half a wave: `epochs` rounds of 1,000 images.

    Args:
        x: images.
        y: labels.
        rate: the first.
        epochs: rounds of 1,000 images; where there are more of them, the number of steps stays the same.
        seed: of the weights, the order and what is dropped.
        decay: at each step every weight matrix loses this share of itself, times the rate.
        smoothing: the share of each label that is spread over all classes.
        share: of the steps that are made; the rate falls to zero over them.
        look: called with the step and the whole net after each round of 1,000 images.
        options: of the net.
    """
    net, rng = scratch.forgetful_net(seed=seed, **options), np.random.default_rng([seed, 2])
    weights, targets = net.weights, (1 - smoothing) * np.eye(10) + smoothing / 10
    mean, square = ([np.zeros_like(w) for w in weights] for _ in range(2))
    steps, a_round = round(share * epochs * IMAGES / BATCH), len(x) // BATCH
    for step in range(steps):
        if step % a_round == 0:
            order = rng.permutation(len(x))
        rows = order[step % a_round * BATCH :][:BATCH]
        slope = (scratch.softmax(net.forward(x[rows])) - targets[y[rows]]) / BATCH
        net.backward(slope.astype("float32"))
        now = np.float32(rate * (1 + np.cos(np.pi * step / steps)) / 2)
        pace = now * np.float32(np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1)))
        for w, m, s, gradient in zip(weights, mean, square, net.gradients, strict=True):
            m += np.float32(0.1) * (gradient - m)
            s += np.float32(0.001) * (gradient**2 - s)
            if decay and w.ndim > 1:
                w *= 1 - now * np.float32(decay)
            w -= pace * m / (np.sqrt(s) + np.float32(1e-7))
        if look and (step + 1) % (IMAGES // BATCH) == 0:
            chance = [(part, part.rng) for part in net.steps if hasattr(part, "rng")]
            look(step + 1, scratch.whole(net))
            for part, rng_ in chance:
                part.rng = rng_
    return scratch.whole(net)


def arm(has_budget: bool = True, **options: Any) -> trials.Learner:
    """A net and what is done to it."""
    return trials.Learner(partial(fit, **options), scores, has_budget=has_budget)


def more(race: str, images: int) -> trials.Learner:
    """The net that nothing is done to, trained on so many images of the pool, in as many steps."""

    def fit_more(x: np.ndarray, y: np.ndarray, **asked: Any) -> Any:
        return fit(*(part[:images] for part in pool(race)[2:]), **asked)

    return trials.Learner(fit_more, scores)


def stopped(race: str) -> trials.Learner:
    """Early stopping: of every second round's weights those are kept that read most of the validation images."""

    def fit_stopped(x: np.ndarray, y: np.ndarray, **asked: Any) -> Any:
        held, truth, *_ = pool(race)
        best: dict[str, Any] = {"score": -1.0}

        def look(step: int, net: scratch.Chain) -> None:
            if step % (2 * IMAGES // BATCH):  # every second round
                return
            score = np.mean(scores(net, held).argmax(axis=1) == truth)
            if score > best["score"]:
                best.update(score=score, weights=[w.copy() for w in net.weights])

        net = fit(x, y, look=look, **asked)
        for w, kept in zip(net.weights, best["weights"], strict=True):
            w[...] = kept
        return net

    return trials.Learner(fit_stopped, scores)


def to_the_end(x: np.ndarray, y: np.ndarray, *, epochs: int, seed: int, **_: Any) -> scratch.Chain:
    """The net that nothing is done to, at the rate at which it learns every label."""
    return fit(x, y, rate=RATE, epochs=epochs, seed=seed)


def ensemble(x: np.ndarray, y: np.ndarray, *, seed: int, **_: Any) -> list[scratch.Chain]:
    """Five nets from five starts, each as the arm "nothing" is at this rate."""
    return [fit(x, y, rate=RATE, epochs=EPOCHS, seed=10_000 + 5 * seed + member) for member in range(5)]


def search(race: str, remedies: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every strength of every remedy, two seeds each, judged on the validation part."""
    (x, y), (held, truth) = (parts(race)[part] for part in ("train", "validation"))
    rows = []
    for remedy in remedies:
        option, strengths = REMEDIES[remedy]
        for strength, seed in itertools.product(strengths, SEARCH_SEEDS):
            net = fit(x, y, rate=RATE, epochs=EPOCHS, seed=seed, **{option: strength})
            right = float(np.mean(scores(net, held).argmax(axis=1) == truth))
            rows.append(
                {
                    "race": race,
                    "remedy": remedy,
                    "option": option,
                    "strength": strength,
                    "seed": seed,
                    "validation": right,
                }
            )
        print(race, remedy, best(rows, race, remedy), flush=True)
    return rows


def best(rows: Any, race: str, remedy: str) -> dict[str, Any]:
    """The option of a remedy at the strength that reads most of the validation images on average."""
    option, strengths = REMEDIES[remedy]
    own = [row for row in rows if (row["race"], row["remedy"]) == (race, remedy)]
    scored = {s: [float(row["validation"]) for row in own if float(row["strength"]) == s] for s in strengths}
    means = {strength: np.mean(found) if found else 0.0 for strength, found in scored.items()}
    return {option: max(means, key=lambda strength: means[strength])}


@functools.cache
def chosen() -> list[dict[str, Any]]:
    """The strengths that were tried; none before that was done, and then the first of each stands for it."""
    try:
        return data.recorded("regularization-strengths").to_dict("records")
    except KeyError:
        return []


def race(name: str, remedies: tuple[str, ...], sizes: tuple[int, ...]) -> trials.Trial:
    """One race: nothing, the remedies at their strengths, and more images.

    Where labels are wrong, how long a net is trained is a remedy itself, and a small rate is another: that race has a fixed
    budget, and an arm more, which learns all of its labels.
    """
    strength = {remedy: best(chosen(), name, remedy) for remedy in remedies}
    remedied = {remedy: arm("share" not in option, **option) for remedy, option in strength.items()}
    return trials.trial(
        f"regularization-{name}",
        arms={
            "nothing": arm(),
            **remedied,
            **(
                {"twice the hidden units": arm(hidden=128)}
                if name == "right"
                else {"nothing, all learned": trials.Learner(to_the_end, scores, has_rate=False)}
            ),
            "early stopping": stopped(name),
            "ensemble of five": trials.Learner(ensemble, scores, has_rate=False, has_budget=False),
            **{f"{images:,} images": more(name, images) for images in sizes},
        },
        data=trials.Split(f"fashion_mnist, {name} labels", partial(parts, name)),
        rates=(1e-3, 3e-3, 1e-2),
        training=trials.Training(epochs=EPOCHS, batch_size=BATCH),
        settle=name == "right",
    )


def draws() -> list[dict[str, Any]]:
    """Arms of the race with right labels on other images, as that race chose them: does their order hang on the images?"""
    found, rows = trials.recorded("regularization-right"), []
    left_out = ("twice the hidden units", "shorter training", "4,000 images")
    for draw in DRAWS:
        name = f"draw {draw}"
        own = {"early stopping": stopped(name), "2,000 images": more(name, 2_000)}
        arms = {**RIGHT.arms, **own, "half the hidden units": arm(hidden=32)}
        (x, y), (x_test, y_test) = (parts(name)[part] for part in ("train", "test"))
        for learner in (learner for learner in arms if learner not in left_out):
            like = found.verdict_rows(learner if learner in RIGHT.arms else "nothing")[0]
            options = {"rate": like.rate, "epochs": like.epochs, "seed": draw}
            nets = arms[learner].fit(x, y, **options)
            right = float(np.mean(scores(nets, x_test).argmax(axis=1) == y_test))
            rows.append({"draw": draw, "arm": learner, **options, "test": right})
        print(name, {row["arm"]: round(row["test"], 3) for row in rows if row["draw"] == draw}, flush=True)
    return rows


def ordinary(seed: int, decay: float = 0.0, units: float = 0.0) -> Any:
    """A common net on the images of the race with right labels: two 3 x 3 convolutions with pooling, 64 hidden units."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    x, y = parts("right")["train"]
    net = keras.Sequential([keras.Input((28, 28, 1))])
    for maps in (16, 32):
        net.add(layers.Conv2D(maps, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
    for layer in (layers.Flatten(), layers.Dense(64, "relu"), layers.Dropout(units), layers.Dense(10)):
        net.add(layer)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, 30 * IMAGES // BATCH)
    net.compile(
        keras.optimizers.AdamW(rate, weight_decay=decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    net.fit(x, y, batch_size=BATCH, epochs=30, verbose=0)
    return net


def ordinary_rows() -> list[dict[str, Any]]:
    """Three strengths of two remedies, one seed each, on the validation part; then three seeds on the test part."""
    own = parts("right")

    def says(net: Any, part: str) -> np.ndarray:
        return scratch.softmax(net.predict(own[part][0], batch_size=500, verbose=0))

    def reads(chances: np.ndarray, part: str) -> float:
        return float(np.mean(chances.argmax(axis=1) == own[part][1]))

    best_of = {"nothing": {}}
    for remedy, option, strengths in (
        ("weight decay", "decay", (0.3, 1.0, 3.0)),
        ("dropout, hidden units", "units", (0.25, 0.5, 0.75)),
    ):
        found = {s: reads(says(ordinary(2000, **{option: s}), "validation"), "validation") for s in strengths}
        print(remedy, found, flush=True)
        best_of[remedy] = {option: max(found, key=lambda strength: found[strength])}
    rows, together = [], []
    for arm_name, options in best_of.items():
        for seed in range(3):
            net = ordinary(seed, **options)
            chances = says(net, "test")
            together += [chances] if arm_name == "nothing" else []
            strength = next(iter(options.values()), 0.0)
            rows.append({"arm": arm_name, "strength": strength, "seed": seed})
            rows[-1] |= {"train": reads(says(net, "train"), "train"), "test": reads(chances, "test")}
            print(rows[-1], flush=True)
    rows.append({"arm": "ensemble of three", "strength": 0.0, "seed": 0, "train": float("nan")})
    rows[-1]["test"] = reads(np.mean(together, axis=0), "test")
    return rows


def main() -> int:
    """What the command asks for."""
    if sys.argv[1:] == ["ordinary"]:
        write("regularization-ordinary.csv", [{**row, **about()} for row in ordinary_rows()])
        return 0
    if sys.argv[1:] == ["draws"]:
        write("regularization-draws.csv", [{**row, **about()} for row in draws()])
        return 0
    if sys.argv[1:] == ["strengths"]:
        rows = search("right", tuple(REMEDIES)) + search("wrong", IN_WRONG)
        write("regularization-strengths.csv", [{**row, **about()} for row in rows])
        return 0
    return trials.main()


RIGHT = race("right", tuple(REMEDIES), (2_000, 4_000))
WRONG = race("wrong", IN_WRONG, (2_000,))

if __name__ == "__main__":
    raise SystemExit(main())

"""The trials of chapter training/transfer-learning: what a net that knows ImageNet is worth for ants, signs and digits.

    python chapters/training/transfer_learning_trials.py                  # fine-tuning: three minutes on one core
    python chapters/training/transfer_learning_trials.py features         # frozen features: three minutes
    python chapters/training/transfer_learning_trials.py scratch          # a net that keeps nothing, on signs: two minutes
    python chapters/training/transfer_learning_trials.py statistics       # changed photographs: two minutes

The first writes data/results/transfer-fine-tuning.csv, the others data/results/transfer-features.csv,
data/results/transfer-scratch.csv and data/results/transfer-statistics.csv.  They need the sets hymenoptera, gtsrb32 and mnist, and the weights mobilenet_v2_035_notop and mobilenet_v2_uint8, none of which the project holds.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import keras
import numpy as np

from cnnkit import data, training, trials
from cnnkit._names import needed
from cnnkit.course import recording

Part = tuple[np.ndarray, np.ndarray]
#: The ten kinds of signs with most photographs.
SIGNS = (1, 2, 4, 5, 9, 10, 12, 13, 25, 38)
SIDES = {"ants and bees": 128, "signs": 64, "digits": 64}
DEPTHS = (
    "Conv1_relu", "block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_10_expand_relu",
    "block_13_expand_relu", "block_16_expand_relu", "out_relu",
)  # fmt: skip
EARLY, MIDDLE, LAST = "block_6_expand_relu", "block_13_expand_relu", "out_relu"


def pictures(name: str) -> tuple[Part, Part]:
    """A set's training pool and test part, as its net wants them: in colour, at its side, from -1 to 1.

    The pool of signs has one frame a track, so that no sign is seen twice.
    """
    side = SIDES[name]
    if name == "ants and bees":
        (x, y), (x_test, y_test) = data.load("hymenoptera", size=side)
    elif name == "signs":
        (x, y), (x_test, y_test) = data.load("gtsrb32")
        x, y = x[::2], y[::2]
        own, own_test = np.isin(y, SIGNS), np.isin(y_test, SIGNS)
        x, y = x[own], np.searchsorted(SIGNS, y[own])
        x_test, y_test = x_test[own_test], np.searchsorted(SIGNS, y_test[own_test])
    else:
        (x, y), (x_test, y_test) = data.load("mnist")
        x, y, x_test, y_test = x[:800], y[:800], x_test[:600], y_test[:600]
    return (enlarged(x, side), y), (enlarged(x_test, side), y_test)


def enlarged(x: np.ndarray, side: int) -> np.ndarray:
    """Images from 0 to 1 in three colours, `side` pixels wide, from -1 to 1."""
    x = np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
    return keras.ops.convert_to_numpy(keras.ops.image.resize(x, (side, side))) * 2 - 1


def draw(y: np.ndarray, each: int, seed: int) -> np.ndarray:
    """The places of so many examples of each class."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.choice(np.flatnonzero(y == kind), each, False) for kind in np.unique(y)])


def body(kind: str, x: np.ndarray, seed: int = 0) -> keras.Model:
    """MobileNetV2, width 0.35, without its top.

    Args:
        kind: "learned" on ImageNet; "shuffled", the same with each kernel's numbers in another order; "random", as Keras
            draws. The two controls get the batch statistics of `x`, and so does "learned, restated".
        x: images of the set.
        seed: of order and chance.
    """
    keras.utils.set_random_seed(seed)
    net = keras.applications.MobileNetV2(input_shape=x.shape[1:], alpha=0.35, include_top=False, weights=None)
    if kind != "random":
        net.load_weights(data.fetch("mobilenet_v2_035_notop") / "mobilenet_v2_0.35_224_notop.weights.h5")
    if kind == "shuffled":
        training.shuffle_weights(net, seed)
    if kind != "learned":
        training.restate_norms(net, x[:512], batch_size=256)
    return net


def read(f: np.ndarray, y: np.ndarray) -> Any:
    """A linear reader; its penalty is chosen by leaving out each example in turn."""
    models, pipeline = needed("sklearn.linear_model", "course"), needed("sklearn.pipeline", "course")
    scaler = needed("sklearn.preprocessing", "course").StandardScaler()
    return pipeline.make_pipeline(scaler, models.RidgeClassifierCV(10.0 ** np.arange(-1, 6))).fit(f, y)


def gradients_of(x: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients: how features were made by hand."""
    hog = needed("skimage.feature", "course").hog
    cell = x.shape[1] // 8
    return np.array(
        [hog(image.mean(axis=-1), pixels_per_cell=(cell, cell), cells_per_block=(2, 2)) for image in x]
    )


def colours_of(x: np.ndarray) -> np.ndarray:
    """How much there is of each of 64 colours."""
    bins = np.clip(((x + 1) * 2).astype(int), 0, 3) @ np.array([16, 4, 1])
    return np.sqrt([np.bincount(image.ravel(), minlength=64) / image.size for image in bins])


def pixels_of(x: np.ndarray) -> np.ndarray:
    """The picture itself, at a side of 32."""
    step = x.shape[1] // 32
    return x.reshape(len(x), 32, step, 32, step, 3).mean(axis=(2, 4)).reshape(len(x), -1)


def nearest(f: np.ndarray, y: np.ndarray) -> Any:
    """The most similar picture decides."""
    return needed("sklearn.neighbors", "course").KNeighborsClassifier(1).fit(f, y)


def thousand_classes(side: int) -> keras.Model:
    """The whole classifier for ImageNet: MobileNetV2 whose weights Google keeps in eight bits, batch norms folded."""
    net = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), weights=None, classes=1000, classifier_activation=None
    )
    stored = np.load(data.fetch("mobilenet_v2_uint8") / "mobilenet_v2_1.0_224_uint8.npz")
    bias = None
    for layer in net.layers:
        if f"{layer.name}/q" in stored:
            scale, zero = stored[f"{layer.name}/scale_zero"]
            kernel, bias = (stored[f"{layer.name}/q"] - zero) * scale, stored[f"{layer.name}/bias"]
            layer.set_weights([kernel, bias] if layer.use_bias else [kernel])
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [np.ones_like(bias), bias, np.zeros_like(bias), np.full_like(bias, 1 - layer.epsilon)]
            )
    return net


def named(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """What ImageNet's own thousand scores say of ants and bees: the better of its two words, and its first word of all."""
    scores = thousand_classes(x.shape[1]).predict(x, batch_size=64, verbose=0)
    ant, bee = 310, 309
    first = scores.argmax(axis=1)
    return {
        "pair": float(np.mean((scores[:, bee] > scores[:, ant]) == y)),
        "first": float(np.mean(first == np.array([ant, bee])[y])),
    }


LABELS = {"ants and bees": (5, 10, 20, 60), "signs": (5, 10, 20, 40), "digits": (5, 10, 20, 60)}
BY_HAND = {
    "pixels, linear": (pixels_of, read),
    "pixels, nearest neighbour": (pixels_of, nearest),
    "colours, linear": (colours_of, read),
    "gradients (HOG), linear": (gradients_of, read),
}


def features() -> None:
    """Frozen features: by weights, depth, number of labels, and whether places are kept; and what needs no trained net."""
    rows: list[dict[str, Any]] = []
    for name, counts in LABELS.items():
        (x, y), (x_test, y_test) = pictures(name)
        draws = {(each, seed): draw(y, each, seed) for each in counts for seed in range(5)}

        def judge(
            told: dict[str, Any], rows_: np.ndarray, test: np.ndarray, each: int, seed: int, fit: Any = read,
            name: str = name, y: np.ndarray = y, y_test: np.ndarray = y_test, draws: Any = draws, out: list[dict[str, Any]] = rows,
        ) -> None:  # fmt: skip
            place = draws[each, seed]
            reader = fit(rows_[place], y[place])
            scores = {"train": reader.score(rows_[place], y[place]), "test": reader.score(test, y_test)}
            told = {"set": name, **told, "labels": each, "draw": seed}
            out.append(
                told | {part: round(float(score), 4) for part, score in scores.items()} | recording.about()
            )

        if name == "ants and bees":
            told = {
                "set": name,
                "reader": "ImageNet's own scores",
                "depth": "",
                "seen": "",
                "labels": 0,
                "draw": 0,
                "train": "",
            }
            rows += [
                told | {"depth": what, "test": round(score, 4)} | recording.about()
                for what, score in named(x_test, y_test).items()
            ]
        for what, (seen, fit) in BY_HAND.items():
            f, f_test = seen(x), seen(x_test)
            for each, seed in draws:
                judge({"reader": what, "depth": "", "seen": ""}, f, f_test, each, seed, fit)
        for kind in ("learned", "shuffled", "random"):
            for seed in range(5):
                if seed == 0 or kind != "learned":  # a control is made anew for each draw of the labels
                    found = in_places(body(kind, x, seed), np.concatenate([x, x_test]))
                    f, f_test = (
                        {depth: part[own] for depth, part in found.items()}
                        for own in (slice(len(x)), slice(len(x), None))
                    )
                for each in counts:
                    for depth in DEPTHS if each == 20 else (EARLY, MIDDLE, LAST):
                        averages = f[depth].mean(axis=1), f_test[depth].mean(axis=1)
                        places = (part.reshape(len(part), -1) for part in (f[depth], f_test[depth]))
                        for seen, (own, own_test) in (("averages", averages), ("places", places)):
                            told = {"reader": kind, "depth": depth, "seen": seen}
                            judge(told, own, own_test, each, seed)
            print(name, kind, flush=True)
            recording.write("transfer-features.csv", rows)


def in_places(net: keras.Model, x: np.ndarray) -> dict[str, np.ndarray]:
    """What each depth says in each of 4 x 4 places, or in all where its maps are smaller: `(images, places, channels)`."""
    means = {}
    for depth in DEPTHS:
        maps = net.get_layer(depth).output
        means[depth] = keras.layers.AveragePooling2D(max(maps.shape[1] // 4, 1))(maps)
    found = keras.Model(net.inputs, means).predict(x, batch_size=64, verbose=0)
    return {depth: part.reshape(len(x), -1, part.shape[-1]) for depth, part in found.items()}


STEPS, RATES = 300, (1e-3, 3e-3, 1e-2)


def beginner(side: int, kinds: int) -> keras.Model:
    """The rival that keeps nothing: two convolutions, trained from random weights, with places kept for the last layer."""
    return keras.Sequential(
        [
            keras.Input((side, side, 3)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(kinds),
        ]
    )


def scratch() -> None:
    """A small net from scratch, on the pixels at a side of 32: its rate is chosen at twenty labels a class,
    on pictures of the pool that were not drawn."""
    rows: list[dict[str, Any]] = []
    for name in ("signs",):
        counts = LABELS[name]
        (x, y), (x_test, y_test) = pictures(name)
        x, x_test = (pixels_of(part).reshape(-1, 32, 32, 3) for part in (x, x_test))

        def learn(
            each: int, seed: int, rate: float, part: str, steps: int = STEPS, name: str = name, x: np.ndarray = x,
            y: np.ndarray = y, judged: Part = (x_test, y_test), out: list[dict[str, Any]] = rows,
        ) -> float:  # fmt: skip
            place = draw(y, each, seed)
            if part == "validation":
                left = np.setdiff1d(np.arange(len(y)), place)
                judged = x[left], y[left]
            keras.utils.set_random_seed(seed)
            net = beginner(x.shape[1], len(np.unique(y)))
            how = training.Recipe("Adam", rate=rate, momentum=None, batch_size=32)
            seen = np.resize(place, 32 * steps // 2)  # as often as it takes
            training.fit(net, (x[seen], y[seen]), recipe=how, epochs=2, seed=seed, verbose=0)
            train, score = (
                float(np.mean(net.predict(a, batch_size=256, verbose=0).argmax(axis=1) == b))
                for a, b in ((x[place], y[place]), judged)
            )
            told = {
                "set": name,
                "labels": each,
                "draw": seed,
                "rate": rate,
                "steps": steps,
                "judged on": part,
            }
            out.append(told | {"train": round(train, 4), "score": round(score, 4)} | recording.about())
            return score

        chosen = max(RATES, key=lambda rate: learn(20, 100, rate, "validation"))
        for each in counts:
            for seed in range(5):
                learn(each, seed, chosen, "test")
            if each == 20:
                for seed in range(3):
                    learn(each, seed, chosen, "test", 2 * STEPS)
            print(name, each, chosen, flush=True)
            recording.write("transfer-scratch.csv", rows)


CHANGES = ("none", "grey", "dark", "pale", "gamma", "negative", "blurred")


def changed(x: np.ndarray, how: str) -> np.ndarray:
    """Photographs, from -1 to 1, as another camera might have taken them."""
    light = (x + 1) / 2
    if how == "grey":
        light = np.broadcast_to(light.mean(axis=-1, keepdims=True), light.shape)
    elif how == "dark":
        light = 0.25 * light
    elif how == "pale":
        light = 0.75 + 0.25 * light
    elif how == "gamma":
        light = light**3
    elif how == "negative":
        light = 1 - light
    elif how == "blurred":
        light = needed("scipy.ndimage", "course").gaussian_filter(light, (0, 2, 2, 0))
    return (2 * light - 1).astype("float32")


def stretched(x: np.ndarray) -> np.ndarray:
    """Each picture given mean and deviation of an ordinary photograph: the remedy that needs no net."""
    centred = x - x.mean(axis=(1, 2, 3), keepdims=True)
    return 0.5 * centred / (centred.std(axis=(1, 2, 3), keepdims=True) + 1e-3) - 0.1


def ending(net: keras.Model) -> Any:
    """What gives the features at a net's end, with the weights that it has then; built once."""
    below = keras.Model(net.input, keras.layers.GlobalAveragePooling2D()(net.get_layer(LAST).output))
    return lambda x: below.predict(x, batch_size=64, verbose=0)


def statistics() -> None:
    """Five readers that know sixty clean photographs a class are shown changed ones, with ImageNet's statistics or theirs."""
    (x, y), (x_test, y_test) = pictures("ants and bees")
    rows: list[dict[str, Any]] = []
    known, own = body("learned", x), body("learned, restated", x)
    end, own_end = ending(known), ending(own)
    clean, straight, restated = end(x), end(stretched(x)), own_end(x)
    draws = [draw(y, 60, seed) for seed in range(5)]
    readers, straight_readers, own_readers = (
        [read(f[some], y[some]) for some in draws] for f in (clean, straight, restated)
    )
    of_clean = own.get_weights()
    for change in CHANGES:
        new, new_test = changed(x, change), changed(x_test, change)
        found, theirs = end(new_test), end(new)
        aligned = (found - theirs.mean(axis=0)) / (theirs.std(axis=0) + 1e-3)
        aligned = aligned * clean.std(axis=0) + clean.mean(axis=0)
        own.set_weights(of_clean)
        judged = [
            ("ImageNet's", 0, readers, [found] * 5),
            ("ImageNet's, last features aligned", len(new), readers, [aligned] * 5),
            ("ImageNet's, pictures stretched", 0, straight_readers, [end(stretched(new_test))] * 5),
            ("of clean photographs", len(new), own_readers, [own_end(new_test)] * 5),
        ]
        for count in (16, len(new)):
            seen = []
            for seed in range(5 if count < len(new) else 1):
                some = np.random.default_rng(seed).permutation(len(new))[:count]
                training.restate_norms(own, new[some], batch_size=256)
                seen.append(own_end(new_test))
            judged.append(("of photographs like it", count, own_readers, seen * (5 // len(seen))))
        for what, count, fitted, features_ in judged:
            for seed, (reader, f) in enumerate(zip(fitted, features_, strict=True)):
                told = {"change": change, "statistics": what, "pictures": count, "draw": seed}
                score = reader.score(f, y_test)
                rows.append(told | {"test": round(float(score), 4)} | recording.about())
        print(change, flush=True)
        recording.write("transfer-statistics.csv", rows)


BATCH = 4


def normed(digits: int) -> keras.Model:
    """Three convolutions, each with a batch norm, on digits of 8 x 8."""
    parts: list[keras.Layer] = [keras.Input((8, 8, 1))]
    for place, filters in enumerate((16, 32, 64)):
        parts += [keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{place}")]
        parts += [keras.layers.BatchNormalization(name=f"norm{place}"), keras.layers.ReLU()]
        parts += [keras.layers.MaxPooling2D()] if place == 1 else []
    pooled = keras.layers.GlobalMaxPooling2D(name="features")
    return keras.Sequential([*parts, pooled, keras.layers.Dense(digits, name="scores")])


@functools.cache
def knows_0_to_4() -> list[np.ndarray]:
    """The weights of such a net that has learned the first five digits."""
    (x, y), _ = data.load("digits")
    keras.utils.set_random_seed(0)
    net = normed(5)
    how = training.Recipe("Adam", rate=3e-3, momentum=None, batch_size=64)
    training.fit(net, (x[y < 5], y[y < 5]), recipe=how, epochs=40, verbose=0)
    return net.get_weights()[:-2]


def last_five() -> tuple[Part, Part]:
    """The digits 5 to 9, as the classes 0 to 4."""
    (x, y), (x_test, y_test) = data.load("digits")
    return (x[y >= 5], y[y >= 5] - 5), (x_test[y_test >= 5], y_test[y_test >= 5] - 5)


def classifier(x: np.ndarray, seed: int) -> keras.Model:
    """The net with a new last layer.

    Its features are brought to mean 0 and deviation 1 by constants, those of the training images at the start, and its scores
    begin at zero, so that every arm begins at the same loss.
    """
    keras.utils.set_random_seed(seed)
    net = normed(5)
    net.set_weights([*knows_0_to_4(), *net.get_weights()[-2:]])
    below = net.get_layer("features").output
    found = keras.ops.convert_to_numpy(keras.Model(net.inputs[0], below)(x, training=False))
    standard = keras.layers.Normalization(mean=found.mean(axis=0), variance=found.var(axis=0) + 1e-3)
    scores = keras.layers.Dense(5, kernel_initializer="zeros", name="new_scores")
    return keras.Model(net.inputs[0], scores(standard(below)))


def tuned(norms: bool = True, by_depth: bool = False) -> trials.Learner:
    """An arm: `norms` lets the batch norms learn, `by_depth` gives each layer 2.6 times the rate of the one before."""

    def fit(x: np.ndarray, y: np.ndarray, rate: float, epochs: int, seed: int) -> keras.Model:
        net = classifier(x, seed)
        if not norms:
            training.freeze_norms(net)
        rates = training.rates_by_depth(net, 2.6) if by_depth else None
        how = training.Recipe(rate=rate, batch_size=BATCH, warmup=0.1, rates=rates)
        try:
            training.fit(net, (x, y), recipe=how, epochs=epochs, seed=seed, verbose=0)
        except training.TrainingError:  # too large a rate explodes, and its scores say so
            return None
        return net

    def predict(net: keras.Model | None, x: np.ndarray) -> np.ndarray:
        return np.full((len(x), 5), np.nan) if net is None else net.predict(x, batch_size=512, verbose=0)

    return trials.Learner(fit, predict)


def frozen() -> trials.Learner:
    """The same features, never trained again, under a linear reader whose penalty is chosen by leaving out each example."""

    def fit(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        net = classifier(x, 0)
        below = keras.Model(net.inputs[0], net.layers[-2].output)
        return below, read(below.predict(x, verbose=0), y)

    def predict(fitted: Any, x: np.ndarray) -> np.ndarray:
        return fitted[1].predict(fitted[0].predict(x, verbose=0))

    return trials.Learner(fit, predict, has_rate=False, has_budget=False)


fine_tuning = trials.trial(
    "transfer-fine-tuning",
    arms={
        "all learn": tuned(),
        "norms frozen": tuned(norms=False),
        "norms frozen, rates by depth": tuned(norms=False, by_depth=True),
    },
    data=trials.split(last_five, train=50, validation=300, name="digits 5 to 9"),
    rates=(0.003, 0.01, 0.03),
    training=trials.Training(epochs=16, batch_size=BATCH),
    settle=False,
    widenings=2,
    rivals={"frozen, linear": frozen()},
)

if __name__ == "__main__":
    others = {"features": features, "scratch": scratch, "statistics": statistics}
    asked = [what for what in sys.argv[1:] if what in others]
    for what in asked:
        others[what]()
    if not asked:
        raise SystemExit(trials.main())

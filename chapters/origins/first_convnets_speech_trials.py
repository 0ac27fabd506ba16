"""The first nets for speech and muscles, five seeds each: data/results/speech-nets-5-seeds.csv.

    python chapters/origins/first_convnets_speech_trials.py

All speech is synthetic (`cnnkit.data.sounds`), and the voices that test are never those that taught. Each row is the
accuracy of one trained net under one condition: `time` (everything so many frames later), `frequency` (so many bands
higher, and voices with shorter vocal tracts), `words` (six words of two syllables), `rooms` (reverberation), and
`emg`, where it is the F1 score of the spikes found. Rows that the file holds already are kept.
"""

from __future__ import annotations

import os
import platform

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from cnnkit import data, origins
from cnnkit._paths import resource

TABLE = resource("results") / "speech-nets-5-seeds.csv"
SEEDS = 5
VERSIONS = (
    f"Keras {keras.__version__} on {keras.backend.backend()}, {platform.machine()}, {os.cpu_count()} cores"
)
SYLLABLES = ("ba", "di", "gu", "do")
WORDS = ("badi", "gudo", "bagu", "dido", "doba", "digu")
ANAGRAMS = ("badi", "diba", "gudo", "dogu", "bagu", "guba")


def dense_net(hidden: int = 8) -> keras.Model:
    """No weight is shared: every hidden unit sees all frames and all bands."""
    layers = keras.layers
    inputs = keras.Input((15, 16), name="speech")
    x = layers.Dense(hidden, activation="tanh")(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Dense(3, activation="sigmoid")(x), name="dense")


def train(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    rate: float,
    epochs: int,
    loss: object = "mse",
    batch: int = 50,
) -> keras.Model:
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    model.fit(x, y, epochs=epochs, batch_size=batch, verbose=0)
    return model


def accuracy(model: keras.Model, frames: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(np.asarray(model.predict_on_batch(frames)).argmax(-1) == labels))


def stops(seed: int) -> dict:
    """Shifts in time and in frequency: the time-delay net, its sister in two dimensions, and two dense nets."""
    taught = data.spoken_stops(600, (4, 3), data.voices(20, (0.93, 1.07), seed=3), seed=1)
    tested = data.spoken_stops(600, (4, 3), data.voices(20, (0.93, 1.07), seed=4), seed=2)
    short = data.spoken_stops(600, (4, 3), data.voices(20, (1.15, 1.3), seed=4), seed=2)
    centred, labels = data.window_of(taught.frames), np.eye(3)[taught.labels]
    moved = np.concatenate([data.window_of(taught.frames, k) for k in range(-4, 5)])
    recipes = {
        "tdnn": (origins.tdnn, centred, labels, 3e-2, 40),
        "tdnn 2d": (origins.tdnn_2d, centred, labels, 2e-2, 40),
        "dense": (dense_net, centred, labels, 1e-2, 40),
        "dense, taught all shifts": (dense_net, moved, np.tile(labels, (9, 1)), 1e-2, 10),
    }
    results = {}
    for name, (build, x, y, rate, epochs) in recipes.items():
        keras.utils.set_random_seed(seed)
        model = train(build(), x, y, rate, epochs)
        for k in range(-4, 5):
            results["time", name, f"{k:+d}"] = accuracy(
                model, data.window_of(tested.frames, k), tested.labels
            )
        for k in range(-3, 4):
            results["frequency", name, f"{k:+d}"] = accuracy(
                model, data.window_of(tested.frames, 0, k), tested.labels
            )
        results["frequency", name, "short tracts"] = accuracy(
            model, data.window_of(short.frames), short.labels
        )
    return results


def words(seed: int) -> dict:
    """Syllable detectors merged over time in three ways, at a time and at speeds that were not taught."""
    people, others = data.voices(30, seed=3), data.voices(20, seed=4)
    syllables = data.spoken_syllables(SYLLABLES, 600, people, seed=1)
    tests = {
        "as taught": data.spoken_words(WORDS, 300, speakers=others, seed=6),
        "later": data.spoken_words(WORDS, 300, late=(0.25, 0.3), speakers=others, seed=6),
        "slower": data.spoken_words(WORDS, 300, speakers=data.voices(20, speed=(0.6, 0.7), seed=4), seed=6),
        "faster": data.spoken_words(WORDS, 300, speakers=data.voices(20, speed=(1.4, 1.6), seed=4), seed=6),
        "anagrams": data.spoken_words(ANAGRAMS, 300, speakers=others, seed=6),
    }
    taught = data.spoken_words(WORDS, 300, speakers=people, seed=5)
    anagrams = data.spoken_words(ANAGRAMS, 300, speakers=people, seed=5)
    keras.utils.set_random_seed(seed)
    bank = train(origins.syllable_tdnns(4), syllables.frames, np.eye(4)[syllables.labels], 3e-2, 30)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    results = {}
    for name, pooling, parts in (
        ("max", "max", 1),
        ("average", "average", 1),
        ("none", "none", 1),
        ("max in 3", "max", 3),
    ):
        for vocabulary, speech in (("words", taught), ("anagrams", anagrams)):
            keras.utils.set_random_seed(seed)
            net = origins.word_network(origins.syllable_detectors(bank, 90), 6, pooling, parts)
            train(net, speech.frames, np.eye(6)[speech.labels], 1e-2, 30, loss)
            for condition, test in tests.items():
                if (condition == "anagrams") == (vocabulary == "anagrams"):
                    results["words", name, condition] = accuracy(net, test.frames, test.labels)
    return results


def rooms(seed: int) -> dict:
    """The time-delay net taught close to the microphone, in rooms, and in both; equal numbers of steps."""
    people, others = data.voices(30, seed=3), data.voices(20, seed=4)
    known = [
        data.room_response(t, d, seed=k)
        for k, (t, d) in enumerate((t, d) for t in (0.3, 0.5, 0.7, 0.9) for d in (0.1, 0.2, 0.4))
    ]
    new = [
        data.room_response(t, d, seed=100 + k)
        for k, (t, d) in enumerate((t, d) for t in (0.4, 0.6, 0.8) for d in (0.15, 0.3))
    ]
    options = {"noise": 0.1, "running": True}
    near = data.spoken_stops(600, speakers=people, seed=1, **options)
    far = data.spoken_stops(600, speakers=people, seed=1, rooms=known, **options)
    tests = {
        "near": data.spoken_stops(600, speakers=others, seed=2, **options),
        "far": data.spoken_stops(600, speakers=others, seed=2, rooms=new, **options),
    }
    both = np.concatenate([near.frames, far.frames]), np.concatenate([near.labels, far.labels])
    results = {}
    for name, (x, y), epochs in (
        ("taught near", (near.frames, near.labels), 60),
        ("taught far", (far.frames, far.labels), 60),
        ("taught both", both, 30),
    ):
        keras.utils.set_random_seed(seed)
        model = train(origins.tdnn(), x, np.eye(3)[y], 3e-2, epochs)
        for condition, test in tests.items():
            results["rooms", name, condition] = accuracy(model, test.frames, test.labels)
    return results


def muscles(seed: int) -> dict:
    """Spikes by matched filter, by Wiener's inverse, by a learned linear filter and by a net; muscles differ by seed."""
    results = {}
    for noise in (0.1, 0.2, 0.4):
        shapes = data.motor_units(3, seed=seed)
        taught = data.electromyogram(40, 1000, shapes, noise=noise, seed=10 + seed)
        tested = data.electromyogram(10, 2000, shapes, noise=noise, seed=100 + seed)
        sigma = noise * float(np.abs(shapes).max())
        filters = {
            "matched filter": origins.matched_filters(shapes),
            "Wiener": origins.wiener_filters(shapes, float(taught.spikes.mean()), sigma),
        }
        traces = {
            name: [origins.apply_filters(e.signals, f) for e in (taught, tested)]
            for name, f in filters.items()
        }
        for name, build, rate, loss in (
            ("learned linear", origins.inverse_filter_net, 1e-3, "mse"),
            ("deconvolution net", origins.deconvolution_net, 1e-2, "binary_crossentropy"),
        ):
            keras.utils.set_random_seed(seed)
            model = train(build(), taught.signals, taught.spikes, rate, 60, loss, batch=10)
            traces[name] = [np.asarray(model.predict_on_batch(e.signals)) for e in (taught, tested)]
        for name, (known, new) in traces.items():
            thresholds = origins.best_thresholds(known, taught.spikes)
            score = origins.score_spikes(origins.find_spikes(new, thresholds), tested.spikes)
            results["emg", name, f"noise {noise}"] = score.f1
    return results


def main() -> None:
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["experiment"], row["seed"]) for row in rows}
    studies = {"time": stops, "words": words, "rooms": rooms, "emg": muscles}
    for seed in range(SEEDS):
        for study, measure in studies.items():
            if (study, seed) in done:
                continue
            for (experiment, net, condition), value in measure(seed).items():
                row = {"experiment": experiment, "net": net, "condition": condition, "seed": seed}
                rows.append(row | {"score": value, "versions": VERSIONS})
            print(seed, study, flush=True)
            pd.DataFrame(rows).round(4).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()

"""A pyramid that fills in what a grey square covers of a digit: data/results/pyramid-digits-5-seeds.csv.

    python chapters/origins/first_convnets_pyramid_trials.py

A grey square of 4x4 pixels covers a part of each of scikit-learn's 8x8 digits; Behnke's recurrent network, with six
iterations in training and twenty in the test, against the same links used once each, feed-forward.  Both see the same
pictures, 30 passes.  The weights of the recurrent one with seed 0 go to `data/weights/pyramid-digits.weights.h5`.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from cnnkit import data
from cnnkit._paths import resource
from cnnkit.course.recording import about, write
from cnnkit.origins import abstraction_pyramid, occlude

ITERATIONS, LONGER, BATCH = 6, 20, 32


def fill_in(
    recurrent: bool, seed: int, passes: int = 30, channels: tuple[int, int, int] = (8, 16, 32)
) -> keras.Model:
    """A pyramid taught to restore occluded digits: squared error, Adam with a cosine, a new square every time."""
    (x, _), _ = data.load("digits")
    keras.utils.set_random_seed(seed)
    model = abstraction_pyramid(ITERATIONS, channels, recurrent=recurrent)
    covered = np.concatenate([occlude(x, seed=1000 * seed + one)[0] for one in range(passes)])
    steps = -(-len(covered) // BATCH)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)), "mse")
    whole = np.repeat(np.tile(x, (passes, 1, 1, 1))[:, None], model.output_shape[1], axis=1)
    model.fit(covered, whole, batch_size=BATCH, shuffle=False, verbose=0)
    return model


def damage(model: keras.Model) -> tuple[list[float], float]:
    """Mean squared error under the square after each iteration, on the test digits, and that of the grey square."""
    _, (x, _) = data.load("digits")
    covered, masks = occlude(x, seed=99)
    repaired = keras.ops.convert_to_numpy(model(covered))
    errors = [float(np.mean((picture - x)[masks] ** 2)) for picture in np.moveaxis(repaired, 1, 0)]
    return errors, float(np.mean((covered - x)[masks] ** 2))


def main(seeds: int = 5) -> None:
    """Recurrent and feed-forward, the same links."""
    rows = []
    for seed in range(seeds):
        for recurrent in (True, False):
            started = time.process_time()
            model = fill_in(recurrent, seed)
            seconds = round(time.process_time() - started, 1)
            if recurrent and seed == 0:
                model.save_weights(resource("weights") / "pyramid-digits.weights.h5")
            if recurrent:
                longer = abstraction_pyramid(LONGER)
                longer.set_weights(model.get_weights())
                model = longer
            errors, before = damage(model)
            for number, error in enumerate(errors, 1):
                rows.append(
                    {
                        "net": "recurrent" if recurrent else "feed-forward",
                        "seed": seed,
                        "iteration": number,
                        "error": round(error, 5),
                        "error_of_the_grey_square": round(before, 5),
                        "parameters": model.count_params(),
                        "cpu_seconds": seconds,
                        **about(),
                    }
                )
            print(recurrent, seed, [round(e, 4) for e in errors], seconds, flush=True)
    write("pyramid-digits-5-seeds.csv", rows)


if __name__ == "__main__":
    main()

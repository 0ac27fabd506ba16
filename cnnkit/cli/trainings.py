"""`cnnkit train`, `evaluate`, `predict` and `launch`: a network from its name to its answers, at a prompt."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.cli import files
from cnnkit.cli.parts import Mistake, part
from cnnkit.cli.printing import print_json, print_table

__all__: list[str] = []

_WHITE = 255.0


def train(options: argparse.Namespace) -> int:
    """Train a registered network on a data set, and say how it reads what it has not seen."""
    files.import_modules(options.module)
    training, networks = part("training"), part("models")
    (x, y), held = _data(options.data)
    card = networks.card(options.model)
    asked: dict[str, Any] = {"classes": int(y.max()) + 1}
    pixels = card.preprocessing is not None
    if pixels:
        asked["preprocess"] = True  # a saved network remembers what it wants done to an image
    else:
        asked["input_shape"] = x.shape[1:]
    model = networks.create(options.model, **asked)
    changes = {
        name: getattr(options, name) for name in ("rate", "batch_size") if getattr(options, name) is not None
    }
    run = training.fit(
        model,
        (_as_pixels(_grey_where_wanted(x, model), pixels), y),
        validation=held and (_as_pixels(_grey_where_wanted(held[0], model), pixels), held[1]),
        recipe=training.recipe(options.recipe).but(**changes),
        epochs=options.epochs,
        seed=options.seed,
        out=options.out,
        fresh=options.fresh,
        distribute=options.distribute,
        verbose=0 if options.json else "auto",
    )
    if options.json:
        return print_json({"chosen": run.chosen, "seconds": run.seconds, "epochs": run.rows})
    print(run)
    print(f"kept in {Path(options.out) / 'last.keras'}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """How a saved network reads the test part of a data set."""
    model = files.saved_model(options.model)
    _, held = _data(options.data)
    if held is None:
        raise Mistake(
            f"'{options.data}' has no test part: give x_test and y_test, or the folders train and test"
        )
    read = _probabilities(model, held[0]).argmax(axis=-1)
    if held[1].shape != read.shape:
        raise Mistake(
            f"'{options.data}' asks for answers of shape {held[1].shape[1:]}, and the network gives {read.shape[1:]}"
        )
    found = {"examples": len(read), "accuracy": float((read == held[1]).mean())}
    if options.json:
        return print_json(found)
    print(f"{found['accuracy']:.2%} of {len(read):,} examples")
    return 0


def predict(options: argparse.Namespace) -> int:
    """What a saved network reads in image files."""
    model = files.saved_model(options.model)
    labels = _labels(options.labels)
    rows = []
    for path in options.images:
        scores = _probabilities(model, _picture(path, model)[None])[0]
        if scores.ndim > 1:
            raise Mistake(
                f"'{options.model}' answers for each place of an image, and not for the whole of it"
            )
        if labels and len(labels) < len(scores):
            raise Mistake(
                f"'{options.labels}' holds {len(labels)} labels, and '{options.model}' knows {len(scores)} classes"
            )
        for place in np.argsort(-scores)[: options.top]:
            label = labels[place] if labels else str(place)
            rows.append({"image": path, "label": label, "probability": round(float(scores[place]), 4)})
    if options.json:
        return print_json(rows)
    return print_table(
        ("image", "label", "probability"), [tuple(map(str, row.values())) for row in rows], right={2}
    )


def launch(options: argparse.Namespace) -> int:
    """Run a script in several processes that train together."""
    training = part("training")
    hosts = int(options.hosts) if options.hosts.isdigit() else options.hosts.split(",")
    try:
        training.launch(options.script, options.arguments, hosts=hosts, this=options.this, logs=options.logs)
    except training.HostError as error:
        raise Mistake(str(error)) from error
    return 0


def _data(name: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]:
    """Training and test part of a data set of ours, of an .npz file, or of a folder of images."""
    path = Path(name)
    if path.suffix == ".npz":
        if not path.is_file():
            raise Mistake(f"there is no file '{name}'")
        with np.load(path) as arrays:
            missing = {"x_train", "y_train"} - set(arrays.files)
            if missing:
                raise Mistake(
                    f"'{name}' holds {', '.join(arrays.files)}, and not {' and '.join(sorted(missing))}"
                )
            held = (arrays["x_test"], arrays["y_test"]) if {"x_test", "y_test"} <= set(arrays.files) else None
            return (arrays["x_train"], arrays["y_train"]), held
    if path.is_dir():
        if not (path / "train").is_dir():
            return _folder(path, _classes(path)), None
        classes = _classes(path / "train")
        learned = _folder(path / "train", classes)
        held = path / "test"
        if not held.is_dir():
            return learned, None
        if strange := set(_classes(held)) - set(classes):
            raise Mistake(
                f"'{held}' holds the classes {', '.join(sorted(strange))}, which '{path / 'train'}' does not"
            )
        return learned, _folder(held, classes, learned[0].shape[1:3])
    loaded = part("data").load(name)
    if not (
        isinstance(loaded, tuple) and len(loaded) == 2 and all(isinstance(each, tuple) for each in loaded)
    ):
        raise Mistake(f"'{name}' is no set of examples with labels: train on it by cnnkit.training.fit")
    return loaded


def _classes(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir() if each.is_dir() and each.name[0] != ".")


def _folder(
    path: Path, classes: list[str], size: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Images in folders that are named by their class; all are brought to one size, by default the first's."""
    import keras

    images, labels = [], []
    for place, name in enumerate(classes):
        for file in sorted((path / name).glob("[!.]*")):
            try:
                image = keras.utils.load_img(file, target_size=size)
            except Exception as error:
                raise Mistake(f"'{file}' is no image that can be read: {error}") from error
            size = size or image.size[::-1]
            images.append(keras.utils.img_to_array(image, dtype="uint8"))
            labels.append(place)
    if not images:
        raise Mistake(f"'{path}' holds no folders of images, one for each class")
    return np.stack(images), np.array(labels)


def _as_pixels(x: np.ndarray, pixels: bool) -> np.ndarray:
    """Numbers of 0 to 1 as those of 0 to 255 for a network that prepares images itself, and the other way round."""
    if pixels:
        return x if x.dtype == np.uint8 else (_WHITE * x).astype("float32")
    return (x / _WHITE).astype("float32") if x.dtype == np.uint8 else x


def _grey_where_wanted(x: np.ndarray, model: Any) -> np.ndarray:
    """Colours weighed as Pillow weighs them, for a network that takes grey."""
    if x.ndim == 4 and x.shape[-1] == 3 and model.input_shape[-1] == 1:
        return (x @ np.array([[0.299], [0.587], [0.114]])).astype(x.dtype)
    return x


def _prepares(model: Any) -> bool:
    return any(type(layer).__name__ in ("Preparation", "Rescaling") for layer in model._flatten_layers())


def _probabilities(model: Any, x: np.ndarray) -> np.ndarray:
    """Of each class, whether the network ends in them or in scores; of no and yes, where it has a single output."""
    outputs = np.asarray(model.predict(_as_pixels(_grey_where_wanted(x, model), _prepares(model)), verbose=0))
    scores = part("training").examples.activation(model) not in ("softmax", "sigmoid")
    if outputs.shape[-1] == 1:
        yes = 1 / (1 + np.exp(-outputs)) if scores else outputs
        return np.concatenate([1 - yes, yes], axis=-1)
    if not scores:
        return outputs
    raised = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def _picture(path: str, model: Any) -> np.ndarray:
    import keras

    if not Path(path).is_file():
        raise Mistake(f"there is no image '{path}'")
    shape = model.input_shape
    sides = None if None in shape[1:3] else tuple(shape[1:3])
    try:
        picture = keras.utils.load_img(
            path, color_mode="grayscale" if shape[-1] == 1 else "rgb", target_size=sides
        )
    except Exception as error:
        raise Mistake(f"'{path}' is no image that can be read: {error}") from error
    return keras.utils.img_to_array(picture, dtype="uint8")


def _labels(name: str | None) -> list[str]:
    if name is None:
        return []
    path = Path(name)
    if not path.is_file():
        raise Mistake(f"there is no file '{name}'; --labels names a text file with a label a line")
    return path.read_text("utf-8").splitlines()

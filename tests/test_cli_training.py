"""`cnnkit train`, `evaluate`, `predict` and `launch`, from a name to answers, and a line for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from cnnkit import cli
from cnnkit.cli import trainings
from cnnkit.cli.parts import Mistake


@pytest.fixture
def run(capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(each) for each in arguments])
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def bars(tmp_path_factory) -> Path:
    """Upright and level bars on 12 x 12: two classes that a network learns in a moment."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 0.2, (240, 12, 12, 1)).astype("float32"), rng.integers(0, 2, 240)
    for image, level in zip(x, y, strict=True):
        place = rng.integers(2, 10)
        image[(slice(None), place) if not level else (place, slice(None))] = 1.0
    path = tmp_path_factory.mktemp("bars") / "bars.npz"
    np.savez(path, x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:])
    return path


def test_from_a_name_to_answers(run, bars: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    order = (
        "train",
        "lenet5-modern",
        bars,
        "--out",
        out,
        "--epochs",
        6,
        "--batch-size",
        20,
        "--recipe",
        "adamw",
        "--json",
    )
    status, told, err = run(*order)
    assert status == 0, err
    assert [row["epoch"] for row in json.loads(told)["epochs"]] == [1, 2, 3, 4, 5, 6]
    assert run(*order)[0] == 0  # it is finished, and says so again
    status, told, _ = run("evaluate", out / "last.keras", bars)
    assert status == 0 and told.endswith("of 40 examples\n")
    assert float(told.split("%")[0]) > 90
    with np.load(bars) as arrays:
        for i in range(6):
            Image.fromarray((255 * arrays["x_test"][i, ..., 0]).astype("uint8")).save(tmp_path / f"{i}.png")
        labels = tmp_path / "labels.txt"
        labels.write_text("upright\nlevel", "utf-8")
        images = [tmp_path / f"{i}.png" for i in range(6)]
        status, told, _ = run("predict", out / "last.keras", *images, "--labels", labels, "--json")
        assert status == 0
        want = [["upright", "level"][label] for label in arrays["y_test"][:6]]
    assert sum(row["label"] == right for row, right in zip(json.loads(told), want, strict=True)) >= 5
    status, told, _ = run("predict", out / "last.keras", images[0], "--top", 2)
    assert status == 0 and len(told.splitlines()) == 3


def test_a_folder_of_images_is_a_data_set(run, tmp_path: Path) -> None:
    for name, shade in (("dark", 20), ("light", 230)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.full((12 + i, 12, 3), shade + i, "uint8")).save(
                tmp_path / "pictures" / name / f"{i}.png"
            )
    status, _, err = run(
        "train",
        "lenet5-modern",
        tmp_path / "pictures",
        "--out",
        tmp_path / "run",
        "--epochs",
        1,
        "--batch-size",
        8,
        "--json",
    )
    assert status == 0, err
    status, _, err = run("evaluate", tmp_path / "run" / "last.keras", tmp_path / "pictures")
    assert (status, "has no test part" in err) == (2, True)


def picture(path: Path, shade: int, side: int = 12) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, 12, 3), shade, "uint8")).save(path)


def test_a_test_folder_has_the_classes_and_the_size_of_the_training_folder(tmp_path: Path) -> None:
    for name, shade in (("dark", 20), ("light", 230)):
        picture(tmp_path / "train" / name / "a.png", shade)
    (tmp_path / "train" / "dark" / ".DS_Store").write_bytes(b"no image")
    picture(tmp_path / "test" / "light" / "a.png", 230, side=17)
    (x, y), (held, labels) = trainings._data(str(tmp_path))
    assert y.tolist() == [0, 1] and labels.tolist() == [1]
    assert held.shape[1:] == x.shape[1:] == (12, 12, 3)
    picture(tmp_path / "test" / "grey" / "a.png", 120)
    with pytest.raises(Mistake, match=r"test' holds the classes grey, which '.*train' does not"):
        trainings._data(str(tmp_path))
    (tmp_path / "train" / "dark" / "notes.txt").write_text("no image", "utf-8")
    with pytest.raises(Mistake, match=r"notes.txt' is no image that can be read"):
        trainings._data(str(tmp_path))


@pytest.mark.parametrize("activation, weight", [(None, 0.25), ("sigmoid", 0.25)])
def test_a_single_output_says_no_or_yes(run, tmp_path: Path, activation: str | None, weight: float) -> None:
    layers = [keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(1, activation=activation)]
    model = keras.Sequential([keras.Input((12, 12, 1)), *layers])
    model.set_weights([np.full((1, 1), weight), np.zeros(1)])
    model.save(tmp_path / "one.keras")
    x = np.ones((4, 12, 12, 1), "float32")
    np.savez(tmp_path / "set.npz", x_train=x, y_train=np.ones(4, int), x_test=x, y_test=np.ones(4, int))
    status, told, err = run("evaluate", tmp_path / "one.keras", tmp_path / "set.npz")
    assert (status, told) == (0, "100.00% of 4 examples\n"), err
    picture(tmp_path / "white.png", 255)
    status, told, _ = run("predict", tmp_path / "one.keras", tmp_path / "white.png", "--top", 2, "--json")
    first, second = json.loads(told)
    assert (first["label"], second["label"]) == ("1", "0")
    assert first["probability"] == pytest.approx(1 / (1 + np.exp(-weight)), abs=1e-3)
    (tmp_path / "labels.txt").write_text("yes\n", "utf-8")
    status, _, err = run(
        "predict", tmp_path / "one.keras", tmp_path / "white.png", "--labels", tmp_path / "labels.txt"
    )
    assert status == 2 and "holds 1 labels" in err and "knows 2 classes" in err


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("train", "lenet6", "digits", "--out", "OUT"), "did you mean"),
        (("train", "lenet5", "digitz", "--out", "OUT"), "did you mean 'digits'"),
        (("train", "lenet5", "none.npz", "--out", "OUT"), "there is no file 'none.npz'"),
        (("train", "lenet5", "digits", "--out", "OUT", "--recipe", "stedy"), "did you mean 'steady'"),
        (("train", "lenet5", "digits", "--out", "OUT", "--rate", "-1"), "rate above 0"),
        (("evaluate", "none.keras", "digits"), "none.keras"),
        (("predict", "none.keras", "a.png"), "none.keras"),
        (("launch", "--hosts", "2", "none.py"), "there is no script at none.py"),
        (("launch", "--hosts", "a:1,b:1", "none.py"), "there is no script"),
    ],
)
def test_a_mistake_is_one_line(run, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    status, _, err = run(*[str(tmp_path) if each == "OUT" else each for each in arguments])
    assert status == 2
    assert err.startswith("cnnkit: ") and told in err and err.count("\n") == 1

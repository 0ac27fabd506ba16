"""`cnnkit train`, `evaluate`, `predict` and `launch`, from a name to answers, and a line for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit import cli


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

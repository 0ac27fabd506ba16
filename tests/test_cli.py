"""The `cnnkit` command: what it prints for people, what for programs, and one line for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import cnnkit
from cnnkit import cli, data, models
from tests.layering import ROOT


@pytest.fixture
def run(capsys):
    """Run the command in this process; gives its exit status, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            status = cli.main(list(arguments))
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A machine without any data set."""
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    return tmp_path


def test_models_are_listed_with_their_parameters(run):
    status, out, _ = run("models")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == models.names()
    assert "60,000" in next(line for line in out.splitlines() if line.startswith("lenet5 "))


def test_models_for_a_program_are_their_cards(run):
    status, out, _ = run("models", "lenet5*", "--json")
    assert status == 0
    assert {card["name"]: card["parameters"] for card in json.loads(out)}["lenet5"] == 60_000


def test_a_card_is_shown_for_a_model_and_for_a_data_set(run):
    assert str(models.card("lenet5")) in run("card", "lenet5")[1]
    assert str(data.card("mnist")) in run("card", "mnist")[1]
    assert json.loads(run("card", "mnist", "--json")[1])["shape"] == [28, 28, 1]
    assert json.loads(run("card", "lenet1", "--json")[1])["year"] == 1989


def test_a_summary_counts_the_network(run):
    status, out, _ = run("summary", "lenet5")
    assert status == 0 and "60,000" in out and "C3" in out
    counted = json.loads(run("summary", "lenet5", "--json")[1])
    assert counted["parameters"] == 60_000 == sum(layer["parameters"] for layer in counted["layers"])
    assert counted["receptive_field"]["size"] == [32, 32]
    assert next(layer for layer in counted["layers"] if layer["layer"] == "C1")["multiply_adds"] == 117_600


def test_a_summary_takes_another_input_and_number_of_classes(run):
    counted = json.loads(
        run("summary", "lenet5-modern", "--classes", "3", "--input-shape", "48x48x1", "--json")[1]
    )
    assert counted["layers"][0]["output_shape"] == [None, 48, 48, 1]
    assert counted["layers"][-1]["output_shape"] == [None, 3]


def test_a_summary_of_a_saved_model_counts_what_keras_counts(run, tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()])
    model.save(tmp_path / "mine.keras")
    status, out, _ = run("summary", str(tmp_path / "mine.keras"), "--json")
    assert status == 0 and json.loads(out)["parameters"] == model.count_params() == 40


def test_data_sets_are_listed_with_where_they_are(run, empty):
    status, out, _ = run("data", "list")
    where = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert status == 0 and sorted(where) == data.names()
    assert "built in" in where["digits"] and "to fetch" in where["mnist"] and "by hand" in where["cora"]
    listed = {card["name"]: card for card in json.loads(run("data", "list", "*mnist", "--json")[1])}
    assert listed["mnist"]["available"] is False and listed["mnist"]["layouts"][0]["files"]


def test_a_data_set_that_is_built_in_needs_no_fetching(run, empty):
    assert run("data", "get", "digits")[:2] == (0, "digits: built in, nothing to fetch\n")
    assert json.loads(run("data", "get", "digits", "--json")[1]) == {"digits": None}


def test_a_file_that_is_not_whole_gives_status_1_and_its_name(run, empty):
    file = data.card("mnist").files[0].name
    (empty / "data" / "mnist" / file).write_bytes(b"cut off")
    status, out, _ = run("data", "verify", "mnist")
    assert status == 1 and f"damaged  {file}" in out and "missing" in out
    status, out, _ = run("data", "verify", "mnist", "--json")
    assert status == 1 and json.loads(out)["mnist"][file] == "damaged"


def test_verify_without_any_data_says_so(run, empty):
    status, out, _ = run("data", "verify")
    assert status == 0 and "no data set is here" in out


def notebook(folder: Path, chapter: str, **finding: str) -> None:
    record = {
        "id": "c3-connections", "chapter": chapter, "statement": "C3 has 1,516 parameters.", "source": "arithmetic",
        "measured": "1,516", "published": "1,516", "rule": "exact", **finding,
    }  # fmt: skip
    output = {"output_type": "display_data", "data": {}, "metadata": {"cnnkit-claim": record}}
    cells = [{"cell_type": "code", "source": [], "outputs": [output], "metadata": {}}]
    path = folder / f"{chapter}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells}), "utf-8")


def test_claims_are_collected_from_the_notebooks(run, tmp_path):
    notebook(tmp_path, "models/lenet")
    notebook(tmp_path, "layers/convolution", id="other", published="")
    status, out, _ = run("claims", str(tmp_path))
    assert status == 0 and "claims: 2, chapters: 2" in out and "c3-connections" in out
    only = json.loads(run("claims", str(tmp_path), "--chapter", "models/lenet", "--json")[1])
    assert [finding["measured"] for finding in only] == ["1,516"]


MISTAKES = [
    (["card", "lenet6"], "did you mean 'lenet5'"),
    (["models", "lennet5"], "did you mean 'lenet5'"),
    (["summary", "resnet"], "no model is called 'resnet'"),
    (["summary", "lenet5", "--input-shape", "9,9,1"], "at least 32x32"),
    (["summary", "absent.keras"], "there is no file 'absent.keras'"),
    (["summary", "absent.keras", "--classes", "3"], "leave --classes away"),
    (["data", "list", "mnit"], "did you mean 'mnist'"),
    (["data", "get", "mnit"], "did you mean 'mnist'"),
    (["data", "verify", "mnit"], "did you mean 'mnist'"),
    (["data", "get", "cora"], "has no public address"),
    (["claims", "/no/such/folder"], "there is no folder '/no/such/folder'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: None)
def test_a_mistake_gets_one_friendly_line_and_status_2(arguments, message, run, empty):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    last = err.splitlines()[-1]  # before it, `data get` says what it is about to fetch
    assert last.startswith("cnnkit: ") and message in last


@pytest.mark.parametrize("text", ["no JSON", "{}", "[]"])
def test_a_notebook_that_is_none_is_named(text, run, tmp_path):
    (tmp_path / "torn.ipynb").write_text(text, "utf-8")
    status, _, err = run("claims", str(tmp_path))
    assert status == 2 and "torn.ipynb is no notebook" in err


@pytest.mark.parametrize("name", ["torn.keras", "torn.h5"])
def test_a_file_that_holds_no_model_is_named(name, run, tmp_path):
    (tmp_path / name).write_text("no model", "utf-8")
    status, _, err = run("summary", str(tmp_path / name))
    assert status == 2 and f"{name}' cannot be read as a model" in err


def test_an_unknown_chapter_of_claims_gets_the_nearest(run, tmp_path):
    notebook(tmp_path, "models/lenet")
    status, _, err = run("claims", str(tmp_path), "--chapter", "models/lennet")
    assert status == 2 and "did you mean 'models/lenet'" in err


@pytest.mark.parametrize(
    "arguments", [["frob"], ["data"], ["card"], ["summary", "lenet5", "--input-shape", "big"]]
)
def test_a_wrong_command_line_gives_the_usage_and_status_2(arguments, run):
    status, _, err = run(*arguments)
    assert status == 2 and "usage: cnnkit" in err


def test_the_command_alone_shows_its_help(run):
    status, _, err = run()
    assert status == 2 and "examples:" in err


@pytest.mark.parametrize(
    "command", [[], ["models"], ["card"], ["summary"], ["data"], ["data", "verify"], ["claims"]]
)
def test_every_command_explains_itself(command, run):
    status, out, _ = run(*command, "--help")
    assert status == 0 and out.startswith("usage: cnnkit") and len(out.splitlines()) > 6


@pytest.mark.parametrize("arguments", [["--help"], ["data", "list"]])
def test_what_needs_no_network_does_not_wait_for_keras(arguments):
    code = f"import sys; from cnnkit import cli\ntry: cli.main({arguments})\nexcept SystemExit: pass\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"keras", "tensorflow", "torch"} & set(run.stdout.split())
    assert run.stdout.startswith(("usage", "name"))


class WithoutBackend:
    """A cnnkit whose every part wants a framework that is not installed."""

    __version__ = cnnkit.__version__

    def __getattr__(self, name: str) -> None:
        raise ModuleNotFoundError("No module named 'jax'", name="jax")


def test_a_backend_that_is_not_installed_is_named_with_the_remedy(run, monkeypatch):
    monkeypatch.setattr(cli, "cnnkit", WithoutBackend())
    status, out, err = run("models")
    assert (status, out) == (2, "") and "pip install 'cnnkit[jax]'" in err and "KERAS_BACKEND" in err


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m cnnkit.cli data list | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.startswith("name") and run.stderr == ""

"""The registry: what it takes, what it lists, and what a wrong card is told."""

from __future__ import annotations

from functools import partial

import keras
import pytest

from cnnkit import models
from cnnkit.models import Input

CARD = {
    "year": 2024,
    "title": "A net of mine",
    "classes": 10,
    "inputs": Input((8, 8, 3), minimum=(4, 4), channels=(1, 3)),
}

pytestmark = pytest.mark.usefixtures("models_of_this_test")


def tiny(classes: int, input_shape: tuple[int, ...], width: int = 4) -> keras.Model:
    layers = [
        keras.layers.Conv2D(width, 3),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(classes),
    ]
    return keras.Sequential([keras.Input(input_shape), *layers])


def cell(text: str, file: str = "cell.py", **names: object) -> None:
    """Run a text as a notebook runs a cell, or an import a module."""
    shared = {
        "models": models,
        "tiny": tiny,
        "partial": partial,
        "CARD": CARD,
        "__name__": "notebook",
        **names,
    }
    exec(compile(text, file, "exec"), shared)


def test_a_user_registers_a_model_of_his_own_with_the_same_decorator() -> None:
    models.register("tiny-10", **CARD)(tiny)
    models.register("tiny-9", **CARD)(partial(tiny, width=2))
    assert models.names("tiny*") == ["tiny-9", "tiny-10"]
    assert models.create("tiny-10", classes=3, input_shape=(None, None, 1), width=5).output_shape == (None, 3)
    assert models.create("tiny-9").layers[0].filters == 2
    assert models.card("tiny-10").title == "A net of mine"


def test_a_cell_that_runs_again_replaces_what_it_registered_as_it_was_or_changed() -> None:
    text = "models.register('tiny', **CARD)(partial(tiny, width=2))"
    cell(text)
    cell(text)
    cell(text.replace("**CARD", "**{**CARD, 'year': 2025}"))
    assert models.card("tiny").year == 2025


def test_a_decorated_function_that_is_defined_again_replaces_itself() -> None:
    text = "@models.register('mine', **CARD)\ndef mine(classes, input_shape):\n    return {}(classes, input_shape)"
    cell(text.format("tiny"))
    cell(text.format("partial(tiny, width=7)"), file="cell-changed.py")
    assert models.create("mine").layers[0].filters == 7


@pytest.mark.parametrize(
    "slip",
    [
        "for width in (2, 3):\n    models.register('tiny', **CARD)(partial(tiny, width=width))",
        "models.register('tiny', **CARD)(partial(tiny, width=2))\nmodels.register('tiny', **CARD)(partial(tiny, width=3))",
        "def both():\n    for width in (2, 3):\n        models.register('tiny', **CARD)(partial(tiny, width=width))\nboth()",
    ],
)
def test_two_entries_of_one_family_under_one_name_are_a_slip(slip: str) -> None:
    with pytest.raises(
        ValueError, match=r"'tiny' is registered twice in resnets.py; each entry needs a name"
    ):
        cell(slip, file="resnets.py")


def test_another_function_under_a_taken_name_is_refused() -> None:
    cell("models.register('tiny', **CARD)(tiny)")
    with pytest.raises(ValueError, match=r"'tiny' is already registered by .*tiny; choose another name"):
        cell("models.register('tiny', **CARD)(lambda classes, input_shape: None)")


def test_a_family_says_once_what_its_entries_share() -> None:
    mine = models.family("mine", **CARD, licence="MIT", paper="arXiv:1512.03385")
    models.register("mine-2", mine)(partial(tiny, width=2))
    models.register("mine-3", mine, year=2025)(partial(tiny, width=3))
    assert [models.card(name).year for name in models.names("mine*")] == [2024, 2025]
    assert {models.card(name).licence for name in models.names(family="mine")} == {"MIT"}
    assert models.families()["mine"] == ["mine-2", "mine-3"]


def test_names_are_found_by_pattern_family_and_kind() -> None:
    models.register("words", **{**CARD, "classes": None, "kind": "generator"})(lambda input_shape: None)
    assert models.names(kind="generator") == ["words"]
    assert models.names("lenet5*", family="lenet", kind="classifier") == ["lenet5", "lenet5-modern"]
    assert models.families()["words"] == ["words"], "a network without a family is one of its own"
    with pytest.raises(ValueError, match="no family of models is called 'lenets'; did you mean 'lenet'"):
        models.names(family="lenets")
    with pytest.raises(
        ValueError, match="no kind of network is called 'clasifier'; did you mean 'classifier'"
    ):
        models.names(kind="clasifier")


def test_a_former_name_works_and_tells_the_new_one() -> None:
    with pytest.warns(FutureWarning, match="'lenet1' is called 'lenet-1989' now") as warned:
        assert models.create("lenet1").name == "lenet-1989"
    assert warned[0].filename == __file__, "the warning points into the library, not to the caller"
    with pytest.warns(FutureWarning, match="lenet-1989"):
        assert models.card("lenet1").year == 1989
    assert "lenet1" not in models.names()


def test_a_former_name_is_no_name_for_another_network() -> None:
    with pytest.raises(ValueError, match="'lenet1' is the former name of 'lenet-1989'"):
        models.register("lenet1", **CARD)(tiny)
    for taken in ("lenet5", "lenet1"):
        with pytest.raises(ValueError, match=f"'{taken}', a former name of 'tiny', is the name of another"):
            models.register("tiny", **CARD, formerly=(taken,))(tiny)


def test_a_card_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        models.card("lenet5").year = 1995


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({**CARD, "yaer": 1}, "no card field is called 'yaer'; did you mean 'year'"),
        ({key: value for key, value in CARD.items() if key != "year"}, "needs 'year'"),
        ({**CARD, "inputs": (8, 8, 1)}, r"tiny needs inputs=Input\(shape, ...\).*not \(8, 8, 1\)"),
        (
            {**CARD, "kind": "clasifier"},
            "no kind of network .of tiny. is called 'clasifier'; did you mean 'classifier'",
        ),
        ({**CARD, "classes": None}, "tiny is a classifier, so its card needs classes="),
        ({**CARD, "classes": 2.5}, "counts are whole numbers"),
        ({**CARD, "paper": "1512.03385"}, "paper='doi:...' or 'arXiv:...', not '1512.03385'"),
        ({**CARD, "error": 5.0}, "an error goes with error_protocol"),
        ({**CARD, "parameters": 10, "total_parameters": 9}, "of 9 parameters in total 10 cannot be trained"),
        ({**CARD, "stages": {1: "conv"}}, r"needs Stage\(...\)"),
    ],
)
def test_a_wrong_card_is_refused(fields: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        models.register("tiny", **fields)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Input(()), "one size or more"),
        (lambda: Input((0, 3)), "at least 1"),
        (lambda: Input((1, 2, 3, 4, 5)), "needs axes= with 5 words"),
        (lambda: Input((4, 3), what="nodes"), "is nodes needs axes= with 2 words"),
        (lambda: Input((8, 8, 3), minimum=(4,)), r"minimum=\(4,\) needs 2 sizes \(height, width\)"),
    ],
)
def test_a_wrong_input_is_refused(made, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made()


def test_an_input_knows_what_it_is_by_its_rank() -> None:
    shapes = {"vector": (4,), "signal": (None, 1), "image": (8, 8, 3), "volume": (8, 8, 8, 1)}
    assert {what: Input(shape).what for what, shape in shapes.items()} == {what: what for what in shapes}
    tokens, nodes = Input((None,), dtype="int32"), Input((None, 16), what="nodes", axes=("node", "features"))
    assert (tokens.what, tokens.has_channels, tokens.sizes) == ("tokens", False, (None,))
    assert (nodes.has_channels, nodes.sizes) == (True, (None,))


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        (lambda classes, input_shape, pooling="max": None, "has an argument 'pooling', which create"),
        (lambda classes: None, "needs an argument 'input_shape'; it has classes"),
    ],
)
def test_a_builder_that_create_could_not_call_is_refused(builder, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        models.register("tiny", **CARD)(builder)

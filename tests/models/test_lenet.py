"""LeNet against the figures of its papers."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import insight, models


def units(model, name: str) -> int:
    return int(np.prod(model.get_layer(name).output.shape[1:]))


def test_the_table_of_c3_joins_sixty_pairs_each_way_of_the_paper() -> None:
    table = models.c3_table()
    assert table.sum() == 60
    assert table.sum(axis=0).tolist() == [3] * 6 + [4] * 9 + [6]
    assert table.sum(axis=1).tolist() == [10] * 6
    assert len({tuple(column) for column in table.T}) == 16, "two maps of C3 see the same"


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [("C1", 156), ("S2", 12), ("C3", 1_516), ("S4", 32), ("C5", 48_120), ("F6", 10_164), ("output", 0)],
)
def test_each_layer_of_lenet5_has_the_papers_parameters(layer: str, parameters: int) -> None:
    assert models.create("lenet5").get_layer(layer).count_params() == parameters


@pytest.mark.parametrize(
    ("layer", "parameters"), [("H1", 1_068), ("H2", 2_592), ("H3", 5_790), ("output", 310)]
)
def test_each_layer_of_the_net_of_1989_has_the_papers_parameters(layer: str, parameters: int) -> None:
    assert models.create("lenet-1989").get_layer(layer).count_params() == parameters


def test_the_net_of_1989_has_64660_connections() -> None:
    model = models.create("lenet-1989")
    biases = sum(units(model, name) for name in ("H1", "H2", "H3", "output"))
    assert insight.multiply_adds(model) + biases == 64_660


def test_lenet5_has_340908_connections() -> None:
    model = models.create("lenet5")
    convolutions = sum(
        model.get_layer(name).multiply_adds(model.get_layer(name).input.shape) if name == "C3" else macs
        for name, macs in (("C1", 28 * 28 * 6 * 25), ("C3", 0), ("C5", 48_000), ("F6", 10_080))
    )
    biases = sum(units(model, name) for name in ("C1", "C3", "C5", "F6"))
    subsampling = 5 * (units(model, "S2") + units(model, "S4"))  # four inputs and a bias each
    assert convolutions + biases + subsampling + 840 == 340_908


def test_a_unit_of_c5_sees_the_whole_image_and_one_of_s4_half_of_it() -> None:
    model = models.create("lenet5")
    assert insight.receptive_field(model, "C5").size == (32, 32)
    assert insight.receptive_field(model, "S4").size == (16, 16)


def test_paper_and_ink_come_out_at_the_papers_values() -> None:
    page = np.zeros((1, 28, 28, 1))
    page[0, 10, 10] = 1.0
    prepared = models.card("lenet5").prepare(page)
    assert prepared.shape == (1, 32, 32, 1)
    assert prepared[0, 12, 12, 0] == pytest.approx(1.175) and prepared[0, 0, 0, 0] == pytest.approx(-0.1)


def test_small_digits_are_enlarged_to_the_twenty_pixels_of_the_paper() -> None:
    prepared = models.card("lenet5-modern").prepare(np.ones((1, 8, 8, 1)))
    rows = np.flatnonzero(prepared[0, :, :, 0].any(axis=1))
    assert (rows.min(), rows.max()) == (6, 25)


def test_other_numbers_of_classes_get_further_codes_of_the_same_length() -> None:
    layer = models.create("lenet5", classes=12).get_layer("output")
    assert layer.centres.shape == (12, 84)
    assert len({tuple(code) for code in layer.centres}) == 12

"""The drawing of a network tells what the network holds."""

from __future__ import annotations

import sys

import keras
import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import Rectangle

from cnnkit import insight


@pytest.fixture
def small() -> keras.Model:
    inputs = keras.Input((12, 10, 1), name="image")
    x = keras.layers.Conv2D(20, 3, name="edges")(inputs)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, keras.layers.Dense(5, name="scores")(x))


def test_each_layer_that_makes_something_is_named_with_its_maps_and_parameters(small) -> None:
    figure = insight.drawing(small)
    labels = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert labels == ["image\n1 of\n12×10", "edges\n20 of\n10×8\n200", "scores\n5\n8,005"]


def test_at_most_eight_maps_of_a_stack_are_drawn(small) -> None:
    figure = insight.drawing(small)
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    plt.close(figure)
    assert len(patches) == 1 + 8 + 1
    image, edges = patches[0], patches[1]
    assert image.get_height() > edges.get_height() > edges.get_width()


def test_each_label_stands_under_the_middle_of_its_stack(small) -> None:
    figure = insight.drawing(small)
    plt.close(figure)
    axes = figure.axes[0]
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    for label, stack in zip(axes.texts, (squares[:1], squares[1:9], squares[9:]), strict=True):
        left = min(square.get_x() for square in stack)
        right = max(square.get_x() + square.get_width() for square in stack)
        assert label.get_position()[0] == pytest.approx((left + right) / 2)


def drawn(model: keras.Model) -> tuple[list[str], list[Rectangle]]:
    """The labels and the squares of a drawing."""
    figure = insight.drawing(model)
    plt.close(figure)
    axes = figure.axes[0]
    return [text.get_text() for text in axes.texts], [p for p in axes.patches if isinstance(p, Rectangle)]


@pytest.mark.parametrize(
    ("shape", "data_format", "held"),
    [
        ((12, 10, 1), "channels_last", ["1 of\n12×10", "3 of\n10×8"]),
        ((1, 12, 10), "channels_first", ["1 of\n12×10", "3 of\n10×8"]),
        ((20, 1), "channels_last", ["1 of\n20", "3 of\n18"]),
        ((8, 12, 10, 1), "channels_last", ["1 of\n8×12×10", "3 of\n6×10×8"]),
    ],
)
def test_signals_images_and_volumes_are_drawn_in_either_layout(shape, data_format, held) -> None:
    inputs = keras.Input(shape, name="input")
    layer = getattr(keras.layers, f"Conv{len(shape) - 1}D")(3, 3, data_format=data_format, name="map")
    labels, squares = drawn(keras.Model(inputs, layer(inputs)))
    assert labels == [f"input\n{held[0]}", f"map\n{held[1]}\n{layer.count_params()}"]
    assert len(squares) == 1 + 3
    flat = len(shape) == 2
    assert (squares[0].get_height() < squares[0].get_width()) == flat


def test_without_matplotlib_a_drawing_names_what_to_install(small, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ModuleNotFoundError, match=r'needs matplotlib.*pip install "cnnkit\[plots\]"'):
        insight.drawing(small)

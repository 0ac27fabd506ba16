"""The drawing of a network tells what the network holds."""

from __future__ import annotations

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

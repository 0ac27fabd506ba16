"""Images are channels last in every net of the course, whatever Keras is set to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras
import pytest

from cnnkit.course.nets import classic, tolerant, with_spatial_transformer

KINDS = ("stride", "max", "wide max", "blur", "none")
NETS = {
    **{f"tolerant, {kind}": lambda kind=kind: tolerant(downsampling=kind) for kind in KINDS},
    "tolerant, dense": lambda: tolerant(downsampling="stride", padding="zero", head="dense"),
    "tolerant behind a window": lambda: with_spatial_transformer(
        tolerant(input_shape=(12, 12, 1)), (20, 20, 1)
    ),
    "classic": classic,
    "classic, average": lambda: classic(pooling="average"),
    "classic, local": lambda: classic(connection="local"),
    "classic, spread": lambda: classic(spread=4),
}


@pytest.fixture
def channels_first() -> Iterator[None]:
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


@pytest.fixture
def shapes_by_default(net: str) -> list[tuple]:
    return shapes(NETS[net])


def shapes(make: Callable[[], keras.Model]) -> list[tuple]:
    return [layer.output.shape for layer in make().layers]


@pytest.mark.parametrize("net", NETS)
def test_the_global_layout_of_keras_builds_no_other_net(net, shapes_by_default, channels_first):
    assert shapes(NETS[net]) == shapes_by_default

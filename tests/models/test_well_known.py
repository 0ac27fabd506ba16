"""Sizes of well-known networks, read off the copies that come with Keras."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator

import keras
import pytest

from cnnkit.models import without_values
from cnnkit.scratch import output_size

SIZES = {
    "VGG16": 224,
    "ResNet50": 224,
    "InceptionV3": 299,
    "EfficientNetB4": 380,
    "EfficientNetB7": 600,
    "EfficientNetV2S": 384,
}


@functools.cache
def built(name: str) -> keras.Model:
    with without_values():
        return getattr(keras.applications, name)(weights=None)


def kernels(model: keras.Model) -> Iterator[tuple[int, int]]:
    for layer in model.layers:
        if hasattr(layer, "kernel_size"):
            yield layer.kernel_size


@pytest.mark.parametrize("name", SIZES)
def test_well_known_nets_take_images_of_these_sizes(name: str) -> None:
    assert built(name).input_shape[1:3] == (SIZES[name], SIZES[name])


@pytest.mark.parametrize("name", SIZES)
def test_no_kernel_of_theirs_is_larger_than_seven(name: str) -> None:
    assert max(max(sides) for sides in kernels(built(name))) <= 7


def test_most_unusual_kernels_of_inception_v3_are_strips() -> None:
    found = Counter(kernels(built("InceptionV3")))
    assert [found[sides] for sides in ((1, 7), (7, 1), (1, 3), (3, 1), (5, 5))] == [13, 13, 4, 4, 3]


def test_vgg16_halves_its_maps_and_widens_them() -> None:
    pools = [built("VGG16").get_layer(f"block{i}_pool").output.shape for i in range(1, 6)]
    assert [shape[1] for shape in pools] == [112, 56, 28, 14, 7]
    assert [shape[3] for shape in pools] == [64, 128, 256, 512, 512]
    first, last = (
        built("VGG16").get_layer(name).output.shape[1:] for name in ("block1_conv1", "block5_conv3")
    )
    assert first[0] * first[1] * first[2] == 32 * last[0] * last[1] * last[2]


def test_the_sizes_of_alexnet_follow_from_227_pixels_or_from_224_with_padding() -> None:
    pool, same = (3, 2, 0), (3, 1, 1)
    traces = {}
    for side in (227, 224):
        trace = traces[side] = [side]
        for k, s, p in ((11, 4, 0), pool, (5, 1, 2), pool, same, same, same, pool):
            trace.append(output_size(trace[-1], k, s, p))
    assert traces[227][1:] == [55, 27, 27, 13, 13, 13, 13, 6]
    assert traces[224][1] == 54
    assert output_size(224, k=11, s=4, p=2) == 55


def test_a_convolution_has_six_settings_beyond_a_dense_layers() -> None:
    def settings(layer: keras.Layer) -> set[str]:
        return {
            name for name in layer.get_config() if not any(w in name for w in ("init", "regul", "constr"))
        }

    extra = settings(keras.layers.Conv2D(8, 3)) - settings(keras.layers.Dense(8)) - {"filters"}
    assert extra == {"kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups"}

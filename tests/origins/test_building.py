"""The first nets have their channels last, whatever Keras is set to."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import pytest

from cnnkit import origins

NETS = {
    "cortex": lambda: origins.cortex((20, 21, 1)),
    "end_stopped": lambda: origins.end_stopped((65, 66, 1)),
    "neocognitron": lambda: origins.neocognitron(planes=4),
    "feature_recognizer": origins.feature_recognizer,
    "abstraction_pyramid": origins.abstraction_pyramid,
    "siann": origins.siann,
    "siann_segmenter": origins.siann_segmenter,
    "tdnn": origins.tdnn,
    "tdnn_2d": origins.tdnn_2d,
    "syllable_tdnns": lambda: origins.syllable_tdnns(3),
    "syllable_detectors": lambda: origins.syllable_detectors(origins.syllable_tdnns(3), 60),
    "word_network": lambda: origins.word_network(
        origins.syllable_detectors(origins.syllable_tdnns(3), 60), 4
    ),
    "inverse_filter_net": origins.inverse_filter_net,
    "deconvolution_net": origins.deconvolution_net,
}


@pytest.fixture
def channels_first() -> Iterator[None]:
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def facts(net: keras.Model) -> tuple:
    shapes = [tuple(weight.shape) for weight in net.weights]
    return keras.tree.map_structure(lambda tensor: tensor.shape, net.outputs), shapes


@pytest.mark.parametrize("name", sorted(NETS))
def test_a_net_is_the_same_where_keras_has_channels_first(name: str, request) -> None:
    usual = facts(NETS[name]())
    request.getfixturevalue("channels_first")
    assert facts(NETS[name]()) == usual
    assert keras.config.image_data_format() == "channels_first"

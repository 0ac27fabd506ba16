"""The builds of `pooled` differ in their pooling and in nothing else."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import insight
from cnnkit.course.nets import pooled
from cnnkit.layers import StochasticPooling2D

POOLINGS = ("max", "average", "stochastic", "stride", "wide stride")


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_makes_the_maps_as_small(pooling):
    net = pooled(pooling=pooling)
    assert net.get_layer("conv3").output.shape == (None, 3, 3, 32)
    assert net.output_shape == (None, 10)


def test_without_pooling_all_places_are_kept():
    assert pooled(pooling="none").get_layer("conv3").output.shape == (None, 12, 12, 32)


@pytest.mark.parametrize("pooling", ["average", "stochastic", "stride"])
def test_poolings_take_and_bring_no_weights(pooling):
    assert pooled(pooling=pooling).count_params() == pooled().count_params()


def test_a_wide_stride_reads_the_pixels_that_a_pooling_reads():
    fields = [insight.receptive_field(pooled(pooling=kind)).size for kind in ("max", "wide stride", "stride")]
    assert fields[0] == fields[1] != fields[2]


def test_the_poolings_are_those_of_their_names():
    kinds = {
        "max": keras.layers.MaxPooling2D,
        "average": keras.layers.AveragePooling2D,
        "stochastic": StochasticPooling2D,
    }
    for name, kind in kinds.items():
        assert [type(pooled(pooling=name).get_layer(f"pool{i}")) for i in (1, 2)] == [kind, kind]


def test_an_average_head_reads_the_means_of_the_last_maps():
    net, picture = pooled(head="average"), np.random.default_rng(0).random((1, 12, 12, 1))
    maps = keras.Model(net.input, net.get_layer("conv3").output)(picture)
    scores = np.asarray(maps).mean(axis=(1, 2)) @ net.get_layer("scores").kernel
    np.testing.assert_allclose(net(picture), scores, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"pooling": "maximum"}, {"head": "mean"}])
def test_an_unknown_build_is_refused_by_name(wrong):
    ((kind, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"(?s){kind} of pooled.*{value}"):
        pooled(**wrong)

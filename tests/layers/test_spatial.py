"""The base of the layers of signals, images and volumes: sizes, channels, precision, masks, and one layout for all."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers import (
    AttentionPooling,
    BlurPool2D,
    GlobalResponseNormalization,
    L2Pooling1D,
    L2Pooling2D,
    L2Pooling3D,
    LocalResponseNormalization,
    LpPooling1D,
    LpPooling2D,
    MaxUnpooling2D,
    MixedPooling2D,
    SoftmaxPooling3D,
    StochasticPooling2D,
    TrainableSubsampling2D,
)
from cnnkit.layers._spatial import tuple_of


@pytest.mark.parametrize(
    "value", [0, -2, 2.7, (2.7, 3), "23", b"23", True, (True, 2), (1, 2, 3), (), None, [0, 1]]
)
def test_what_is_no_size_is_refused_by_the_name_of_the_argument(value) -> None:
    with pytest.raises(ValueError, match=r"strides must be a positive integer or 2 of them, not"):
        tuple_of(value, 2, "strides")


@pytest.mark.parametrize("value", [3, (3, 3), [3, 3], np.int64(3), np.array([3, 3])])
def test_a_whole_number_counts_for_each_axis_whoever_made_it(value) -> None:
    assert tuple_of(value, 2, "strides") == (3, 3)


def test_a_layer_with_weights_says_for_how_many_channels_it_was_built() -> None:
    for layer in (GlobalResponseNormalization(), TrainableSubsampling2D(), AttentionPooling()):
        layer(np.ones((1, 4, 4, 3), "float32"))
        with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 3"):
            layer(np.ones((1, 4, 4, 4), "float32"))


def test_a_layer_with_weights_must_know_its_channels() -> None:
    with pytest.raises(ValueError, match=r"must know the number of channels.*give Input a full shape"):
        GlobalResponseNormalization()(keras.Input((4, 4, None)))


@pytest.mark.parametrize(
    ("layer", "rank"),
    [(L2Pooling1D(), 1), (L2Pooling2D(), 2), (L2Pooling3D(), 3), (TrainableSubsampling2D(), 2)],
)
def test_an_image_below_the_window_is_refused_after_a_larger_one_was_taken(layer, rank) -> None:
    layer(np.ones((1, *[4] * rank, 2), "float32"))
    with pytest.raises(ValueError, match="a side of 1 is smaller than the window of 2: use a larger image"):
        layer(np.ones((1, *[1] * rank, 2), "float32"))


@pytest.mark.parametrize("layer", [L2Pooling2D, LpPooling2D, StochasticPooling2D, LocalResponseNormalization])
@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
def test_squares_do_not_overflow_in_half_precision(layer, dtype) -> None:
    y = ops.convert_to_numpy(layer(dtype=dtype)(np.full((1, 4, 4, 8), 1000.0, "float32")))
    assert y.dtype == np.float16 and np.isfinite(y).all() and (y > 0).all()


def test_a_thousand_small_numbers_do_not_stall_in_bfloat16() -> None:
    x = np.full((1, 64, 64, 1), 1.0, "float32")
    assert float(ops.cast(L2Pooling2D(64, dtype="bfloat16")(x), "float32")[0, 0, 0, 0]) == 1.0


def test_switches_are_not_rounded_by_mixed_precision() -> None:
    place = 64 * 64 - 2  # which float16 rounds to 64 * 64, and bfloat16 as well
    y = MaxUnpooling2D(64, dtype="mixed_float16")(
        [np.ones((1, 1, 1, 1), "float32"), np.full((1, 1, 1, 1), place, "float32")]
    )
    assert np.flatnonzero(ops.convert_to_numpy(y)).tolist() == [place]


def test_a_window_cannot_keep_a_mask_and_says_how_to_drop_it() -> None:
    x = keras.layers.Masking()(keras.Input((6, 2)))
    with pytest.raises(ValueError, match=r"cannot keep a mask.*keras.ops.copy"):
        LpPooling1D()(x)
    assert LpPooling1D()(ops.copy(x)).shape == (None, 3, 2)


def test_a_layer_that_looks_at_one_place_at_a_time_keeps_the_mask() -> None:
    y = LocalResponseNormalization()(keras.layers.Masking()(np.array([[[1.0, 2.0], [0.0, 0.0]]])))
    assert ops.convert_to_numpy(y._keras_mask).tolist() == [[True, False]]


def test_attention_does_not_ask_masked_places() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    layer = AttentionPooling(2)
    want = ops.convert_to_numpy(layer(x[:, :3]))
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x, mask=mask)), want, atol=1e-6)


def test_attention_tells_the_shape_of_its_scores_in_a_model() -> None:
    y, scores = AttentionPooling(2, num_queries=3)(keras.Input((4, 5, 6)), return_attention_scores=True)
    assert y.shape == (None, 3, 6) and scores.shape == (None, 2, 3, 20)


def test_regularisers_and_constraints_reach_the_weights() -> None:
    mixed = MixedPooling2D(mixing=0.9, logit_regularizer="l2", logit_constraint="non_neg")
    layer = GlobalResponseNormalization(gamma_regularizer="l2", beta_constraint="non_neg")
    for one in (mixed, layer):
        one(np.ones((1, 4, 4, 2), "float32"))
    layer.set_weights([np.ones(2), -np.ones(2)])
    weighed, one_each = (float(ops.convert_to_numpy(one.losses[0])) for one in (mixed, layer))
    assert weighed > 0 and one_each == pytest.approx(0.02)
    assert ops.convert_to_numpy(layer.beta.constraint(layer.beta)).tolist() == [0, 0]


def test_the_global_layout_is_taken_and_gives_the_same_numbers() -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 4, 3)).astype("float32")
    want = ops.convert_to_numpy(SoftmaxPooling3D()(x))
    try:
        keras.config.set_image_data_format("channels_first")
        first = SoftmaxPooling3D()
        got = ops.convert_to_numpy(first(np.moveaxis(x, -1, 1)))
    finally:
        keras.config.set_image_data_format("channels_last")
    assert first.data_format == "channels_first"
    np.testing.assert_allclose(np.moveaxis(got, 1, -1), want, rtol=1e-6)


def test_an_unknown_padding_gets_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="padding must be 'valid' or 'same', not 'full'"):
        L2Pooling2D(padding="full")
    with pytest.raises(ValueError, match="padding must be 'same', 'reflect' or 'circular', not 'valid'"):
        BlurPool2D(padding="valid")

"""Pyramids and boxes: one length for any size, empty boxes, boxes outside, rounding and what it costs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers import AttentionPooling, RoIAlign, RoIPooling, SpatialPyramidPooling2D

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 9, 7, 3)).astype("float32")


def run(layer: keras.Layer, inputs) -> np.ndarray:
    return ops.convert_to_numpy(layer(inputs))


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.tile(np.array(rows, "float32"), (2, 1, 1))


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 13, 32])
def test_a_pyramid_has_one_length_for_any_size(side: int) -> None:
    x = RNG.normal(size=(2, side, side + 2, 5)).astype("float32")
    y = run(SpatialPyramidPooling2D((1, 2, 4)), x)
    assert y.shape == (2, 21 * 5)
    assert np.allclose(y[:, :5], x.max(axis=(1, 2)))


def test_one_compiled_model_takes_images_of_several_sizes() -> None:
    model = keras.Sequential([keras.Input((None, None, 2)), SpatialPyramidPooling2D()])
    for side in (8, 11, 5):
        x = RNG.normal(size=(3, side, side, 2)).astype("float32")
        assert np.allclose(model.predict_on_batch(x)[:, :2], x.max(axis=(1, 2)))


@pytest.mark.parametrize("layer", [RoIPooling(2), RoIAlign(2)])
def test_empty_boxes_and_boxes_outside_give_zeros(layer: keras.Layer) -> None:
    bad = boxes((3, 3, 3, 5), (5, 2, 3, 4), (0, 0, 0, 0), (20, 20, 30, 30), (-30, -30, -20, -20))
    assert np.array_equal(run(layer, [X, bad]), np.zeros((2, 5, 2, 2, 3)))


def test_a_box_across_the_border_is_clipped_by_roi_pooling() -> None:
    y = run(RoIPooling(2), [X, boxes((-4, -4, 4, 4), (0, 0, 4, 4))])
    assert np.array_equal(y[:, 0], y[:, 1])


def test_a_box_thinner_than_a_cell_takes_the_cell() -> None:
    y = run(RoIPooling(2), [X, boxes((2.1, 3.2, 2.3, 3.4))])
    assert np.array_equal(y[:, 0], np.broadcast_to(X[:, 3, 2][:, None, None], (2, 2, 2, 3)))


def test_a_box_over_the_whole_map_is_the_pyramid_s_level() -> None:
    y = run(RoIPooling(2), [X, boxes((0, 0, 7, 9))]).reshape(2, -1)
    assert np.array_equal(y, run(SpatialPyramidPooling2D((2,)), X))


def test_roi_align_reads_a_linear_map_exactly_where_roi_pooling_rounds() -> None:
    ramp = np.tile(np.arange(16, dtype="float32")[None, None, :, None], (1, 16, 1, 1))
    moving = np.array([[[x, 4, x + 4, 8] for x in (4.0, 4.2, 4.4)]], "float32")
    aligned, pooled = run(RoIAlign(1), [ramp, moving]).ravel(), run(RoIPooling(1), [ramp, moving]).ravel()
    assert np.allclose(np.diff(aligned), 0.2, atol=1e-5)
    assert np.array_equal(np.diff(pooled), [0, 0])


def test_spatial_scale_maps_pixels_to_cells() -> None:
    in_pixels, in_cells = boxes((16, 32, 64, 96)), boxes((1, 2, 4, 6))
    for cls in (RoIPooling, RoIAlign):
        assert np.allclose(run(cls(2, spatial_scale=1 / 16), [X, in_pixels]), run(cls(2), [X, in_cells]))


@pytest.mark.parametrize("cls", [RoIPooling, RoIAlign])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_boxes_are_not_rounded_to_the_dtype_of_the_policy(cls: type[keras.Layer], policy: str) -> None:
    features = RNG.normal(size=(2, 84, 84, 3)).astype("float32")
    corners = RNG.uniform([0, 0, 700, 700], [600, 600, 1333, 1333], size=(2, 9, 4)).astype("float32")
    rounded = run(cls(7, spatial_scale=1 / 16, dtype=policy), [features, corners])
    exact = run(cls(7, spatial_scale=1 / 16), [features, corners])
    assert (
        np.abs(rounded.astype("float32") - exact).max() < 0.016
    )  # half a step of bfloat16 below 4 is 0.0078


@pytest.mark.parametrize("layer", [RoIPooling(2), RoIAlign((3, 2))])
def test_of_no_boxes_nothing_comes(layer: keras.Layer) -> None:
    assert run(layer, [X, np.zeros((2, 0, 4), "float32")]).shape == (2, 0, *layer.size, 3)


def test_the_order_of_places_means_nothing_to_attention_pooling() -> None:
    layer = AttentionPooling(3)
    tokens = X.reshape(2, -1, 3)
    shuffled = tokens[:, RNG.permutation(tokens.shape[1])]
    assert np.allclose(run(layer, tokens), run(layer, shuffled), atol=1e-5)


def test_attention_weights_sum_to_one() -> None:
    y, scores = AttentionPooling(3, num_queries=2)(X, return_attention_scores=True)
    assert tuple(y.shape) == (2, 2, 3)
    assert tuple(scores.shape) == (2, 3, 2, 63)
    assert np.allclose(ops.convert_to_numpy(scores).sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpatialPyramidPooling2D(4), "sequence such as"),
        (lambda: SpatialPyramidPooling2D((1, 0)), "levels must be"),
        (lambda: SpatialPyramidPooling2D("124"), "sequence such as"),
        (lambda: RoIPooling("23"), "size must be a positive integer or 2 of them, not '23'"),
        (lambda: RoIAlign((2.7, 3)), r"size must be a positive integer or 2 of them, not \(2.7, 3\)"),
        (lambda: RoIPooling(2, spatial_scale=0), "spatial_scale must be positive, not 0"),
        (lambda: RoIPooling(2)(X), "takes \\[features, boxes\\]"),
        (lambda: RoIAlign(2)([X, np.zeros((2, 3, 5))]), "x1, y1, x2, y2.*\\(2, 3, 5\\)"),
        (lambda: RoIAlign(2, sampling_ratio=0), "sampling_ratio must be a positive integer, not 0"),
        (lambda: AttentionPooling(2)(X), "3 channels cannot be shared by 2 heads"),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""The builds of `tolerant` see as far as one another, weigh the same, and differ in what a shift does to them."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import insight
from cnnkit.course.nets import tolerant
from cnnkit.insight import shifted

PICTURES = np.random.default_rng(0).random((2, 16, 16, 1)).astype("float32")


def scores(build: dict, images: np.ndarray) -> np.ndarray:
    import keras

    keras.utils.set_random_seed(0)
    return np.asarray(tolerant(input_shape=(16, 16, 1), **build).predict_on_batch(images))


def test_with_its_defaults_no_circular_shift_changes_a_score():
    for down, right in ((1, 0), (3, 5), (8, 15)):
        np.testing.assert_allclose(
            scores({}, PICTURES), scores({}, shifted(PICTURES, down, right)), atol=1e-6
        )


@pytest.mark.parametrize(
    "build",
    [
        {"downsampling": "stride"},
        {"downsampling": "max"},
        {"padding": "zero"},
        {"head": "dense"},
        {"downsampling": "blur"},
    ],
)
def test_each_departure_makes_the_scores_depend_on_the_place(build):
    change = np.abs(scores(build, PICTURES) - scores(build, shifted(PICTURES, 1, 1))).max()
    assert change > 1e-5


def test_a_strided_build_forgives_whole_strides_only():
    build = {"downsampling": "stride"}
    np.testing.assert_allclose(scores(build, PICTURES), scores(build, shifted(PICTURES, 4, 8)), atol=1e-6)


def test_dilation_gives_the_build_without_stride_the_same_field_and_weights():
    strided, dilated = (tolerant(downsampling=kind) for kind in ("stride", "none"))
    assert insight.receptive_field(strided).size == insight.receptive_field(dilated).size == (15, 15)
    assert strided.count_params() == dilated.count_params()


def test_a_wide_maximum_looks_at_the_places_that_blur_looks_at():
    wide, blurred = (tolerant(downsampling=kind, padding="zero") for kind in ("wide max", "blur"))
    assert insight.receptive_field(wide).window(1, 1) == insight.receptive_field(blurred).window(1, 1)
    assert wide.count_params() == blurred.count_params()


def test_an_unknown_build_is_told_the_known_ones():
    with pytest.raises(ValueError, match="blur"):
        tolerant(downsampling="blurr")

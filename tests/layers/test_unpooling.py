"""Pooling with switches and the ways back: pairs of outputs, odd sides, ties, and a model that saves."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers import BedOfNailsUnpooling2D, MaxPoolingWithSwitches2D, MaxUnpooling2D
from cnnkit.scratch import max_pool2d_switches, max_unpool2d


def image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def both(x: np.ndarray, **arguments) -> tuple[np.ndarray, np.ndarray]:
    return tuple(map(ops.convert_to_numpy, MaxPoolingWithSwitches2D(**arguments)(x)))


@pytest.mark.parametrize(("shape", "size"), [((2, 6, 8, 3), 2), ((2, 7, 5, 2), (3, 2)), ((1, 9, 9, 1), 4)])
def test_maxima_and_switches_are_those_of_the_oracle(shape, size):
    x = image(*shape)
    for got, want in zip(both(x, pool_size=size), max_pool2d_switches(x, size), strict=True):
        np.testing.assert_array_equal(got, want)


def test_of_equal_values_the_first_in_reading_order_wins():
    x = np.array([[0, 1], [1, 1]], "float32").reshape(1, 2, 2, 1)
    assert both(x)[1].item() == 1
    assert both(np.zeros((1, 2, 2, 1), "float32"))[1].item() == 0


def test_unpooling_puts_every_maximum_where_it_came_from():
    x = image(2, 6, 8, 3)
    y = ops.convert_to_numpy(MaxUnpooling2D()(list(MaxPoolingWithSwitches2D()(x))))
    kept = y != 0
    np.testing.assert_array_equal(y[kept], x[kept])
    assert kept.sum() == x.size / 4


def test_sides_that_no_tile_fills_come_back_as_zeros():
    x = image(2, 7, 5, 3)
    pooled = list(MaxPoolingWithSwitches2D()(x))
    y = ops.convert_to_numpy(MaxUnpooling2D(output_size=(7, 5))(pooled))
    assert y.shape == x.shape and not y[:, 6:].any() and not y[:, :, 4:].any()
    np.testing.assert_array_equal(y, max_unpool2d(*max_pool2d_switches(x), output_size=(7, 5)))


def test_switches_are_integers_whatever_the_policy_and_survive_half_precision():
    x = image(1, 64, 64, 2)
    y, switches = MaxPoolingWithSwitches2D(16, dtype="mixed_float16")(x)
    assert keras.backend.standardize_dtype(switches.dtype) == "int32"
    # Rounding to float16 may move a maximum among near equals: judge by the rounded image.
    np.testing.assert_array_equal(
        ops.convert_to_numpy(switches), max_pool2d_switches(x.astype("float16"), 16)[1]
    )
    back = MaxUnpooling2D(16, dtype="mixed_float16")([y, ops.cast(switches, "float32")])
    assert np.count_nonzero(ops.convert_to_numpy(back)) == 4 * 4 * 2


def test_a_model_with_switches_takes_any_size_and_saves(tmp_path):
    inputs = keras.Input((None, None, 3))
    y, switches = MaxPoolingWithSwitches2D()(inputs)
    model = keras.Model(inputs, MaxUnpooling2D()([2.0 * y, switches]))
    model.save(tmp_path / "model.keras")
    x = image(3, 10, 6, 3)
    want = max_unpool2d(2 * max_pool2d_switches(x)[0], max_pool2d_switches(x)[1])
    np.testing.assert_allclose(model.predict_on_batch(x), want, rtol=1e-6)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict_on_batch(x), want, rtol=1e-6)


def test_channels_first_gives_switches_of_the_same_places():
    x = image(2, 6, 4, 3)
    last, first = both(x), MaxPoolingWithSwitches2D(data_format="channels_first")(np.moveaxis(x, -1, 1))
    for want, got in zip(last, first, strict=True):
        np.testing.assert_array_equal(np.moveaxis(want, -1, 1), ops.convert_to_numpy(got))


def test_bed_of_nails_and_a_convolution_are_a_transposed_convolution():
    x, kernel = image(2, 4, 5, 3), image(3, 3, 3, 2, seed=1)
    nails = BedOfNailsUnpooling2D()(x)
    got = ops.conv(ops.pad(nails, [(0, 0), (2, 1), (2, 1), (0, 0)]), kernel)
    turned = np.flip(kernel, (0, 1)).transpose(0, 1, 3, 2).copy()
    want = ops.conv_transpose(x, turned, strides=2, padding="valid", data_format="channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(got), ops.convert_to_numpy(want), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shapes", "words"),
    [
        (lambda: MaxPoolingWithSwitches2D(3), (1, 2, 5, 1), "a side of 2 is smaller than the window of 3"),
        (lambda: MaxUnpooling2D(), (1, 2, 2, 1), r"expects 2 input\(s\)"),
        (lambda: MaxUnpooling2D(), [(1, 2, 2, 1), (1, 2, 3, 1)], "must be those of one pooling"),
        (lambda: MaxUnpooling2D(output_size=(6, 4)), [(1, 2, 2, 1)] * 2, "not from output_size 6"),
        (lambda: MaxUnpooling2D(0), [(1, 2, 2, 1)] * 2, "pool_size must be a positive integer"),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, shapes, words):
    with pytest.raises(ValueError, match=words):
        make()(
            [np.ones(s, "float32") for s in shapes]
            if isinstance(shapes, list)
            else np.ones(shapes, "float32")
        )


@pytest.mark.parametrize("shape", [(4, 4, 1), (1, 0, 4, 1), (1, 4, 4, 0)])
def test_what_is_no_image_is_refused(shape):
    for layer in (MaxPoolingWithSwitches2D(), BedOfNailsUnpooling2D()):
        with pytest.raises(ValueError, match=r"expected ndim=4|there is nothing"):
            layer(np.ones(shape, "float32"))
    with pytest.raises(ValueError, match=r"expected ndim=4|there is nothing"):
        MaxUnpooling2D()([np.ones(shape, "float32"), np.zeros(shape, "int32")])

"""A window that moves: where it looks is not rounded, and where it is told nothing it reads nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers import SpatialTransformer


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("side", [512, 1333])
def test_the_identity_returns_a_large_image_whatever_the_policy(policy: str, side: int) -> None:
    x = image(2, 3, side, 2)
    layer = SpatialTransformer(dtype=policy)
    y = ops.convert_to_numpy(ops.cast(layer([x, np.tile(layer.identity, (2, 1))]), "float32"))
    assert np.abs(y - x).max() < (2e-3 if policy == "float32" else 0.016)


def test_numbers_that_are_none_read_nothing() -> None:
    layer = SpatialTransformer(transform="translation")
    y = ops.convert_to_numpy(layer([image(2, 4, 5, 3), np.array([[np.nan, 0.0], [0.0, np.inf]], "float32")]))
    assert not y.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpatialTransformer(transform="shear"), "'affine', 'attention', 'translation', not 'shear'"),
        (
            lambda: SpatialTransformer((2.7, 3)),
            r"size must be a positive integer or 2 of them, not \(2.7, 3\)",
        ),
        (lambda: SpatialTransformer()(image(1, 4, 4, 1)), r"takes \[images, numbers\]"),
        (lambda: SpatialTransformer()([image(1, 4, 4, 1), image(1, 5)]), "needs 6 numbers for each image"),
        (lambda: SpatialTransformer()([image(1, 4, 4), image(1, 6)]), "images of 4 axes"),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_window_learns_where_to_look_from_the_loss_behind_it_alone() -> None:
    keras.utils.set_random_seed(0)
    rng, side = np.random.default_rng(0), np.arange(12)
    places = rng.uniform(2, 9, (300, 2, 1))
    lines = np.exp(-((side - places) ** 2) / 8)
    blobs = (lines[:, 0, :, None] * lines[:, 1, None, :])[..., None].astype("float32")
    window = SpatialTransformer((4, 4), "attention", data_format="channels_last")
    inputs = keras.Input((12, 12, 1))
    found = keras.layers.Dense(
        3, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant([0.3, 0.0, 0.0])
    )(keras.layers.Flatten()(inputs))
    net = keras.Model(inputs, keras.layers.Flatten()(window([inputs, found])))
    before = net.predict_on_batch(blobs[200:]).mean()
    net.compile(keras.optimizers.Adam(0.03), "mse")
    net.fit(blobs[:200], np.ones((200, 16)), epochs=40, batch_size=50, verbose=0)  # as bright as can be
    assert net.predict_on_batch(blobs[200:]).mean() > 1.5 * before

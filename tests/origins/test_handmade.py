"""Kernels drawn by hand see what they were drawn for, and a head on them learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import data
from cnnkit.origins import drawn_kernels, feature_recognizer, shuffled_kernels, skeletons
from cnnkit.scratch import convolve2d


def test_each_kernel_is_balanced_and_differs_from_every_other() -> None:
    kernels = drawn_kernels().reshape(25, 12)
    np.testing.assert_allclose(kernels.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.abs(kernels).sum(axis=0), 2, atol=1e-6)
    assert len(np.unique(kernels.round(6), axis=1).T) == 12


def test_a_lying_stroke_excites_the_kernel_for_it_most_and_its_ends_the_kernels_for_ends() -> None:
    picture = np.zeros((1, 11, 15, 1))
    picture[0, 5, 3:12] = 1
    answers = convolve2d(picture, drawn_kernels(), padding="same")[0]
    assert answers[5, 7].argmax() == 0 and answers[5, 7].max() == pytest.approx(1)
    left, right = answers[5, 3, 4:8], answers[5, 11, 4:8]
    assert left.argmax() != right.argmax()
    assert left.max() == pytest.approx(1) and right.max() == pytest.approx(1)


def test_shuffling_keeps_the_numbers_and_loses_the_drawing() -> None:
    drawn, shuffled = drawn_kernels(), shuffled_kernels(1)
    np.testing.assert_array_equal(np.sort(drawn.reshape(25, 12), 0), np.sort(shuffled.reshape(25, 12), 0))
    assert (drawn != shuffled).any(axis=(0, 1, 2)).all()


def test_a_skeleton_is_thin_and_lies_within_the_ink() -> None:
    picture = np.zeros((1, 12, 20, 1))
    picture[0, 4:8, 3:17] = 0.9
    thin = skeletons(picture)
    assert 0 < thin.sum() <= 14 and not thin[picture < 0.5].any()
    with pytest.raises(ValueError, match=r"got shape \(12, 20\)"):
        skeletons(picture[0, :, :, 0])


@pytest.mark.parametrize("train_kernels", [False, True])
def test_backpropagation_changes_the_kernels_only_where_it_may(train_kernels: bool) -> None:
    (x, y), _ = data.load("digits")
    x = np.kron(x[:64], np.ones((1, 2, 2, 1))).astype("float32")
    keras.utils.set_random_seed(0)
    model = feature_recognizer(train_kernels=train_kernels)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    before = model.evaluate(x, 2 * np.eye(10)[y[:64]] - 1, verbose=0)
    model.fit(x, 2 * np.eye(10)[y[:64]] - 1, batch_size=16, epochs=3, verbose=0)
    assert model.evaluate(x, 2 * np.eye(10)[y[:64]] - 1, verbose=0) < before
    kernels = model.get_layer("features").get_weights()[0]
    assert np.array_equal(kernels, drawn_kernels()) is not train_kernels


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fall into 5x5 blocks"):
        feature_recognizer(blocks=5)
    with pytest.raises(ValueError, match=r"kernels have shape \(5, 5, 3, 2\)"):
        feature_recognizer(np.zeros((5, 5, 3, 2)))

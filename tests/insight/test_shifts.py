"""Shifts of images, and what models make of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.insight import equivariance_error, shift_consistency, shifted

PICTURES = np.random.default_rng(0).random((6, 8, 8, 1)).astype("float32")


def test_a_circular_shift_can_be_undone_and_a_zero_shift_loses_the_edge():
    assert np.array_equal(shifted(shifted(PICTURES, 3, -2), -3, 2), PICTURES)
    lost = shifted(PICTURES, 2, -1, border="zero")
    assert np.array_equal(lost[:, 2:, :-1], PICTURES[:, :-2, 1:])
    assert lost[:, :2].max() == lost[:, :, -1:].max() == 0
    assert PICTURES.min() < PICTURES.max()


def test_strides_are_equivariant_to_whole_steps_only():
    def pick(x):
        return x[:, ::2, ::2]

    assert equivariance_error(pick, PICTURES, 2, 4, stride=2) == 0
    with pytest.raises(ValueError, match="multiples"):
        equivariance_error(pick, PICTURES, 1, 0, stride=2)
    ramp = np.arange(8, dtype="float32").reshape(1, 1, 8, 1)
    assert equivariance_error(lambda x: x * ramp, PICTURES) > 0.1


def test_a_classifier_that_looks_at_one_pixel_is_inconsistent():
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    assert shift_consistency(flat, PICTURES) == 0
    pooled = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.GlobalAveragePooling2D()])
    assert shift_consistency(pooled, PICTURES) == shift_consistency(pooled, PICTURES, pairs=1) == 1


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="'mirror'"):
        shifted(PICTURES, 1, 1, border="mirror")
    with pytest.raises(ValueError, match="reach is 0"):
        shift_consistency(None, PICTURES, reach=0)
    with pytest.raises(ValueError, match="pairs 0"):
        shift_consistency(None, PICTURES, pairs=0)
    with pytest.raises(ValueError, match=r"shape \(8, 8\); needed is"):
        shifted(PICTURES[0, :, :, 0], 1, 1)


@pytest.mark.parametrize("rank", [1, 3])
def test_sequences_and_volumes_are_shifted_by_one_step_for_each_axis(rank):
    values = np.random.default_rng(0).random((2, *(8,) * rank, 3)).astype("float32")
    moved = shifted(values, *range(1, rank + 1), border="zero")
    inner = tuple(slice(step, None) for step in range(1, rank + 1))
    left = tuple(slice(None, 8 - step) for step in range(1, rank + 1))
    assert np.array_equal(moved[(slice(None), *inner)], values[(slice(None), *left)])
    assert np.count_nonzero(moved) == 2 * 3 * np.prod([8 - step for step in range(1, rank + 1)])
    assert equivariance_error(lambda x: x**2, values) == 0
    pooled = keras.Sequential(
        [keras.Input((*(8,) * rank, 3)), getattr(keras.layers, f"GlobalMaxPooling{rank}D")()]
    )
    assert shift_consistency(pooled, values) == 1

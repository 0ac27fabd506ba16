"""What is built without values has none afterwards either; what waits for its values gets them."""

from __future__ import annotations

import keras

from cnnkit.models import without_values


def dense() -> keras.Layer:
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    return layer


def test_no_later_scope_draws_the_weights_of_what_was_built_without_values() -> None:
    with without_values():
        layer = dense()
    assert layer.count_params() == 8
    with keras.StatelessScope():
        other = dense()
    assert all(weight._value is None for weight in layer.weights)
    assert all(weight._value is not None for weight in other.weights)


def test_a_net_built_without_values_does_not_disturb_the_prediction_of_another() -> None:
    with without_values():
        dense()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert model.predict_on_batch(keras.ops.ones((1, 3))).shape == (1, 2)

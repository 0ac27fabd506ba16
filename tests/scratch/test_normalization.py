"""Normalisations in NumPy: equal to Keras's layers, and gradients equal to those that a backend finds."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit import gradients, scratch

RNG = np.random.default_rng(0)
X = RNG.normal(2, 3, size=(4, 3, 5, 6)).astype("float32")
DY = RNG.normal(size=X.shape).astype("float32")
GAMMA, BETA = RNG.normal(size=(2, 6)).astype("float32")
MOVING = (RNG.normal(size=6).astype("float32"), RNG.uniform(0.5, 2, size=6).astype("float32"))


def with_weights(layer: keras.Layer, *weights: np.ndarray) -> keras.Layer:
    layer.build(X.shape)
    layer.set_weights(list(weights) or [GAMMA, BETA])
    return layer


def gradients_of(layer: keras.Layer, **options) -> list[np.ndarray]:
    """By the backend: for x, gamma and beta, of the sum of outputs times DY."""

    def weighted(x):
        return ops.sum(ops.multiply(layer(x, **options), DY))

    _, (dx,) = gradients.value_and_gradient(weighted, X)
    _, dw = gradients.weight_gradients(layer, lambda y: ops.sum(ops.multiply(y, DY)), X, **options)
    return [dx, *dw]


def close(got, want) -> None:
    for a, b in zip(got, want, strict=True):
        a, b = ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_and_its_gradients_are_those_of_keras(training: bool) -> None:
    layer = with_weights(keras.layers.BatchNormalization(), GAMMA, BETA, *MOVING)
    moving = None if training else MOVING
    slopes = gradients_of(layer, training=training)
    close([scratch.batch_normalize(X, GAMMA, BETA, moving)], [layer(X, training=training)])
    close(scratch.batch_normalize_backward(DY, X, GAMMA, moving), slopes)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_normalisation_and_its_gradients_are_those_of_keras(groups: int) -> None:
    layer = with_weights(keras.layers.GroupNormalization(groups))
    close([scratch.group_normalize(X, groups, GAMMA, BETA)], [layer(X)])
    close(scratch.group_normalize_backward(DY, X, groups, GAMMA), gradients_of(layer))


def test_layer_and_instance_normalisation_are_its_two_ends() -> None:
    close([scratch.layer_normalize(X, GAMMA, BETA)], [scratch.normalize(X, (1, 2, 3)) * GAMMA + BETA])
    close([scratch.instance_normalize(X, GAMMA, BETA)], [scratch.normalize(X, (1, 2)) * GAMMA + BETA])


def test_keras_layer_normalisation_by_default_has_statistics_for_every_place() -> None:
    close([scratch.normalize(X, (3,))], [keras.layers.LayerNormalization()(X)])


@pytest.mark.parametrize("options", [{}, {"n": 3, "k": 1.0, "alpha": 0.5}, {"alpha": 0.5, "average": True}])
def test_local_response_normalisation_pays_for_silencing_its_neighbours(options: dict) -> None:
    from cnnkit.layers import LocalResponseNormalization

    layer = LocalResponseNormalization(**options)
    _, (slope,) = gradients.value_and_gradient(lambda x: ops.sum(ops.multiply(layer(x), DY)), X)
    close([scratch.local_response_normalize_backward(DY, X, **options)], [slope])


def test_dividing_alpha_by_n_is_the_same_as_a_smaller_alpha() -> None:
    close(
        [scratch.local_response_normalize(X, alpha=0.5, average=True)],
        [scratch.local_response_normalize(X, alpha=0.1)],
    )


def test_global_response_normalisation_has_the_gradients_of_its_layer() -> None:
    from cnnkit.layers import GlobalResponseNormalization

    layer = with_weights(GlobalResponseNormalization())
    close(scratch.global_response_normalize_backward(DY, X, GAMMA), gradients_of(layer))


def test_a_silent_channel_has_a_finite_gradient() -> None:
    from cnnkit.layers import GlobalResponseNormalization

    x = X * (np.arange(6) != 2)
    layer = with_weights(GlobalResponseNormalization())
    _, (slope,) = gradients.value_and_gradient(lambda t: ops.sum(ops.multiply(layer(t), DY)), x)
    assert np.isfinite(slope).all()
    close([scratch.global_response_normalize_backward(DY, x, GAMMA)[0]], [slope])


def test_wrong_arguments_are_named_with_a_remedy() -> None:
    from cnnkit.layers import GlobalResponseNormalization, LocalResponseNormalization

    with pytest.raises(ValueError, match="6 channels do not divide into 4 groups"):
        scratch.group_normalize(X, 4)
    with pytest.raises(ValueError, match="odd"):
        scratch.local_response_normalize(X, n=4)
    with pytest.raises(ValueError, match="odd and positive"):
        LocalResponseNormalization(n=4)
    with pytest.raises(ValueError, match="above 0"):
        LocalResponseNormalization(k=0)
    with pytest.raises(ValueError, match="at least 0"):
        LocalResponseNormalization(alpha=-1)
    with pytest.raises(ValueError, match="data_format"):
        GlobalResponseNormalization(data_format="last")
    with pytest.raises(ValueError, match="needs images"):
        GlobalResponseNormalization().build((None, 6))

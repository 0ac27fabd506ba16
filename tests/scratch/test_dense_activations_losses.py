from functools import partial

import keras
import numpy as np
import pytest

from cnnkit import gradients, scratch

X = np.random.default_rng(0).normal(size=(5, 4)) * 3


def differences(function, x, step=1e-6):
    return (function(x + step) - function(x - step)) / (2 * step)


@pytest.mark.parametrize(
    "name", ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "scaled_tanh"]
)
def test_each_derivative_agrees_with_numeric_differences(name):
    function, derivative = getattr(scratch, name), getattr(scratch, f"{name}_derivative")
    np.testing.assert_allclose(derivative(X), differences(function, X), atol=1e-8)


@pytest.mark.parametrize("name", ["relu", "elu", "gelu", "silu", "sigmoid", "tanh"])
def test_activations_and_derivatives_are_those_of_keras(name):
    by_keras = partial(keras.ops.gelu, approximate=False) if name == "gelu" else getattr(keras.ops, name)
    x = np.append(X, 0)
    np.testing.assert_allclose(getattr(scratch, name)(x), keras.ops.convert_to_numpy(by_keras(x)), atol=1e-6)
    slope = gradients.gradient(lambda x: keras.ops.sum(by_keras(x)), x)
    np.testing.assert_allclose(getattr(scratch, f"{name}_derivative")(x), slope, atol=1e-6)


def test_scaled_tanh_keeps_one_and_minus_one():
    np.testing.assert_allclose(scratch.scaled_tanh(np.array([-1.0, 1.0])), [-1, 1], atol=1e-4)


def test_dense_backward_agrees_with_keras():
    rng = np.random.default_rng(1)
    w, b, dy = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(5, 3)).astype("float32")
    value, by_keras = gradients.value_and_gradient(
        lambda x, w, b: keras.ops.sum(keras.ops.multiply(keras.ops.matmul(x, w) + b, dy)), X, w, b
    )
    assert np.isclose(value, np.sum(scratch.dense(X, w, b) * dy), rtol=1e-4)
    for mine, theirs in zip(scratch.dense_backward(dy, X, w), by_keras, strict=False):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_dense_says_how_to_flatten_images():
    with pytest.raises(ValueError, match="reshape"):
        scratch.dense(np.ones((2, 8, 8, 1)), np.ones((64, 10)))


def test_softmax_does_not_overflow():
    np.testing.assert_allclose(scratch.softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0])


def test_cross_entropy_and_its_gradient_are_those_of_keras():
    labels = np.array([0, 1, 2, 3, 1])
    loss, dlogits = scratch.softmax_cross_entropy(X, labels)
    value, (by_keras,) = gradients.value_and_gradient(
        lambda z: keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, z, from_logits=True)), X
    )
    assert np.isclose(loss, value, rtol=1e-5)
    np.testing.assert_allclose(dlogits, by_keras, atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "words"), [(np.eye(5, 4), "one-hot"), (np.array([0, 1, 2, 3, 4]), "labels run from 0 to 4")]
)
def test_wrong_labels_are_named(labels, words):
    with pytest.raises(ValueError, match=words):
        scratch.softmax_cross_entropy(X, labels)

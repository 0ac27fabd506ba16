import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnkit.gradients import gradient, value_and_gradient, weight_gradients


def test_value_and_gradient_of_several_arrays():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    value, (dx, dy) = value_and_gradient(lambda x, y: ops.sum(x * x * y), x, y)
    assert value == 19.0
    np.testing.assert_allclose(dx, 2 * x * y)
    np.testing.assert_allclose(dy, x * x)


def test_numpy_goes_in_and_numpy_of_the_default_type_comes_out():
    slope = gradient(lambda x: ops.sum(x**2), [1, 2, 3])
    assert type(slope) is np.ndarray
    assert slope.dtype == "float32"
    assert slope.tolist() == [2, 4, 6]


def test_an_array_that_does_not_matter_gets_zeros():
    _, (dx, dy) = value_and_gradient(lambda x, y: ops.sum(x), np.ones(2), np.ones(3))
    assert dx.tolist() == [1, 1]
    assert dy.tolist() == [0, 0, 0]


def test_a_constant_has_no_slope():
    assert gradient(lambda x: ops.sum(ops.ones((2,))), np.ones(3)).tolist() == [0, 0, 0]


def test_a_plain_number_has_no_slope_either():
    assert gradient(lambda x: 3.0, np.ones(2)).tolist() == [0, 0]


def test_a_function_that_returns_nothing_is_told():
    with pytest.raises(ValueError, match="forget `return`"):
        gradient(lambda x: None, np.ones(3))


@pytest.mark.parametrize("by", ["weights", "input"])
def test_the_model_is_left_as_it_was_in_training_too(by):
    model = keras.Sequential([layers.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5, seed=3)])
    x = np.random.default_rng(0).normal(3, 2, size=(8, 4)).astype("float32")
    before = [ops.convert_to_numpy(v.value).copy() for v in model.variables]
    for _ in range(2):
        if by == "weights":
            weight_gradients(model, ops.sum, x, training=True)
        else:
            gradient(lambda x: ops.sum(model(x, training=True)), x)
    for was, is_ in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(was, ops.convert_to_numpy(is_.value))
    assert np.isfinite(ops.convert_to_numpy(model(x))).all()  # nothing of the gradient's trace is left in it


def test_a_function_that_returns_no_single_number_is_told():
    with pytest.raises(ValueError, match=r"shape \(3,\).*one number"):
        gradient(lambda x: 2 * x, np.ones(3))


def test_no_array_is_told():
    with pytest.raises(ValueError, match="at least one"):
        value_and_gradient(lambda: 1.0)


def test_gradients_flow_through_a_model_to_its_input():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1, use_bias=False)])
    slope = gradient(lambda x: ops.sum(model(x)), np.ones((2, 4)))
    np.testing.assert_allclose(slope, np.tile(model.get_weights()[0].T, (2, 1)), rtol=1e-6)


def test_weight_gradients_stand_in_the_order_of_the_weights_and_agree_with_differences():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Input((6, 6, 2)), layers.Conv2D(3, 3, activation="tanh"), layers.Flatten(), layers.Dense(2)]
    )
    x = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype("float32")
    value, slopes = weight_gradients(model, lambda y: ops.mean(ops.square(y)), x)
    assert [s.shape for s in slopes] == [tuple(w.shape) for w in model.trainable_weights]
    assert np.isclose(value, np.mean(model.predict(x, verbose=0) ** 2), rtol=1e-5)
    for weight, slope in zip(model.trainable_weights, slopes, strict=True):
        start = ops.convert_to_numpy(weight.value).copy()
        direction = np.random.default_rng(1).normal(size=start.shape).astype("float32")
        values = []
        for step in (1e-2, -1e-2):
            weight.assign(start + step * direction)
            values.append(weight_gradients(model, lambda y: ops.mean(ops.square(y)), x)[0])
        weight.assign(start)
        assert np.isclose((values[0] - values[1]) / 2e-2, np.sum(slope * direction), rtol=2e-2, atol=1e-4)


def test_weight_gradients_leave_frozen_weights_out_and_spread_embeddings():
    model = keras.Sequential([layers.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Dense(1)])
    model.layers[1].trainable = False
    _, slopes = weight_gradients(model, ops.sum, np.array([[0, 1, 1]]))
    assert [s.shape for s in slopes] == [(5, 2)]
    np.testing.assert_allclose(slopes[0][1], 2 * slopes[0][0], rtol=1e-6)
    assert not slopes[0][2:].any()


def test_weight_gradients_go_through_normalisation_in_training_without_an_error():
    model = keras.Sequential(
        [layers.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    )
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    for training in (False, True):
        _, slopes = weight_gradients(model, ops.sum, x, training=training)
        assert all(np.isfinite(s).all() for s in slopes)
        assert len(slopes) == 4


def test_a_model_without_weights_is_told_to_be_built():
    with pytest.raises(ValueError, match="call it once"):
        weight_gradients(layers.Dense(1), ops.sum, np.ones((1, 2)))


def test_a_frozen_model_is_told():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.trainable = False
    with pytest.raises(ValueError, match="frozen"):
        weight_gradients(model, ops.sum, np.ones((1, 4)))


def test_a_layer_that_only_counts_its_weights_is_not_given_any() -> None:
    with keras.StatelessScope(initialize_variables=False):
        large = layers.Dense(3)
        large.build((None, 2))
    layer = layers.Dense(1)
    layer.build((None, 2))
    value_and_gradient(ops.sum, np.ones(2))
    weight_gradients(layer, ops.sum, np.ones((1, 2)))
    assert large.kernel._value is None

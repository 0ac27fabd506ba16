import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnkit.gradients import backend_name, compiled, gradient, value_and_gradient, weight_gradients


@pytest.fixture
def quickly():
    """PyTorch's compiler takes half a minute for what a test asks of it: here it traces, and leaves it at that."""
    if backend_name() != "torch":
        yield
        return
    import torch

    with torch.compiler.set_stance("force_eager"):
        yield


def small_net() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(3, 3, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=3),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def images(batch: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(batch, 6, 6, 2)).astype("float32")


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


def test_tensors_go_in_and_tensors_come_out():
    x = ops.convert_to_tensor(np.array([1.0, 2.0]), dtype="float32")
    layer = layers.Dense(1)
    layer.build((None, 2))
    value, (slope, other) = value_and_gradient(lambda a, b: ops.sum(a**2 * b), x, np.ones(2))
    loss, weights = weight_gradients(layer, ops.sum, x[None])
    for found in (value, slope, other, gradient(ops.sum, x), loss, *weights):
        assert ops.is_tensor(found)
    assert ops.convert_to_numpy(slope).tolist() == [2, 4]


def test_a_tensor_keeps_its_type():
    assert gradient(ops.sum, ops.ones((2,), "float16")).dtype == ops.ones((), "float16").dtype


def test_a_gradient_has_a_gradient():
    twice = gradient(lambda x: ops.sum(gradient(lambda t: ops.sum(t**3), x) ** 2), np.array([1.0, -2.0]))
    np.testing.assert_allclose(twice, 36 * np.array([1.0, -2.0]) ** 3, rtol=1e-5)


def test_a_gradient_within_weight_gradients_sees_the_weights_that_are_moved():
    layer = layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(3.0))
    layer.build((None, 1))

    def slope_in_the_input(y):  # of (w x)**2, hence 2 w**2 x
        return ops.sum(gradient(lambda x: ops.sum(layer(x) ** 2), ops.full((1, 1), 2.0)))

    value, (slope,) = weight_gradients(layer, slope_in_the_input, np.ones((1, 1)))
    assert (value, slope.item()) == (36.0, 24.0)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("training", [False, True])
def test_compiled_weight_gradients_are_those_that_are_not(training):
    model = small_net()
    fast = compiled(weight_gradients, model, lambda y: ops.mean(ops.square(y)), training=training)
    for batch in (3, 5):
        want = weight_gradients(model, lambda y: ops.mean(ops.square(y)), images(batch), training=training)
        value, slopes = fast(images(batch))
        assert np.isclose(value, want[0], rtol=1e-5)
        for one, other in zip(slopes, want[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("quickly")
def test_compiled_gradients_in_arrays_are_those_that_are_not():
    model, x, factors = small_net(), images(), np.array([[1.0, -2.0]])

    def loss(x, factors):
        return ops.sum(model(x) * factors)

    value, slopes = compiled(value_and_gradient, loss)(x, factors)
    want, others = value_and_gradient(loss, x, factors)
    assert isinstance(value, float) and np.isclose(value, want, rtol=1e-5)
    for one, other in zip(slopes, others, strict=True):
        assert type(one) is np.ndarray
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    one = compiled(gradient, lambda x: ops.sum(model(x)))(ops.convert_to_tensor(x))
    assert ops.is_tensor(one)
    np.testing.assert_allclose(
        ops.convert_to_numpy(one), gradient(lambda x: ops.sum(model(x)), x), rtol=1e-4, atol=1e-6
    )


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("way", ["in the input", "in the weights"])
def test_a_compiled_gradient_knows_what_was_learned_since(way):
    model = small_net()
    fast = {
        "in the input": compiled(gradient, lambda x: ops.sum(model(x) ** 2)),
        "in the weights": compiled(weight_gradients, model, lambda y: ops.sum(y**2)),
    }[way]
    before = fast(images())
    for variable in model.variables:
        if variable.dtype == "float32":
            variable.assign(2 * variable.value + 0.1)
    if way == "in the input":
        now, want = fast(images()), gradient(lambda x: ops.sum(model(x) ** 2), images())
        assert not np.allclose(now, before)
        np.testing.assert_allclose(now, want, rtol=1e-4, atol=1e-5)
    else:
        now, want = fast(images())[0], weight_gradients(model, lambda y: ops.sum(y**2), images())[0]
        assert not np.isclose(now, before[0])
        assert np.isclose(now, want, rtol=1e-4)


@pytest.mark.usefixtures("quickly")
def test_a_compiled_gradient_leaves_moving_averages_and_seeds_as_they_were():
    model = small_net()
    before = [ops.convert_to_numpy(v.value).copy() for v in model.variables]
    fast = compiled(gradient, lambda x: ops.sum(model(x, training=True) ** 2))
    np.testing.assert_array_equal(fast(images()), fast(images()))
    for was, is_ in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(was, ops.convert_to_numpy(is_.value))


@pytest.mark.skipif(
    backend_name() == "torch", reason="PyTorch plays back what a traced function did to a list"
)
def test_a_compiled_function_is_not_run_again_for_a_shape_that_it_has_seen():
    calls = []

    def function(x):
        calls.append(1)
        return ops.sum(x**2)

    fast = compiled(gradient, function)
    fast(np.ones(3))
    before = len(calls)
    assert fast(np.full(3, 2.0)).tolist() == [4, 4, 4]
    assert len(calls) == before
    assert fast(np.ones(4)).tolist() == [2, 2, 2, 2]
    assert len(calls) > before


@pytest.mark.skipif(backend_name() != "torch", reason="the others compile in every test")
def test_pytorch_compiles_too():
    fast = compiled(gradient, lambda x: ops.sum(ops.tanh(x) ** 2))
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(fast(x), 2 * np.tanh(x) / np.cosh(x) ** 2, rtol=1e-5)


@pytest.mark.skipif(backend_name() != "torch", reason="only torch.compile may lack its compiler")
def test_where_torch_cannot_compile_the_function_runs_as_it_is_and_says_so(monkeypatch):
    import torch

    def fails(function):
        def run(*arguments):
            raise torch._dynamo.exc.InternalTorchDynamoError("no compiler")

        return run

    monkeypatch.setattr(torch, "compile", fails)
    fast = compiled(gradient, lambda x: ops.sum(x**2))
    with pytest.warns(UserWarning, match="runs uncompiled: no compiler"):
        assert fast(np.ones(2)).tolist() == [2, 2]
    assert fast(np.ones(2)).tolist() == [2, 2]


def test_only_the_ways_of_this_module_are_compiled():
    with pytest.raises(ValueError, match="takes gradient, value_and_gradient or weight_gradients, not"):
        compiled(np.sum, ops.sum)

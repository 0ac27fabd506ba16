"""DropConnect and stochastic depth while training: what is drawn, its mean and variance, and what bad arguments get."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit import gradients, insight, scratch
from cnnkit.layers import DropConnect, Maxout, StochasticDepth, linear_survival
from tests.layers.cases.dropping import convolved

RNG = np.random.default_rng(0)


def run(layer: keras.Layer, x: np.ndarray, **options) -> np.ndarray:
    return ops.convert_to_numpy(layer(x.astype("float32"), **options))


def drawn(layer: DropConnect, batch: int) -> list[np.ndarray]:
    return [ops.convert_to_numpy(weights) for weights in layer.draw(batch) if weights is not None]


def filled(make, x: np.ndarray, seed: int = 3) -> DropConnect:
    """The layer with the same weights and the same draws to come, each time it is made."""
    layer = make()
    run(layer, x)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_each_example_of_a_dense_layer_loses_connections_of_its_own(rate: float) -> None:
    x = RNG.normal(size=(4, 6))
    layer, again = (filled(lambda: DropConnect(keras.layers.Dense(5), rate, seed=1), x) for _ in range(2))
    (w, b), (kernels, biases) = layer.get_weights(), drawn(again, 4)
    kept_w, kept_b = kernels != 0, biases != 0
    assert len({kept.tobytes() for kept in kept_w}) == 4
    assert np.allclose(
        run(layer, x, training=True), scratch.drop_connect(x, w, b, kept_w, kept_b, rate), atol=1e-5
    )


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: keras.layers.Conv1D(3, 3, padding="causal", dilation_rate=2), (4, 9, 2)),
        (lambda: keras.layers.Conv2D(4, (3, 2), 2, "same", groups=2), (4, 7, 6, 4)),
        (lambda: keras.layers.Conv2D(3, 3, dilation_rate=(1, 2), use_bias=False), (4, 6, 7, 2)),
        (lambda: keras.layers.Conv3D(2, (1, 2, 3), 2), (4, 3, 4, 7, 2)),
        (lambda: keras.layers.Dense(3), (4, 5, 3, 2)),
    ],
)
@pytest.mark.parametrize("per", ["example", "batch"])
def test_what_is_trained_with_is_the_layer_with_the_weights_that_were_drawn(make, shape, per) -> None:
    x = RNG.normal(size=shape)
    layer, again = (filled(lambda: DropConnect(make(), 0.4, per, seed=2), x) for _ in range(2))
    got, weights = run(layer, x, training=True), drawn(again, 4)
    assert all(len(w) == (4 if per == "example" else 1) for w in weights)
    for i in range(4):
        again.set_weights([w[i % len(w)] for w in weights])
        assert np.allclose(got[i], run(again, x[i : i + 1])[0], atol=1e-4)


def test_a_layout_with_channels_first_loses_the_same_connections() -> None:
    x = RNG.normal(size=(3, 6, 5, 2))
    last = filled(lambda: DropConnect(keras.layers.Conv2D(4, 3, data_format="channels_last"), seed=5), x)
    moved = np.moveaxis(x, -1, 1)
    first = filled(
        lambda: DropConnect(keras.layers.Conv2D(4, 3, data_format="channels_first"), seed=5), moved
    )
    for training in (False, True):
        got = run(first, moved, training=training)
        assert np.allclose(np.moveaxis(got, 1, -1), run(last, x, training=training), atol=1e-5)
    model = keras.Sequential([keras.Input((2, 6, 5)), first])
    assert insight.receptive_field(model, first.name).size == (3, 3)
    assert insight.multiply_adds(model) == 4 * 3 * 9 * 2 * 4


def test_mean_and_variance_over_the_draws_are_those_that_scratch_works_out() -> None:
    x = np.repeat(RNG.normal(size=(1, 6)), 40_000, axis=0)
    layer = filled(lambda: DropConnect(keras.layers.Dense(3), 0.3, seed=4), x[:1])
    mean, variance = scratch.drop_connect_moments(x[:1].astype("float32"), *layer.get_weights(), rate=0.3)
    y = run(layer, x, training=True)
    assert np.allclose(y.mean(axis=0), mean, atol=5 * np.sqrt(variance.max() / 40_000))
    assert np.allclose(y.var(axis=0), variance, rtol=0.05)
    assert np.allclose(run(layer, x[:1]), mean, atol=1e-5)


def test_with_samples_inference_is_the_mean_of_the_activation_and_not_the_activation_of_the_mean() -> None:
    x = np.abs(RNG.normal(size=(1, 64)))
    make = [lambda n=n: DropConnect(keras.layers.Dense(4, "relu"), samples=n, seed=6) for n in (20_000, 0)]
    many, none = (filled(one, x) for one in make)
    w, b = none.get_weights()
    b[:] = -(x[0] @ w) - 0.1  # just below the kink, where the two differ
    for layer in (many, none):
        layer.set_weights([w, b])
    trained = run(none, np.repeat(x, 20_000, axis=0), training=True)
    truth, error = trained.mean(axis=0), 4 * trained.std(axis=0) / np.sqrt(20_000)
    assert np.all(run(none, x) == 0) and np.all(truth > 0.5)
    assert np.allclose(run(many, x)[0], truth, atol=2 * error.max() + 0.02 * truth.max())  # nearly normal
    assert insight.multiply_adds(keras.Sequential([keras.Input((64,)), many])) == 2 * 64 * 4


def test_the_gradient_goes_to_the_connections_that_were_kept() -> None:
    x = RNG.normal(size=(2, 3)).astype("float32")
    layer, again = (filled(lambda: DropConnect(keras.layers.Dense(2), seed=7), x) for _ in range(2))
    slope = np.asarray(gradients.gradient(lambda t: ops.sum(layer(t, training=True)), x))
    assert np.allclose(slope, drawn(again, 2)[0].sum(axis=-1), atol=1e-5)


@pytest.mark.parametrize("per", ["example", "batch"])
def test_a_net_of_both_learns_and_its_regularisers_count(per: str) -> None:
    inputs = keras.Input((None, None, 2))
    x = DropConnect(keras.layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2"), 0.2, per, seed=1)(
        inputs
    )
    x = keras.layers.Add()([x, StochasticDepth(0.8, per, seed=2)(keras.layers.Conv2D(4, 1)(x))])
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = DropConnect(keras.layers.Dense(2, activity_regularizer="l2"), 0.2, per, seed=3)(x)
    model = keras.Model(inputs, outputs)
    assert len(model.losses) == 1
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    images = RNG.normal(size=(64, 6, 6, 2)).astype("float32")
    labels = (images.mean(axis=(1, 2))[:, 0] > 0).astype("int32")
    history = model.fit(images, labels, batch_size=16, epochs=8, verbose=0).history
    assert history["accuracy"][-1] > 0.8
    plain = float(ops.convert_to_numpy(loss(labels, model(images))))
    assert model.evaluate(images, labels, verbose=0)[0] > plain + 1e-3


def test_a_wrapped_layer_gives_its_precision_and_a_wrapper_may_have_another() -> None:
    assert DropConnect(keras.layers.Dense(2, dtype="mixed_float16")).compute_dtype == "float16"
    assert DropConnect(keras.layers.Dense(2), dtype="mixed_float16").compute_dtype == "float16"


@pytest.mark.skipif(not hasattr(keras.Layer, "quantize"), reason="this Keras does not quantise")
def test_a_quantised_layer_infers_as_before() -> None:
    x = RNG.normal(size=(4, 8))
    model = keras.Sequential([keras.Input((8,)), filled(lambda: DropConnect(keras.layers.Dense(3)), x)])
    before = run(model, x)
    model.layers[0].layer.quantize("int8")
    assert np.allclose(run(model, x), before, atol=0.1)


def test_a_dense_layer_keeps_a_mask_and_a_convolution_refuses_it() -> None:
    masked = keras.layers.Masking()(np.array([[[1.0, 1.0], [0.0, 0.0]]], "float32"))
    kept = DropConnect(keras.layers.Dense(2))(masked)
    assert ops.convert_to_numpy(kept._keras_mask).tolist() == [[True, False]]
    with pytest.raises(ValueError, match="cannot keep a mask"):
        DropConnect(keras.layers.Conv1D(2, 1))(masked)


@pytest.mark.parametrize("per", ["example", "batch"])
def test_a_branch_is_dropped_as_often_as_was_asked(per: str) -> None:
    x = RNG.uniform(1, 2, size=(2000, 3, 2)).astype("float32")
    layer = StochasticDepth(0.7, per, seed=1)
    runs = [
        run(layer, x[:1] if per == "batch" else x, training=True)
        for _ in range(1 if per == "example" else 2000)
    ]
    y = np.concatenate(runs)
    kept = np.any(y != 0, axis=(1, 2))
    assert abs(kept.mean() - 0.7) < 4 * np.sqrt(0.7 * 0.3 / 2000)
    images = x if per == "example" else np.repeat(x[:1], 2000, axis=0)
    assert np.allclose(y, scratch.stochastic_depth(images, kept, 0.7), atol=1e-5)


def test_one_draw_for_the_batch_keeps_or_drops_all_of_it() -> None:
    layer, x = StochasticDepth(0.5, "batch", seed=1), np.ones((9, 2))
    sums = {run(layer, x, training=True).sum() for _ in range(20)}
    assert sums == {0.0, 36.0}


def test_survival_falls_in_a_line_and_leaves_three_quarters_of_the_depth() -> None:
    assert np.allclose(linear_survival(54)[-1], 0.5) and linear_survival(3, last=1) == [1, 1, 1]
    assert np.isclose(sum(linear_survival(54)), (3 * 54 - 1) / 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DropConnect(Maxout(2)), "knows Dense, Conv1D, Conv2D and Conv3D, not <Maxout"),
        (lambda: DropConnect(keras.layers.DepthwiseConv2D(3)), "not <DepthwiseConv2D"),
        (lambda: DropConnect(3), "not 3; wrap one of these"),
        (lambda: DropConnect(keras.layers.Dense(2), rate=1.0), "rate must be from 0 to below 1.*not 1.0"),
        (lambda: DropConnect(keras.layers.Dense(2), rate=float("nan")), "not nan"),
        (lambda: DropConnect(keras.layers.Dense(2), rate="0.5"), "not '0.5'"),
        (lambda: DropConnect(keras.layers.Dense(2), per="unit"), "'example' or 'batch'.*not 'unit'"),
        (
            lambda: DropConnect(keras.layers.Dense(2), samples=-1),
            "samples must be an integer of at least 0, not -1",
        ),
        (lambda: StochasticDepth(0.0), "survival must be above 0 and at most 1.*not 0.0"),
        (lambda: StochasticDepth(1.2), "survival must be above 0 and at most 1.*not 1.2"),
        (
            lambda: StochasticDepth(0.5)([np.ones((1, 2)), np.ones((1, 2))]),
            "given 2 inputs: add the shortcut",
        ),
        (lambda: linear_survival(0), "blocks must be a positive integer, not 0"),
        (lambda: linear_survival(3, last=0), "last must be above 0.*not 0"),
    ],
)
def test_bad_arguments_are_named_with_a_remedy(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_without_a_rate_training_changes_nothing() -> None:
    x = RNG.normal(size=(2, 5, 5, 1))
    layer = filled(lambda: DropConnect(keras.layers.Conv2D(2, 3), rate=0), x)
    assert np.allclose(run(layer, x, training=True), convolved(layer, x), atol=1e-5)
    assert np.array_equal(run(StochasticDepth(1.0), x, training=True), x.astype("float32"))

"""What is kept of another task: features, frozen layers, norms, rates by depth, and the control."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import models, training
from cnnkit.training import Recipe


def images(count: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 2.0, (count, 8, 8, 3)).astype("float32")


def backbone() -> keras.Model:
    """Two branches that meet, each with a batch norm, and something that draws by chance."""
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(4, 3, padding="same", name="stem")(x)
    y = keras.layers.BatchNormalization(name="stem_norm")(y)
    y = keras.layers.Dropout(0.5)(keras.layers.ReLU(name="stem_relu")(y))
    left = keras.layers.Conv2D(5, 3, padding="same", name="left")(y)
    right = keras.layers.Conv2D(5, 1, name="right")(y)
    y = keras.layers.Add(name="both")([left, right])
    return keras.Model(x, keras.layers.BatchNormalization(name="last_norm")(y), name="backbone")


def classifier(body: keras.Model | None = None) -> keras.Model:
    body = body or backbone()
    y = keras.layers.GlobalAveragePooling2D()(body.output)
    return keras.Model(body.input, keras.layers.Dense(2, name="head")(y))


def numbers(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def test_features_are_the_maps_of_a_layer_averaged_over_their_places() -> None:
    net, x = backbone(), images()
    found = training.features(net, x, ["stem_relu", "both"], batch_size=5)
    maps = numbers(keras.Model(net.input, net.get_layer("stem_relu").output)(x, training=False))
    np.testing.assert_allclose(found["stem_relu"], maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
    assert found["both"].shape == (12, 5)


def test_features_of_a_network_from_the_registry_are_those_of_its_stages() -> None:
    net = models.create("lenet5", classes=None)
    x = np.random.default_rng(0).normal(size=(3, *net.input_shape[1:])).astype("float32")
    (rows,) = training.features(net, x).values()
    assert rows.shape == (3, net.output_shape[-1])


def test_features_may_be_asked_of_one_layer_and_of_vectors() -> None:
    net = classifier()
    assert {name: rows.shape for name, rows in training.features(net, images(), "head").items()} == {
        "head": (12, 2)
    }


def test_features_refuse_what_is_no_layer_and_what_are_no_images() -> None:
    net = backbone()
    with pytest.raises(
        ValueError, match="no layer of 'backbone' is called 'stem_relo'; did you mean 'stem_relu'"
    ):
        training.features(net, images(), ["stem_relo"])
    with pytest.raises(ValueError, match="there are no images"):
        training.features(net, images()[:0])
    with pytest.raises(ValueError, match=r"takes images of shape \(8, 8, 3\); x has the shape \(8, 8, 3\)"):
        training.features(net, images()[0])
    with pytest.raises(ValueError, match="no layer is named"):
        training.features(net, images(), [])


def test_freezing_takes_all_that_a_layer_depends_on_and_leaves_what_lies_beside_it() -> None:
    net = classifier()
    left = training.freeze(net, "left")
    assert {layer.name for layer in net.layers if layer.weights and layer.trainable} == {
        "right",
        "last_norm",
        "head",
    }
    assert left == (4 * 5 + 5) + 2 * 5 + (5 * 2 + 2)
    assert training.freeze(net, "stem") > left and net.get_layer("left").trainable  # it can be taken back


def test_frozen_weights_and_statistics_do_not_move_in_a_training() -> None:
    net, x = classifier(), images(16)
    training.freeze(net, "last_norm")
    before = {weight.path: numbers(weight) for weight in net.weights}
    training.fit(net, (x, np.arange(16) % 2), recipe=Recipe(rate=0.1, batch_size=4), epochs=2, verbose=0)
    moved = {
        weight.path for weight in net.weights if not np.array_equal(numbers(weight), before[weight.path])
    }
    assert moved == {"head/kernel", "head/bias"}


def test_freezing_refuses_what_is_no_layer_and_what_leaves_nothing() -> None:
    net = classifier()
    with pytest.raises(ValueError, match="did you mean 'left'"):
        training.freeze(net, "lift")
    with pytest.raises(ValueError, match="nothing is left to train after 'head'"):
        training.freeze(net, "head")


def test_frozen_norms_keep_their_weights_and_statistics_while_all_else_learns() -> None:
    net, x = keras.Sequential([backbone(), keras.layers.Flatten(), keras.layers.Dense(2)]), images(16)
    assert sorted(training.freeze_norms(net)) == ["last_norm", "stem_norm"]
    before = [numbers(weight) for weight in net.weights]
    training.fit(net, (x, np.arange(16) % 2), recipe=Recipe(rate=0.05, batch_size=4), epochs=1, verbose=0)
    for weight, old in zip(net.weights, before, strict=True):
        still = np.array_equal(numbers(weight), old)
        assert still == ("norm" in weight.path), weight.path


def test_restated_norms_hold_mean_and_variance_of_the_new_images_and_nothing_else_moves() -> None:
    net, x = backbone(), images(20)
    before = {weight.path: numbers(weight) for weight in net.weights}
    training.restate_norms(net, x)
    y = numbers(keras.Model(net.input, net.get_layer("stem").output)(x))
    norm = net.get_layer("stem_norm")
    np.testing.assert_allclose(numbers(norm.moving_mean), y.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numbers(norm.moving_variance), y.var(axis=(0, 1, 2)), rtol=1e-3, atol=1e-5)
    out = numbers(
        net(x, training=False)
    )  # nothing was dropped, so that the last norm fits what it is given in use
    np.testing.assert_allclose(out.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(out.std(axis=(0, 1, 2)), 1, atol=1e-2)
    moved = {path for path, old in before.items() if not np.array_equal(old, numbers(_by_path(net, path)))}
    assert moved == {
        f"{one}/moving_{what}" for one in ("stem_norm", "last_norm") for what in ("mean", "variance")
    }


def _by_path(net: keras.Model, path: str) -> object:
    return next(weight for weight in net.weights if weight.path == path)


def test_restated_norms_of_several_batches_are_the_means_of_theirs_and_frozen_ones_stay_frozen() -> None:
    norm = keras.layers.BatchNormalization()
    net = keras.Sequential([keras.Input((3,)), norm])
    training.freeze_norms(net)
    x = np.random.default_rng(1).normal(size=(12, 3)).astype("float32")
    training.restate_norms(net, x, batch_size=4)
    np.testing.assert_allclose(numbers(norm.moving_mean), x.mean(axis=0), atol=1e-5)
    within = x.reshape(3, 4, 3).var(axis=1).mean(axis=0)
    np.testing.assert_allclose(numbers(norm.moving_variance), within, rtol=1e-4)
    assert not norm.trainable and norm.momentum == 0.99


def test_restating_leaves_dropout_as_it_was() -> None:
    net = backbone()
    training.restate_norms(net, images())
    dropped = numbers(net(images(), training=True))
    assert not np.allclose(dropped, numbers(net(images(), training=True)))


def test_restating_refuses_a_net_without_norms_and_a_single_image() -> None:
    with pytest.raises(ValueError, match="no batch norm"):
        training.restate_norms(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), np.ones((4, 3)))
    with pytest.raises(ValueError, match="two images at least"):
        training.restate_norms(backbone(), images(1))


def test_rates_fall_by_depth_and_norms_go_with_the_layer_before_them() -> None:
    net = classifier()
    rates = training.rates_by_depth(net, factor=2)
    assert rates["head"] == 1 and rates["stem"] == rates["stem_norm"] == pytest.approx(1 / 8)
    assert sorted({rates["left"], rates["right"]}) == [0.25, 0.5]
    training.freeze(net, "stem_norm")
    assert set(training.rates_by_depth(net)) == {"left", "right", "last_norm", "head"}


def test_rates_by_depth_refuse_a_factor_below_one_and_a_frozen_net() -> None:
    net = classifier()
    with pytest.raises(ValueError, match="factor is how many times slower"):
        training.rates_by_depth(net, factor=0.5)
    net.trainable = False
    with pytest.raises(ValueError, match="nothing is left to train"):
        training.rates_by_depth(net)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "Nadam"])
def test_a_step_is_as_long_as_the_rate_of_its_layer_says(optimizer: str) -> None:
    def step(rates: dict[str, float] | None) -> dict[str, np.ndarray]:
        keras.utils.set_random_seed(1)
        net = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(2, name="b")]
        )
        how = Recipe(
            optimizer,
            rate=0.01,
            momentum=None,
            schedule="constant",
            weight_decay=0.1,
            batch_size=8,
            rates=rates,
        )
        before = {weight.path: numbers(weight) for weight in net.weights}
        x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
        training.fit(net, (x, np.arange(8) % 2), recipe=how, epochs=1, verbose=0)
        return {
            weight.path.split("/", weight.path.count("/") - 1)[-1]: numbers(weight) - before[weight.path]
            for weight in net.weights
        }

    same, slower = step(None), step({"a": 0.1})
    for (
        path,
        moved,
    ) in same.items():  # weights of order 1 know their seventh digit, and a step is a thousandth
        np.testing.assert_allclose(
            slower[path], moved * (0.1 if path.startswith("a/") else 1.0), rtol=1e-3, atol=3e-7
        )


def test_a_layer_with_a_rate_of_zero_stays() -> None:
    net, x = classifier(), images(8)
    before = numbers(net.get_layer("stem").kernel)
    how = Recipe(rate=0.1, weight_decay=0.01, batch_size=4, rates={"stem": 0.0})
    training.fit(net, (x, np.arange(8) % 2), recipe=how, epochs=1, verbose=0)
    assert np.array_equal(before, numbers(net.get_layer("stem").kernel))


def test_a_training_with_rates_by_depth_is_resumed_exactly(tmp_path: Path) -> None:
    x, y = images(24), np.arange(24) % 2

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    def run(folder: Path, *callbacks: keras.callbacks.Callback) -> keras.Model:
        net = classifier()
        training.freeze_norms(net)
        how = Recipe(
            "AdamW",
            rate=0.01,
            momentum=None,
            weight_decay=0.1,
            batch_size=8,
            rates=training.rates_by_depth(net),
        )
        training.fit(net, (x, y), recipe=how, epochs=4, out=folder, callbacks=callbacks, verbose=0)
        return net

    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", Stop())
    resumed = run(tmp_path / "stopped")
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_rates_name_layers_that_there_are_and_numbers_from_zero() -> None:
    net, x = classifier(), images(8)
    with pytest.raises(
        ValueError, match=r"no layer with weights of .* is called 'sten'; did you mean 'stem'"
    ):
        training.fit(net, (x, np.arange(8) % 2), recipe=Recipe(rates={"sten": 0.1}), epochs=1, verbose=0)
    with pytest.raises(ValueError, match="multiplies the rate of 'stem' by a number from 0, not by -1"):
        Recipe(rates={"stem": -1})
    with pytest.raises(ValueError, match="need the model"):
        Recipe(rates={"stem": 0.5}).make_optimizer(10)


def test_shuffled_kernels_keep_their_numbers_and_lose_their_order() -> None:
    net, twin = backbone(), backbone()
    training.shuffle_weights(net, seed=3)
    for one, other in zip(net.weights, twin.weights, strict=True):
        a, b = numbers(one), numbers(other)
        np.testing.assert_array_equal(np.sort(a, axis=None), np.sort(b, axis=None))
        assert np.array_equal(a, b) == (a.ndim == 1), one.path


def test_a_network_that_is_not_built_says_so() -> None:
    net = keras.Sequential([keras.layers.Conv2D(4, 3, name="first"), keras.layers.BatchNormalization()])
    for ask in (lambda: training.features(net, images(), ["first"]), lambda: training.freeze(net, "first")):
        with pytest.raises(ValueError, match="has no graph of layers"):
            ask()
    for ask in (lambda: training.shuffle_weights(net), lambda: training.rates_by_depth(net)):
        with pytest.raises(ValueError, match="build it"):
            ask()

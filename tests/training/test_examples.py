"""What the examples are, before anything is trained: the loss they ask for, and a sentence for each fault."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.training.examples import SmoothedCrossentropy, check_input, check_validation, examples, task

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4, 4, 1)).astype("float32")


def net(outputs: int = 3, activation: str | None = None, side: int = 4, *first: keras.Layer) -> keras.Model:
    inputs = keras.Input((side, side, 1))
    x = inputs
    for layer in first:
        x = layer(x)
    return keras.Model(
        inputs, keras.layers.Dense(outputs, activation=activation)(keras.layers.Flatten()(x)), name="net"
    )


@pytest.mark.parametrize(
    "model, y, name, loss",
    [
        (net(3), np.array([0, 1, 2]), "classes", "sparse_categorical_crossentropy"),
        (net(3), np.eye(3)[[0, 2]], "one-hot", "categorical_crossentropy"),
        (net(3), np.eye(3, dtype=int)[[0, 2]], "one-hot", "categorical_crossentropy"),
        (net(1), np.array([0, 1]), "binary", "binary_crossentropy"),
        (net(1), np.array([True, False]), "binary", "binary_crossentropy"),
        (net(1), np.array([[0], [1]]), "binary", "binary_crossentropy"),
        (net(1), np.array([0.0, 1.0]), "binary", "binary_crossentropy"),
        (net(3, "sigmoid"), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), "labels", "binary_crossentropy"),
        (net(3, "sigmoid"), np.eye(3), "labels", "binary_crossentropy"),
        (net(3), np.array([[1, 1, 0], [0, 0, 0]]), "labels", "binary_crossentropy"),
        (net(3, "softmax"), np.array([[0.2, 0.3, 0.5]]), "one-hot", "categorical_crossentropy"),
        (net(1), np.array([0.5, 2.0]), "numbers", "mean_squared_error"),
        (net(3), np.array([[0.5, 2.0, 1.0]]), "numbers", "mean_squared_error"),
    ],
)
def test_targets_ask_for_a_loss(model: keras.Model, y: np.ndarray, name: str, loss: str) -> None:
    found = task(model, y)
    assert (found.name, found.loss.name) == (name, loss)


@pytest.mark.parametrize(
    "activation, scores", [(None, True), ("relu", True), ("softmax", False), ("sigmoid", False)]
)
def test_probabilities_and_scores_are_told_apart(activation: str | None, scores: bool) -> None:
    assert task(net(3, activation), np.array([0, 1])).loss.get_config()["from_logits"] is scores


def maps(channels: int, side: int | None = 4) -> keras.Model:
    return keras.Sequential(
        [keras.Input((side, side, 1)), keras.layers.Conv2D(channels, 3, padding="same")], name="maps"
    )


@pytest.mark.parametrize(
    "model, shape, kind, name",
    [
        (maps(3), (2, 4, 4), int, "classes"),
        (maps(2), (2, 4, 4), bool, "classes"),
        (maps(1), (2, 4, 4), bool, "binary"),
        (maps(1), (2, 4, 4, 1), "float32", "binary"),
        (maps(1, None), (2, 6, 6, 1), "float32", "binary"),
        (maps(3, None), (2, 6, 6), int, "classes"),
    ],
)
def test_masks_ask_for_a_loss_of_each_place(model, shape, kind, name) -> None:
    assert task(model, RNG.integers(0, 2, shape).astype(kind)).name == name


def test_numbers_for_each_place_of_open_maps() -> None:
    assert task(maps(1, None), RNG.normal(size=(2, 6, 6))).name == "numbers"
    assert task(maps(1, None), RNG.normal(size=(2, 6, 6, 1))).name == "numbers"


@pytest.mark.parametrize(
    "after",
    [
        lambda x: keras.ops.softmax(keras.layers.Dense(3)(x)),
        lambda x: keras.layers.Softmax()(keras.layers.Dense(3)(x)),
        lambda x: keras.layers.Reshape((3,))(keras.layers.Dense(3, activation="softmax")(x)),
        lambda x: keras.layers.Activation("linear")(keras.layers.Dense(3, activation="softmax")(x)),
        lambda x: keras.Sequential([keras.Input((16,)), keras.layers.Dense(3, activation="softmax")])(x),
    ],
)
def test_probabilities_are_found_wherever_they_are_made(after) -> None:
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, after(keras.layers.Flatten()(inputs)))
    assert task(model, np.array([0, 1])).loss.get_config()["from_logits"] is False


def test_a_gate_within_is_no_end() -> None:
    inputs = keras.Input((16,))
    gate = keras.layers.Dense(16, activation="softmax")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Multiply()([inputs, gate])))
    assert task(model, np.array([0, 1])).loss.get_config()["from_logits"] is True


def test_a_single_score_is_right_above_zero_and_a_single_probability_above_a_half() -> None:
    for activation, outputs in ((None, [[0.25], [-0.25]]), ("sigmoid", [[0.6], [0.4]])):
        (right,) = task(net(1, activation), np.array([1, 0])).metrics
        found = right(np.array([[1], [0]]), np.array(outputs, "float32"))
        assert keras.ops.convert_to_numpy(found).ravel().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "model, y, held",
    [
        (net(3), np.array([0, 1]), np.eye(3)),
        (net(3), np.eye(3), np.array([0, 1])),
        (net(1), np.array([0, 1]), np.array([0.5, 0.7])),
        (net(1), np.array([0.5, 0.7]), np.array([[0.5], [0.7]])),
    ],
)
def test_a_validation_part_of_another_form_is_named(model, y, held) -> None:
    with pytest.raises(ValueError, match="asks for another loss: give both in one form"):
        check_validation(model, task(model, y), y, held)


def test_a_validation_part_may_look_simpler_by_chance() -> None:
    for model, y, held in (
        (net(1), np.array([0.5, 2.0]), np.array([0.0, 1.0])),
        (net(3), np.array([[1, 1, 0]]), np.array([[0, 1, 0]])),
    ):
        check_validation(model, task(model, y), y, held)


def test_smoothed_class_numbers_are_smoothed_one_hot_rows() -> None:
    scores, y = RNG.normal(size=(5, 3)).astype("float32"), np.array([0, 2, 1, 1, 0])
    reference = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)(
        np.eye(3, dtype="float32")[y], scores
    )
    for targets in (y, y[:, None]):
        assert float(SmoothedCrossentropy(3, smoothing=0.2)(targets, scores)) == pytest.approx(
            float(reference), rel=1e-6
        )
    again = SmoothedCrossentropy.from_config(SmoothedCrossentropy(3, smoothing=0.2).get_config())
    assert float(again(y, scores)) == pytest.approx(float(reference), rel=1e-6)


@pytest.mark.parametrize(
    "y, told",
    [
        (np.array([0, 3]), "the label 3 in place 1, and 'net' knows the classes 0 to 2"),
        (np.array([-1, 0]), "the label -1 in place 0"),
        (np.array([1, 2, 3]), "begin at 1: take one away"),
        (np.eye(4), r"one-hot over 4 classes, and 'net' has 3 outputs"),
        (np.array([0.0, 1.0, 2.0]), r"class numbers are integers: y.astype\(int\)"),
        (np.zeros((2, 5)), r"y holds \(5,\) an example, and 'net' gives \(3,\)"),
        (np.array([[[0]]]), "integers of shape"),
        (np.array([[0], [1]]), r"integers of shape \(2, 1\).*class numbers of shape \(2,\)"),
    ],
)
def test_labels_that_do_not_fit_are_named(y: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        task(net(3), y)


@pytest.mark.parametrize(
    "model, y, told",
    [
        (maps(3), np.array([0, 1]), r"class numbers of shape \(2, 4, 4\)"),
        (maps(1), np.zeros((2, 3, 3), int), r"class numbers of shape \(2, 4, 4\)"),
        (net(1), np.array([34, 57]), r"the label 34.*numbers to be met are floats: y.astype\(float\)"),
        (net(3, "softmax"), np.array([[1, 1, 0]]), "ends in a softmax.*end in a sigmoid for several labels"),
    ],
)
def test_targets_that_do_not_fit_the_outputs_are_named(model: keras.Model, y: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        task(model, y)


def test_outputs_without_a_last_axis_are_named() -> None:
    inputs = keras.Input((16,))
    model = keras.Model(inputs, keras.ops.squeeze(keras.layers.Dense(1)(inputs), -1))
    with pytest.raises(ValueError, match=r"without a last axis.*Dense\(1\)"):
        task(model, np.array([0.5, 2.0]))


def test_numbers_are_not_smoothed() -> None:
    with pytest.raises(ValueError, match="label_smoothing is for classes"):
        task(net(1), np.array([0.5, 1.5]), smoothing=0.1)


@pytest.mark.parametrize(
    "data, error, told",
    [
        (X, TypeError, r"a pair \(x, y\)"),
        ((X,), TypeError, "a tuple of 1"),
        ((X[:0], np.zeros(0, int)), ValueError, r"the training set is empty: x has the shape \(0, 4, 4, 1\)"),
        ((X, np.zeros(5, int)), ValueError, "6 examples and y 5 targets"),
        (
            ([X[0], X[1, :3]], [0, 1]),
            ValueError,
            r"different sizes: \(4, 4, 1\) first and \(3, 4, 1\) in place 1",
        ),
        (
            (np.where(np.arange(6)[:, None, None, None] == 4, np.nan, X), np.zeros(6, int)),
            ValueError,
            "nan in example 4",
        ),
        ((X, np.array([0, 1, np.inf, 0, 0, 0])), ValueError, "inf in example 2"),
        ((np.array(["a", "b"]), [0, 1]), TypeError, "an array of numbers, not <U1"),
    ],
)
def test_examples_that_are_none_are_named(data, error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        examples(data)


def test_images_that_the_network_cannot_take_are_named() -> None:
    y = np.zeros(6, int)
    with pytest.raises(
        ValueError, match=r"takes examples of shape \(5, 5, 1\), and training x holds \(4, 4, 1\)"
    ):
        check_input(net(3, None, 5), examples((X, y)))
    with pytest.raises(ValueError, match="the channel axis is missing"):
        check_input(net(3), examples((X[..., 0], y)))


def test_pixels_are_refused_where_nothing_rescales_them() -> None:
    pixels = examples(((255 * np.abs(X) / 4).astype("uint8"), np.zeros(6, int)))
    with pytest.raises(ValueError, match=r"8-bit pixels.*divide by 255"):
        check_input(net(3), pixels)
    check_input(net(3, None, 4, keras.layers.Rescaling(1 / 255)), pixels)

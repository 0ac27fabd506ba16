import keras
import numpy as np
import pytest
from scipy import signal

from cnnkit import gradients
from cnnkit.scratch import convolve1d, convolve2d, convolve2d_backward, relu, sigmoid, true_convolve2d

# Keras allows a stride or a dilation, not both at once.
GEOMETRIES = [
    {"stride": s, "padding": p, "dilation": d}
    for s, d in [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]
    for p in ("same", "valid")
]


def example(k=3, c_in=4, c_out=6, groups=1, height=9, width=8, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, height, width, c_in)).astype("float32")
    w = rng.normal(size=(k, k, c_in // groups, c_out)).astype("float32")
    return x, w


def by_keras(x, w, stride=1, padding="valid", dilation=1):
    return keras.ops.conv(x, w, strides=stride, padding=padding, dilation_rate=dilation)


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_convolution_gives_the_values_of_keras(k, geometry):
    x, w = example(k)
    np.testing.assert_allclose(convolve2d(x, w, **geometry), to_numpy(by_keras(x, w, **geometry)), atol=1e-5)


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("geometry", GEOMETRIES[:4:3] + GEOMETRIES[6:7], ids=str)
def test_grouped_convolution_gives_the_values_of_keras(geometry, groups):
    x, w = example(c_out=8, groups=groups)
    y = convolve2d(x, w, groups=groups, **geometry)
    np.testing.assert_allclose(y, to_numpy(by_keras(x, w, **geometry)), atol=1e-5)


def test_bias_is_added_to_every_place():
    x, w = example()
    b = np.arange(6.0)
    difference = convolve2d(x, w, b) - convolve2d(x, w)
    np.testing.assert_allclose(difference, np.broadcast_to(b, (2, 7, 6, 6)), atol=1e-5)


def test_padding_may_differ_on_every_side():
    x, w = example()
    by_hand = np.pad(x, ((0, 0), (2, 1), (0, 3), (0, 0)))
    np.testing.assert_array_equal(convolve2d(x, w, padding=((2, 1), (0, 3))), convolve2d(by_hand, w))


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_backward_gives_the_gradients_of_keras(geometry):
    x, w = example()
    dy = np.random.default_rng(1).normal(size=convolve2d(x, w, **geometry).shape).astype("float32")

    def loss(x, w):
        return keras.ops.sum(keras.ops.multiply(by_keras(x, w, **geometry), dy))

    _, (dx, dw) = gradients.value_and_gradient(loss, x, w)
    by_hand = convolve2d_backward(dy, x, w, **geometry)
    np.testing.assert_allclose(by_hand[0], dx, atol=1e-4)
    np.testing.assert_allclose(by_hand[1], dw, atol=1e-4)
    np.testing.assert_allclose(by_hand[2], dy.sum(axis=(0, 1, 2)), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 2, "padding": 1, "dilation": 2},
        {"stride": (1, 2), "padding": ((2, 0), (1, 1)), "dilation": (2, 1)},
        {"groups": 2, "padding": "same", "stride": 2},
    ],
    ids=str,
)
def test_backward_agrees_with_numeric_differences(options):
    x, w = (a.astype(float) for a in example(groups=options.get("groups", 1)))
    b = np.zeros(6)
    dy = np.random.default_rng(1).normal(size=convolve2d(x, w, b, **options).shape)
    by_hand = convolve2d_backward(dy, x, w, **options)
    rng = np.random.default_rng(2)
    for array, slope in zip((x, w, b), by_hand, strict=True):
        direction = rng.normal(size=array.shape)
        values = []
        for step in (1e-5, -1e-5):
            array += step * direction
            values.append(np.sum(dy * convolve2d(x, w, b, **options)))
            array -= step * direction
        assert np.isclose((values[0] - values[1]) / 2e-5, np.sum(slope * direction), rtol=1e-6)


@pytest.mark.parametrize("geometry", [{"padding": "same", "stride": 2}, {"dilation": 2}], ids=str)
def test_one_dimension_gives_the_values_of_keras(geometry):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 11, 3)).astype("float32")
    w = rng.normal(size=(4, 3, 5)).astype("float32")
    expected = to_numpy(by_keras(x, w, **geometry))
    np.testing.assert_allclose(convolve1d(x, w, **geometry), expected, atol=1e-5)


def test_true_convolution_is_scipys():
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(7, 6)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(true_convolve2d(image, kernel), signal.convolve2d(image, kernel), atol=1e-12)
    np.testing.assert_allclose(true_convolve2d(image, kernel), true_convolve2d(kernel, image), atol=1e-12)


def test_two_convolutions_with_nothing_between_them_are_one():
    rng = np.random.default_rng(0)
    x, first, second = rng.normal(size=(1, 12, 12, 1)), *rng.normal(size=(2, 3, 3))
    inner = convolve2d(x, first[..., None, None])
    both = true_convolve2d(first, second)[..., None, None]
    twice = convolve2d(inner, second[..., None, None])
    assert both.shape[:2] == (5, 5)
    np.testing.assert_allclose(convolve2d(x, both), twice, atol=1e-12)
    assert not np.allclose(convolve2d(x, both), convolve2d(relu(inner), second[..., None, None]))


def test_sharing_does_not_keep_gradients_from_vanishing():
    rng = np.random.default_rng(0)
    h, g = rng.uniform(size=(8, 8, 8, 8)), rng.normal(size=(8, 8, 8, 8))
    limit = np.sqrt(6 / (9 * 8 + 9 * 8))  # Glorot's
    layers = []
    for _ in range(20):
        w = rng.uniform(-limit, limit, (3, 3, 8, 8))
        layers.append((h, w, sigmoid(convolve2d(h, w, padding="same"))))
        h = layers[-1][2]
    norms = []
    for x, w, y in layers[::-1]:
        g, dw, _ = convolve2d_backward(g * y * (1 - y), x, w, padding="same")
        norms.append(np.linalg.norm(dw))
    assert norms[-1] < 1e-8 * norms[0]


@pytest.mark.parametrize(
    ("x", "w", "groups", "words"),
    [
        ((8, 8), (3, 3, 1, 1), 1, r"picture\[None, :, :, None\]"),
        ((1, 8, 8, 3), (3, 3, 1, 4), 1, r"x has 3 channels.*\(3, 3, 3, 4\)"),
        ((1, 8, 8, 4), (3, 3, 4, 4), 2, r"reads 8.*\(3, 3, 2, 4\)"),
        ((1, 8, 8, 3), (3, 3, 1, 4), 2, "groups is 2"),
    ],
)
def test_wrong_shapes_are_told_what_is_needed(x, w, groups, words):
    with pytest.raises(ValueError, match=words):
        convolve2d(np.ones(x), np.ones(w), groups=groups)


def test_a_wrong_gradient_shape_is_told_the_right_one():
    with pytest.raises(ValueError, match=r"\(2, 7, 6, 6\)"):
        convolve2d_backward(np.ones((2, 9, 8, 6)), *example())

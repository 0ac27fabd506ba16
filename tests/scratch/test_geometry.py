import keras
import numpy as np
import pytest

from cnnkit.models import without_values
from cnnkit.scratch import convolution_parameters, convolve2d, max_pool2d, output_size, padding_amount


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("n", [7, 8, 13])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_output_size_is_what_keras_computes(n, k, stride, dilation, padding):
    layer = keras.layers.Conv2D(1, k, stride, padding, dilation_rate=dilation)
    assert layer.compute_output_shape((None, n, n, 1))[1] == output_size(n, k, stride, padding, dilation)


def test_output_size_agrees_with_the_windows_that_can_be_laid_down():
    for n, k, s, p, d in [(8, 3, 2, 0, 1), (7, 3, 2, 1, 1), (16, 5, 3, 2, 2), (9, 1, 4, 0, 1)]:
        starts = [i for i in range(0, n + 2 * p, s) if i + d * (k - 1) < n + 2 * p]
        assert output_size(n, k, s, p, d) == len(starts)


def test_numbers_may_be_those_of_numpy():
    for p in np.arange(3):
        assert output_size(np.int64(9), k=3, s=np.int64(2), p=p) == output_size(9, k=3, s=2, p=int(p))
        x, w = np.ones((1, 9, 9, 1)), np.ones((3, 3, 1, 1))
        np.testing.assert_array_equal(
            convolve2d(x, w, stride=p + 1, padding=p), convolve2d(x, w, None, int(p) + 1, int(p))
        )
        np.testing.assert_array_equal(max_pool2d(x, p + 1), max_pool2d(x, int(p) + 1))


def test_same_padding_puts_the_odd_zero_after():
    assert padding_amount(6, k=3, s=2, p="same") == (0, 1)
    assert padding_amount(7, k=3, s=2, p="same") == (1, 1)
    assert padding_amount(5, k=4, p="same") == (1, 2)
    assert padding_amount(2, k=1, s=2, p="same") == (0, 0)


def test_parameter_formula_is_what_keras_counts():
    rng = np.random.default_rng(0)
    for _ in range(10):
        k, c_in, c_out, groups = (int(v) for v in rng.integers(1, 6, 4))
        for bias in (True, False):
            layer = keras.layers.Conv2D(c_out * groups, k, groups=groups, use_bias=bias)
            layer.build((None, 8, 8, c_in * groups))
            expected = convolution_parameters(k, c_in * groups, c_out * groups, groups, bias)
            assert layer.count_params() == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 4, "k": 5}, "reaches over 5 pixels"),
        ({"n": 4, "k": 3, "d": 2}, "reaches over 5 pixels"),
        ({"n": 4, "k": 3, "s": 0}, "s is 0"),
        ({"n": 4, "k": 3, "p": -1}, "cannot be negative"),
        ({"n": 4, "k": 3, "p": "full"}, "padding is 'full'"),
    ],
)
def test_impossible_geometry_names_the_value(arguments, words):
    with pytest.raises(ValueError, match=words):
        output_size(**arguments)


def test_groups_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match="3 groups do not divide 4"):
        convolution_parameters(3, 4, 6, groups=3)


@pytest.mark.parametrize("shape", [(100, 100, 1), (32, 32, 3), (200, 200, 3), (1000, 1000, 3)])
def test_a_dense_unit_has_a_weight_for_each_number_of_the_image(shape):
    with without_values():
        unit = keras.layers.Dense(1)
        unit.build((None, int(np.prod(shape))))
    known = {100: 10_000, 32: 3_072, 200: 120_000, 1000: 3_000_000}
    assert unit.count_params() == known[shape[0]] + 1

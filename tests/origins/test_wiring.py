import keras
import numpy as np
import pytest
from scipy.ndimage import maximum_filter
from scipy.signal import correlate2d

from cnnkit import data
from cnnkit.origins import end_stopped, measure_tuning, round_field, row_kernel, wiring


def test_even_light_leaves_a_round_cell_cold_and_its_field_is_the_same_from_four_sides():
    field = round_field()
    assert abs(field.sum()) < 1e-12
    np.testing.assert_allclose(field, field.T)
    np.testing.assert_allclose(field, field[::-1])


def test_a_row_lies_on_its_line_and_counts_its_cells():
    assert np.argwhere(row_kernel(90)).tolist() == [[row, 6] for row in (0, 3, 6, 9, 12)]
    assert np.argwhere(row_kernel(0)).tolist() == [[6, column] for column in (0, 3, 6, 9, 12)]
    rising = np.argwhere(row_kernel(45))
    assert (rising.sum(axis=1) == 12).all(), "45 degrees rise to the right"
    for angle in range(0, 180, 7):
        assert row_kernel(angle).sum() == 5
    assert row_kernel(30, count=1).tolist() == [[1.0]]


def test_the_network_is_the_wiring_in_numpy():
    picture = np.random.default_rng(0).random((30, 33)).astype("float32")
    model = wiring((30, 33, 1), angles=(30, 90), threshold=0.2, pool_size=3)
    got = keras.ops.convert_to_numpy(model(picture[None, :, :, None]))[0]
    first = np.maximum(0, correlate2d(picture, round_field(), "valid"))
    for channel, angle in enumerate((30, 90)):
        second = np.maximum(0, correlate2d(first, row_kernel(angle), "valid") - 0.2)
        wanted = maximum_filter(second, 3)[1:-1, 1:-1]
        np.testing.assert_allclose(got[..., channel], wanted, atol=1e-5)


def test_the_threshold_is_half_of_what_a_long_bar_stirs():
    bar = data.oriented_bars([90], size=41, width=3)
    drive = wiring((41, 41, 1), angles=(90,), threshold=0.0)(bar)
    assert float(keras.ops.max(drive)) / 2 == pytest.approx(0.74, abs=0.01)


def test_an_end_stopped_cell_is_a_complex_cell_less_those_beyond_both_ends():
    picture = np.random.default_rng(0).random((70, 68, 1)).astype("float32")[None]
    for angle, (down, right) in {0: (0, 14), 90: (14, 0)}.items():
        maps = keras.ops.convert_to_numpy(wiring((70, 68, 1), angles=(angle,), threshold=0.2)(picture))[
            0, ..., 0
        ]
        got = keras.ops.convert_to_numpy(end_stopped((70, 68, 1), angle, threshold=0.2)(picture))[0, ..., 0]
        here, *there = (
            maps[14 + k * down :, 14 + k * right :][: got.shape[0], : got.shape[1]] for k in (0, -1, 1)
        )
        np.testing.assert_allclose(got, np.maximum(0, here - there[0] - there[1]), atol=1e-5)


def test_a_line_that_ends_drives_it_and_one_that_goes_on_does_not():
    short, long = (data.oriented_bars([90], size=65, width=3, length=length) for length in (14, 60))
    assert float(end_stopped((65, 65, 1))(short)[0, 0, 0, 0]) > 0.5
    assert float(end_stopped((65, 65, 1))(long)[0, 0, 0, 0]) == 0
    assert float(end_stopped((65, 65, 1), angle=0)(short)[0, 0, 0, 0]) == 0


def width_of_tuning(count=5, times=1):
    """Of a row in NumPy, only at the middle, with its threshold at half of its best."""
    angles = np.arange(0, 180, 3)
    size, field = 40 * times + 21, round_field(12 * times + 1, sigma=1.5 * times)
    bars = data.oriented_bars(angles, size=size, width=3 * times)[..., 0]
    heard, reach = 0, 6 * times
    for step in range(count):
        row, column = size // 2 + 3 * times * (step - count // 2), size // 2
        window = bars[:, row - reach : row + reach + 1, column - reach : column + reach + 1]
        heard = heard + np.maximum(0, np.einsum("nhw,hw->n", window, field))
    return measure_tuning(
        lambda _: np.maximum(0, heard - heard.max() / 2), bars, angles, period=180
    ).bandwidth


def test_a_longer_row_is_narrower_and_a_larger_one_the_same_but_for_the_pixels():
    five = width_of_tuning()
    assert five == pytest.approx(24, abs=0.5)
    assert width_of_tuning(count=9) < five - 4
    assert abs(width_of_tuning(times=2) - five) < 4, "what the exercise calls the same"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: round_field(12), "odd"),
        (lambda: round_field(sigma=-1), "wider"),
        (lambda: round_field(ratio=1), "wider"),
        (lambda: row_kernel(count=0), "at least one"),
    ],
)
def test_what_cannot_be_wired_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()

import keras
import numpy as np
import pytest

from cnnkit.origins import (
    ComplexCells,
    SimpleCells,
    complex_cell_energy,
    cortex,
    gabor,
    simple_cell,
)


def windows(picture, size):
    return np.lib.stride_tricks.sliding_window_view(picture, (size, size))


@pytest.fixture
def picture():
    return np.random.default_rng(0).random((1, 20, 22, 1)).astype("float32")


def run(layer, x):
    return keras.ops.convert_to_numpy(layer(x))


def test_each_channel_is_the_numpy_cell_moved_over_the_picture(picture):
    layer = SimpleCells(orientations=4, phases=4, wavelength=5, size=11, threshold=0.1)
    maps = run(layer, picture)
    assert maps.shape == (1, 10, 12, 16) == tuple(layer.compute_output_shape(picture.shape))
    looked_at = windows(picture[0, :, :, 0], 11)
    for orientation, phase in ((0, 0), (2, 1), (3, 3)):
        field = gabor(11, orientation * 45, 5, phase * 90)
        np.testing.assert_allclose(
            maps[0, :, :, orientation * 4 + phase], simple_cell(looked_at, field, 0.1), atol=1e-5
        )


def test_the_energy_layer_is_the_numpy_energy_model(picture):
    model = cortex((20, 22, 1), orientations=3, wavelength=5)
    maps = run(model, picture)
    size = model.get_layer("simple").size
    looked_at = windows(picture[0, :, :, 0], size)
    for orientation in range(3):
        pair = [gabor(size, orientation * 60, 5, phase) for phase in (0, 90)]
        np.testing.assert_allclose(
            maps[0, :, :, orientation], complex_cell_energy(looked_at, *pair), atol=1e-5
        )


def test_the_max_layer_is_the_loudest_of_its_neighbourhood():
    x = np.random.default_rng(1).random((2, 7, 9, 8)).astype("float32")
    layer = ComplexCells(phases=4, rule="max", pool_size=3, strides=2)
    got = run(layer, x)
    folded = x.reshape(2, 7, 9, 2, 4).max(axis=-1)
    wanted = np.lib.stride_tricks.sliding_window_view(folded, (3, 3), axis=(1, 2)).max(axis=(-1, -2))[
        :, ::2, ::2
    ]
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    assert got.shape == tuple(layer.compute_output_shape(x.shape))


def test_both_layers_take_channels_first_for_the_same_answer(picture):
    first = np.moveaxis(picture, -1, 1)
    last_simple, first_simple = SimpleCells(2), SimpleCells(2, data_format="channels_first")
    a, b = run(last_simple, picture), run(first_simple, first)
    np.testing.assert_allclose(np.moveaxis(b, 1, -1), a, atol=1e-6)
    assert b.shape == tuple(first_simple.compute_output_shape(first.shape))
    folded = run(ComplexCells(pool_size=2, data_format="channels_first"), b)
    np.testing.assert_allclose(np.moveaxis(folded, 1, -1), run(ComplexCells(pool_size=2), a), atol=1e-5)


def test_a_blank_wall_leaves_every_cell_silent():
    wall = np.full((1, 30, 30, 1), 0.7, "float32")
    assert run(cortex(orientations=4), wall).max() < 1e-10


def test_the_bank_is_fixed_unless_asked(picture):
    fixed, free = SimpleCells(2), SimpleCells(2, trainable=True)
    run(fixed, picture), run(free, picture)
    assert len(fixed.trainable_weights) == 0 and len(free.trainable_weights) == 1


def test_a_saved_cortex_comes_back_with_its_answers(picture, tmp_path):
    model = cortex(orientations=2, rule="max", pool_size=3)
    model.save(tmp_path / "cortex.keras")
    again = keras.saving.load_model(tmp_path / "cortex.keras")
    np.testing.assert_allclose(run(again, picture), run(model, picture), atol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SimpleCells()(np.ones((1, 20, 20, 3), "float32")), "1 channel; got 3"),
        (lambda: SimpleCells(padding="full"), "'full'"),
        (lambda: ComplexCells(rule="mean"), "'mean'"),
        (lambda: ComplexCells(phases=4)(np.ones((1, 5, 5, 6), "float32")), "6 channels cannot be divided"),
        (
            lambda: SimpleCells()(np.ones((1, 9, 20, 1), "float32")),
            "a side of 9 is smaller than the window of 15",
        ),
        (
            lambda: ComplexCells(pool_size=3)(np.ones((1, 2, 5, 4), "float32")),
            "a side of 2 is smaller than the window of 3",
        ),
        (lambda: ComplexCells(pool_size=0), "pool_size must be a positive integer or 2 of them, not 0"),
    ],
)
def test_a_wrong_request_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()

"""Stimuli, letters, shapes and photographs: the geometry that their docstrings promise."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import data


def test_a_bar_at_zero_lies_and_at_ninety_stands():
    lying, standing = data.oriented_bars([0, 90], size=17, width=1)[..., 0]
    assert np.allclose(lying, standing.T, atol=1e-6)
    assert np.flatnonzero(lying.sum(axis=1) > 1).tolist() == [8]


def test_a_bar_turns_counter_clockwise():
    bar = data.oriented_bars([45], size=17, width=1)[0, ..., 0]
    assert bar[2, 14] == 1 and bar[2, 2] == 0  # up and to the right, as on paper


def test_a_bar_keeps_its_area_when_it_turns_and_its_place_is_x_right_y_up():
    bars = data.oriented_bars(np.arange(0, 180, 15), size=41, width=3, length=15)
    assert np.allclose(bars.sum(axis=(1, 2, 3)), 45, rtol=0.05)
    moved = data.oriented_bars([0], size=21, width=1, length=3, position=(5, 4))[0, ..., 0]
    rows, columns = np.nonzero(moved > 0.9)
    assert set(rows) == {10 - 4} and columns.mean() == 10 + 5


def test_dark_bars_are_bright_bars_inverted():
    bright, dark = data.oriented_bars([30]), data.oriented_bars([30], bright=False)
    assert np.allclose(bright + dark, 1)


def test_a_moving_bar_crosses_the_field_at_right_angles_to_itself():
    film = data.moving_bar(90, frames=5, travel=16, size=33, width=1)[..., 0]
    assert [int(frame.sum(axis=0).argmax()) for frame in film] == [
        24,
        20,
        16,
        12,
        8,
    ]  # a standing bar goes left


def test_a_grating_has_its_wavelength_contrast_and_mean():
    stripes = data.grating([0], size=32, wavelength=8, contrast=0.5)[0, :, 0, 0]
    assert np.abs(np.fft.rfft(stripes - 0.5)).argmax() == 4
    assert stripes.mean() == pytest.approx(0.5, abs=1e-6)
    assert 0.25 <= stripes.min() < 0.27 and 0.73 < stripes.max() <= 0.75


def test_a_grating_drifts_by_whole_cycles_and_comes_back():
    film = data.drifting_grating(30, frames=8, cycles=2)
    assert np.allclose(film[0], film[4], atol=1e-6)
    assert not np.allclose(film[0], film[1], atol=0.1)
    assert np.allclose(film.mean(axis=0), 0.5, atol=1e-6)


def test_spots_have_the_area_of_their_circle_and_rings_a_hole():
    discs = data.spots([4, 8], size=33)
    assert np.allclose(discs.sum(axis=(1, 2, 3)), np.pi * np.array([16, 64]), rtol=0.02)
    assert data.spots([8], size=33, hole=3)[0, 16, 16, 0] == 0


@pytest.mark.parametrize("kind", ["gaussian", "binary", "pink"])
def test_noise_has_no_mean_and_unit_variance_and_repeats_with_its_seed(kind):
    made = data.noise(400, 16, kind, seed=3)
    assert abs(made.mean()) < 0.05 and made.std() == pytest.approx(1, abs=0.02)
    assert np.array_equal(made, data.noise(400, 16, kind, seed=3))
    assert not np.array_equal(made, data.noise(400, 16, kind, seed=4))


def test_pink_noise_falls_as_one_over_frequency():
    power = (np.abs(np.fft.fft2(data.noise(400, 32, "pink")[..., 0])) ** 2).mean(axis=0)
    assert power[0, 2] / power[0, 8] == pytest.approx(16, rel=0.25)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.noise(3, kind="brown"), "brown.*gaussian, binary or pink"),
        (lambda: data.grating([0], contrast=2), r"\[0, 1\], not at 2"),
        (lambda: data.oriented_bars([0], width=0), "width > 0, not 0"),
        (lambda: data.letter("ß"), "no letter is drawn"),
        (lambda: data.letter("A", 8), "at least 9 pixels"),
        (lambda: data.letters(0), "count >= 1"),
        (lambda: data.line_pattern("Q"), "'Q'; there are XYTZ0"),
        (lambda: data.line_pattern("X", thick=0), "thick >= 1; got 9 and 0"),
        (lambda: data.shapes(4, size=8, radius=(4, 7)), "does not fit"),
        (lambda: data.natural_patches(1, size=600), "does not fit"),
        (lambda: data.natural_patches(0), "count >= 1"),
        (lambda: data.natural_patches(1, size=1), "size >= 2"),  # once it sought for ever
        (lambda: data.natural_patches(1, pictures=()), "at least one picture"),
        (lambda: data.photograph("cat", size=0), "at least 1 pixel, not 0"),
        (lambda: data.letters(4, characters=""), "characters to draw"),
        (lambda: data.scattered(np.ones((5, 8, 8)), 12), r"\(count, height, width, channels\)"),
        (lambda: data.spoken_stops(0), "count > 0, not 0"),
        (lambda: data.spoken_syllables([]), "syllables > 0"),
        (lambda: data.spoken_words([]), "vocabulary > 0"),
        (lambda: data.motor_units(0), "count > 0"),
        (lambda: data.electromyogram(shapes=np.ones(5)), r"not \(5,\)"),
    ],
)
def test_what_cannot_be_drawn_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_26_letters_all_differ_and_fill_their_grid():
    drawn = np.stack([data.letter(character) for character in data.ALPHABET])
    assert drawn.shape == (26, 7, 5, 1)
    assert len(np.unique(drawn.reshape(26, -1), axis=0)) == 26
    differing = (drawn[:, None] != drawn[None]).sum(axis=(2, 3, 4)) + 35 * np.eye(26, dtype=int)
    assert differing.min() >= 2
    assert np.all(drawn.any(axis=(2, 3))[:, [0, 6]])  # every letter reaches top and bottom


def test_letters_without_change_are_the_drawn_ones():
    images, labels = data.letters(52, 16)
    for image, label in zip(images, labels, strict=True):
        assert np.array_equal(image, data.letter(data.ALPHABET[label], 16))


def test_letters_shift_within_their_bound_and_repeat_with_their_seed():
    images, _ = data.letters(200, 20, "I", shift=3, seed=1)
    centres = [np.average(np.arange(20), weights=image.sum(axis=(1, 2))) for image in images]
    home = np.average(np.arange(20), weights=data.letter("I", 20).sum(axis=(1, 2)))
    assert np.max(np.abs(np.array(centres) - home)) <= 3.1 and np.std(centres) > 1
    assert np.array_equal(images, data.letters(200, 20, "I", shift=3, seed=1)[0])


def test_load_letters_gives_two_different_sets():
    (x_train, _), (x_test, y_test) = data.load("letters", train=260, test=52)
    assert x_train.shape == (260, 16, 16, 1) and np.bincount(y_test).tolist() == [2] * 26
    assert not np.array_equal(x_train[:52], x_test)


def test_boxes_hold_their_shapes_exactly():
    made = data.shapes(40, size=24)
    assert np.bincount(made.labels).tolist() == [10] * 4
    for mask, (top, left, bottom, right) in zip(made.masks, made.boxes, strict=True):
        assert mask[top:bottom, left:right].sum() == mask.sum()
        assert mask[top].any() and mask[bottom - 1].any() and mask[:, left].any() and mask[:, right - 1].any()
    inside = made.images[..., 0][made.masks]
    assert inside.mean() > 0.6 and made.images[..., 0][~made.masks].mean() < 0.1


def test_every_photograph_is_there_without_a_network():
    for name in data.photographs():
        picture = data.photograph(name)
        assert picture.ndim == 3 and picture.dtype == np.float32
        assert picture.min() >= 0 and picture.max() <= 1 and picture.shape[2] in (1, 3)


def test_photographs_turn_grey_and_shrink():
    assert data.photograph("cat", grey=True, size=(60, 90)).shape == (60, 90, 1)
    assert data.photograph("camera").shape == (512, 512, 1)
    with pytest.raises(KeyError, match="did you mean 'camera'"):
        data.photograph("kamera")


def test_natural_patches_are_centred_and_never_flat():
    patches = data.natural_patches(64, size=10)
    assert patches.shape == (64, 10, 10, 1)
    assert np.abs(patches.mean(axis=(1, 2))).max() < 1e-6
    assert patches.std(axis=(1, 2)).min() >= 0.0099


def test_a_line_pattern_moves_grows_turns_and_thickens_by_what_is_asked():
    home = data.line_pattern("T")[..., 0]
    assert home.shape == (16, 16) and np.argwhere(home).min(axis=0).tolist() == [3, 3]
    assert np.array_equal(data.line_pattern("T", down=2, right=-1)[..., 0], np.roll(home, (2, -1), (0, 1)))
    assert np.ptp(np.argwhere(data.line_pattern("X", size=13)[..., 0]), axis=0).tolist() == [12, 12]
    assert np.array_equal(data.line_pattern("T", turn=90)[3:12, 3:12, 0], np.rot90(home[3:12, 3:12], -1))
    assert data.line_pattern("1", thick=3)[..., 0].any(axis=0).sum() == 3
    assert data.line_pattern("T", right=9).sum() < home.sum()  # what leaves the square is not drawn


def test_a_trembling_hand_bends_and_repeats_with_its_seed():
    steady, one, again = (data.line_pattern("Z", tremble=t, seed=1) for t in (0, 1, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, steady)

import keras
import numpy as np
import pytest

from cnnkit.layers import CCell, SCell
from cnnkit.origins import grow, imprint, neocognitron, representatives, winning_planes
from cnnkit.scratch.neocognitron import c_cells, fading_mask, s_cells

RNG = np.random.default_rng(0)


def grown_cell(pattern, speed=1e6):
    """Weights of one S-cell that has learned one pattern thoroughly."""
    mask = fading_mask(5, 0.9)[:, :, None]
    v = np.sqrt((mask * pattern**2).sum())
    return (speed * mask * pattern)[..., None], np.array([speed / 2 * v]), mask, v


@pytest.mark.parametrize("selectivity", [1.5, 4.0])
def test_a_grown_s_cell_measures_likeness_above_a_threshold(selectivity):
    learned = RNG.random((5, 5, 1))
    excitatory, inhibitory, mask, v = grown_cell(learned)
    for _ in range(5):
        other = RNG.random((5, 5, 1)) ** 3
        likeness = (mask * learned * other).sum() / v / np.sqrt((mask * other**2).sum())
        answer, _ = s_cells(other[None], excitatory, inhibitory, selectivity)
        wanted = selectivity * max(0, (selectivity + 1) / selectivity * likeness - 1)
        assert answer[0, 0, 0, 0] == pytest.approx(wanted, abs=1e-4)


def test_a_grown_s_cell_does_not_care_how_bright_the_pattern_is():
    learned = RNG.random((5, 5, 1))
    excitatory, inhibitory, *_ = grown_cell(learned)
    bright, dim = (s_cells(k * learned[None], excitatory, inhibitory)[0].item() for k in (1.0, 0.3))
    assert bright == pytest.approx(dim, rel=1e-4) and bright == pytest.approx(1, rel=1e-4)


def test_c_cells_stay_below_one_and_a_plane_like_all_others_is_silent():
    answers = c_cells(1000 * RNG.random((1, 8, 8, 4)) ** 8)
    assert answers.min() >= 0 and 0.5 < answers.max() < 1
    assert c_cells(np.ones((1, 8, 8, 4))).max() == 0


def test_the_layer_and_its_oracle_are_told_the_same_of_the_net_of_1980():
    x = RNG.random((1, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(CCell()(x)), c_cells(x), atol=1e-5)


def test_the_network_has_the_layers_and_sizes_of_1980():
    model = neocognitron()
    assert [layer.output.shape[1:] for layer in model.layers] == [
        (16, 16, 1), (16, 16, 24), (10, 10, 24), (8, 8, 24), (6, 6, 24), (2, 2, 24), (1, 1, 24),
    ]  # fmt: skip
    assert model.count_params() == 29_472


def test_a_fourth_pair_makes_nine_layers():
    model = neocognitron(stages=4)
    assert [layer.output.shape[1:] for layer in model.layers][5:] == [
        (6, 6, 24), (5, 5, 24), (3, 3, 24), (1, 1, 24),
    ]  # fmt: skip
    assert len(model.layers) == 9 and model.count_params() == 43_896
    shape = np.zeros((1, 16, 16, 1), "float32")
    shape[0, 3:13, 8] = shape[0, 3, 4:13] = 1
    assert len(grow(model, shape, rounds=3)) == 4


def test_one_place_feeds_one_plane_and_one_plane_learns_from_one_place():
    answers = np.zeros((8, 8, 3))
    answers[2, 2] = (5, 4, 0)  # two planes at one place: the louder wins the column
    answers[6, 6, 0] = 3  # the same plane again, elsewhere and weaker
    assert representatives(answers, column=3) == {0: (2, 2)}
    answers[6, 6, 1] = 9
    assert representatives(answers, column=3) == {0: (2, 2), 1: (6, 6)}
    assert representatives(np.zeros((8, 8, 3))) == {}


def test_growing_tells_two_shapes_apart_and_recognises_them_elsewhere():
    shapes = np.zeros((2, 16, 16, 1), "float32")
    shapes[0, 3:13, 8] = shapes[0, 3, 4:13] = 1
    shapes[1, range(3, 13), range(3, 13)] = shapes[1, range(3, 13), range(12, 2, -1)] = 1
    model = neocognitron(seed=0)
    assert winning_planes(model, shapes).tolist() == [-1, -1]
    planes = grow(model, shapes, rounds=15)
    assert planes[0] >= 4 and planes[2] >= 2
    known = winning_planes(model, shapes)
    assert -1 not in known and known[0] != known[1]
    for shift in ((1, 0), (0, -1), (1, 1)):
        moved = np.roll(shapes, shift, axis=(1, 2))
        assert winning_planes(model, moved).tolist() == known.tolist()


def test_an_imprinted_plane_has_learned_one_window_of_the_patterns_in_whose_middle_something_is_lit():
    picture = np.zeros((1, 16, 16, 1), "float32")
    picture[0, 4:12, 7] = picture[0, 4, 3:12] = 1
    model = neocognitron(seed=0)
    imprint(model, picture, seed=1, rounds=10)
    excitatory, inhibitory = model.get_layer("S1").get_weights()
    mask = fading_mask(5, model.get_layer("S1").falloff)
    padded = np.pad(picture[0, ..., 0], 2)
    lit = [padded[row : row + 5, place : place + 5] for row, place in np.argwhere(picture[0, ..., 0] > 0)]
    for plane in range(24):
        seen = excitatory[:, :, 0, plane] / mask / 10
        assert any(np.allclose(seen, window, atol=1e-5) for window in lit)
        assert inhibitory[plane] == pytest.approx(5 * np.sqrt((mask * seen**2).sum()), rel=1e-4)
    again, other = neocognitron(seed=0), neocognitron(seed=0)
    imprint(again, picture, seed=1, rounds=10)
    imprint(other, picture, seed=2, rounds=10)
    np.testing.assert_array_equal(excitatory, again.get_layer("S1").get_weights()[0])
    assert np.any(excitatory != other.get_layer("S1").get_weights()[0])


def test_what_shows_nothing_cannot_be_imprinted():
    with pytest.raises(ValueError, match="nothing answers in S1"):
        imprint(neocognitron(), np.zeros((1, 16, 16, 1)))


def test_a_seed_makes_the_same_network():
    one, again, other = neocognitron(seed=3), neocognitron(seed=3), neocognitron(seed=4)
    np.testing.assert_array_equal(one.get_weights()[0], again.get_weights()[0])
    assert np.any(one.get_weights()[0] != other.get_weights()[0])


def test_wrong_patterns_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 8, 8, 1\)"):
        grow(neocognitron(), np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"\(2, 8, 8, 1\)"):
        imprint(neocognitron(), np.zeros((2, 8, 8, 1)))
    with pytest.raises(ValueError, match="cresceptron"):
        neocognitron(rule="mean")
    with pytest.raises(ValueError, match="got 5"):
        neocognitron(stages=5)
    with pytest.raises(ValueError, match="falloff"):
        fading_mask(3, 2.0)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_bright_pictures_do_not_overflow_in_half_precision(policy: str) -> None:
    x = np.full((1, 9, 9, 3), 300.0, "float32")  # the square of 300 is beyond float16
    half, full = SCell(4, dtype=policy), SCell(4)
    for layer in (half, full):
        layer.build(x.shape)
        layer.set_weights([np.full((5, 5, 3, 4), 0.02), np.full(4, 0.25)])
    got, want = (keras.ops.convert_to_numpy(layer(x)).astype("float32") for layer in (half, full))
    assert want.min() > 0
    np.testing.assert_allclose(got, want, rtol=5e-3)

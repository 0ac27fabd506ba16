import numpy as np
import pytest
from skimage.filters import gabor_kernel

from cnnkit.origins import coordinates, fit_gabor, gabor, gabor_bank


@pytest.mark.parametrize("orientation", [0, 30, 90, 135])
@pytest.mark.parametrize("phase", [0, 90, 200])
def test_a_gabor_agrees_with_scikit_image_inside_its_window(orientation, phase):
    wavelength, sigma, aspect = 6.0, 2.7, 0.5
    # scikit-image names the direction across the stripes, and its rows grow downwards.
    theirs = gabor_kernel(
        1 / wavelength,
        theta=np.deg2rad(90 - orientation),
        sigma_x=sigma,
        sigma_y=sigma / aspect,
        offset=np.deg2rad(phase),
        n_stds=3,
    ).real
    # From 90 degrees on, its wave runs the other way along the same line.
    rows, columns = theirs.shape
    size = max(rows, columns)
    ours = gabor(size, orientation, wavelength, phase, sigma, aspect, balanced=False)
    top, left = (size - rows) // 2, (size - columns) // 2
    ours = ours[top : top + rows, left : left + columns]
    ours = ours * np.linalg.norm(theirs) / np.linalg.norm(ours)
    mirrored = ours[::-1, ::-1]
    assert min(np.abs(theirs - ours).max(), np.abs(theirs - mirrored).max()) < 1e-12


def test_a_balanced_gabor_is_silent_on_a_blank_wall_and_an_unbalanced_one_is_not():
    for phase in (0, 45, 90, 180):
        assert abs(gabor(13, 30, 6, phase).sum()) < 1e-12
    assert abs(gabor(13, 30, 6, 0, balanced=False).sum()) > 0.1


def test_a_gabor_has_unit_length_and_the_bar_lies_along_its_orientation():
    standing = gabor(13, orientation=90)
    assert np.linalg.norm(standing) == pytest.approx(1)
    assert standing[:, 6].sum() > 1 and abs(standing[6].sum()) < 0.1
    np.testing.assert_allclose(gabor(13, orientation=0), standing.T, atol=1e-12)


def test_angles_turn_anticlockwise_on_the_page():
    rising = gabor(13, orientation=45)
    assert rising[2, 10] > 0 and rising[10, 2] > 0  # upper right and lower left
    assert abs(rising[2, 2]) < abs(rising[2, 10])


def test_coordinates_put_the_origin_in_the_middle():
    along, across = coordinates(5, orientation=0, x=1, y=2)
    assert along[0, 3] == pytest.approx(0) and across[0, 3] == pytest.approx(0)


def test_a_bank_counts_phases_before_orientations():
    bank = gabor_bank(13, orientations=4, phases=(0, 90))
    assert bank.shape == (13, 13, 1, 8)
    np.testing.assert_allclose(bank[:, :, 0, 5], gabor(13, 90, phase=90))


def test_four_phases_are_two_filters_and_their_negatives():
    bank = gabor_bank(13, orientations=3, phases=4)
    np.testing.assert_allclose(bank[..., 0::4], -bank[..., 2::4], atol=1e-12)
    np.testing.assert_allclose(bank[..., 1::4], -bank[..., 3::4], atol=1e-12)


def test_a_fit_finds_every_number_of_a_patch():
    patch = 3 * gabor(17, 150, 5, phase=40, sigma=3, aspect=0.8, x=1.5, y=-2, balanced=False)
    fit = fit_gabor(patch)
    assert fit.orientation == pytest.approx(150, abs=1e-3)
    assert fit.wavelength == pytest.approx(5, abs=1e-3)
    assert (fit.x, fit.y, fit.sigma, fit.aspect) == pytest.approx((1.5, -2, 3, 0.8), abs=1e-3)
    assert fit.explained == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(fit.image(17), patch, atol=1e-6)


def test_a_fit_to_an_orientation_beside_the_horizontal_still_draws_the_same_patch():
    for orientation in (1, 179):
        patch = gabor(15, orientation, 6, phase=90, balanced=False)
        fit = fit_gabor(patch)
        assert min(fit.orientation, 180 - fit.orientation) == pytest.approx(1, abs=0.01)
        np.testing.assert_allclose(fit.image(15), patch, atol=1e-6)


def test_noise_is_not_explained_by_a_gabor():
    noise = np.random.default_rng(0).standard_normal((12, 12))
    assert fit_gabor(noise).explained < 0.4


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="wavelength 1"):
        gabor(13, wavelength=1)
    with pytest.raises(ValueError, match="size of at least 1 pixel; got 0"):
        gabor(0)
    with pytest.raises(ValueError, match="at least one value"):
        gabor_bank(orientations=0)
    with pytest.raises(ValueError, match=r"one square filter .* \(3, 4\)"):
        fit_gabor(np.ones((3, 4)))
    with pytest.raises(ValueError, match="zero everywhere"):
        fit_gabor(np.zeros((5, 5)))

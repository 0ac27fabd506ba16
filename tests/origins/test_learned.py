import numpy as np
import pytest
from scipy.stats import kurtosis

from cnnkit.data import natural_patches
from cnnkit.origins import fit_gabor, gaussian_surrogate, learn_filters


def test_the_gaussian_surrogate_keeps_the_covariance_and_loses_the_rare_large_answers():
    patches = natural_patches(4000, size=6)
    surrogate = gaussian_surrogate(patches)
    ours, theirs = (np.cov(x.reshape(len(x), -1), rowvar=False) for x in (patches, surrogate))
    np.testing.assert_allclose(theirs, ours, atol=0.08 * ours.max())
    step = [x[:, 2, 3, 0] - x[:, 2, 2, 0] for x in (patches, surrogate)]
    assert kurtosis(step[0]) > 3 and abs(kurtosis(step[1])) < 0.5


def test_filters_learned_from_photographs_are_gabors_and_those_from_noise_are_not():
    explained = {}
    for control in (False, True):
        patches = natural_patches(3000, size=9)
        patches = gaussian_surrogate(patches) if control else patches
        filters, features = learn_filters(patches, filters=16, iterations=25)
        assert filters.shape == features.shape == (16, 9, 9)
        np.testing.assert_allclose(np.linalg.norm(features, axis=(1, 2)), 1)
        explained[control] = np.median([fit_gabor(feature).explained for feature in features])
    assert explained[False] > explained[True] + 0.1


def test_more_filters_than_pixels_are_refused():
    with pytest.raises(ValueError, match="filters=70"):
        learn_filters(np.random.default_rng(0).random((100, 8, 8)), filters=70)
    with pytest.raises(ValueError, match=r"grey patches .* \(100, 8, 8, 3\)"):
        learn_filters(np.ones((100, 8, 8, 3)))

"""The nets of the speech chapter's trials, in NumPy, are those of `cnnkit.origins`, and their gradients are right."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import _paths, origins
from cnnkit.trials.workers import load

speech = load(_paths.chapters() / "origins/speech_trials.py")
X = np.random.default_rng(0).uniform(-1, 1, (4, 15, 16)).astype("float32")


def test_with_its_weights_the_net_answers_as_the_keras_model() -> None:
    net, model = speech.time_delay_net(0), origins.tdnn()
    w1, b1, w2, b2, gain, bias = model.get_weights()
    places = int(np.prod(net.steps[2].places))
    given = [w1, b1, w2, b2, gain / places, bias]
    for here, there in zip(net.weights, given, strict=True):
        here[...] = there.reshape(here.shape)
    np.testing.assert_allclose(speech.outputs(net, X), np.array(model(X)), atol=1e-5)


def test_without_sharing_each_connection_has_a_weight_and_equal_ones_make_the_shared_net() -> None:
    shared, own = speech.time_delay_net(0), speech.time_delay_net(1, shared=False)
    assert sum(w.size for w in shared.weights) == 521
    assert sum(w.size for w in own.weights) == 6_233
    for here, there in zip(own.weights, shared.weights, strict=True):
        here[...] = there
    np.testing.assert_allclose(speech.outputs(own, X), speech.outputs(shared, X), atol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        speech.time_delay_net,
        lambda seed: speech.time_delay_net(seed, shared=False),
        speech.dense_net,
    ],
)
def test_every_weight_has_the_gradient_that_a_small_step_finds(build) -> None:
    net, rng, labels = build(3), np.random.default_rng(1), np.array([0, 1, 2, 1])
    wanted = np.eye(3)[labels]
    for step in net.steps:
        step.weights = [w.astype("float64") + rng.normal(0, 0.05, w.shape) for w in step.weights]
    x = X[..., None].astype("float64")
    net.backward(speech.squared(net.forward(x), labels))
    for w, slope in zip(net.weights, [g.copy() for g in net.gradients], strict=True):
        at = tuple(int(rng.integers(n)) for n in w.shape)
        losses = []
        for step in (1e-5, -2e-5):
            w[at] += step
            losses.append(np.mean((net.forward(x) - wanted) ** 2))
        w[at] += 1e-5
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(slope[at], rel=1e-3, abs=1e-7)


def test_a_late_sound_is_moved_to_its_onset_and_a_slid_one_is_found() -> None:
    x = np.full((3, 15, 16), -0.5, "float32")
    for row, onset in enumerate((4, 7, 10)):
        x[row, onset:] = 0.5
    moved = speech.at_its_onset(x)
    assert (moved[0, :7] < 0).all() and (moved == moved[1]).all()
    known = np.random.default_rng(2).normal(size=(5, 15, 16))
    later = np.concatenate([known[:, :3], known[:, :-3]], axis=1)
    assert list(speech.slid(known, np.arange(5), later)) == list(range(5))
    assert list(speech.warped(known, np.arange(5), later)) == list(range(5))

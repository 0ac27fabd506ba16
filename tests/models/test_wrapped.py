"""A network of keras.applications, registered as one of ours, passes every common check."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from cnnkit import models
from cnnkit.gradients import backend_name
from cnnkit.models import Input, Preprocessing, Stage, registry, score_dtype
from tests.models.common import FACTS, NUMBERS, NUMBERS_ONCE
from tests.models.variants import Case, enliven, inputs, near, outputs, small

NAME = "keras-mobilenet-v2"
CASE: Case = {
    "pinned": (-0.028497843071818352, 1.8339214324951172, 1.162637710571289),
    "input_shape": (32, 32, 3),
    "small": {"alpha": 0.35},
    "options": [({"alpha": 0.35}, 1_677_128)],
    "half": 0.2,  # 53 layers deep, each rounds
}
DEFAULT = backend_name() == "tensorflow"
pytestmark = pytest.mark.skipif(not DEFAULT, reason="Keras's own network; ours run on each backend")


def mobilenet_v2(
    classes: int | None, input_shape: tuple[int | None, ...], *, alpha: float = 1.0
) -> keras.Model:
    backbone = keras.applications.MobileNetV2(input_shape, alpha, include_top=False, weights=None)
    if classes is None:
        return backbone
    x = keras.layers.GlobalAveragePooling2D(name="mean")(backbone.output)
    return keras.Model(
        backbone.input, keras.layers.Dense(classes, dtype=score_dtype(), name="predictions")(x)
    )


@pytest.fixture(autouse=True, scope="module")
def wrapped() -> Iterator[None]:
    before = dict(registry._REGISTRY)
    models.register(
        NAME,
        "mobilenet",
        title="MobileNetV2: Inverted residuals and linear bottlenecks",
        year=2018,
        paper="arXiv:1801.04381",
        classes=1000,
        inputs=Input((224, 224, 3), minimum=(32, 32)),
        parameters=3_504_872,
        total_parameters=3_538_984,
        multiply_adds=300_774_272,
        published_multiply_adds=300e6,
        receptive_field=(491, 491),
        preprocessing=Preprocessing((224, 224), fit="crop", crop=0.875, range=(-1, 1)),
        stages={
            1: Stage("expanded_conv_project_BN", 2),
            2: Stage("block_2_add", 4),
            3: Stage("block_5_add", 8),
            4: Stage("block_12_add", 16),
            5: Stage("out_relu", 32),
        },
    )(mobilenet_v2)
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)


@pytest.mark.parametrize("check", FACTS)
def test_its_facts_hold(check: str) -> None:
    FACTS[check](NAME)


@pytest.mark.parametrize("check", NUMBERS | NUMBERS_ONCE)
def test_its_numbers_hold(check: str) -> None:
    (NUMBERS | NUMBERS_ONCE)[check](NAME, CASE)


def test_under_the_weights_of_old_it_was_the_same_for_every_image() -> None:
    model = models.create(NAME, input_shape=(32, 32, 3), alpha=0.35)
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        weight.assign((rng.normal(size=weight.shape) / np.sqrt(fan_in)).astype("float32"))
    with pytest.raises(AssertionError, match="is the same for two different inputs"):
        outputs(model, inputs(NAME, CASE))


def test_it_takes_the_weights_of_a_twin_and_gives_them_back() -> None:
    ours = small(NAME, CASE)
    twin = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classifier_activation=None)
    enliven(twin)
    twin.get_layer("Conv1").set_weights([-weight for weight in twin.get_layer("Conv1").get_weights()])
    models.transplant(ours, twin)
    near(outputs(ours, inputs(NAME, CASE)), outputs(twin, inputs(NAME, CASE)), 1e-6, "ours against the twin")

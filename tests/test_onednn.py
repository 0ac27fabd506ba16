"""The kernel gradient of a narrow 1x1 convolution with strides, which oneDNN computes wrongly, is right here.

Where the input has fewer channels than a vector register has numbers (8 with AVX2, 16 with AVX-512), oneDNN writes past
its workspace: https://github.com/uxlfoundation/oneDNN/issues/6035. TensorFlow 2.19 and 2.21 with `TF_ENABLE_ONEDNN_OPTS=1`
then give a wrong gradient or crash, and PyTorch 2.13 crashes or never returns. To see it, run this test with
`TF_ENABLE_ONEDNN_OPTS=1`, or on PyTorch with `ONEDNN_MAX_CPU_ISA=AVX2`; once it passes there, the settings in
`conftest.py` and the words in `book/how-to-use.md` can go. Notebooks and trials leave oneDNN on: they train none such.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from keras import layers, ops

from cnnkit import models
from cnnkit.course import setup
from cnnkit.gradients import gradient


@pytest.mark.parametrize("channels", [1, 4, 12, 16])
def test_a_strided_1x1_convolution_has_the_gradient_of_the_same_one_on_every_other_pixel(
    channels: int,
) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(32, 32, 32, channels)).astype("float32")
    kernel = rng.normal(size=(1, 1, channels, 8)).astype("float32")

    def slope(images: np.ndarray, strides: int) -> np.ndarray:
        images = ops.convert_to_tensor(images)
        return gradient(lambda kernel: ops.sum(ops.conv(images, kernel, strides) ** 2), kernel)

    wanted = slope(images[:, ::2, ::2].copy(), strides=1)
    np.testing.assert_allclose(slope(images, strides=2), wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("given", [None, "0"])
def test_a_chapter_leaves_onednn_as_its_reader_has_it(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    if given:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    setup("layers/pooling")
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == given


@pytest.mark.parametrize("name", models.names())
def test_no_model_has_a_convolution_that_onednn_trains_wrongly(name: str) -> None:
    with models.without_values():
        model = models.create(name)
    concerned = [
        layer.path
        for layer in model._flatten_layers()
        if isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.Conv3D))
        and {*layer.kernel_size} == {1}
        and max(layer.strides) > 1
        and layer.kernel.shape[-2] < 16
    ]
    assert concerned == []

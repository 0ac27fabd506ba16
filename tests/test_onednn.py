"""The kernel gradient of a narrow 1x1 convolution with strides, which oneDNN computes wrongly, is right here.

Where the input has fewer channels than a vector register has numbers (8 with AVX2, 16 with AVX-512), oneDNN writes past
its workspace: https://github.com/uxlfoundation/oneDNN/issues/6035. TensorFlow 2.19 and 2.21 with `TF_ENABLE_ONEDNN_OPTS=1`
then give a wrong gradient or crash, and PyTorch 2.13 crashes or never returns. To see it, run this test with
`TF_ENABLE_ONEDNN_OPTS=1`, or on PyTorch with `ONEDNN_MAX_CPU_ISA=AVX2`; once it passes there, the settings in
`conftest.py`, in `cnnkit.course.setup` and the words in `book/how-to-use.md` can go.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

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


def test_a_chapter_opens_without_onednn_unless_its_reader_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for given, wanted in ((None, "0"), ("1", "1")):
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
        if given:
            monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
        setup("layers/pooling")
        assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == wanted


def test_nothing_is_loaded_before_a_chapter_is_set_up_that_would_make_the_setting_come_too_late() -> None:
    code = "import sys, cnnkit.course as c; c.setup, c.check, c.claim, c.figure; print({'keras', 'tensorflow'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

"""Cases of cnnkit.models.tolerant: the shift-proof build once more in NumPy."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch


def tolerant(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    for block, dilation in (("1", 1), ("2", 2), ("3", 4)):
        x = scratch.wrap_pad2d(x, dilation)
        x = scratch.convolve2d(x, w[f"conv{block}/kernel"], w[f"conv{block}/bias"], dilation=dilation)
        x = scratch.relu(x)
    return scratch.dense(x.mean(axis=(1, 2)), w["scores/kernel"], w["scores/bias"])


CASES = {"tolerant": {"twin": tolerant}}

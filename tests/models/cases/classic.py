"""Cases of cnnkit.models.classic: the canonical pipeline once more in NumPy."""

from __future__ import annotations

import numpy as np

from cnnkit import scratch


def classic(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    for block in "12":
        x = scratch.convolve2d(x, w[f"conv{block}/kernel"], w[f"conv{block}/bias"], padding="same")
        x = scratch.max_pool2d(scratch.relu(x), 2)
    x = scratch.relu(scratch.dense(x.reshape(len(x), -1), w["dense/kernel"], w["dense/bias"]))
    return scratch.dense(x, w["scores/kernel"], w["scores/bias"])


CASES = {"classic": {"twin": classic}}

"""How a network is trained, and how one knows what it is worth.

>>> from cnnkit import training
>>> training.top_k([0, 1], [[0.9, 0.1], [0.7, 0.3]], k=1)
0.5
"""

from cnnkit.training.comparing import Interval, McNemar, bootstrap, k_fold, mcnemar
from cnnkit.training.evaluation import (
    Bin,
    Calibration,
    Conformal,
    Temperature,
    calibration,
    conformal,
    temperature,
    top_k,
)

__all__ = [
    "Bin",
    "Calibration",
    "Conformal",
    "Interval",
    "McNemar",
    "Temperature",
    "bootstrap",
    "calibration",
    "conformal",
    "k_fold",
    "mcnemar",
    "temperature",
    "top_k",
]

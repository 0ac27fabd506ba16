"""cnnkit: convolutional neural networks in Keras 3, built piece by piece in a book.

>>> from cnnkit import insight, models
>>> model = models.create("lenet5")
>>> insight.summary(model).parameters
60000

Importing the package loads no backend: each part loads when it is first touched.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from cnnkit._saving import find_our_layers

__version__ = "0.2.0"

_PARTS = (
    "course",
    "data",
    "gradients",
    "insight",
    "layers",
    "models",
    "origins",
    "scratch",
    "training",
    "trials",
)

__all__ = ["__version__", *_PARTS]


find_our_layers()


def __getattr__(name: str) -> ModuleType:
    if name in _PARTS:
        return importlib.import_module(f"cnnkit.{name}")
    raise AttributeError(f"cnnkit has no part '{name}'; it has {', '.join(_PARTS)}")


def __dir__() -> list[str]:
    return sorted(__all__)

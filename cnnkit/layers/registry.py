"""One decorator for every layer of the course: serialisable, known to the tests, tied to its chapter."""

from __future__ import annotations

from collections.abc import Callable

import keras

__all__ = ["LAYERS", "register_layer"]

LAYERS: dict[str, type[keras.Layer]] = {}


def register_layer(
    chapter: str, paper: str | None = None
) -> Callable[[type[keras.Layer]], type[keras.Layer]]:
    """Register a Keras layer under the package name `cnnkit`, with the chapter that builds it.

    The tests enumerate `LAYERS`, so a layer that is decorated cannot go untested.

    Args:
        chapter: the chapter that teaches the layer, as `layers/pooling`.
        paper: its DOI or arXiv number, as `doi:10.1109/5.726791` or `arXiv:1301.3557`.

    Returns:
        The decorator of the class.
    """

    def decorate(cls: type[keras.Layer]) -> type[keras.Layer]:
        cls = keras.saving.register_keras_serializable(package="cnnkit")(cls)
        cls.chapter, cls.paper = chapter, paper
        LAYERS[cls.__name__] = cls
        return cls

    return decorate

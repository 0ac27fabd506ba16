"""How the nets of this part are built whatever Keras is set to."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import keras

__all__: list[str] = []

Arguments = ParamSpec("Arguments")
Net = TypeVar("Net")


def channels_last(build: Callable[Arguments, Net]) -> Callable[Arguments, Net]:
    """Build a net with its channels last, as its input has them, also where Keras is set to have them first."""

    @functools.wraps(build)
    def built(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Net:
        setting = keras.config.image_data_format()
        keras.config.set_image_data_format("channels_last")
        try:
            return build(*args, **kwargs)
        finally:
            keras.config.set_image_data_format(setting)

    return built

"""Nets of which only the shapes are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
from keras.src.backend.common import global_state

__all__ = ["without_values"]

_WAITING = "uninitialized_variables"


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Build layers and models without drawing their weights, now or later: VGG16 in hundredths of a second.

    What is built so has shapes, counts, costs and receptive fields, but computes nothing.
    `keras.StatelessScope(initialize_variables=False)` alone leaves the weights on Keras's list of those that wait for a
    value, and the next scope that ends, such as that of `predict` on JAX, would draw them all.

    Example:
        >>> with without_values():
        ...     model = keras.applications.VGG16(weights=None)
        >>> model.count_params()
        138357544
    """
    waited = list(global_state.get_global_attribute(_WAITING, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(_WAITING, waited)

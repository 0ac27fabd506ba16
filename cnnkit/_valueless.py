"""Nets of which only the shapes are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
from keras.src.backend.common import global_state

_WAITING = "uninitialized_variables"


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Build layers and models without drawing their weights, now or later.

    `keras.StatelessScope(initialize_variables=False)` alone leaves them on Keras's list of weights that wait for a value,
    and the next scope that ends, such as that of `predict` on JAX, would draw them all.
    """
    waited = list(global_state.get_global_attribute(_WAITING, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(_WAITING, waited)

"""The scaled hyperbolic tangent of the LeNet papers."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["scaled_tanh"]


@keras.saving.register_keras_serializable(package="cnnkit")
def scaled_tanh(x: Any) -> Any:
    """A tanh stretched to pass through its own targets: 1.7159 tanh(2x / 3), so that f(1) = 1, f(-1) = -1.

    Targets of +1 and -1 then lie where the curve bends most, not where it saturates.

    >>> round(float(scaled_tanh(keras.ops.ones(()))), 4)
    1.0

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    return 1.7159 * keras.ops.tanh(2.0 / 3.0 * x)

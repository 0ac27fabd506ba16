"""LeNet-5's output: how far is the last hidden layer from the picture of each character?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._kernels import constant
from cnnkit.layers.registry import register_layer
from cnnkit.scratch.lenet import digit_bitmaps

__all__ = ["RadialBasisScores", "character_codes"]


def character_codes(classes: int = 10) -> np.ndarray:
    """A code of 84 values +1 and -1 for each class: a 7x12 picture of the digit, `(classes, 84)`.

    The paper used a stylised ASCII set, printed as a picture only; these digits are drawn for the course.
    Classes beyond the ten digits get fixed random codes of the same length.

    >>> character_codes(10).shape
    (10, 84)

    Chapter: models/lenet.
    Paper: doi:10.1109/5.726791.
    """
    drawn = digit_bitmaps().reshape(10, 84)
    if classes <= len(drawn):
        return drawn[:classes]
    further = np.random.default_rng(1998).integers(0, 2, size=(classes - len(drawn), 84)) * 2 - 1
    return np.concatenate([drawn, further])


@register_layer(chapter="models/lenet", paper="doi:10.1109/5.726791")
class RadialBasisScores(keras.layers.Layer):
    """Minus the squared distance to each of some fixed centres.

    ::

        y_i = -sum over j of (x_j - c_ij)^2

    The paper's penalty is the negative of this.  With the sign turned the largest score wins, and softmax
    makes of the scores the probabilities that the paper's Gaussian reading of them implies.
    The centres are fixed: the layer has no parameters.

    Args:
        centres: `(classes, features)`; `character_codes(classes)` for LeNet-5.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, classes)`.

    Example:
        >>> from cnnkit.layers import character_codes
        >>> codes = character_codes()
        >>> tuple(RadialBasisScores(codes)(keras.ops.zeros((1, 84))).shape)
        (1, 10)
    """

    def __init__(self, centres: Sequence[Sequence[float]] | np.ndarray, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.centres = np.asarray(centres, dtype="float64")
        if self.centres.ndim != 2:
            raise ValueError(f"centres needs shape (classes, features), but was given {self.centres.shape}")
        self._fixed = constant(self.centres)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the input has as many features as the centres."""
        if len(input_shape) != 2 or input_shape[-1] != self.centres.shape[1]:
            raise ValueError(
                f"{self.name} needs an input of shape (batch, {self.centres.shape[1]}), as long as its "
                f"centres, but was given {tuple(input_shape)}"
            )
        self.input_spec = keras.InputSpec(ndim=2, axes={-1: self.centres.shape[1]})

    def call(self, inputs: Any) -> Any:
        """Subtract every centre, square, sum, turn the sign; in float32 or wider, lest a sum of squares overflow."""
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        centres = ops.convert_to_tensor(self._fixed, dtype=wide)
        difference = ops.expand_dims(ops.cast(inputs, wide), 1) - centres
        return ops.cast(-ops.sum(ops.square(difference), axis=-1), self.compute_dtype)

    def multiply_adds(self, input_shape: tuple[int | None, ...]) -> int:
        """One square and one addition for each feature of each centre."""
        return self.centres.size

    def receptive_field_window(self, input_shape: tuple[int | None, ...]) -> str:
        """Every score sees every feature."""
        return "whole"

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One score for each centre."""
        return (input_shape[0], len(self.centres))

    def get_config(self) -> dict[str, Any]:
        """Everything needed to make this layer again."""
        return {**super().get_config(), "centres": self.centres.tolist()}

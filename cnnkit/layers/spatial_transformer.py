"""A layer that looks at its image through a window which another part of the network moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._windows import layout, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["SpatialTransformer"]

Shape = tuple[int | None, ...]
_NUMBERS = {"affine": 6, "attention": 3, "translation": 2}


@register_layer(chapter="layers/receptive-fields", paper="arXiv:1506.02025")
class SpatialTransformer(keras.Layer):
    """Resample an image on a grid that numbers from elsewhere move, turn and scale; differentiable in both.

    The pixel at (column, row) of the result, both from -1 to 1, is read by bilinear interpolation at

    (x, y) = A (column, row, 1),  A = [[a, b, c], [d, e, f]]   "affine": six numbers a .. f
                                  A = [[s, 0, x], [0, s, y]]   "attention": three, s, x, y
                                  A = [[1, 0, x], [0, 1, y]]   "translation": two, x, y

    Outside the image everything is zero. The numbers come from a localisation network, whose last layer starts
    at the identity: `transform.identity` is the bias for that, with a kernel of zeros.

    Arguments: `size` of the result (`(rows, columns)`, by default that of the image); `transform`; `data_format`.
    Inputs: images `(batch, height, width, channels)` and numbers `(batch, 6 or 3 or 2)`.
    Output shape: `(batch, rows, columns, channels)`.

    >>> layer = SpatialTransformer(transform="translation")
    >>> x = ops.reshape(ops.arange(4, dtype="float32"), (1, 1, 4, 1))
    >>> ops.convert_to_numpy(layer([x, ops.array([[0.5, 0.0]])]))[0, 0, :, 0].tolist()
    [1.0, 2.0, 3.0, 0.0]

    Chapter: layers/receptive-fields.
    Paper: arXiv:1506.02025.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        transform: str = "affine",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if transform not in _NUMBERS:
            raise ValueError(f"transform must be one of {', '.join(map(repr, _NUMBERS))}, not {transform!r}")
        self.size = None if size is None else tuple_of(size, 2, "size")
        self.transform = transform
        self.data_format = layout(data_format)

    @property
    def identity(self) -> list[float]:
        """The numbers that leave the image as it is, to start a localisation network's bias with."""
        return {"affine": [1.0, 0, 0, 0, 1, 0], "attention": [1.0, 0, 0], "translation": [0.0, 0]}[
            self.transform
        ]

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2 or not isinstance(input_shape[0], Sequence):
            raise ValueError(f"SpatialTransformer takes [images, numbers], and was given shape {input_shape}")
        needed = _NUMBERS[self.transform]
        if tuple(input_shape[1][1:]) != (needed,):
            raise ValueError(
                f"'{self.transform}' needs {needed} numbers for each image, shape (batch, {needed}), "
                f"and was given shape {tuple(input_shape[1])}"
            )
        image = self._last(input_shape[0])
        if self.size is None and None in image[1:3]:
            raise ValueError(f"the image's sides are unknown, {image[1:3]}: give size=(rows, columns)")
        self.built = True

    def call(self, inputs: Any) -> Any:
        x, numbers = inputs
        x = x if self.data_format == "channels_last" else ops.moveaxis(x, 1, -1)
        y = self._sample(x, self._places(ops.cast(numbers, x.dtype), self.size or x.shape[1:3]))
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def _places(self, numbers: Any, size: Sequence[int]) -> tuple[Any, Any]:
        """Where the output's pixels look: column and row, from -1 to 1, each `(batch, rows * columns)`."""
        rows, columns = ((2 * np.arange(n) + 1) / n - 1 for n in size)
        row, column = (
            ops.cast(g.reshape(1, -1), numbers.dtype) for g in np.meshgrid(rows, columns, indexing="ij")
        )
        n = [numbers[:, i : i + 1] for i in range(_NUMBERS[self.transform])]
        if self.transform == "affine":
            return n[0] * column + n[1] * row + n[2], n[3] * column + n[4] * row + n[5]
        if self.transform == "attention":
            return n[0] * column + n[1], n[0] * row + n[2]
        return column + n[0], row + n[1]

    def _sample(self, x: Any, places: tuple[Any, Any]) -> Any:
        shape = ops.shape(x)
        height, width, channels = shape[1], shape[2], x.shape[3]
        column = ((places[0] + 1) * ops.cast(width, x.dtype) - 1) / 2
        row = ((places[1] + 1) * ops.cast(height, x.dtype) - 1) / 2
        top, left = ops.floor(row), ops.floor(column)
        # All pixels of the batch in one list: to read whole rows of it is the quickest way to gather.
        pixels = ops.reshape(x, (-1, channels))
        first = (ops.arange(shape[0], dtype="int32") * (height * width))[:, None]
        total = 0.0
        for i in (top, top + 1):
            for j in (left, left + 1):
                weight = (1 - ops.abs(row - i)) * (1 - ops.abs(column - j))
                inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
                line = ops.cast(ops.clip(i, 0, height - 1), "int32")
                place = ops.cast(ops.clip(j, 0, width - 1), "int32")
                read = ops.take(pixels, first + line * width + place, axis=0)
                total = total + ops.where(inside, weight, 0.0)[..., None] * read
        rows, columns = self.size or (height, width)
        return ops.reshape(total, (-1, rows, columns, channels))

    def _last(self, shape: Sequence[int | None]) -> Shape:
        return tuple(shape) if self.data_format == "channels_last" else (shape[0], *shape[2:], shape[1])

    def compute_output_shape(self, input_shape: Any) -> Shape:
        batch, rows, columns, channels = self._last(input_shape[0])
        size = self.size or (rows, columns)
        return (batch, *size, channels) if self.data_format == "channels_last" else (batch, channels, *size)

    def receptive_field_window(self, input_shape: Shape) -> str:
        """What one output sees, for `cnnkit.insight`: it may look anywhere."""
        return "whole"

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "transform": self.transform,
            "data_format": self.data_format,
        }

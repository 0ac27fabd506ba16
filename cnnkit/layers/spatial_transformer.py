"""A layer that looks at its image through a window which another part of the network moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from cnnkit.layers._spatial import Shape, SpatialLayer, sizes, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["SpatialTransformer"]

_NUMBERS = {"affine": 6, "attention": 3, "translation": 2}


@register_layer(chapter="layers/invariance", paper="arXiv:1506.02025")
class SpatialTransformer(SpatialLayer):
    """Resample an image on a grid that numbers from elsewhere move, turn and scale; differentiable in both.

    The pixel at (column, row) of the result, both from -1 to 1, is read by bilinear interpolation at

    ::

        (x, y) = A (column, row, 1),  A = [[a, b, c], [d, e, f]]   "affine": six numbers a .. f
                                      A = [[s, 0, x], [0, s, y]]   "attention": three, s, x, y
                                      A = [[1, 0, x], [0, 1, y]]   "translation": two, x, y

    Outside the image everything is zero. The numbers come from a localisation network, whose last layer starts
    at the identity: `transform.identity` is the bias for that, with a kernel of zeros. They are not rounded to the
    dtype of the policy, in which an image of 512 pixels has not as many places; the answer is.

    Args:
        size: rows and columns of the result; those of the image when None.
        transform: `"affine"`, `"attention"` or `"translation"`.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `[(batch, height, width, channels), (batch, 6 or 3 or 2)]`: images and numbers.

    Output shape:
        `(batch, rows, columns, channels)`.

    Example:
        >>> layer = SpatialTransformer(transform="translation")
        >>> x = ops.reshape(ops.arange(4, dtype="float32"), (1, 1, 4, 1))
        >>> ops.convert_to_numpy(layer([x, ops.array([[0.5, 0.0]])]))[0, 0, :, 0].tolist()
        [1.0, 2.0, 3.0, 0.0]
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        transform: str = "affine",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, autocast=False, **kwargs)
        if transform not in _NUMBERS:
            raise ValueError(f"transform must be one of {', '.join(map(repr, _NUMBERS))}, not {transform!r}")
        self.size = None if size is None else tuple_of(size, 2, "size")
        self.transform = transform
        self.input_spec = None  # two inputs, which are looked at in `compute_output_shape`

    @property
    def identity(self) -> list[float]:
        """The numbers that leave the image as it is, to start a localisation network's bias with."""
        return {"affine": [1.0, 0, 0, 0, 1, 0], "attention": [1.0, 0, 0], "translation": [0.0, 0]}[
            self.transform
        ]

    def output_space(self, space: Shape) -> Shape:
        if self.size is None and None in space:
            raise ValueError(
                f"{self.name}: the image's sides are unknown, {space}: give size=(rows, columns)"
            )
        return self.size or space

    def compute_output_shape(self, input_shape: Any) -> Shape:
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(f"SpatialTransformer takes [images, numbers], and was given shape {input_shape}")
        images, numbers = map(tuple, input_shape)
        needed = _NUMBERS[self.transform]
        if len(images) != 4:
            raise ValueError(f"{self.name} takes images of 4 axes, and was given the shape {images}")
        if numbers[1:] != (needed,):
            raise ValueError(
                f"'{self.transform}' needs {needed} numbers for each image, shape (batch, {needed}), "
                f"and was given shape {numbers}"
            )
        return super().compute_output_shape(images)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape([tuple(one.shape) for one in inputs])  # for its errors
        x, numbers = self.last(inputs[0]), ops.cast(inputs[1], self.wide_dtype)
        return self.as_given(self._sample(x, self._places(numbers, self.size or x.shape[1:3])))

    def _places(self, numbers: Any, size: Sequence[int]) -> tuple[Any, Any]:
        """Where the output's pixels look: column and row, from -1 to 1, each `(batch, rows * columns)`."""
        rows, columns = ((2 * ops.arange(n, dtype=numbers.dtype) + 1) / n - 1 for n in size)
        row = ops.reshape(ops.repeat(rows, size[1]), (1, -1))
        column = ops.reshape(ops.tile(columns, [size[0]]), (1, -1))
        n = [numbers[:, i : i + 1] for i in range(_NUMBERS[self.transform])]
        if self.transform == "affine":
            return n[0] * column + n[1] * row + n[2], n[3] * column + n[4] * row + n[5]
        if self.transform == "attention":
            return n[0] * column + n[1], n[0] * row + n[2]
        return column + n[0], row + n[1]

    def _sample(self, x: Any, places: tuple[Any, Any]) -> Any:
        batch, height, width, channels = sizes(x)
        column = ((places[0] + 1) * ops.cast(width, x.dtype) - 1) / 2
        row = ((places[1] + 1) * ops.cast(height, x.dtype) - 1) / 2
        top, left = ops.floor(row), ops.floor(column)
        # All pixels of the batch in one list: to read whole rows of it is the quickest way to gather.
        pixels = ops.reshape(x, (-1, channels))
        first = (ops.arange(batch, dtype="int32") * (height * width))[:, None]
        total, nothing = 0.0, ops.zeros((), x.dtype)
        for i in (top, top + 1):
            for j in (left, left + 1):
                weight = (1 - ops.abs(row - i)) * (1 - ops.abs(column - j))
                inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
                # A place outside the image, or one that is no number, reads the first pixel and counts it nothing.
                line = ops.cast(ops.where(inside, i, nothing), "int32")
                place = ops.cast(ops.where(inside, j, nothing), "int32")
                read = ops.take(pixels, first + line * width + place, axis=0)
                total = total + ops.where(inside, weight, nothing)[..., None] * read
        rows, columns = self.size or (height, width)
        return ops.reshape(total, (-1, rows, columns, channels))

    def multiply_adds(self, input_shape: Any) -> int:
        return 0  # an interpolation, as all are counted

    def receptive_field_window(self, input_shape: Shape) -> str:
        """What one output sees, for `cnnkit.insight`: it may look anywhere."""
        return "whole"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "transform": self.transform}

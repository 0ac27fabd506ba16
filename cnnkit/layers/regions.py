"""Pooling whose windows follow the image or a box, so that any size comes out as one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from cnnkit.layers._spatial import Shape, SpatialLayer, sizes, tuple_of
from cnnkit.layers._windows import largest
from cnnkit.layers.registry import register_layer

__all__ = ["RoIAlign", "RoIPooling", "SpatialPyramidPooling2D"]


@register_layer(chapter="layers/pooling", paper="arXiv:1406.4729")
class SpatialPyramidPooling2D(SpatialLayer):
    """The maximum over the whole map, over its quarters, over its sixteenths: one length for any size.

    Level n cuts the map into n x n bins; bin i takes the rows from floor(i H / n) up to ceil((i + 1) H / n),
    so bins overlap by a row where n does not divide H, and none is empty even when n > H.

    Args:
        levels: the n of each level, coarse to fine.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, height, width, channels)`, any height and width.

    Output shape:
        `(batch, sum(n * n) * channels)`, level by level, row by row, channels last.

    Example:
        >>> layer = SpatialPyramidPooling2D()
        >>> [tuple(layer(np.ones((1, side, side, 8))).shape) for side in (13, 32)]
        [(1, 168), (1, 168)]
    """

    rank = 2
    widens = False

    def __init__(
        self, levels: Sequence[int] = (1, 2, 4), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        if isinstance(levels, int | str) or not len(levels):
            raise ValueError(f"levels must be a sequence such as (1, 2, 4), not {levels!r}")
        self.levels = tuple_of(levels, len(levels), "levels")

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)  # for its errors
        x = self.last(inputs)
        maps: dict[int, Any] = {}
        for n in sorted(set(self.levels), reverse=True):
            # A bin of level 2 is the union of four bins of level 4: no need to read the image again.
            finer = next((m for m in maps if m % n == 0), None)
            source = x if finer is None else maps[finer]
            maps[n] = _bins(_bins(source, n, axis=1), n, axis=2)
        flat = [ops.reshape(maps[n], (-1, n * n * x.shape[-1])) for n in self.levels]
        return ops.concatenate(flat, axis=1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape = super().compute_output_shape(input_shape)
        channels = self.split(shape)[1]
        if channels is None:
            raise ValueError(
                f"{self.name}: the number of channels must be known: give Input a shape that names it"
            )
        return (shape[0], sum(n * n for n in self.levels) * channels)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        return 0

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> str:
        return "whole"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "levels": self.levels}


def _bins(x: Any, n: int, axis: int) -> Any:
    """The maximum over each of n bins along one axis of `(batch, height, width, channels)`."""
    size = sizes(x)[axis]
    if isinstance(size, int) and size % n == 0:
        window = tuple(size // n if i == axis else 1 for i in (1, 2))
        return largest(x, window, window)
    number = ops.arange(n)
    start, end = number * size // n, -(-(number + 1) * size // n)
    # As many steps as the longest bin has; a shorter one reads its last row again, which no maximum minds.
    steps = ops.arange(-(-size // n) + 1)
    rows = ops.minimum(start[:, None] + steps, end[:, None] - 1)
    return ops.amax(ops.take(x, rows, axis=axis), axis=axis + 1)


class _OfBoxes(SpatialLayer):
    """What the two layers of boxes share: their arguments and their shapes.

    The boxes are never rounded to the dtype of the policy, in which a pixel beyond the 256th has no place of its
    own (bfloat16): only the answer is.
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = 7,
        spatial_scale: float = 1.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, autocast=False, **kwargs)
        self.size = tuple_of(size, 2, "size")
        if not spatial_scale > 0:
            raise ValueError(
                f"spatial_scale must be positive, not {spatial_scale!r}: it is 1 / stride of the feature map"
            )
        self.spatial_scale = float(spatial_scale)
        self.input_spec = None  # two inputs, which are looked at in `compute_output_shape`

    def pool(self, x: Any, edges: tuple[Any, Any, Any, Any]) -> Any:
        """The pooled `(batch, boxes, rows, columns, channels)`; edges are `(batch, boxes)` each."""
        raise NotImplementedError

    def call(self, inputs: Sequence[Any]) -> Any:
        self.compute_output_shape([tuple(one.shape) for one in inputs])  # for its errors
        x, boxes = self.last(inputs[0]), ops.cast(inputs[1], self.wide_dtype) * self.spatial_scale
        y = self.pool(x, tuple(boxes[..., i] for i in range(4)))
        y = y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 2)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence[Sequence[int | None]]) -> Shape:
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(f"{type(self).__name__} takes [features, boxes], not one input of {input_shape}")
        features, boxes = map(tuple, input_shape)
        if len(features) != 4 or len(boxes) != 3 or boxes[2] != 4:
            raise ValueError(
                f"{self.name}: features must be (batch, height, width, channels) and boxes (batch, boxes, 4) with "
                f"x1, y1, x2, y2 in each; given were {features} and {boxes}"
            )
        batch, _, channels = super().compute_output_shape(features)[0], *self.split(features)
        if self.data_format == "channels_last":
            return (batch, boxes[1], *self.size, channels)
        return (batch, boxes[1], channels, *self.size)

    def multiply_adds(self, input_shape: Sequence[Sequence[int | None]]) -> int:
        return 0  # a pooling, as all are counted

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> str:
        return "whole"  # the box decides

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "spatial_scale": self.spatial_scale}


@register_layer(chapter="tasks/detection", paper="arXiv:1504.08083")
class RoIPooling(_OfBoxes):
    """The maximum over each bin of a grid laid over each box: boxes of any size come out as one size.

    A box's edges are rounded to whole cells, (x1, y1) included and (x2, y2) not, at least one cell, and
    clipped to the map; its h rows are cut into bins from floor(i h / n) up to ceil((i + 1) h / n).
    A box without area, or wholly outside the map, gives zeros: so boxes of zeros may pad a batch.

    Args:
        size: rows and columns of the output, one number or one each.
        spatial_scale: feature cells per unit of the boxes (1 / 16 for boxes in pixels over a map of stride 16).
        data_format: `"channels_last"` or `"channels_first"`, of the features; Keras's setting when None.

    Input shape:
        `[features, boxes]`, `(batch, height, width, channels)` and `(batch, boxes, 4)` with x1, y1, x2, y2.

    Output shape:
        `(batch, boxes, rows, columns, channels)`; with `channels_first` features the channels come third.

    Example:
        >>> x, boxes = np.arange(16.0).reshape(1, 4, 4, 1), np.array([[[0, 0, 4, 2]]])
        >>> np.asarray(RoIPooling(2)([x, boxes]))[0, 0, :, :, 0].tolist()
        [[1.0, 3.0], [5.0, 7.0]]
    """

    widens = False

    def pool(self, x: Any, edges: tuple[Any, Any, Any, Any]) -> Any:
        # One box more, without area, so that there is a maximum to take where no box was given.
        x1, y1, x2, y2 = (ops.pad(edge, ((0, 0), (0, 1))) for edge in edges)
        batch, height, width, channels = sizes(x)
        number, out = sizes(x1)[1], self.size[0]
        rows, row_real = self._cells(y1, y2, height, self.size[0])
        columns, column_real = self._cells(x1, x2, width, self.size[1])
        # Rows first, then columns: each time the cells are gathered from one flat axis.
        image = ops.reshape(ops.arange(batch), (-1, 1, 1, 1))
        y = ops.take(ops.reshape(x, (-1, width * channels)), image * height + rows, axis=0)
        y = ops.amax(y, axis=3)  # (batch, boxes, output rows, width * channels)
        row = ops.reshape(ops.arange(batch * number * out), (batch, number, out, 1, 1))
        y = ops.take(ops.reshape(y, (-1, channels)), row * width + columns[:, :, None], axis=0)
        y = ops.amax(y, axis=4)
        real = ops.logical_and(row_real, column_real)[:, :, None, None, None]
        return ops.where(real, y, ops.zeros_like(y))[:, :-1]

    @staticmethod
    def _cells(low: Any, high: Any, side: Any, n: int) -> tuple[Any, Any]:
        """The cells `(batch, boxes, n, steps)` of each bin along one axis, and which boxes have any."""
        start = ops.cast(ops.floor(low + 0.5), "int32")
        end = ops.maximum(ops.cast(ops.floor(high + 0.5), "int32"), start + 1)
        real = ops.logical_and(high > low, ops.logical_and(end > 0, start < side))
        start, end = ops.clip(start, 0, side - 1), ops.clip(end, 1, side)
        span = ops.maximum(end - start, 1)[..., None]
        number = ops.arange(n)
        first = start[..., None] + number * span // n
        last = start[..., None] - (-(number + 1) * span // n) - 1
        steps = ops.arange(-(-side // n) + 1)
        return ops.minimum(first[..., None] + steps, last[..., None]), real


@register_layer(chapter="tasks/detection", paper="arXiv:1703.06870")
class RoIAlign(_OfBoxes):
    """The mean of interpolated samples in each bin of a grid laid over each box: nothing is rounded.

    Each bin holds `sampling_ratio` x `sampling_ratio` evenly spaced samples, read by bilinear interpolation
    between the centres of cells (a cell's centre is at +0.5). A sample up to one cell outside the map reads
    the border, one further out counts as zero; a box without area gives zeros. For each box::

        y = R X C^T

    with R and C the interpolation weights along rows and columns; a gradient reaches the features and the boxes.

    Args:
        size, spatial_scale: as for `RoIPooling`.
        sampling_ratio: samples of a bin along each axis.
        data_format: `"channels_last"` or `"channels_first"`, of the features; Keras's setting when None.

    Input shape:
        `[features, boxes]`, as for `RoIPooling`.

    Output shape:
        `(batch, boxes, rows, columns, channels)`; with `channels_first` features the channels come third.

    Example:
        >>> x, boxes = np.arange(16.0).reshape(1, 4, 4, 1), np.array([[[0, 0, 4, 2]]])
        >>> np.asarray(RoIAlign(2)([x, boxes]))[0, 0, :, :, 0].tolist()
        [[1.0, 3.0], [4.5, 6.5]]
    """

    def __init__(
        self,
        size: int | Sequence[int] = 7,
        spatial_scale: float = 1.0,
        sampling_ratio: int = 2,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(size, spatial_scale, data_format, **kwargs)
        (self.sampling_ratio,) = tuple_of(sampling_ratio, 1, "sampling_ratio")

    def pool(self, x: Any, edges: tuple[Any, Any, Any, Any]) -> Any:
        x1, y1, x2, y2 = edges
        batch, height, width, channels = sizes(x)
        number = sizes(x1)[1]
        real = ops.logical_and(x2 > x1, y2 > y1)[..., None, None]
        rows = self._weights(y1, y2, height, self.size[0])
        rows = ops.where(real, rows, ops.zeros((), rows.dtype))
        columns = self._weights(x1, x2, width, self.size[1])[:, :, None]
        # R X as one product for all boxes of an image, then X C^T for each row of each box.
        y = ops.matmul(
            ops.reshape(rows, (batch, number * self.size[0], height)),
            ops.reshape(x, (batch, height, width * channels)),
        )
        return ops.matmul(columns, ops.reshape(y, (batch, number, self.size[0], width, channels)))

    def _weights(self, low: Any, high: Any, side: Any, n: int) -> Any:
        """How much each cell counts in each bin along one axis: `(batch, boxes, n, side)`."""
        dtype, samples = low.dtype, n * self.sampling_ratio
        step = (ops.cast(ops.arange(samples), dtype) + 0.5) / samples
        place = low[..., None] + (high - low)[..., None] * step - 0.5  # in cells, a centre at a whole number
        last = ops.cast(side, dtype) - 1
        inside = ops.logical_and(place >= -1, place <= last + 1)
        place = ops.clip(place, 0, last)[..., None]
        cells = ops.cast(ops.arange(side), dtype)
        weights = ops.maximum(1 - ops.abs(place - cells), 0)
        weights = ops.where(inside[..., None], weights, ops.zeros((), dtype))
        batch, number = sizes(low)
        parts = ops.reshape(weights, (batch, number, n, self.sampling_ratio, side))
        return ops.sum(parts, axis=3) / self.sampling_ratio

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sampling_ratio": self.sampling_ratio}

"""The maximum over neighbouring channels: fewer maps, or an activation that is learned."""

from __future__ import annotations

from typing import Any

from keras import ops

from cnnkit.layers._spatial import SpatialLayer, sizes, tuple_of
from cnnkit.layers.registry import register_layer

__all__ = ["ChannelMaxPooling", "Maxout"]


@register_layer(chapter="layers/pooling", paper="doi:10.1109/tvt.2019.2899972")
class ChannelMaxPooling(SpatialLayer):
    """The maximum over groups of neighbouring channels at each place: fewer channels, the same places.

    ::

        y[..., c] = max over j < k of x[..., c k + j]

    Args:
        pool_size: channels k in a group, which must divide the number of channels.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, ..., channels)`, with any number of axes of space, also none.

    Output shape:
        `(batch, ..., channels / k)`.

    Example:
        >>> tuple(ChannelMaxPooling(4)(keras.ops.ones((1, 5, 5, 32))).shape)
        (1, 5, 5, 8)
    """

    widens = False
    keeps_mask = True

    def __init__(self, pool_size: int = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        (self.pool_size,) = tuple_of(pool_size, 1, "pool_size")

    def output_channels(self, channels: int | None) -> int | None:
        if channels is not None and channels % self.pool_size:
            raise ValueError(
                f"{self.name}: {channels} channels cannot be cut into groups of {self.pool_size}; "
                "pool_size must divide the number of channels"
            )
        return None if channels is None else channels // self.pool_size

    def compute(self, x: Any, training: bool = False) -> Any:
        shape = sizes(x)
        # Channels as the length of a signal: Keras's own pooling is the fastest maximum there is.
        signal = ops.reshape(x, (-1, shape[-1], 1))
        y = ops.max_pool(signal, self.pool_size, self.pool_size, data_format="channels_last")
        return ops.reshape(y, (*shape[:-1], shape[-1] // self.pool_size))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size}


@register_layer(chapter="layers/activations", paper="arXiv:1302.4389")
class Maxout(ChannelMaxPooling):
    """Keep the largest of each run of `pool_size` neighbouring channels: `ChannelMaxPooling`, as an activation.

    ::

        y[..., c] = max over j < k of x[..., c k + j]

    After a linear layer that makes k times as many channels as are wanted, each output is the maximum of that many
    learned linear functions: with two it can become ReLU, or the absolute value; with more, any convex function as
    nearly as one likes.

    Args:
        pool_size: the straight pieces k, which must divide the channels.
        data_format: `"channels_last"` or `"channels_first"`; Keras's setting when None.

    Input shape:
        `(batch, ..., channels)`, with any number of axes of space, also none.

    Output shape:
        `(batch, ..., channels / k)`.

    Example:
        >>> tuple(Maxout(2)(keras.ops.ones((1, 4))).shape)
        (1, 2)
    """

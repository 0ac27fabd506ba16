"""What layers of kernels have in common: their arguments, their weights, their layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._windows import layout, tuple_of

__all__: list[str] = []

Shape = tuple[int | None, ...]


class KernelLayer(keras.Layer):
    """Kernels, a bias, an activation; a subclass says how many axes of space there are and what is shared.

    Bias and activation are put on with the channels last; the layout of the input is restored at the end.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"filters must be a positive integer, not {filters!r}")
        self.filters = filters
        self.kernel_size = tuple_of(kernel_size, self.rank, "kernel_size")
        self.data_format = layout(data_format)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)

    def add_kernel_and_bias(self, kernel: Shape, bias: Shape, initializer: Any = None) -> None:
        """Make the weights in these shapes, the kernel by another initialiser than its own if one is given."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel,
            initializer=initializer or self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )

    def finish(self, y: Any) -> Any:
        """Bias and activation, channels last."""
        return self.activation(y if self.bias is None else y + self.bias)

    def as_given(self, y: Any) -> Any:
        """Back to the layout of the input."""
        return y if self.data_format == "channels_last" else ops.moveaxis(y, -1, 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "data_format": self.data_format,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }


class KernelLayer2D(KernelLayer):
    """A layer with one kernel `(k, k, channels / groups, filters)`; a subclass says how it is laid on the image.

    The subclass's `convolve` takes and gives channels last.
    """

    def __init__(
        self, filters: int, kernel_size: int | Sequence[int], groups: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        if not isinstance(groups, int) or groups < 1 or filters % groups:
            raise ValueError(
                f"groups must be a positive integer that divides filters={filters}, not {groups!r}"
            )
        self.groups = groups

    def _sides(self, shape: Sequence[int | None]) -> tuple[int | None, int | None, int | None]:
        """Height, width and channels of an image's shape."""
        if len(shape) != 4:
            raise ValueError(f"{self.name} needs a batch of images, 4 axes, not the shape {tuple(shape)}")
        order = (1, 2, 3) if self.data_format == "channels_last" else (2, 3, 1)
        return tuple(shape[axis] for axis in order)

    def _shaped(self, batch: int | None, height: int | None, width: int | None) -> Shape:
        """The shape of an output of these sides."""
        if self.data_format == "channels_last":
            return (batch, height, width, self.filters)
        return (batch, self.filters, height, width)

    def _make_weights(self, channels: int | None) -> None:
        if channels is None or channels % self.groups:
            raise ValueError(
                f"{self.name}: the input has {channels} channels; their number must be known and a multiple of "
                f"groups={self.groups}"
            )
        self.add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters), (self.filters,))

    def build(self, input_shape: Sequence[int | None]) -> None:
        self._make_weights(self._sides(input_shape)[2])

    def convolve(self, x: Any) -> Any:
        """The sums of products, channels last."""
        raise NotImplementedError

    def last(self, x: Any) -> Any:
        """An image with its channels last."""
        return x if self.data_format == "channels_last" else ops.moveaxis(x, 1, -1)

    def call(self, inputs: Any) -> Any:
        return self.as_given(self.finish(self.convolve(self.last(inputs))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}

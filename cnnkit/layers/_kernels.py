"""What layers of kernels have in common: their arguments, their weights, and constants that compilers take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from cnnkit.layers._spatial import Shape, WindowLayer, tuple_of

__all__: list[str] = []


def constant(values: Any) -> Any:
    """The numbers of an array as nested tuples, to be made a tensor within `call`.

    Every compiler takes these for a constant; `torch.compile` refuses an array of NumPy, and Keras would make
    a list something that it tracks.
    """
    values = np.asarray(values).tolist()
    return _frozen(values)


def _frozen(values: Any) -> Any:
    return tuple(map(_frozen, values)) if isinstance(values, list) else values


class KernelLayer(WindowLayer):
    """Kernels, a bias, an activation, as Keras's convolutions have them; a family says in `convolve` what is summed.

    The products are taken in the dtype of the policy, as those of Keras's own convolutions.
    """

    widens = False

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        window = tuple_of(kernel_size, self.rank, "kernel_size")
        super().__init__(
            window,
            strides,
            padding,
            dilation_rate,
            data_format,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        (self.filters,), (self.groups,) = tuple_of(filters, 1, "filters"), tuple_of(groups, 1, "groups")
        if filters % groups:
            raise ValueError(
                f"groups must be a positive integer that divides filters={filters}, not {groups!r}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides {self.strides} and dilation_rate {self.dilation_rate} do not go together: one must be 1"
            )
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """The sides of a kernel."""
        return self.window

    def output_channels(self, channels: int | None) -> int | None:
        return self.filters

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # for its errors
        _, channels = self.fix(input_shape)
        self.add_shared_kernel(channels)

    def add_shared_kernel(self, channels: int) -> None:
        """One kernel and one bias for each filter, the same at all places."""
        if channels % self.groups:
            raise ValueError(
                f"{self.name}: the input has {channels} channels; their number must be a multiple of "
                f"groups={self.groups}"
            )
        self.add_kernel_and_bias((*self.kernel_size, channels // self.groups, self.filters), (self.filters,))

    def add_kernel_and_bias(self, kernel: Shape, bias: Shape, initializer: Any = None) -> None:
        """Make the weights in these shapes, the kernel by another initialiser than its own if one is given."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel,
            initializer=initializer or self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def convolve(self, x: Any) -> Any:
        """The sums of products; takes and gives channels last."""
        raise NotImplementedError

    def finish(self, y: Any) -> Any:
        """Bias and activation, channels last."""
        return self.activation(y if self.bias is None else y + self.bias)

    def compute(self, x: Any, training: bool = False) -> Any:
        return self.finish(self.convolve(x))

    def products(self, channels: int) -> int:
        return int(np.prod(self.kernel_size)) * (channels // self.groups)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


class RingLayer(WindowLayer):
    """Windows over a map with rings of one value around it: `padding` says how many on each axis."""

    def __init__(
        self,
        window: tuple[int, ...],
        strides: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        data_format: str | None = None,
        pad_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(window, strides, "valid", data_format=data_format, **kwargs)
        self.padding = tuple_of(padding, self.rank, "padding", least=0)
        self.pad_value = pad_value

    def output_space(self, space: Shape) -> Shape:
        if any(
            n is not None and n + 2 * p < k for n, p, k in zip(space, self.padding, self.window, strict=True)
        ):
            raise ValueError(
                f"{self.name}: a window of {self.window} does not fit into sides of {space} with a padding of "
                f"{self.padding}; use a smaller kernel_size, or more padding"
            )
        sides = zip(space, self.padding, strict=True)
        return super().output_space(tuple(None if n is None else n + 2 * p for n, p in sides))

    def padded(self, x: Any) -> Any:
        """The map with its rings, channels last."""
        if not any(self.padding):
            return x
        return ops.pad(x, ((0, 0), *((p, p) for p in self.padding), (0, 0)), constant_values=self.pad_value)

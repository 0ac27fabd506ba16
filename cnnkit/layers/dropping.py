"""What is left out by chance while a net learns: single weights (DropConnect), or whole branches (stochastic depth).

Both are inverted, as Keras's `Dropout` is: what is kept is divided by the chance of being kept, while training, so that
nothing has to be scaled afterwards. The papers scale at inference instead, with weights larger by that factor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cnnkit.layers._spatial import tuple_of
from cnnkit.layers._windows import pad_same
from cnnkit.layers.registry import register_layer

__all__ = ["DropConnect", "StochasticDepth", "linear_survival"]

_WRAPPED = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


@register_layer(
    chapter="training/regularization",
    paper="Wan et al., ICML 2013, https://proceedings.mlr.press/v28/wan13.html",
)
class DropConnect(keras.layers.Wrapper):
    """Dropout of weights: while training, each connection of the wrapped layer is cut with some probability.

    ::

        training:   y = f(((M W) x + m b) / (1 - rate)),  each entry of M and m is 0 with probability rate, else 1
        inference:  y = f(W x + b)

    As in the paper every example of the batch has a mask of its own, and biases are dropped too. That takes a copy
    of the weights for each example, 330 MB for 128 examples of a `Dense(800)` on 800 inputs, and a convolution is
    taken place by place of its kernel. `per="batch"` draws one mask for all, as fast as the layer itself; it
    regularises less.

    The expectation above goes through the activation, which is not the expectation of what comes out of it. With
    `samples` the inference is the paper's: sums of many dropped products are nearly normal, so their mean and
    variance are worked out, that many numbers are drawn for each unit, and the activation's values averaged. It
    then depends on chance, costs two forward passes, and holds `samples` times the output.

    Args:
        layer: `Dense`, `Conv1D`, `Conv2D` or `Conv3D`, or what `keras.saving.serialize_keras_object` makes of one.
        rate: the probability of being dropped, from 0 to below 1.
        per: `"example"`, or `"batch"`.
        samples: numbers drawn for each unit at inference; 0 for the expectation.
        seed: of the draws.

    Input shape:
        That of the wrapped layer.

    Output shape:
        That of the wrapped layer.

    Example:
        >>> layer = DropConnect(keras.layers.Dense(1, kernel_initializer="ones"), rate=0.5, seed=2)
        >>> x = np.ones((4, 3))
        >>> ops.convert_to_numpy(layer(x)).ravel().tolist()
        [3.0, 3.0, 3.0, 3.0]
        >>> bool(np.isin(ops.convert_to_numpy(layer(x, training=True)), [0.0, 2.0, 4.0, 6.0]).all())
        True
    """

    def __init__(
        self,
        layer: keras.Layer | dict[str, Any],
        rate: float = 0.5,
        per: str = "example",
        samples: int = 0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(layer, dict):
            layer = keras.saving.deserialize_keras_object(layer)
        if type(layer) not in _WRAPPED:
            raise ValueError(
                f"DropConnect takes the products of the layer itself, and knows Dense, Conv1D, Conv2D and Conv3D, not "
                f"{layer!r}; wrap one of these, or put keras.layers.Dropout before the layer"
            )
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = layer.dtype_policy
        super().__init__(layer, **kwargs)
        self.activity_regularizer = self.activity_regularizer or layer.activity_regularizer
        self.rate = _share(
            "rate", rate, "from 0 to below 1: the share of the weights that is dropped", top=False
        )
        self.per = _per(per)
        (self.samples,) = tuple_of(samples, 1, "samples", least=0)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = layer.input_spec

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        self.input_spec = self.layer.input_spec

    @property
    def data_format(self) -> str:
        """The layout of the wrapped layer."""
        return getattr(self.layer, "data_format", "channels_last")

    def draw(self, batch: Any) -> tuple[Any, Any]:
        """Kernels and biases with their dropped entries at 0 and the others divided by what is kept.

        Args:
            batch: how many examples are to get one each; with `per="batch"` there is one for all.

        Returns:
            The kernels `(batch, ...)` and the biases `(batch, filters)`, or None for a layer without.
        """
        kernel, bias = self._weights(self.compute_dtype)
        dropped = self._dropped(kernel, batch)
        return dropped, None if bias is None else self._dropped(bias, batch)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if getattr(self.layer, "quantization_mode", None):
            return self.layer(inputs)  # for inference only, its weights being whole numbers
        first = self.data_format == "channels_first"
        x = ops.moveaxis(inputs, 1, -1) if first else inputs
        y = self._trained(x) if training and self.rate else self._inferred(x)
        return ops.cast(ops.moveaxis(y, -1, 1) if first else y, self.compute_dtype)

    def _trained(self, x: Any) -> Any:
        kernels, biases = self.draw(ops.shape(x)[0])
        if self.per == "batch":
            y = self._sums(x, kernels[0], None if biases is None else biases[0])
        else:
            y = self._sums_of_each(x, kernels, biases)
        return self.layer.activation(y)

    def _inferred(self, x: Any) -> Any:
        if not self.samples or not self.rate:
            return self.layer.activation(self._sums(x, *self._weights(self.compute_dtype)))
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        x, (kernel, bias) = ops.cast(x, wide), self._weights(wide)
        mean = self._sums(x, kernel, bias)
        squares = self._sums(ops.square(x), ops.square(kernel), None if bias is None else ops.square(bias))
        spread = ops.sqrt(squares * (self.rate / (1 - self.rate)))
        noise = keras.random.normal((self.samples, *ops.shape(mean)), dtype=wide, seed=self.seed_generator)
        return ops.mean(self.layer.activation(mean + spread * noise), axis=0)

    def _weights(self, dtype: str) -> tuple[Any, Any]:
        bias = self.layer.bias if self.layer.use_bias else None
        kernel = ops.cast(ops.convert_to_tensor(self.layer.kernel), dtype)
        return kernel, None if bias is None else ops.cast(ops.convert_to_tensor(bias), dtype)

    def _dropped(self, weight: Any, batch: Any) -> Any:
        copies = ops.broadcast_to(weight[None], (batch if self.per == "example" else 1, *weight.shape))
        return keras.random.dropout(copies, self.rate, seed=self.seed_generator)

    # -- sums of products, channels last --------------------------------------------------------------------

    def _sums(self, x: Any, kernel: Any, bias: Any) -> Any:
        """With one kernel for all examples."""
        layer = self.layer
        if isinstance(layer, keras.layers.Dense):
            y = ops.matmul(x, kernel)
        else:
            y = ops.conv(
                self._padded(x),
                kernel,
                strides=list(layer.strides),
                padding="valid",
                data_format="channels_last",
                dilation_rate=layer.dilation_rate,
            )
        return y if bias is None else y + bias

    def _sums_of_each(self, x: Any, kernels: Any, biases: Any) -> Any:
        """With a kernel for each example: place by place of the kernel, each a product of matrices."""
        layer, sides = self.layer, tuple(kernels.shape[1:-2])
        strides, dilation = getattr(layer, "strides", ()), getattr(layer, "dilation_rate", ())
        groups = getattr(layer, "groups", 1)
        x, y = self._padded(x), 0.0
        for place in itertools.product(*map(range, sides)):
            window = [
                slice(i * d, (i - k + 1) * d or None, s)
                for i, k, s, d in zip(place, sides, strides, dilation, strict=True)
            ]
            kernel = kernels[(slice(None), *place)]
            y = y + _products(x[(slice(None), *window)], kernel, groups)
        if biases is None:
            return y
        return y + ops.reshape(biases, (-1, *(1,) * (len(y.shape) - 2), biases.shape[-1]))

    def _padded(self, x: Any) -> Any:
        """The input with the zeros that the wrapped layer lays around it."""
        layer = self.layer
        padding = getattr(layer, "padding", "valid")
        if padding == "valid":
            return x
        reach = [d * (k - 1) + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
        if padding == "causal":
            return ops.pad(x, [(0, 0), (reach[0] - 1, 0), (0, 0)])
        return pad_same(x, reach, layer.strides)

    # -- shapes, masks, cost --------------------------------------------------------------------------------

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(self.layer.compute_output_shape(input_shape))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if previous_mask is None or isinstance(self.layer, keras.layers.Dense):
            return previous_mask
        raise ValueError(
            f"{self.name} mixes masked places with others and cannot keep a mask. If the masked places may count, "
            "drop the mask: keras.ops.copy(x)"
        )

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        """Multiply-adds of one example at inference, for `cnnkit.insight`."""
        passes = 2 if self.samples and self.rate else 1
        each = math.prod(self.layer.kernel.shape[:-1])
        return passes * each * math.prod(self.compute_output_shape(input_shape)[1:])

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("rate", "per", "samples", "seed")}
        config = {**super().get_config(), **own}
        config["layer"].pop("build_config", None)  # the wrapper's own build makes the weights
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DropConnect:
        return super().from_config(
            dict(config), custom_objects
        )  # Keras takes the layer out of what it is given


@register_layer(chapter="training/regularization", paper="arXiv:1603.09382")
class StochasticDepth(keras.layers.Layer):
    """A residual branch that is left out by chance while training: the block is then its shortcut alone.

    ::

        training:   y = b x / survival,  b = 1 with probability survival, else 0, for each example
        inference:  y = x

    It stands at the end of the branch, before the addition: `x + StochasticDepth(0.8)(branch(x))`. The paper draws
    one b for the whole mini-batch (`per="batch"`), so that a dropped block need not be computed; here it is computed
    in any case. The chances of a net's blocks fall with depth: `linear_survival`.

    Args:
        survival: the probability of being kept, above 0 and at most 1.
        per: `"example"`, or `"batch"`.
        seed: of the draws.

    Input shape:
        `(batch, ...)`, with any number of axes: the branch alone.

    Output shape:
        The same.

    Example:
        >>> branch = np.ones((6, 2, 2, 1))
        >>> kept = StochasticDepth(0.5, seed=1)(branch, training=True)
        >>> bool(np.isin(ops.convert_to_numpy(kept), [0.0, 2.0]).all())
        True
        >>> float(StochasticDepth(0.5)(branch)[0, 0, 0, 0])
        1.0
    """

    def __init__(
        self, survival: float = 0.5, per: str = "example", seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.survival = _share(
            "survival", survival, "above 0 and at most 1: the probability of being kept", bottom=False
        )
        self.per = _per(per)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.compute_output_shape(input_shape)  # for its errors

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.survival == 1:
            return inputs
        batch = ops.shape(inputs)[0] if self.per == "example" else 1
        ones = ops.ones((batch, *(1,) * (len(inputs.shape) - 1)), inputs.dtype)
        return inputs * keras.random.dropout(ones, 1 - self.survival, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        if input_shape and isinstance(input_shape[0], list | tuple):
            raise ValueError(
                f"{self.name} takes the branch alone, and was given {len(input_shape)} inputs: add the shortcut "
                "afterwards, x + StochasticDepth(survival)(branch)"
            )
        return tuple(input_shape)

    def multiply_adds(self, input_shape: Sequence[int | None]) -> int:
        """Nothing is multiplied at inference; for `cnnkit.insight`."""
        return 0

    def receptive_field_window(self, input_shape: Sequence[int | None]) -> str:
        """What one place of the output sees, for `cnnkit.insight`."""
        return "elementwise"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "survival": self.survival, "per": self.per, "seed": self.seed}


def linear_survival(blocks: int, last: float = 0.5) -> list[float]:
    """The survival probability of each residual block, falling in a straight line towards that of the last one.

    ::

        p_l = 1 - l / L (1 - p_L),  l from 1 to L

    The input would be block 0, which always survives. Of L blocks L - (L + 1) (1 - p_L) / 2 are expected to stand.

    Args:
        blocks: their number, L.
        last: the probability of the last one, p_L, above 0 and at most 1.

    Example:
        >>> linear_survival(4)
        [0.875, 0.75, 0.625, 0.5]

    Chapter: training/regularization.
    Paper: arXiv:1603.09382.
    """
    (blocks,) = tuple_of(blocks, 1, "blocks")
    last = _share(
        "last", last, "above 0 and at most 1: the survival probability of the last block", bottom=False
    )
    return [1 - block / blocks * (1 - last) for block in range(1, blocks + 1)]


def _products(x: Any, kernels: Any, groups: int) -> Any:
    """`(batch, ..., channels)` times `(batch, channels / groups, filters)`, example by example and group by group."""
    if groups == 1:
        return ops.einsum("b...c,bcf->b...f", x, kernels)
    channels, filters = kernels.shape[1], kernels.shape[-1] // groups
    parts = [
        ops.einsum(
            "b...c,bcf->b...f",
            x[..., group * channels : (group + 1) * channels],
            kernels[..., group * filters : (group + 1) * filters],
        )
        for group in range(groups)
    ]
    return ops.concatenate(parts, axis=-1)


def _share(name: str, value: float, what: str, bottom: bool = True, top: bool = True) -> float:
    """A number between 0 and 1, with or without the ends, or an error that says what it is."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if not fits or (value == 0 and not bottom) or (value == 1 and not top):
        raise ValueError(f"{name} must be {what}, not {value!r}")
    return float(value)


def _per(value: str) -> str:
    if value not in ("example", "batch"):
        raise ValueError(
            f"per must be 'example' or 'batch', which each gets a draw of its own, not {value!r}"
        )
    return value

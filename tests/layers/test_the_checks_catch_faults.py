"""A guard that cannot fail is worse than none: each common check meets a layer with one fault."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from cnnkit.layers._spatial import tuple_of
from cnnkit.layers.registry import LAYERS
from tests.layers.checks import CHECKS
from tests.layers.common import Case, case_fault


@keras.saving.register_keras_serializable(package="cnnkit_tests")
class Sound(keras.Layer):
    """Scale each channel, squared: without fault.

    >>> tuple(Sound()(keras.ops.ones((1, 2, 2, 3))).shape)
    (1, 2, 2, 3)
    """

    def __init__(
        self,
        power: float = 2.0,
        pool_size: int = 1,
        data_format: str = "channels_last",
        scale_regularizer=None,
        scale_constraint=None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self._set_layout(data_format)
        self._set_size(pool_size)
        self.power = power
        self.scale_regularizer = keras.regularizers.get(scale_regularizer)
        self.scale_constraint = keras.constraints.get(scale_constraint)
        self.supports_masking = True

    def _set_size(self, pool_size: int) -> None:
        (self.pool_size,) = tuple_of(pool_size, 1, "pool_size")

    def _set_layout(self, data_format: str) -> None:
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(f"'channels_last' or 'channels_first', not {data_format!r}")
        self.data_format = data_format

    @property
    def axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape) -> None:
        channels = input_shape[self.axis]
        self.input_spec = keras.InputSpec(axes={self.axis: channels})
        self.scale = self.add_weight(
            name="scale",
            shape=(channels,),
            initializer="ones",
            regularizer=self.scale_regularizer,
            constraint=self.scale_constraint,
        )

    def call(self, inputs, training=False):
        scale = self.scale if self.axis == -1 else ops.reshape(self.scale, (1, -1, 1, 1))
        return inputs**self.power * scale

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def multiply_adds(self, input_shape):
        return 0

    def receptive_field_window(self, input_shape):
        return "elementwise"

    def get_config(self):
        return {
            **super().get_config(),
            "power": self.power,
            "pool_size": self.pool_size,
            "data_format": self.data_format,
            "scale_regularizer": keras.regularizers.serialize(self.scale_regularizer),
            "scale_constraint": keras.constraints.serialize(self.scale_constraint),
        }


def oracle(layer: Sound, x: np.ndarray) -> np.ndarray:
    return x**2 * layer.get_weights()[0]


CASE: Case = {"kwargs": {}, "input_shape": (4, 5, 3), "oracle": oracle}
serialisable = keras.saving.register_keras_serializable(package="cnnkit_tests")


@serialisable
class WrongValues(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs) * 1.001


@serialisable
class ForgetsAnArgument(Sound):
    def get_config(self):
        config = super().get_config()
        del config["power"]
        return config


class NotSerialisable(Sound):
    pass


@serialisable
class KeepsAStateOutsideItsWeights(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.hidden = float(np.random.default_rng().normal())

    def call(self, inputs, training=False):
        return super().call(inputs) + self.hidden


@serialisable
class WrongOutputShape(Sound):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


@serialisable
class WrongShapeForUnknownBatch(Sound):
    def compute_output_shape(self, input_shape):
        return (input_shape[0] or 1, *input_shape[1:])


@serialisable
class NeedsTheSize(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.middle = [int(n) // 2 for n in input_shape[1:3]]


@serialisable
class OneFloat32(Sound):
    def call(self, inputs, training=False):
        return ops.cast(super().call(inputs), "float32")


@serialisable
class HalfWeights(Sound):
    def build(self, input_shape) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", dtype="float16")


@serialisable
class OverflowsInHalf(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs * 1e4) * 1e-8


@serialisable
class IgnoresTheLayout(Sound):
    axis = -1

    def build(self, input_shape) -> None:
        self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")

    def call(self, inputs, training=False):
        return ops.flip(super().call(inputs), axis=2)


@serialisable
class TakesAnyLayout(Sound):
    def _set_layout(self, data_format: str) -> None:
        self.data_format = data_format


@serialisable
class WithoutLayout(Sound):
    def __init__(self, power: float = 2.0) -> None:
        super().__init__(power)


@serialisable
class CutsTheGradient(Sound):
    def call(self, inputs, training=False):
        return super().call(ops.stop_gradient(inputs))


@serialisable
class CutsHalfTheGradient(Sound):
    def call(self, inputs, training=False):
        return (inputs + ops.stop_gradient(inputs)) * inputs / 2 * self.scale


@serialisable
class HasADeadWeight(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.idle = self.add_weight(name="idle", shape=(2,), initializer="ones")

    def call(self, inputs, training=False):
        return super().call(inputs) + 0 * ops.sum(self.idle)


@serialisable
class MixesTheBatch(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs - ops.mean(inputs, axis=0, keepdims=True))


@serialisable
class SwallowsTheBatch(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs)[:1]


@serialisable
class TrainsByDefault(Sound):
    def call(self, inputs, training=True):
        return super().call(inputs) * (2.0 if training else 1.0)


@serialisable
class DiffersInTraining(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs) * (2.0 if training else 1.0)


@serialisable
class IgnoresItsSeed(Sound):
    def __init__(self, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(int(np.random.default_rng().integers(1 << 30)))

    def call(self, inputs, training=False):
        noise = keras.random.normal(ops.shape(inputs), seed=self.generator) if training else 0
        return super().call(inputs) + noise


@serialisable
class WithoutExample(Sound):
    """A layer without an example."""


@serialisable
class WrongExample(Sound):
    """A layer whose example lies.

    >>> tuple(WrongExample()(keras.ops.ones((1, 2, 2, 3))).shape)
    (1, 2, 2, 4)
    """


@serialisable
class ComputesInFloat32(Sound):
    def call(self, inputs, training=False):
        return ops.cast(super().call(ops.cast(ops.cast(inputs, "float32"), inputs.dtype)), self.compute_dtype)


@serialisable
class DeclaresTheFirstSize(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.first = tuple(input_shape[1:])

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.first)


@serialisable
class TakesAnyNumberOfChannels(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.input_spec = None


@serialisable
class HidesAnArgument(Sound):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)


@serialisable
class TakesAnySize(Sound):
    def _set_size(self, pool_size: int) -> None:
        self.pool_size = pool_size


@serialisable
class LeavesAWeightFree(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.free = self.add_weight(name="free", shape=(), initializer="ones")


@serialisable
class LosesTheMask(Sound):
    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.supports_masking = False


@serialisable
class SaysNothingOfAMask(Sound):
    def compute_mask(self, inputs, previous_mask=None):
        return None

    def call(self, inputs, training=False):
        return super().call(inputs) + ops.mean(inputs, axis=1, keepdims=True)


@serialisable
class MultipliesByAMatrix(Sound):
    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.matrix = self.add_weight(name="matrix", shape=(input_shape[-1],) * 2, initializer="ones")

    def call(self, inputs, training=False):
        return ops.matmul(super().call(inputs), self.matrix)


@serialisable
class SeesItsNeighbour(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs + ops.roll(inputs, 1, axis=1))


@serialisable
class SeesNothing(Sound):
    def call(self, inputs, training=False):
        return super().call(ops.stop_gradient(inputs))


@serialisable
class LeavesTheGraph(Sound):
    def call(self, inputs, training=False):
        return super().call(inputs) + float(ops.convert_to_numpy(ops.max(inputs))) * 0


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_layer_passes_every_check(check: str) -> None:
    CHECKS[check](Sound, CASE)


@pytest.mark.parametrize(
    ("check", "broken", "case", "message"),
    [
        ("values", WrongValues, {}, "NumPy oracle"),
        ("values", WrongValues, {"oracle": None, "pinned": (0.1, 0.2, 0.3)}, "pinned="),
        ("config", ForgetsAnArgument, {}, "leaves out"),
        ("save_and_load", KeepsAStateOutsideItsWeights, {}, "loaded model"),
        ("output_shape", WrongOutputShape, {}, "compute_output_shape tells"),
        ("output_shape", WrongShapeForUnknownBatch, {}, "compute_output_shape tells"),
        ("mixed_precision", OneFloat32, {}, "is float32"),
        ("mixed_precision", HalfWeights, {}, "is not float32"),
        ("mixed_precision", OverflowsInHalf, {}, "mixed precision"),
        ("channels_first", IgnoresTheLayout, {}, "channels_first"),
        ("channels_first", Sound, {"layout": False}, "drop layout=False"),
        ("channels_first", TakesAnyLayout, {}, "taken without a word"),
        ("gradients", CutsTheGradient, {}, "no gradient reaches input 0"),
        ("gradients", CutsHalfTheGradient, {}, "the output moves by"),
        ("gradients", HasADeadWeight, {}, "no gradient reaches idle"),
        ("batch_sizes", MixesTheBatch, {}, "among seven"),
        ("batch_sizes", SwallowsTheBatch, {}, "came out as"),
        ("training", TrainsByDefault, {}, "inference is the default"),
        ("training", DiffersInTraining, {}, "changes the output"),
        ("training", Sound, {"training": "differs"}, "does not change"),
        ("training", IgnoresItsSeed, {"training": "differs"}, "same seed"),
        ("example", WithoutExample, {}, "has no example"),
        ("example", WrongExample, {}, "(1, 2, 2, 4)"),
        ("float64", ComputesInFloat32, {}, "float64 against"),
        ("another_size", DeclaresTheFirstSize, {}, "compute_output_shape tells"),
        ("another_size", WrongValues, {}, "another shape"),
        ("another_number_of_channels", TakesAnyNumberOfChannels, {}, "without words"),
        ("signature", HidesAnArgument, {}, "does not show"),
        ("nonsense", TakesAnySize, {}, "pool_size=0 is taken without a word"),
        (
            "regularizers_and_constraints",
            LeavesAWeightFree,
            {},
            "no argument gives a regularizer to ['free']",
        ),
        ("mask", LosesTheMask, {"input_shape": (5, 3)}, "without words"),
        ("mask", SaysNothingOfAMask, {"input_shape": (5, 3)}, "a masked step against none"),
        ("cost_and_field", MultipliesByAMatrix, {}, "it has a matrix"),
        ("cost_and_field", Sound, {"multiply_adds": 60}, "counted are 60"),
        ("cost_and_field", SeesItsNeighbour, {}, "told are"),
        ("cost_and_field", SeesNothing, {}, "no place of the input moves"),
    ],
)
def test_each_check_catches_its_fault(
    check: str, broken: type[keras.Layer], case: Case, message: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        CHECKS[check](broken, {**CASE, **case})
    assert message in str(caught.value)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch.compile is PyTorch's")
def test_compiling_by_torch_catches_a_layer_that_leaves_the_graph() -> None:
    with pytest.raises(Exception, match="torch"):
        CHECKS["compiled_by_torch"](LeavesTheGraph, CASE)


def test_saving_catches_a_layer_that_is_not_serialisable() -> None:
    with pytest.raises(Exception, match="NotSerialisable"):
        CHECKS["save_and_load"](NotSerialisable, CASE)


def test_compiling_catches_a_layer_that_needs_the_size() -> None:
    with pytest.raises(Exception, match="NoneType"):
        CHECKS["compiled"](NeedsTheSize, CASE)


def test_a_layer_without_layout_must_say_so_in_its_case() -> None:
    with pytest.raises(TypeError, match="data_format"):
        CHECKS["channels_first"](WithoutLayout, CASE)


def test_a_layer_without_a_case_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYERS, "Sound", Sound)
    assert "has no case" in case_fault("Sound", {})
    assert "has no case" in case_fault("Sound", {"Sound": ("m", [])})
    assert "neither a NumPy oracle" in case_fault("Sound", {"Sound": ("m", [{"kwargs": {}}])})
    assert "unknown keys" in case_fault("Sound", {"Sound": ("m", [{**CASE, "orcale": oracle}])})
    assert case_fault("Sound", {"Sound": ("m", [CASE])}) is None


def test_a_case_without_a_layer_is_named() -> None:
    assert "no such layer" in case_fault("Gone", {"Gone": ("m", [CASE])})

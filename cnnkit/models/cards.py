"""What is known of a network, as data: its inputs, stages, preparation, weights and published figures."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnnkit._names import unknown
from cnnkit.models.preprocessing import Preprocessing, as_array

__all__ = ["KINDS", "Card", "Input", "Stage", "Weights"]

#: What a network is for.
KINDS = (
    "classifier",
    "detector",
    "segmenter",
    "sequence",
    "generator",
    "encoder",
    "regressor",
    "policy",
)

_AXES = {
    "tokens": ("length",),
    "vector": ("features",),
    "signal": ("length", "channels"),
    "image": ("height", "width", "channels"),
    "volume": ("depth", "height", "width", "channels"),
}
_BY_RANK = {1: "vector", 2: "signal", 3: "image", 4: "volume"}


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of a network, without the batch: its shape, what it is, and what it may be at least.

    `Input((224, 224, 3))` is an image, `Input((None,), dtype="int32")` tokens, `Input((16_000, 1))` a signal,
    `Input((28, 28, 28, 1))` a volume. Anything else names its axes: a graph's nodes are
    `Input((None, 16), what="nodes", axes=("node", "features"))`.

    Args:
        shape: the published shape; None where any size is right.
        what: `"image"`, `"signal"`, `"volume"`, `"tokens"`, `"vector"`, or a word of your own; by default from the rank.
        minimum: the smallest sizes along the axes before the channels that the network can be built for.
        channels: the numbers of channels that it can be built for; None for any.
        range: the lowest and highest number that it takes; for tokens the first one and the one after the last.
        dtype: `"float32"`, or `"int32"` for tokens.
        axes: the words for the axes in messages.

    Example:
        >>> Input((32, 32, 1)).what, Input((None,), dtype="int32").axes
        ('image', ('length',))
    """

    shape: tuple[int | None, ...]
    what: str | None = None
    minimum: tuple[int, ...] | None = None
    channels: tuple[int, ...] | None = None
    range: tuple[float, float] = (0.0, 1.0)
    dtype: str = "float32"
    axes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.shape)
        if not shape or any(size is not None and size < 1 for size in shape):
            raise ValueError(
                f"an input's shape is one size or more of at least 1 (None for any), not {self.shape!r}"
            )
        what = self.what or (
            "tokens" if len(shape) == 1 and "int" in self.dtype else _BY_RANK.get(len(shape))
        )
        axes = self.axes or _AXES.get(what)
        if axes is None or len(axes) != len(shape):
            raise ValueError(
                f"an input of shape {shape} that is {what or 'of its own kind'} needs axes= with {len(shape)} words"
            )
        sized = len(shape) - (axes[-1] in ("channels", "features"))
        if self.minimum is not None and len(self.minimum) != sized:
            raise ValueError(f"minimum={self.minimum} needs {sized} sizes ({', '.join(axes[:sized])})")
        for field, value in (("shape", shape), ("what", what), ("axes", tuple(axes))):
            object.__setattr__(self, field, value)

    @property
    def has_channels(self) -> bool:
        """Whether the last axis holds channels or features, and not a size."""
        return self.axes[-1] in ("channels", "features")

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The shape without its channels."""
        return self.shape[:-1] if self.has_channels else self.shape


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a network that works at one resolution: its last layer, and how many input pixels a step is.

    Args:
        layer: the name of the layer that gives the stage's maps.
        stride: input pixels from one of its units to the next.
    """

    layer: str
    stride: int


@dataclasses.dataclass(frozen=True)
class Weights:
    """A set of trained weights that a card offers.

    Args:
        file: the `.weights.h5` file, under the project's `data/` folder or by its absolute path.
        classes: the number of classes that they were trained for; None for a network without classes.
        input_shape: the input shape that they were trained for.
        licence: under which licence they may be used.
        origin: the command that made them, or the address that they come from.
        options: builder options that these weights presuppose; `create` uses them and refuses others.
        note: anything else.
    """

    file: str
    classes: int | None
    input_shape: tuple[int | None, ...] | Mapping[str, tuple[int | None, ...]]
    licence: str
    origin: str
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of a network: where it comes from, what it needs, what it achieved and how.

    Counts are exact and of the network as `create(name)` makes it; what a paper says stands beside them.

    Args:
        name: under which `create` makes it.
        title: the paper's, or what it is in a line.
        year: of the publication.
        inputs: each input by its name; a single one may be given without.
        family: the family that the network belongs to; its own name by default.
        kind: what it is for, one of `KINDS`.
        paper: `"doi:..."` or `"arXiv:..."`.
        chapter: the chapter of the book that tells of it.
        classes: the number of classes; None for a network that has none.
        outputs: the names of the outputs, in their order.
        parameters: how many numbers are trained.
        total_parameters: with those that are kept but not trained (moving averages); by default `parameters`.
        published_parameters: what the paper says of its size, in its own words.
        multiply_adds: at the input shape of the card.
        published_multiply_adds: the paper's number.
        receptive_field: of a unit of the last stage, or of the network where it has no stages.
        depth: the number of layers, counted as `depth_counts` says.
        error: in per cent, obtained as `error_protocol` says.
        preprocessing: how an image becomes an input; None where there is nothing to do.
        stages: the stages by their names; `create(name, features=...)` gives their maps.
        weights: the trained weights by their tags.
        twin: the same network in `keras.applications`.
        match: layer of ours -> layer of the twin, as a mapping or a function; see `transplant`.
        formerly: names that still work and point here, with a warning.
        licence: of the code.
        note: anything else.
    """

    name: str
    title: str
    year: int
    inputs: Mapping[str, Input]
    family: str = ""
    kind: str = "classifier"
    paper: str | None = None
    chapter: str | None = None
    classes: int | None = None
    outputs: tuple[str, ...] = ("scores",)
    parameters: int | None = None
    total_parameters: int | None = None
    published_parameters: str | None = None
    multiply_adds: int | None = None
    published_multiply_adds: float | None = None
    receptive_field: tuple[int, ...] | None = None
    depth: int | None = None
    depth_counts: str = "layers with convolution or dense weights"
    error: float | None = None
    error_protocol: str | None = None
    preprocessing: Preprocessing | None = None
    stages: Mapping[int | str, Stage] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, Weights] = dataclasses.field(default_factory=dict)
    twin: str | None = None
    match: Mapping[str, str] | Callable[[str], str] | None = None
    formerly: tuple[str, ...] = ()
    licence: str = "Apache-2.0 (code)"
    note: str = ""

    def __post_init__(self) -> None:
        inputs = {self.inputs.what: self.inputs} if isinstance(self.inputs, Input) else self.inputs
        named = isinstance(inputs, Mapping) and inputs
        if not named or not all(isinstance(entry, Input) for entry in inputs.values()):
            raise ValueError(
                f"{self.name} needs inputs=Input(shape, ...), or a mapping of names to such, not {self.inputs!r}"
            )
        fields = {"inputs": inputs, "family": self.family or self.name}
        if self.total_parameters is None:
            fields["total_parameters"] = self.parameters
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        self._check()

    def _check(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(unknown(f"kind of network (of {self.name})", self.kind, KINDS))
        if self.kind == "classifier" and self.classes is None:
            raise ValueError(
                f"{self.name} is a classifier, so its card needs classes=, how many it tells apart"
            )
        if self.paper is not None and not re.fullmatch(
            r"(doi:10\.\d{4,}/|arXiv:\d{4}\.\d{4,5})\S*", self.paper
        ):
            raise ValueError(f"{self.name} needs paper='doi:...' or 'arXiv:...', not {self.paper!r}")
        if (self.error is None) != (self.error_protocol is None):
            raise ValueError(
                f"{self.name}: an error goes with error_protocol, how it was obtained, and that with it"
            )
        counts = self.classes, self.parameters, self.total_parameters, self.multiply_adds, self.depth
        if any(count is not None and (not isinstance(count, int) or count < 0) for count in counts):
            raise ValueError(f"{self.name}: counts are whole numbers, but its card has {counts}")
        if self.parameters is not None and self.total_parameters < self.parameters:
            raise ValueError(
                f"{self.name}: of {self.total_parameters:,} parameters in total {self.parameters:,} cannot be trained"
            )
        for kind, values in ((Stage, self.stages), (Weights, self.weights)):
            if not all(isinstance(value, kind) for value in values.values()):
                raise ValueError(f"{self.name} needs {kind.__name__}(...) for each name in {dict(values)!r}")

    @property
    def input_shape(self) -> tuple[int | None, ...] | dict[str, tuple[int | None, ...]]:
        """The published input shape; one for each name where there are several inputs."""
        shapes = {name: entry.shape for name, entry in self.inputs.items()}
        return shapes if len(shapes) > 1 else next(iter(shapes.values()))

    @property
    def input_range(self) -> tuple[float, float]:
        """The lowest and the highest number that the first input takes, after preparation."""
        return self.preprocessing.bounds if self.preprocessing else next(iter(self.inputs.values())).range

    def prepare(
        self,
        images: Any,
        *,
        size: tuple[int, int] | None = None,
        polarity: str | None = None,
    ) -> np.ndarray:
        """What a user has, as this network wants it: its own size, range, channels and polarity.

        Args:
            images: one image or many: arrays of 8-bit pixels or of floats in [0, 1], grey or colour, any size;
                where Pillow is installed also its images, and paths of image files.
            size: another height and width than the card's, for a net that was made for them.
            polarity: `"light on dark"` or `"dark on light"`, what the images are; found by default.

        Returns:
            A float32 batch `(images, height, width, channels)`. A network without preprocessing gets its numbers
            unchanged, after a look at their shape.
        """
        if self.preprocessing is not None:
            return self.preprocessing.prepare(images, size=size, polarity=polarity, who=self.name)
        if len(self.inputs) > 1:
            raise ValueError(
                f"{self.name} has {len(self.inputs)} inputs and no preprocessing: give it {', '.join(self.inputs)}"
            )
        (entry,) = self.inputs.values()
        array = as_array(images)
        if array.ndim != len(entry.shape) + 1:
            raise ValueError(
                f"{self.name} has no preprocessing and needs a batch of shape (batch, {', '.join(entry.axes)}), "
                f"but was given shape {array.shape}"
            )
        return array.astype(entry.dtype)

    def as_dict(self) -> dict[str, object]:
        """The card as plain values, ready for JSON."""
        shallow = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain = {key: _plain(value) for key, value in shallow.items() if key != "match"}
        return {**plain, "input_shape": _plain(self.input_shape)}

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.year}): {self.title}"]
        told = {**self.as_dict(), **self._in_words()}
        for key, value in told.items():
            if key not in ("name", "year", "title", "inputs") and value not in (None, "", {}, []):
                lines.append(f"  {key.replace('_', ' '):<23} {value}")
        return "\n".join(lines)

    def _in_words(self) -> dict[str, object]:
        """What `as_dict` nests, each in one line."""
        same = self.total_parameters == self.parameters
        return {
            "parameters": None if self.parameters is None else f"{self.parameters:,}",
            "total_parameters": None if same else f"{self.total_parameters:,}",
            "multiply_adds": None if self.multiply_adds is None else f"{self.multiply_adds:,}",
            "input_shape": ", ".join(f"{name} {entry.shape}" for name, entry in self.inputs.items()),
            "receptive_field": "x".join(map(str, self.receptive_field or ())),
            "outputs": ", ".join(self.outputs) if self.outputs != ("scores",) else "",
            "preprocessing": str(self.preprocessing or ""),
            "stages": ", ".join(f"{name}: {s.layer} (stride {s.stride})" for name, s in self.stages.items()),
            "weights": "; ".join(f"{tag} ({w.licence})" for tag, w in self.weights.items()),
            "formerly": ", ".join(self.formerly),
        }


def _plain(value: Any) -> Any:
    """Dataclasses and mappings as dicts, tuples as lists, the rest as it is."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value

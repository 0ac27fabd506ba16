"""How an image becomes the input of a network, as data: one description for arrays and for a layer in the model.

Every step is linear but the look at the polarity: two sampling matrices, rows and columns, place the image in the
frame, whatever its size, and one line changes the range. NumPy and `keras.ops` run the same code.
"""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np

from cnnkit._names import unknown

__all__ = ["Preparation", "Preprocessing", "as_array"]

_FITS = ("stretch", "crop", "pad")
_POLARITIES = ("light on dark", "dark on light")
_KERNELS = ("nearest", "bilinear", "bicubic")
_GREY = np.array([0.299, 0.587, 0.114], dtype="float32")  # Rec. 601, as Pillow weighs them
_AT_ONCE = 1024


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """What a network wants done to an image; each step may be left away.

    The image is taken in [0, 1], made grey or colour, placed in a frame of `size`, brought to `range`, and then
    centred and scaled by `mean` and `deviation`, channel by channel.

    Args:
        size: height and width of the frame.
        fit: `"stretch"` to the frame; `"crop"`: the middle of the image in the frame's proportions; or `"pad"`: the
            image in the middle of the frame with ground around it.
        crop: for `"crop"`, the share of the largest such middle that is taken: 0.875 for 224 of 256 pixels.
        content: for `"pad"`, the side to which smaller images are enlarged, and that to which such as do not fit
            into the frame are shrunk; by default small ones stay as they are and large ones fill the frame.
        interpolation: `"nearest"`, `"bilinear"` or `"bicubic"`.
        antialias: whether shrinking averages over all pixels, as Pillow does.
        channels: 1 for grey, 3 for colour.
        order: `"RGB"`, or `"BGR"` for weights from Caffe.
        range: what black (0) and white (1) become.
        mean: taken away then, a number for each channel.
        deviation: divided by then, a number for each channel.
        polarity: `"light on dark"` or `"dark on light"` where the network knows one of them only.

    Example:
        >>> half = Preprocessing((2, 2), antialias=False, channels=1, range=(-1, 1))
        >>> half.prepare(np.array([[0, 0, 255, 255]] * 4, dtype="uint8"))[0, :, :, 0]
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """

    size: tuple[int, int]
    fit: str = "stretch"
    crop: float = 1.0
    content: tuple[int, int] | None = None
    interpolation: str = "bilinear"
    antialias: bool = True
    channels: int = 3
    order: str = "RGB"
    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    polarity: str | None = None

    def __post_init__(self) -> None:
        for field, known in (("fit", _FITS), ("interpolation", _KERNELS), ("order", ("RGB", "BGR"))):
            if getattr(self, field) not in known:
                raise ValueError(unknown(f"{field} of a preprocessing", getattr(self, field), known))
        if self.polarity is not None:
            _known_polarity(self.polarity)
        for field in ("size", "content", "range", "mean", "deviation"):
            value = getattr(self, field)
            if value is not None:  # lists, as JSON gives them, are tuples here
                object.__setattr__(self, field, tuple(value))
        if len(self.size) != 2 or min(self.size) < 1:
            raise ValueError(f"a preprocessing needs size=(height, width), not {self.size}")
        if self.channels not in (1, 3):
            raise ValueError(f"a preprocessing makes 1 channel (grey) or 3 (colour), not {self.channels}")
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop is a share between 0 and 1, not {self.crop}")

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number that can come out."""
        mean, deviation = np.asarray(self.mean or 0.0), np.asarray(self.deviation or 1.0)
        ends = [(end - mean) / deviation for end in self.range]
        return float(np.min(ends)), float(np.max(ends))

    def prepare(
        self,
        images: Any,
        *,
        size: tuple[int, int] | None = None,
        polarity: str | None = None,
        who: str = "the network",
    ) -> np.ndarray:
        """What a user has, as a float32 batch that the network takes.

        Args:
            images: one image or many, of one size or of several: arrays (8-bit pixels, or floats in [0, 1]; grey or
                colour), or, where Pillow is installed, its images and the paths of image files.
            size: another frame.
            polarity: what the images are. By default it is found where the network knows one polarity only: pictures
                (files, Pillow's images, 8-bit pixels) whose border is light where it should be dark are inverted,
                with a warning; floats are taken as they are, with a warning.
            who: the network's name, for messages.

        Returns:
            An array `(images, height, width, channels)`.
        """
        if polarity is not None:
            _known_polarity(polarity)
        here = self if size is None else dataclasses.replace(self, size=size)
        groups = []
        for group, picture in _read(images, who):
            group = _with_channels(group, self.channels)
            groups.append(self._polarised(group, picture, polarity, who))
        if len({group.shape for group in groups}) == 1 and len(groups) > 1:
            groups = [np.concatenate(groups)]
        parts = [
            here.apply(np, group[start : start + _AT_ONCE])
            for group in groups
            for start in range(0, len(group), _AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, *here.size, self.channels), "float32")

    def apply(self, xp: ModuleType, images: Any) -> Any:
        """The steps on a batch in [0, 1] with the right channels: `xp` is `numpy` or `keras.ops`."""
        height, width = xp.shape(images)[1:3]
        rows, row_ground = _sampling(xp, self, (height, width), axis=0)
        columns, column_ground = _sampling(xp, self, (height, width), axis=1)
        x = _sampled(xp, _sampled(xp, images, rows, 1), columns, 2)
        if self.fit == "pad" and self.polarity == "dark on light":
            covered = row_ground[:, None] * column_ground[None, :]
            x = x + (1 - covered)[None, :, :, None]
        if xp is np:
            x = x.astype("float32")
        if self.order == "BGR":
            x = xp.flip(x, axis=-1)
        low, high = self.range
        if (low, high) != (0.0, 1.0):
            x = (high - low) * x + low
        if self.mean is not None:
            x = x - xp.reshape(xp.array(self.mean, dtype="float32"), (1, 1, 1, -1))
        if self.deviation is not None:
            x = x / xp.reshape(xp.array(self.deviation, dtype="float32"), (1, 1, 1, -1))
        return x

    def _polarised(self, images: np.ndarray, picture: bool, told: str | None, who: str) -> np.ndarray:
        if self.polarity is None:
            return images
        if told is not None:
            return images if told == self.polarity else 1 - images
        other = next(word for word in _POLARITIES if word != self.polarity)
        wrong = _dark_on_light(images if other == "dark on light" else 1 - images)
        if not wrong.any():
            return images
        what = f"{who} reads {self.polarity}, and {wrong.sum()} of {len(images)} looks {other}"
        if picture:
            warnings.warn(f"{what}: inverted; say polarity=... if that is wrong", UserWarning, stacklevel=4)
            return np.where(wrong[:, None, None, None], 1 - images, images)
        warnings.warn(
            f"{what}: taken as they are; say polarity={other!r} to have them inverted", stacklevel=4
        )
        return images

    def __str__(self) -> str:
        frame = "x".join(map(str, self.size))
        words = [f"{self.fit} to {frame}"]
        if self.fit == "crop" and self.crop != 1:
            words.append(f"of the middle {self.crop:.4g}")
        if self.content:
            words.append(
                "small images enlarged to {} and large ones shrunk to {} first".format(*self.content)
            )
        words.append(self.interpolation + (", antialiased" if self.antialias else ""))
        words.append("grey" if self.channels == 1 else self.order)
        words.append("black {:g}, white {:g}".format(*self.range))
        if self.mean is not None:
            words.append(f"mean {self.mean} taken away")
        if self.deviation is not None:
            words.append(f"divided by {self.deviation}")
        return "; ".join([*words, *filter(None, [self.polarity])])


@keras.saving.register_keras_serializable(package="cnnkit")
class Preparation(keras.Layer):
    """A network's preprocessing as a layer: pixels of 0 to 255 of any size go in, what the network takes comes out.

    `create(name, preprocess=True)` puts it first, so that a saved model remembers how it wants its images. It
    computes in float32 whatever the policy, and looks at neither channels nor polarity: those are the network's.

    Args:
        preprocessing: a `Preprocessing`, or its fields as a dict.
        kwargs: `name` and the like, as for any layer.

    Input shape:
        `(batch, height, width, channels)`

    Output shape:
        `(batch, *size, channels)`

    Example:
        >>> Preparation(Preprocessing((8, 8)))(np.zeros((1, 20, 30, 3))).shape == (1, 8, 8, 3)
        True
    """

    def __init__(self, preprocessing: Preprocessing | dict[str, object], **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if not isinstance(preprocessing, Preprocessing):
            preprocessing = Preprocessing(**preprocessing)
        self.preprocessing = preprocessing

    def call(self, inputs: Any) -> Any:
        return self.preprocessing.apply(keras.ops, keras.ops.cast(inputs, self.compute_dtype) / 255.0)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.preprocessing.size, input_shape[-1])

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "preprocessing": dataclasses.asdict(self.preprocessing)}


def as_array(images: Any) -> np.ndarray:
    """A NumPy array of what may be a tensor."""
    return keras.ops.convert_to_numpy(images) if keras.ops.is_tensor(images) else np.asarray(images)


def _sampling(xp: ModuleType, how: Preprocessing, sizes: tuple[Any, Any], axis: int) -> tuple[Any, Any]:
    """How much of each pixel goes into each place of the frame, `(frame, image)`, and which places it covers."""
    number = "float64" if xp is np else "float32"
    new, other = how.size[axis], how.size[1 - axis]
    length, across = (xp.array(sizes[a], dtype=number) for a in (axis, 1 - axis))
    start, offset, placed = 0.0, 0.0, float(new)
    if how.fit == "crop":
        taken = xp.round(how.crop * xp.minimum(length, across * new / other))
        start, length = xp.floor((length - taken) / 2), taken
    elif how.fit == "pad":
        placed = xp.round(length * _enlargement(xp, how, length, across, axis))
        offset = xp.floor((new - placed) / 2)
    place = xp.arange(new, dtype=number)[:, None]
    pixel = xp.arange(sizes[axis], dtype=number)[None, :]
    step = length / placed
    centre = start + (place - offset + 0.5) * step
    if how.interpolation == "nearest":
        weight = xp.where(xp.floor(centre) == pixel, 1.0, 0.0)
    else:
        blur = xp.maximum(step, 1.0) if how.antialias else 1.0
        weight = _kernel(xp, how.interpolation, xp.abs(pixel + 0.5 - centre) / blur)
        weight = xp.where((pixel >= start) & (pixel < start + length), weight, 0.0)
    covered = xp.where((place >= offset) & (place < offset + placed), 1.0, 0.0)
    total = xp.sum(weight, axis=1, keepdims=True)
    return covered * weight / xp.where(total == 0, 1.0, total), covered[:, 0]


def _sampled(xp: ModuleType, images: Any, matrix: Any, axis: int) -> Any:
    """The images with one axis taken through a sampling matrix."""
    if xp is np and np.isin(matrix, (0, 1)).all():  # each place is one pixel or none: no arithmetic
        taken = np.take(images, matrix.argmax(axis=1), axis=axis)
        return np.where(np.expand_dims(matrix.any(axis=1), [a for a in range(4) if a != axis]), taken, 0)
    return xp.moveaxis(xp.tensordot(images, matrix, axes=(axis, 1)), -1, axis)


def _enlargement(xp: ModuleType, how: Preprocessing, length: Any, across: Any, axis: int) -> Any:
    """By how much an image grows or shrinks on its way into a padded frame, the same along both sides."""
    fits = xp.minimum(how.size[axis] / length, how.size[1 - axis] / across)
    if how.content is None:
        return xp.minimum(fits, 1.0)
    least, most = how.content
    longest, shortest = xp.maximum(length, across), xp.minimum(length, across)
    grown = xp.maximum(xp.minimum(least / shortest, most / longest), 1.0)
    return xp.where(fits < 1.0, most / longest, grown)


def _kernel(xp: ModuleType, name: str, distance: Any) -> Any:
    if name == "bilinear":
        return xp.maximum(1.0 - distance, 0.0)
    near = (1.5 * distance - 2.5) * distance * distance + 1.0  # Keys's cubic, a = -1/2
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return xp.where(distance < 1, near, xp.where(distance < 2, far, 0.0))


def _read(images: Any, who: str) -> list[tuple[np.ndarray, bool]]:
    """Batches `(images, height, width, channels)` in [0, 1], each with whether it is a picture or bare floats."""
    if isinstance(images, (str, os.PathLike)) or _is_pillow(images):
        return [_one_picture(images, who)]
    if isinstance(images, (list, tuple)) and not images:
        return []
    if isinstance(images, (list, tuple)) and any(
        isinstance(item, (str, os.PathLike, np.ndarray)) or _is_pillow(item) or keras.ops.is_tensor(item)
        for item in images
    ):
        return [part for item in images for part in _read(item, who)]
    array = as_array(images)
    given = array.shape
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3, 4)):
        array = array[None]
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{who} prepares images (height, width), (height, width, channels) or a batch of them, with 1 or 3 "
            f"channels (or 4, the last one for transparency), not an array of shape {given}"
        )
    if 0 in array.shape[1:]:
        raise ValueError(f"{who} was given images without pixels, of shape {array.shape}")
    return [(_unit(array, who), array.dtype.kind in "iu")]


def _one_picture(image: Any, who: str) -> tuple[np.ndarray, bool]:
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise ImportError("image files are read with Pillow: pip install pillow") from None
    if not _is_pillow(image):
        if not Path(image).is_file():
            raise FileNotFoundError(f"there is no image file '{image}'")
        try:
            image = Image.open(image)
            image.load()
        except OSError as error:
            raise ValueError(f"'{image}' cannot be read as an image: {error}") from None
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return _unit(np.asarray(image).astype("uint16")[None, :, :, None], who), True
    see_through = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    image = image.convert("RGBA" if see_through else "L" if image.mode in ("1", "L", "F") else "RGB")
    array = np.asarray(image)
    return _unit((array[..., None] if array.ndim == 2 else array)[None], who), True


def _is_pillow(image: Any) -> bool:
    return hasattr(image, "getbands") and hasattr(image, "convert")


def _unit(array: np.ndarray, who: str) -> np.ndarray:
    """Pixels as floats in [0, 1], or an error that says what they are instead."""
    if array.dtype == bool:
        return array.astype("float32")
    if array.dtype in ("uint8", "uint16"):
        return array.astype("float32") / np.iinfo(array.dtype).max
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{who} prepares numbers, not an array of {array.dtype}")
    if not array.size:
        return array.astype("float32")
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "iu":
        if not (low >= 0 and 1 < high <= 255):
            raise ValueError(
                f"{who} takes whole numbers as pixels of 0 to 255, and these lie between {low:g} and {high:g}; "
                "make them uint8, or floats in [0, 1]"
            )
        return array.astype("float32") / 255
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # true of nan as well
        remedy = "divide by 255, or give uint8" if 1 < high <= 255 and low >= 0 else "bring them there first"
        raise ValueError(
            f"{who} takes floats in [0, 1], and these lie between {low:g} and {high:g}; {remedy}"
        )
    return array.astype("float32")


def _with_channels(images: np.ndarray, wanted: int) -> np.ndarray:
    if images.shape[-1] == 4:  # what is transparent is paper
        alpha = images[..., 3:]
        images = images[..., :3] * alpha + (1 - alpha)
    if images.shape[-1] == wanted:
        return images
    return np.repeat(images, 3, axis=-1) if wanted == 3 else (images @ _GREY)[..., None]


def _dark_on_light(images: np.ndarray) -> np.ndarray:
    """For each image whether three quarters of its border are light, and anything in it is dark."""
    edges = images[:, [0, -1]], images[:, :, [0, -1]]
    border = np.concatenate([edge.reshape(len(images), np.prod(edge.shape[1:])) for edge in edges], axis=1)
    return (np.mean(border > 0.5, axis=1) > 0.75) & (np.min(images, axis=(1, 2, 3)) < 0.5)


def _known_polarity(polarity: str) -> None:
    if polarity not in _POLARITIES:
        raise ValueError(unknown("polarity", polarity, _POLARITIES))

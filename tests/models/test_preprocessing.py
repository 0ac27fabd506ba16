"""Preparation of images: the published numbers, whatever a user has, and the same inside a model."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from cnnkit import models
from cnnkit.models import Preparation, Preprocessing

RNG = np.random.default_rng(0)
GREY = RNG.uniform(0, 0.6, (2, 28, 28, 1)).astype("float32")
COLOUR = RNG.integers(0, 256, (2, 21, 30, 3)).astype("uint8")
HOWS = {
    "stretched": Preprocessing((12, 16)),
    "not antialiased": Preprocessing((12, 16), antialias=False),
    "nearest": Preprocessing((12, 16), interpolation="nearest"),
    "bicubic": Preprocessing((12, 16), interpolation="bicubic"),
    "larger": Preprocessing((40, 35), interpolation="bicubic"),
    "cropped": Preprocessing((16, 16), fit="crop", crop=0.875),
    "padded": Preprocessing((48, 40), fit="pad"),
    "shrunk and padded": Preprocessing((16, 16), fit="pad", content=(8, 14)),
    "enlarged and padded": Preprocessing((64, 64), fit="pad", content=(40, 60), polarity="dark on light"),
    "as for ImageNet": Preprocessing((12, 12), mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225)),
    "as from Caffe": Preprocessing((12, 12), order="BGR", range=(0, 255), mean=(103.9, 116.8, 123.7)),
}


def test_caffes_order_turns_the_colours_and_leaves_the_places() -> None:
    picture = np.array([[[255, 0, 51], [0, 102, 0]]], dtype="uint8")
    found = Preprocessing((1, 2), order="BGR").prepare(picture)
    np.testing.assert_allclose(found, [[[[0.2, 0, 1], [0, 0.4, 0]]]], atol=1e-6)


# The preparation of LeNet before it was data, word for word.
def resize(images: np.ndarray, size: int) -> np.ndarray:
    for axis in (1, 2):
        old = images.shape[axis]
        centres = (np.arange(size) + 0.5) * old / size - 0.5
        weights = np.stack([np.interp(centres, np.arange(old), row) for row in np.eye(old)], axis=1)
        images = np.moveaxis(np.tensordot(images, weights, axes=(axis, 1)), -1, axis)
    return images.astype("float32")


def pad_to_32(images: np.ndarray) -> np.ndarray:
    if min(images.shape[1:3]) < 20:
        images = resize(images, 20)
    sides = [(0, 0)] + [(max(0, 32 - s) // 2, max(0, 33 - s) // 2) for s in images.shape[1:3]] + [(0, 0)]
    return np.pad(images, sides)


@pytest.mark.parametrize("side", [8, 11, 20, 27, 28, 31, 32])
def test_lenet_gets_the_numbers_that_it_always_got(side: int) -> None:
    x = RNG.uniform(0, 0.6, (3, side, side, 1)).astype("float32")
    pairs = {
        "lenet-1989": 2.0 * resize(x, 16) - 1.0,
        "lenet5": 1.275 * pad_to_32(x) - 0.1,
        "lenet5-modern": pad_to_32(x),
    }
    for name, want in pairs.items():
        np.testing.assert_allclose(models.card(name).prepare(x), want, atol=2e-7, err_msg=name)


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
def test_a_layer_does_what_prepare_does(how: Preprocessing) -> None:
    layer = Preparation(how)
    got = keras.ops.convert_to_numpy(layer(COLOUR))
    want = how.prepare(COLOUR, polarity=how.polarity)
    assert got.shape == want.shape == (2, *how.size, 3) == layer.compute_output_shape(COLOUR.shape)
    scale = max(1.0, np.abs(want).max())
    np.testing.assert_allclose(got / scale, want / scale, atol=2e-5)


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
def test_numbers_stay_within_the_bounds(how: Preprocessing) -> None:
    low, high = how.bounds
    over = 0.2 * (high - low) if how.interpolation == "bicubic" else 1e-5 * (high - low)  # a cubic overshoots
    prepared = how.prepare(COLOUR, polarity=how.polarity)
    assert low - over <= prepared.min() and prepared.max() <= high + over


@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(7, 11), (12, 16), (50, 41)])
def test_resampling_is_pillows(name: str, size: tuple[int, int]) -> None:
    grey = COLOUR[0, ..., 0]
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    image = Image.fromarray(grey.astype("float32") / 255, mode=None)
    want = np.asarray(image.resize(size[::-1], filters[name]))
    got = Preprocessing(size, interpolation=name, channels=1).prepare(grey)[0, ..., 0]
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_a_crop_is_the_middle_in_the_proportions_of_the_frame() -> None:
    wide = np.zeros((20, 40), "uint8")
    wide[:, 10:30] = 255
    assert Preprocessing((8, 8), fit="crop", channels=1).prepare(wide).min() == 1.0
    assert Preprocessing((8, 16), fit="crop", channels=1).prepare(wide).min() == 0.0
    half = np.zeros((20, 20), "uint8")
    half[5:15, 5:15] = 255
    assert Preprocessing((8, 8), fit="crop", crop=0.5, channels=1).prepare(half).min() == 1.0


def test_a_padded_image_keeps_its_proportions_in_the_middle() -> None:
    how = Preprocessing((32, 32), fit="pad", content=(20, 28), channels=1)
    for shape, box in (
        ((28, 14), (28, 14)),
        ((10, 10), (20, 20)),
        ((100, 50), (28, 14)),
        ((30, 12), (30, 12)),
    ):
        lit = how.prepare(np.ones(shape))[0, ..., 0] > 0.5
        rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
        assert (len(rows), len(columns)) == box, shape
        assert rows[0] == (32 - box[0]) // 2 and columns[0] == (32 - box[1]) // 2


def test_ground_around_a_padded_page_is_paper() -> None:
    how = Preprocessing((8, 8), fit="pad", channels=1, polarity="dark on light")
    assert how.prepare(np.zeros((4, 4)), polarity="dark on light")[0, 0, 0, 0] == 1.0


# ---------------------------------------------------------------------------------------------- whatever a user has


def one_and_all() -> dict[str, object]:
    """One picture in every form in which somebody may have it."""
    pixels = COLOUR[0]
    return {
        "pixels": pixels,
        "floats": pixels / 255,
        "a batch": pixels[None],
        "a list": [pixels],
        "integers": pixels.astype("int64"),
        "16 bits": pixels.astype("uint16") * 257,
        "a tensor": keras.ops.convert_to_tensor(pixels.astype("float32") / 255),
        "Pillow's": Image.fromarray(pixels),
        "a palette": Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE).convert("RGB"),
        "with transparency": Image.fromarray(pixels).convert("RGBA"),
    }


@pytest.mark.parametrize("form", one_and_all())
def test_one_picture_is_the_same_in_whatever_form_it_comes(form: str) -> None:
    how = HOWS["as for ImageNet"]
    tolerance = 0.6 if form == "a palette" else 1e-5
    np.testing.assert_allclose(how.prepare(one_and_all()[form]), how.prepare(COLOUR[:1]), atol=tolerance)


def test_files_and_their_orientation_are_read(tmp_path: Path) -> None:
    turned = Image.fromarray(np.rot90(COLOUR[0]))
    exif = turned.getexif()
    exif[0x0112] = 6  # turn by a quarter, clockwise, to see it
    turned.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(COLOUR[1]).save(tmp_path / "plain.png")
    got = HOWS["stretched"].prepare([str(tmp_path / "turned.png"), tmp_path / "plain.png"])
    np.testing.assert_allclose(got, HOWS["stretched"].prepare(COLOUR), atol=1e-5)


def test_images_of_several_sizes_make_one_batch_in_their_order() -> None:
    several = [COLOUR[0], COLOUR[1, :9, :9], GREY[0, ..., 0]]
    got = HOWS["stretched"].prepare(several)
    assert got.shape == (3, 12, 16, 3)
    np.testing.assert_allclose(got[1:2], HOWS["stretched"].prepare(several[1]), atol=1e-6)


def test_grey_becomes_colour_and_colour_grey() -> None:
    colour = HOWS["stretched"].prepare(GREY[0])
    assert (colour == colour[..., :1]).all()
    green = np.zeros((4, 4, 3))
    green[..., 1] = 1
    assert Preprocessing((4, 4), channels=1).prepare(green).mean() == pytest.approx(0.587)


def test_a_batch_of_grey_images_needs_no_axis_of_channels() -> None:
    how = Preprocessing((28, 28), channels=1)
    np.testing.assert_allclose(how.prepare(GREY[..., 0]), GREY, atol=1e-6)
    assert how.prepare(GREY[:0]).shape == (0, 28, 28, 1) and how.prepare([]).shape == (0, 28, 28, 1)


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32"])
def test_no_image_at_all_is_a_batch_of_none(kind: str) -> None:
    assert Preprocessing((12, 16)).prepare(np.zeros((0, 21, 30, 3), kind)).shape == (0, 12, 16, 3)


def test_what_is_transparent_is_paper() -> None:
    drawn = np.zeros((6, 6, 4), "uint8")
    drawn[2:4, 2:4, 3] = 255  # a black square on nothing
    grey = Preprocessing((6, 6), channels=1).prepare(drawn)[0, ..., 0]
    assert grey[0, 0] == 1.0 and grey[2, 2] == 0.0


# -------------------------------------------------------------------------------------------------------- polarity


def page() -> np.ndarray:
    """Dark ink on white paper."""
    paper = np.full((28, 28), 250, "uint8")
    paper[8:20, 13:15] = 10
    return paper


def test_a_picture_of_paper_is_inverted_where_the_net_reads_light_ink_and_that_is_said(
    tmp_path: Path,
) -> None:
    Image.fromarray(page()).save(tmp_path / "page.png")
    want = models.card("lenet5").prepare(255 - page())
    for given in (page(), Image.fromarray(page()), tmp_path / "page.png"):
        with pytest.warns(
            UserWarning, match="lenet5 reads light on dark, and 1 of 1 looks dark on light: inverted"
        ):
            np.testing.assert_allclose(models.card("lenet5").prepare(given), want, atol=1e-5)


def test_only_the_images_that_are_the_other_way_round_are_inverted() -> None:
    both = np.stack([page(), 255 - page()])
    with pytest.warns(UserWarning, match="1 of 2 looks dark on light"):
        got = models.card("lenet5").prepare(both)
    np.testing.assert_allclose(got[0], got[1], atol=1e-5)


def test_floats_are_taken_as_they_are_with_a_word() -> None:
    with pytest.warns(
        UserWarning, match="taken as they are; say polarity='dark on light' to have them inverted"
    ):
        got = models.card("lenet5").prepare(page() / 255)
    assert got[0, 4, 4, 0] > 1.1


def test_a_polarity_that_is_told_is_not_sought() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = models.card("lenet5").prepare(page(), polarity="dark on light")
        left = models.card("lenet5").prepare(page(), polarity="light on dark")
    assert told[0, 4, 4, 0] < 0 < left[0, 4, 4, 0]


def test_a_page_without_ink_and_a_dark_picture_are_left_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models.card("lenet5").prepare(np.full((28, 28), 255, "uint8"))
        models.card("lenet5").prepare(GREY)


# -------------------------------------------------------------------------------------------- what it can not mean


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((1, 2, 2, 2, 2)), r"lenet5 prepares images .*not an array of shape \(1, 2, 2, 2, 2\)"),
        (np.zeros(28), r"not an array of shape \(28,\)"),
        (np.zeros((4, 28, 28, 2)), r"1 or 3 channels .*not an array of shape \(4, 28, 28, 2\)"),
        (np.zeros((28, 0)), "images without pixels"),
        (np.full((28, 28), 255.0), r"floats in \[0, 1\], and these lie between 255 and 255; divide by 255"),
        (np.full((28, 28), 256.0), "between 256 and 256; bring them there first"),
        (np.full((28, 28), -0.5), "between -0.5 and -0.5; bring them there first"),
        (np.full((28, 28), np.nan), "between nan and nan"),
        (np.full((28, 28), 300), "pixels of 0 to 255, and these lie between 300 and 300"),
        (np.eye(28, dtype="int64"), "between 0 and 1; make them uint8, or floats"),
        (np.zeros((28, 28), complex), "prepares numbers, not an array of complex128"),
        (["digit.png"], "there is no image file 'digit.png'"),
    ],
)
def test_what_it_can_not_mean_is_refused_in_a_sentence(given, told: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        models.card("lenet5").prepare(given)


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text.png' cannot be read as an image"):
        models.card("lenet5").prepare(tmp_path / "text.png")


def test_a_wrong_polarity_is_told_the_two() -> None:
    with pytest.raises(ValueError, match="did you mean 'dark on light'"):
        models.card("lenet5").prepare(page(), polarity="dark on white")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"size": (8,)}, r"size=\(height, width\)"),
        ({"fit": "croop"}, "did you mean 'crop'"),
        ({"interpolation": "lanczos"}, "no interpolation of a preprocessing is called 'lanczos'"),
        ({"channels": 2}, r"1 channel \(grey\) or 3 \(colour\), not 2"),
        ({"crop": 1.5}, "between 0 and 1, not 1.5"),
        ({"polarity": "light"}, "no polarity is called 'light'"),
    ],
)
def test_a_wrong_preprocessing_is_refused(fields: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Preprocessing(**{"size": (8, 8), **fields})


def test_it_goes_through_json_and_back() -> None:
    for how in HOWS.values():
        text = json.dumps(Preparation(how).get_config()["preprocessing"])
        assert Preparation(json.loads(text)).preprocessing == how


def test_prepare_leaves_numbers_alone_where_the_card_has_no_preprocessing(models_of_this_test) -> None:
    card = {"title": "Mine", "year": 2026, "classes": 2, "inputs": models.Input((8, 8, 3))}
    models.register("mine", **card)(lambda classes, input_shape: None)
    x = RNG.normal(size=(2, 8, 8, 3))
    np.testing.assert_array_equal(models.card("mine").prepare(x), x.astype("float32"))
    with pytest.raises(
        ValueError, match=r"batch of shape \(batch, height, width, channels\).*shape \(8, 8\)"
    ):
        models.card("mine").prepare(x[0, ..., 0])


def test_the_card_tells_it_in_words_and_as_plain_values() -> None:
    card = models.card("lenet5")
    assert "pad to 32x32; small images enlarged to 20 and large ones shrunk to 28 first" in str(card)
    assert card.as_dict()["preprocessing"]["range"] == [-0.1, 1.175]
    assert card.input_range == (-0.1, 1.175)

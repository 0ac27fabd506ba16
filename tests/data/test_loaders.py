"""Arrays from files: digits, IDX, CIFAR-10 in both its forms."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from cnnkit import data
from cnnkit.data import cifar
from cnnkit.data.registry import CARDS

needs = pytest.mark.skipif  # each use names the set, so that a skip is heard


def _lacks(name: str, layout: str | None = None):
    return needs(
        not data.available(name, layout),
        reason=f"REAL DATA MISSING: '{name}' is not in $CNNKIT_DATA nor in the cache",
    )


@pytest.mark.parametrize("split", ["mixed", "ordered"])
def test_digits_are_split_by_class_without_overlap_and_always_the_same(split):
    (x_train, y_train), (x_test, y_test) = data.load("digits", split=split)
    assert x_train.shape == (1352, 8, 8, 1) and x_test.shape == (445, 8, 8, 1)
    assert x_train.dtype == np.float32 and y_train.dtype == np.int64
    assert x_train.min() == 0 and x_train.max() == 1
    assert np.all(np.abs(np.bincount(y_test) - np.bincount(y_train) / 3) <= 1)
    rows = np.concatenate([x_train, x_test]).reshape(1797, 64)
    assert len(np.unique(rows, axis=0)) == 1797
    again = data.load("digits", split=split)
    assert np.array_equal(again[1][0], x_test)


def test_an_unknown_split_says_which_there_are():
    with pytest.raises(ValueError, match=r"mixed.*ordered"):
        data.load("digits", split="random")


def test_read_idx_reads_what_the_format_says(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    raw = bytes([0, 0, 8, 3]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    (tmp_path / "a").write_bytes(raw)
    (tmp_path / "a.gz").write_bytes(gzip.compress(raw))
    assert np.array_equal(data.read_idx(tmp_path / "a"), array)
    assert np.array_equal(data.read_idx(tmp_path / "a.gz"), array)
    (tmp_path / "short").write_bytes(raw[:-1])
    with pytest.raises(ValueError, match=r"short promises \(2, 3, 4\) numbers and holds 23"):
        data.read_idx(tmp_path / "short")
    (tmp_path / "head").write_bytes(raw[:7])
    with pytest.raises(ValueError, match="head promises the lengths of 3 axes"):
        data.read_idx(tmp_path / "head")
    (tmp_path / "text").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="no IDX file"):
        data.read_idx(tmp_path / "text")


@pytest.mark.parametrize(
    ("name", "first", "mean"),
    [
        pytest.param("mnist", [5, 0, 4, 1, 9], 0.1307, marks=_lacks("mnist")),
        pytest.param("fashion_mnist", [9, 0, 0, 3, 0], 0.2860, marks=_lacks("fashion_mnist")),
    ],
)
def test_mnist_and_its_twin_have_their_known_labels_and_mean(name, first, mean):
    (x_train, y_train), (x_test, y_test) = data.load(name)
    assert x_train.shape == (60000, 28, 28, 1) and x_test.shape == (10000, 28, 28, 1)
    assert x_train.dtype == np.float32 and y_test.dtype == np.int64
    assert y_train[:5].tolist() == first
    assert x_train.mean(dtype=np.float64) == pytest.approx(mean, abs=5e-5)


def _write_archive(folder, per_batch, seed=0):
    """A CIFAR-10 archive of random pictures in the form of the official one."""
    generator = np.random.default_rng(seed)
    batches = {}
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
            pixels = generator.integers(0, 256, (per_batch, 3, 32, 32), dtype=np.uint8)
            labels = generator.integers(0, 10, per_batch).tolist()
            batches[name] = pixels, labels
            raw = pickle.dumps({b"data": pixels.reshape(per_batch, -1), b"labels": labels})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return batches


def test_the_official_archive_gives_all_images_channels_last(tmp_path):
    batches = _write_archive(tmp_path, 4)
    (x_train, y_train), (x_test, _) = cifar._cifar10_archive(tmp_path / "cifar-10-python.tar.gz")
    assert x_train.shape == (20, 32, 32, 3) and x_test.shape == (4, 32, 32, 3)
    pixels, labels = batches["data_batch_2"]
    assert np.allclose(x_train[5, 3, 7] * 255, pixels[1, :, 3, 7])
    assert y_train[4:8].tolist() == labels


def test_an_archive_that_wants_to_run_code_is_refused(tmp_path):
    raw = pickle.dumps({b"data": os.getcwd})
    with pytest.raises(pickle.UnpicklingError, match="no CIFAR file needs"):
        cifar._PlainUnpickler(io.BytesIO(raw)).load()


@_lacks("cifar10", "subset")
def test_the_subset_of_cifar10_is_given_only_to_who_asks_for_it(monkeypatch):
    (x_train, y_train), (x_test, y_test) = data.load("cifar10", subset=True)
    assert x_train.shape == (10000, 32, 32, 3) and x_test.shape == (1000, 32, 32, 3)
    assert y_train[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert y_test[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    if data.available("cifar10", "official"):
        full = data.load("cifar10")
        assert full[0][0].shape == (50000, 32, 32, 3) and np.array_equal(full[0][0][:10000], x_train)
        return

    def unavailable(name, layout=None, progress=True):
        raise data.DataUnavailable("no network here")

    monkeypatch.setattr("cnnkit.data.download.fetch", unavailable)
    with pytest.raises(data.DataUnavailable, match="subset=True"):
        data.load("cifar10")


def test_cifar10_says_that_its_subset_is_no_full_set():
    official, subset = CARDS["cifar10"].layouts
    assert official.complete and not subset.complete
    assert "not comparable" in CARDS["cifar10"].note


@pytest.mark.parametrize("name", [n for n in data.names() if data.card(n).layouts])
def test_every_set_at_hand_is_whole(name):
    if not data.available(name):
        pytest.skip(f"REAL DATA MISSING: '{name}' is not in $CNNKIT_DATA nor in the cache")
    assert set(data.verify(name).values()) == {"whole"}


def test_scattered_digits_are_the_same_digits_in_other_places():
    (x_train, _), _ = data.load("digits", canvas=12)
    (centred, _), _ = data.load("digits")
    assert x_train.shape == (1352, 12, 12, 1)
    assert np.allclose(x_train.sum(axis=(1, 2, 3)), centred.sum(axis=(1, 2, 3)))
    middles = x_train.sum(axis=(2, 3)) @ np.arange(12) / x_train.sum(axis=(1, 2, 3))
    assert middles.std() > 1
    with pytest.raises(ValueError, match="8 x 8 do not fit on a field of 6 x 6"):
        data.load("digits", canvas=6)


def _jpeg(colour, size):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG")
    return stream.getvalue()


def test_ants_and_bees_are_the_middle_squares_of_their_photographs(tmp_path, monkeypatch):
    from cnnkit.data import photographed

    with zipfile.ZipFile(tmp_path / "hymenoptera_192.zip", "w") as archive:
        archive.writestr("train/bees/b.jpg", _jpeg((0, 0, 255), (250, 192)))
        archive.writestr("train/ants/a.jpg", _jpeg((255, 0, 0), (192, 300)))
        archive.writestr("val/ants/c.jpg", _jpeg((255, 0, 0), (192, 192)))
    monkeypatch.setattr(photographed, "fetch", lambda name: tmp_path)
    (x, y), (x_test, y_test) = photographed.load_hymenoptera(size=16)
    assert (
        x.shape == (2, 16, 16, 3)
        and x.dtype == np.float32
        and y.tolist() == [0, 1]
        and y_test.tolist() == [0]
    )
    assert x[0, ..., 0].min() > 0.9 and x[1, ..., 2].min() > 0.9 and x_test.max() <= 1
    with pytest.raises(ValueError, match="from 1 to 192, not 200"):
        photographed.load_hymenoptera(size=200)


def test_traffic_signs_come_from_strips_in_their_order(tmp_path, monkeypatch):
    from PIL import Image

    from cnnkit.data import photographed

    with zipfile.ZipFile(tmp_path / "gtsrb32_subset.zip", "w") as archive:
        for name, shades in (("train_0", (10, 20)), ("train_1", (30,)), ("test_0", (40,))):
            stream = io.BytesIO()
            rows = np.repeat(np.array(shades, np.uint8), 1024 * 3).reshape(len(shades), 1024, 3)
            Image.fromarray(rows).save(stream, "PNG")
            archive.writestr(f"{name}.png", stream.getvalue())
        archive.writestr(
            "labels.csv", "split,index,label,file\ntrain,0,0,a\ntrain,1,0,b\ntrain,2,7,c\ntest,0,7,d\n"
        )
    monkeypatch.setattr(photographed, "fetch", lambda name: tmp_path)
    (x, y), (_, y_test) = photographed.load_gtsrb32()
    assert (x[:, 0, 0, 0] * 255).round().tolist() == [10, 20, 30] and x.shape[1:] == (32, 32, 3)
    assert y.tolist() == [0, 0, 7] and y_test.tolist() == [7] and y.dtype == np.int64


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        pytest.param("hymenoptera", [123, 121], [70, 83], marks=_lacks("hymenoptera")),
        pytest.param("gtsrb32", [14, 148, 150], [13, 106, 111], marks=_lacks("gtsrb32")),
    ],
)
def test_real_photographs_have_the_counts_of_their_cards(name, train, test):
    (x, y), (x_test, y_test) = data.load(name)
    assert (
        np.bincount(y)[: len(train)].tolist() == train and np.bincount(y_test)[: len(test)].tolist() == test
    )
    assert x.min() >= 0 and x.max() <= 1 and len(x) == len(y) and len(x_test) == len(y_test)

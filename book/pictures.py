"""Draw what the pages show beside the chapters: `python book/pictures.py [name ...]`.

The pictures of the timeline, each made by the package itself, into `book/_static/timeline/`; what each shows is told
where it is used, in `book/timeline.md`. And `icons`: the sign on a browser's tab and on a phone's screen, from `logo.svg`.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from scipy.stats import kurtosis
from sklearn.decomposition import FastICA

from cnnkit import data, insight, layers, models, origins, scratch
from cnnkit.course import PALETTE, apply_style

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "book/_static"
SIDE = 3.0  # inches; 480 pixels, twice what the page shows


def bars(fig: plt.Figure) -> None:
    """1959: one cell's answers to bars at nine angles."""
    angles = np.arange(0, 180, 20)
    stimuli = data.oriented_bars(angles, size=17)
    answers = np.asarray(origins.SimpleCells(orientations=9, phases=1)(stimuli)).max((1, 2))[:, 3]
    axes = fig.subplots(2, 9, height_ratios=(1, 3))
    for axis, stimulus in zip(axes[0], stimuli, strict=True):
        axis.imshow(stimulus[..., 0], cmap="gray")
    _bare(axes[0])
    grid = axes[1, 0].get_gridspec()
    for axis in axes[1]:
        axis.remove()
    below = fig.add_subplot(grid[1, :])
    below.bar(angles, answers, width=9, color=PALETTE["blue"])
    below.axis("off")


def pyramid(fig: plt.Figure) -> None:
    """1983: blur, drop every other pixel, and again; beside each level what the blur took away."""
    level = data.photograph("camera", grey=True, size=192)[None]
    axes = fig.subplots(2, 3)
    for above, below in axes.T:
        small = np.asarray(layers.BlurPool2D(5)(level))
        grown = np.asarray(keras.ops.image.resize(small, level.shape[1:3]))
        above.imshow(level[0, ..., 0], cmap="gray", vmin=0, vmax=1)
        below.imshow((level - grown)[0, ..., 0], cmap="cnn_weights", vmin=-0.4, vmax=0.4)
        level = small
    _bare(axes)


def neocognitron(fig: plt.Figure) -> None:
    """1980: a grown network is shown a letter; the planes of its first S-layer that answer most."""
    letters = np.stack([data.letter(name, 16) for name in "XYTZ"])
    network = origins.neocognitron(seed=1)
    origins.grow(network, letters, rounds=5)
    first = keras.Model(network.inputs, network.get_layer("S1").output)
    planes = np.asarray(first(letters[:1]))[0]
    loudest = np.argsort(planes.sum((0, 1)))[::-1][:8]
    axes = fig.subplots(3, 3).ravel()
    axes[0].imshow(letters[0, ..., 0], cmap="gray")
    for axis, plane in zip(axes[1:], loudest, strict=True):
        axis.imshow(planes[..., plane])
    _bare(axes)


def drawn(fig: plt.Figure) -> None:
    """1988: kernels that people drew."""
    kernels = np.asarray(origins.drawn_kernels()).squeeze()
    kernels = (
        kernels
        if len(kernels) < kernels.shape[-1] * 2 and kernels.shape[1] == kernels.shape[2]
        else np.moveaxis(kernels, -1, 0)
    )
    axes = fig.subplots(3, 3)
    for axis, kernel in zip(axes.ravel(), kernels, strict=False):
        axis.imshow(kernel, cmap="cnn_weights", vmin=-abs(kernel).max(), vmax=abs(kernel).max())
    _bare(axes)


def independent(fig: plt.Figure) -> None:
    """1996: what a code with few active units learns from photographs."""
    patches = data.natural_patches(20_000, size=12).reshape(20_000, -1)
    parts = (
        FastICA(100, whiten="unit-variance", max_iter=200, tol=1e-2, random_state=0).fit(patches).mixing_.T
    )
    found = parts[np.argsort(-kurtosis(parts, axis=1))[:36]]  # the most local ones
    axes = fig.subplots(6, 6)
    for axis, patch in zip(axes.ravel(), found, strict=True):
        axis.imshow(patch.reshape(12, 12), cmap="cnn_weights", vmin=-abs(patch).max(), vmax=abs(patch).max())
    _bare(axes)


def lenet(fig: plt.Figure) -> None:
    """1998: a handwritten three on its way through LeNet-5."""
    reader = models.create("lenet5", weights="mnist")
    digits, labels = data.load("digits")[1]
    digit = models.card("lenet5").prepare(digits[labels == 3][:1])
    taps = keras.Model(reader.inputs, [reader.get_layer(name).output for name in ("C1", "S2", "C3")])
    axes = fig.subplots(4, 4)
    axes[0, 0].imshow(digit[0, ..., 0], cmap="gray")
    for axis in axes[0, 1:]:
        axis.axis("off")
    for row, maps in zip(axes[1:], taps(digit), strict=True):
        for axis, number in zip(row, range(4), strict=True):
            axis.imshow(np.asarray(maps)[0, ..., number])
    _bare(axes)


def rectified(fig: plt.Figure) -> None:
    """2009: answers to one kernel, to its opposite, and both after the rectifier."""
    picture = data.photograph("camera", grey=True, size=96)[None]
    kernel = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])[..., None, None]
    answer = np.asarray(keras.ops.conv(picture.astype("float32"), kernel.astype("float32")))[0, ..., 0]
    shown = (answer, -answer, np.maximum(answer, 0), np.maximum(-answer, 0))
    axes = fig.subplots(2, 2)
    for axis, image in zip(axes.ravel(), shown, strict=True):
        axis.imshow(image, cmap="cnn_weights", vmin=-2, vmax=2)
    _bare(axes)


def pooled(fig: plt.Figure) -> None:
    """2010: a photograph, and the mean and the maximum of its tiles."""
    picture = data.photograph("camera", grey=True, size=192)[None]
    drawn = scratch.stochastic_pool2d(picture, 8, rng=np.random.default_rng(6))
    shown = (picture, scratch.average_pool2d(picture, 8), scratch.max_pool2d(picture, 8), drawn)
    axes = fig.subplots(2, 2)
    for axis, image in zip(axes.ravel(), shown, strict=True):
        axis.imshow(image[0, ..., 0], cmap="gray", vmin=0, vmax=1)
    _bare(axes)


def checkerboard(fig: plt.Figure) -> None:
    """2016: even light through four transposed convolutions of stride 2; where stamps overlap it is brighter."""
    axes = fig.subplots(2, 2)
    for axis, size in zip(axes.ravel(), (2, 3, 4, 5), strict=True):
        x = keras.ops.ones((1, 9, 9, 1))
        for _ in range(2):
            x = keras.layers.Conv2DTranspose(1, size, strides=2, use_bias=False, kernel_initializer="ones")(x)
        axis.imshow(np.asarray(x)[0, 6:-6, 6:-6, 0], vmin=0)
    _bare(axes)


def field(fig: plt.Figure) -> None:
    """2016: how much each pixel moves one unit after twelve layers of random 3 x 3 kernels."""
    x = picture = keras.Input((33, 33, 1))
    for number in range(12):
        x = keras.layers.Conv2D(8, 3, padding="same", name=f"conv{number}")(x)
    axis = fig.subplots()
    axis.imshow(insight.measured_receptive_field(keras.Model(picture, x), "conv11").influence)
    _bare([axis])


PICTURES: dict[str, Callable[[plt.Figure], None]] = {
    draw.__name__: draw
    for draw in (
        bars,
        pyramid,
        neocognitron,
        drawn,
        independent,
        lenet,
        rectified,
        pooled,
        checkerboard,
        field,
    )
}


def icons() -> None:
    """The logo as browsers want it that know no SVG, and as phones do."""
    from look import browser

    with browser() as chrome:
        page = chrome.new_page(viewport={"width": 512, "height": 512})
        page.set_content(
            f"<style>body {{ margin: 0 }}</style>{(STATIC / 'logo.svg').read_text(encoding='utf-8')}"
        )
        logo = Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA")
    logo.save(STATIC / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    touch = Image.new("RGB", (180, 180), "white")
    small = logo.resize((148, 148), Image.Resampling.LANCZOS)
    touch.paste(small, (16, 16), small)
    touch.save(STATIC / "touch-icon.png", optimize=True)


def _bare(axes: np.ndarray | list) -> None:
    for axis in np.ravel(axes):
        axis.axis("off")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(PICTURES))
    apply_style()
    keras.utils.set_random_seed(0)
    (STATIC / "timeline").mkdir(exist_ok=True)
    for name in parser.parse_args().names:
        if name == "icons":
            icons()
            continue
        fig = plt.figure(figsize=(SIDE, SIDE), dpi=160)
        PICTURES[name](fig)
        path = STATIC / "timeline" / f"{name}.webp"
        fig.savefig(path, transparent=True, pil_kwargs={"quality": 80, "method": 6})
        plt.close(fig)
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

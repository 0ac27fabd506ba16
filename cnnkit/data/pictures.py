"""The photographs that ship with scikit-image, as arrays of one kind, and patches cut from them."""

from __future__ import annotations

import numpy as np

from cnnkit._names import needed, unknown

__all__ = ["NATURAL", "natural_patches", "photograph", "photographs"]

# Files inside scikit-image's own wheel: reading them needs no network.
_PICTURES = (
    "astronaut", "brick", "camera", "cat", "clock", "coffee", "coins", "colorwheel", "grass", "gravel",
    "horse", "hubble_deep_field", "immunohistochemistry", "microaneurysms", "moon", "page", "retina",
    "rocket", "text",
)  # fmt: skip

NATURAL = ("camera", "cat", "coffee", "astronaut", "rocket", "grass", "gravel", "brick")


def photographs() -> list[str]:
    """The names that `photograph` knows.

    >>> photographs()[:3]
    ['astronaut', 'brick', 'camera']

    Chapter: origins/hubel-wiesel.
    """
    return list(_PICTURES)


def photograph(name: str, grey: bool = False, size: int | tuple[int, int] | None = None) -> np.ndarray:
    """A photograph `(height, width, channels)`, float32 in [0, 1], in grey and at another size if wanted.

    Grey pictures have one channel, colour pictures three. `size` is a side or `(height, width)`; the picture
    is shrunk with smoothing, so that nothing aliases.

    >>> photograph("camera").shape, photograph("cat", grey=True, size=(60, 90)).shape
    ((512, 512, 1), (60, 90, 1))

    Chapter: origins/hubel-wiesel.
    """
    skimage = needed("skimage", "course")
    if name not in _PICTURES:
        raise KeyError(unknown("photograph", name, _PICTURES))
    picture = skimage.util.img_as_float32(getattr(skimage.data, name)())
    picture = picture[..., None] if picture.ndim == 2 else picture[..., :3]
    if grey and picture.shape[-1] == 3:
        picture = skimage.color.rgb2gray(picture)[..., None]
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        if min(height, width) < 1:
            raise ValueError(f"a photograph needs a size of at least 1 pixel, not {size}")
        picture = skimage.transform.resize(picture, (height, width), anti_aliasing=True)
    return np.clip(picture, 0, 1).astype(np.float32)


def natural_patches(
    count: int = 10_000,
    size: int = 12,
    seed: int = 0,
    pictures: tuple[str, ...] = NATURAL,
    centred: bool = True,
) -> np.ndarray:
    """Square patches from random places of grey photographs: `(count, size, size, 1)` float32.

    Every picture gives the same number of patches. `centred` takes each patch's own mean away; flat patches
    (standard deviation under 0.01) are drawn again, for they show nothing.

    >>> natural_patches(100, size=8).shape
    (100, 8, 8, 1)

    Chapter: origins/hubel-wiesel.
    Paper: doi:10.1038/381607a0.
    """
    if count < 1 or size < 2 or not pictures:  # a single pixel is always flat
        raise ValueError(
            f"natural_patches needs count >= 1, size >= 2 and at least one picture, not count={count}, "
            f"size={size} and pictures={pictures}"
        )
    generator = np.random.default_rng(seed)
    shares = np.diff(np.linspace(0, count, len(pictures) + 1).astype(int))
    patches = []
    for name, share in zip(pictures, shares, strict=True):
        picture = photograph(name, grey=True)[..., 0]
        if size > min(picture.shape):
            raise ValueError(
                f"a patch of {size} x {size} does not fit into '{name}', which is {picture.shape}"
            )
        taken = 0
        while taken < share:
            row = generator.integers(0, picture.shape[0] - size + 1)
            column = generator.integers(0, picture.shape[1] - size + 1)
            patch = picture[row : row + size, column : column + size]
            if patch.std() >= 0.01:
                patches.append(patch - patch.mean() if centred else patch)
                taken += 1
    return generator.permutation(np.stack(patches))[..., None]

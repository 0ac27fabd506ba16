"""Pictures of cells side by side, as a microscope shows the inner lining of the cornea, and where their borders are."""

from __future__ import annotations

import numpy as np

__all__ = ["cell_mosaics"]


def cell_mosaics(
    count: int = 100,
    size: int = 32,
    spacing: float = 8.0,
    width: float = 1.2,
    shade: float = 0.6,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Images `(count, size, size, 1)` of a mosaic of cells, and masks `(count, size, size)` of their borders.

    A pixel belongs to the cell whose centre is nearest; where the nearest two are about equally near, within
    `width` pixels, there is a border, and it is dark.  Centres lie about `spacing` pixels apart.  The light
    falls unevenly: it loses up to `shade` of itself towards one side, at a random angle, so that no single
    threshold finds the borders.

    >>> images, borders = cell_mosaics(4, size=24)
    >>> images.shape, borders.dtype
    ((4, 24, 24, 1), dtype('bool'))

    Chapter: origins/learned-kernels.
    """
    if count < 1 or size < 4 or spacing < 3 or width <= 0 or not 0 <= shade < 1 or noise < 0:
        raise ValueError(
            "cell_mosaics wants count >= 1, size >= 4, spacing >= 3, width > 0, 0 <= shade < 1, noise >= 0; "
            f"got count={count}, size={size}, spacing={spacing}, width={width}, shade={shade}, noise={noise}"
        )
    generator = np.random.default_rng(seed)
    pixels = np.mgrid[:size, :size].astype(float)
    steps = np.arange(-spacing, size + spacing, spacing)
    images, borders = np.empty((count, size, size)), np.empty((count, size, size), bool)
    for place in range(count):
        # Rows of centres, every other one moved by half a step, as cells pack; each moved a little by chance.
        rows, columns = np.meshgrid(0.87 * steps * (1 + spacing / size), steps, indexing="ij")
        columns = columns + spacing / 2 * (np.arange(len(steps)) % 2)[:, None]
        centres = np.stack([rows.ravel(), columns.ravel()], axis=1) + generator.uniform(0, spacing, 2)
        centres += generator.normal(0, spacing / 6, centres.shape)
        distances = np.hypot(*(pixels[:, :, :, None] - centres.T[:, None, None]))
        first, second = np.moveaxis(np.partition(distances, 1, axis=2)[:, :, :2], 2, 0)
        borders[place] = second - first < width
        angle = generator.uniform(0, 2 * np.pi)
        slope = (np.cos(angle) * pixels[0] + np.sin(angle) * pixels[1]) / size
        light = 1 - shade * (slope - slope.min()) / np.ptp(slope)
        images[place] = light * np.where(borders[place], 0.45, 0.9)
    images += noise * generator.standard_normal(images.shape)
    return np.clip(images, 0, 1)[..., None].astype(np.float32), borders

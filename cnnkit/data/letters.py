"""The capital letters A to Z, drawn by us on a grid of 5 x 7, and thin-lined characters; moved and bent at will."""

from __future__ import annotations

import numpy as np

from cnnkit._names import needed

__all__ = ["ALPHABET", "letter", "letters", "line_pattern", "load_letters"]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Seven rows a letter, five bits a row, the leftmost pixel the highest bit.
_ROWS = {
    "A": "0e 11 11 1f 11 11 11", "B": "1e 11 11 1e 11 11 1e", "C": "0f 10 10 10 10 10 0f",
    "D": "1e 11 11 11 11 11 1e", "E": "1f 10 10 1e 10 10 1f", "F": "1f 10 10 1e 10 10 10",
    "G": "0f 10 10 17 11 11 0f", "H": "11 11 11 1f 11 11 11", "I": "0e 04 04 04 04 04 0e",
    "J": "07 02 02 02 02 12 0c", "K": "11 12 14 18 14 12 11", "L": "10 10 10 10 10 10 1f",
    "M": "11 1b 15 15 11 11 11", "N": "11 19 19 15 13 13 11", "O": "0e 11 11 11 11 11 0e",
    "P": "1e 11 11 1e 10 10 10", "Q": "0e 11 11 11 15 12 0d", "R": "1e 11 11 1e 14 12 11",
    "S": "0f 10 10 0e 01 01 1e", "T": "1f 04 04 04 04 04 04", "U": "11 11 11 11 11 11 0e",
    "V": "11 11 11 0a 0a 0a 04", "W": "11 11 11 15 15 1b 11", "X": "11 11 0a 04 0a 11 11",
    "Y": "11 11 0a 04 04 04 04", "Z": "1f 01 02 04 08 10 1f",
}  # fmt: skip

# Thin lines on a square of 9 x 9, each from (row, column) to (row, column).
_STROKES = {
    "X": "0088 0880", "Y": "0044 0844 4484", "T": "0008 0484", "Z": "0008 0880 8088",
    "0": "0206 0241 4182 8286 8647 4706", "1": "0484", "2": "0106 0636 3681 8187", "3": "0106 0643 4386 8681",
    "4": "0550 5058 0585", "5": "0701 0131 3157 5785 8581", "6": "0551 5183 8386 8656 5651", "7": "0107 0783",
    "8": "0206 0682 8286 8602", "9": "0206 0686 0242 4246",
}  # fmt: skip

Split = tuple[np.ndarray, np.ndarray]


def letter(character: str, size: int | None = None) -> np.ndarray:
    """One letter `(height, width, 1)` of zeros and ones: 7 x 5 as drawn, or centred in a square of `size`.

    In a square the letter is magnified by the largest whole number that leaves a margin of a pixel.

    >>> letter("T").shape, letter("T", 16).shape
    ((7, 5, 1), (16, 16, 1))

    Chapter: origins/neocognitron.
    """
    if character.upper() not in _ROWS:
        raise ValueError(f"no letter is drawn for '{character}'; there are {ALPHABET}")
    rows = [int(row, 16) for row in _ROWS[character.upper()].split()]
    bitmap = np.array([[row >> (4 - column) & 1 for column in range(5)] for row in rows], np.float32)
    if size is not None:
        scale = (size - 2) // 7
        if scale < 1:
            raise ValueError(f"a letter needs a square of at least 9 pixels with its margin, not {size}")
        bitmap = np.kron(bitmap, np.ones((scale, scale), np.float32))
        top, left = (size - bitmap.shape[0]) // 2, (size - bitmap.shape[1]) // 2
        bitmap = np.pad(bitmap, ((top, size - top - bitmap.shape[0]), (left, size - left - bitmap.shape[1])))
    return bitmap[..., None]


def line_pattern(
    character: str, size: int = 9, down: int = 0, right: int = 0, turn: float = 0.0, thick: int = 1,
    tremble: float = 0.0, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """X, Y, T, Z or a digit in thin lines, 16 x 16 x 1, of the kind that the neocognitron was shown.

    What falls outside the square is not drawn.

    Args:
        character: X, Y, T, Z or a digit.
        size: the side in pixels.
        down: pixels to move it down.
        right: pixels to move it to the right.
        turn: degrees to turn it clockwise about its middle.
        thick: the width of its lines.
        tremble: the standard deviation, in pixels, by which an unsteady hand misses the ends of the strokes.
        seed: of the trembling.

    >>> int(line_pattern("T").sum()), int(line_pattern("T", thick=2).sum())
    (17, 36)

    Chapter: origins/neocognitron.
    """
    line = needed("skimage.draw", "course").line
    if character not in _STROKES:
        raise ValueError(f"no lines are kept for {character!r}; there are {''.join(_STROKES)}")
    if size < 2 or thick < 1:
        raise ValueError(f"line_pattern needs size >= 2 and thick >= 1; got {size} and {thick}")
    hand, image = np.random.default_rng(seed), np.zeros((16, 16, 1), np.float32)
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    middle = np.array([down, right]) + (16 - size) // 2 + (size - 1) / 2
    for stroke in _STROKES[character].split():
        unit = (np.array([int(digit) for digit in stroke]).reshape(2, 2) - 4) / 8
        ends = (size - 1) * unit @ np.array([[c, -s], [s, c]]) + middle
        ends = np.floor(ends.ravel() + hand.normal(0, tremble, 4) + 0.5).astype(int)
        rows, columns = line(*ends)
        for row, column in np.ndindex(thick, thick):  # each point becomes a small square
            at = np.stack([rows + row - (thick - 1) // 2, columns + column - (thick - 1) // 2])
            at = at[:, np.all((at >= 0) & (at < 16), axis=0)]
            image[at[0], at[1]] = 1
    return image


def letters(
    count: int = 1000,
    size: int = 16,
    characters: str = ALPHABET,
    shift: float = 0.0,
    scale: float = 0.0,
    rotate: float = 0.0,
    distort: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Split:
    """Images `(count, size, size, 1)` of letters, each changed by chance, and labels into `characters`.

    With nothing changed the images are the drawn letters.

    Args:
        count: how many images.
        size: the side in pixels.
        characters: the letters, in turn.
        shift: moved by at most so many pixels each way.
        scale: magnified by `1 - scale` to `1 + scale`.
        rotate: turned by at most so many degrees.
        distort: bent by an elastic field of so many pixels' standard deviation.
        noise: the standard deviation of Gaussian noise.
        seed: of everything drawn.

    >>> images, labels = letters(52, size=20, shift=2, distort=0.5)
    >>> images.shape, len(set(labels.tolist()))
    ((52, 20, 20, 1), 26)

    Chapter: origins/neocognitron.
    """
    if count < 1 or not characters:
        raise ValueError(f"letters needs count >= 1 and characters to draw, not {count} and {characters!r}")
    generator = np.random.default_rng(seed)
    drawn = np.stack([letter(character, size)[..., 0] for character in characters])
    labels = generator.permutation(np.arange(count) % len(characters)).astype(np.int64)
    images = np.empty((count, size, size), np.float32)
    for place, label in enumerate(labels):
        image = drawn[label]
        if shift or scale or rotate or distort:
            image = _warp(image, generator, shift, scale, rotate, distort)
        images[place] = image
    if noise:
        images += noise * generator.standard_normal(images.shape).astype(np.float32)
    return np.clip(images, 0, 1)[..., None], labels


def load_letters(
    train: int = 2600, test: int = 520, size: int = 16, shift: float = 2.0, scale: float = 0.1,
    rotate: float = 8.0, distort: float = 0.5, noise: float = 0.05, seed: int = 0,
) -> tuple[Split, Split]:  # fmt: skip
    """A training and a test set of changed letters, from two different seeds.

    Chapter: origins/neocognitron.
    """
    change = {"shift": shift, "scale": scale, "rotate": rotate, "distort": distort, "noise": noise}
    first = letters(train, size, seed=2 * seed, **change)  # type: ignore[arg-type]
    return first, letters(test, size, seed=2 * seed + 1, **change)  # type: ignore[arg-type]


def _warp(
    image: np.ndarray,
    generator: np.random.Generator,
    shift: float,
    scale: float,
    rotate: float,
    distort: float,
) -> np.ndarray:
    """Look the image up at coordinates that are shifted, turned and scaled about the centre, then bent."""
    from scipy import ndimage

    size = image.shape[0]
    centre = (size - 1) / 2
    angle = np.deg2rad(generator.uniform(-rotate, rotate))
    zoom = generator.uniform(1 - scale, 1 + scale)
    rows, columns = np.mgrid[:size, :size] - centre
    rows, columns = rows - generator.uniform(-shift, shift), columns - generator.uniform(-shift, shift)
    turned = np.stack(
        [rows * np.cos(angle) - columns * np.sin(angle), rows * np.sin(angle) + columns * np.cos(angle)]
    )
    where = turned / zoom + centre
    if distort:
        field = ndimage.gaussian_filter(generator.standard_normal((2, size, size)), (0, size / 8, size / 8))
        where = where + distort * field / field.std()
    return ndimage.map_coordinates(image, where, order=1, mode="constant").astype(np.float32)

"""How a reader's answer differs from the right one, in words that teach and do not give the right one away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnnkit.course.trying import same, short

__all__ = ["first_difference", "kind_of_mistake", "unusual", "wrong_kind", "wrong_shape"]

#: What NumPy's kinds of entries are called: one of them, several.
_WORDS = {
    "n": ("a number", "numbers"),
    "b": ("yes or no (True or False)", "yes or no (True or False) for each"),
    "U": ("text", "words"),
    "c": ("a complex number", "complex numbers"),
}


def wrong_kind(got: np.ndarray, want: np.ndarray) -> str | None:
    """The wrong type in words, or None. Yes and no may stand for 1 and 0 in a mask, and not alone."""
    mine, asked = _kind(got), _kind(want)
    if mine == asked or ({mine, asked} == {"n", "b"} and got.ndim and want.ndim):
        return None
    what = "what is asked for" if asked not in _WORDS else f"{_WORDS[asked][int(want.ndim > 0)]}"
    verb = "are" if want.ndim and asked != "b" else "is"
    said = f"{what} {verb} asked for" if asked in _WORDS else "something else is asked for"
    return f"the answer has the wrong type: yours is {_called(got)}, and {said}"


def wrong_shape(got: Sequence[np.ndarray], want: Sequence[np.ndarray], first: int = 0) -> str | None:
    """In what the shape differs, or None: other axes, or the first that is too long or too short."""
    mine, asked = got[first].shape, want[first].shape
    if mine == asked:
        return None
    if not asked:
        return f"the shape is wrong: one value is asked for, and got {len(got[first])} in a list"
    if not mine:
        return "the shape is wrong: several values are asked for, in a list or an array, and got one"
    if len(mine) != len(asked):
        return f"the shape is wrong: got {mine}, which has too {'many' if len(mine) > len(asked) else 'few'} axes"
    if all(
        len(g.shape) == len(w.shape) and sorted(g.shape) == sorted(w.shape)
        for g, w in zip(got, want, strict=True)
    ):
        return f"the axes are in another order: got the shape {mine}"
    axis = next(i for i, (a, b) in enumerate(zip(mine, asked, strict=True)) if a != b)
    along = f" along axis {axis}" if len(mine) > 1 else ""
    return f"the shape is wrong: got {mine}, too {'long' if mine[axis] > asked[axis] else 'short'}{along}"


def unusual(got: np.ndarray, want: np.ndarray) -> str | None:
    """NaN or infinity where a number is asked for, or None."""
    if got.dtype.kind not in "fc" or bool(np.all(np.isfinite(got) | (np.isnan(got) & _nan(want)))):
        return None
    return "the answer contains NaN or infinity"


def kind_of_mistake(got: Sequence[np.ndarray], want: Sequence[np.ndarray]) -> str | None:
    """What one thing explains the difference on every input, where one does: one alone could be chance."""
    if len(got) < 2 or any(
        a.dtype.kind not in "iufb" or b.dtype.kind not in "iufb" for a, b in zip(got, want, strict=True)
    ):
        return None
    pairs = [(np.asarray(a, float), np.asarray(b, float)) for a, b in zip(got, want, strict=True)]
    for words, change, proper in _KINDS:
        changed = [change(b) for _, b in pairs]
        if any(proper(b) for _, b in pairs) and all(
            same(a, c, 1e-6) for (a, _), c in zip(pairs, changed, strict=True)
        ):
            return words
    cut = [array.dtype.kind in "iu" for array in got]
    if all(cut) and any(
        all(same(a, rounding(b), 1e-6) for a, b in pairs) for rounding in (np.trunc, np.floor, np.rint)
    ):
        return f"the values are cut to whole numbers: your array has the type {got[0].dtype}"
    return None


def first_difference(got: np.ndarray, want: np.ndarray, tolerance: float) -> tuple[int, ...]:
    """The index of the first entry that is wrong."""
    return next(index for index in np.ndindex(got.shape) if not same(got[index], want[index], tolerance))


def _flipped(y: np.ndarray) -> np.ndarray:
    return np.flip(y, axis=(0, 1)) if y.ndim >= 2 else y


def _exchanged(y: np.ndarray) -> np.ndarray:
    return np.swapaxes(y, 0, 1) if y.ndim >= 2 else y


def _moves(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], bool]:
    return lambda y: change(y).shape != y.shape or not np.array_equal(change(y), y, equal_nan=True)


#: Each kind of mistake: the words, what it makes of a right answer, and where it can be seen at all.
_KINDS: tuple[tuple[str, Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], bool]], ...] = (
    ("the values are right but flipped in both directions", _flipped, _moves(_flipped)),
    ("the values are right but rows and columns are exchanged", _exchanged, _moves(_exchanged)),
    ("off by one: your answer is 1 too large", lambda y: y + 1, lambda y: y.size > 0),
    ("off by one: your answer is 1 too small", lambda y: y - 1, lambda y: y.size > 0),
    ("the sign is the wrong way round", np.negative, _moves(np.negative)),
)


def _kind(array: np.ndarray) -> str:
    kind = array.dtype.kind
    return "n" if kind in "iuf" else kind


def _called(array: np.ndarray) -> str:
    """What the reader gave, in words."""
    kind = _kind(array)
    if kind not in _WORDS:
        thing: Any = array.flat[0] if array.size else None
        return f"a {type(thing).__name__}" if array.size == 1 else "a mixture"
    return (
        f"{_WORDS[kind][0].partition(' (')[0]} ({short(array.item())})"
        if not array.ndim
        else f"a list of {_WORDS[kind][1].partition(' (')[0]}"
    )


def _nan(array: np.ndarray) -> np.ndarray | bool:
    return np.isnan(array) if array.dtype.kind in "fc" else False

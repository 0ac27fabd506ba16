"""Two ways to one result: `agrees` says that they give the same, to which tolerance, and how far they really differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnkit.course import notebook

__all__ = ["Disagreement", "agrees"]


class Disagreement(AssertionError):
    """Two results that should be equal and are not: the message says where they differ most."""


def agrees(first: str, one: Any, second: str, other: Any, *, within: float) -> None:
    """Hold two results to each other, and print one line.

    That two computations are equal is no claim about the world, so it is not collected among the claims.

    Args:
        first: what the first result is called, such as "by hand".
        one: the first result: a number, an array or a tensor.
        second: what the second is called, such as "Keras".
        other: the second result, of the same shape.
        within: how far any two entries may differ, absolutely, or relative to the second's largest entry where that is above 1.

    Example:
        >>> agrees("by hand", [1.0, 2.0], "Keras", [1.0, 2.0], within=1e-6)
        ✓ by hand and Keras agree to 1e-06 (largest difference 0)
    """
    a, b = (np.asarray(_numbers(x), dtype="float64") for x in (one, other))
    if a.shape != b.shape:
        raise Disagreement(f"{first} has the shape {a.shape} and {second} {b.shape}: they cannot agree")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        which = first if not np.isfinite(a).all() else second
        raise Disagreement(f"{which} holds NaN or infinity, so that nothing can be said of agreement")
    gap = np.abs(a - b)
    largest = float(gap.max(initial=0.0))
    if largest > within * max(1.0, float(np.abs(b).max(initial=0.0))):
        place = tuple(int(i) for i in np.unravel_index(gap.argmax(), gap.shape))
        raise Disagreement(
            f"{first} and {second} differ by {largest:.2g}, allowed are {within:g}: at {place or 'their one number'} "
            f"{first} has {a[place]:.6g} and {second} {b[place]:.6g}"
        )
    line = f"✓ {first} and {second} agree to {within:g} (largest difference {largest:.0e})".replace(
        "0e+00", "0"
    )
    notebook.show({"text/plain": line})


def _numbers(x: Any) -> Any:
    if hasattr(x, "detach"):
        x = x.detach().cpu()
    return x

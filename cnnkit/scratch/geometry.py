"""How large an output is, how much padding a rule asks for, how many parameters a layer has."""

from __future__ import annotations

from numbers import Integral
from typing import Literal

Padding = int | tuple[int, int] | Literal["same", "valid"]

__all__ = ["convolution_parameters", "output_size", "padding_amount"]


def each_axis(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """A number counts for each of `rank` axes; a tuple says one for each."""
    return (value,) * rank if isinstance(value, Integral) else tuple(value)


def padding_amount(n: int, k: int, s: int = 1, p: Padding = 0, d: int = 1) -> tuple[int, int]:
    """The zeros added before and after one side of length n.

    "valid" adds none.  "same" adds what makes the output ceil(n / s) long; when that total is
    odd, the extra zero goes after (TensorFlow's and Keras's rule, so at stride 2 the two ends
    may differ).  A number stands for both ends, a pair for each.

    >>> padding_amount(5, k=3, p="same"), padding_amount(6, k=3, s=2, p="same")
    ((1, 1), (0, 1))

    Chapter: layers/convolution.
    Paper: arXiv:1603.07285.
    """
    if p == "valid":
        return 0, 0
    if p == "same":
        steps = -(-n // s)
        total = max((steps - 1) * s + d * (k - 1) + 1 - n, 0)
        return total // 2, total - total // 2
    if isinstance(p, str):
        raise ValueError(f"padding is '{p}'; it must be 'same', 'valid', a number, or a pair (before, after)")
    before, after = (p, p) if isinstance(p, Integral) else p
    if before < 0 or after < 0:
        raise ValueError(f"padding is {p}; it counts zeros that are added, so it cannot be negative")
    return before, after


def output_size(n: int, k: int, s: int = 1, p: Padding = 0, d: int = 1) -> int:
    """The number of places where a kernel fits: `floor((n + 2p - d(k - 1) - 1) / s) + 1`.

    Args:
        n: the side of the input.
        k: the side of the kernel.
        s: the stride.
        p: the padding on each side, or "same", "valid", or a pair.
        d: the dilation.

    >>> output_size(28, k=5), output_size(28, k=5, p="same"), output_size(224, k=7, s=2, p=3)
    (24, 28, 112)

    Chapter: layers/convolution.
    Paper: arXiv:1603.07285.
    """
    for name, value in (("k", k), ("s", s), ("d", d)):
        if value < 1:
            raise ValueError(f"{name} is {value}; kernel side, stride and dilation must be at least 1")
    before, after = padding_amount(n, k, s, p, d)
    reach = d * (k - 1) + 1
    if n + before + after < reach:
        raise ValueError(
            f"the kernel reaches over {reach} pixels and the padded input has {n + before + after} "
            f"({n} and {before} + {after} of padding); use a smaller kernel or dilation, or more padding"
        )
    return (n + before + after - reach) // s + 1


def convolution_parameters(k: int, c_in: int, c_out: int, groups: int = 1, bias: bool = True) -> int:
    """Parameters of a layer with k x k kernels: `c_out * (k * k * c_in / groups + 1)`.

    The 1 is the bias of each filter.  The size of the image does not appear.

    >>> convolution_parameters(3, c_in=3, c_out=64)
    1792

    Chapter: layers/convolution.
    """
    if c_in % groups or c_out % groups:
        raise ValueError(
            f"{groups} groups do not divide {c_in} input and {c_out} output channels; both must be multiples"
        )
    return c_out * (k * k * c_in // groups + int(bias))

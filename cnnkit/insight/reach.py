"""Arithmetic of intervals: which stretch of the input each unit of a row of units can see.

Along one axis unit i sees the places `first(i) .. last(i)`.  Both march in step with i, so a handful of numbers
says it for all i: `advance` places for each `period` units, and the intervals of the first `period` units.  The
period is 1 until something is upsampled: after a transposed convolution of stride 2, even and odd units see
intervals of different length, and two phases are needed to be exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__: list[str] = []


@dataclass(frozen=True)
class Reach:
    """Intervals seen by a row of units; places outside the image (negative, for a start) are padding."""

    first: tuple[int, ...]
    last: tuple[int, ...]
    advance: int

    @property
    def size(self) -> int:
        return max(last - first + 1 for first, last in zip(self.first, self.last, strict=True))

    @property
    def stride(self) -> Fraction:
        return Fraction(self.advance, len(self.first))

    def at(self, unit: int) -> tuple[int, int]:
        """First and last place that a unit sees."""
        rounds, phase = divmod(unit, len(self.first))
        return self.first[phase] + rounds * self.advance, self.last[phase] + rounds * self.advance

    def through(self, layer: Reach) -> Reach:
        """The reach of the units of a further layer, whose units see stretches of these units."""
        period = len(self.first)
        rounds = period // math.gcd(period, layer.advance)
        units = [layer.at(unit) for unit in range(rounds * len(layer.first))]
        return _shortest(
            [self.at(first)[0] for first, _ in units],
            [self.at(last)[1] for _, last in units],
            rounds * layer.advance // period * self.advance,
        )

    def union(self, other: Reach) -> Reach | None:
        """The smallest intervals that hold both; None when the two march at different speeds."""
        if self.stride != other.stride:
            return None
        period = math.lcm(len(self.first), len(other.first))
        pairs = [(self.at(unit), other.at(unit)) for unit in range(period)]
        return _shortest(
            [min(a[0], b[0]) for a, b in pairs],
            [max(a[1], b[1]) for a, b in pairs],
            self.advance * (period // len(self.first)),
        )


IDENTITY = Reach((0,), (0,), 1)


def window(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Reach:
    """Convolution or pooling: unit i sees i*s - p .. i*s - p + d*(k - 1)."""
    return Reach((-padding,), (dilation * (kernel - 1) - padding,), stride)


def transposed(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Reach:
    """Transposed convolution: place m is spread over m*s - p .. m*s - p + d*(k - 1), so unit i sees the converse.

    Where the kernel is shorter than the stride some units see nothing; they are given the place beside them.
    """
    reach = dilation * (kernel - 1)
    last = [(unit + padding) // stride for unit in range(stride)]
    first = [min(-((reach - padding - unit) // stride), last[unit]) for unit in range(stride)]
    return Reach(tuple(first), tuple(last), 1)


def enlarged(factor: int, interpolation: str = "nearest") -> Reach:
    """Upsampling by a whole factor, by repetition or by a weighted mean of the two nearest places."""
    if interpolation == "nearest":
        return Reach((0,) * factor, (0,) * factor, 1)
    more = {"bilinear": 0, "bicubic": 1}.get(interpolation, 2)
    places = [Fraction(2 * unit + 1 - factor, 2 * factor) for unit in range(factor)]
    first, last = [math.floor(x) - more for x in places], [math.ceil(x) + more for x in places]
    return Reach(tuple(first), tuple(last), 1)


def _shortest(first: list[int], last: list[int], advance: int) -> Reach:
    """Say the same with the smallest period."""
    for period in range(1, len(first)):
        steps, rest = divmod(len(first), period)
        if rest or advance % steps:
            continue
        step = advance // steps
        if all(row[i] == row[i - period] + step for row in (first, last) for i in range(period, len(row))):
            return Reach(tuple(first[:period]), tuple(last[:period]), step)
    return Reach(tuple(first), tuple(last), advance)

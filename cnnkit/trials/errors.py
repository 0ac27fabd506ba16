"""What a trial refuses, and what a verdict refuses: two errors, each a sentence with its remedy."""

from __future__ import annotations

__all__ = ["NoVerdict", "TrialError"]


class TrialError(ValueError):
    """A trial that cannot be run as it was described; what its table holds already is kept."""


class NoVerdict(TrialError):
    """A comparison that would not be fair: the sentence names the arm and what would mend it."""

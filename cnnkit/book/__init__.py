"""What a notebook of the course calls: `setup`, `claim`, `exercise`, `check`, `figure`, `source`, `live`."""

from cnnkit.book.claims import Claim, ClaimFailed, Finding, claim, collect
from cnnkit.book.drawing import PALETTE, apply_style, figure
from cnnkit.book.exercises import Exercise, Mistake, check, exercise, hint, solution
from cnnkit.book.live import live
from cnnkit.book.notebook import setup
from cnnkit.book.reading import source

__all__ = [
    "PALETTE",
    "Claim",
    "ClaimFailed",
    "Exercise",
    "Finding",
    "Mistake",
    "apply_style",
    "check",
    "claim",
    "collect",
    "exercise",
    "figure",
    "hint",
    "live",
    "setup",
    "solution",
    "source",
]

"""What a notebook of the course calls: `setup`, `claim`, `exercise`, `check`, `figure`, `source`, `live`."""

from cnnkit.course.checking import check, exercise, hint, solution
from cnnkit.course.claims import Claim, ClaimFailed, Finding, claim, collect
from cnnkit.course.drawing import PALETTE, apply_style, figure
from cnnkit.course.exercises import Exercise, Mistake, solves
from cnnkit.course.live import live
from cnnkit.course.notebook import setup
from cnnkit.course.reading import source

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
    "solves",
    "source",
]

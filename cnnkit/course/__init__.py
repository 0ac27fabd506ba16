"""What a notebook of the course calls: `setup`, `claim`, `exercise`, `check`, `figure`, `source`, `live`."""

from cnnkit.course.agreement import Disagreement, agrees
from cnnkit.course.breaks import Break
from cnnkit.course.checking import check, exercise, hint, solution
from cnnkit.course.claims import Claim, ClaimFailed, Finding, claim, collect
from cnnkit.course.exercises import Exercise, Mistake, solves
from cnnkit.course.live import live
from cnnkit.course.notebook import figure, setup
from cnnkit.course.reading import source
from cnnkit.course.style import PALETTE, apply_style

__all__ = [
    "PALETTE",
    "Break",
    "Claim",
    "ClaimFailed",
    "Disagreement",
    "Exercise",
    "Finding",
    "Mistake",
    "agrees",
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

"""Fair comparisons: arms, rates, seeds, rivals, verdicts.

A trial gives every arm the same rates, tried with the same seeds and chosen on a validation part, and trains it until
doubling its budget moves nothing.  A verdict is a paired difference over five other seeds with its interval; where the
comparison would not be fair, it is refused in a sentence.

>>> from cnnkit import trials
>>> x = np.random.default_rng(0).normal(size=(120, 4))
>>> y = (x.sum(axis=1) > 0).astype(int)
>>> parts = trials.split(((x[:80], y[:80]), (x[80:], y[80:])), train=50, validation=30)
>>> trials.rivals(parts)["linear, raw values"].test > 0.8
True
"""

from cnnkit.trials.definition import Trial, trial
from cnnkit.trials.errors import NoVerdict, TrialError
from cnnkit.trials.learners import Learner, Outcome, Training
from cnnkit.trials.race import Lead, Race
from cnnkit.trials.rivals import last_value, linear, local_threshold, nearest, rivals, sliding_template
from cnnkit.trials.scores import ACCURACY, R2, Score
from cnnkit.trials.shelf import described, find, main, recorded, script, trials_of
from cnnkit.trials.splits import Split, split

__all__ = [
    "ACCURACY",
    "R2",
    "Lead",
    "Learner",
    "NoVerdict",
    "Outcome",
    "Race",
    "Score",
    "Split",
    "Training",
    "Trial",
    "TrialError",
    "described",
    "find",
    "last_value",
    "linear",
    "local_threshold",
    "main",
    "nearest",
    "recorded",
    "rivals",
    "script",
    "sliding_template",
    "split",
    "trial",
    "trials_of",
]

"""Layers, models and insight work without matplotlib, pandas, scikit-learn and scikit-image; what needs one says so."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.layering import ROOT

WITHOUT = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"matplotlib", "pandas", "sklearn", "skimage"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

sys.meta_path.insert(0, Blocked())
"""

EVERYTHING = """
from cnnkit import insight, layers, models, origins, scratch
from cnnkit.layers.registry import LAYERS
from tests.layers.common import build, load_cases, load_every_layer

load_every_layer()
for name, (_, cases) in load_cases().items():
    build(LAYERS[name], cases[0])
for name in models.names():
    with models.without_values():
        model = models.create(name)
        print(insight.summary(model))
"""


def without_extras(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has none of the four."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT + code]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def test_every_layer_and_every_model_is_made_and_summed_up_without_the_extras():
    run = without_extras(EVERYTHING)
    assert run.returncode == 0, run.stderr
    assert "60,000" in run.stdout


NEEDS = {
    "insight.drawing(models.create('lenet5'))": ("matplotlib", "plots"),
    "insight.summary(models.create('lenet5')).to_frame()": ("pandas", "plots"),
    "data.recorded('orientation-moved')": ("pandas", "plots"),
    "data.load('digits')": ("sklearn", "course"),
    "data.photograph('cat')": ("skimage", "course"),
    "training.k_fold([0, 0, 1, 1], 2)": ("sklearn", "course"),
    "course.apply_style()": ("matplotlib", "plots"),
}


def test_what_needs_an_extra_says_in_a_sentence_which():
    attempts = "".join(f"try: {code}\nexcept ImportError as error: print(error)\n" for code in NEEDS)
    run = without_extras(f"from cnnkit import course, data, insight, models, training\n{attempts}")
    assert run.returncode == 0, run.stderr
    wanted = [
        f'this needs {package}, which is not installed: pip install "cnnkit[{extra}]"'
        for package, extra in NEEDS.values()
    ]
    assert run.stdout.splitlines() == wanted

"""Layers, models and insight work without matplotlib, pandas, scikit-learn and scikit-image; what needs one says so."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement

from tests import layering
from tests.layering import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: What is imported under another name than it is installed by, or comes with something that is asked for.
INSTALLED_AS = {
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "PIL": "scikit-image",
    "requests": "pooch",
}
#: There where a notebook is open, and not needed elsewhere; the backends are extras of their own.
NOT_ASKED_FOR = {"IPython", "cnnkit", "__future__", *layering.BACKENDS}

WITHOUT = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"matplotlib", "pandas", "sklearn", "skimage"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

sys.meta_path.insert(0, Blocked())
"""

EVERYTHING = """
import keras
from cnnkit import insight, layers, models, origins, scratch
from cnnkit.layers.registry import LAYERS
from tests.layers.common import build, load_cases, load_every_layer

load_every_layer()
for name, (_, cases) in load_cases().items():
    build(LAYERS[name], cases[0])
for name in models.names():
    with keras.StatelessScope(initialize_variables=False):
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
    "course.apply_style()": ("matplotlib", "plots"),
}


def test_what_needs_an_extra_says_in_a_sentence_which():
    attempts = "".join(f"try: {code}\nexcept ImportError as error: print(error)\n" for code in NEEDS)
    run = without_extras(f"from cnnkit import course, data, insight, models\n{attempts}")
    assert run.returncode == 0, run.stderr
    wanted = [
        f'this needs {package}, which is not installed: pip install "cnnkit[{extra}]"'
        for package, extra in NEEDS.values()
    ]
    assert run.stdout.splitlines() == wanted


def asked_for(extra: str) -> set[str]:
    """The packages that `pip install cnnkit[extra]` brings, also through other extras; "" for none."""
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    parsed = [Requirement(line) for line in lines]
    through = [asked_for(name) for line in parsed if line.name == PROJECT["name"] for name in line.extras]
    return {line.name for line in parsed}.union(*through)


def test_each_package_that_is_imported_is_asked_for_and_each_that_is_asked_for_is_needed():
    imported, late = set(), set()
    for module in layering.modules(ROOT):
        imported |= {name.partition(".")[0] for _, name in layering.imported(module)}
        late |= {
            name.partition(".")[0] for name in re.findall(r"\bneeded\('([\w.]+)'", ast.unparse(module.tree))
        }
    named = (imported | late) - set(sys.stdlib_module_names) - NOT_ASKED_FOR
    wanted = {INSTALLED_AS.get(name, name) for name in named}
    assert wanted | {"tqdm"} == asked_for("") | asked_for("course") - {
        "cnnkit"
    }  # pooch shows its progress by tqdm


def test_every_package_of_the_extras_is_imported_late():
    extra = {"matplotlib", "pandas", "skimage", "sklearn", "PIL"}
    faults = []
    for module in layering.modules(ROOT):
        told = {  # for types alone, or where the one who writes it has a sentence of his own
            line
            for block in ast.walk(module.tree)
            if (isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING")
            or (
                isinstance(block, ast.Try)
                and any(
                    ast.unparse(h.type or h) in ("ImportError", "ModuleNotFoundError") for h in block.handlers
                )
            )
            for line in range(block.lineno, block.end_lineno + 1)
        }
        faults += [
            f"{module.name}:{line} imports {name}; ask for it by needed(...) where it is used"
            for line, name in layering.imported(module)
            if name.partition(".")[0] in extra and line not in told
        ]
    assert faults == []

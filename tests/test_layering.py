"""Who may import whom, what every public name carries, and how fast the package wakes up.

Beside each check of the real package stands a test that plants the fault and sees it caught.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import layering
from tests.layering import ROOT

FINE = '''
"""A module with nothing wrong."""

__all__ = ["double"]


def double(x: float) -> float:
    """Twice the number.

    Chapter: layers/convolution.
    """
    return 2 * x
'''


@pytest.fixture
def planted(tmp_path: Path):
    """A small project without a fault, and a function that writes a file into it."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return tmp_path

    write("cnnkit/__init__.py", '"""The package."""\n__all__ = ["scratch"]\n')
    write("cnnkit/scratch/__init__.py", 'from cnnkit.scratch.fine import double\n\n__all__ = ["double"]\n')
    write("cnnkit/scratch/fine.py", FINE)
    write("data/ledger.csv", "id,chapter\na,layers/convolution\nb,orientation\n")
    write("chapters/layers/convolution.ipynb", notebook("| Extends | `cnnkit.scratch.fine` |"))
    return write


def notebook(card: str) -> str:
    cells = [
        ("markdown", "# A title\n\nA promise.\n"),
        ("markdown", f"| | |\n|---|---|\n{card}\n"),
        ("code", "1"),
    ]
    return json.dumps({"cells": [{"cell_type": kind, "source": [text]} for kind, text in cells]})


def loaded_by_import(root: Path, watched: set[str]) -> set[str]:
    """Which of the watched modules `import cnnkit` brings along, in a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(root)!r}); import cnnkit; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return watched & set(run.stdout.split())


CHECKS = [
    layering.wrong_imports,
    layering.circles,
    layering.long_files,
    layering.poor_names,
    layering.wrong_cards,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_project_has_no_such_fault(check):
    faults = check(ROOT)
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_project_without_faults_passes(check, planted):
    assert check(planted("README.md", "")) == []


def test_every_part_of_the_package_has_its_place_in_the_rules():
    assert {module.part for module in layering.modules(ROOT) if module.part[:1].isalpha()} <= set(
        layering.MAY_IMPORT
    )


WRONG_IMPORTS = [
    ("cnnkit/scratch/a.py", "from cnnkit.layers import Convolution", "scratch may not"),
    ("cnnkit/scratch/a.py", "from cnnkit import data", "scratch may not"),
    ("cnnkit/scratch/a.py", "from .. import layers", "scratch may not"),
    ("cnnkit/scratch/deep/a.py", "from ...layers.registry import LAYERS", "scratch may not"),
    ("cnnkit/scratch/a.py", "import keras", "NumPy alone"),
    ("cnnkit/layers/a.py", "def late():\n    import cnnkit.models.lenet", "layers may not"),
    ("cnnkit/models/a.py", "from cnnkit.origins import cells", "models may not"),
    ("cnnkit/insight/a.py", "from cnnkit.models import create", "insight may not"),
    ("cnnkit/insight/a.py", "import keras\nkeras.applications.ResNet50", "names an architecture"),
    ("cnnkit/models/a.py", "from cnnkit.course import claim", "models may not"),
    ("cnnkit/course/a.py", "import cnnkit.cli", None),
    ("cnnkit/layers/a.py", "import tensorflow as tf", "may name a backend"),
    ("cnnkit/layers/a.py", "from jax import numpy", "may name a backend"),
    ("cnnkit/layers/a.py", "import keras\nif keras.backend.backend() == 'jax': pass", "asks which backend"),
    ("cnnkit/layers/a.py", "from keras.config import backend", "asks which backend"),
    ("cnnkit/insight/a.py", "from keras.applications import ResNet50", "names an architecture"),
    ("cnnkit/insight/a.py", "from keras import applications", "names an architecture"),
    ("cnnkit/_names.py", "import cnnkit.layers", "imports no part"),
    ("cnnkit/newpart/a.py", "import cnnkit.layers", "give it a place"),
]


@pytest.mark.parametrize(("name", "text", "message"), WRONG_IMPORTS, ids=lambda value: None)
def test_an_import_that_climbs_is_caught(name, text, message, planted):
    faults = layering.wrong_imports(planted(name, text))
    assert len(faults) == 1 and (message or "course may not") in faults[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cnnkit/gradients.py", "import tensorflow, jax, torch, keras\nkeras.backend.backend()"),
        (
            "cnnkit/layers/a.py",
            "import keras\nfrom cnnkit.scratch import double\nfrom cnnkit._names import unknown",
        ),
        ("cnnkit/models/a.py", "from cnnkit.layers import registry\nfrom .registry import register"),
        ("cnnkit/cli.py", "def late():\n    from cnnkit import course, models"),
    ],
)
def test_an_import_that_descends_is_let_through(name, text, planted):
    assert layering.wrong_imports(planted(name, text)) == []


CIRCLES = [
    {"a": "from cnnkit.scratch.b import f", "b": "from cnnkit.scratch import a"},
    {"a": "from cnnkit.scratch import b", "b": "def late():\n    from cnnkit.scratch.a import g"},
    {"a": "from . import b", "b": "import cnnkit.scratch.c", "c": "from .a import f"},
    {"a": "from cnnkit.scratch import f", "__init__": "from cnnkit.scratch.a import f"},
]


@pytest.mark.parametrize("texts", CIRCLES, ids=["two", "inside a function", "three", "through the package"])
def test_modules_that_import_each_other_are_caught(texts, planted):
    for name, text in texts.items():
        root = planted(f"cnnkit/scratch/{name}.py", text)
    ring = [f"cnnkit.scratch.{name}".removesuffix(".__init__") for name in sorted(texts)]
    assert layering.circles(root) == [f"{' and '.join(sorted(ring))} import each other"]


def test_modules_that_share_what_they_import_are_no_circle(planted):
    planted("cnnkit/scratch/a.py", "from cnnkit.scratch.c import f\nfrom cnnkit.scratch.b import g")
    assert layering.circles(planted("cnnkit/scratch/b.py", "from cnnkit.scratch.c import f")) == []


def test_a_file_of_501_lines_is_caught(planted):
    planted("cnnkit/scratch/long.py", "pass\n" * 501)
    faults = layering.long_files(planted("tests/just.py", "pass\n" * 500))
    assert len(faults) == 1 and "long.py has 501 lines" in faults[0]


POOR_NAMES = [
    (("    Chapter: layers/convolution.\n", ""), "must name one chapter, once"),
    (("def double", '@register(chapter="layers/convolution")\ndef double'), "must name one chapter, once"),
    (("    Chapter:", "    Chapter: orientation.\n    Chapter:"), "must name one chapter, once"),
    (
        ("    Chapter:", "    Paper: doi:10.1/2.\n    Paper: doi:10.1/3.\n    Chapter:"),
        "names its paper 2 times",
    ),
    (("layers/convolution", "layers/convolutions"), "no chapter of the plan"),
    (("layers/convolution", "models/convolution"), "no chapter of the plan"),
    (("x: float", "x"), "leaves x without a type"),
    (("x: float", "*x"), "leaves x without a type"),
    ((" -> float", ""), "leaves return without a type"),
    (('"double"', '"double", "treble"'), "lists treble"),
    (('__all__ = ["double"]', ""), "has no __all__"),
]


@pytest.mark.parametrize(("change", "message"), POOR_NAMES, ids=lambda value: None)
def test_a_public_name_that_lacks_something_is_caught(change, message, planted):
    assert change[0] in FINE
    faults = layering.poor_names(planted("cnnkit/layers/a.py", FINE.replace(*change)))
    assert any(message in fault for fault in faults), faults


@pytest.mark.parametrize("name", ["cnnkit/course/a.py", "cnnkit/gradients.py", "cnnkit/data/download.py"])
def test_infrastructure_needs_no_chapter_and_may_name_none(name, planted):
    bare = FINE.replace("\n\n    Chapter: layers/convolution.\n    ", "")
    assert "Chapter" not in bare and layering.poor_names(planted(name, bare)) == []
    module = name.removesuffix(".py").replace("/", ".")
    assert layering.poor_names(planted(name, FINE)) == [
        f"{module}.double names a chapter, and stands where none is taught; leave it out"
    ]


def test_a_public_name_without_a_docstring_is_caught(planted):
    faults = layering.poor_names(planted("cnnkit/layers/a.py", '__all__ = ["f"]\ndef f() -> None: ...\n'))
    assert "cnnkit.layers.a.f has no docstring" in faults


def test_a_method_without_types_is_caught_and_the_registered_chapter_counts(planted):
    layer = '''
        __all__ = ["Layer"]
        @register_layer(chapter="layers/convolution")
        class Layer:
            """A layer."""
            def __init__(self, size: int, **options) -> None: ...
            def call(self, x: object) -> object: ...
            def scale(self) -> float: ...
    '''
    faults = layering.poor_names(
        planted("cnnkit/layers/a.py", "\n".join(line[8:] for line in layer.split("\n")))
    )
    assert faults == [
        "cnnkit.layers.a.Layer.scale has no docstring",
        "cnnkit.layers.a.Layer: __init__ leaves options without a type",
    ]


def test_a_model_has_the_chapter_of_its_family_unless_it_names_its_own(planted):
    family = '__all__ = ["net"]\nF = family("f", chapter="layers/convolution", paper="doi:10.1/2")\n'
    net = 'def net() -> None:\n    """A net."""\n'
    assert layering.poor_names(planted("cnnkit/models/a.py", f'{family}@register("net", F)\n{net}')) == []
    own = '@register("net", F, chapter="orientation", paper="doi:10.1/3")\n'
    assert layering.poor_names(planted("cnnkit/models/a.py", family + own + net)) == []
    faults = layering.poor_names(planted("cnnkit/models/a.py", f'{family}@register("net")\n{net}'))
    assert len(faults) == 1 and "must name one chapter" in faults[0]


def test_a_method_that_its_base_class_explains_needs_no_second_docstring(planted):
    base = 'class Base:\n    """Above."""\n    def pool(self) -> None:\n        """Words."""\n'
    public = "Chapter: layers/convolution.\n"
    layer = f'class Layer(Base):\n    """A layer.\n\n    {public}    """\n    def pool(self) -> None: ...\n'
    text = '__all__ = ["Layer"]\n' + base + layer
    assert layering.poor_names(planted("cnnkit/layers/a.py", text)) == []
    faults = layering.poor_names(planted("cnnkit/layers/a.py", text.replace("(Base)", "")))
    assert faults == ["cnnkit.layers.a.Layer.pool has no docstring"]


def test_a_name_passed_on_that_its_module_keeps_private_is_caught(planted):
    planted("cnnkit/scratch/fine.py", FINE.replace('["double"]', "[]"))
    faults = layering.poor_names(planted("README.md", ""))
    assert faults == [
        "cnnkit/scratch/__init__.py passes on double, which cnnkit.scratch.fine does not list in __all__"
    ]


WRONG_CARDS = [
    ("| Time | a minute |", "names no module"),
    ("| Extends | nothing |", "names no module"),
    ("| Extends | `cnnkit.scratch.coarse` |", "no public name there"),
    ("| Extends | `cnnkit.scratch.fine` · `cnnkit.layers` |", "extends cnnkit.layers, but no public name"),
]


@pytest.mark.parametrize(("card", "message"), WRONG_CARDS, ids=lambda value: None)
def test_a_card_that_disagrees_with_the_package_is_caught(card, message, planted):
    faults = layering.wrong_cards(planted("chapters/layers/convolution.ipynb", notebook(card)))
    assert any(message in fault for fault in faults), faults


def test_a_module_that_no_card_lists_is_caught(planted):
    faults = layering.wrong_cards(planted("cnnkit/layers/a.py", FINE))
    assert faults == [
        "cnnkit.layers.a has a name that is taught in layers/convolution, whose card does not list it"
    ]


def test_a_card_may_name_a_whole_part(planted):
    assert (
        layering.wrong_cards(
            planted("chapters/layers/convolution.ipynb", notebook("| **Extends** | `cnnkit.scratch` |"))
        )
        == []
    )


def test_a_card_may_name_infrastructure_that_names_no_chapter(planted):
    planted("cnnkit/course/a.py", FINE.replace("\n\n    Chapter: layers/convolution.\n    ", ""))
    card = notebook("| Extends | `cnnkit.scratch` · `cnnkit.course` |")
    assert layering.wrong_cards(planted("chapters/layers/convolution.ipynb", card)) == []


def test_a_chapter_outside_the_plan_is_caught(planted):
    faults = layering.wrong_cards(
        planted("chapters/epilogue.ipynb", notebook("| Extends | `cnnkit.scratch` |"))
    )
    assert "epilogue is no chapter of the plan" in faults


def test_importing_cnnkit_loads_no_backend_and_no_numpy():
    watched = {"keras", "numpy", "matplotlib", "pandas", *layering.BACKENDS}
    assert loaded_by_import(ROOT, watched) == set()


def test_an_import_that_loads_a_backend_is_caught(planted):
    planted("keras.py", "")
    assert loaded_by_import(planted("cnnkit/__init__.py", "import keras"), {"keras", "jax"}) == {"keras"}


def test_importing_cnnkit_costs_less_than_a_tenth_of_a_second_beyond_numpy():
    code = "import numpy, time; t = time.perf_counter(); import cnnkit; print(time.perf_counter() - t)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        for _ in range(3)
    ]
    assert min(float(run.stdout) for run in runs) < 0.1


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

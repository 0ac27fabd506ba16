"""What `git clone` makes is a folder called cnnkit that holds a package called cnnkit: the commands work there too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layering import ROOT


def cloned(folder: Path) -> Path:
    """The files of this checkout as they are now, in a folder called as `git clone` calls it."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = folder / "cnnkit" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return folder / "cnnkit"


@pytest.mark.slow  # a notebook runs, and a second Keras starts
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout that could be cloned")
@pytest.mark.parametrize(
    "what",
    [["tests/course/test_showing.py"], ["--nbval", "--nbval-current-env", "chapters/models/lenet.ipynb"]],
)
def test_a_clone_called_cnnkit_passes_what_looks_at_paths_and_a_notebook(
    what: list[str], tmp_path: Path
) -> None:
    clone = cloned(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *what]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    run = subprocess.run(
        command, cwd=clone, env=environment | {"PYTHONPATH": str(clone)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]

"""What the scripts `chapters/**/*_trials.py` share: where a table was measured, and how it is written."""

from __future__ import annotations

import csv
import os
import platform
import sys
from pathlib import Path
from typing import Any

from cnnkit import _paths
from cnnkit.gradients import backend_name

__all__ = ["about", "write"]


def about() -> dict[str, str]:
    """Where, with what and by which command a table is measured: the last columns of each of its rows."""
    import keras
    import numpy

    script, *arguments = sys.argv
    path, root = Path(script).resolve(), _paths.chapters().parent
    where = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return {
        "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
        "versions": f"Keras {keras.__version__} on {backend_name()}, NumPy {numpy.__version__}, "
        f"Python {platform.python_version()}",
        "command": " ".join([f"python {where}", *arguments]),
    }


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the table `data/results/NAME`, one row a dict, all with the same keys."""
    with (_paths.resource("results") / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

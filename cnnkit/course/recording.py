"""What the scripts beside this file share: where a table was measured, and how it is written."""

from __future__ import annotations

import csv
import os
import platform
import sys
from pathlib import Path

import keras
import numpy as np

from cnnkit.gradients import backend_name

HERE = Path(__file__).parent


def about() -> dict[str, str]:
    """Where, with what and by which command it was measured."""
    script, *arguments = sys.argv
    return {
        "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
        "versions": f"Keras {keras.__version__} on {backend_name()}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}",
        "command": " ".join([f"python data/results/{Path(script).name}", *arguments]),
    }


def write(name: str, rows: list[dict]) -> None:
    """A table, one row a dict, all with the same keys."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

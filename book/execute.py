"""Run chapters in place and save them with their outputs: `python book/execute.py layers/convolution ...`.

Without names, runs all that `_toc.yml` lists. Saves only what ran through, and nothing that differs from
machine to machine (execution times, kernel versions).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from cnnkit.course.catalogue import reading_order

ROOT = Path(__file__).parent.parent


def run(path: Path) -> float:
    """Execute one notebook in place; returns the seconds it took."""
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": path.parent}},
    ).execute()
    seconds = time.perf_counter() - start
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
    _, notebook = nbformat.validator.normalize(notebook)
    nbformat.write(notebook, path)
    return seconds


def main() -> None:
    for name in sys.argv[1:] or reading_order():
        path = ROOT / "chapters" / f"{name}.ipynb"
        print(f"{name}: {run(path):.1f} s", flush=True)


if __name__ == "__main__":
    main()

"""Run chapters in place and save them with their outputs: `python book/execute.py layers/convolution ...`.

Without names, runs all that `_toc.yml` lists. Writes the setup cell, which is the same in all of them and pins the
version that runs. Saves only what ran through, and nothing that differs from machine to machine (execution times,
kernel versions).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient

import cnnkit
from cnnkit._names import unknown
from cnnkit.course.catalogue import reading_order, written_chapters

ROOT = Path(__file__).parent.parent

SETUP = """try:
    import cnnkit
except ImportError:  # on Colab: the release of this page; NumPy, Keras and TensorFlow stay as they are
    %pip install -q "cnnkit[course] @ git+{repository}@v{version}"
from cnnkit.course import check, claim, exercise, figure, hint, live, setup, solution, source

setup("{chapter}")"""


def setup_cell(chapter: str) -> str:
    """The second cell of a chapter: brings, where cnnkit is missing, the release that the notebook was run with."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    return SETUP.format(repository=repository, version=cnnkit.__version__, chapter=chapter)


def run(path: Path) -> float:
    """Execute one notebook in place; returns the seconds it took."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = setup_cell(path.relative_to(ROOT / "chapters").with_suffix("").as_posix())
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
    beside = path.with_suffix(".part")
    try:
        nbformat.write(notebook, beside)
        beside.replace(path)  # whole, or as it was
    finally:
        beside.unlink(missing_ok=True)
    return seconds


def main() -> None:
    known = written_chapters()
    for name in sys.argv[1:]:
        if name not in known:
            sys.exit(unknown("chapter", name, known))
    for name in sys.argv[1:] or reading_order():
        path = ROOT / "chapters" / f"{name}.ipynb"
        print(f"{name}: {run(path):.1f} s", flush=True)


if __name__ == "__main__":
    main()

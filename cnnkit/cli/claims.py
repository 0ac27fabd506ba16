"""`cnnkit claims`: what the notebooks measured, beside what was published."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnnkit._names import unknown
from cnnkit.cli.parts import Mistake, part
from cnnkit.cli.printing import plain, print_json, print_table

__all__: list[str] = []


def claims(options: argparse.Namespace) -> int:
    folder = options.folder or _notebooks()
    if not folder.is_dir():
        raise Mistake(f"there is no folder '{folder}'")
    findings = part("course").collect(folder)
    if options.chapter:
        known = sorted({finding.chapter for finding in findings})
        findings = [finding for finding in findings if finding.chapter == options.chapter]
        if not findings:
            raise Mistake(unknown("chapter with claims", options.chapter, known))
    if options.json:
        return print_json([plain(finding) for finding in findings])
    rows = [(f.chapter, f.id, f.measured, f.published or "-", f.rule) for f in findings]
    print_table(("chapter", "claim", "measured", "published", "holds"), rows)
    chapters = len({finding.chapter for finding in findings})
    print(f"\nclaims: {len(rows)}, chapters: {chapters}; each claim held when its notebook ran")
    return 0


def _notebooks() -> Path:
    """The chapters of the project that one stands in, or of the checkout that the package runs from."""
    for root in (Path.cwd(), Path(__file__).parents[2]):
        if any((root / "chapters").rglob("*.ipynb")):
            return root / "chapters"
    raise Mistake("no notebooks here: run this in a checkout of the book, or name the folder that holds them")

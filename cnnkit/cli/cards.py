"""The cards of all networks, kept on disk between two runs, so that a list need not wait for a backend."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cnnkit
from cnnkit.cli import files
from cnnkit.cli.parts import part

__all__: list[str] = []


def every(modules: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    """Every card as plain values, by its name; "text" is the card in words.

    Networks are registered when their modules are imported, and those import Keras. So the cards are written down
    once for each state of the package's sources, and read from there unless modules of the user's are asked for.
    """
    kept = None if modules or "keras" in sys.modules else _file()
    if kept:
        with contextlib.suppress(OSError, ValueError):  # never written, or not whole
            return json.loads(kept.read_text("utf-8"))
    networks = part("models")
    files.import_modules(modules)
    cards = {name: networks.card(name) for name in networks.names()}
    found = {name: {**card.as_dict(), "text": str(card)} for name, card in cards.items()}
    if kept:
        _keep(kept, json.dumps(found, default=str))
    return found


def _file() -> Path:
    """Where the cards of these sources are kept: any change of a network's file is another file."""
    digest = hashlib.sha256(cnnkit.__version__.encode())
    for source in sorted((Path(cnnkit.__file__).parent / "models").rglob("*.py")):
        digest.update(source.read_bytes())
    return part("data").cache_folder() / f"cards-{digest.hexdigest()[:16]}.json"


def _keep(file: Path, text: str) -> None:
    """Write the file whole or not at all; a folder that cannot be written to costs time, nothing else."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        for former in file.parent.glob("cards-*.json"):
            former.unlink(missing_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(text, "utf-8")
        draft.replace(file)

"""The defaults of everything public: whoever changes one changes other people's networks, and is to know it.

`python tests/test_signatures.py` writes them anew into `tests/signatures.json`.
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import cnnkit

WRITTEN = Path(__file__).with_name("signatures.json")


def defaults() -> dict[str, dict[str, str]]:
    """For each public function, class and method of a class its defaults, as Python writes them."""
    found: dict[str, dict[str, str]] = {}

    def enter(name: str, thing: object) -> None:
        try:
            parameters = inspect.signature(thing).parameters.values()
        except (TypeError, ValueError):
            return
        told = {
            p.name: getattr(p.default, "__name__", repr(p.default))
            for p in parameters
            if p.default is not p.empty
        }
        if told:
            found[name] = told

    for part in cnnkit._PARTS:
        module = importlib.import_module(f"cnnkit.{part}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.ismodule(thing):
                continue
            enter(f"{part}.{name}", thing)
            if inspect.isclass(thing):
                for method, function in vars(thing).items():
                    if inspect.isfunction(function) and not method.startswith("_"):
                        enter(f"{part}.{name}.{method}", function)
    return dict(sorted(found.items()))


def test_no_default_changes_unnoticed() -> None:
    written, now = json.loads(WRITTEN.read_text("utf-8")), defaults()
    changed = {
        name: (written.get(name), now.get(name))
        for name in {*written, *now}
        if written.get(name) != now.get(name)
    }
    assert not changed, "if it is meant: python tests/test_signatures.py, and a line in CHANGELOG.md"


if __name__ == "__main__":
    WRITTEN.write_text(json.dumps(defaults(), indent=1) + "\n", "utf-8")

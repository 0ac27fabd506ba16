"""Every data set of the course behind one door: names, cards, loaders.

A card says what a set is, what one may do with it, who made it, where its files come from and how they
are known to be whole.  Files are found by `cnnkit.data.download`; a loader turns them into arrays.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnkit._names import unknown

__all__ = ["DataCard", "DataFile", "Layout", "card", "load", "names", "register"]


@dataclass(frozen=True)
class DataFile:
    """One file of a data set: its name, SHA-256, size in bytes, and the addresses it can be had from.

    `addresses` is empty for a file that was derived for this course and lies at no public address.
    """

    name: str
    sha256: str
    bytes: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """One form in which a data set may lie in its folder, with `complete=False` for a subset."""

    name: str
    files: tuple[DataFile, ...]
    complete: bool = True
    note: str = ""


@dataclass(frozen=True)
class DataCard:
    """What to know of a data set before it is used.

    `tier` 1 is always there, 2 is a real set that is fetched, 3 are pretrained weights.  `licence_read` is
    False where the licence is hearsay: check it at `homepage` before you publish with the data.
    The first layout is the canonical one; `folder` is where the files lie below `$CNNKIT_DATA`.
    """

    name: str
    title: str
    tier: int
    task: str
    shape: tuple[int | None, ...]
    classes: int | None
    samples: str
    licence: str
    licence_read: bool
    citation: str
    homepage: str
    identifier: str | None = None
    folder: str = ""
    layouts: tuple[Layout, ...] = ()
    note: str = ""

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files of the canonical layout, none for what ships with the package or is generated."""
        return self.layouts[0].files if self.layouts else ()

    @property
    def bytes(self) -> int | None:
        """Bytes of the canonical layout, None where a size is not known."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(sizes)  # type: ignore[arg-type]

    def layout(self, name: str | None = None) -> Layout:
        """The layout of that name, or the canonical one."""
        if not self.layouts:
            raise ValueError(
                f"'{self.name}' needs no files: cnnkit.data.load('{self.name}') makes it on the spot"
            )
        known = {layout.name: layout for layout in self.layouts}
        if name is not None and name not in known:
            raise KeyError(unknown(f"layout of '{self.name}'", name, known))
        return known[name] if name else self.layouts[0]

    def __str__(self) -> str:
        licence = self.licence + ("" if self.licence_read else " (to be checked at the address)")
        rows = {
            "task": self.task,
            "one sample": " x ".join("?" if side is None else str(side) for side in self.shape),
            "samples": self.samples,
            "licence": licence,
            "cite": self.citation + (f", {self.identifier}" if self.identifier else ""),
            "address": self.homepage,
            "note": self.note,
        }
        lines = [f"{self.title} ({self.name}, tier {self.tier})"]
        return "\n".join(lines + [f"  {key:<10}  {value}" for key, value in rows.items() if value])


CARDS: dict[str, DataCard] = {}
LOADERS: dict[str, Callable[..., Any]] = {}


def register(entry: DataCard, loader: Callable[..., Any] | None = None) -> DataCard:
    """List a data set, with the function that loads it if there is one.

    >>> register(my_card, loader=lambda: (x, y))  # doctest: +SKIP
    """
    if entry.name in CARDS:
        raise ValueError(f"a data set called '{entry.name}' is registered already; choose another name")
    CARDS[entry.name] = entry
    if loader is not None:
        LOADERS[entry.name] = loader
    return entry


def names(pattern: str = "*") -> list[str]:
    """The names of the data sets that match a shell pattern, in alphabetical order.

    >>> names("*mnist")
    ['fashion_mnist', 'mnist']
    """
    return sorted(fnmatch.filter(CARDS, pattern))


def card(name: str) -> DataCard:
    """The card of a data set.

    >>> card("mnist").samples
    '60,000 + 10,000'
    """
    if name not in CARDS:
        raise KeyError(unknown("data set", name, CARDS))
    return CARDS[name]


def load(name: str, **options: Any) -> Any:
    """Arrays of a data set, fetched first where need be.

    Labelled sets give `(x_train, y_train), (x_test, y_test)`: images float32 in [0, 1], channels last;
    labels int64.  The options are those of the set's own loader.

    >>> (x_train, y_train), (x_test, y_test) = load("digits")
    >>> x_train.shape
    (1352, 8, 8, 1)
    """
    entry = card(name)
    if name not in LOADERS:
        raise ValueError(
            f"'{name}' has no loader yet; cnnkit.data.fetch('{name}') gives the folder with its files: "
            + ", ".join(file.name for file in entry.files)
        )
    return LOADERS[name](**options)

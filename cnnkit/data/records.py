"""The tables of `data/results/`: what was measured once, with its recipe, and is not measured on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnkit._names import needed, unknown
from cnnkit._paths import resource

if TYPE_CHECKING:
    import pandas

__all__ = ["recorded"]


def recorded(name: str) -> pandas.DataFrame:
    """A table of recorded results; its rows say seed, recipe and versions.

    >>> recorded("orientation-moved").trial.unique().item()
    'orientation-moved'
    """
    pandas = needed("pandas", "plots")
    tables = {path.stem: path for path in resource("results").glob("*.csv")}
    if name not in tables:
        raise KeyError(unknown("table of results", name, tables))
    return pandas.read_csv(tables[name])

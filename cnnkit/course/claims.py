"""A claim: what the literature says, what this page measures, and whether the two agree."""

from __future__ import annotations

import html
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.course import notebook
from cnnkit.course.catalogue import find, in_reading_order
from cnnkit.course.style import PALETTE

__all__ = ["Claim", "ClaimFailed", "Finding", "claim", "collect"]


@dataclass(frozen=True)
class Claim:
    """A statement of the literature in our words, where it is published, and the ledger rows that it settles.

    Its id may be a row of the ledger, and that row is settled; `ledger` names others.  A claim that says no more than
    its row needs no statement: it has the row's.
    """

    statement: str = ""
    source: str = ""
    ledger: tuple[str, ...] = ()


class ClaimFailed(AssertionError):
    """A claim that does not hold: the message shows both numbers and the tolerance."""


@dataclass(frozen=True)
class Finding:
    """A claim that was checked: what was measured, beside what, and by which rule it holds."""

    id: str
    chapter: str
    statement: str
    source: str
    measured: str
    published: str
    rule: str


def claim(
    id: str,
    measured: Any,
    published: Any = None,
    *,
    rel: float | None = None,
    abs: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    digits: int = 3,
) -> None:
    """Check a measured value against a published one, print one stable line, raise when it does not hold.

    Args:
        id: the claim's name in the chapter's `CLAIMS`.
        measured: what this page found: a number, a word, or several of them.
        published: what the source says; the two must be equal unless `rel` or `abs` is given.
        rel: how far they may differ, as a share of the published number.
        abs: how far they may differ, as a number.
        at_least: a lower bound, for a measurement that no publication states.
        at_most: an upper bound, likewise.
        digits: how many significant digits of a float are shown, so that any machine prints the same line.

    Raises:
        ClaimFailed: where it does not hold, with both numbers and the tolerance.

    Example::

        claim("lenet5-params", measured=model.count_params(), published=60_000)
        claim("vgg16-params", measured=138_357_544, published=138e6, rel=0.01)
    """
    entry: Claim = find("claim", id, notebook.current_chapter())
    measured, published = _plain(measured), _plain(published)
    rule, holds = _judge(id, measured, published, rel, abs, at_least, at_most)
    shown, beside = _show(measured, digits), "" if published is None else _show(published, digits)
    if not holds:
        wanted = f"published {beside}, {rule}" if beside else rule
        exact = f" (exactly: {measured!r})" if isinstance(measured, float) and repr(measured) != shown else ""
        raise ClaimFailed(f"claim '{id}' does not hold: measured {shown}{exact}; {wanted}. {entry.statement}")
    finding = Finding(
        id, notebook.current_chapter() or "", entry.statement, entry.source, shown, beside, rule
    )
    notebook.show(
        {"text/plain": _line(finding), "text/html": _html(finding)},
        metadata={"cnnkit-claim": asdict(finding)},
    )


def collect(folder: str | Path) -> list[Finding]:
    """All findings that the notebooks under a folder hold in their outputs, in reading order."""
    findings = []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} is no notebook: it cannot be read as one") from None
        for cell in cells:
            for output in cell.get("outputs", []):
                record = output.get("metadata", {}).get("cnnkit-claim")
                if record:
                    findings.append(Finding(**record))
    order = in_reading_order(dict.fromkeys(finding.chapter for finding in findings))
    return sorted(findings, key=lambda finding: order.index(finding.chapter))


def _judge(
    id: str,
    measured: Any,
    published: Any,
    rel: float | None,
    abs_: float | None,
    at_least: float | None,
    at_most: float | None,
) -> tuple[str, bool]:
    bounds = [b for b in (at_least, at_most) if b is not None]
    if (published is None) == (not bounds):
        raise TypeError(
            f"claim '{id}' needs either published= (with rel= or abs=, or exact) or at_least=/at_most="
        )
    if bounds:
        if rel is not None or abs_ is not None:
            raise TypeError(f"claim '{id}': rel= and abs= belong to published=, not to at_least=/at_most=")
        _number(id, measured)
        words = [f"at least {_show(at_least, 3)}"] if at_least is not None else []
        words += [f"at most {_show(at_most, 3)}"] if at_most is not None else []
        low = -math.inf if at_least is None else at_least
        high = math.inf if at_most is None else at_most
        return " and ".join(words), bool(np.all(np.isfinite(measured)) and low <= measured <= high)
    if rel is None and abs_ is None:
        return "exact", bool(measured == published)
    if rel is not None and abs_ is not None:
        raise TypeError(f"claim '{id}': give rel= or abs=, not both")
    _number(id, measured)
    tolerance = abs_ if rel is None else rel * math.fabs(published)
    word = f"within {_show(abs_, 3)}" if rel is None else f"within {100 * rel:g} %"
    return word, bool(math.fabs(measured - published) <= tolerance)


def _number(id: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"claim '{id}': a tolerance needs a number, and measured is {value!r}")


def _plain(value: Any) -> Any:
    """NumPy scalars, small arrays and tensors as plain Python, so that they print the same everywhere."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(_plain(v) for v in value)
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else tuple(_plain(v) for v in array.tolist())


def _show(value: Any, digits: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        if value == int(value) and math.fabs(value) >= 1000:
            return f"{int(value):,}"
        if math.fabs(value) >= 10**digits and math.fabs(value) < 1e12:
            return f"{round(value):,}"
        return f"{value:.{digits}g}"
    if isinstance(value, tuple):
        return " × ".join(_show(v, digits) for v in value)
    return str(value)


def _line(finding: Finding) -> str:
    beside = f" · published {finding.published}" if finding.published else ""
    return f"✓ {finding.id}: measured {finding.measured}{beside} · {finding.rule}"


def _html(finding: Finding) -> str:
    beside = f" · published {html.escape(finding.published)}" if finding.published else ""
    return (
        f'<div class="cnnkit-claim" id="claim-{finding.id}" '
        f'style="border-left:3px solid {PALETTE["green"]};padding:.15em .8em;margin:.35em 0">'
        f"<span>✓ {html.escape(finding.statement)}</span><br><small>measured "
        f"<b>{html.escape(finding.measured)}</b>{beside} · {html.escape(finding.rule)} · "
        f"{_linked(finding.source)}</small></div>"
    )


def _linked(source: str) -> str:
    """A source with its DOI or arXiv number made a link."""
    words = []
    for word in source.split(" "):
        bare = word.rstrip(",;.")
        tail = word[len(bare) :]
        if bare.startswith("doi:"):
            address = f"https://doi.org/{bare[4:]}"
        elif bare.lower().startswith("arxiv:"):
            address = f"https://arxiv.org/abs/{bare[6:]}"
        else:
            words.append(html.escape(word))
            continue
        words.append(f'<a href="{address}">{html.escape(bare)}</a>{tail}')
    return " ".join(words)

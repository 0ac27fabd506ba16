"""A claim: what the literature says, what this page measures, and whether the two agree."""

from __future__ import annotations

import html
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.course import notebook
from cnnkit.course.breaks import TRIED, breaks
from cnnkit.course.catalogue import find, in_reading_order
from cnnkit.course.style import PALETTE

__all__ = ["Claim", "ClaimFailed", "Finding", "claim", "collect"]


#: What a finding's record always has; the rest only where there is something to say.
_ALWAYS = ("id", "chapter", "statement", "source", "measured", "published", "rule")


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
    """A claim that was checked: what was measured, beside what, by which rule it holds, and what would make it fail."""

    id: str
    chapter: str
    statement: str
    source: str
    measured: str
    published: str
    rule: str
    expected: str = ""
    why: str = ""
    fails_when: str = ""


def claim(
    id: str,
    measured: Any,
    published: Any = None,
    *,
    expected: Any = None,
    rel: float | None = None,
    abs: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    why: str = "",
    digits: int = 3,
) -> None:
    """Check what was measured, print one stable line, raise when it does not hold.

    Three words, never mixed: `published` is a number that stands in the cited source, of the same thing on the same
    protocol; `expected` is what theory or arithmetic gives; `at_least` and `at_most` are bounds that we chose, and
    `why` says why. With `rel` or `abs` a published or expected number may differ by that much; without, it must be equal.

    A verdict of `cnnkit.trials` is held to a bound by its whole interval: all of it must lie on the right side, and not on it.
    A statement that says `{measured}` has what was measured put there.

    Args:
        id: of the claim, in the chapter's `CLAIMS`.
        measured: a number, a few numbers, yes or no, or a verdict.
        published: the source's number.
        expected: theory's number.
        rel: how far it may differ, as a share of the published or expected number.
        abs: how far it may differ.
        at_least: the lowest value that holds.
        at_most: the highest value that holds.
        why: the reason of the bound, which needs one.
        digits: significant digits of what is shown, so that any machine prints the same line.

    Raises:
        ClaimFailed: where the claim does not hold; the message shows both numbers.
        TypeError: where it is held to none of the three or to several, or to a bound without its reason.

    Example::

        claim("lenet5-params", measured=model.count_params(), published=60_000)
        claim("relu-leads-tanh", race.lead("relu", over="tanh"), at_least=0.0, why="its sign is the question")
    """
    if (tried := os.environ.get(TRIED)) and tried != id:
        return  # a break is running, and another claim is the one to fail
    chapter = notebook.current_chapter()
    entry: Claim = find("claim", id, chapter)
    verdict = measured if all(hasattr(measured, name) for name in ("low", "high", "sentence")) else None
    measured = float(measured) if verdict else _plain(measured)
    against = _against(id, published, expected, at_least, at_most)
    wanted = _plain(published if against == "published" else expected)
    if against == "bounds":
        _reasoned(id, why)
        rule, holds = _bounded(id, measured, verdict, at_least, at_most, rel, abs)
    else:
        rule, holds = _equal(id, measured, wanted, rel, abs, against)
    shown = verdict.sentence if verdict else _show(measured, digits)
    beside = "" if wanted is None else _show(wanted, digits)
    if not holds:
        told = f"{against} {beside}, {rule}" if beside else rule
        exact = f" (exactly: {measured!r})" if isinstance(measured, float) and repr(measured) != shown else ""
        raise ClaimFailed(f"claim '{id}' does not hold: measured {shown}{exact}; {told}. {entry.statement}")
    finding = Finding(
        id,
        chapter or "",
        entry.statement.replace("{measured}", shown),
        entry.source,
        shown,
        beside if against == "published" else "",
        rule,
        beside if against == "expected" else "",
        why,
        _fails_when(id, chapter),
    )
    record = {key: value for key, value in asdict(finding).items() if value or key in _ALWAYS}
    notebook.show(
        {"text/plain": _line(finding, entry), "text/html": _html(finding, entry)},
        metadata={"cnnkit-claim": record},
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


def _against(id: str, published: Any, expected: Any, at_least: float | None, at_most: float | None) -> str:
    """What a claim is held to: one of three things."""
    given = {
        "published": published is not None,
        "expected": expected is not None,
        "bounds": at_least is not None or at_most is not None,
    }
    if sum(given.values()) != 1:
        words = " and ".join(name for name, is_given in given.items() if is_given) or "none"
        raise TypeError(
            f"claim '{id}' needs one of published= (a source's number), expected= (theory's) and at_least=/at_most= "
            f"(bounds of our own); it has {words}"
        )
    return next(name for name, is_given in given.items() if is_given)


def _reasoned(id: str, why: str) -> None:
    if not why.strip():
        raise TypeError(
            f"claim '{id}' is held to a bound of our own without a reason: say with why= what the bound stands for, such as "
            "why='chance is 0.1' or why='its sign is the question'"
        )


def _bounded(
    id: str, measured: Any, verdict: Any, at_least: float | None, at_most: float | None, rel: Any, abs_: Any
) -> tuple[str, bool]:
    if rel is not None or abs_ is not None:
        raise TypeError(f"claim '{id}': rel= and abs= belong to published= and expected=, not to bounds")
    _number(id, measured)
    if at_least is not None and at_most is not None and at_least > at_most:
        raise TypeError(
            f"claim '{id}': at_least={at_least} is above at_most={at_most}: nothing can lie between"
        )
    words = [f"at least {_show(at_least, 3)}"] if at_least is not None else []
    words += [f"at most {_show(at_most, 3)}"] if at_most is not None else []
    low, high = (verdict.low, verdict.high) if verdict else (measured, measured)
    holds = (at_least is None or low >= at_least) and (at_most is None or high <= at_most)
    if verdict and (low == at_least or high == at_most):
        holds = False  # two arms that are one lead by nothing: at a bound is not beyond it
    return " and ".join(words), bool(holds and math.isfinite(low) and math.isfinite(high))


def _equal(
    id: str, measured: Any, wanted: Any, rel: float | None, abs_: float | None, against: str
) -> tuple[str, bool]:
    if rel is None and abs_ is None:
        return "exact", bool(measured == wanted)
    if rel is not None and abs_ is not None:
        raise TypeError(f"claim '{id}': give rel= or abs=, not both")
    _number(id, measured)
    tolerance = abs_ if rel is None else rel * math.fabs(wanted)
    word = f"within {_show(abs_, 3)}" if rel is None else f"within {100 * rel:g} %"
    return word, bool(math.fabs(measured - wanted) <= tolerance)


def _fails_when(id: str, chapter: str | None) -> str:
    """What the claim's break takes away, for the reader."""
    own = breaks(chapter) if chapter else {}
    return own[id].when if id in own else ""


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


def _line(finding: Finding, entry: Claim) -> str:
    fails = f" · fails when {finding.fails_when}" if finding.fails_when else ""
    if "{measured}" in entry.statement:
        return f"✓ {finding.statement}{_held(finding)}{fails}"
    return f"✓ {finding.id}: measured {finding.measured}{_held(finding)}{fails}"


def _held(finding: Finding) -> str:
    """Beside what, and by which rule."""
    beside = f" · published {finding.published}" if finding.published else ""
    beside = f" · expected {finding.expected}" if finding.expected else beside
    return f"{beside} · {finding.rule}{f' ({finding.why})' if finding.why else ''}"


def _html(finding: Finding, entry: Claim) -> str:
    told = "{measured}" in entry.statement
    measured = "" if told else f"measured <b>{html.escape(finding.measured)}</b>"
    held = html.escape(_held(finding).removeprefix(" · ") if told else _held(finding))
    fails = f" · <i>fails when</i> {html.escape(finding.fails_when)}" if finding.fails_when else ""
    return (
        f'<div class="cnnkit-claim" id="claim-{finding.id}" '
        f'style="border-left:3px solid {PALETTE["green"]};padding:.15em .8em;margin:.35em 0">'
        f"<span>✓ {html.escape(finding.statement)}</span><br><small>{measured}{held} · "
        f"{_linked(finding.source)}{fails}</small></div>"
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

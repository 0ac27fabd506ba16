"""The table of a trial: a CSV that grows as rows finish, and can be taken up again where it was left."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cnnkit.trials.errors import TrialError

__all__ = ["Row", "Table", "about"]


@dataclass(frozen=True)
class Row:
    """One run of one arm.

    `kind` says what it was for: "rival", "search" (chooses the rate), "verdict", or "doubled" (tells whether the verdict's
    budget had been enough).
    """

    trial: str
    settings: str
    kind: str
    arm: str
    rate: float | None
    seed: int
    epochs: int
    steps: int
    train: float
    validation: float
    test: float
    loss: float
    seconds: float
    status: str
    score: str
    scale: float
    unit: str
    examples: str
    script: str
    versions: str
    hardware: str

    @property
    def task(self) -> tuple[str, float | None, int, int]:
        """What was run: arm, rate, seed and epochs, whatever it was for."""
        return (self.arm, self.rate, self.seed, self.epochs)


#: The last column is six letters made of the others, so that a number changed by hand is seen.
COLUMNS = (*(field.name for field in fields(Row)), "check")
_KINDS = ("rival", "search", "verdict", "doubled")


def about() -> dict[str, str]:
    """With what and on what a row is measured."""
    import keras
    import numpy as np

    from cnnkit.gradients import backend_name

    backend = backend_name()
    return {
        "versions": f"Keras {keras.__version__} on {backend} {sys.modules[backend].__version__}, "
        f"NumPy {np.__version__}, Python {platform.python_version()}",
        "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
    }


class Table:
    """The rows on disk.

    Args:
        path: the CSV file; it need not exist.
        read: False where it is to be put aside.
    """

    def __init__(self, path: Path, read: bool = True) -> None:
        self.path = Path(path)
        self.rows = self._read() if read else []

    def _read(self) -> list[Row]:
        whole = self.path.read_bytes() if self.path.exists() else b""
        if _line(COLUMNS).encode().startswith(whole):  # cut off before the first row
            return []
        text = whole[: whole.rfind(b"\n") + 1].decode(errors="replace")  # half a row is none: it is run again
        text = text.replace("\r\n", "\n")  # as Git for Windows checks it out
        lines = text.splitlines(keepends=True)
        if not lines or lines[0] != _line(COLUMNS):
            first = whole[:60].decode(errors="replace").splitlines()[:1]
            raise TrialError(f"{self.path} is not the table of a trial: its first line is {first}")
        try:
            rows = [_parsed(line) for line in csv.DictReader(lines)]
        except (TypeError, ValueError) as error:
            raise TrialError(
                f"{self.path} holds a row that cannot be read ({error}); mend or delete that line"
            ) from None
        tasks = [row.task for row in rows]
        if twice := next((task for task in tasks if tasks.count(task) > 1), None):
            raise TrialError(
                f"{self.path} holds a row twice: arm '{twice[0]}', rate {twice[1]}, seed {twice[2]}, {twice[3]} epochs; "
                "delete one"
            )
        return rows

    def demand(self, settings: dict[str, str], versions: str) -> None:
        """Refuse to go on with a table of other arms, settings or versions."""
        for row in self.rows:
            if row.arm not in settings:
                raise TrialError(
                    f"{self.path.name} holds the arm '{row.arm}', which this trial does not have: it would stand among "
                    "its results. Give it back, or begin again with fresh=True (--fresh)"
                )
            for what, found, now in (
                (f"settings of '{row.arm}'", row.settings, settings[row.arm]),
                ("versions", row.versions, versions),
            ):
                if found != now:
                    raise TrialError(
                        f"{self.path.name} was recorded with the {what} '{found}', and this run has '{now}': they do not "
                        f"mix. Go on with those, or begin again with fresh=True (--fresh)"
                    )

    def add(self, row: Row) -> None:
        """Append a row, so that it is on disk before the next one begins."""
        before = self.path.stat().st_size if self.path.exists() else 0
        text = ("" if before else _line(COLUMNS)) + _told(row)
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # half a row is none
                os.truncate(self.path, before)
            raise TrialError(
                f"the row of arm '{row.arm}' could not be written to {self.path} ({error.strerror or error}); "
                f"the {len(self.rows)} rows before it are kept, and the trial goes on from there when it is run again"
            ) from error
        self.rows.append(row)

    def tidy(self) -> None:
        """Write the rows in a fixed order, whole or not at all; on a full disk they stay in the order that they came in."""
        order = list(dict.fromkeys(row.arm for row in self.rows))
        self.rows.sort(
            key=lambda r: (_KINDS.index(r.kind), order.index(r.arm), r.epochs, r.rate or 0.0, r.seed)
        )
        beside = self.path.with_suffix(".csv.part")
        try:
            beside.write_text(_line(COLUMNS) + "".join(map(_told, self.rows)), encoding="utf-8", newline="")
            beside.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()

    @contextlib.contextmanager
    def locked(self, fresh: bool = False) -> Iterator[None]:
        """Keep a second process off the file while this one writes to it; a process that is killed lets go of it.

        With `fresh` the file is put aside first, under a name that is free: `NAME.csv.old`, `NAME.csv.old2`, ...
        """
        lock = self.path.with_suffix(".csv.lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held = _held(lock)
        except OSError as error:
            raise TrialError(
                f"{self.path.parent} cannot be written to ({error.strerror or error}): let folder= name another"
            ) from error
        if held is None:
            owner = lock.read_text(encoding="utf-8").strip() if lock.exists() else ""
            raise TrialError(
                f"process {owner or '(just begun)'} is running this trial and writes to {self.path.name}: wait for it, "
                "or stop it"
            )
        try:
            if fresh and self.path.exists():
                names = (self.path.with_suffix(f".csv.old{n if n > 1 else ''}") for n in itertools.count(1))
                self.path.replace(next(name for name in names if not name.exists()))
            self.rows = self._read()
            if (
                self.path.exists()
            ):  # half a row that a kill has left goes, so that the next one begins on a line of its own
                whole = self.path.read_bytes()
                os.truncate(self.path, whole.rfind(b"\n") + 1)
            yield
        finally:
            lock.unlink(missing_ok=True)
            os.close(held)


def _held(lock: Path) -> int | None:
    """The lock file, opened and ours until we close it or die; None where another process has it."""
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR)
        try:
            _take(handle)
        except OSError:
            os.close(handle)
            return None
        if lock.exists() and os.path.samestat(os.fstat(handle), lock.stat()):
            with contextlib.suppress(OSError):  # on a full disk it holds no number
                os.truncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
            return handle
        os.close(handle)  # its owner has removed it between the two


def _take(handle: int) -> None:
    """Ask the operating system for the file, without waiting."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _told(row: Row) -> str:
    values = _line(asdict(row).values()).rstrip("\n")
    return f"{values},{_check(values)}\n"


def _check(values: str) -> str:
    return hashlib.sha256(values.encode()).hexdigest()[:6]


def _line(values: object) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(["" if v is None else v for v in values])
    return file.getvalue()


def _parsed(line: dict[str, str]) -> Row:
    if None in line.values() or None in line:
        raise ValueError(
            f"{len([v for v in line.values() if v is not None])} values in place of {len(COLUMNS)}"
        )
    check = line.pop("check")
    kinds = {"int": int, "float": float, "str": str}
    plain = {f.name: kinds[f.type](line[f.name]) for f in fields(Row) if f.type in kinds}
    row = Row(**plain, rate=float(line["rate"]) if line["rate"] else None)
    if check != _check(_line(line.values()).rstrip("\n")):
        raise ValueError(
            f"arm '{row.arm}', seed {row.seed}, {row.epochs} epochs: its numbers are not those that were recorded"
        )
    return row

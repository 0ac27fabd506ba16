"""Finding the files of a data set: the user's folder, then the cache, then the network.

A file counts only when its SHA-256 is right.  A download is written under a temporary name and moved into
place once its checksum holds, so whatever has the right name was whole when it got it, also when the
process was killed half way.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

from cnnkit.data.registry import DataCard, DataFile, Layout, card

__all__ = [
    "DataDamaged",
    "DataUnavailable",
    "available",
    "cache_folder",
    "fetch",
    "local_folder",
    "locate",
    "verify",
]

ENVIRONMENT = "CNNKIT_DATA"
_STALE_SECONDS = 24 * 3600


class DataUnavailable(FileNotFoundError):
    """A file of a data set cannot be had; the message names its address and the place to put it."""


class DataDamaged(ValueError):
    """A file has not the checksum it should have; the message names it, both sums and the remedy."""


def local_folder() -> Path | None:
    """The user's own data folder, `$CNNKIT_DATA`, or None where it is not set."""
    value = os.environ.get(ENVIRONMENT)
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Where downloads are kept: the operating system's cache folder for this user."""
    import pooch

    return Path(pooch.os_cache("cnnkit"))


def available(name: str, layout: str | None = None) -> bool:
    """Whether a set can be loaded without the network; `layout` asks for one form of it only.

    Looks at names and sizes; `verify` looks at every byte.

    >>> available("digits")
    True
    """
    entry = card(name)
    return not entry.layouts or locate(name, layout) is not None


def locate(name: str, layout: str | None = None) -> Path | None:
    """The folder in which all files of a set lie, `$CNNKIT_DATA` before the cache, or None."""
    entry = card(name)
    for form in [entry.layout(layout)] if layout else entry.layouts:
        for folder in _folders(entry):
            if all(_looks_whole(folder / file.name, file) for file in form.files):
                return folder
    return None


def verify(name: str, layout: str | None = None) -> dict[str, str]:
    """The state of each file of a set: `whole`, `damaged` or `missing`, judged by its SHA-256.

    >>> verify("digits")  # ships with scikit-learn: no files to look at
    {}
    """
    entry = card(name)
    if not entry.layouts:
        return {}
    state = {}
    for file in _form(entry, layout).files:
        found = [folder / file.name for folder in _folders(entry) if (folder / file.name).is_file()]
        state[file.name] = (
            "missing" if not found else "whole" if _sha256(found[0]) == file.sha256 else "damaged"
        )
    return state


def fetch(name: str, layout: str | None = None, progress: bool = True) -> Path:
    """The folder that holds a set's files, each checked, downloaded first where need be.

    A damaged file in the cache is deleted, named and fetched again once.  A damaged file in
    `$CNNKIT_DATA` is yours: it is named and left alone.

    >>> fetch("mnist")  # doctest: +SKIP
    PosixPath('/home/you/.cache/cnnkit/mnist')
    """
    entry = card(name)
    form = entry.layout(layout)
    own = local_folder()
    if own and all((own / entry.folder / file.name).is_file() for file in form.files):
        for file in form.files:
            _refuse_damage(own / entry.folder / file.name, file)
        return own / entry.folder
    folder = cache_folder() / entry.folder
    announced = False
    for file in form.files:
        path = folder / file.name
        if path.is_file():
            if _sha256(path) == file.sha256:
                continue
            path.unlink()
            _say(f"{path} was damaged (wrong SHA-256): deleted, fetching it again")
        if not announced:
            size = f", {entry.bytes / 1e6:.1f} MB" if entry.bytes else ""
            hearsay = "" if entry.licence_read else " (to be checked)"
            _say(f"{entry.title}{size}. Licence: {entry.licence}{hearsay}")
            announced = True
        _download(entry, file, path, progress)
    return folder


def _form(entry: DataCard, layout: str | None) -> Layout:
    """The layout asked for; otherwise the first one that is present, or the canonical one."""
    if layout is None:
        for form in entry.layouts:
            if any(all((folder / f.name).is_file() for f in form.files) for folder in _folders(entry)):
                return form
    return entry.layout(layout)


def _folders(entry: DataCard) -> list[Path]:
    own = local_folder()
    return [root / entry.folder for root in ([own] if own else []) + [cache_folder()]]


def _looks_whole(path: Path, file: DataFile) -> bool:
    return path.is_file() and file.bytes in (None, path.stat().st_size)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _refuse_damage(path: Path, file: DataFile) -> None:
    found = _sha256(path)
    if found != file.sha256:
        raise DataDamaged(
            f"{path} is damaged or another version: its SHA-256 is {found}, wanted is {file.sha256}. "
            f"It lies in your own folder (${ENVIRONMENT}) and was left as it is: replace it, or move it away "
            + (
                f"to have it fetched from {file.addresses[0]}"
                if file.addresses
                else "and put the right file there"
            )
        )


def _download(entry: DataCard, file: DataFile, path: Path, progress: bool) -> None:
    """Bring one file to `path`: every address is tried, the last one twice, before giving up."""
    place = (local_folder() or Path(f"${ENVIRONMENT}")) / entry.folder / file.name
    remedy = f"Put the file at {place}" + (
        "" if local_folder() else f", with {ENVIRONMENT} set to a folder of yours"
    )
    if not file.addresses:
        raise DataUnavailable(
            f"'{file.name}' of '{entry.name}' was derived from its original and has no public address. "
            f"The original is at {entry.homepage}. {remedy} (SHA-256 {file.sha256})"
        )
    import pooch
    import requests

    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    failures: list[str] = []
    for address in (*file.addresses, file.addresses[-1]):
        try:
            _say(f"{file.name} from {address}")
            pooch.HTTPDownloader(progressbar=progress, timeout=30)(address, part, None)
            found = _sha256(part)
            if found == file.sha256:
                part.replace(path)
                return
            failures.append(f"{address}: damaged on arrival (SHA-256 {found}, wanted {file.sha256}), deleted")
            _say(failures[-1])
        except (requests.RequestException, OSError) as error:
            failures.append(f"{address}: {_reason(error)}")
        finally:
            part.unlink(missing_ok=True)
    raise DataUnavailable(
        f"'{file.name}' of '{entry.name}' cannot be had.\n  "
        + "\n  ".join(dict.fromkeys(failures))
        + f"\n{remedy}"
    )


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError):
        return str(error).split(" for url")[0]
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection (is there a network?)"
    return f"{type(error).__name__}: {error}"


def _sweep(folder: Path) -> None:
    """Remove what a killed process left behind a day ago or more."""
    for part in folder.glob(".*.part"):
        if time.time() - part.stat().st_mtime > _STALE_SECONDS:
            part.unlink(missing_ok=True)


def _say(line: str) -> None:
    """To the error stream, so that no notebook's compared output depends on what was in the cache."""
    print(f"cnnkit.data: {line}", file=sys.stderr)

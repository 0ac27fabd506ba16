"""Several processes, on one machine or on many, that train one network together; JAX does the talking.

`cnnkit launch --hosts 2 train.py` starts the script once for each; nothing in it need know. `fit` gives each process its
share of every batch, so that the weights are those which one process would have found with the whole batch.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras

from cnnkit.gradients import backend_name

__all__ = ["HostError", "launch", "rank"]

_ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
_COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
_RANK = "KERAS_DISTRIBUTION_PROCESS_ID"
_ONLY_JAX = (
    "several hosts train together on JAX only, as Keras's fit does not work under TensorFlow's strategy for them: run it "
    "with KERAS_BACKEND=jax. On one host, fit(distribute='data') uses all its devices on TensorFlow as well"
)


class HostError(RuntimeError):
    """Hosts that could not begin or end together: the sentence says which, and where its words are.

    Chapter: training/hardware.
    """


def count() -> int:
    """How many processes train together; 1 where this one was not launched so."""
    return int(os.environ.get(_COUNT, "1"))


def rank() -> int:
    """The number of this process among those that train together, from 0.

    Example:
        >>> rank()
        0

    Chapter: training/hardware.
    """
    return int(os.environ.get(_RANK, "0"))


def launch(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    hosts: int | Sequence[str] = 2,
    this: int | None = None,
    grace: float = 10.0,
    logs: str | Path | None = None,
) -> None:
    """Run a script in several processes that train together, and wait for all of them.

    Args:
        script: a Python file that calls `cnnkit.training.fit`.
        arguments: of the script.
        hosts: how many processes on this machine; or the addresses of all machines, the same list on each.
        this: which of the addresses this machine is, from 0.
        grace: when one process has failed, how many seconds the others have to end by themselves.
        logs: a folder for what each process prints; by default the first one's is shown, and another's where it fails.

    Raises:
        HostError: where a process failed; the others have been ended by then.

    Chapter: training/hardware.
    """
    script = Path(script)
    if not script.is_file():
        raise HostError(f"there is no script at {script}")
    if isinstance(hosts, int):
        if hosts < 1:
            raise HostError(f"hosts is a number above 0, or a list of addresses, not {hosts}")
        addresses, ranks = [f"127.0.0.1:{_free_port()}"] * hosts, range(hosts)
    else:
        addresses = list(hosts)
        if this is None or not 0 <= this < len(addresses):
            raise HostError(
                f"say which of the {len(addresses)} addresses this machine is, from 0 to {len(addresses) - 1}; it is {this}"
            )
        ranks = range(this, this + 1)
    folder = Path(logs) if logs is not None else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    running = {place: _start(script, arguments, addresses, place, folder) for place in ranks}
    try:
        _wait(running, grace, folder)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def _start(
    script: Path, arguments: Sequence[str], addresses: Sequence[str], place: int, folder: Path | None
) -> subprocess.Popen:
    told = {
        **os.environ,
        _ADDRESSES: ",".join(addresses),
        _COUNT: str(len(addresses)),
        _RANK: str(place),
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": os.environ.get("JAX_CPU_COLLECTIVES_IMPLEMENTATION", "gloo"),
    }
    command = [sys.executable, "-m", "cnnkit.training.hosts", str(script), *arguments]
    if folder is None:
        return subprocess.Popen(command, env=told)
    with (folder / f"host-{place}.log").open("w", encoding="utf-8") as output:
        return subprocess.Popen(command, env=told, stdout=output, stderr=subprocess.STDOUT)


def _wait(running: dict[int, subprocess.Popen], grace: float, folder: Path | None) -> None:
    failed: int | None = None
    until = float("inf")
    while any(process.poll() is None for process in running.values()) and time.monotonic() < until:
        for place, process in running.items():
            if failed is None and process.poll() not in (None, 0):
                failed, until = place, time.monotonic() + grace
        time.sleep(0.1)
    if failed is None:
        failed = next((place for place, process in running.items() if process.returncode), None)
    if failed is not None:
        status = running[failed].returncode
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        where = f"; its last words are in {folder / f'host-{failed}.log'}" if folder else ""
        raise HostError(
            f"host {failed} of {len(running)} {how}, and the others were ended{where}. The last whole checkpoint is kept: launch "
            "it again to go on"
        )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _join_and_run(arguments: list[str]) -> None:
    """What each process does first: it meets the others, before anything is computed, and then runs the script."""
    if backend_name() != "jax":
        raise SystemExit(f"cnnkit: {_ONLY_JAX}")
    keras.distribution.initialize()
    sys.argv = arguments
    sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    _join_and_run(sys.argv[1:])

"""Files found, downloaded, damaged, cut short, refused: with a server on this machine, never the network."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cnnkit import data
from cnnkit.data import download
from cnnkit.data.registry import CARDS, DataCard, DataFile, Layout

WHOLE = b"the whole file, and nothing but the file\n" * 500
SHA256 = hashlib.sha256(WHOLE).hexdigest()


class Server:
    """Serves /whole, /damaged, /recovers (damaged once), /short (cut off) and /slow, and counts the requests."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                kind = self.path.split("/")[1]
                if kind == "missing":
                    self.send_error(404)
                    return
                first = outer.requests.count(self.path) == 1
                damaged = kind == "damaged" or (kind == "recovers" and first)
                self.send_response(200)
                self.send_header("Content-Length", str(len(WHOLE)))
                self.end_headers()
                self.wfile.write(
                    WHOLE[::-1] if damaged else WHOLE[:5000] if kind in ("short", "slow") else WHOLE
                )
                self.wfile.flush()
                if kind == "slow":
                    time.sleep(20)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(download, "cache_folder", lambda: folder)
    monkeypatch.delenv("CNNKIT_DATA", raising=False)
    return folder


@pytest.fixture
def offered(monkeypatch):
    """Register a set of one file for this test only; its addresses may be given."""

    def offer(*addresses: str, complete: bool = True) -> DataCard:
        layout = Layout("official", (DataFile("file.bin", SHA256, len(WHOLE), addresses),), complete)
        card = DataCard(
            "tiny", "A tiny set", 2, "testing", (1,), None, "one", "CC0", True, "us", "http://original.example",
            folder="tiny", layouts=(layout,),
        )  # fmt: skip
        monkeypatch.setitem(CARDS, "tiny", card)
        return card

    return offer


def test_a_file_is_downloaded_once_and_then_found_in_the_cache(server, cache, offered, capsys):
    offered(f"{server.address}/whole")
    assert not data.available("tiny")
    folder = data.fetch("tiny", progress=False)
    assert (folder / "file.bin").read_bytes() == WHOLE
    assert data.available("tiny") and data.locate("tiny") == cache / "tiny"
    assert "Licence: CC0" in capsys.readouterr().err
    data.fetch("tiny")
    assert server.requests == ["/whole"]


def test_progress_is_shown(server, cache, offered, capsys):
    offered(f"{server.address}/whole")
    data.fetch("tiny")
    assert "100%" in capsys.readouterr().err


def test_the_users_own_folder_comes_first(server, cache, offered, tmp_path, monkeypatch):
    offered(f"{server.address}/whole")
    own = tmp_path / "own" / "tiny"
    own.mkdir(parents=True)
    (own / "file.bin").write_bytes(WHOLE)
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path / "own"))
    assert data.fetch("tiny") == own
    assert server.requests == []
    assert not cache.exists()


def test_a_damaged_file_of_the_users_own_is_named_and_left_alone(
    server, cache, offered, tmp_path, monkeypatch
):
    offered(f"{server.address}/whole")
    own = tmp_path / "own" / "tiny" / "file.bin"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"not it")
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path / "own"))
    with pytest.raises(data.DataDamaged) as caught:
        data.fetch("tiny")
    assert str(own) in str(caught.value) and SHA256 in str(caught.value)
    assert own.read_bytes() == b"not it"
    assert data.verify("tiny") == {"file.bin": "damaged"}


def test_a_damaged_file_in_the_cache_is_deleted_named_and_fetched_again(server, cache, offered, capsys):
    offered(f"{server.address}/whole")
    path = cache / "tiny" / "file.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(WHOLE[::-1])  # the right size, so that only the checksum can tell
    assert data.verify("tiny") == {"file.bin": "damaged"}
    data.fetch("tiny", progress=False)
    assert path.read_bytes() == WHOLE
    assert data.verify("tiny") == {"file.bin": "whole"}
    assert f"{path} was damaged" in capsys.readouterr().err


def test_a_download_that_arrives_damaged_is_fetched_again_once(server, cache, offered):
    offered(f"{server.address}/recovers")
    assert (data.fetch("tiny", progress=False) / "file.bin").read_bytes() == WHOLE
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", ["damaged", "short"])
def test_a_download_that_stays_damaged_leaves_nothing(server, cache, offered, kind):
    offered(f"{server.address}/{kind}")
    with pytest.raises(data.DataUnavailable) as caught:
        data.fetch("tiny", progress=False)
    assert f"{server.address}/{kind}" in str(caught.value)
    assert "CNNKIT_DATA" in str(caught.value)
    assert len(server.requests) == 2
    assert list((cache / "tiny").iterdir()) == []
    assert not data.available("tiny")


def test_the_second_address_is_tried_when_the_first_has_nothing(server, cache, offered):
    offered(f"{server.address}/missing", f"{server.address}/whole")
    assert (data.fetch("tiny", progress=False) / "file.bin").read_bytes() == WHOLE
    assert server.requests == ["/missing", "/whole"]


def test_without_a_network_one_error_names_address_and_place(cache, offered, tmp_path, monkeypatch):
    offered("http://127.0.0.1:9/file.bin")
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path / "own"))
    with pytest.raises(data.DataUnavailable) as caught:
        data.fetch("tiny", progress=False)
    message = str(caught.value)
    assert "http://127.0.0.1:9/file.bin: no connection" in message
    assert str(tmp_path / "own" / "tiny" / "file.bin") in message
    assert caught.value.__cause__ is None and message.count("no connection") == 1


def test_a_derived_file_cannot_be_downloaded_and_the_card_says_where_the_original_is(cache, offered):
    offered(complete=False)
    with pytest.raises(
        data.DataUnavailable, match=r"no public address.*http://original\.example.*CNNKIT_DATA"
    ):
        data.fetch("tiny")


def test_a_killed_download_leaves_nothing_that_is_taken_for_whole(server, cache, offered):
    offered(f"{server.address}/slow")
    script = (
        "import sys, pathlib\n"
        "from cnnkit.data import download\n"
        "from cnnkit.data.registry import DataCard, DataFile, Layout, register\n"
        "folder, address, sha, size = sys.argv[1:]\n"
        "download.cache_folder = lambda: pathlib.Path(folder)\n"
        "layout = Layout('official', (DataFile('file.bin', sha, int(size), (address,)),))\n"
        "register(DataCard('tiny', 't', 2, 't', (1,), None, '', '', True, '', '', folder='tiny', layouts=(layout,)))\n"
        "download.fetch('tiny', progress=False)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("CNNKIT_DATA", None)
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(cache), f"{server.address}/slow", SHA256, str(len(WHOLE))],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 30
    while not list(cache.glob("tiny/.*.part")) and time.time() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    left = [path.name for path in (cache / "tiny").iterdir()]
    assert left and all(name.startswith(".") and name.endswith(".part") for name in left), (
        "killed in the middle"
    )
    assert not data.available("tiny")
    assert data.verify("tiny") == {"file.bin": "missing"}


def test_parts_left_by_a_killed_process_are_swept_away_a_day_later(server, cache, offered):
    offered(f"{server.address}/whole")
    (cache / "tiny").mkdir(parents=True)
    old, new = cache / "tiny" / ".file.bin.1.part", cache / "tiny" / ".file.bin.2.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    data.fetch("tiny", progress=False)
    assert not old.exists() and new.exists()

"""Devices: what is chosen, and that copies on several of them find the weights that one finds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from cnnkit import training
from cnnkit.training import backends, hosts

ROOT = Path(__file__).parents[2]
SCRIPT = """
    import os, sys, time
    import numpy as np, keras
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from cnnkit import training

    def net():
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(3)]
        return keras.Sequential([keras.Input((8, 8, 1)), *layers])

    def parts(n):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, 8, 8, 1)).astype("float32")
        return x, (x.mean((1, 2, 3)) > 0).astype(int) + (x[:, 0, 0, 0] > 1)

    HOW = training.Recipe(batch_size=32, weight_decay=1e-3)
"""
ON_TWO_DEVICES = """
    one, two = net(), net()
    for model, distribute in ((one, None), (two, "data")):
        run = training.fit(model, parts(320), validation=parts(64), recipe=HOW, epochs=2, verbose=0, distribute=distribute)
        print(run.chosen)
    gap = max(float(np.abs(a - b).max()) for a, b in zip(one.get_weights(), two.get_weights()))
    print("gap", gap)
    x, y = parts(64)
    single = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    training.fit(single, (x, y > 0), recipe=HOW, epochs=1, verbose=0, distribute="data")
    for data, validation in ((parts(320), parts(65)), (parts(1), None)):
        try:
            training.fit(net(), data, validation=validation, recipe=HOW, epochs=1, verbose=0, distribute="data")
        except ValueError as error:
            print(error)
"""
ON_TWO_HOSTS = """
    model = net()
    class Linger(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            print("epoch", epoch, os.getpid(), flush=True)
            time.sleep(float(sys.argv[2]))
    run = training.fit(
        model, parts(320), validation=parts(64), recipe=HOW, epochs=3, verbose=0, out=sys.argv[1], callbacks=[Linger()]
    )
    np.savez(f"{sys.argv[1]}/weights-{training.rank()}.npz", *model.get_weights())
"""


NOT_TWICE = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="these processes choose their own backend"
)


def environment(backend: str) -> dict[str, str]:
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2" if backend == "jax" else "",
    }


def script(folder: Path, body: str) -> Path:
    path = folder / "train.py"
    path.write_text(textwrap.dedent(SCRIPT) + textwrap.dedent(body), "utf-8")
    return path


@NOT_TWICE
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_copies_on_two_devices_find_what_one_finds(backend: str, tmp_path: Path) -> None:
    if backend == "jax":
        pytest.importorskip("jax", reason="jax is not installed")
    done = subprocess.run(
        [sys.executable, script(tmp_path, ON_TWO_DEVICES)],
        env=environment(backend),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one, two, gap, validation, few = [line for line in done.stdout.splitlines() if line]
    assert one.startswith("1 CPU of 2") and two.startswith("2 CPUs")
    assert float(gap.split()[1]) < 1e-5
    assert "validation holds 65 examples, which 2 devices cannot share equally: give 64 of them" in validation
    assert "1 examples cannot be shared by 2 devices" in few


def saved(folder: Path, rank: int) -> list[np.ndarray]:
    with np.load(folder / f"weights-{rank}.npz") as arrays:
        return [arrays[name] for name in arrays.files]


@NOT_TWICE
def test_two_processes_agree_to_the_bit_and_find_what_one_finds(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    path = script(tmp_path, ON_TWO_HOSTS)
    for name, value in {**environment("jax"), "XLA_FLAGS": ""}.items():
        monkeypatch.setenv(name, value)
    for count, folder in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        hosts.launch(path, [str(folder), "0"], hosts=count, logs=tmp_path / f"logs-{count}")
    alone, first, second = saved(tmp_path / "one", 0), saved(tmp_path / "two", 0), saved(tmp_path / "two", 1)
    for a, b, c in zip(alone, first, second, strict=True):
        np.testing.assert_array_equal(b, c)
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5)
    assert (tmp_path / "two" / "last.keras").exists()


@NOT_TWICE
def test_when_one_process_is_killed_the_rest_end_soon_and_the_checkpoint_is_whole(
    tmp_path: Path, monkeypatch
) -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    path = script(tmp_path, ON_TWO_HOSTS)
    for name, value in {**environment("jax"), "XLA_FLAGS": ""}.items():
        monkeypatch.setenv(name, value)
    logs, out = tmp_path / "logs", tmp_path / "out"
    launcher = subprocess.Popen(
        [sys.executable, "-c", f"from cnnkit.training import launch; launch({str(path)!r}, [{str(out)!r}, '600'], hosts=2, grace=3, logs={str(logs)!r})"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 240
        while not (logs / "host-1.log").exists() or "epoch 0" not in (logs / "host-1.log").read_text():
            assert time.monotonic() < until and launcher.poll() is None, "the first epoch did not end"
            time.sleep(0.2)
        last = next(
            line for line in (logs / "host-1.log").read_text().splitlines() if line.startswith("epoch 0")
        )
        while not (out / "last.keras").exists():
            assert time.monotonic() < until
            time.sleep(0.2)
        killed = time.monotonic()
        os.kill(int(last.split()[2]), signal.SIGKILL)
        _, told = launcher.communicate(timeout=60)
    finally:
        launcher.kill()
    assert time.monotonic() - killed < 30
    assert launcher.returncode != 0
    assert "host 1 of 2 was ended by SIGKILL, and the others were ended" in told
    assert len(keras.saving.load_model(out / "last.keras").get_weights()) == 4


@pytest.mark.parametrize(
    "options, told",
    [
        ({"hosts": 0}, "hosts is a number above 0, or a list of addresses, not 0"),
        ({"hosts": ["a:1", "b:1"]}, "say which of the 2 addresses this machine is, from 0 to 1; it is None"),
        ({"hosts": ["a:1", "b:1"], "this": 2}, "it is 2"),
    ],
)
def test_hosts_that_cannot_be_are_named(options: dict, told: str, tmp_path: Path) -> None:
    with pytest.raises(training.HostError, match=told):
        training.launch(script(tmp_path, ""), **options)
    with pytest.raises(training.HostError, match="there is no script at"):
        training.launch(tmp_path / "none.py")


def test_other_backends_say_that_several_hosts_need_jax(tmp_path: Path, monkeypatch) -> None:
    for name, value in environment("tensorflow").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(training.HostError, match="ended with status 1"):
        training.launch(script(tmp_path, ""), hosts=1, logs=tmp_path)
    assert "KERAS_BACKEND=jax" in (tmp_path / "host-0.log").read_text()


def test_a_cpu_computes_in_float32_unless_it_is_told_otherwise() -> None:
    kind, names = training.devices_at_hand()
    found = training.device()
    assert (found.kind, found.count) == (kind, len(names))
    if kind == "cpu":
        assert found.precision == "float32" and "gains nothing by less" in found.told()
    assert "as it was asked for" in training.device("mixed_bfloat16").told()


@pytest.mark.parametrize(
    "capability, precision",
    [((9, 0), "mixed_bfloat16"), ((8, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")],
)
def test_a_gpu_computes_in_what_pays_on_it(capability, precision, monkeypatch) -> None:
    monkeypatch.setattr(backends, "devices_at_hand", lambda: ("gpu", ["gpu:0"]))
    monkeypatch.setattr(backends, "_capability", lambda: capability)
    found = training.device()
    assert found.precision == precision and ".".join(map(str, capability)) in found.why


def test_pytorch_says_that_it_trains_on_one_device(monkeypatch) -> None:
    monkeypatch.setattr(backends, "_name", lambda: "torch")
    monkeypatch.setattr(backends, "devices_at_hand", lambda: ("gpu", ["cuda:0", "cuda:1"]))
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax or tensorflow"), backends.several_devices("data"):
        pass
    with backends.several_devices("auto") as copies:
        assert copies == 1

"""`ganforge doctor`: what is healthy is silent, and each thing that can be wrong is named."""

from __future__ import annotations

import re
import resource
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganforge.doctor import devices, machine, plugins
from ganforge.doctor.findings import Fact, Findings, Trouble, examination
from ganforge.plugin.discovery import DISABLE_VARIABLE
from ganforge.storage.cache_folder import VARIABLE
from ganforge.storage.paths import quoted_from_home, without_home
from tests.conftest import Command, FakePlugin, generators

from .conftest import Doctor

TORCH = {"version": "2.14.1+cu130", "threads": 1, "cuda": "13.0", "hip": None}
HEALTHY: dict[str, Any] = {
    "torch": TORCH,
    "torchvision": {"version": "0.29.1"},
    "cuda": {"devices": [], "why": "no driver"},
    "mps": {"available": False, "why": "this PyTorch is built without it"},
    "warnings": [],
}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What torch would say, without asking it."""

    def answer(**parts: Any) -> None:
        monkeypatch.setattr(devices, "probe", lambda: HEALTHY | parts)

    answer()
    return answer


def troubles(findings: Findings) -> dict[str, Trouble]:
    return {it.name: it for it in findings if isinstance(it, Trouble)}


def facts(findings: Findings) -> dict[str, str]:
    return {it.subject: it.text for it in findings if isinstance(it, Fact)}


def module(folder: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)


def distribution(folder: Path, name: str, version: str, *requires: str) -> None:
    information = folder / f"{name}-{version}.dist-info"
    information.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {it}" for it in requires]
    (information / "METADATA").write_text("\n".join(lines) + "\n")


def test_an_installation_says_what_it_is(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    home = tmp_path / "somebody"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    answer = cli("doctor")
    assert answer.err == ""
    for pattern in (
        rf"torch +{re.escape(torch.__version__)}",
        r"python +CPython 3\.\d+\.\d+ on \w+",
        r"cpu +\d+ cores?, \d+ threads?",
        r"cuda",
        r"cache +~/\.cache/ganforge, empty",
        r"encoding +utf-8",
        r"plugins +\d+ of ganforge's own",
    ):
        assert re.search(pattern, answer.out), pattern
    assert str(home) not in answer.out
    assert "hf_secret" not in answer.out
    assert not home.exists()


def test_what_is_healthy_is_silent(
    doctor: Doctor, answered: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(total=8 * 10**9, free=5 * 10**9)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(machine, "_free_memory", lambda: 5 * 10**9)
    word = doctor()
    assert (word.code, word.troubles) == (0, {})
    assert word.document["path"] is None


def test_a_torch_that_does_not_load(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path / "a", "torch", "raise OSError('libtorch.so: cannot open')", monkeypatch)
    word = doctor()
    assert word.code == 1
    assert word.troubles["torch-does-not-load"]["text"] == (
        "torch cannot be imported: OSError: libtorch.so: cannot open"
    )


def test_a_torch_that_ends_its_process_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import os, signal\nprint('noise')\nos.kill(os.getpid(), signal.SIGILL)"
    module(tmp_path / "a", "torch", source, monkeypatch)
    error = devices.probe()["torch"]["error"]
    assert error.startswith("its process ended with SIGILL: ")


def test_a_torch_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path / "a", "torch", "import time; time.sleep(60)", monkeypatch)
    monkeypatch.setattr(devices, "PATIENCE", 1.0)
    assert devices.probe()["torch"]["error"] == "it has not answered within 1 seconds"


def test_a_file_in_the_working_folder_is_not_taken_for_torch(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path / "a", "torch", "raise OSError('the one that is installed')", monkeypatch)
    Path("torch.py").write_text("raise OSError('another')")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert devices.probe()["torch"]["error"] == "OSError: the one that is installed"


def test_packages_that_do_not_fit(
    doctor: Doctor,
    answered: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distribution(tmp_path / "site", "pluggy", "0.1")
    distribution(tmp_path / "site", "torchvision", "0.99.0", "torch==1.13.0", "numpy")
    monkeypatch.syspath_prepend(tmp_path / "site")
    word = doctor()
    assert word.code == 1
    found = word.troubles["package-that-does-not-fit"]
    assert found["text"] == "ganforge asks for pluggy>=1.7, and 0.1 is installed"
    assert found["remedy"] == "`python -m pip install 'pluggy>=1.7'`"
    text = word.troubles["torchvision-for-another-torch"]["text"]
    assert text.startswith("torchvision 0.99.0 is made for torch==1.13.0, and ")


def test_what_torch_warns_of_is_told(doctor: Doctor, answered: Callable[..., None]) -> None:
    answered(warnings=["this GPU is too new"])
    found = doctor().troubles["torch-warns"]
    assert found["text"] == "torch says: this GPU is too new"


def test_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = {"name": "NVIDIA H100", "memory": 80 * 10**9, "free": 70 * 10**9}
    driver = tmp_path / "version"
    monkeypatch.setattr(devices, "DRIVER", driver)
    monkeypatch.setattr(devices.shutil, "which", lambda name: None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert facts(devices.cuda(HEALTHY)) == {"cuda": "not available: no driver"}
    assert troubles(devices.cuda(HEALTHY)) == {}
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun 6\n")
    found = troubles(devices.cuda(HEALTHY))["gpu-that-is-not-used"]
    assert "an NVIDIA driver (535.54.03), and PyTorch finds no device" in found.text
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert troubles(devices.cuda(HEALTHY)) == {}  # it was asked for
    assert "CUDA_VISIBLE_DEVICES is ''" in facts(devices.cuda(HEALTHY))["cuda"]
    probed = HEALTHY | {"cuda": {"devices": [gpu, {**gpu, "error": "no kernel image"}]}}
    assert facts(devices.cuda(probed))["cuda:0"] == (
        "NVIDIA H100, 80 GB, 70 GB of it free; CUDA 13.0; driver 535.54.03"
    )
    found = troubles(devices.cuda(probed))["device-that-does-not-work"]
    assert found.text == "cuda:1 is there and computes nothing: no kernel image"
    mac = {"mps": {"available": True, "memory": 17 * 10**9}}
    assert facts(devices.mps(mac)) == {"mps": "available, 17 GB at most"}


def test_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    found = troubles(devices.cpu({"torch": {"threads": 16}}))["too-many-threads"]
    assert found.remedy == "`export OMP_NUM_THREADS=2`"
    assert troubles(devices.cpu({"torch": {"threads": 4}})) == {}


def test_little_of_everything(
    doctor: Doctor,
    answered: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usage = shutil.disk_usage("/")._replace(total=64 * 2**20, free=64 * 2**20)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: usage)
    limit = tmp_path / "memory.max"
    limit.write_text("500000000\n")
    monkeypatch.setattr(machine, "CGROUP_LIMIT", limit)
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "cache"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        word = doctor()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    expected = {
        "little-memory": "500 MB of memory is little",
        "little-temporary-space": "67.1 MB are free in",
        "few-file-handles": "a process may have 200 files open",
        "cache-that-cannot-be-written": "cannot be written",
    }
    if machine.SHARED_MEMORY.is_dir():
        expected["little-shared-memory"] = "67.1 MB are free in /dev/shm"
        assert word.troubles["little-shared-memory"]["remedy"].startswith("`--workers 0`")
    for name, text in expected.items():
        assert text in word.troubles[name]["text"]
        assert word.troubles[name]["severity"] == "warning"
    assert word.troubles["few-file-handles"]["remedy"].startswith("`ulimit -n ")
    assert word.code == 0


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(machine.tempfile, "gettempdir", fail)
    found = troubles(machine.temporary_space())["no-temporary-folder"]
    assert found.severity == "error"
    assert found.remedy.endswith("`export TMPDIR=PATH`")


def test_a_terminal_of_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding="ANSI_X3.4-1968"))
    found = [*machine.terminal()]
    monkeypatch.undo()
    assert "encoded as ANSI_X3.4-1968" in troubles(iter(found))["narrow-encoding"].text


def test_plugins_that_failed_are_odd_shadowed_or_disabled(
    doctor: Doctor,
    answered: Callable[..., None],
    fake_plugin: FakePlugin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_plugin("far-gan", "raise RuntimeError('broken')", version="1.5")
    fake_plugin("second-dcgan", generators("dcgan"))
    odd = generators("odd-one") + "\n@hookimpl\ndef ganforge_generator():\n    yield\n"
    fake_plugin("odd-gan", odd)
    fake_plugin("resting-gan", generators("resting"))
    monkeypatch.setenv(DISABLE_VARIABLE, "resting-gan")
    word = doctor()
    assert word.code == 1
    assert word.severities == {
        "plugin-that-failed": "error",
        "plugin-that-is-odd": "warning",
        "plugin-that-is-shadowed": "warning",
        "plugin-that-is-disabled": "warning",
    }
    failed = word.troubles["plugin-that-failed"]
    assert failed["text"] == (
        "the plugin 'far-gan' of far-gan 1.5 failed to load and is left out: RuntimeError: broken"
    )
    assert failed["remedy"].endswith(f"`export {DISABLE_VARIABLE}=far-gan`")
    assert "unknown hook 'ganforge_generator'" in word.troubles["plugin-that-is-odd"]["text"]
    assert "far-gan (far-gan 1.5)" in word.facts["plugins"]


def test_optional_packages_and_what_they_would_give(
    doctor: Doctor, answered: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        plugins, "find_spec", lambda name: None if name == "av" else find_spec(name)
    )
    word = doctor()
    absent = [it["text"] for it in word.document["facts"] if it["subject"] == "not there"]
    assert "movies, `ganforge sample RUN --out x.mp4`: pip install 'ganforge[video]'" in absent
    assert all("pip install" in it or "weights" in it for it in absent)
    assert word.troubles == {}


def test_text_and_commands_do_not_show_where_home_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert without_home("in /home/somebody/runs/r and /home/somebodyelse") == (
        "in ~/runs/r and /home/somebodyelse"
    )
    assert quoted_from_home(Path("/home/somebody/my runs/r")) == "~/'my runs/r'"
    assert quoted_from_home(Path("-r")) == "./-r"
    assert quoted_from_home(Path("plain/r")) == "plain/r"
    (made,) = examination([Trouble(name="x", text="/home/somebody/r\x1b[2J")]).troubles
    assert made.text == "~/r[2J"

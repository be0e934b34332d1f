"""Devices that a run can be computed on, and why one of them is not there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganforge.printable import printable, size_in_words

from .findings import Fact, Findings, Trouble

PATIENCE = 120.0  # seconds; a first import from a slow disk takes most of a minute
DRIVER = Path("/proc/driver/nvidia/version")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def probe() -> dict[str, Any]:
    """The answer of torch, asked in a process of its own (`ganforge/device/probe.py`)."""
    # The same packages as here, and nothing from the working folder.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "ganforge.device.probe"],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"torch": {"error": f"it has not answered within {PATIENCE:.0f} seconds"}}
    except OSError as error:
        return {"torch": {"error": f"no process could be started: {error.strerror or error}"}}
    try:
        found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = answer.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        return {"torch": {"error": f"its process ended with {_end(answer.returncode)}: {last[0]}"}}
    return found


def _end(code: int) -> str:
    """`code 1`, or the name of the signal that ended a process."""
    try:
        return signal.Signals(-code).name if code < 0 else f"code {code}"
    except ValueError:
        return f"signal {-code}"


def cpu(probed: Mapping[str, Any]) -> Findings:
    """Cores, and the threads that torch computes with."""
    affinity = getattr(os, "sched_getaffinity", None)
    num_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    num_threads = probed.get("torch", {}).get("threads")
    set_by = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    text = f"{num_cores} core{'s' if num_cores != 1 else ''}"
    if num_threads is not None:
        text += f", {num_threads} thread{'s' if num_threads != 1 else ''}"
    yield Fact(subject="cpu", text=text + (f" ({printable(', '.join(set_by))})" if set_by else ""))
    if num_threads is not None and num_threads > 2 * num_cores:
        yield Trouble(
            name="too-many-threads",
            severity="warning",
            text=f"torch computes with {num_threads} threads on {num_cores} cores, which is slower "
            "than one thread for each",
            remedy=f"`export OMP_NUM_THREADS={num_cores}`",
        )


def cuda(probed: Mapping[str, Any]) -> Findings:
    """CUDA devices with their memory, or why there are none."""
    found, driver = probed.get("cuda"), _driver()
    if found is None:
        return
    toolkit = probed["torch"].get("cuda") or probed["torch"].get("hip")
    with_driver = f"; driver {driver}" if driver else ""
    for index, gpu in enumerate(found.get("devices", [])):
        free = f", {size_in_words(gpu['free'])} of it free" if "free" in gpu else ""
        text = f"{printable(gpu['name'])}, {size_in_words(gpu['memory'])}{free}"
        yield Fact(subject=f"cuda:{index}", text=f"{text}; CUDA {toolkit}{with_driver}")
        if "error" in gpu:
            yield Trouble(
                name="device-that-does-not-work",
                text=f"cuda:{index} is there and computes nothing: {printable(gpu['error'], 600)}",
                remedy="`--device cpu` goes without it; a process that holds it, or a PyTorch that "
                "is built for another kind of GPU, are what it usually is",
            )
    if found.get("devices"):
        return
    why = printable(found.get("why") or found.get("error") or "it has no device", 600)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        why += f"; CUDA_VISIBLE_DEVICES is {printable(visible)!r}"
    yield Fact(subject="cuda", text=f"not available: {why}{with_driver}")
    if driver and visible != "":
        yield Trouble(
            name="gpu-that-is-not-used",
            severity="warning",
            text=f"there is an NVIDIA driver ({driver}), and PyTorch finds no device: {why}",
            remedy="install a PyTorch for this driver, "
            "https://pytorch.org/get-started/locally says which; until then runs use the CPU",
        )


def _driver() -> str:
    """The version of the NVIDIA driver that is loaded; empty where there is none."""
    try:
        line = DRIVER.read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return "" if shutil.which("nvidia-smi") is None else "unknown"
    numbers = [word for word in line.split() if word[:1].isdigit() and "." in word]
    return printable(numbers[0] if numbers else "unknown", 40)


def mps(probed: Mapping[str, Any]) -> Findings:
    """The GPU of a Mac; nothing is said elsewhere."""
    found = probed.get("mps", {})
    if found.get("available"):
        yield Fact(subject="mps", text=f"available, {size_in_words(found['memory'])} at most")
    elif sys.platform == "darwin" and found:
        yield Fact(subject="mps", text=f"not available: {found.get('why') or found.get('error')}")

"""A process that has everything imported, and forks a command of ganforge for each line it reads.

A fresh process takes seconds to import torch; a fork of one that has takes milliseconds, and is
killed, filled up and traced like any other. One JSON object a line:

    {"do": "start", "arguments": [...], ...}    -> {"pid": 123}
    {"do": "wait", "pid": 123, "seconds": 60}   -> {"code": 0, "peak": 12.5}, or {"code": null}

`code` is the exit code, or minus the signal; `peak` the memory in MB that the command took beyond
what it was forked with. What else a start may ask for is in `become`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import torch

from ganforge.cli import main
from tests.faults.auditing import arm

NEW_USER_NAMESPACE, NEW_MOUNT_NAMESPACE = 0x10000000, 0x00020000
CAPABILITIES_VERSION_3 = 0x20080522


def become(order: dict[str, Any]) -> None:
    """Make this process the one that was ordered, just before its command begins.

    `namespace` is a process whose file systems it sees, `limits` what setrlimit takes, `audit` the
    file for whatever the audit hook refuses; `powerless` has the modes of files hold for root too,
    and `stopped` has it wait for a SIGCONT, so that a tracer can be attached first.
    """
    os.setsid()
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if (holder := order.get("namespace")) is not None:
        join(holder)
    os.chdir(order["folder"])
    os.environ.update(order.get("environ", {}))
    for name, value in order.get("limits", {}).items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if order.get("powerless"):
        drop_capabilities()
    if (log := order.get("audit")) is not None:
        arm(Path(log))
    if order.get("stopped"):
        os.kill(os.getpid(), signal.SIGSTOP)


def join(holder: int) -> None:
    """Enter the namespaces that `unshare` made for another process."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, kind in (("user", NEW_USER_NAMESPACE), ("mnt", NEW_MOUNT_NAMESPACE)):
        theirs = Path(f"/proc/{holder}/ns/{name}")
        if theirs.readlink() == Path(f"/proc/self/ns/{name}").readlink():
            continue
        descriptor = os.open(theirs, os.O_RDONLY)
        if libc.setns(descriptor, kind):
            raise OSError(ctypes.get_errno(), f"cannot enter the {name} namespace of {holder}")
        os.close(descriptor)


def drop_capabilities() -> None:
    """Give up every right that root has beyond those of the owner of its files (capset(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable ones, of 64 bits each
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


def start(order: dict[str, Any]) -> dict[str, Any]:
    child = os.fork()
    if child:
        return {"pid": child}
    code = 99
    try:
        become(order)
        code = main(order["arguments"])
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
    raise AssertionError


def wait(order: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + order["seconds"]
    pause = 0.002
    while True:
        child, status, used = os.wait4(order["pid"], os.WNOHANG)
        if child:
            peak = used.ru_maxrss / 1024 - copied()
            return {"code": os.waitstatus_to_exitcode(status), "peak": peak}
        if time.monotonic() > deadline:
            return {"code": None, "peak": 0.0}
        time.sleep(pause)
        pause = min(0.05, pause * 1.2)


def copied() -> float:
    """Memory in MB that a fork has from the beginning: what of this process is in no file."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def warm_up() -> None:
    """Train one step, which imports all that a run imports."""
    out = os.dup(1)
    os.dup2(2, 1)  # where it is seen if it fails
    with tempfile.TemporaryDirectory() as folder:
        quick = [
            "--generator",
            "mlp",
            "--steps",
            "1",
            "--device",
            "cpu",
            "--set",
            "output.grid_samples=16",
        ]
        for kind in (["--dataset", "ring"], ["--image-size", "8"]):
            assert main(["train", *kind, *quick, "--out", f"{folder}/{kind[1]}"]) == 0
    sys.stdout.flush()
    os.dup2(out, 1)
    os.close(out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warm_up()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        given = json.loads(line)
        answer = start(given) if given["do"] == "start" else wait(given)
        print(json.dumps(answer), flush=True)

"""Facts of torch and of this machine's devices, as JSON on standard output.

`ganforge doctor` runs this module as a program: a torch that cannot be loaded, or a driver that
does not answer, ends that program and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any


def main() -> None:
    """Print what was found. What torch warns of on the way is part of it."""
    found: dict[str, Any] = {}
    # A library that is loaded may print what it likes; only this is for the one that asks.
    out, sys.stdout = sys.stdout, sys.stderr
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        for part in (_torch, _torchvision, _cuda, _mps):
            try:
                found[part.__name__.strip("_")] = part()
            except BaseException as error:
                found[part.__name__.strip("_")] = {"error": f"{type(error).__name__}: {error}"}
                if part is _torch:
                    break
    found["warnings"] = [str(it.message) for it in caught if it.category is UserWarning]
    # On a line of its own: what is written in C comes here all the same.
    out.write(f"\n{json.dumps(found)}\n")
    out.flush()


def _torch() -> dict[str, Any]:
    import torch

    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
    }


def _torchvision() -> dict[str, Any]:
    import torchvision  # type: ignore[import-untyped]

    return {"version": torchvision.__version__}


def _cuda() -> dict[str, Any]:
    import torch

    if not (torch.version.cuda or torch.version.hip):
        return {"devices": [], "why": "this PyTorch is built without CUDA"}
    if not torch.cuda.is_available():
        return {"devices": [], "why": _why_no_cuda()}
    return {"devices": [_gpu(index) for index in range(torch.cuda.device_count())]}


def _why_no_cuda() -> str:
    import torch

    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except Exception as error:
        return str(error)
    return "it has no device"


def _gpu(index: int) -> dict[str, Any]:
    """One device; `error` says why it is there and cannot be used."""
    import torch

    properties = torch.cuda.get_device_properties(index)
    found: dict[str, Any] = {"name": properties.name, "memory": properties.total_memory}
    try:
        found["free"] = torch.cuda.mem_get_info(index)[0]
        if torch.ones(2, device=f"cuda:{index}").sum().item() != 2:
            found["error"] = "it adds 1 and 1 to something else than 2"
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def _mps() -> dict[str, Any]:
    import torch

    if torch.backends.mps.is_available():
        return {"available": True, "memory": torch.mps.recommended_max_memory()}
    built = torch.backends.mps.is_built()
    why = "macOS or this Mac is too old for it" if built else "this PyTorch is built without it"
    return {"available": False, "why": why}


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Some builds of torch fail while they are unloaded, when everything was said.
    os._exit(0)

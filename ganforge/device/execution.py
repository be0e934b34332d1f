"""Execution policy of a run, on which device and how, which the rest of the engine asks."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from ganforge.config.settings import ExecutionSettings
from ganforge.errors import DeviceError, listed

#: rank of a batch -> the format in which its channels come last
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The device and the memory format of images on it."""

    device: torch.device
    channels_last: bool = True

    @classmethod
    def from_settings(cls, settings: ExecutionSettings) -> Execution:
        """Raises DeviceError for a device that this machine does not have."""
        return cls(
            device=find_device(settings.device),
            channels_last=settings.memory_format != "contiguous",
        )

    def place(self, module: Module) -> Module:
        """The module on the device, its convolution weights in the memory format."""
        module = module.to(self.device)
        if self.channels_last:
            # By rank, since torch converts a module to one format only and refuses other ranks.
            with torch.no_grad():
                for tensor in [*module.parameters(), *module.buffers()]:
                    if tensor.dim() in _CHANNELS_LAST:
                        # Not contiguous(), which leaves the strides of a single channel alone.
                        tensor.data = tensor.to(memory_format=_CHANNELS_LAST[tensor.dim()])
        return module

    def arrange(self, samples: Tensor) -> Tensor:
        """Grids of two and three dimensions in the memory format; anything else unchanged."""
        if self.channels_last and samples.dim() in _CHANNELS_LAST:
            return samples.contiguous(memory_format=_CHANNELS_LAST[samples.dim()])
        return samples

    def check_compiler(self) -> None:
        """Raises DeviceError where torch.compile would find nothing to compile with."""
        wanted = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
        if self.device.type == "cpu" and shutil.which(wanted) is None:
            raise DeviceError(
                f"execution.compile needs the C++ compiler {wanted!r}, which is not there; install "
                "it, name another one in the variable CXX, or leave --compile out"
            )

    def describe(self) -> str:
        if self.device.type == "cuda":
            return f"{self.device} ({torch.cuda.get_device_name(self.device)})"
        if self.device.type == "cpu":
            threads = torch.get_num_threads()
            return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
        return str(self.device)


def find_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda`, `cuda:N` or `mps` as a device of this machine."""
    available = ["cpu"]
    if torch.cuda.is_available():
        available = [f"cuda:{index}" for index in range(torch.cuda.device_count())] + available
    elif torch.backends.mps.is_available():
        available = ["mps", *available]
    if name == "auto":
        return torch.device(available[0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in available:
        raise DeviceError(
            f"the device {name!r} is not there: this machine has {listed(available)}. Set "
            "execution.device (or --device) to one of these, or to auto; `ganforge doctor` says "
            "why another one is not there"
        )
    return torch.device(wanted)

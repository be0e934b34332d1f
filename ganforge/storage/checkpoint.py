"""Checkpoints: everything that a resumed run needs, in one file, so that no mixed sets can arise.

Tensors are named `generator/...`, `discriminator/...`, `ema/...`, `loss/<term>/...`,
`optimizer/<network>/<parameter>/<state>` and `telemetry/...`; what is no tensor is in the metadata.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganforge.errors import CheckpointError, NewerFormatError, PluginError, shortened
from ganforge.printable import printable
from ganforge.storage import tensor_file
from ganforge.storage.paths import quoted
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT


def newest_sound(run: RunDirectory) -> tuple[Path, dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint that can be read; None where the run has not written any.

    A damaged one is set aside with a warning. Raises CheckpointError where none is left, or where
    one is of a newer format, which is not corruption.
    """
    checkpoints = run.list_checkpoints()
    for number, (_, path) in enumerate(checkpoints):
        try:
            return path, *tensor_file.read(path, CHECKPOINT)
        except CheckpointError as error:
            if isinstance(error, NewerFormatError):
                raise
            if number == len(checkpoints) - 1:
                raise CheckpointError(
                    f"{error}. `ganforge doctor {quoted(run.path)}` says what is sound, and what "
                    "can be done"
                ) from error
            with contextlib.suppress(OSError):
                path.rename(path.with_name(path.name + ".damaged"))
            warnings.warn(f"{error}; it is set aside, and the one before is used", stacklevel=2)
    return None


def prune(run: RunDirectory, keep: int, kept_steps: Collection[int] = ()) -> None:
    """Remove all but the newest checkpoints, and those of the steps to be kept."""
    for step, path in run.list_checkpoints()[keep:]:
        if step not in kept_steps:
            with contextlib.suppress(OSError):
                path.unlink()


def module_tensors(prefix: str, module: nn.Module, *, frozen: bool = True) -> dict[str, Tensor]:
    """The state of a module under a prefix; without `frozen`, no parameters that want no gradient.

    State that follows from progress needs no checkpoint, but is harmless in one.
    """
    left_out = set() if frozen else {n for n, p in module.named_parameters() if not p.requires_grad}
    return {
        f"{prefix}/{name}": tensor
        for name, tensor in module.state_dict().items()
        if name not in left_out
    }


def load_module(prefix: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy the state into a module whose state `differences` has found to match."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if f"{prefix}/{name}" in tensors:
                tensor.copy_(tensors[f"{prefix}/{name}"])


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A digest of tensors with their names: 32 hexadecimal digits."""
    found = blake2b(digest_size=16)
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {[*tensor.shape]} ".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _named_parameters(modules: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Parameter]]:
    for prefix, module in modules.items():
        for name, parameter in module.named_parameters():
            yield (f"{prefix}/{name}" if prefix else name), parameter


def optimizer_tensors(
    prefix: str, modules: Mapping[str, nn.Module], optimizer: Optimizer
) -> dict[str, Tensor]:
    """The state of an optimizer, by the names of the parameters of modules by their prefix.

    Raises PluginError where it keeps something else than tensors, which no file holds.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in _named_parameters(modules):
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{prefix}/{name}/{key}"] = value
            elif value is not None:
                raise PluginError(
                    f"the optimizer {type(optimizer).__name__} keeps {key!r} as "
                    f"{type(value).__name__} in the state of a parameter; only tensors are saved, "
                    "so a resumed run would go on without it"
                )
    return tensors


def load_optimizer(
    prefix: str,
    modules: Mapping[str, nn.Module],
    optimizer: Optimizer,
    tensors: Mapping[str, Tensor],
) -> None:
    """Restore the state of an optimizer over the parameters of modules by their prefix."""
    numbers = {
        parameter: number
        for number, parameter in enumerate(p for g in optimizer.param_groups for p in g["params"])
    }
    state: dict[int, dict[str, Tensor]] = {}
    for name, parameter in _named_parameters(modules):
        start = f"{prefix}/{name}/"
        for key, value in tensors.items():
            if key.startswith(start) and parameter in numbers:
                placed = value
                if value.shape == parameter.shape and value.dim():
                    # In the parameter's memory format: fused kernels read both side by side.
                    placed = torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
                state.setdefault(numbers[parameter], {})[key.removeprefix(start)] = placed
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def differences(
    expected: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path
) -> CheckpointError | None:
    """The error that names the first differences, or None where everything fits."""
    complaints = []
    for name, tensor in expected.items():
        if name not in found:
            complaints.append(f"{name} is missing")
        elif found[name].shape != tensor.shape:
            complaints.append(
                f"{name} is {list(found[name].shape)} and should be {list(tensor.shape)}"
            )
    complaints += [f"{name} is unknown here" for name in found if name not in expected]
    if not complaints:
        return None
    shown = shortened([printable(complaint) for complaint in complaints])
    return CheckpointError(
        f"{printable(path)} does not fit the networks of this run, and nothing was loaded: {shown}"
    )


def write_checkpoint(
    run: RunDirectory, step: int, tensors: Mapping[str, Tensor], document: dict[str, Any]
) -> Path:
    """Write the checkpoint of a step. Raises CheckpointError; what was there before stays."""
    path = run.checkpoint(step)
    tensor_file.write(path, CHECKPOINT, tensors, document)
    return path

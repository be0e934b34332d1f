"""The exponential moving average of the generator, with its half-life in images."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ganforge.plugin.schedule import Progress, Schedule

#: the buffers of batch and instance normalisation that are averaged
BATCH_STATISTICS = ("running_mean", "running_var")


class EMA:
    """An average of a network's weights.

    After each update a weight of the average moves towards the network's by 1 - 0.5 ** (B / h):
    what was learnt h images ago counts half. A schedule lets h grow with the images seen, so that
    the average forgets the initial weights (Karras et al., 2020, arXiv:2006.06676, their
    `ema_rampup`); while h is 0 the average is the network itself. Batch statistics are averaged
    like the weights that they belong to; other buffers are copied, unless a module names them in
    `averaged_buffers`.
    """

    def __init__(self, network: nn.Module, half_life: float | Schedule) -> None:
        self.half_life = half_life
        self.module = copy.deepcopy(network).requires_grad_(False).eval()
        averaged = averaged_tensors(network)
        ours, theirs = _tensors(self.module), _tensors(network)
        self._averaged = [ours[name] for name in theirs if name in averaged]
        self._sources = [theirs[name] for name in theirs if name in averaged]
        self._copies = [(ours[name], theirs[name]) for name in theirs if name not in averaged]

    @torch.no_grad()
    def update(self, *, batch_size: int, progress: Progress) -> None:
        """Take the network's weights into the average; `progress` counts the update before."""
        half_life = progress.value(self.half_life)
        weight = 1.0 - 0.5 ** (batch_size / half_life) if half_life else 1.0
        torch._foreach_lerp_(self._averaged, self._sources, weight)
        for ours, theirs in self._copies:
            ours.copy_(theirs)


def averaged_tensors(network: nn.Module) -> set[str]:
    """The names of the tensors of a network that its average averages; the others are copied.

    They are its parameters and its batch statistics. A module has a rule of its own by an attribute
    `averaged_buffers`, the names of those of its own buffers that are to be averaged.
    """
    names = {name for name, it in network.named_parameters() if it.is_floating_point()}
    for prefix, module in network.named_modules():
        usual = BATCH_STATISTICS if isinstance(module, _NormBase) else ()
        for name in getattr(module, "averaged_buffers", usual):
            names.add(f"{prefix}.{name}" if prefix else name)
    return names


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    parameters = {name: it.detach() for name, it in module.named_parameters()}
    return parameters | dict(module.named_buffers())

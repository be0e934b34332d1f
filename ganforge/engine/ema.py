"""The exponential moving average of the generator, with its half-life in images."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ganforge.plugin.schedule import Progress, Schedule


class EMA:
    """An average of a network's weights.

    After each update a weight of the average moves towards the network's by 1 - 0.5 ** (B / h):
    what was learnt h images ago counts half. A schedule lets h grow with the images seen, so that
    the average forgets the initial weights (Karras et al., 2020, arXiv:2006.06676, their
    `ema_rampup`); while h is 0 the average is the network itself. Floating-point buffers, such as
    batch statistics, are averaged like the weights that they belong to; other buffers are copied.
    """

    def __init__(self, network: nn.Module, half_life: float | Schedule) -> None:
        self.half_life = half_life
        self.module = copy.deepcopy(network).requires_grad_(False).eval()
        ours, theirs = self._tensors(self.module), self._tensors(network)
        floating = [tensor.is_floating_point() for tensor in ours]
        self._averaged = [t for t, f in zip(ours, floating, strict=True) if f]
        self._sources = [t for t, f in zip(theirs, floating, strict=True) if f]
        self._copies = [(t, s) for t, s, f in zip(ours, theirs, floating, strict=True) if not f]

    @staticmethod
    def _tensors(module: nn.Module) -> list[torch.Tensor]:
        return [parameter.detach() for parameter in module.parameters()] + list(module.buffers())

    @torch.no_grad()
    def update(self, *, batch_size: int, progress: Progress) -> None:
        """Take the network's weights into the average; `progress` counts the update they are of."""
        half_life = progress.value(self.half_life)
        weight = 1.0 - 0.5 ** (batch_size / half_life) if half_life else 1.0
        torch._foreach_lerp_(self._averaged, self._sources, weight)
        for ours, theirs in self._copies:
            ours.copy_(theirs)

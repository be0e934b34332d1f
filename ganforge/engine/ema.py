"""The exponential moving average of the generator, with its half-life in images."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ganforge.config.settings import EMASettings


class EMA:
    """An average of a network's weights.

    After each update a weight of the average moves towards the network's by 1 - 0.5 ** (B / h):
    what was learnt h images ago counts half. Early in a run h is at most `ramp_up` times the images
    seen (Karras et al., 2020, arXiv:2006.06676, their `ema_rampup`), so that the average forgets
    the initial weights. Floating-point buffers, such as batch statistics, are averaged like the
    weights that they belong to; other buffers are copied.
    """

    def __init__(self, network: nn.Module, settings: EMASettings) -> None:
        self.settings = settings
        self.module = copy.deepcopy(network).requires_grad_(False).eval()
        ours, theirs = self._tensors(self.module), self._tensors(network)
        floating = [tensor.is_floating_point() for tensor in ours]
        self._averaged = [t for t, f in zip(ours, floating, strict=True) if f]
        self._sources = [t for t, f in zip(theirs, floating, strict=True) if f]
        self._copies = [(t, s) for t, s, f in zip(ours, theirs, floating, strict=True) if not f]

    @staticmethod
    def _tensors(module: nn.Module) -> list[torch.Tensor]:
        return [parameter.detach() for parameter in module.parameters()] + list(module.buffers())

    def half_life(self, images_seen: int) -> float:
        """The half-life in images after `images_seen`."""
        if not self.settings.ramp_up:
            return self.settings.half_life
        return min(self.settings.half_life, self.settings.ramp_up * images_seen)

    @torch.no_grad()
    def update(self, *, batch_size: int, images_seen: int) -> None:
        """Take the network's weights after an update into the average."""
        weight = 1.0 - 0.5 ** (batch_size / self.half_life(images_seen))
        torch._foreach_lerp_(self._averaged, self._sources, weight)
        for ours, theirs in self._copies:
            ours.copy_(theirs)

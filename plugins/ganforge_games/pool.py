"""A pool of past fakes, which steadies the discriminator (Shrivastava et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Holds up to `size` past fakes; each new one goes in, and half of the time an old one out.

    Every fake gets a place of the pool at random. A free place takes a copy of it; at one that is
    taken the two change places with probability 1/2. The state is in buffers, and nothing waits for
    the device.
    """

    past: Tensor
    taken: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(size, *shape))
        self.register_buffer("taken", torch.zeros(size, dtype=torch.bool))

    @torch.no_grad()
    def exchanged(self, fakes: Tensor, generator: torch.Generator) -> Tensor:
        """The fakes `[B, *shape]`, some of them exchanged for past ones."""
        num = min(len(fakes), len(self.past))
        device = generator.device
        places = torch.randperm(len(self.past), generator=generator, device=device)[:num]
        heads = torch.rand(num, generator=generator, device=device) < 0.5
        out = self.taken[places] & heads
        stays = self.taken[places] & ~heads
        shape = (-1, *[1] * (fakes.dim() - 1))
        new, old = fakes[:num], self.past[places]
        shown = torch.where(out.view(shape), old, new)
        self.past[places] = torch.where(stays.view(shape), old, new.to(old.dtype))
        self.taken[places] = True
        return torch.cat([shown, fakes[num:]])

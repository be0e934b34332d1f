"""Instance noise: Gaussian noise on what the discriminator judges, which falls to nothing.

It keeps the two distributions overlapping while they are far apart (Sønderby et al., 2017,
arXiv:1610.04490; Arjovsky and Bottou, 2017, arXiv:1701.04862).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.config.settings import InstanceNoiseSettings


class Noise:
    """The noise of one update: a standard deviation, and a generator that only it draws from."""

    def __init__(self, std: float, seed: int, device: torch.device) -> None:
        self._std = std
        self._generator = torch.Generator(device).manual_seed(seed)

    def added_to(self, samples: Tensor) -> Tensor:
        """`samples` with independent noise on every number."""
        noise = torch.randn(
            samples.shape, generator=self._generator, device=samples.device, dtype=samples.dtype
        )
        return samples + self._std * noise


def noise_std(settings: InstanceNoiseSettings, step: int, num_steps: int) -> float:
    """The standard deviation in step `step` (from 0) of `num_steps`; it falls linearly."""
    return settings.std * max(0.0, 1.0 - step / (settings.until * num_steps))

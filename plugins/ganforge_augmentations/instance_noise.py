"""Instance noise: Gaussian noise on what the discriminator is shown.

It keeps the distributions of real and fake samples overlapping while they are far apart (Sønderby
et al., 2017, arXiv:1610.04490; Arjovsky and Bottou, 2017, arXiv:1701.04862).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import Augmentation, Problem, Progress

from . import InstanceNoiseOptions


class InstanceNoise(Augmentation):
    """x + std n, with n from N(0, 1) for every number by itself; samples of any rank."""

    def __init__(self, problem: Problem, options: InstanceNoiseOptions) -> None:
        super().__init__(problem, options)
        self.std = options.std

    def forward(self, samples: Tensor, generator: torch.Generator, progress: Progress) -> Tensor:
        std = progress.value(self.std)
        if std == 0:
            return samples
        # Drawn in one order of the numbers, whatever the memory format of the samples is.
        noise = torch.randn(
            samples.shape, generator=generator, device=generator.device, dtype=samples.dtype
        )
        return samples + std * noise

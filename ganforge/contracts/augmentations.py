"""`Augmentation`: stands between what is shown and the discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.plugin.schedule import Progress
from ganforge.problem import Problem

from .step import Observed


class Augmentation(nn.Module):
    """Applied to whatever the discriminator is shown, real and fake alike; differentiable.

    Pictures and metrics never see it. State belongs in buffers, and changes in `observe` alone.
    """

    def __init__(self, problem: Problem, options: Any = None) -> None:
        super().__init__()
        self.problem = problem
        self.options = options

    def forward(self, samples: Tensor, generator: torch.Generator, progress: Progress) -> Tensor:
        """Samples `[B, *sample_shape]` as the discriminator is to see them, of the same shape.

        Everything random is drawn from `generator`, on its device.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    def observe(self, observed: Observed) -> None:
        """Called without gradient once after each update of the discriminator."""

    def metrics(self) -> Mapping[str, Tensor]:
        """Scalars to log beside the losses, by name; they stay on the device."""
        return {}

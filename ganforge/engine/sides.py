"""The two sides of a run: each one module, one optimizer, one update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from ganforge.plugin.specs import Side as SideName

from .ema import EMA


@dataclass(frozen=True, kw_only=True)
class Side:
    """A side in training: its module, its optimizer, and the parameters that are trained.

    These are the module's, and those of the terms that are trained with it.
    """

    network: nn.Module
    optimizer: Optimizer
    parameters: Sequence[nn.Parameter]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Both sides, and the average of the generator where the run keeps one."""

    generator: Side
    discriminator: Side | None
    ema: EMA | None

    def __getitem__(self, name: SideName) -> Side:
        side = self.generator if name == "generator" else self.discriminator
        assert side is not None, "compatibility.py lets no such run begin"
        return side

    @property
    def sampled(self) -> nn.Module:
        """The module that samples come from: the average where there is one."""
        return self.generator.network if self.ema is None else self.ema.module

    @property
    def by_name(self) -> dict[SideName, Side]:
        """The sides that there are."""
        found: dict[SideName, Side] = {"generator": self.generator}
        if self.discriminator is not None:
            found["discriminator"] = self.discriminator
        return found

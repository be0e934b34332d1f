"""Components of a plugin that is installed, and networks of a run, for tests of mathematics."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ganforge import Problem
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover


def built(kind: str, name: str, problem: Problem, *, seed: int = 0, **options: Any) -> nn.Module:
    """A component with some options, whatever draws its first weights seeded."""
    component = discover().registry.find(kind, name)
    torch.manual_seed(seed)
    module: nn.Module = component.build(problem, component.spec.options(**options))
    return module


def networks(trainer: Trainer) -> tuple[nn.Module, nn.Module, nn.Module]:
    """The generator, the discriminator and the average."""
    sides = trainer.assembly.training.sides
    assert sides.discriminator is not None
    assert sides.ema is not None
    return sides.generator.network, sides.discriminator.network, sides.ema.module

"""What the tests of augmentations share: building one and applying it."""

from __future__ import annotations

import torch

from ganforge import Augmentation, Field, Problem, Progress
from ganforge.plugin.discovery import discover

REGISTRY = discover(third_party=False, environ={}).registry
PROGRESS = Progress(step=0, num_steps=10, images=0)


def build(name: str, sample: tuple[int, ...] | Field = (3, 8, 8), **values: object) -> Augmentation:
    component = REGISTRY.find("augmentation", name)
    field = sample if isinstance(sample, Field) else Field.of_shape(sample)
    problem = Problem(sample=field, input_shape=(4,))
    built = component.build(problem, component.spec.options(**values))
    assert isinstance(built, Augmentation)
    return built


def apply(augmentation: Augmentation, samples: torch.Tensor, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    augmented = augmentation(samples, generator, PROGRESS)
    assert isinstance(augmented, torch.Tensor)
    return augmented


def images(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    """Uniform in [-1, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1).to(dtype)

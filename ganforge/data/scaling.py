"""Brings stored values to what networks see, and back: [-1, 1] for what has a range."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.plugin.fields import Field


def to_unit_range(values: Tensor, field: Field | None = None) -> Tensor:
    """Stored values as float32 in [-1, 1], exactly at both ends of bytes; a fresh tensor."""
    low, high = (0.0, 255.0) if field is None else field.limits
    if (low, high) == (0.0, 255.0):
        return values.to(torch.float32).div_(127.5).sub_(1.0)
    scale = 2.0 / (high - low)
    return values.to(torch.float32).sub(low).mul_(scale).sub_(1.0)


def prepared(values: Tensor, field: Field) -> Tensor:
    """The values of a field as networks see them: float32, categories int64."""
    if field.kind == "category" or not field.scaled:
        return values
    if values.dtype != torch.uint8 and field.range is None:
        return values
    return to_unit_range(values, field)

"""Which classes the samples of a conditional generator show."""

from __future__ import annotations

import torch
from torch import Tensor


def class_rows(num_classes: int, num: int) -> tuple[Tensor, int]:
    """Labels int64 for a picture with one row per class, and the number of its columns.

    About `num` samples in whole rows; one of each class where there are more classes than that.
    """
    columns = max(1, num // num_classes)
    return torch.arange(num_classes).repeat_interleave(columns), columns

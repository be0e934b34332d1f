"""The data set that comes with ganforge: small handwritten digits (see data/ATTRIBUTION.md)."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import torch

from ganforge import InMemoryDataset, Problem

from .options import DigitsOptions
from .resizing import resized

_WHITE = 16  # the data's largest value


def build(problem: Problem, options: DigitsOptions) -> InMemoryDataset:
    """1,797 images uint8 `[1797, 1, H, W]` in [0, 255], white on black, in ten classes."""
    _, height, width = problem.sample_shape
    file = files("ganforge_datasets").joinpath("data", "digits.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        grey = torch.from_numpy(arrays["images"]).float()[:, None]
        labels = torch.from_numpy(arrays["labels"]).long()
    images = (grey * (255 / _WHITE)).round().to(torch.uint8)
    return InMemoryDataset(
        resized(images, (height, width), "bicubic"), labels, tuple(map(str, range(10)))
    )

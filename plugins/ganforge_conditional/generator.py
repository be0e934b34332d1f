"""The conditional generator: label and latents to a coarse grid, and from there to the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge import Problem

from . import GeneratorOptions
from .labels import dense_labels

KERNEL = 4


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, W]` in [-1, 1]; 4 divides H and W."""

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        assert problem.num_classes is not None  # the spec requires labels
        channels, height, width = problem.sample_shape
        self.grid = (height // 4, width // 4)
        fine, coarse = options.width, 2 * options.width
        self.encode_label: nn.Module = (
            nn.Embedding(problem.num_classes, options.label_size)
            if options.label_encoding == "embedding"
            else dense_labels(problem.num_classes, options.label_size)
        )
        self.project = nn.Linear(
            problem.input_shape[0] + options.label_size,
            self.grid[0] * self.grid[1] * coarse,
            bias=False,
        )
        self.layers = nn.Sequential(
            nn.BatchNorm2d(coarse),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(coarse, fine, KERNEL, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(fine),
            nn.ReLU(inplace=True),
            to_image(fine, channels, (height, width)),
            nn.Tanh(),
        )

    def forward(self, inputs: Tensor, *, label: Tensor) -> Tensor:
        joined = torch.cat([inputs, self.encode_label(label)], 1)
        # Unflattened with the channels last, so that the permuted view has that memory format.
        grid = self.project(joined).unflatten(1, (*self.grid, -1)).permute(0, 3, 1, 2)
        images: Tensor = self.layers(grid)
        return images


def to_image(width: int, channels: int, sides: tuple[int, int]) -> nn.Module:
    """The transposed convolution from features `[B, width, H/2, W/2]` to images `[B, C, H, W]`.

    Kernels for CPUs handle a single output channel badly. There the products and their sum over
    overlapping patches are two layers: the same function, some two times faster.
    """
    if channels > 1:
        return nn.ConvTranspose2d(width, channels, KERNEL, stride=2, padding=1)
    return nn.Sequential(
        nn.Conv2d(width, KERNEL**2, 1),
        nn.Flatten(2),
        nn.Fold(sides, KERNEL, padding=1, stride=2),
    )

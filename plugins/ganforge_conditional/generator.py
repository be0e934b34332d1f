"""The conditional generator: label and latents to a coarse grid, and from there to the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge import Problem
from ganforge.nn import LabelEmbedding, PatchesToImage, ToImage

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
            LabelEmbedding(problem.num_classes, options.label_size)
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
            PatchesToImage(fine, (height, width))
            if channels == 1
            else ToImage(fine, channels, (height, width)),
            nn.Tanh(),
        )

    def forward(self, inputs: Tensor, *, label: Tensor) -> Tensor:
        joined = torch.cat([inputs, self.encode_label(label)], 1)
        # Unflattened with the channels last, so that the permuted view has that memory format.
        grid = self.project(joined).unflatten(1, (*self.grid, -1)).permute(0, 3, 1, 2)
        images: Tensor = self.layers(grid)
        return images

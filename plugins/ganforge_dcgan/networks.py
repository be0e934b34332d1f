"""The DCGAN networks, for images of any size.

A side is halved upwards until it is 4 at most: 32, 16, 8, 4; 28, 14, 7, 4. The layers on that
coarsest grid are a convolution over 1x1 and over the full size in the paper. Both are plain matrix
products, and are written so: it is the same function, some 3 % faster.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganforge import Problem
from ganforge.nn import ConditionalBatchNorm2d, JoinedLatents, Projection, ToImage

from . import DiscriminatorOptions, GeneratorOptions

KERNEL = 4
COARSEST = 4  # the largest side of the coarsest grid, as in the paper

Sides = tuple[int, int]


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, W]` in [-1, 1].

    In a conditional run each batch normalisation has gain and bias by class (Miyato & Koyama, 2018,
    arXiv:1802.05637, section 4), so that the first one is left with the latents alone: whatever
    their weights do, it gives them a variance of 1. Where a vector `[Z]` per class is joined to the
    latents instead, the classes can fill that variance, and each of them become a single image.
    """

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        channels, *sides = problem.sample_shape
        grids = halved((sides[0], sides[1]))
        widths = [options.width * 2**number for number in range(len(grids) - 1)]
        self.grid = grids[-1]
        joined = options.conditioning == "latents"
        self.embedding = JoinedLatents(
            problem.input_shape[0], problem.num_classes if joined else None
        )
        self.num_classes = None if joined else problem.num_classes
        fan_in = self.embedding.out_features
        self.project = nn.Linear(fan_in, math.prod(self.grid) * widths[-1], bias=False)
        layers: list[nn.Module] = [self._normalisation(widths[-1]), nn.ReLU(inplace=True)]
        for number in range(len(widths) - 1, 0, -1):
            height, width = grids[number]
            layers += [
                nn.ConvTranspose2d(
                    widths[number],
                    widths[number - 1],
                    KERNEL,
                    stride=2,
                    padding=(1 + height % 2, 1 + width % 2),
                    output_padding=(height % 2, width % 2),
                    bias=False,
                ),
                self._normalisation(widths[number - 1]),
                nn.ReLU(inplace=True),
            ]
        layers += [ToImage(widths[0], channels, grids[0]), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        joined = self.embedding(inputs, label if self.num_classes is None else None)
        # Unflattened with the channels last, so that the permuted view has that memory format.
        grid = self.project(joined).unflatten(1, (*self.grid, -1)).permute(0, 3, 1, 2)
        if self.num_classes is None:
            images: Tensor = self.layers(grid)
            return images
        features: Tensor = grid
        for layer in self.layers:
            told = isinstance(layer, ConditionalBatchNorm2d)
            features = layer(features, label) if told else layer(features)
        return features

    def _normalisation(self, channels: int) -> nn.Module:
        if self.num_classes is None:
            return nn.BatchNorm2d(channels)
        return ConditionalBatchNorm2d(channels, self.num_classes)


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; the first layer has no normalisation.

    In a conditional run e(y)·h is added to the score, with h the features of the last layer summed
    over the grid and e(y) a learnt vector per class: the projection of Miyato & Koyama, 2018
    (arXiv:1802.05637, equation 3). An image condition `[B, C', H, W]` is seen beside the image, as
    more channels of it (Isola et al., 2017, arXiv:1611.07004).
    """

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        channels, *sides = problem.sample_shape
        channels += sum(
            it.known_shape[0] for it in problem.conditions.values() if it.kind == "image"
        )
        *finer, grid = halved((sides[0], sides[1]))
        widths = [options.width * 2**number for number in range(len(finer))]
        normalised = options.normalisation == "batch"
        layers: list[nn.Module] = []
        for (height, width), fan_in, fan_out in zip(
            finer, [channels, *widths], widths, strict=False
        ):
            # The first layer has no normalisation.
            follows = normalised and bool(layers)
            layers.append(
                nn.Conv2d(
                    fan_in,
                    fan_out,
                    KERNEL,
                    stride=2,
                    padding=(1 + height % 2, 1 + width % 2),
                    bias=not follows,
                )
            )
            if follows:
                layers.append(nn.BatchNorm2d(fan_out))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.score = nn.Linear(math.prod(grid) * widths[-1], 1)
        if normalised:
            # Without normalisation every layer would make the signal of the paper's weights
            # smaller; there torch's own weights, which follow the fan-in, stay.
            self.apply(initialise)
        self.embedding = Projection(widths[-1], problem.num_classes)
        if self.embedding.weight is not None:
            nn.init.normal_(self.embedding.weight, 0.0, self.score.weight.std().item())

    def forward(
        self, samples: Tensor, *, label: Tensor | None = None, image: Tensor | None = None
    ) -> Tensor:
        if image is not None:
            samples = torch.cat([samples, image], 1)
        features = self.layers(samples)
        # Flattened with the channels last: no copy of a channels-last tensor.
        scores: Tensor = self.score(features.permute(0, 2, 3, 1).flatten(1)).squeeze(1)
        if self.embedding.weight is not None:
            scores = scores + self.embedding(features.sum((2, 3)), label)
        return scores


def halved(sides: Sides) -> list[Sides]:
    """The sides at each resolution, the image's first; each is half of the one before, upwards."""
    found = [sides]
    while max(found[-1]) > COARSEST:
        found.append(((found[-1][0] + 1) // 2, (found[-1][1] + 1) // 2))
    return found


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), batch-norm gains from N(1, 0.02), biases 0 (section 3)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)

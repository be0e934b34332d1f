"""The DCGAN networks for any square power-of-two size from 32 up.

The layers on the 4x4 grid are a convolution over 1x1 and over the full size in the paper. Both are
plain matrix products, and are written so: it is the same function, some 3 % faster.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from ganforge import Problem
from ganforge.nn import JoinedLatents, Projection, ToImage

from . import DiscriminatorOptions, GeneratorOptions

SEED_SIZE = 4  # the side of the coarsest grid


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, W]` in [-1, 1].

    In a conditional run a learnt vector `[Z]` per class, at first a draw from N(0, 1) as the
    latents are, is joined to them.
    """

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        channels, size, _ = problem.sample_shape
        widths = pyramid(size, options.width)
        coarsest = widths[-1]
        self.embedding = JoinedLatents(problem.input_shape[0], problem.num_classes)
        fan_in = self.embedding.out_features
        self.project = nn.Linear(fan_in, SEED_SIZE**2 * coarsest, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(coarsest), nn.ReLU(inplace=True)]
        for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers += [ToImage(widths[0], channels), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        inputs = self.embedding(inputs, label)
        # Unflattened with the channels last, so that the permuted view has that memory format.
        grid = self.project(inputs).unflatten(1, (SEED_SIZE, SEED_SIZE, -1)).permute(0, 3, 1, 2)
        images: Tensor = self.layers(grid)
        return images


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; the first layer has no normalisation.

    In a conditional run e(y)·h is added to the score, with h the features of the last layer summed
    over the grid and e(y) a learnt vector per class: the projection of Miyato & Koyama, 2018
    (arXiv:1802.05637, equation 3). An image condition `[B, C', H, W]` is seen beside the image, as
    more channels of it (Isola et al., 2017, arXiv:1611.07004).
    """

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        channels, size, _ = problem.sample_shape
        channels += sum(
            it.known_shape[0] for it in problem.conditions.values() if it.kind == "image"
        )
        widths = pyramid(size, options.width)
        normalised = options.normalisation == "batch"
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for narrow, wide in itertools.pairwise(widths):
            layers.append(nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(wide))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.score = nn.Linear(SEED_SIZE**2 * widths[-1], 1)
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


def pyramid(size: int, width: int) -> list[int]:
    """Channels at each resolution from half the image size down to 4x4: width, 2 width, ..."""
    widths: list[int] = []
    side = size // 2
    while side >= SEED_SIZE:
        widths.append(width * 2 ** len(widths))
        side //= 2
    return widths


def initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), batch-norm gains from N(1, 0.02), biases 0 (section 3)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)

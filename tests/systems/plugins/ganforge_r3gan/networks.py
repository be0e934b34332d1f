"""The two networks of R3GAN, each the other's mirror image, for sides from 8 pixels on."""

from itertools import pairwise

import torch
from torch import nn

from ganforge.nn import Downsample2d, Upsample2d

from .blocks import CHANNELS_PER_GROUP, Block, pointwise, started

BASE = 4  # pixels of a side, at the end that is no image
FULL = 32  # pixels of a side up to which features are as wide as at the base


def widths(problem, options):
    """Feature maps of each size, from the base to the image.

    Raises ValueError for a width that cannot be halved as often as it must be.
    """
    side, found, size = problem.sample_shape[-1], [], BASE
    while size <= side:
        narrower = max(size // FULL, 1)
        if options.width % (narrower * CHANNELS_PER_GROUP):
            raise ValueError(
                f"width must be a multiple of {CHANNELS_PER_GROUP * max(side // FULL, 1)} for "
                f"images of {side} pixels, not {options.width}"
            )
        found.append(options.width // narrower)
        size *= 2
    return found


def stage(channels, options, num_blocks):
    blocks = (Block(channels, options.expansion, num_blocks) for _ in range(options.blocks))
    return nn.Sequential(*blocks)


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, H]`.

    Nothing bounds them while it is trained, as in the paper. A picture has a range, to which they
    are clipped otherwise.
    """

    def __init__(self, problem, options):
        super().__init__()
        wide = widths(problem, options)
        (latents,), self.embedding = problem.input_shape, None
        fan_in = latents
        if problem.num_classes is not None:
            self.embedding = nn.Embedding(problem.num_classes, latents)
            nn.init.normal_(self.embedding.weight, 0.0, problem.num_classes**-0.5)
            fan_in = 2 * latents
        self.basis = nn.Parameter(torch.randn(wide[0], BASE, BASE))
        self.first = started(nn.Linear(fan_in, wide[0], bias=False))
        num_blocks = options.blocks * len(wide)
        layers = [stage(wide[0], options, num_blocks)]
        for before, after in pairwise(wide):
            if before != after:
                layers.append(pointwise(before, after))
            layers += [Upsample2d(), stage(after, options, num_blocks)]
        self.layers = nn.Sequential(*layers, pointwise(wide[-1], problem.sample_shape[0]))

    def forward(self, inputs, *, label=None):
        if self.embedding is not None:
            inputs = torch.cat([inputs, self.embedding(label)], 1)
        samples = self.layers(self.basis * self.first(inputs)[:, :, None, None])
        return samples if self.training else samples.clamp(-1, 1)


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and labels `[B]` to scores `[B]`, by projection on the label alone."""

    def __init__(self, problem, options):
        super().__init__()
        wide = widths(problem, options)[::-1]
        num_blocks = options.blocks * len(wide)
        layers = [pointwise(problem.sample_shape[0], wide[0]), stage(wide[0], options, num_blocks)]
        for before, after in pairwise(wide):
            layers.append(Downsample2d())
            if before != after:
                layers.append(pointwise(before, after))
            layers.append(stage(after, options, num_blocks))
        self.layers = nn.Sequential(*layers)
        last = wide[-1]
        self.basis = started(nn.Conv2d(last, last, BASE, groups=last, bias=False))
        self.embedding, fan_out = None, 1
        if problem.num_classes is not None:
            fan_out = last
            self.embedding = nn.Embedding(problem.num_classes, fan_out)
            nn.init.normal_(self.embedding.weight, 0.0, (problem.num_classes * fan_out) ** -0.5)
        self.score = started(nn.Linear(last, fan_out, bias=False))

    def forward(self, samples, *, label=None):
        scores = self.score(self.basis(self.layers(samples)).flatten(1))
        if self.embedding is not None:
            return (scores * self.embedding(label)).sum(1)
        return scores.squeeze(1)

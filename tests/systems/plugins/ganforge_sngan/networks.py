"""The residual networks of SNGAN, for square images whose side is a power of two.

With one width they are, at 32 pixels, those for CIFAR-10 (Miyato et al., 2018, table 4); with
doubling widths, at 128 pixels, those for ImageNet (table 6, and Miyato and Koyama, 2018).
"""

from itertools import pairwise

from torch import nn

from ganforge.nn import ProjectionScore, ResidualDown, ResidualUp, spectral_norm

BASE = 4  # pixels of a side, where the generator begins


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, H]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        blocks = (side // BASE).bit_length() - 1
        # The first block keeps the width that it is given.
        exponents = [min(it, blocks - 1) if options.doubling else 0 for it in range(blocks + 1)]
        widths = [options.width << it for it in exponents]
        self.wide = widths[-1]
        self.first = nn.Linear(problem.input_shape[0], self.wide * BASE**2)
        nn.init.xavier_uniform_(self.first.weight)
        self.blocks = nn.ModuleList(
            ResidualUp(before, after, problem.num_classes)
            for before, after in pairwise(widths[::-1])
        )
        self.last = nn.Sequential(
            nn.BatchNorm2d(options.width),
            nn.ReLU(),
            nn.Conv2d(options.width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, inputs, *, label=None):
        features = self.first(inputs).view(-1, self.wide, BASE, BASE)
        for block in self.blocks:
            features = block(features, label)
        return self.last(features)


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and labels `[B]` to scores `[B]`, by projection."""

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        smallest, flat = (BASE, 1) if options.doubling else (2 * BASE, 2)
        width = options.width
        blocks = [ResidualDown(channels, width, first=True)]
        while (side := side // 2) > smallest:
            wider = 2 * width if options.doubling else width
            blocks.append(ResidualDown(width, wider))
            width = wider
        blocks += [ResidualDown(width, width, halve=False) for _ in range(flat)]
        self.blocks = nn.Sequential(*blocks, nn.ReLU())
        self.score = ProjectionScore(width, problem.num_classes)
        nn.init.xavier_uniform_(self.score.linear.weight)
        spectral_norm(self)

    def forward(self, samples, *, label=None):
        return self.score(self.blocks(samples).sum((2, 3)), label)

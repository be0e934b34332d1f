"""The discriminator of StyleGAN2: residual blocks, and the deviation within a batch at the end."""

from itertools import pairwise

from torch import nn

from ganforge.nn import Blur, Downsample2d, EqualizedConv2d, EqualizedLinear, MinibatchStd

from .layers import BASE, activated, widths


class Block(nn.Module):
    """Features `[B, C, H, H]` to `[B, C', H/2, H/2]`."""

    def __init__(self, before, after):
        super().__init__()
        self.first = EqualizedConv2d(before, before, 3, padding=1)
        self.second = nn.Sequential(
            Blur(padding=(2, 2)), EqualizedConv2d(before, after, 3, stride=2)
        )
        self.skip = nn.Sequential(Downsample2d(), EqualizedConv2d(before, after, 1, bias=False))

    def forward(self, features):
        grown = activated(self.second(activated(self.first(features))))
        return (grown + self.skip(features)) / 2**0.5  # the sum of two has twice the variance


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        wide = widths(problem, options)
        self.from_image = EqualizedConv2d(problem.sample_shape[0], wide[-1], 1)
        self.blocks = nn.Sequential(*(Block(one, two) for one, two in pairwise(wide[::-1])))
        self.deviation = MinibatchStd(4)
        self.last = EqualizedConv2d(wide[0] + 1, wide[0], 3, padding=1)
        self.dense = EqualizedLinear(wide[0] * BASE**2, wide[0])
        self.score = EqualizedLinear(wide[0], 1)

    def forward(self, samples):
        features = self.blocks(activated(self.from_image(samples)))
        features = activated(self.last(self.deviation(features)))
        return self.score(activated(self.dense(features.flatten(1)))).squeeze(1)

"""The networks of progressive growing: what has not been reached yet is not computed."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, leaky_relu

from ganforge.nn import EqualizedConv2d, EqualizedLinear, MinibatchStd, PixelNorm

from .growth import BASE, Growth, enlarged, faded, halved, widths

GAIN = 2**0.5


class Layer(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', H, W]`; those of a generator are normalised."""

    def __init__(self, before, after, normalise=None):
        super().__init__()
        self.convolution = EqualizedConv2d(before, after, 3, padding=1, gain=GAIN)
        self.normalise = normalise or nn.Identity()

    def forward(self, features):
        return self.normalise(leaky_relu(self.convolution(features), 0.2))


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, H]` of the level that was reached, enlarged."""

    def __init__(self, problem, options):
        super().__init__()
        wide, channels = widths(problem, options), problem.sample_shape[0]
        self.growth = Growth(len(wide) - 1, options.phase_images)
        self.normalise = PixelNorm()
        # A gain of √2 / 4 where the weights make 16 pixels of a latent, as in the authors' code.
        self.start = EqualizedLinear(problem.input_shape[0], wide[0] * BASE**2, gain=GAIN / BASE)
        self.blocks = nn.ModuleList([Layer(wide[0], wide[0], PixelNorm())])
        for before, after in pairwise(wide):
            layers = Layer(before, after, PixelNorm()), Layer(after, after, PixelNorm())
            self.blocks.append(nn.Sequential(*layers))
        self.to_image = nn.ModuleList(EqualizedConv2d(width, channels, 1) for width in wide)

    def set_progress(self, progress):
        self.growth.follow(progress)

    def forward(self, inputs):
        images = enlarged(self.synthesis(inputs), self.growth.factor)
        return images if self.training else images.clamp(-1, 1)

    def synthesis(self, inputs):
        """Latents to images of the level's own size."""
        features = leaky_relu(self.start(self.normalise(inputs)), 0.2)
        features = self.normalise(features.view(len(inputs), -1, BASE, BASE))
        level, before = self.growth.level, features
        for number in range(level + 1):
            before = features if number == 0 else enlarged(features)
            features = self.blocks[number](before)
        images = self.to_image[level](features)
        if self.growth.fades:
            coarse = self.to_image[level - 1](before)
            images = faded(coarse, images, self.growth.alpha)
        return images

    def coarsened(self, images):
        """Real images `[B, C, H, H]` as those that are made: of this level, faded and enlarged."""
        factor = self.growth.factor
        images = avg_pool2d(images, factor) if factor > 1 else images
        if self.growth.fades:
            images = faded(enlarged(halved(images)), images, self.growth.alpha)
        return enlarged(images, factor)


class Discriminator(nn.Module):
    """Images `[B, C, H, H]`, whose pixels are squares of the level's size, to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        wide, channels = widths(problem, options), problem.sample_shape[0]
        self.growth = Growth(len(wide) - 1, options.phase_images)
        self.from_image = nn.ModuleList(
            EqualizedConv2d(channels, width, 1, gain=GAIN) for width in wide
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(Layer(fine, fine), Layer(fine, coarse), nn.AvgPool2d(2))
            for coarse, fine in pairwise(wide)
        )
        self.deviation = MinibatchStd(4)
        self.last = Layer(wide[0] + 1, wide[0])
        self.dense = EqualizedLinear(wide[0] * BASE**2, wide[0], gain=GAIN)
        self.score = EqualizedLinear(wide[0], 1)

    def set_progress(self, progress):
        self.growth.follow(progress)

    def forward(self, samples):
        level, factor = self.growth.level, self.growth.factor
        # One pixel of each square: the gradient by them is that by the small image.
        images = samples[:, :, ::factor, ::factor]
        features = self.seen(images, level)
        if level > 0:
            features = self.blocks[level - 1](features)
            if self.growth.fades:
                features = faded(self.seen(halved(images), level - 1), features, self.growth.alpha)
        for number in reversed(range(level - 1)):
            features = self.blocks[number](features)
        features = self.last(self.deviation(features))
        dense = leaky_relu(self.dense(features.flatten(1)), 0.2)
        return torch.squeeze(self.score(dense), 1)

    def seen(self, images, level):
        return leaky_relu(self.from_image[level](images), 0.2)

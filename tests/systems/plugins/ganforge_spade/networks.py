"""The networks of SPADE (section 3 and appendix A of the paper), for sides of 2^n pixels."""

from math import log2

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from ganforge.nn import spectral_norm

BASE = 4  # pixels of a side, where the features are coarsest
WIDEST = 16  # times the channels before the image


def channels_told(problem):
    return sum(it.known_shape[0] for it in problem.conditions.values() if it.kind == "image")


class SPADE(nn.Module):
    """Features `[B, C, H, W]` and a map `[B, K, h, w]` to features (equation 1).

    Gain and bias of each place follow from the map there and around it.
    """

    def __init__(self, channels, told, hidden):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = nn.Sequential(nn.Conv2d(told, hidden, 3, padding=1), nn.ReLU())
        self.gain = nn.Conv2d(hidden, channels, 3, padding=1)
        self.bias = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, features, image):
        seen = self.shared(interpolate(image, size=features.shape[2:], mode="nearest"))
        return self.norm(features) * (1 + self.gain(seen)) + self.bias(seen)


class SPADEBlock(nn.Module):
    """Features `[B, C, H, W]` and a map to features `[B, C', H, W]` (figure 4)."""

    def __init__(self, before, after, told, hidden):
        super().__init__()
        between = min(before, after)
        self.norm1, self.norm2 = SPADE(before, told, hidden), SPADE(between, told, hidden)
        self.conv1 = spectral_norm(nn.Conv2d(before, between, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(between, after, 3, padding=1))
        self.learned = before != after
        if self.learned:
            self.norm3 = SPADE(before, told, hidden)
            self.shortcut = spectral_norm(nn.Conv2d(before, after, 1, bias=False))

    def forward(self, features, image):
        change = self.conv1(leaky_relu(self.norm1(features, image), 0.2))
        change = self.conv2(leaky_relu(self.norm2(change, image), 0.2))
        if self.learned:
            features = self.shortcut(self.norm3(features, image))
        return features + change


class Generator(nn.Module):
    """Latents `[B, Z]` and a map `[B, K, H, H]` to images `[B, C, H, H]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, _, side = problem.sample_shape
        told, doublings = channels_told(problem), int(log2(side // BASE))
        widths = [options.width * min(WIDEST, 2**it) for it in range(doublings, -1, -1)]
        self.first = nn.Sequential(
            nn.Linear(problem.input_shape[0], widths[0] * BASE**2),
            nn.Unflatten(1, (widths[0], BASE, BASE)),
        )
        pairs = zip([widths[0], *widths], widths, strict=False)
        self.blocks = nn.ModuleList(SPADEBlock(*pair, told, options.hidden) for pair in pairs)
        self.last = nn.Conv2d(options.width, channels, 3, padding=1)

    def forward(self, inputs, *, image):
        features = self.blocks[0](self.first(inputs), image)
        for block in self.blocks[1:]:
            features = block(interpolate(features, scale_factor=2, mode="nearest"), image)
        return self.last(leaky_relu(features, 0.2)).tanh()


class Patches(nn.Module):
    """Images beside their maps `[B, C + K, H, W]` to scores `[B, h, w]`, and features."""

    def __init__(self, channels, width):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(channels, width, 4, stride=2, padding=2), nn.LeakyReLU(0.2))]
        )
        for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            convolution = nn.Conv2d(width * before, width * after, 4, stride, 2, bias=False)
            self.layers.append(
                nn.Sequential(
                    spectral_norm(convolution),
                    nn.InstanceNorm2d(width * after),
                    nn.LeakyReLU(0.2),
                )
            )
        self.score = nn.Conv2d(width * 8, 1, 4, padding=2)

    def forward(self, images):
        features = []
        for layer in self.layers:
            images = layer(images)
            features.append(images)
        return self.score(images)[:, 0], features


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` and maps `[B, K, H, W]` to scores `[B, h, w]` in each resolution."""

    def __init__(self, problem, options):
        super().__init__()
        channels = problem.sample_shape[0] + channels_told(problem)
        self.scales = nn.ModuleList(Patches(channels, options.width) for _ in range(options.scales))

    def forward(self, samples, *, image):
        return self.trace(samples, image=image)[0]

    def trace(self, samples, *, image):
        joined = torch.cat([samples, image], 1)
        scores, features = [], []
        for place, patches in enumerate(self.scales):
            if place:
                joined = avg_pool2d(joined, 3, stride=2, padding=1, count_include_pad=False)
            found, given = patches(joined)
            scores.append(found)
            features += given
        return scores, {"features": features}

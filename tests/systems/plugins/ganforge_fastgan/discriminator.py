"""The discriminator of FastGAN, which is an encoder whose features two decoders read."""

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from .layers import ENCODED, convolution, doubled, width

DECODED = 8  # pixels of a side of what is decoded
LARGEST = 256  # pixels of a side after the first layers


def leaky():
    return nn.LeakyReLU(0.2)


class Halving(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', H/2, W/2]`: the mean of two ways."""

    def __init__(self, before, after):
        super().__init__()
        self.main = nn.Sequential(
            convolution(before, after, 4, 2, 1),
            nn.BatchNorm2d(after),
            leaky(),
            convolution(after, after, 3, padding=1),
            nn.BatchNorm2d(after),
            leaky(),
        )
        self.direct = nn.Sequential(
            nn.AvgPool2d(2), convolution(before, after, 1), nn.BatchNorm2d(after), leaky()
        )

    def forward(self, features):
        return (self.main(features) + self.direct(features)) / 2


class Decoder(nn.Module):
    """Features `[B, C, 8, 8]` to images `[B, channels, s, s]`."""

    def __init__(self, before, channels, side, options):
        super().__init__()
        layers = [nn.AdaptiveAvgPool2d(DECODED)]
        at = DECODED
        while at < side:
            at *= 2
            after = width(at, options)
            layers.append(doubled(before, after))
            before = after
        layers += [convolution(before, channels, 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, features):
        return self.layers(features)


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` to scores `[B, 5, 5]` of patches.

    Its trace has what was shown, in small, `[whole, part]`, each `[B, C, s, s]` with s half of the
    sides and 128 at most, and what the decoders make of features of 8 and of a quarter of those of
    16 pixels. Which quarter is drawn for every pass. The authors' code has a smaller network beside
    this one, and excitation in it, which are not in the paper.
    """

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        self.size = min(128, side // 2)
        first = width(min(side, LARGEST), options, ENCODED)
        layers, at = [convolution(channels, first, 3, padding=1), leaky()], side
        while at > LARGEST:
            layers += [convolution(first, first, 4, 2, 1), nn.BatchNorm2d(first), leaky()]
            at //= 2
        before = first
        while at > 16:
            at //= 2
            after = width(at, options, ENCODED)
            layers.append(Halving(before, after))
            before = after
        self.to_16 = nn.Sequential(*layers)
        wide = width(8, options, ENCODED)
        self.to_8 = Halving(before, wide)
        self.score = nn.Sequential(
            convolution(wide, wide, 1),
            nn.BatchNorm2d(wide),
            leaky(),
            convolution(wide, 1, 4),
        )
        self.decode_whole = Decoder(wide, channels, self.size, options)
        self.decode_part = Decoder(before, channels, self.size, options)

    def forward(self, samples):
        return self.score(self.to_8(self.to_16(samples)))[:, 0]

    def trace(self, samples):
        at_16 = self.to_16(samples)
        at_8 = self.to_8(at_16)
        # A draw on the host, which the device need not be asked for.
        row, column = divmod(int(torch.randint(4, ())), 2)
        parts = quarter(samples, row, column)
        decoded = [self.decode_whole(at_8), self.decode_part(quarter(at_16, row, column))]
        shown = [small(samples, self.size), small(parts, self.size)]
        return self.score(at_8)[:, 0], {"decoded": decoded, "shown": shown}


def quarter(images, row, column):
    """One quarter `[B, C, H/2, W/2]` of images `[B, C, H, W]`."""
    height, width = (it // 2 for it in images.shape[2:])
    top, left = row * height, column * width
    return images[:, :, top : top + height, left : left + width]


def small(images, side):
    if images.shape[-1] < side:
        return interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
    return adaptive_avg_pool2d(images, side)

"""The generator of FastGAN."""

import torch
from torch import nn
from torch.nn.functional import normalize

from ganforge.nn import spectral_norm

from .layers import Excitation, convolution, doubled, width

BASE = 4


class Noise(nn.Module):
    """Features with noise of a learnt strength, which starts at zero; none in evaluation."""

    def __init__(self):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, features):
        if not self.training:
            return features
        return features + self.strength * torch.randn_like(features[:, :1])


class NoisyDoubling(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', 2 H, 2 W]` by two convolutions with noise."""

    def __init__(self, before, after):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Upsample(scale_factor=2),
            convolution(before, 2 * after, 3, padding=1),
            Noise(),
            nn.BatchNorm2d(2 * after),
            nn.GLU(1),
            convolution(after, 2 * after, 3, padding=1),
            Noise(),
            nn.BatchNorm2d(2 * after),
            nn.GLU(1),
        )

    def forward(self, features):
        return self.layers(features)


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, H]`.

    The features of 4, 8, 16 and 32 pixels excite those of 64, 128, 256 and 512.
    """

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        self.sides = [BASE << number for number in range(side.bit_length() - 2)]
        wide = [width(it, options) for it in self.sides]
        self.start = nn.Sequential(
            spectral_norm(
                nn.ConvTranspose2d(problem.input_shape[0], 2 * wide[0], BASE, bias=False)
            ),
            nn.BatchNorm2d(2 * wide[0]),
            nn.GLU(1),
        )
        self.blocks, self.excitations = nn.ModuleList(), nn.ModuleDict()
        for number in range(1, len(wide)):
            block = NoisyDoubling if number % 2 else doubled
            self.blocks.append(block(wide[number - 1], wide[number]))
            if number >= 4:
                self.excitations[str(number)] = Excitation(wide[number - 4], wide[number])
        self.last = nn.Sequential(
            convolution(wide[-1], channels, 3, padding=1, bias=True), nn.Tanh()
        )

    def forward(self, inputs):
        size = inputs.shape[1]
        directions = normalize(inputs, dim=1) * size**0.5
        features = [self.start(directions[:, :, None, None])]
        for number, block in enumerate(self.blocks, 1):
            fine = block(features[-1])
            if number >= 4:
                fine = self.excitations[str(number)](features[number - 4], fine)
            features.append(fine)
        return self.last(features[-1])

"""The generator and the discriminator of SAGAN, for square images whose side is a power of two."""

import torch
from torch import nn
from torch.nn.functional import relu

from .layers import Attention, Down, Up, conv, normalised

BASE = 4  # pixels of a side, where the generator begins


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, H]` in [-1, 1]."""

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        (latents,) = problem.input_shape
        # The first block keeps the width that it is given.
        self.wide = fan_in = options.width * (side // (2 * BASE))
        self.first = normalised(nn.Linear(latents, self.wide * BASE**2))
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleDict()
        size = BASE
        while size < side:
            size *= 2
            fan_out = options.width * (side // size)
            self.blocks.append(Up(fan_in, fan_out, problem.num_classes))
            fan_in = fan_out
            if size == options.attention:
                self.attention[str(len(self.blocks))] = Attention(fan_in)
        self.norm = nn.BatchNorm2d(fan_in)
        self.last = conv(fan_in, channels, 3)

    def forward(self, inputs, *, label=None):
        features = self.first(inputs).view(-1, self.wide, BASE, BASE)
        for number, block in enumerate(self.blocks, 1):
            features = block(features, label)
            if str(number) in self.attention:
                features = self.attention[str(number)](features)
        return torch.tanh(self.last(relu(self.norm(features))))


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and labels `[B]` to scores `[B]`, by projection."""

    def __init__(self, problem, options):
        super().__init__()
        channels, side, _ = problem.sample_shape
        layers = [Down(channels, options.width, first=True)]
        fan_in, size = options.width, side // 2
        while size > BASE:
            if size == options.attention:
                layers.append(Attention(fan_in))
            layers.append(Down(fan_in, 2 * fan_in))
            fan_in, size = 2 * fan_in, size // 2
        self.layers = nn.Sequential(*layers, Down(fan_in, fan_in, halve=False), nn.ReLU())
        self.score = normalised(nn.Linear(fan_in, 1))
        self.embedding = None
        if problem.num_classes is not None:
            self.embedding = normalised(nn.Embedding(problem.num_classes, fan_in))

    def forward(self, samples, *, label=None):
        features = self.layers(samples).sum((2, 3))
        scores = self.score(features).squeeze(1)
        if self.embedding is None:
            return scores
        return scores + (self.embedding(label) * features).sum(1)
